"""The reading of a document: of those that the numbers offer, the one under which most lines are right."""

from collections.abc import Sequence

from ..numbers import Context, Equation, contexts
from .agreement import agreement
from .assumptions import stated_assumptions, usual_assumptions
from .chains import steps_of
from .letter_layers import with_letter_layers
from .lines import Line
from .updates import is_update

__all__ = ["best_reading"]

WORTH = {"same": 1.0, "implied": 0.6, "component": 0.5, "transposed": 0.3, "": 0.0, "letters": -0.2}
UNLIKELY = 2.2
"""How many right steps outweigh a reading that costs 1."""
SPLIT = 1.0
"""How many right steps outweigh that the letters of indices tell the layer."""
WORTH |= {"shapes": -0.3, "unknown": -0.3}


def best_reading(lines: Sequence[Line]) -> tuple[Sequence[Line], Context | None]:
    """Return the reading under which most steps are right, less what makes it unlikely, and the lines in it.

    The context is None without any equation. The lines have other names if their letters tell the layer.
    """
    best, most, chosen = None, float("-inf"), lines
    split = with_letter_layers(lines)
    for some, unlikely in ((lines, 0.0), *(((split, SPLIT),) if split is not None else ())):
        equations = [line.equation for line in some if line.equation is not None]
        equations = [one for one in equations if not is_update(one.sides[0], one.sides[1])]
        for context in contexts(equations) if equations else []:
            worth = _worth(some, equations, context) - UNLIKELY * context.reading.cost - unlikely
            if worth > most + 1e-9:
                best, most, chosen = context, worth, some
    return chosen, best


def _worth(lines: Sequence[Line], equations: Sequence[Equation], context: Context) -> float:
    """Return how many steps are right, under the assumptions that people make."""
    formulas = [side for equation in equations for side in equation.sides if side is not None]
    assumption = [one.assumption for one in stated_assumptions(equations, context)]
    assumption += usual_assumptions(formulas, context)
    total = 0.0
    for line, steps in zip(lines, steps_of(lines, context), strict=True):
        condition = line.equation.condition if line.equation is not None else None
        given = line.equation is not None and context.is_given(line.equation)  # true by itself: no evidence
        for step in steps:
            found = agreement(context, step.left, step.right, condition, adjusted=tuple(assumption), turns=(0,))
            total += min(WORTH[found.kind], 0.0) if given else WORTH[found.kind]
    return total
