"""What the names of a learner's program stand for, unit by unit, and what may be written with them.

Everything here comes from what was observed while the program ran: shapes, and the arrays of the exact pass.
"""

import ast
from collections import defaultdict
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from types import FunctionType

import numpy as np

from ..exact_pass import Pass
from ..learners_activations import DERIVATIVES
from .changes import Scope
from .observed import Observed
from .recognise import Recognised
from .source import Statement, Unit

__all__ = ["KnownNames", "Rank"]

MOST_OPERANDS = 40
PENALTY_NAMES = ("reg", "l2", "lam", "lambd", "lambda_", "lmbda", "decay", "weight_decay", "alpha", "beta", "wd")


class Rank:
    """How suspect a statement is: its array is unknown, or has an odd factor, or is an unknown number, or is right."""

    UNKNOWN, ODD, NUMBER, UNSEEN, RIGHT = range(5)


@dataclass
class KnownNames:
    """The observations of a program's run, by statement and by name.

    `meanings` has for each unit what each name was recognized as when it was last seen, `ever` at any time, `shapes`
    its shape.
    """

    seen: Sequence[Observed]
    units: Sequence[Unit]
    p: Pass
    columns: bool
    by_statement: dict[Statement, list[Observed]] = field(default_factory=lambda: defaultdict(list))
    first_seen: dict[Statement, int] = field(default_factory=dict)
    meanings: dict[Unit, dict[str, Recognised]] = field(default_factory=lambda: defaultdict(dict))
    ever: dict[Unit, dict[str, set[str]]] = field(default_factory=lambda: defaultdict(lambda: defaultdict(set)))
    shapes: dict[Unit, dict[str, tuple[int, ...]]] = field(default_factory=lambda: defaultdict(dict))

    def __post_init__(self) -> None:
        by_size = sorted(self.units, key=lambda unit: unit.last_line - unit.first_line)
        statements = {
            (unit, statement.line, statement.column): statement for unit in self.units for statement in unit.statements
        }
        for position, one in enumerate(self.seen):
            event = one.event
            unit = next((unit for unit in by_size if unit.first_line <= event.line <= unit.last_line), None)
            if unit is None:
                continue
            self.shapes[unit][event.path] = event.array.shape
            meant = one.recognised or one.becomes
            if meant is not None:
                self.meanings[unit][event.path] = meant
                self.ever[unit][event.path].add(meant.name)
            if event.statement is None:
                continue
            node = event.statement.node
            statement = statements.get((unit, node.lineno, node.col_offset))
            if statement is not None:
                self.by_statement[statement].append(one)
                self.first_seen.setdefault(statement, position)

    @cached_property
    def own_names(self) -> set[str]:
        """The names by which the program calls its own functions and methods."""
        functions = {unit.function for unit in self.units}
        scope = self.units[0].function.__globals__
        found = {unit.function.__name__ for unit in self.units}
        return found | {name for name, value in scope.items() if isinstance(value, FunctionType) and value in functions}

    def shape_of(self, statement: Statement) -> tuple[int, ...] | None:
        """The shape of what a statement makes; None if it makes nothing, or several things."""
        shapes = {one.event.array.shape for one in self.by_statement.get(statement, ())}
        return shapes.pop() if len(shapes) == 1 else None

    def rank(self, statement: Statement) -> int:
        """How suspect a statement is, see `Rank`; of an array that is filled bit by bit, the last state counts."""
        last = {(one.event.call, one.event.path): one for one in self.by_statement.get(statement, ())}
        ranks = [_rank(one) for one in last.values()]
        rank = min((rank for rank in ranks if rank != Rank.UNSEEN), default=Rank.UNSEEN)
        summed = rank == Rank.NUMBER and isinstance(statement.node, ast.AugAssign)  # a sum that is not complete
        return Rank.UNSEEN if summed else rank

    def named(self, unit: Unit, name: str) -> list[tuple[str, Recognised]]:
        """The learner's names of an array of the pass, with any factor, the whole array before a row of it."""
        found = [(text, r) for text, r in self.meanings[unit].items() if r.name == name and text != "return"]
        return sorted(found, key=lambda pair: (pair[1].kind != "array", not pair[1].factor.is_one))

    def read_by(self, statement: Statement) -> Iterator[tuple[str, str, int]]:
        """What the names that a statement reads stand for: the name, the array, the line where the name got it."""
        at = self.first_seen.get(statement, len(self.seen))
        told: set[str] = set()
        for node in ast.walk(statement.node):
            if not isinstance(node, ast.Name | ast.Attribute | ast.Subscript):
                continue
            text = statement.unit.text(node)
            if text in told or not isinstance(node.ctx, ast.Load):
                continue
            for one in reversed(self.seen[:at]):
                unit = statement.unit
                if one.event.path == text and unit.first_line <= one.event.line <= unit.last_line:
                    r = one.recognised
                    if r is not None and r.kind in ("array", "row"):
                        told.add(text)
                        of = " of one sample" if r.kind == "row" else ""
                        yield text, r.told(self.p.n) + of, one.event.line
                    break

    def scope(self, unit: Unit) -> Scope:
        """What may be written into a unit."""
        texts = self._texts(unit)
        meanings, shapes = self.meanings[unit], self.shapes[unit]
        rows = [text for text, r in meanings.items() if r.name == "n" and r.kind == "constant"]
        rows += [text for text in self._counts(unit) if text not in rows]
        if not rows:
            arrays = [text for name in ("X", "Y", "y", "P") for text, r in self.named(unit, name) if r.kind == "array"]
            rows = [f"{text}.shape[{int(self.columns and len(shapes.get(text, ())) > 1)}]" for text in arrays[:1]]
        numpy = next((name for name, value in unit.function.__globals__.items() if value is np), "np")
        weights = [
            text for text, r in meanings.items() if r.name[0] == "W" and r.name[1:].isdigit() and r.factor.is_one
        ]
        biases = [text for text, r in meanings.items() if r.name[0] == "b" and r.name[1:].isdigit() and r.factor.is_one]
        return Scope(
            operands=tuple(texts),
            shapes=dict(shapes),
            rows=tuple(rows)[:3],
            slopes=tuple(self._slopes(unit, texts)),
            sloping=tuple(self._sloping(unit)),
            penalties=tuple(self._penalties(texts, weights, biases)),
            biases=tuple(biases),
            numpy=numpy,
            columns=self.columns,
        )

    def _texts(self, unit: Unit) -> list[str]:
        """The array expressions that occur in a unit, as they are written."""
        modules = {name for name, value in unit.function.__globals__.items() if type(value).__name__ == "module"}
        called = {id(node.func) for node in ast.walk(unit.tree) if isinstance(node, ast.Call)}
        inner = {id(node.value) for node in ast.walk(unit.tree) if isinstance(node, ast.Attribute) and node.attr != "T"}
        texts: dict[str, None] = {}
        own = self.own_names
        for node in ast.walk(unit.tree):
            call = isinstance(node, ast.Call) and isinstance(node.func, ast.Name) and node.func.id in own
            if id(node) in called or id(node) in inner:
                continue
            if not isinstance(node, ast.Name | ast.Attribute | ast.Subscript) and not call:
                continue
            text = unit.text(node)
            if len(text) > 40 or "\n" in text or ":" in text or text.split(".")[0] in modules:
                continue
            if isinstance(node, ast.Attribute) and node.attr in ("T", "shape", "size", "ndim", "copy"):
                continue
            if ".shape" in text or text in unit.function.__globals__:
                continue
            texts[text] = None
        found = [path for path in self.meanings[unit] if not path.startswith("return") and path not in texts]
        return [*texts, *found][:MOST_OPERANDS]

    def _counts(self, unit: Unit) -> list[str]:
        """Expressions that count rows: ``len(X)``, ``X.shape[0]``."""
        found: dict[str, None] = {}
        for node in ast.walk(unit.tree):
            if isinstance(node, ast.Call | ast.Subscript):
                text = unit.text(node)
                if (text.startswith("len(") or text.endswith((".shape[0]", ".shape[1]"))) and len(text) < 30:
                    found[text] = None
        return [*found]

    def _slopes(self, unit: Unit, texts: Sequence[str]) -> list[tuple[str, tuple[int, ...] | None]]:
        layers = self.p.architecture.activations
        found: dict[str, tuple[int, ...] | None] = {}
        for text in texts:
            named = self.ever[unit].get(text, set())
            layered = {int(name[1:]) for name in named if name[0] in "AZ" and name[1:].isdigit()}
            unknown = not named and ("[" in text or "(" in text or text in self.shapes[unit])
            if not (layered or "P" in named or unknown):
                continue
            known = [layers[layer - 1] for layer in sorted(layered) if layer <= len(layers)]
            for f in dict.fromkeys(known or [*layers, self.p.architecture.output]):
                if f in DERIVATIVES and f != "identity":
                    found[DERIVATIVES[f].format(A=text, Z=text)] = self.shapes[unit].get(text)
        return [*found.items()]

    def _sloping(self, unit: Unit) -> Iterator[tuple[str, str]]:
        """The names of A and Z of the hidden layers with the form of their derivative."""
        layers = self.p.architecture.activations
        for text, r in self.meanings[unit].items():
            layer = int(r.name[1:]) if r.name[0] in "AZ" and r.name[1:].isdigit() else 0
            if 0 < layer <= len(layers) and layers[layer - 1] in DERIVATIVES:
                yield text, DERIVATIVES[layers[layer - 1]]

    def _penalties(self, texts: Sequence[str], weights: Sequence[str], biases: Sequence[str]) -> list[str]:
        named = [text for text in texts if text.rpartition(".")[2].lower() in PENALTY_NAMES]
        found = []
        for l2, parameters in ((self.p.l2, weights), (self.p.l2_bias, biases)):
            if l2:
                found += [f"{c} * {v}" for c in (*named, *(f"2 * {c}" for c in named), f"{l2:.4g}") for v in parameters]
        return found


def _rank(one: Observed) -> int:
    event, recognised = one.event, one.recognised or one.becomes
    if recognised is None:
        whole = event.array.dtype.kind != "f" or event.array.size == 0
        return Rank.UNSEEN if whole else Rank.NUMBER if event.array.ndim == 0 else Rank.UNKNOWN
    if recognised.factor.is_one:
        return Rank.RIGHT
    plain = recognised.factor.power in (1, -1) and abs(recognised.factor.multiple - 1) < 1e-6
    return Rank.RIGHT if plain and recognised.name[:2] in ("dZ", "dP", "dA") else Rank.ODD
