"""Results drawn for a terminal: figures side by side, a shaded confusion matrix, bars of counts, a line of losses."""

from collections.abc import Sequence
from typing import TYPE_CHECKING

from .talk import MOST_CLASSES, counted, harmless, shortened
from .terminal import GOOD, LABEL, QUIET

if TYPE_CHECKING:
    from rich.console import Console, RenderableType
    from rich.table import Table

    from ..functional.arrays import Array
    from ..training import Figures

__all__ = ["bars", "confusions", "figures_table", "sparkline"]

BLOCKS = "▁▂▃▄▅▆▇█"
BETTER = " ◂"
LOWER_IS_BETTER = ("log-loss", "Brier score", "calibration error")
RIGHT, WRONG = ((82, 99, 122), (0, 92, 230)), ((122, 99, 82), (204, 68, 0))
"""From a share of nothing to all of a row, blue and orange: told apart by the colour-blind, white text on both."""
BAR, FEWEST_COLUMNS = 8, 20


def sparkline(values: Sequence[float], width: int = 24) -> str:
    """Draw values as a line of blocks, on a logarithmic scale; "" where there are fewer than two.

    Examples
    --------
    >>> sparkline([8.0, 4.0, 2.0, 1.0])
    '█▅▃▁'
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


def bars(names: Sequence[str], counts: Sequence[int], width: int) -> "RenderableType":
    """Draw how frequent each class is, in as many columns as fit.

    Parameters
    ----------
    names : sequence of str
    counts : sequence of int
    width : int
        Of the terminal.
    """
    from rich.table import Table
    from rich.text import Text

    names = [shortened(harmless(name), FEWEST_COLUMNS) for name in names]
    most = max(counts)
    one = max(map(len, names)) + BAR + len(str(most)) + 2
    fitting = max(1, (width - 4) // (one + 3))
    n_rows = -(-len(names) // fitting)
    fitting = -(-len(names) // n_rows)
    grid = Table.grid(padding=(0, 1))
    for _ in range(fitting):
        grid.add_column(justify="left")
        grid.add_column()
        grid.add_column(justify="right")
        grid.add_column(width=1)
    for start in range(0, len(names), fitting):
        cells = []
        for name, count in zip(names[start : start + fitting], counts[start : start + fitting], strict=True):
            bar = "━" * max(1, round(BAR * count / most))
            cells += [Text(name), Text(f"{bar:<{BAR}}", LABEL), Text(str(count)), Text("")]
        grid.add_row(*cells)
    return grid


def figures_table(header: Sequence[str], rows: Sequence[Sequence[str]], *, rivals: int = 0) -> "Table":
    """Draw a table of figures, names to the left.

    Parameters
    ----------
    header : sequence of str
    rows : sequence of sequence of str
        A name and a figure for each column.
    rivals : int
        How many of the first columns compete: the best of them is marked in each row, unless they are equal.
    """
    from rich.box import SIMPLE_HEAD
    from rich.table import Table
    from rich.text import Text

    table = Table(box=SIMPLE_HEAD, header_style=LABEL, border_style=QUIET, pad_edge=False)
    for position, name in enumerate(header):
        table.add_column(Text(harmless(name)), justify="right" if position else "left")
    for name, *cells in rows:
        best = _best(cells[:rivals], lowest=name in LOWER_IS_BETTER) if rivals > 1 else None
        drawn = []
        for position, cell in enumerate(cells):
            room = BETTER if position == best else " " * len(BETTER) if position < rivals and rivals > 1 else ""
            style = GOOD if position == best else QUIET if rivals and position >= rivals else ""
            drawn.append(Text(cell + room, style))
        table.add_row(Text(harmless(name)), *drawn)
    return table


def _best(cells: Sequence[str], *, lowest: bool) -> int | None:
    """Return the place of the best figure as it is shown, or None where there is none."""
    if "" in cells or len(set(cells)) < len(cells):
        return None
    values = [float(cell) for cell in cells]
    return values.index(min(values) if lowest else max(values))


def confusions(figures: "Figures", classes: "Array", terminal: "Console") -> "RenderableType":
    """Draw the confusion matrix, each cell shaded by its share of the row.

    Where it is too large, or too wide for the terminal, the most frequent confusions are listed instead.
    """
    names = [harmless(str(label)) for label in classes]
    if figures.confusion is not None and len(names) <= MOST_CLASSES:
        for longest, numbered in ((20, False), (20, True), (8, True)):
            table = _matrix(figures.confusion, [shortened(name, longest) for name in names], numbered=numbered)
            if terminal.measure(table).minimum <= terminal.width:
                return table
    return _most_frequent(figures, names)


def _matrix(confusion: "Array", names: Sequence[str], *, numbered: bool) -> "Table":
    from rich.table import Table
    from rich.text import Text

    table = Table(box=None, header_style=LABEL, padding=0, pad_edge=False, collapse_padding=True)
    above = [str(number) for number in range(1, len(names) + 1)] if numbered else names
    table.add_column(Text("true \\ predicted "), no_wrap=True)
    for name in above:
        table.add_column(Text(f" {name} "), justify="right", no_wrap=True)
    table.add_column(Text("  recall"), justify="right", no_wrap=True)
    widths = [max(len(above[j]), len(str(confusion[:, j].max()))) + 2 for j in range(len(names))]
    for i, row in enumerate(confusion):
        total = row.sum()
        cells = []
        for j, count in enumerate(row):
            text = f"{f'{count}' if count else '·'} ".rjust(widths[j])
            cells.append(Text(text, _shade(count / total, right=i == j) if count else QUIET))
        recall = f"  {100 * row[i] / total:.0f} %" if total else ""
        name = f"{above[i]:>2} {names[i]} " if numbered else f"{names[i]} "
        table.add_row(Text(name, LABEL), *cells, Text(recall, QUIET))
    return table


def _shade(share: float, *, right: bool) -> str:
    """Return the style of a cell; a root tells a share of 1 % from one of 4 %."""
    pale, full = RIGHT if right else WRONG
    root = share**0.5
    red, green, blue = (round(p + root * (f - p)) for p, f in zip(pale, full, strict=True))
    return f"{'bold ' if right else ''}rgb(255,255,255) on rgb({red},{green},{blue})"


def _most_frequent(figures: "Figures", names: Sequence[str]) -> "RenderableType":
    from rich.box import SIMPLE_HEAD
    from rich.table import Table
    from rich.text import Text

    worst = sorted(figures.confused.items(), key=lambda pair: (-pair[1], pair[0]))[:10]
    if not worst:
        return Text("No row is taken for another class.", GOOD)
    table = Table(box=SIMPLE_HEAD, header_style=LABEL, border_style=QUIET, pad_edge=False)
    table.add_column("most frequent confusions", justify="right")
    table.add_column("true", overflow="fold")
    table.add_column("taken for", overflow="fold")
    for (i, j), count in worst:
        table.add_row(counted(count, "row"), shortened(names[i]), shortened(names[j]))
    return table
