"""Streaming: train on more rows than fit into memory, from files that are read piece by piece.

::

    order      the order in which an epoch takes its rows: a function of (seed, epoch, row) alone
"""

from .order import Order, blocks_in_window, is_validation

__all__ = ["Order", "blocks_in_window", "is_validation"]


def __dir__() -> list[str]:
    return sorted(__all__)
