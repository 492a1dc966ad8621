"""Tables whose numbers align at the decimal point."""

from collections.abc import Sequence
from html import escape

from .numbers import aligned

__all__ = ["table"]

Cell = str | float | None


def table(head: Sequence[str], rows: Sequence[Sequence[Cell]], *, caption: str = "", digits: int = 4) -> str:
    """Build a table of names and numbers.

    Parameters
    ----------
    head : sequence of str
        The headings; none if empty.
    rows : sequence of sequences of str, float or None
        Text is escaped. The numbers of a column get the same number of decimals and are set to the right; None is an
        empty cell.
    caption : str
        What the table shows, read out by screen readers.
    digits : int
        As for `aligned`.

    Returns
    -------
    str
        HTML.
    """
    numeric = [
        all(cell is None or not isinstance(cell, str) for cell in column) for column in zip(*rows, strict=True)
    ] or [False] * len(head)
    columns = [
        _numbers(column, digits) if is_number else [escape(str(cell if cell is not None else "")) for cell in column]
        for column, is_number in zip(zip(*rows, strict=True), numeric, strict=False)
    ]
    kinds = [' class="number"' if is_number else "" for is_number in numeric]
    said = f"<caption class='unseen'>{escape(caption)}</caption>" if caption else ""
    headings = "".join(f'<th scope="col"{kind}>{escape(text)}</th>' for text, kind in zip(head, kinds, strict=False))
    lines = [
        "<tr>" + "".join(f"<td{kind}>{cell}</td>" for cell, kind in zip(row, kinds, strict=True)) + "</tr>"
        for row in zip(*columns, strict=True)
    ]
    thead = f"<thead><tr>{headings}</tr></thead>" if head else ""
    return f'<div class="scroll"><table>{said}{thead}<tbody>{"".join(lines)}</tbody></table></div>'


def _numbers(column: Sequence[Cell], digits: int) -> list[str]:
    present = [float(cell) for cell in column if cell is not None]
    texts = iter(aligned(present, digits))
    return [next(texts) if cell is not None else "" for cell in column]
