"""The catalogue in `docs/doctor.md`, written from the table of causes: `python -m tests.doctor.write_catalogue`."""

from itertools import groupby
from pathlib import Path

from glassmax.doctor.mistakes.causes import CAUSES

PAGE = Path(__file__).parents[2] / "docs" / "doctor.md"
BEGIN, END = "<!-- catalogue: begin -->\n", "<!-- catalogue: end -->\n"


def catalogue():
    """Each group of causes under its heading, as a table of names and meanings."""
    lines = []
    for group, names in groupby(CAUSES, key=lambda name: CAUSES[name].group):
        lines += ["", f"### {group}", "", "| cause | meaning |", "|---|---|"]
        lines += [f"| `{name}` | {CAUSES[name].means} |" for name in names]
    return "\n".join([*lines[1:], ""])


def written():
    """The page with the catalogue of today."""
    before, rest = PAGE.read_text(encoding="utf-8").split(BEGIN)
    return before + BEGIN + catalogue() + END + rest.split(END)[1]


if __name__ == "__main__":
    PAGE.write_text(written(), encoding="utf-8")
