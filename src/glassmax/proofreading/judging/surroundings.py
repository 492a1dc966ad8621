"""What stands around a wrong line, for the search of its mistake: letters, quantities, functions and sizes."""

from collections.abc import Iterable, Sequence

from ..formula.tree import Call, Derivative, Name, Node, Number, Power, Summation
from ..formula.walk import free_letters, nodes_in, rename_index
from ..mistakes.correction import Equation, Setting
from ..mistakes.places import places
from ..numbers import Context, Fault

__all__ = ["quantities_in", "setting_of", "sizes_in"]

MOST_LETTERS = 5
MOST_QUANTITIES = 20
MOST_INSIDES = 8
FRESH = ("k", "j", "i", "m", "n")
COUNTS = frozenset({"N", "n", "m", "M", "B", "K"})
NO_ACTIVATIONS = frozenset({"log", "ln", "exp", "softmax", "max", "min", "diag", "sqrt", "sum", "trace", "tr", "det"})


def setting_of(equation: Equation, document: Sequence[Node], context: Context, before: Node | None = None) -> Setting:
    """Return the setting of an equation: what it uses itself comes first."""
    own = [equation.left, equation.right]
    quantities = [name for name in quantities_in([*own, *document], context) if name != equation.left]
    return Setting(
        letters=_letters(own, document),
        quantities=tuple(quantities[:MOST_QUANTITIES]),
        calls=_calls([*own, *document]),
        outputs=_outputs(own, context),
        kinks=_kinks([*own, *document]),
        fixed=frozenset(letter for letter in _letters(own, document) if context.is_label(letter)),
        insides=_insides([*own, *document], equation),
        variable=_variable(equation.left),
        before=before,
        axes=lambda name: _axes(name, context),
        sizes=sizes_in([*own, *document]),
    )


def _letters(own: Iterable[Node], document: Iterable[Node]) -> tuple[str, ...]:
    mine = [letter for node in own for letter in _all_letters(node)]
    others = [letter for node in document for letter in _all_letters(node)]
    one_sign = [letter for letter in (*mine, *others, *FRESH) if len(letter) == 1]
    kept = list(dict.fromkeys(mine))
    fresh = [letter for letter in dict.fromkeys(one_sign) if letter not in kept]
    return tuple([*kept, *fresh][: max(MOST_LETTERS, len(kept) + 1)])


def _all_letters(node: Node) -> list[str]:
    bound = [letter for part in nodes_in(node) if isinstance(part, Summation) for letter in part.letters]
    return [*sorted(free_letters(node)), *bound]


def quantities_in(trees: Iterable[Node], context: Context) -> list[Name]:
    """Return the names of quantities in formulas, each as it stands there first; no index, no function."""
    found: dict[Name, None] = {}
    for tree in trees:
        for place in places(tree):
            if (
                isinstance(place.node, Name)
                and _axes(place.node, context) >= 0
                and not _names_function(place.node, context)
            ):
                found.setdefault(place.node)
    return list(found)


def _names_function(name: Name, context: Context) -> bool:
    return name.base in context.definitions.functions and not name.below


def _axes(name: Name, context: Context) -> int:
    """Return the number of axes that a name has besides its indices; -1 if it is not a quantity."""
    try:
        quantity = context.names.of(name)
    except Fault:
        return -1
    rank = context.rank(quantity.family)
    return -1 if rank is None else rank - len(quantity.indices)


def _calls(trees: Iterable[Node]) -> tuple[Call, ...]:
    found: dict[Call, None] = {}
    for tree in trees:
        for place in places(tree):
            node = place.node
            if isinstance(node, Call) and _is_activation(node):
                found.setdefault(Call(Name(node.function.base, typed=node.function.typed), node.arguments))
    return tuple(found)


def _variable(left: Node) -> Name | None:
    one = left.by[0] if isinstance(left, Derivative) and len(left.by) == 1 else None
    return one if isinstance(one, Name) else None


def _insides(trees: Iterable[Node], equation: Equation) -> tuple[Node, ...]:
    """Return what stands inside functions and powers, in the letters of the left side too."""
    found: dict[Node, None] = {}
    for tree in trees:
        for place in places(tree):
            node = place.node
            inside = node.base if isinstance(node, Power) else None
            if isinstance(node, Power) and isinstance(node.base, Name) and node.base.base == "e":
                inside = node
            if isinstance(node, Call) and len(node.arguments) == 1:
                inside = node if node.function.base == "exp" else node.arguments[0]
            if inside is None or isinstance(inside, Number):
                continue
            loose = sorted(free_letters(inside) - free_letters(equation.left))
            if not set(loose) & place.bound or len(loose) != 1:
                found.setdefault(inside)
            for mine in sorted(free_letters(equation.left)) if len(loose) == 1 else []:
                found.setdefault(rename_index(inside, {loose[0]: mine}))
            if len(loose) == 1:
                found.setdefault(inside)
    return tuple(found)[:MOST_INSIDES]


def _outputs(own: Sequence[Node], context: Context) -> tuple[Name, ...]:
    """Return the quantities of the equation that a function is the definition of: o_k of o = s(z)."""
    found: dict[Name, None] = {}
    for name in quantities_in(own, context):
        definition = context.definitions.of(context.names.of(name).key)
        if definition is not None and any(isinstance(value, Call) for value, _ in definition.branches):
            found.setdefault(name)
    return tuple(found)


def _kinks(trees: Iterable[Node]) -> tuple[Name, ...]:
    """Return what relu is applied to."""
    found: dict[Name, None] = {}
    for tree in trees:
        for node in nodes_in(tree):
            if isinstance(node, Call) and node.function.base in ("max", "relu", "ReLU"):
                names = [one for one in node.arguments if isinstance(one, Name)]
                if len(names) == 1:
                    found.setdefault(names[0])
    return tuple(found)


def _is_activation(call: Call) -> bool:
    of_a_name = len(call.arguments) == 1 and isinstance(call.arguments[0], Name)
    return of_a_name and call.function.base not in NO_ACTIVATIONS and not call.function.below


def sizes_in(trees: Sequence[Node]) -> tuple[Node, ...]:
    """Return what a sum can be divided by: the bounds of sums, and names such as N."""
    found: dict[Node, None] = {}
    for tree in trees:
        for part in nodes_in(tree):
            if isinstance(part, Summation) and isinstance(part.high, (Name, Number)):
                found.setdefault(part.high)
            elif isinstance(part, Name) and part.base in COUNTS and not part.below:
                found.setdefault(part)
    return tuple(found)[:3]
