"""Pieces of a document to statements: what continues what, and which words belong to which formula."""

import re
from bisect import bisect_right
from collections.abc import Callable, Iterable
from dataclasses import dataclass, replace

from . import words
from .brackets import UnbalancedError
from .cases import negated, of_indices
from .decorations import ROWS
from .pieces import Piece, with_equals
from .rows import LONGEST
from .segments import SHAPES, Segment, is_condition, segments
from .sides import DEFINES, equation_sides, tidy
from .statement import Statement

__all__ = ["assembled"]

DERIVATIVE = re.compile(
    r"\s*(?:\\frac\s*\{.{0,120}?\}\s*\{\s*(?:\{?\\(?:mathrm|rm)\s*\{?\s*d|d|\\partial|∂)|\\nabla|∇|\\partial|∂"
    r"|\(?\s*[d∂][A-Za-z_]*[^=]{0,20}/\s*[d∂])",
    re.DOTALL,
)
DECORATION = re.compile(
    r"(?:\\(?:color|textcolor|boxed|mathbf|mathrm|boldsymbol|bbox)\s*(?:\{\w+\}|\[[^\]]*\])*\s*\{\s*)+$"
)
ENVIRONMENT = re.compile(rf"\\(?:begin|end)\{{(?:{'|'.join(ROWS)})\*?\}}")
OPERATION = re.compile(r"\s*(?:\\(?:sum|prod|frac|log|ln|exp|lim)(?![a-z])|[ΣΠ∑∏\-−]|sum\b|\|)|[^()\[\]{}]*[+\-−]")
AT = re.compile(r"(?:\||\\[rl]?vert|\\mid)\s*_\s*\{([^{}]*)\}\s*$")
BOTH_CASES = re.compile(r"\\begin\{cases\}|\\delta|δ|1\s*\\?[{\[(]")


LEADING = re.compile(r"(?:[\s&,]|\\\\)*")
"""What stands before the first sign of an equation."""
ABBREVIATES = re.compile(r"\b(?:writ(?:e|ing)|us(?:e|ing))\s*$", re.IGNORECASE)
LETTER = re.compile(r"[A-Za-z]")
BLANKS = " \n\t&,;"
LONGEST_LETTER = 12
"""Characters of an index that a sentence compares with another."""

LONGEST_DECORATION = 80
"""Characters of the decoration before a formula that its source shows."""

LONGEST_CLAUSE = 200
"""Characters before a formula that may say something of it."""


@dataclass
class _Case:
    """The case that the statements after it are limited to, and what it was used for so far."""

    text: str
    row: int
    left: str | None = None
    block: int = -1
    told: bool = False


@dataclass(frozen=True)
class _Note:
    """What the assembler remembers of a statement."""

    place: int
    block: int
    aside: bool
    display: bool
    derivative: bool = False
    equation: bool = True


