"""Figures and confusions, in color for a terminal or as plain text; bars of counts, a sparkline of losses."""

from collections.abc import Sequence
from typing import TYPE_CHECKING

from .talk import counted, harmless, shortened
from .terminal import GOOD, LABEL, QUIET

if TYPE_CHECKING:
    from rich.console import Console, RenderableType
    from rich.table import Table
    from rich.text import Text

    from ..functional.arrays import Array
    from ..training import Metrics

__all__ = ["bars", "confusions", "figures_table", "plain_confusions", "plain_table", "sparkline"]

BLOCKS = "▁▂▃▄▅▆▇█"
BETTER = " ◂"
LOWER_IS_BETTER = ("log-loss", "Brier score", "calibration error")
RIGHT, WRONG = ((82, 99, 122), (0, 92, 230)), ((122, 99, 82), (204, 68, 0))
"""Colors from a share of 0 to a share of 1: blue and orange, which color-blind readers distinguish; text is white."""
BAR, LONGEST_NAME = 8, 20
MOST_CLASSES = 20


def sparkline(values: Sequence[float], width: int = 24) -> str:
    """Draw values as a line of blocks, on a logarithmic scale; "" if there are fewer than two values.

    Examples
    --------
    >>> sparkline([8.0, 4.0, 2.0, 1.0])
    '█▆▃▁'
    """
    import numpy as np

    shown = np.asarray(values, float)
    shown = np.log(shown[np.isfinite(shown) & (shown > 0)])
    if len(shown) < 2:
        return ""
    if len(shown) > width:
        shown = np.array([piece.mean() for piece in np.array_split(shown, width)])
    low, high = shown.min(), shown.max()
    steps = (shown - low) / (high - low) if high > low else np.zeros(len(shown))
    return "".join(BLOCKS[round(7 * step)] for step in steps)


def bars(names: Sequence[str], counts: Sequence[int]) -> "RenderableType":
    """Draw how frequent each class is, in as many columns as fit."""
    from rich.cells import cell_len, set_cell_size
    from rich.columns import Columns
    from rich.padding import Padding
    from rich.text import Text

    names = [_cut(harmless(name), LONGEST_NAME) for name in names]
    longest, most = max(map(cell_len, names)), max(counts)
    drawn = []
    for name, count in zip(names, counts, strict=True):
        bar = "━" * max(1, round(BAR * count / most))
        text = (f"{set_cell_size(name, longest)} ", (f"{bar:<{BAR}}", LABEL), f" {count:>{len(str(most))}}")
        drawn.append(Text.assemble(*text))
    return Padding(Columns(drawn, padding=(0, 3)), (0, 0, 0, 2))


def figures_table(header: Sequence[str], rows: Sequence[Sequence[str]], *, compared: Sequence[int] = ()) -> "Table":
    """Draw a table of figures, each row a name and a figure for each column.

    The columns of figures at the positions `compared` compete: each row marks its best figure, unless there is a tie.
    """
    from rich.box import SIMPLE_HEAD
    from rich.table import Table
    from rich.text import Text

    table = Table(box=SIMPLE_HEAD, header_style=LABEL, border_style=QUIET, pad_edge=False)
    for position, name in enumerate(header):
        table.add_column(Text(harmless(name)), justify="right" if position else "left", no_wrap=not position)
    for name, *cells in rows:
        best = _best(cells, compared, lowest=name in LOWER_IS_BETTER)
        drawn = []
        for position, cell in enumerate(cells):
            room = BETTER if position == best else " " * len(BETTER) if position in compared else ""
            style = GOOD if position == best else QUIET if compared and position and position not in compared else ""
            drawn.append(Text(cell + room, style))
        table.add_row(Text(harmless(name)), *drawn)
    return table


def _best(cells: Sequence[str], compared: Sequence[int], *, lowest: bool) -> int | None:
    """Return the position of the best figure, or None for a tie, an empty cell, or nothing to compare."""
    rivals = [cells[position] for position in compared]
    if len(rivals) < 2 or "" in rivals or len(set(rivals)) < len(rivals):
        return None
    best = (min if lowest else max)(rivals, key=float)
    return compared[rivals.index(best)]


