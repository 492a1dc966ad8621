"""The derivation of a line by `glassmax.derive`, for a page: made when a page is asked for."""

from collections.abc import Iterator, Sequence
from html import escape

from ...calculus.formats import derivation_body
from ..checked import WRONG, CheckedLine
from ..formula.tree import Derivative, Node
from ..formula.write import write
from ..numbers import Context
from ..numbers.ours import Ours, derived, written_names

__all__ = ["our_derivations"]

MOST_DERIVED = 12
"""How many different derivatives of a page are derived; the others go without."""


def our_derivations(lines: Sequence[CheckedLine], context: Context | None) -> Iterator[str]:
    """Yield for each line the derivation of the derivative on its left side as HTML; empty if there is none.

    A line that begins with its equals sign has the derivation if it is wrong: that of the left side before it.
    """
    known: dict[Node, str] = {}
    left: Node | None = None
    for line in lines:
        own = bool(line.sides) and line.sides[0] is not None
        left = line.sides[0] if own else left
        shown = own or line.verdict == WRONG
        if line.ours or context is None or not shown or not isinstance(left, Derivative):
            yield line.ours
            continue
        if left not in known:
            ours = derived(left, context) if len(known) < MOST_DERIVED else None
            known[left] = "" if ours is None else _html(ours, context)
        yield known[left]


def _html(ours: Ours, context: Context) -> str:
    """Write a derivation, with the names in it that differ from those of the author."""
    derivation, tokens = ours
    spelled = {
        key: f"{write(name)}{' with an index' if '[' in key else ''}" for key, name in written_names(context).items()
    }
    other = [f"{token} is {spelled[key]}" for key, token in tokens.items() if spelled.get(key, token) != token]
    names = f'<p class="quiet small">In this derivation, {escape(", ".join(other))}.</p>' if other else ""
    return names + derivation_body(derivation)