class _Assembler:
    """Collects the statements of a document."""

    def __init__(self, text: str, clean: Callable[[str], str]) -> None:
        self.text = text
        self.clean = clean
        self.case: _Case | None = None
        self.breaks = [match.end() for match in re.finditer("\n", text)]
        self.statements: list[Statement] = []
        self.clause = ""
        self.block = 0
        self.row = 0
        self.last_condition = ""
        self.display = False
        self.waiting: Segment | None = None
        self.shown: int | None = None
        self.section = 0
        self.new_sentence()
        self.notes: list[_Note] = []
        self.cue = ""

    def new_sentence(self) -> None:
        """Forget what belongs to one sentence or one row; so does a case told in it, once it was used."""
        if self.case and self.case.left is not None and self.case.row == self.row:
            self.case = None
        self.row += 1
        self.told = ""
        self.last: int | None = None
        self.led = False
        self.clause = ""
        self.unused_case = 0
        self.limited = False
        self.further: str | None = None
        self.further_case: str | None = None

    def line(self, place: int) -> int:
        return bisect_right(self.breaks, place) + 1

    # words

    def take_words(self, text: str) -> None:
        if words.ends_cases(text):
            self.case = None
        if not words.LIMITS.fullmatch(text):
            self.shown = None
        if (case := self.case) and case.left is not None and not words.is_connecting(text):
            case.block = -1
        first, *rest = words.SENTENCE_END.split(text)
        self.take_clause(first)
        if rest:
            self.new_sentence()
            self.take_clause(rest[-1])

    def take_clause(self, text: str) -> None:
        self.clause = (self.clause + text + " ")[-LONGEST_CLAUSE:]
        if not LETTER.search(text):
            return
        self.section += words.begins_anew(text)
        self.tell(text)
        if words.OTHERWISE.search(text) and self.last_condition:
            self.take_condition(negated(self.last_condition), otherwise=True)
        elif (told := words.unformal_case(self.clause)) and not self.led:
            self.take_condition(told, told=True)

    def tell(self, text: str) -> None:
        """Take a comparison that is told in words: ``i equals j``, ``i and j are different``."""
        self.told = f"{self.told} {text.strip()}"[-LONGEST_CLAUSE:]
        if condition := words.told_comparison(self.told):
            self.told = ""
            self.take_condition(condition)

    def take_condition(self, text: str, *, otherwise: bool = False, told: bool = False) -> None:
        text = " ".join(text.strip(" \n\t.,;:").split())
        if text.startswith("(") and text.endswith(")"):
            text = text[1:-1].strip()
        elif text.count("(") != text.count(")"):
            text = text.strip("()").strip()
        if self.case and self.case.told and self.case.left is None:
            self.unused_case = 0
        self.last_condition = text
        last = self.shown if self.last is None else self.last
        if last is not None and not self.led:
            self.limit(last, text, otherwise=otherwise)
            self.shown = None
            return
        self.unused_case += 1
        self.case = None if self.unused_case > 1 else _Case(text, self.row, told=told)
        self.led = True

    def limit(self, place: int, text: str, *, otherwise: bool) -> None:
        """Limit a statement to the case that stands after it, or after a further value: ``1 if i = j, 0 otherwise``."""
        statement = self.statements[place]
        if self.further is not None:
            self.add_branch(place, self.further, text)
        elif self.limited and otherwise:
            self.further_case = text
        else:
            text = of_indices(text, statement.sides[0])
            both = f"{statement.condition}, {text}" if self.limited else text
            self.statements[place] = replace(statement, condition=both)
            self.limited = True

    def add_branch(self, place: int, value: str, condition: str) -> None:
        """Make the last side of a statement cases: what it holds under its condition, and a further value."""
        statement = self.statements[place]
        first = f"{statement.sides[-1]} & {statement.condition}"
        cases = rf"\begin{{cases}} {first} \\ {self.clean(tidy(value))} & {condition} \end{{cases}}"
        self.statements[place] = replace(statement, sides=(*statement.sides[:-1], cases), condition="")
        self.further = self.further_case = None
        self.limited = False

    # formulas

    def take_formula(self, piece: Piece) -> None:
        try:
            parts = [*segments(piece.text, piece.start, latex=piece.latex)]
        except UnbalancedError:
            self.add(piece.start, piece.start + len(piece.text), (), "its braces don't match", piece.latex)
            return
        for part in parts:
            self.take_segment(part, piece.latex)
        self.clause += words.HOLE + " "

    def take_segment(self, part: Segment, latex: bool) -> None:
        if part.kind == "words":
            self.take_words(part.text)
        elif part.kind == "condition" or (part.kind in ("equation", "relation") and self.is_case(part)):
            self.take_condition(part.text)
        elif part.kind in ("equation", "relation"):
            self.take_equation(part, latex)
        elif part.kind == "expression" and self.last is not None and self.limited:
            if self.further_case is not None:
                self.add_branch(self.last, part.text, self.further_case)
            else:
                self.further = part.text
        elif part.kind == "expression" and self.display:
            self.waiting = part
        elif part.kind == "expression" and len(part.text) <= LONGEST_LETTER:
            self.tell(part.text)

    def is_case(self, part: Segment) -> bool:
        """Return whether a comparison is the case of a statement, and no statement."""
        asked = words.asks_condition(self.clause) or (
            part.kind == "relation" and (self.last is not None or words.gives_condition(self.clause))
        )
        return asked and is_condition(part.text)

    def take_equation(self, part: Segment, latex: bool) -> None:
        sides, fault = equation_sides(part.text)
        case = AT.search(sides[0]) if sides else None
        if case and is_condition(case[1]):
            sides[0] = sides[0][: case.start()].strip()
        start, end = part.start + LEADING.match(part.text).end(), part.start + len(part.text)  # type: ignore[union-attr]
        if SHAPES.search(part.text):
            sides, fault = [], "it is about shapes, not about values"
        if fault and len(sides) < 2:
            self.add(start, end, (), fault, latex)
            return
        if not sides[0] and self.waiting is not None:
            sides[0] = equation_sides(self.waiting.text)[0][0]
        self.waiting = None
        if not all(sides[1:]):
            self.add(start, end, (), "one side of an equals sign is empty", latex)
            return
        self.add(start, end, tuple(map(self.clean, sides)), "", latex, defines=bool(DEFINES.search(part.text)))
        if case and is_condition(case[1]):
            self.limit(len(self.statements) - 1, case[1], otherwise=False)
        if fault:
            self.add(start, end, (), fault, latex)

    def add(self, start: int, end: int, sides: tuple[str, ...], fault: str, latex: bool, defines: bool = False) -> None:
        line = self.line(start + LEADING.match(self.text[start:end]).end())  # type: ignore[union-attr]
        source = self.source(start, end)
        statement = Statement(line, source, sides, skipped=fault, latex=latex, section=self.section)
        if sides:
            statement = self.with_words(statement, defines)
        self.statements.append(statement)
        if sides:
            self.last = len(self.statements) - 1
        self.limited, self.further, self.further_case = False, None, None
        self.clause = ""

    def source(self, start: int, end: int) -> str:
        """Return what was typed, with the decoration that stands before the first sign of the formula."""
        typed = self.text[start:end]
        opening = DECORATION.search(self.text[max(0, start - LONGEST_DECORATION) : start])
        typed = ENVIRONMENT.sub(" ", (opening[0] if opening else "") + typed)
        return " ".join(re.sub(r"\\\\|(?<!\\)&(?!amp;)", " ", typed).split())

    def with_words(self, statement: Statement, defines: bool) -> Statement:
        """Return the statement with its cue, its condition, and the statement that it continues."""
        if not statement.sides[0]:
            before = self.predecessor()
            condition = self.statements[before].condition if before is not None else ""
            self.notes.append(_Note(len(self.statements), self.block, False, self.display, equation=False))
            return replace(statement, condition=condition, continues=before)
        cue = "define" if defines else words.cue_of(self.clause)
        if not cue and self.last is not None and words.is_list(self.clause):
            cue = self.cue
        self.cue = cue
        if cue == "define" and OPERATION.match(statement.sides[0]):
            cue = "assume"
        derivative = bool(DERIVATIVE.match(statement.sides[0]))
        self.notes.append(_Note(len(self.statements), self.block, bool(cue), self.display, derivative))
        if derivative and not words.ASSUME_ANYWHERE.search(self.clause):
            cue = ""
        return replace(statement, cue=cue, condition=self.condition_of(statement))

    def predecessor(self) -> int | None:
        """Return the place of the statement that a row without a left side continues: remarks are passed over."""
        if not self.notes:
            return None
        last = self.notes[-1]
        if not self.is_aside(last):
            return last.place
        for note in reversed(self.notes):
            if last.display and note.block != last.block:
                break
            if note.display and not self.is_aside(note):
                return note.place
        return last.place

    def is_aside(self, note: "_Note") -> bool:
        """Return whether a statement is a remark: ``note that ...``, or a case of something that is no derivative."""
        return note.aside or (not note.derivative and bool(self.statements[note.place].condition) and note.equation)

    def condition_of(self, statement: Statement) -> str:
        """Return the case that a statement with a left side belongs to."""
        case = self.case
        if case is None or (not self.display and ABBREVIATES.search(self.clause)):
            return ""  # an abbreviation on the way to the formula that the case of i = j belongs to
        if case.left is None:
            case.left, case.block = statement.sides[0], self.block
            self.unused_case = 0
            return of_indices(case.text, statement.sides[0])
        if BOTH_CASES.search(statement.sides[-1]):
            self.case = None
            return ""
        if case.block == self.block or case.left == statement.sides[0]:
            return of_indices(case.text, statement.sides[0])
        self.case = None
        return ""

    # marks between

    def begin_display(self) -> None:
        self.row += 1
        self.block += 1
        self.waiting = None
        self.shown = self.last = None
        self.led = False

    def end_display(self) -> None:
        self.begin_display()
        self.shown = self.notes[-1].place if self.notes and self.notes[-1].block == self.block - 1 else None

    def end_paragraph(self) -> None:
        """A blank line ends a sentence, but not what was said before a display: ``where``, ``If k = y_i,``."""
        self.begin_display()
        self.unused_case = 0


