"""Penalties: a gradient whose part from the penalty, l2 times the parameter, is missing, wrong, or not wanted."""

from ..constants import Constant
from ..exact_pass import Pass
from .placed import PlacedMistake

__all__ = ["penalties"]


def penalties(p: Pass, kind: str, layer: int, ratio: Constant | None, added: float) -> tuple[PlacedMistake, ...]:
    """Name the mistakes in the penalty's part of dW (`kind` is "W") or db.

    `added` is the coefficient that was fitted, and `ratio` the same over the one that should be (over 1 where there
    should be none); a `ratio` of None means that the part is right.
    """
    if ratio is None:
        return ()
    node, name, right = f"d{kind}{layer}", f"{kind}{layer}", p.l2_bias if kind == "b" else p.l2
    subtracted = "the penalty's part was subtracted, not added"
    if not right and kind == "b":
        odd = 0.0 if p.l2 and abs(added / p.l2 - 1) < 1e-5 else 0.1
        says = f"{added:.6g} {name} is added: the penalty leaves biases out"
        return (PlacedMistake("regulariser_on_biases", node, says, 1.0 + odd, ratio),)
    if not right:
        says = f"{added:.6g} {name} is added, but the loss has no penalty"
        return (PlacedMistake("regulariser_factor", node, says, 1.1 + ratio.cost, ratio),)
    if abs(ratio.multiple) < 1e-7:
        return (PlacedMistake("regulariser_missing", node, f"the penalty's part, l2 {name}, is missing", 1.0, ratio),)
    if ratio.power == 0 and abs(ratio.multiple + 1) < 1e-6:
        return (PlacedMistake("regulariser_sign", node, subtracted, 1.0, ratio),)
    if ratio.power in (-1, 1) and abs(ratio.multiple - 1) < 1e-6:
        says = f"the penalty's part was {'divided' if ratio.power < 0 else 'multiplied'} by n"
        return (PlacedMistake("regulariser_divided", node, says, 1.0, ratio),)
    says = f"the penalty's part is {ratio.name} times what it should be"
    mistake = PlacedMistake("regulariser_factor", node, says, 1.0 + ratio.cost, ratio)
    return (mistake, PlacedMistake("regulariser_sign", node, subtracted)) if ratio.multiple < 0 else (mistake,)
