"""How many axes each name has, and which axes have the same size: read off the equations before any number is drawn."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING

from ..formula import tree
from ..formula.tree import Condition, Name, Node, Number
from .names import Names, Quantity
from .value import Axis, CountFault, ShapeFault, UnknownFault
from .vocabulary import CROSS_ENTROPIES, LOSS_FUNCTIONS

if TYPE_CHECKING:
    from .definitions import Definitions, Function

__all__ = ["Dims", "Form", "Inference", "samples_last"]


@dataclass
class Dims:
    """Axes that have the same size, by union and find; some have a literal size."""

    parent: dict[object, object] = field(default_factory=dict)
    literal: dict[object, int] = field(default_factory=dict)
    least: dict[object, int] = field(default_factory=dict)

    def copy(self) -> Dims:
        """Return a copy."""
        return Dims(dict(self.parent), dict(self.literal), dict(self.least))

    def find(self, dim: object) -> object:
        """Return the representative of an axis."""
        self.parent.setdefault(dim, dim)
        while self.parent[dim] != dim:
            dim = self.parent[dim]
        return dim

    def same(self, one: object, other: object) -> None:
        """Give two axes the same size; raise a ShapeFault if their literal sizes differ."""
        first, second = self.find(one), self.find(other)
        if first == second:
            return
        sizes = {self.literal[root] for root in (first, second) if root in self.literal}
        if len(sizes) == 2:
            raise ShapeFault(f"an axis of {min(sizes)} entries can't have {max(sizes)}")
        self.parent[second] = first
        if sizes:
            self.literal[first] = sizes.pop()

    def fix(self, dim: object, size: int) -> None:
        """Give an axis a literal size."""
        root = self.find(dim)
        if self.literal.setdefault(root, size) != size:
            raise ShapeFault(f"an axis of {self.literal[root]} entries can't have {size}")


@dataclass(frozen=True)
class Form:
    """The positional axes of a part of a formula; how a vector lies."""

    dims: tuple[object, ...] = ()
    axes: tuple[Axis, ...] = ()
    turned: str = ""


SCALAR = Form()


def _is_small(node: Node) -> bool:
    """Whether a term may well be a number beside an array: a number as such, or a bias."""
    if isinstance(node, tree.Negative):
        return _is_small(node.of)
    return isinstance(node, Number) or (isinstance(node, Name) and node.base in ("b", "c"))


def samples_last(quantity: Quantity, columns: bool) -> bool:
    """Whether the one index of a matrix is that of its columns: ``dZ^{(i)}`` where samples are columns."""
    return columns and quantity.samples == 1 == len(quantity.indices) and quantity.family.lstrip("d")[:1].isupper()


@dataclass
class Inference:
    """Goes through trees with the numbers of axes in `ranks`, and ties axes in `dims`."""

    names: Names
    ranks: dict[str, int]
    dims: Dims
    labels: frozenset[str]
    definitions: Definitions
    columns: bool = True
    kronecker: bool = True
    parameters: dict[str, Form] = field(default_factory=dict)  # of a function that is being gone through
    inside: list[str] = field(default_factory=list)
    odd: float = 0.0  # grows with what is seldom meant: a product of columns entry by entry, without a sign for it

    def of(self, node: Node, letters: dict[str, object]) -> Form:
        """Return the form of a tree; `letters` has the axis of each letter met so far, and grows."""
        match node:
            case Number():
                return SCALAR
            case Name():
                return self._name(node, letters)
            case tree.Add(terms):
                forms = [self.of(term, letters) for term in terms]
                mixed = [form for form, term in zip(forms, terms, strict=True) if not _is_small(term)]
                self.odd += len({min(len(form.dims), 1) for form in mixed}) > 1
                return self._alike(forms)
            case tree.Negative(of):
                return self.of(of, letters)
            case tree.Product(factors, signs):
                return self._product([self.of(factor, letters) for factor in factors], signs)
            case tree.Quotient(above, below) | tree.Power(above, below):
                return self._alike([self.of(above, letters), self.of(below, letters)])
            case tree.Summation():
                return self._summation(node, letters)
            case tree.Call():
                return self._call(node, letters)
            case tree.Derivative(of, by):
                return self._derivative(of, by, letters)
            case tree.Cases(branches):
                for _, condition in branches:
                    self.condition(condition, letters)
                return self._alike([self.of(value, letters) for value, _ in branches])
            case tree.Indicator(condition):
                self.condition(condition, letters)
                return SCALAR
            case tree.Matrix(rows):
                return self._matrix(rows, letters)
            case tree.Transpose(of):
                return self._transpose(self.of(of, letters))
            case tree.Entry(of, below):
                form = self.of(of, letters)
                for dim, index in zip(form.dims, below, strict=False):
                    self._index(index, dim, letters)
                return Form(form.dims[len(below) :], form.axes[len(below) :])
            case tree.Norm(of):
                self.of(of, letters)
                return SCALAR
            case tree.Absolute(of):
                return self.of(of, letters)
        raise UnknownFault("a part of the formula has no meaning here")

    def _name(self, name: Name, letters: dict[str, object]) -> Form:
        if name.base == "delta" and len(name.below) == 2 and self.kronecker:
            self._tie(name.below[0], name.below[1], letters)
            return SCALAR
        quantity = self.names.of(name)
        if quantity.key in self.parameters:
            form = self.parameters[quantity.key]
            for dim, index in zip(form.dims, quantity.indices, strict=False):
                self._index(index, dim, letters)
            count = len(quantity.indices)
            return Form(form.dims[count:], form.axes[count:], "" if count else form.turned)
        key = self.definitions.target(quantity.key)
        rank = self.ranks.get(key.partition("^")[0], 0)
        if len(quantity.indices) > rank:
            raise CountFault(f"{name.base} has {rank} indices elsewhere, {len(quantity.indices)} here")
        dims = tuple(("axis", key, n) for n in range(rank))
        for dim in dims:
            self.dims.find(dim)
        if rank == 2 and samples_last(quantity, self.columns):
            dims = dims[::-1]
        if quantity.family in ("I", "Id") and rank == 2:
            self.dims.same(dims[0], dims[1])
        for dim, index in zip(dims, quantity.indices, strict=False):
            self._index(index, dim, letters)
        rest = dims[len(quantity.indices) :]
        usual = "column" if self.columns or quantity.indices else "row"
        return Form(rest, (Axis(),) * len(rest), usual if len(rest) == 1 else "")

    def _index(self, index: Node, dim: object, letters: dict[str, object]) -> None:
        match index:
            case tree.Add((first, *_)):
                self._index(first, dim, letters)
            case Name(base, below, above):
                family = self.names.of(index).family
                if family in self.labels:
                    self.dims.same(dim, ("classes", family))
                    self._name(index, letters)
                elif not below and not above:
                    self.dims.same(letters.setdefault(base, dim), dim)

    def _tie(self, one: Node, other: Node, letters: dict[str, object]) -> None:
        """Tie two indices of a delta or of a condition, if one of them has an axis."""
        found = []
        for node in (one, other):
            if isinstance(node, Name):
                family = self.names.of(node).family
                if family in self.labels:
                    self._name(node, letters)
                    found.append(("classes", family))
                elif not node.below and node.base in letters:
                    found.append(letters[node.base])  # type: ignore[arg-type]
        if len(found) == 2:
            self.dims.same(found[0], found[1])
        elif len(found) == 1:
            for node in (one, other):
                if isinstance(node, Name) and not node.below and self.names.of(node).family not in self.labels:
                    letters.setdefault(node.base, found[0])

    def condition(self, condition: Condition | None, letters: dict[str, object]) -> None:
        """Tie the letters of a condition."""
        while condition is not None:
            self._tie(condition.left, condition.right, letters)
            condition = condition.also

    def _alike(self, forms: list[Form]) -> Form:
        """The form of an entrywise operation: a scalar goes with all, a vector is spread over a matrix."""
        largest = max(forms, key=lambda form: len(form.dims))
        for form in forms:
            count, most = len(form.dims), len(largest.dims)
            if count == most:
                if {form.turned, largest.turned} == {"row", "column"}:
                    raise ShapeFault("a row and a column don't fit entry by entry")
                for one, other in zip(form.dims, largest.dims, strict=True):
                    self.dims.same(one, other)
            elif count == 1 and most == 2:
                if self.dims.find(form.dims[0]) in {self.dims.find(dim) for dim in largest.dims}:
                    continue
                self.dims.same(form.dims[0], largest.dims[0 if self.columns else 1])
            elif count:
                raise ShapeFault(f"{count} axes and {most} axes don't fit entry by entry")
        turned = next((form.turned for form in forms if form.turned and len(form.dims) == len(largest.dims)), "")
        return Form(largest.dims, largest.axes, turned)

    def _product(self, forms: list[Form], signs: tuple[str, ...]) -> Form:
        for weak in ("outer", "odot"):
            if weak in signs:
                at = len(signs) - 1 - signs[::-1].index(weak)
                left = self._product(forms[: at + 1], signs[:at])
                return self._times(left, self._product(forms[at + 1 :], signs[at + 1 :]), weak)
        total = forms[0]
        for form, sign in zip(forms[1:], signs, strict=True):
            total = self._times(total, form, sign)
        return total

    def _times(self, a: Form, b: Form, sign: str) -> Form:
        if sign == "outer":
            return Form(a.dims + b.dims, a.axes + b.axes)
        if sign == "inner" and len(a.dims) != len(b.dims):
            raise ShapeFault("an inner product is one of two vectors")
        if sign == "odot" and len(a.dims) == len(b.dims) == 1:
            b = replace(b, turned=a.turned)
        if sign == "odot" or not a.dims or not b.dims:
            return self._alike([a, b])
        opposite = {"of": "by", "by": "of", "": "none"}
        pairs = [
            (n, m)
            for n, one in enumerate(a.axes)
            for m, other in enumerate(b.axes)
            if (opposite[one.side], one.array, one.position) == (other.side, other.array, other.position)
        ]
        if not pairs:
            if (len(a.dims), len(b.dims)) == (1, 1):
                return self._vectors(a, b, sign)
            if len(b.dims) == 1 and b.turned == "row":
                raise ShapeFault("a matrix times a row has no product")
            if len(a.dims) == 1 and a.turned == "column":
                raise ShapeFault("a column times a matrix has no product")
            pairs = [(len(a.dims) - 1, 0)]
        for n, m in pairs:
            self.dims.same(a.dims[n], b.dims[m])
        left = [n for n in range(len(a.dims)) if n not in {n for n, _ in pairs}]
        right = [m for m in range(len(b.dims)) if m not in {m for _, m in pairs}]
        dims = tuple(a.dims[n] for n in left) + tuple(b.dims[m] for m in right)
        axes = tuple(a.axes[n] for n in left) + tuple(b.axes[m] for m in right)
        turned = b.turned if not right or len(b.dims) == 1 else a.turned
        return Form(dims, axes, turned if len(dims) == 1 else "")

    def _vectors(self, a: Form, b: Form, sign: str) -> Form:
        usual = "column" if self.columns else "row"
        first, second = a.turned or usual, b.turned or usual
        if sign in ("@", "cdot", "inner") or (first, second) == ("row", "column"):
            self.dims.same(a.dims[0], b.dims[0])
            return SCALAR
        if (first, second) == ("column", "row"):
            return Form(a.dims + b.dims, a.axes + b.axes)
        self.odd += sign == ""
        return self._alike([a, b])

    def _transpose(self, form: Form) -> Form:
        if len(form.dims) == 1:
            usual = form.turned or ("column" if self.columns else "row")
            return Form(form.dims, form.axes, "row" if usual == "column" else "column")
        if len(form.dims) > 2:
            raise ShapeFault("only a vector or a matrix has a transpose")
        return Form(form.dims[::-1], form.axes[::-1])

    def _summation(self, node: tree.Summation, letters: dict[str, object]) -> Form:
        inner = {letter: dim for letter, dim in letters.items() if letter not in node.letters}
        form = self.of(node.body, inner)
        self.condition(node.condition, inner)
        for letter in node.letters:
            dim = inner.pop(letter, None)
            if dim is None or len(node.letters) != 1:
                continue
            match node.high:
                case Number(value) if value.denominator == 1 and isinstance(node.low, Number):
                    self.dims.fix(dim, int(value - node.low.value) + 1)
                case Name(base, below, above) if not above and base not in letters and base not in node.letters:
                    if self.ranks.get(self.names.of(node.high).family, 0) == 0 and not below:
                        self.dims.same(("count", self.names.of(node.high).key), dim)
                case tree.Add((Name() as count, tree.Negative(Number()))) if node.low == Number(node.low.value * 0):  # type: ignore[union-attr]
                    self.dims.same(("count", self.names.of(count).key), dim)
        for letter, dim in inner.items():
            letters.setdefault(letter, dim)
        return form

    def _call(self, node: tree.Call, letters: dict[str, object]) -> Form:
        name = node.function.base
        forms = [self.of(argument, letters) for argument in node.arguments]
        if name in ("sum", "mean") and len(node.arguments) == 2 and isinstance(node.arguments[1], Number):
            count = len(forms[0].dims)
            if int(node.arguments[1].value) >= count:
                raise ShapeFault("there is no such axis")
            axis = int(node.arguments[1].value) % count
            dims = forms[0].dims[:axis] + forms[0].dims[axis + 1 :]
            return Form(dims, (Axis(),) * len(dims))
        if name in ("one_hot", "at_labels"):
            return self._by_labels(forms, node)
        if name in ("tr", "trace") and len(forms[0].dims) == 2:
            self.dims.same(forms[0].dims[0], forms[0].dims[1])
        if name in ("length", "sum", "mean", "tr", "trace", "logsumexp", "det"):
            return SCALAR
        if name == "~anchored":
            return SCALAR
        if name in LOSS_FUNCTIONS and len(forms) == 2 and name not in self.definitions.functions:
            if name in CROSS_ENTROPIES:
                self._alike([replace(form, turned="") for form in forms])
            return SCALAR
        if name == "diag":
            return Form(forms[0].dims * 2, (Axis(), Axis())) if len(forms[0].dims) == 1 else forms[0]
        form = self._alike(forms) if name in ("max", "min") else forms[0]
        function = self.definitions.functions.get(name)
        if function is not None and not node.function.primes and name not in self.inside:
            form = self._defined(function, forms)
        for dim, index in zip(form.dims, node.function.below, strict=False):
            self._index(index, dim, letters)
        if node.function.below and form.dims:
            form = Form(form.dims[len(node.function.below) :], form.axes[len(node.function.below) :])
        return form

    def _defined(self, function: Function, arguments: list[Form]) -> Form:
        """The form of a function that the document defines: that of its body with these arguments."""
        quantities = [self.names.of(parameter) for parameter in function.parameters]
        if any(quantity.indices for quantity in quantities) or len(quantities) != len(arguments):
            return arguments[0]
        outside, self.parameters = self.parameters, {q.key: form for q, form in zip(quantities, arguments, strict=True)}
        self.inside.append(function.name)
        try:
            return self.of(function.body, {})
        finally:
            self.parameters = outside
            self.inside.pop()

    def _by_labels(self, forms: list[Form], node: tree.Call) -> Form:
        like, labels = forms
        if len(like.dims) != 2 or len(labels.dims) != 1:
            raise ShapeFault("labels are an index of a matrix of samples by classes")
        self.dims.same(like.dims[0], labels.dims[0])
        if isinstance(node.arguments[1], Name):
            self.dims.same(like.dims[1], ("classes", self.names.of(node.arguments[1]).family))
        return like if node.function.base == "one_hot" else Form(like.dims[:1], like.axes[:1])

    def _derivative(self, of: Node, by: tuple[Node, ...], letters: dict[str, object]) -> Form:
        form = self.of(of, letters)
        dims, axes = form.dims, tuple(self._axis("of", of, n) for n in range(len(form.dims)))
        for one in by:
            variable = self.of(one, letters)
            dims += variable.dims
            axes += tuple(self._axis("by", one, n) for n in range(len(variable.dims)))
        return Form(dims, axes)

    def _axis(self, side: str, node: Node, position: int) -> Axis:
        if not isinstance(node, Name):
            return Axis()
        quantity = self.names.of(node)
        return Axis(side, quantity.key, position + len(quantity.indices))

    def _matrix(self, rows: tuple[tuple[Node, ...], ...], letters: dict[str, object]) -> Form:
        forms = [[self.of(entry, letters) for entry in row] for row in rows]
        inner = forms[0][0]
        if len({len(form.dims) for row in forms for form in row}) > 1:
            raise ShapeFault("an entry of the matrix is itself an array")
        if len(rows) == 1 and len(rows[0]) > 1:
            dims: list[object] = [self._fresh(rows, 0, len(rows[0]))]
            return Form((*dims, *inner.dims), (Axis(),) * (1 + len(inner.dims)), "" if inner.dims else "row")
        dims = [self._fresh(rows, 0, len(rows))]
        if len(rows[0]) > 1:
            dims.append(self._fresh(rows, 1, len(rows[0])))
        turned = "column" if len(dims) == 1 and not inner.dims else ""
        return Form((*dims, *inner.dims), (Axis(),) * (len(dims) + len(inner.dims)), turned)

    def _fresh(self, rows: object, position: int, size: int) -> object:
        dim = ("matrix", rows, position)
        self.dims.fix(dim, size)
        return dim
