"""The nodes of a cluster on which tasks run: a shard's rows are read once, so its tasks go where they were before."""

import time
from collections.abc import Mapping, Sequence
from types import ModuleType
from typing import Any

__all__ = ["Places", "slots_of"]

SECONDS = 10.0


class Places:
    """Which node a task is meant for: those of a call are dealt to the nodes by their room, in turn.

    The node is a wish: where it has no room, or has gone, Ray takes another one. A cluster of one node needs no wishes.
    """

    def __init__(self, ray: ModuleType, needed: Mapping[str, float]) -> None:
        self._ray, self._needed = ray, needed
        self._slots: list[str] = []
        self._read = -SECONDS

    def node_of(self, position: int) -> str | None:
        """Return the node for the task at a position of a call; None if it doesn't matter."""
        if time.monotonic() - self._read > SECONDS:
            self._slots, self._read = slots_of(self._ray.nodes(), self._needed), time.monotonic()
        return self._slots[position % len(self._slots)] if len(set(self._slots)) > 1 else None

    def strategy(self, node: str | None) -> Any:
        """Return how Ray is told of the node."""
        if node is None:
            return "DEFAULT"
        from ray.util.scheduling_strategies import NodeAffinitySchedulingStrategy

        return NodeAffinitySchedulingStrategy(node, soft=True, _spill_on_unavailable=True)


def slots_of(nodes: Sequence[Mapping[str, Any]], needed: Mapping[str, float]) -> list[str]:
    """Return a node for each task that has room, the first of each node first, then the second ones.

    Examples
    --------
    >>> nodes = [{"NodeID": name, "Alive": True, "Resources": {"CPU": n}} for name, n in [("b", 1.0), ("a", 2.0)]]
    >>> slots_of(nodes, {"CPU": 1.0})
    ['a', 'b', 'a']
    """
    room = {}
    for node in nodes:
        has = node.get("Resources", {})
        if node.get("Alive"):
            room[str(node["NodeID"])] = min(
                (int(has.get(name, 0.0) // amount) for name, amount in needed.items() if amount > 0), default=1
            )
    rounds = range(max(room.values(), default=0))
    return [node for number in rounds for node in sorted(room) if room[node] > number]
