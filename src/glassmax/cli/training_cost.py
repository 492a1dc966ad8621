"""The memory and the time of an epoch, reported before the training; the time is measured on a few steps."""

from ..estimator.cost import cost_of, speed_of
from ..estimator.tables.fit import Prepared
from ..memory import available_memory, size_in_words
from .talk import counted, say
from .terminal import ATTENTION

__all__ = ["report_cost"]

MANY_FLOPS = 2e10
"""An epoch with more operations than this may take longer than a second: its time is measured."""
MUCH_MEMORY, LONG_EPOCH = 1e9, 1.0
"""Bytes and seconds from which on the cost is reported."""


def report_cost(prepared: Prepared, *, classes: int, dtype: str) -> None:
    """Report the memory and time of an epoch if one of them is large, and warn if less memory is available."""
    network, inputs = prepared.network, prepared.width
    assert network is not None
    cost = cost_of(network, rows=len(prepared.kept), inputs=inputs, classes=classes, dtype=dtype)
    speed = None
    if cost.flops > MANY_FLOPS:
        speed = speed_of(network, inputs=inputs, classes=classes, dtype=dtype)
    if cost.memory < MUCH_MEMORY and (speed is None or cost.seconds(speed) < LONG_EPOCH):
        return
    say(f"  training {cost.in_words(speed)}; at most {counted(network.max_iter, 'epoch')}")
    available = available_memory()
    if available is not None and cost.memory - cost.inputs > available:
        say(f"Only {size_in_words(available)} of memory is available.", ATTENTION)
