"""Operations as workers run them: for one shard, or for several consecutive shards whose results are added up."""

from collections.abc import Iterable

from .messages import Arrays, Message
from .ordered_sum import OrderedSum, PartialSum, summed
from .workers import Held, operation_of

__all__ = ["call_operation", "message_of_parts", "partial_sums", "parts_of_message", "sum_of_messages"]


def call_operation(held: Held, name: str, shard: int, call: Message) -> Message:
    """Call the operation of a name for a shard."""
    return operation_of(name)(held, shard, call)


def partial_sums(held: Held, name: str, shards: range, call: Message) -> Message:
    """Call an operation for consecutive shards; return the sums over what lies whole in this range, as one message."""
    total = OrderedSum()
    for shard in shards:
        total.add(PartialSum(shard, 0, call_operation(held, name, shard, call).arrays))
    return message_of_parts(total.parts)


def sum_of_messages(messages: Iterable[Message]) -> Arrays:
    """Return the sum over all shards from what `partial_sums` has returned for consecutive ranges, in their order."""
    return summed(part for message in messages for part in parts_of_message(message))


def message_of_parts(parts: list[PartialSum]) -> Message:
    """Return partial sums as one message."""
    arrays = {f"{i}.{name}": array for i, part in enumerate(parts) for name, array in part.arrays.items()}
    return Message({"parts": [[part.first, part.level] for part in parts]}, arrays)


def parts_of_message(message: Message) -> list[PartialSum]:
    """Return the partial sums of a message."""
    parts = [PartialSum(first, level, {}) for first, level in message.manifest["parts"]]
    for key, array in message.arrays.items():
        i, _, name = key.partition(".")
        parts[int(i)].arrays[name] = array
    return parts
