"""The diagnosis: a verdict, its findings, and what a learner reads.

The diagnosis is only shown here, not made.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from functools import cached_property
from math import isinf
from textwrap import wrap
from typing import Any

from ..lines.annotate import Fault
from ..lines.listing import Listing

__all__ = ["CORRECT", "OTHERWISE_CORRECT", "WRONG", "Diagnosis", "Finding", "ParameterCheck", "is_code"]

CORRECT, OTHERWISE_CORRECT, WRONG = "correct", "correct under another convention", "wrong"
WIDTH = 100
ARRAYS_ALONE = Listing(why="only a function has lines, so pass the function that computes the gradients")


@dataclass(frozen=True)
class Finding:
    """One thing that is wrong, or worth knowing.

    Attributes
    ----------
    cause : str
        The stable name of the mistake, as in the catalogue of `docs/doctor.md`.
    where : str
        The first array that this mistake makes wrong: a node such as ``"dZ2"``, or a parameter such as ``"W1"``.
    parameters : tuple of str
        The gradients that this mistake makes wrong, by the learner's names.
    says : str
        What was done, in words.
    evidence : mapping
        Numbers by name: ``error_before`` (the largest relative error on all data tried), ``error_after`` (the error
        that remains after the correction), and the fitted constants.
    line : str
        The line as it should be, in the learner's own layout and names.
    reason : str
        The reason, in index form.
    cell : str
        One cell of a gradient in numbers, or its wrong shape.
    indistinguishable : tuple of str
        Other causes that give the very same numbers on these data.
    other_network : bool
        Whether the gradients are exact, but of a network with another activation or without a bias.
    line_number : int
        The line of the learner's file, or of the notebook cell, where the mistake is made, counted from 1; 0 if it was
        not found.
    statement : str
        The statement in that line, as it is.
    write : str
        The statement as it should read, in the learner's own names; empty if no small change makes it right.
    move : str
        Where the line belongs, if it is right but comes too early: ``"line 16 below line 17, ..."``.
    right_so_far : tuple of str
        What the names in the statement stand for: ``"O_1 is A1 (line 12)"``.
    other_lines : tuple of (int, str, str)
        Other lines with the same mistake: the number, the statement, and what it should read.
    """

    cause: str
    where: str
    parameters: tuple[str, ...] = ()
    says: str = ""
    evidence: Mapping[str, Any] = field(default_factory=dict)
    line: str = ""
    reason: str = ""
    cell: str = ""
    indistinguishable: tuple[str, ...] = ()
    other_network: bool = False
    line_number: int = 0
    statement: str = ""
    write: str = ""
    move: str = ""
    right_so_far: tuple[str, ...] = ()
    other_lines: tuple[tuple[int, str, str], ...] = ()

    def __repr__(self) -> str:
        where = f" at {self.where}" if self.where else ""
        return f"{self.cause}{where}: {self.sentence()}"

    def sentence(self) -> str:
        """What was done, as a sentence that ends."""
        return self.says if self.says.endswith((".", "?", "!")) else self.says + "."

    def rows(self) -> list[tuple[str, str]]:
        """The finding as pairs of a heading and a text."""
        measured = [("shows in", ", ".join(self.parameters))]
        if "error_before" in self.evidence:
            before, after = self.evidence["error_before"], self.evidence.get("error_after")
            largest = _size(before) if isinf(before) else f"largest on all data tried: {_size(before)}"
            measured.append(("error", largest + ("" if after is None else f"; once corrected: {_size(after)}")))
        fitted = [f"{name} = {value}" for name, value in self.evidence.items() if not name.startswith("error")]
        measured.append(("fitted", ", ".join(fitted)))
        told = [
            ("move", self.move),
            ("write", "" if self.move else self.write or self.line),
            ("because", self.reason),
            ("shape" if " has shape " in self.cell else "one cell", self.cell),
            ("right so far", "   ".join(self.right_so_far)),
        ]
        found = [*self._lines(), *told, *measured] if self.line_number else [*measured, *told]
        if self.indistinguishable:
            found.append(("or", "these data do not distinguish this mistake from " + ", ".join(self.indistinguishable)))
        return [(heading, text) for heading, text in found if text]

    def _lines(self) -> list[tuple[str, str]]:
        """The wrong lines; what they should read stands below each but the first, whose correction comes last."""
        found = []
        for number, statement, write in self.other_lines:
            found += [(f"line {number}", statement), *([("write", write)] if write else [])]
        return [*found, (f"line {self.line_number}", self.statement)]


@dataclass(frozen=True)
class ParameterCheck:
    """One parameter: its name, its shape, the relative error of its gradient, and whether that is right.

    The error is infinite if the gradient has another shape, and NaN if `measured` is false: if the loss gave no slope
    to compare the gradient with.
    """

    name: str
    shape: tuple[int, ...]
    error: float
    correct: bool
    measured: bool = True

    def __repr__(self) -> str:
        return f"{self.name} {self.shape}: {self.judged()}"

    def judged(self) -> str:
        """Right or wrong, and by how much."""
        if not self.verdict:
            return self.size()
        error = self.size() if isinf(self.error) else f"relative error {self.size()}"
        return f"{self.verdict}  {error}"

    @property
    def verdict(self) -> str:
        """Right or wrong; empty if the gradient could not be measured."""
        return "" if not self.measured else "right" if self.correct else "wrong"

    def size(self) -> str:
        """The relative error as text."""
        if not self.measured:
            return "not measured"
        if isinf(self.error):
            return "another shape"
        return "< 1e-12" if self.error < 1e-12 else f"{self.error:.1e}"


@dataclass(frozen=True)
class Diagnosis:
    """The result of `glassmax.diagnose`.

    Attributes
    ----------
    verdict : {"correct", "correct under another convention", "wrong"}
    findings : tuple of Finding
        The most upstream first. Under a correct verdict they explain a deviation that is no fault.
    first_wrong : str or None
        The first wrong array in the order of the backward pass: ``"dZ2"``, ``"dW1"``.
    conventions : tuple of str
        The assumptions about data, network and loss.
    lines : tuple of ParameterCheck
        The error of each parameter's gradient, as the learner returned it.
    listing_maker : callable, optional
        Makes `annotated` when it is asked for, given what is wrong with each line.
    """

    verdict: str
    findings: tuple[Finding, ...] = ()
    first_wrong: str | None = None
    conventions: tuple[str, ...] = ()
    lines: tuple[ParameterCheck, ...] = ()
    listing_maker: Callable[[Mapping[int, Fault]], Listing] | None = field(default=None, repr=False, compare=False)

    @cached_property
    def annotated(self) -> Listing:
        """Your own program with a note beside each line: what the line makes, its shape, right or wrong.

        It is text when it is printed and a table in a notebook. It is empty, and says why, if the lines of the function
        could not be watched.
        """
        return ARRAYS_ALONE if self.listing_maker is None else self.listing_maker(self._faults())

    def _faults(self) -> dict[int, Fault]:
        """What is wrong, by the number of the line; the first finding of a line takes precedence."""
        faults: dict[int, Fault] = {}
        for finding in self.findings:
            lines = [(finding.line_number, finding.statement, finding.write), *finding.other_lines]
            for number, statement, write in lines if finding.line_number else ():
                faults.setdefault(number, Fault(finding.says, write, number + statement.count("\n")))
        return faults

    @property
    def first_wrong_line(self) -> int:
        """The line of the first finding that has one; 0 if none has."""
        return next((finding.line_number for finding in self.findings if finding.line_number), 0)

    @property
    def correct(self) -> bool:
        """Whether nothing is wrong: the verdict is correct, perhaps under another convention."""
        return self.verdict != WRONG

    @property
    def causes(self) -> tuple[str, ...]:
        """The causes of the findings, in order."""
        return tuple(finding.cause for finding in self.findings)

    def __getstate__(self) -> dict[str, Any]:
        return {**self.__dict__, "annotated": self.annotated, "listing_maker": None}

    def __repr__(self) -> str:
        return str(self)

    def __str__(self) -> str:
        first = f": the first error is in {self.first_wrong}" if self.first_wrong else ""
        first += f", line {self.first_wrong_line}" if self.first_wrong and self.first_wrong_line else ""
        text = [self.verdict + first]
        for number, finding in enumerate(self.findings, start=1):
            text.append("")
            text += _wrapped(f"{number}. ", repr(finding))
            for heading, words in finding.rows():
                text += _wrapped(f"   {heading:<9} ", words, verbatim=is_code(heading))
        if self.conventions:
            text.append("")
            for words in self.conventions:
                text += _wrapped("- ", words)
        shown = self.shown()
        if shown:
            text.append("")
            width = max(len(line.name) for line in shown)
            for line in shown:
                text.append(f"{line.name:<{width}}  {line.judged()}")
            if len(self.lines) > len(shown):
                text.append(f"and {len(self.lines) - len(shown)} more")
        return "\n".join(text)

    def _repr_html_(self) -> str:
        from .html_form import html_form  # late: only a notebook asks

        return html_form(self)

    def shown(self) -> list[ParameterCheck]:
        """At most eight parameters, the wrong ones before others, in their order; none under another convention."""
        if self.verdict == OTHERWISE_CORRECT:
            return []
        shown = sorted(self.lines, key=lambda line: line.correct)[:8]
        return [line for line in self.lines if line in shown]


def is_code(heading: str) -> bool:
    """Whether what stands under a heading of a finding is code, which keeps its lines."""
    return heading == "write" or heading.startswith("line ")


def _size(error: float) -> str:
    if isinf(error):
        return "another shape"
    return "< 1e-9" if error < 1e-9 else f"{error:.1e}"


def _wrapped(head: str, words: str, verbatim: bool = False) -> list[str]:
    """Break words into lines that hang under the first; code keeps its own lines."""
    lines = words.splitlines() if verbatim else wrap(words, WIDTH - len(head)) or [""]
    return [(head if number == 0 else " " * len(head)) + line for number, line in enumerate(lines)]
