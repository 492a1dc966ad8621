"""The chain rule, walked from the result down to what it is differentiated by.

For each equation on the way: its local derivative, then the derivative of the result by what stands above, multiplied
in and summed. Each with the lines that bring it to its short form, and the rule that made each line. Nothing is
proved here; that is `proof`'s work, on the lines alone.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field

from .brackets import Brackets
from .collect import Taste, collect, size
from .differentiate import derivative
from .draw import tie_program
from .expression import (
    ONE,
    ZERO,
    Add,
    Definition,
    Expr,
    Mul,
    Program,
    Sum,
    Tensor,
    for_reading,
    free_indices,
    fresh,
    is_ones,
    map_children,
    names,
    ones,
    rename,
    walk,
)
from .limits import TooManyTermsError
from .printing import text
from .recognise import Assumption, assume, cancel_sums, fold, named_sigmoids, sums_of, unnamed_softmax
from .shorten import namings, weight
from .term import Term, from_terms
from .terms import combine, expand, key

__all__ = ["Chain", "Claim", "Line", "apart", "letters_for", "shown"]

Cell = tuple[str, tuple[str, ...]]
MOST_NAMES = 6
"""As often a result is made shorter by a name."""
Stage = tuple[Callable[[list[Term]], list[Term]], str]


@dataclass(frozen=True)
class Claim:
    """What lines with the same left side are all equal to: the derivative of one array by another, in a program.

    Attributes
    ----------
    program : Program
        What stands between them. The lower array is taken as given, even if the program defines it.
    upper, lower : (name, letters)
        ``dL/dz_j`` is (("L", ()), ("z", ("j",))).
    """

    program: Program
    upper: Cell
    lower: Cell

    @property
    def axes(self) -> tuple[str, ...]:
        """The letters of the result."""
        return (*self.upper[1], *self.lower[1])


@dataclass
class Line:
    """One line of a derivation: ``left = expression``, and the rule that made it from the line before.

    Attributes
    ----------
    left : str
        What is derived. Lines with the same left side, one after another, are equal.
    expression : Expr
    rule : str
    axes : tuple of str
        The letters of the left side.
    cells : tuple of (name, letters)
        Arrays whose shape gives the sizes of those letters.
    claim : Claim or None
        What the line can be measured against.
    error : float
        Largest relative difference from the line before, and from the claim; NaN before the proof.
    """

    left: str
    expression: Expr
    rule: str
    axes: tuple[str, ...]
    cells: tuple[Cell, ...]
    claim: Claim | None = None
    error: float = float("nan")

    def __str__(self) -> str:
        return f"{self.left} = {text(for_reading(self.expression))}"


def shown(name: str, letters: Sequence[str]) -> str:
    """Write an array at its letters: ``z_i``, ``W_jk``, ``L``."""
    if not letters:
        return name
    plain = all(len(letter) == 1 for letter in letters)
    return f"{name}_{''.join(letters)}" if plain else f"{name}[{', '.join(letters)}]"


@dataclass
class Chain:
    """One walk down the chain rule; `lines` grow as it goes.

    Attributes
    ----------
    program : Program
    assumptions : tuple of (left, right)
    lines : list of Line
    named : list of Definition
        What was given a name on the way.
    keep : frozenset of str
        Arrays whose derivative gets a name, dV for V, under which it stands in all lines below: the recursion of
        backpropagation in place of one long product.
    """

    program: Program
    assumptions: tuple[Assumption, ...] = ()
    lines: list[Line] = field(default_factory=list)
    named: list[Definition] = field(default_factory=list)
    keep: frozenset[str] = frozenset()
    _seen: dict[str, str] = field(default_factory=dict)
    _known_facts: dict[Program, list[tuple[Assumption, str]]] = field(default_factory=dict)

    def gradient(self, of: str, label: str, name: str, at: tuple[str, ...]) -> Expr:
        """Return d of / d name_at in its short form, over the letters of `of` and then `at`.

        Parameters
        ----------
        of : str
            A name that the program defines.
        label : str
            How lines call it: ``L``, or ``(dL/dz_i)`` for a gradient that is differentiated again.
        name : str
            What it is differentiated by; an input, or an equation whose array is then taken as given.
        at : tuple of str
            The letters of the cell.

        Returns
        -------
        Expr
        """
        top = self._definition(of)
        path = self._path(of, name)
        short: dict[str, tuple[tuple[str, ...], Expr]] = {}
        for target in [*(d.name for d in path[1:]), name]:
            wanted = at if target == name else apart(self._definition(target).indices, set(top.indices))
            users = [d for d in path if target in names(d.value) and (d.name == of or d.name in short)]
            claim = Claim(self.program, (of, top.indices), (target, wanted))
            parts = [self._through(user, of, label, claim, short, len(users) > 1) for user in users]
            if len(users) == 1 and users[0].name == of:
                short[target] = (wanted, self._kept(target, claim.axes, parts[0]))
                continue
            if len(parts) > 1:
                self._add(self._left(label, claim), Add(tuple(parts)), "the ways add up", claim)
            start = Add(tuple(parts)) if len(parts) > 1 else parts[0] if parts else ZERO
            result = self._simplify(self._left(label, claim), start, None, claim)
            short[target] = (wanted, self._kept(target, claim.axes, result))
        return short[name][1]

    def _kept(self, target: str, axes: tuple[str, ...], e: Expr) -> Expr:
        """Give a derivative its name, if it is to have one."""
        if target not in self.keep:
            return e
        self.named.append(Definition(f"d{target}", axes, e))
        return Tensor(f"d{target}", axes)

    def recognise(self, e: Expr) -> Expr:
        """Write a result with the names that equations give to its parts, where that is shorter."""
        last = self.lines[-1]
        try:
            terms = combine(expand(e))
        except TooManyTermsError:
            return e
        sigmoid = named_sigmoids(terms)
        if sigmoid != terms:
            terms, e = sigmoid, collect(sigmoid, self._taste())
            self.lines.append(
                Line(last.left, e, "exp(a)/(1 + exp(a)) is sigmoid(a)", last.axes, last.cells, last.claim)
            )
        scalar = not free_indices(e)  # that of exp(x) is exp(x) rather than "the result"
        definitions = [d for d in self.program.definitions if not (scalar and d.name == last.cells[0][0])]
        softmax = unnamed_softmax(terms, {n for d in definitions for n in (d.name, *names(d.value))})
        if softmax is not None and combine(fold(terms, softmax)) != terms:
            self.named.append(softmax)
            definitions.append(softmax)
        for definition in definitions:
            folded = combine(fold(terms, definition))
            shorter = collect(folded, self._taste())
            if folded != terms and size(shorter) < size(e) and weight(shorter) <= weight(e):
                terms, e = folded, shorter
                rule = f"recognised {definition.name}"
                if definition is softmax:
                    rule = f"{definition.name} is the softmax"
                self.lines.append(Line(last.left, shorter, rule, last.axes, last.cells, last.claim))
        return e if self.keep else self._named(e, definitions)

    def _named(self, e: Expr, definitions: Sequence[Definition]) -> Expr:
        """Use the names of equations wherever that leaves less to read, the best first."""
        last = self.lines[-1]
        usable = [
            d for d in definitions if "/" not in d.name and not (d.name == last.cells[0][0] and _is_plain(d.value))
        ]
        stages = self._stages(None)
        for _ in range(MOST_NAMES):
            best, rule = e, ""
            for definition in usable:
                for candidate in namings(e, definition):
                    short = self._short(candidate, stages)
                    if weight(short) < weight(best):
                        best, rule = short, f"recognised {definition.name}"
            if best == e:
                break
            e = best
            self.lines.append(Line(last.left, e, rule, last.axes, last.cells, last.claim))
        return e

    def _short(self, e: Expr, stages: Sequence[Stage]) -> Expr:
        """Return the shorter of the two forms, with brackets opened and with brackets kept."""
        terms = self._one_name_for_ones(combine(expand(e)))
        for stage, _ in stages:
            terms = stage(terms)
        opened, whole = collect(terms, self._taste()), self._with_brackets(e, stages)
        return opened if whole is None or weight(opened) <= weight(whole) else whole

    def forms(self, e: Expr) -> list[Expr]:
        """Return other ways to write a result: multiplied out, and with common factors taken out of that."""
        try:
            terms = combine(expand(e))
        except TooManyTermsError:
            return []
        return [from_terms(terms), collect(terms, self._taste())]

    def times(self, left: str, e: Expr, at: tuple[str, ...], v: str, claim: Claim) -> Expr:
        """Multiply a derivative by an array and sum over its last letters: a Hessian-vector product."""
        axes = claim.axes[: len(claim.axes) - len(at)]
        start = Sum(at, Mul((e, Tensor(v, at))))
        cells = (claim.upper, claim.lower)
        self.lines.append(Line(left, start, f"multiplied by {v} and summed", axes, cells))
        return self._simplify(left, start, None, None, axes, cells)

    def _through(
        self,
        user: Definition,
        of: str,
        label: str,
        claim: Claim,
        short: dict[str, tuple[tuple[str, ...], Expr]],
        one_of_many: bool,
    ) -> Expr:
        """Return the part of d of / d target that comes through one equation."""
        target, wanted = claim.lower
        top = user.name == of
        inner = user.indices if top else apart(user.indices, set(claim.axes))
        value = rename(user.value, dict(zip(user.indices, inner, strict=True)))
        own = Definition(user.name, inner, value)
        local_claim = Claim(Program((own,), self.program.labels), (user.name, inner), claim.lower)
        left = f"d{label if top else shown(user.name, inner)}/d{shown(target, wanted)}"
        if top and not label.startswith("("):
            left = f"d{shown(of, inner)}/d{shown(target, wanted)}"
        if top and one_of_many:
            left += " directly"
        local = self._local(own, left, local_claim, top and not inner)
        if top:
            return local
        upper_at, upper = short[user.name]
        above = rename(upper, dict(zip(upper_at, inner, strict=True)))
        factors = tuple(f for f in (above, local) if f != ONE) or (ONE,)
        factors += tuple(ones(user.name, position, letter) for position, letter in enumerate(inner))
        product: Expr = Mul(factors) if len(factors) > 1 else factors[0]
        whole = Sum(inner, product) if inner else product
        over = f", summed over {', '.join(inner)}" if inner else ""
        if not one_of_many:
            self._add(self._left(label, claim), whole, f"chain rule through {user.name}{over}", claim)
        return whole

    def _local(self, own: Definition, left: str, claim: Claim, scalar: bool) -> Expr:
        """Derive one equation by one of its arrays; a rule that another layer has shown is used, not derived again."""
        target, wanted = claim.lower
        rules: list[str] = []
        raw = derivative(own.value, target, wanted, rules)
        shape = key(_anonymous(own.value, [own.name, target])) + str((own.indices, wanted))
        start = len(self.lines)
        self._add(left, raw, ", ".join(rules), claim)
        local = self._simplify(left, raw, None if scalar else own, claim)
        if self.keep and shape in self._seen:
            del self.lines[start:]
            self._add(left, local, f"as {self._seen[shape]} above", claim)
        self._seen.setdefault(shape, left)
        return local

    def _left(self, label: str, claim: Claim) -> str:
        upper = label if label.startswith("(") else shown(*claim.upper)
        return f"d{upper}/d{shown(*claim.lower)}"

    def _simplify(
        self,
        left: str,
        start: Expr,
        known: Definition | None,
        claim: Claim | None,
        axes: tuple[str, ...] | None = None,
        cells: tuple[Cell, ...] = (),
    ) -> Expr:
        """Bring an expression to its short form, a line for each rule that changes it."""

        def note(expression: Expr, rule: str) -> None:
            last = self.lines[-1] if self.lines else None
            if last is None or last.left != left or key(last.expression) != key(expression):
                self._add(left, expression, rule, claim, axes, cells)

        opened = len(self.lines)
        stages = self._stages(known)
        try:
            result: Expr | None = self._opened(start, stages, note)
        except TooManyTermsError:
            result = None
            del self.lines[opened:]
        whole = self._with_brackets(start, stages)
        if result is None and whole is None:
            raise TooManyTermsError
        if whole is not None and (result is None or weight(whole) < weight(result)):
            del self.lines[opened:]
            note(whole, "deltas contracted, brackets kept")
            return whole
        return result if result is not None else start

    def _opened(self, start: Expr, stages: Sequence[Stage], note: Callable[[Expr, str], None]) -> Expr:
        """Multiply out, use what is known, and take common factors out again."""
        terms = self._one_name_for_ones(combine(expand(start)))
        note(from_terms(terms), "multiplied out, deltas contracted")
        for stage, rule in stages:
            changed = stage(terms)
            if changed != terms:
                terms = changed
                note(from_terms(terms), rule)
        result = collect(terms, self._taste())
        if size(result) > size(from_terms(terms)):
            return from_terms(terms)
        note(result, "common factors taken out")
        return result

    def _with_brackets(self, start: Expr, stages: Sequence[Stage]) -> Expr | None:
        """Return the short form that is found without opening brackets, if there are any."""
        brackets = Brackets()
        terms = self._one_name_for_ones(combine(expand(brackets.close(start))))
        for stage, _ in stages:
            terms = stage(terms)
        return brackets.open(collect(terms, self._taste()))

    def _stages(self, known: Definition | None) -> list[Stage]:
        """Return what is tried on terms, in order, each with the name of its rule."""
        stages: list[Stage] = []
        if known is not None:
            stages.append((lambda t: combine(fold(t, known)), f"recognised {known.name}"))
        stages.append((cancel_sums, "a sum cancels against itself"))
        return stages + [(_use(fact), rule) for fact, rule in self._facts()]

    def _one_name_for_ones(self, terms: list[Term]) -> list[Term]:
        """Call ones that run over the same range the same, so that sums of nothing but them are alike."""
        first: dict[object, tuple[str, int]] = {}
        places, arity = tie_program(self.program, [side for pair in self.assumptions for side in pair])
        for name in sorted(arity):
            for position in range(arity[name]):
                first.setdefault(places.root((name, position)), (name, position))

        def named(atom: Expr) -> Expr:
            if not isinstance(atom, Tensor) or not is_ones(atom):
                return atom
            _, name, position = atom.name.split(":")
            return ones(*first.get(places.root((name, int(position))), (name, int(position))), str(atom.indices[0]))

        return combine([Term(t.coefficient, t.bound, tuple((named(a), e) for a, e in t.factors)) for t in terms])

    def _facts(self) -> list[tuple[Assumption, str]]:
        """Return what may be used: that a softmax sums to one, then the assumptions."""
        if self.program in self._known_facts:
            return self._known_facts[self.program]
        facts: list[tuple[Assumption, str]] = []
        for definition in self.program.definitions:
            facts += [
                (fact, f"{definition.name} sums to {1 if fact[1] == ONE else 0}")
                for fact in sums_of(definition, self.program, self.assumptions)
            ]
        facts += [(assumption, "assumption used") for assumption in self.assumptions]
        self._known_facts[self.program] = facts
        return facts

    def _taste(self) -> Taste:
        places, _ = tie_program(self.program, [side for pair in self.assumptions for side in pair])
        defined = frozenset(d.name for d in self.program.definitions)
        return Taste(defined, lambda name, position: places.root((name, position)))

    def _add(
        self,
        left: str,
        expression: Expr,
        rule: str,
        claim: Claim | None,
        axes: tuple[str, ...] | None = None,
        cells: tuple[Cell, ...] = (),
    ) -> None:
        if claim is not None:
            axes, cells = axes or claim.axes, cells or (claim.upper, claim.lower)
        self.lines.append(Line(left, expression, rule, axes or (), cells, claim))

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


def _use(fact: Assumption) -> Callable[[list[Term]], list[Term]]:
    return lambda terms: assume(terms, fact)


def letters_for(program: Program, name: str, taken: set[str]) -> tuple[str, ...] | None:
    """Choose letters for a cell of an array: those it has where it first stands, as far as they are free.

    Parameters
    ----------
    program : Program
    name : str
    taken : set of str
        Letters in use.

    Returns
    -------
    tuple of str, or None if there is no such array
    """
    for definition in program.definitions:
        if definition.name == name:
            return apart(definition.indices, taken)
    for definition in program.definitions:
        for part in walk(definition.value):
            if isinstance(part, Tensor) and part.name == name:
                plain = tuple(index if isinstance(index, str) else "k" for index in part.indices)
                return apart(plain, taken)
    return None


def apart(indices: Sequence[str], taken: set[str]) -> tuple[str, ...]:
    """Return letters like `indices`, all different and none of them taken."""
    chosen: list[str] = []
    for index in indices:
        busy = taken | set(chosen)
        chosen.append(index if index not in busy else fresh(busy | set(indices), index))
    return tuple(chosen)