def confusions(figures: "Metrics", classes: "Array", terminal: "Console") -> "RenderableType":
    """Draw the confusion matrix, each cell shaded by its share of the row.

    If the names are too wide for the terminal, the columns are numbered; if there are too many classes, or no
    room even then, the most frequent confusions are listed instead.
    """
    from rich.console import Group

    if figures.confusion is not None and len(classes) <= MOST_CLASSES:
        names = [harmless(str(label)) for label in classes]
        for corner, longest, numbered in (
            ("true \\ predicted", LONGEST_NAME, False),
            ("true", LONGEST_NAME, False),
            ("true", LONGEST_NAME, True),
            ("true", 8, True),
        ):
            lines = _matrix(figures.confusion, corner, [_cut(name, longest) for name in names], numbered=numbered)
            if lines[0].cell_len <= terminal.width:
                return Group(*lines)
    return _most_frequent(figures, classes)


def _cut(name: str, longest: int) -> str:
    """Cut a long name in its middle: names often differ at the end."""
    behind = (longest - 1) // 2
    return name if len(name) <= longest else f"{name[: longest - 1 - behind]}…{name[-behind:]}"


def _matrix(confusion: "Array", corner: str, names: Sequence[str], *, numbered: bool) -> "list[Text]":
    from rich.cells import cell_len, set_cell_size
    from rich.text import Text

    above = [str(number) for number in range(1, len(names) + 1)] if numbered else names
    beside = [f"{number:>2} {name}" for number, name in enumerate(names, 1)] if numbered else names
    first = max(map(cell_len, (corner, *beside)))
    widths = [max(cell_len(name), len(str(confusion[:, j].max()))) for j, name in enumerate(above)]
    header = Text(f"  {set_cell_size(corner, first)} ", LABEL)
    for name, width in zip(above, widths, strict=True):
        header.append(f" {' ' * (width - cell_len(name))}{name} ", LABEL)
    lines = [header.append("  recall", LABEL)]
    for i, row in enumerate(confusion):
        line, total = Text().append(f"  {set_cell_size(beside[i], first)} ", LABEL), max(row.sum(), 1)
        for j, count in enumerate(row):
            style = _shade(count / total, right=i == j) if count else QUIET
            line.append(f" {count or '·':>{widths[j]}} ", style)
        lines.append(line.append(f"  {100 * row[i] / total:4.0f} %" if row.any() else "", QUIET))
    return lines


def _shade(share: float, *, right: bool) -> str:
    """Return the style of a cell; the square root of the share makes rare confusions visible."""
    pale, full = RIGHT if right else WRONG
    root = share**0.5
    red, green, blue = (round(p + root * (f - p)) for p, f in zip(pale, full, strict=True))
    return f"{'bold ' if right else ''}rgb(255,255,255) on rgb({red},{green},{blue})"


def _most_frequent(figures: "Metrics", classes: "Array") -> "RenderableType":
    from rich.box import SIMPLE_HEAD
    from rich.table import Table
    from rich.text import Text

    worst = _worst(figures)
    if not worst:
        return Text("No row is taken for another class.", GOOD)
    table = Table(box=SIMPLE_HEAD, header_style=LABEL, border_style=QUIET, pad_edge=False)
    table.add_column("most frequent confusions", justify="right")
    table.add_column("true", overflow="fold")
    table.add_column("taken for", overflow="fold")
    for (i, j), count in worst:
        table.add_row(counted(count, "row"), _name(classes[i]), _name(classes[j]))
    return table


def _name(label: object) -> str:
    return shortened(harmless(str(label)))


def _worst(figures: "Metrics") -> "list[tuple[tuple[int, int], int]]":
    """Return the ten most frequent confusions."""
    return sorted(figures.confused.items(), key=lambda pair: (-pair[1], pair[0]))[:10]


def plain_table(header: Sequence[str], rows: Sequence[Sequence[str]]) -> str:
    """Align names to the left and figures to the right, in columns under a header."""
    lines = [header, *rows]
    first, *others = (max(map(len, column)) for column in zip(*lines, strict=True))
    return "\n".join("  ".join([name.ljust(first), *map(str.rjust, cells, others)]).rstrip() for name, *cells in lines)


def plain_confusions(figures: "Metrics", classes: "Array") -> str:
    """Write the confusion matrix, or, of many classes, the most frequent confusions."""
    if figures.confusion is None or len(classes) > MOST_CLASSES:
        worst = [[str(count), _name(classes[i]), _name(classes[j])] for (i, j), count in _worst(figures)]
        if not worst:
            return "No row is taken for another class."
        lines = plain_table(["rows", "true", "taken for"], worst)
        return f"Most frequent confusions:\n{lines}"
    names = list(map(_name, classes))
    rows = [[name, *map(str, counts)] for name, counts in zip(names, figures.confusion, strict=True)]
    return plain_table(["true \\ predicted", *names], rows)
