"""A mistake in its place: the node of a backward pass where it is made, what it costs, and the fitted constant."""

import re
from dataclasses import dataclass

from ..constants import Constant

__all__ = ["PlacedMistake"]


@dataclass(frozen=True)
class PlacedMistake:
    """One mistake, made at one node of a backward pass.

    `node` is the first wrong array, such as "dZ2" or "db1", and `says` is what was done. `constant` is the fitted
    number; `also` has other causes that make the same array.
    """

    cause: str
    node: str
    says: str
    cost: float = 1.0
    constant: Constant | None = None
    also: tuple[str, ...] = ()

    @property
    def layer(self) -> int:
        """The layer of the node."""
        return int(re.sub(r"\D", "", self.node))

    @property
    def kind(self) -> str:
        """The node without its layer: "dZ", "dA", "dW", "db"."""
        return re.sub(r"\d", "", self.node)

    @property
    def where(self) -> str:
        """The parameter at fault, or the node."""
        return self.node[1:] if self.kind in ("dW", "db") else self.node

    @property
    def signature(self) -> tuple[str, str, str]:
        """The key by which two placed mistakes are merged into one; the same factor in W and in b is one mistake."""
        said = re.sub(r"(?<=[ZAWb(])\d+", "", self.says) + (self.constant.name if self.constant else "")
        kind = self.kind[1:] if self.cause not in ("factor", "sign") or self.kind not in ("dW", "db") else "parameter"
        return self.cause, kind, said if self.constant is None else self.constant.name
