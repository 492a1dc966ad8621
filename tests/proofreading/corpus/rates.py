"""How well derivations are checked: ``python -m tests.proofreading.corpus.rates [NAME ...]`` prints what went wrong.

The derivations are in the styles of public write-ups and textbooks: right, wrong in one place, wrong in two. `gold.py`
says which lines are wrong and which names of causes are right for each.
"""

import sys
from dataclasses import dataclass, field
from functools import cache
from pathlib import Path

from glassmax import check_derivation

from .gold import GOLD

HERE = Path(__file__).parent
KINDS = {".md": "markdown", ".tex": "tex", ".txt": "text"}
FOUND = ("wrong", "indices only", "right by luck")


@dataclass
class Outcome:
    """What was said of one derivation, against what is true."""

    formulas: int = 0
    read: int = 0
    causes: int = 0
    first: bool = True
    false_alarms: list[str] = field(default_factory=list)
    missed: list[str] = field(default_factory=list)
    misnamed: list[str] = field(default_factory=list)
    unread: list[str] = field(default_factory=list)

    def faults(self):
        return [*self.false_alarms, *self.missed, *self.misnamed]


def check(name):
    path = HERE / name
    return check_derivation(path.read_text(encoding="utf-8"), kind=KINDS[path.suffix])


@cache
def outcome(name):
    """Check one derivation and compare every line with the gold record."""
    lines = check(name).lines
    found = [line for line in lines if line.verdict in FOUND]
    result = Outcome(formulas=len(lines), read=sum(line.verdict != "not read" for line in lines))
    for line in lines:
        text = f"line {line.number}: {line.formula}: {line.says}"
        if line.verdict == "not read":
            result.unread.append(text)
        elif line.verdict == "wrong" and line.number not in GOLD[name]:
            result.false_alarms.append(f"called wrong: {text}")
    for number, causes in GOLD[name].items():
        here = [line for line in found if line.number == number]
        if not here:
            result.missed.append(f"not found: line {number}, {' or '.join(sorted(causes))}")
        elif causes.isdisjoint(line.cause for line in here):
            result.misnamed.append(f"called {here[0].cause}: line {number}, {' or '.join(sorted(causes))}")
        else:
            result.causes += 1
    if GOLD[name]:
        wrong = [line.number for line in lines if line.verdict == "wrong" or line in found]
        result.first = bool(wrong) and min(wrong) == min(GOLD[name])
    return result


def rates(names):
    """Return the shares of lines read, of first wrong lines found, of causes named, and the number of false alarms."""
    outcomes = [outcome(name) for name in names]
    wrong = [outcome(name) for name in names if GOLD[name]]
    mistakes = sum(len(GOLD[name]) for name in names)
    return {
        "read": sum(one.read for one in outcomes) / sum(one.formulas for one in outcomes),
        "first": sum(one.first for one in wrong) / max(1, len(wrong)),
        "cause": sum(one.causes for one in outcomes) / max(1, mistakes),
        "false alarms": sum(len(one.false_alarms) for one in outcomes),
    }


def main(words):
    """Print the faults of each derivation whose name holds one of the words, and the rates."""
    names = [name for name in GOLD if not words or any(word in name for word in words)]
    for name in names:
        if words:
            print(check(name))
        said = [*outcome(name).faults(), *(f"not read: {text}" for text in outcome(name).unread)]
        if said:
            print(name, *said, sep="\n    ")
    print(len(names), "derivations:", ", ".join(f"{name} {rate:.2f}" for name, rate in rates(names).items()))


if __name__ == "__main__":
    main(sys.argv[1:])
