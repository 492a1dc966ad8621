"""The verdict of a line, and the count of all lines, in words."""

from collections.abc import Sequence

from ..checked import ASSUMED, FOLLOWS, GIVEN, INDICES, LUCK, NOT_READ, WRONG, CheckedLine
from ..formula.write import write

__all__ = ["reason", "shown", "summary", "verdict_in_words"]

LONGEST_UNREAD = 200

COUNTED = {
    FOLLOWS: ("follows", "follow"),
    GIVEN: ("is given", "are given"),
    INDICES: ("is right for its indices only", "are right for their indices only"),
    LUCK: ("is right by luck", "are right by luck"),
    WRONG: ("is wrong", "are wrong"),
    NOT_READ: ("could not be read", "could not be read"),
}
"""Each verdict after the number of its lines: after 1, and after any other number."""


def shown(line: CheckedLine) -> str:
    """Return the formula on one line, with its case; of a line that was not read, what its author typed, shortened.

    Examples
    --------
    >>> shown(CheckedLine(3, "J = diag(p", "", NOT_READ))
    'J = diag(p'
    """
    typed = " ".join(line.source.split())
    if line.formula and line.condition is not None:
        return f"{line.formula}, if {write(line.condition)}"
    return line.formula or (typed if len(typed) <= LONGEST_UNREAD else f"{typed[:LONGEST_UNREAD]} ...")


def reason(line: CheckedLine) -> str:
    """Return what is said beyond the verdict; empty if that is all."""
    return line.notation or line.says


def verdict_in_words(line: CheckedLine) -> str:
    """Return the verdict and what follows it, in one sentence without a full stop.

    Examples
    --------
    >>> verdict_in_words(CheckedLine(3, "", "", ASSUMED, says="Σ_k y_k = 1"))
    'follows, if Σ_k y_k = 1'
    >>> verdict_in_words(CheckedLine(4, "", "", WRONG, says="the sign is reversed"))
    'wrong: the sign is reversed'
    """
    says = reason(line)
    if not says:
        return line.verdict
    goes_on = line.verdict == ASSUMED or (line.verdict == FOLLOWS and says.startswith(("from ", "in ")))
    return f"{line.verdict}{' ' if goes_on else ': '}{says}"


def summary(lines: Sequence[CheckedLine]) -> str:
    """Return how many lines have which verdict, and the first wrong one.

    Examples
    --------
    >>> summary([CheckedLine(1, "", "", GIVEN), CheckedLine(3, "", "", WRONG), CheckedLine(4, "", "", FOLLOWS)])
    '3 formulas: 1 follows, 1 is given, 1 is wrong. The first wrong formula is in line 3.'
    """
    verdicts = [FOLLOWS if line.verdict == ASSUMED else line.verdict for line in lines]
    counts = [(verdicts.count(verdict), words) for verdict, words in COUNTED.items()]
    parts = ", ".join(f"{count} {words[count != 1]}" for count, words in counts if count)
    wrong = next((line for line in lines if line.verdict == WRONG), None)
    first = f" The first wrong formula is in line {wrong.number}." if wrong else ""
    return f"{len(lines)} formula{'s' * (len(lines) != 1)}: {parts}.{first}"
