"""The axes of every part of a formula in matrix notation.

The axes of an array are declared, or guessed from its name by `guessed_axes`. Two axes that must have the same length
become one. An axis is never dropped: where NumPy would do something else than what a reader of mathematics expects, or
nothing at all, an error says how to write it.
"""

from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import NoReturn

from ...errors import ExpressionError, Setting
from .guessed_axes import GuessedAxes, Lengths
from .matrix_tree import ONE_AXIS, Node, kind_of, names_in
from .resolve import in_order

__all__ = ["Axes"]


class Axes(GuessedAxes):
    """The axes of every node; two axes that have to be equal become one."""

    def __init__(
        self, text: str, declared: Mapping[str, Lengths], equations: Mapping[str, Node], arrays: frozenset[str]
    ) -> None:
        super().__init__(text, declared, equations, arrays)
        self.parent: dict[str, str] = {}
        self.lengths: list[tuple[Node, str]] = []
        self.labels: dict[str, int] = {}  # names of class labels, and where each stands
        self.seen: dict[int, Node] = {}

    def in_order(self) -> list[tuple[str, Node]]:
        """Find all axes; return the equations in an order in which each uses only earlier ones."""
        uses = {name: names_in(node) for name, node in self.equations.items()}
        order = in_order(uses, {name: node.place for name, node in self.equations.items()}, self.text)
        chosen: dict[str, str] = {}
        kept = []
        for name in order:
            node = self.equations[name]
            self.infer(node)
            given = self.declared.get(name, node.axes)
            node.axes = node.axes or given
            if len(given) != len(node.axes):
                self.fault(f"{name} is declared with {len(given)} axes, and has {len(node.axes)}", node)
            self.same(given, node.axes, node)
            self.known[name] = node.axes
            if node.args[0].op == "length":  # N = X.shape[0] gives a length its name
                chosen.setdefault(self.lengths[-1][1], name)
            else:
                kept.append((name, node))
        if not kept:
            raise ExpressionError("expected an equation besides the one for a length, like L = sum(x) / N", self.text)
        self.name_lengths(chosen)
        self.check_labels()
        return kept

    def name_lengths(self, chosen: dict[str, str]) -> None:
        """Give each length a name: that of an equation, the declared one, or N for rows and D for columns."""
        chosen = {self.root(axis): name for axis, name in chosen.items()}
        for node, axis in self.lengths:
            root = self.root(axis)
            stem = root if not root.startswith("?") else "D" if node.axis else "N"
            name, at = stem, 1
            while root not in chosen and (name in chosen.values() or self.known.get(name)):
                at += 1
                name = f"{stem}{at}"
            node.text = chosen.setdefault(root, name)

    def check_labels(self) -> None:
        """Refuse a label that is an array elsewhere."""
        for name, place in self.labels.items():
            if name in self.equations or any(_uses(node, name) for node in self.equations.values()):
                raise ExpressionError(f"{name} is a class label (an index) here, an array elsewhere", self.text, place)

    def fault(self, message: str, node: Node) -> NoReturn:
        """Raise, naming the arrays whose shapes were only guessed."""
        guessed = sorted(names_in(node) - self.declared.keys() - self.equations.keys())
        advice = f"; if {' or '.join(guessed[:3])} is something else, declare its shape" if guessed else ""
        raise ExpressionError(message + advice, self.text, node.place)

    def root(self, axis: str) -> str:
        """Return the axis that stands for all of the same length."""
        while axis in self.parent:
            axis = self.parent[axis]
        return axis

    def same(self, a: Sequence[str], b: Sequence[str], node: Node) -> None:
        """Identify axes, pair by pair; axes that were declared different raise an error."""
        for first, second in zip(map(self.root, a), map(self.root, b), strict=True):
            if first == second or ONE_AXIS in (first, second):
                continue
            if not first.startswith("?") and not second.startswith("?"):
                self.fault(f"expected axes of the same length, got {first} and {second}", node)
            old, kept = (first, second) if first.startswith("?") else (second, first)
            self.parent[old] = kept

    def square(self, axes: Lengths, node: Node) -> None:
        """Identify the two axes of a matrix."""
        if ONE_AXIS in axes:
            self.fault(f"expected a square matrix in {node.op}, got an axis of length 1", node)
        self.same(axes[:1], axes[1:], node)

    def infer(self, node: Node) -> None:
        """Find the axes of a node and of its parts; a part that stands in several places is looked at once."""
        if id(node) in self.seen:
            return
        self.seen[id(node)] = node
        for arg in node.args:
            if node.op != "at" or arg is node.args[0]:
                self.infer(arg)
        node.row = len(node.args) > 0 and any(arg.row for arg in node.args)
        node.axes = self.axes_of(node, *(arg.axes for arg in node.args))
        node.row = node.row and len(node.axes) == 1

    def axes_of(self, node: Node, *axes: Lengths) -> Lengths:
        """Return the axes of a node from those of its parts."""
        match node.op:
            case "number":
                return ()
            case "name":
                return self.known.setdefault(node.text, self.guess(node))
            case "ones":
                return (self.new(),)
            case "eye":
                return (self.new(),) * 2
            case "tuple" | "string" | "constant":
                self.fault(f"expected an array, got {_shown(node)}", node)
            case "power" if len(axes[0]) == 2 and node.text != "**":
                self.matrix_power(node)
            case "add" | "times" | "divide" | "max" | "power":
                return self.entrywise(node, axes)
            case "beside" | "cdot" | "cross" | "matmul" | "dot" | "inner" | "vdot" | "outer":
                return self.multiplied(node, *axes)
            case "einsum":
                return self.einsum(node, axes)
            case "transpose":
                node.row = len(axes[0]) == 1 and (not node.args[0].row if node.text == "ᵀ" else node.args[0].row)
                if node.text == "ᵀ" and not axes[0] and node.args[0].op == "name":
                    self.fault(f"expected an array before ᵀ, got the number {node.args[0].text}", node)
                return axes[0][::-1]
            case "trace":
                if len(axes[0]) != 2:
                    self.fault(f"expected a matrix in trace, got {kind_of(axes[0])}", node)
                self.square(axes[0], node)
                return ()
            case "diag":
                if len(axes[0]) == 2:
                    self.square(axes[0], node)
                    return axes[0][:1]
                if len(axes[0]) != 1 or axes[0] == (ONE_AXIS,):
                    self.fault("expected a vector in diag, got a number", node)
                return axes[0] * 2
            case "at":
                return self.picked(node, axes[0])
            case "count":
                if not axes[0]:
                    self.fault("expected an array in mean, got a number", node)
                node.args = tuple(replace(node, op="length", axis=at) for at in range(len(axes[0])))
                for each in node.args:
                    self.infer(each)
                return ()
            case "column":
                if len(axes[0]) != 1:
                    self.fault(f"expected a vector in reshape, got {kind_of(axes[0])}", node)
                node.op = "expand"
                return self.axes_of(node, *axes)
            case "expand":
                items = int(node.text or 0)
                if len(axes[0]) > 1:
                    self.fault("expected at most two axes, got a matrix with one more", node)
                if items > len(axes[0]) + 1:
                    self.fault(f"expected an array of {items - 1} axes, got {kind_of(axes[0])}", node)
                at = (node.axis or 0) % (len(axes[0]) + 1)
                return axes[0][:at] + (ONE_AXIS,) + axes[0][at:]
            case "squeeze":
                return tuple(axis for axis in axes[0] if axis != ONE_AXIS)
            case "length":
                return self.length(node, axes[0])
            case "softmax" | "log_softmax" | "logsumexp" | "sum" | "norm" | "extremum":
                return self.along(node, axes[0])
        return axes[0]

    def matrix_power(self, node: Node) -> None:
        """Refuse a power of a matrix that may be meant as a product of matrices."""
        exponent = node.args[1]
        if exponent.op == "negate" or (exponent.op == "number" and exponent.text.startswith("-")):
            self.fault("a matrix inverse has no index notation; ** -1 is elementwise", node)
        if node.text == "^":
            self.fault("a power of a matrix is A @ A or, entry by entry, A ** 2: write one of them", node)

    def entrywise(self, node: Node, axes: Sequence[Lengths]) -> Lengths:
        """Return the axes of an operation on several arrays, entry by entry."""
        vectors = [arg for arg in node.args if len(arg.axes) == 1]
        if any(arg.row for arg in vectors) and not all(arg.row for arg in vectors):
            self.fault("expected two columns or two rows, got xᵀ beside a column; xᵀ y is the inner product", node)
        for arg in node.args:
            self.check_guess(arg, node)
        result = axes[0]
        for other in axes[1:]:
            result = self.broadcast(result, other, node)
        return result

    def broadcast(self, a: Lengths, b: Lengths, node: Node) -> Lengths:
        """The axes of an elementwise operation; a vector goes along the last axis of a matrix."""
        longer, shorter = (a, b) if len(a) >= len(b) else (b, a)
        tail = longer[len(longer) - len(shorter) :]
        vector = len(longer) == 2 and len(shorter) == 1
        if vector and self.root(shorter[0]) == self.root(longer[0]) != self.root(longer[1]):
            self.fault("expected a vector along the last axis, got one along the rows: write keepdims=True", node)
        self.same(tail, shorter, node)
        joined = tuple(y if x == ONE_AXIS else x for x, y in zip(tail, shorter, strict=True))
        return longer[: len(longer) - len(shorter)] + joined

    # products

    def multiplied(self, node: Node, a: Lengths, b: Lengths) -> Lengths:
        """Return the axes of a product, and find out from the shapes which product it is."""
        left, right = node.args
        typed = node.op
        if typed == "beside" and left.op == "number" and left.text == "1" and right.row:
            left.op, left.axes = "ones", (self.new(),)  # 1 vᵀ has the row vᵀ again and again
            a = left.axes
        if typed == "cross" and a and b:
            self.fault("expected A @ B for the matrix product or A ⊙ B entry by entry, got ×", node)
        if typed == "inner" and a and len(b) == 2:  # NumPy sums over the last axes of both
            right = Node("transpose", (right,), ".T", place=right.place)
            self.infer(right)
            node.args, b = (left, right), right.axes
        if typed in ("beside", "cdot", "cross", "dot", "inner") and (not a or not b):
            node.op = "times"
            self.check_guess(left, node)
            self.check_guess(right, node)
            return a or b
        if not a or not b:
            self.fault("expected arrays on both sides of a matrix product, got a number", node)
        if len(a) == len(b) == 1:
            return self.of_vectors(node, a, b)
        if typed in ("outer", "vdot"):
            self.fault(f"expected two vectors in {typed}, got {kind_of(a)} and {kind_of(b)}", node)
        if typed == "cdot" and len(a) == len(b) == 2:
            self.fault("expected A @ B for the matrix product or A ⊙ B entry by entry, got a dot", node)
        if len(a) == 2 and len(b) == 1 and right.row:
            self.fault("expected a column after a matrix, got a transposed vector", node)
        if typed in ("beside", "cdot") and len(a) == 1 and not left.row:
            self.fault("expected a row before a matrix, got a column: write xᵀ A, or x @ A as in NumPy", node)
        node.op = "matmul"
        node.row = len(b) == 2 and left.row
        self.summed(a[-1], b[0], node)
        return a[:-1] + b[1:]

    def of_vectors(self, node: Node, a: Lengths, b: Lengths) -> Lengths:
        """Return the axes of a product of two vectors: inner or outer."""
        left, right = node.args
        self.check_scale(node)
        if node.op == "outer" or (right.row and not left.row):
            node.op = "outer"
            return a + b
        if left.row and right.row:
            self.fault("expected xᵀ y or x yᵀ, got two rows", node)
        if node.op == "beside" and not left.row:
            message = "two vectors side by side aren't a product: write xᵀ y for the inner product, x yᵀ for the outer"
            self.fault(f"{message} product, x ⊙ y entry by entry", node)
        node.op, node.row = "matmul", False
        self.summed(a[0], b[0], node)
        return ()

    def summed(self, a: str, b: str, node: Node) -> None:
        """Identify the axes that a product sums over."""
        if ONE_AXIS in (a, b) and a != b:
            self.fault("expected axes of the same length in a matrix product, got an axis of length 1", node)
        self.same((a,), (b,), node)

    def einsum(self, node: Node, axes: Sequence[Lengths]) -> Lengths:
        """The axes of an einsum, whose text holds the letters of each operand and of the result."""
        *inputs, output = node.text.split()
        found: dict[str, str] = {}
        for letters, arg, own in zip(inputs, node.args, axes, strict=True):
            if ONE_AXIS in own:
                self.fault("expected axes longer than 1 in einsum", arg)
            if len(letters.strip("-")) != len(own):
                self.fault(f"expected {kind_of(own)} to have {len(own)} letters in einsum, got '{letters}'", arg)
            for letter, axis in zip(letters, own, strict=False):
                self.same((found.setdefault(letter, axis),), (axis,), node)
        return tuple(found[letter] for letter in output.strip("-"))

    # reductions, lengths, indices

    def along(self, node: Node, axes: Lengths) -> Lengths:
        """The axes left by a reduction; the axis is counted from the front from here on."""
        if not axes and (node.op not in ("sum", "norm") or self.only_guessed(node)):
            self.fault(f"expected an array in {node.text if node.op == 'extremum' else node.op}, got a number", node)
        if node.op == "norm" and node.text in ("1", "2") and len(axes) == 2 and node.axis is None:
            meaning = {"1": "the largest sum of a column", "2": "the largest singular value"}[node.text]
            self.fault(f"the norm {node.text} of a matrix is {meaning}, which has no index notation", node)
        if node.text == "builtin" and len(axes) == 2:
            message = "Python's sum of a matrix is the sum of its rows: write np.sum(X) for all entries, X.sum(axis=0) "
            self.fault(message + "for the sum of the rows", node)
        whole = node.text == "all" or node.op == "logsumexp"
        if node.axis is None and node.op in ("softmax", "log_softmax", "logsumexp") and axes:
            if whole and len(axes) > 1:
                self.fault(f"{node.op} of a matrix needs an axis: write axis=-1 for each row", node)
            node.axis = len(axes) - 1
        if node.axis is None:
            return (ONE_AXIS,) * len(axes) if node.keep else ()
        if not -len(axes) <= node.axis < len(axes):
            self.fault(f"expected an axis of {kind_of(axes)}, got axis={node.axis}", node)
        node.axis %= len(axes)
        if axes[node.axis] == ONE_AXIS and node.op != "sum":
            self.fault(f"expected a longer axis in {node.op}, got one of length 1", node)
        if node.op in ("softmax", "log_softmax"):
            return axes
        return axes[: node.axis] + ((ONE_AXIS,) if node.keep else ()) + axes[node.axis + 1 :]

    def only_guessed(self, node: Node) -> bool:
        """Whether there are names inside, all of them numbers, and one of them only by its letter."""
        names = names_in(node)
        numbers = bool(names) and not any(self.known[name] for name in names if name in self.known)
        return numbers and bool(names - self.declared.keys() - self.equations.keys())

    def length(self, node: Node, axes: Lengths) -> Lengths:
        """Note whose length a node is; the axis is counted from the front from here on."""
        axis = node.axis or 0
        if not -len(axes) <= axis < len(axes):
            self.fault(f"expected the length of an axis of {kind_of(axes)}, got axis {axis}", node)
        node.axis = axis % len(axes)
        if axes[node.axis] == ONE_AXIS:
            self.fault("expected a longer axis, got one of length 1", node)
        self.lengths.append((node, axes[node.axis]))
        return ()

    def picked(self, node: Node, axes: Lengths) -> Lengths:
        """The axes of X[...]: ``:`` keeps an axis, ``rows`` are all rows in turn, a label picks one entry for each."""
        items = node.text.split(",")
        if len(items) > len(axes):
            self.fault(f"expected at most {len(axes)} indices of {kind_of(axes)}, got {len(items)}", node)
        labels = iter(node.args[1:])
        out: list[str] = []
        for item, axis in zip(items, axes, strict=False):
            if axis == ONE_AXIS and item != ":":
                self.fault("expected an axis longer than 1 to pick from", node)
            if item == "label":
                own = self.label(next(labels), node, alone=":" in items or len(items) == 1)
                if "rows" in items and len(own) != 1:
                    self.fault("expected a label for each row", node)
                self.same(own, out, node) if "rows" in items else out.extend(own)
            else:
                out.append(axis)
        return (*out, *axes[len(items) :])

    def label(self, label: Node, node: Node, *, alone: bool) -> Lengths:
        """Return the axes of an array of indices; `alone` if no other index says whether it is one index or many."""
        name = label.text
        if name in self.equations:
            raise ExpressionError(f"{name} is an index here, and defined by an equation", self.text, label.place)
        if alone and name not in self.declared and node.args[0].op != "eye":
            one, each = Setting("shapes", f"{name}: "), Setting("shapes", f"{name}: n")
            raise ExpressionError(
                (f"{name} may be one index or an array of indices; declare it: ", one, " or ", each),
                self.text,
                label.place,
            )
        axes = self.known.setdefault(name, (self.new(),))
        if len(axes) > 1:
            self.fault(f"expected a number or a vector as an index, got {kind_of(axes)}", label)
        self.labels.setdefault(name, label.place)
        return axes


def _shown(node: Node) -> str:
    return {"tuple": "a list", "string": f"the text '{node.text}'"}.get(node.op, node.text)


def _uses(node: Node, name: str) -> bool:
    """Whether a name stands in a tree elsewhere than as an index; len(y) says nothing of the entries."""
    if node.op == "length":
        return False
    if node.op == "name":
        return node.text == name
    return any(_uses(arg, name) for arg in (node.args[:1] if node.op == "at" else node.args))