def assembled(pieces: Iterable[Piece], text: str, clean: Callable[[str], str] = str) -> list[Statement]:
    """Return the statements of a document; `clean` is applied to each side."""
    assembler = _Assembler(text, clean)
    for piece in with_equals(pieces):
        if piece.kind == "words":
            assembler.take_words(piece.text)
        elif piece.kind in ("formula", "row"):
            assembler.display = piece.kind == "row"
            assembler.take_formula(piece)
            if piece.kind == "row":
                assembler.new_sentence()
        elif piece.kind == "line":
            assembler.new_sentence()
        elif piece.kind == "code":
            assembler.statements.append(
                Statement(assembler.line(piece.start), piece.text, code=True, section=assembler.section)
            )
        elif piece.kind == "skipped":
            reason = "a function or a loop of a program"
            assembler.statements.append(Statement(assembler.line(piece.start), piece.text, skipped=reason))
        elif piece.kind == "heading":
            assembler.section += 1
            assembler.case = None
            assembler.new_sentence()
        elif piece.kind == "long":
            assembler.add(
                piece.start, piece.start + len(piece.text), (), f"it has more than {LONGEST:,} characters", True
            )
        else:
            {"display": assembler.begin_display, "shown": assembler.end_display, "block": assembler.end_paragraph}[
                piece.kind
            ]()
    return assembler.statements
