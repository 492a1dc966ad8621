"""The chain rule, from the result down to the array with respect to which it is differentiated.

Each local derivative is multiplied by the derivative of the result so far, and summed; every line comes with its rule.
"""

from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from functools import partial

from .cells import apart, shown
from .differentiate import derivative
from .expression import (
    ONE,
    Assumption,
    Definition,
    Expr,
    Mul,
    Program,
    Sum,
    Tensor,
    map_children,
    names,
    product_of,
    sum_of,
)
from .indices import free_indices, ones, rename
from .limits import TooManyTermsError
from .printing import sum_sign
from .simplifying import Simplifier, combine, expand, fold, key, named_sigmoids, namings, size, unnamed_softmax, weight
from .steps import Claim, DerivationStep, Steps

__all__ = ["Chain"]

MOST_NAMES = 6
"""Maximum number of names that are used to make a result shorter."""


@dataclass
class Chain:
    """One walk down the chain rule, which adds to `steps` as it goes."""

    program: Program
    assumptions: tuple[Assumption, ...] = ()
    # Arrays whose derivative gets a name, dV for V: the recursion of backpropagation instead of one long product.
    keep: frozenset[str] = frozenset()
    steps: Steps = field(default_factory=Steps)
    named: list[Definition] = field(default_factory=list)  # parts that were given a name during the derivation
    _seen: dict[str, str] = field(default_factory=dict)

    def __post_init__(self) -> None:
        self.fixed = self.program.fixed()
        self.simplifier = Simplifier(self.program, self.assumptions)

    def define(self, definition: Definition) -> None:
        """Add an equation to the program, after the equations of the parts that were given a name."""
        known = self.program.definitions
        new = (*(d for d in self.named if d not in known), definition)
        self.program = replace(self.program, definitions=(*known, *new))
        used, self.simplifier = self.simplifier.used, Simplifier(self.program, self.assumptions)
        self.simplifier.used |= used

    def gradient(self, of: str, label: str, name: str, at: tuple[str, ...]) -> Expr:
        """Return d of / d name_at in its short form, over the letters of `of` and then `at`; `name` is taken as given.

        `label` is the name of `of` in the lines: ``L``, or ``(dL/dz_i)`` for a gradient that is differentiated again.
        """
        top = self._definition(of)
        path = self._path(of, name)
        short: dict[str, tuple[tuple[str, ...], Expr]] = {}
        for target in [*(d.name for d in path[1:]), name]:
            wanted = at if target == name else apart(self._definition(target).indices, {*top.indices, *self.fixed})
            users = [d for d in path if target in names(d.value) and (d.name == of or d.name in short)]
            claim = Claim(self.program, (of, top.indices), (target, wanted))
            parts = [self._through(user, short.get(user.name), label, claim, len(users) == 1) for user in users]
            result = sum_of(parts)
            if len(parts) > 1:
                self.steps.append(claim.step(_left(label, claim), result, "the contributions of all paths, added up"))
            if len(parts) != 1 or users[0].name != of:
                result = self._simplify(claim.step(_left(label, claim), result, ""))
            short[target] = (wanted, self._kept(target, claim.axes, result))
        return short[name][1]

    def _kept(self, target: str, axes: tuple[str, ...], e: Expr) -> Expr:
        """Give a derivative its name, if it is one of those to be kept."""
        if target not in self.keep:
            return e
        e = self.recognise(e)
        self.named.append(Definition(f"d{target}", axes, e))
        return Tensor(f"d{target}", axes)

    def recognise(self, e: Expr) -> Expr:
        """Write a result with the names that equations give to its parts, where that is shorter."""
        last = self.steps[-1]
        try:
            terms = combine(expand(e))
        except TooManyTermsError:
            return e
        sigmoid = named_sigmoids(terms)
        if sigmoid != terms:
            terms, e = sigmoid, self.simplifier.collected(sigmoid)
            self._go_on(last, e, "exp(a)/(1 + exp(a)) is sigmoid(a)")
        scalar = not free_indices(e)  # that of exp(x) is exp(x) rather than "the result"
        definitions = [d for d in self.program.definitions if "/" not in d.name]
        definitions = [d for d in definitions if not (scalar and d.name == last.cells[0][0])]
        rest = terms
        for definition in definitions:  # a softmax that an equation names needs no name
            rest = combine(fold(rest, definition))
        softmax = unnamed_softmax(rest, {n for d in definitions for n in (d.name, *names(d.value))})
        if softmax is not None and combine(fold(terms, softmax)) != terms:
            self.named.append(softmax)
            definitions.append(softmax)
        for definition in definitions:
            folded = combine(fold(terms, definition))
            shorter = self.simplifier.collected(folded)
            if folded != terms and size(shorter) < size(e) and weight(shorter) <= weight(e):
                terms, e = folded, shorter
                rule = f"recognized {definition.name}"
                if definition is softmax:
                    rule = f"{definition.name} is the softmax"
                self._go_on(last, shorter, rule)
        return e if self.keep else self._named(e, definitions)

    def _named(self, e: Expr, definitions: Sequence[Definition]) -> Expr:
        """Use the names of equations as long as that leaves less to read, the most effective name first."""
        last = self.steps[-1]
        usable = [d for d in definitions if not (d.name == last.cells[0][0] and _is_plain(d.value))]
        for _ in range(MOST_NAMES):
            best, rule, assumed = e, "", set[Assumption]()
            for definition in usable:
                for candidate in namings(e, definition):
                    short, used = self.simplifier.attempt(partial(self.simplifier.short, candidate))
                    if short is not None and weight(short) < weight(best):
                        best, rule, assumed = short, f"recognized {definition.name}", used
            if best == e:
                break
            e = best
            self.simplifier.used |= assumed
            self._go_on(last, e, rule)
        return e

    def times(self, e: Expr, v: str, claim: Claim) -> Expr:
        """Multiply a derivative by an array and sum over its last letters: a Hessian-vector product."""
        at = claim.lower[1]
        total = f"{sum_sign(at)} " if at else ""
        left = f"{total}{self.steps[-1].left} {shown(v, at)}"
        product = Sum(at, Mul((e, Tensor(v, at))))
        axes = claim.axes[: len(claim.axes) - len(at)]
        start = DerivationStep(left, product, f"multiplied by {v} and summed", axes, (claim.upper, claim.lower))
        self.steps.append(start)
        return self._simplify(start)

    def _through(
        self, user: Definition, above: tuple[tuple[str, ...], Expr] | None, label: str, claim: Claim, alone: bool
    ) -> Expr:
        """Return the part of a derivative through one equation; `above` is the derivative by the equation's array."""
        top = user.name == claim.upper[0]
        inner = user.indices if top else apart(user.indices, {*claim.axes, *self.fixed})
        value = rename(user.value, dict(zip(user.indices, inner, strict=True)))
        own = Definition(user.name, inner, value)
        local_claim = Claim(replace(self.program, definitions=(own,)), (user.name, inner), claim.lower)
        left = _left(label if top else "", local_claim) + (" directly" if top and not alone else "")
        local = self._local(own, left, local_claim, top and not inner)
        if above is None:
            return local
        letters, outer = above
        outer = rename(outer, dict(zip(letters, inner, strict=True)))
        factors: list[Expr] = [f for f in (outer, local) if f != ONE] or [ONE]
        factors += [ones(user.name, position, letter) for position, letter in enumerate(inner)]
        whole = Sum(inner, product_of(factors)) if inner else product_of(factors)
        if alone:
            over = f", summed over {', '.join(inner)}" if inner else ""
            self.steps.append(claim.step(_left(label, claim), whole, f"chain rule through {user.name}{over}"))
        return whole

    def _local(self, own: Definition, left: str, claim: Claim, scalar: bool) -> Expr:
        """Derive one equation by one of its arrays; what was derived for an equation of the same form is used again."""
        target, wanted = claim.lower
        rules: list[str] = []
        raw = derivative(own.value, target, wanted, rules)
        shape = key(_anonymous(own.value, [own.name, target])) + str((own.indices, wanted))
        before = len(self.steps)
        start = claim.step(left, raw, "; ".join(rules))
        self.steps.append(start)
        local = self._simplify(start, None if scalar or "/" in own.name else own)
        if self.keep and shape in self._seen:
            self.steps[before:] = [claim.step(left, local, f"as {self._seen[shape]} above")]
        self._seen.setdefault(shape, left)
        return local

    def _simplify(self, start: DerivationStep, known: Definition | None = None) -> Expr:
        """Bring a line to its short form, and add a line for each rule that changes it."""
        lines = self.simplifier.lines(start.expression, known)
        for e, rule in lines:
            last = self.steps[-1] if self.steps else None
            if last is None or last.left != start.left or key(last.expression) != key(e):
                self._go_on(start, e, rule)
        return lines[-1][0]

    def _go_on(self, line: DerivationStep, e: Expr, rule: str) -> None:
        self.steps.append(replace(line, expression=e, rule=rule))

    def _definition(self, name: str) -> Definition:
        found = self.program.defined(name)
        if found is None:
            raise KeyError(name)
        return found

    def _path(self, of: str, name: str) -> list[Definition]:
        """Return the equations between `of` and `name`, in the order of the chain rule."""
        depends = {name: True}
        for d in self.program.definitions:
            if d.name != name:
                depends[d.name] = any(depends.get(n, False) for n in names(d.value))
        needed, path = {of}, []
        for d in reversed(self.program.definitions):
            if d.name in needed and d.name != name and (depends[d.name] or d.name == of):
                path.append(d)
                needed |= names(d.value)
        return path


def _left(label: str, claim: Claim) -> str:
    """Write the left side of lines; a label in brackets, for a derivative differentiated again, is used as it is."""
    upper = label if label.startswith("(") else shown(*claim.upper)
    return f"d{upper}/d{shown(*claim.lower)}"


def _is_plain(e: Expr) -> bool:
    """Whether an expression is a sum of a product of arrays: a loss made up to pull a derivative back."""
    factors = e.body.factors if isinstance(e, Sum) and isinstance(e.body, Mul) else ()
    return bool(factors) and all(isinstance(f, Tensor) for f in factors)


def _anonymous(e: Expr, known: list[str]) -> Expr:
    """Number the arrays of an expression by their order, so that equations of the same form are the same."""
    if isinstance(e, Tensor):
        if e.name not in known:
            known.append(e.name)
        return Tensor(f"#{known.index(e.name)}", e.indices)
    return map_children(e, lambda child: _anonymous(child, known))
