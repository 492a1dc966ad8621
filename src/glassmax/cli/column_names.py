"""Many names of columns in a few words: `pixel_0_1 ... pixel_7_7 (61 columns)`."""

import re
from collections.abc import Sequence
from typing import TYPE_CHECKING

from ..errors import worded
from .talk import counted
from .wording import option_of

if TYPE_CHECKING:
    from ..table import Note

__all__ = ["left_out_together", "summed_up"]

MOST_SHOWN, FEWEST_ALIKE, FEWEST_LEFT_OUT, MOST_LEFT_OUT = 40, 5, 3, 20


def summed_up(names: Sequence[str]) -> str:
    """Join names by commas; those that differ only in their numbers are shown by the first and the last.

    Examples
    --------
    >>> summed_up(["age", "pixel_0", "pixel_1", "pixel_2", "pixel_3", "pixel_4"])
    'age, pixel_0 ... pixel_4 (5 columns)'
    """
    alike: dict[str, list[str]] = {}
    for name in names:
        alike.setdefault(re.sub(r"[0-9]+", "0", name), []).append(name)
    shown: list[str] = []
    for pattern, group in alike.items():
        if len(group) >= FEWEST_ALIKE and "0" in pattern:
            shown.append(f"{group[0]} ... {group[-1]} ({len(group)} columns)")
        else:
            shown += group
    if len(shown) <= MOST_SHOWN:
        return ", ".join(shown)
    return f"{', '.join(shown[: MOST_SHOWN - 2])}, {len(shown) - MOST_SHOWN + 1} more, and {shown[-1]}"


def left_out_together(notes: "Sequence[Note]") -> list[str]:
    """Merge the notes on columns left out for the same reason into one line.

    Examples
    --------
    >>> from glassmax.table.notes import it, left_out
    >>> left_out_together([left_out(f"pixel_{i}", it("is 0 in every row")) for i in range(3)])
    ['3 columns are left out because each is 0 in every row: pixel_0, pixel_1, pixel_2']
    """
    reasons: dict[tuple[str, str], list[str]] = {}
    for note in notes:
        reasons.setdefault((worded(note.reason, option_of), note.several), []).append(note.column)
    together: list[str] = []
    for (reason, several), names in reasons.items():
        if len(names) < FEWEST_LEFT_OUT:
            together += [f"{name} is left out: {reason}" for name in names]
        else:
            together.append(f"{len(names)} columns are left out because {several}: {summed_up(names)}")
    if len(together) > MOST_LEFT_OUT:
        more = counted(len(together) - MOST_LEFT_OUT, "more column")
        together = [*together[:MOST_LEFT_OUT], f"... is left out: ...: {more} like these"]
    return together
