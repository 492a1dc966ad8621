"""How often rows were right, by the probability of their class: a table with a bar for each bin of probabilities."""

from typing import TYPE_CHECKING, Any

from .charts import plain_table
from .talk import figure
from .terminal import LABEL, QUIET, console, rendered

if TYPE_CHECKING:
    from ..functional.arrays import Array

__all__ = ["reliability_as_json", "reliability_as_text"]

HEADER = ["probability", "right", "share of rows"]
BAR = 30


def reliability_as_json(bins: "Array") -> list[dict[str, float]]:
    """Return the bins, each with its mean probability, its accuracy and its share of the rows."""
    names = ("mean_probability", "accuracy", "share")
    return [dict(zip(names, values, strict=True)) for values in bins.tolist()]


def reliability_as_text(bins: "Array") -> str:
    """Return a line for each bin: the bar ends at the accuracy, the mark stands at the mean probability.

    Parameters
    ----------
    bins : (b, 3) array
        As returned by `RunningMetrics.reliability`.
    """
    rows = [[figure(p), figure(right), f"{100 * share:.1f} %"] for p, right, share in bins.tolist()]
    lines = plain_table(HEADER, rows).splitlines()
    drawn = [_bar(right, p) for p, right, _ in bins.tolist()]
    terminal = console()
    if terminal is None:
        return "\n".join([lines[0], *(f"{line}  {bar}".rstrip() for line, bar in zip(lines[1:], drawn, strict=True))])
    return rendered(terminal, _colored(lines, drawn)).strip("\n")


def _bar(right: float, probability: float) -> str:
    filled, mark = round(BAR * right), min(round(BAR * probability), BAR - 1)
    cells = ["━" if place < filled else " " for place in range(BAR)]
    cells[mark] = "┃"
    return "".join(cells)


def _colored(lines: list[str], bars: list[str]) -> Any:
    from rich.text import Text

    text = Text(lines[0], LABEL)
    for line, bar in zip(lines[1:], bars, strict=True):
        text.append(f"\n{line}  ", "default")
        for cell in bar:
            text.append(cell, LABEL if cell == "━" else QUIET)
    return text
