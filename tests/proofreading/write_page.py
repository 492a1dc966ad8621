"""The outputs and the catalogue in `docs/checking_a_derivation.md`: `python -m tests.proofreading.write_page`.

A block of the page that is marked ``<!-- output of: glassmax check ... -->`` holds what the command prints for the
derivation in the last Markdown block before it.
"""

import re
from pathlib import Path

from glassmax import check_derivation
from glassmax.doctor.mistakes.causes import CAUSES as CAUSES_OF_PROGRAMS
from glassmax.proofreading.mistakes.causes import CAUSES, SHARED

PAGE = Path(__file__).parents[2] / "docs" / "checking_a_derivation.md"
BEGIN, END = "<!-- catalogue: begin -->\n", "<!-- catalogue: end -->\n"
DERIVATION = re.compile(r"^````markdown\n(.*?)^````\n", re.DOTALL | re.MULTILINE)
OUTPUT = re.compile(
    r"(^<!-- output of: glassmax check derivation\.md(?: --goal '(.*?)')? -->\n```\n)(.*?)(^```\n)", re.DOTALL | re.M
)


def derivation_before(text, place):
    """The derivation in the last Markdown block before a place of the page."""
    return [found[1] for found in DERIVATION.finditer(text, 0, place)][-1]


def outputs(text):
    """The page with what the command prints today."""
    return OUTPUT.sub(
        lambda found: (
            f"{found[1]}{check_derivation(derivation_before(text, found.start()), goal=found[2])}\n{found[4]}"
        ),
        text,
    )


def catalogue():
    """Every cause that a derivation can have, with its meaning: those of paper, then those of programs too."""
    head = ["| cause | meaning |", "|---|---|"]
    of_paper = [f"| `{name}` | {meaning} |" for name, meaning in CAUSES.items()]
    shared = [f"| `{name}` | {CAUSES_OF_PROGRAMS[name].means} |" for name in SHARED]
    words = "The gradient doctor has these causes too ([doctor.md](doctor.md)):"
    return "\n".join([*head, *of_paper, "", words, "", *head, *shared, ""])


def written():
    """The page as it should be."""
    text = outputs(PAGE.read_text(encoding="utf-8"))
    before, rest = text.split(BEGIN)
    return before + BEGIN + catalogue() + END + rest.split(END)[1]


if __name__ == "__main__":
    PAGE.write_text(written(), encoding="utf-8")
