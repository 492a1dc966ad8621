"""From equations to a derivation: read, walk the chain rule, find the matrix form, prove every line."""

from __future__ import annotations  # help() shows these names instead of what they stand for

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace

from ..errors import ExpressionError, Setting
from .cells import Cell, apart, letters_for, shown
from .chain import Chain
from .derivation import Derivation
from .expression import Assumption, Definition, Delta, Expr, Index, Label, Num, Program, Tensor, indices_of, names, walk
from .indices import free_indices, rename
from .limits import DeriveError, bounded
from .matrix import NoMatrixFormError, one_hot_name, shortest_matrix_form
from .ranges import ranges_of
from .reading import parse, parse_equation_pair, parse_index_reference, parse_matrix
from .simplifying import written_sigmoids
from .steps import Claim

__all__ = ["derive", "derive_program"]

MOST_ORDERS = 4
"""Maximum order of a derivative."""


def derive(
    equations: str,
    wrt: str | Sequence[str],
    *,
    of: str | None = None,
    assume: Sequence[str] | str = (),
    times: str | None = None,
    einstein: bool = False,
    fixed: Sequence[str] | str = (),
    matrix: bool = False,
    shapes: str | Mapping[str, tuple[str, ...] | str] | None = None,
) -> Derivation:
    """Derive a gradient, a Jacobian or a Hessian from equations, and prove every line on random numbers.

    Parameters
    ----------
    equations : str
        Equations as people type them, separated by ``;`` or lines, in any order:
        ``"L = -sum_k y_k log(p_k); p_i = exp(z_i) / sum_k exp(z_k)"``.
    wrt : str or sequence of str
        The array to differentiate with respect to: ``"z"``; ``"W[m,n]"`` names the indices; ``("z", "z")`` for a
        Hessian.
    of : str, optional
        The array to differentiate; by default the one that no other equation uses.
    assume : sequence of str, optional
        Equations to assume: ``["sum_k y_k = 1"]``.
    times : str, optional
        An array that the last derivative is multiplied by: a Hessian-vector product.
    einstein : bool, default=False
        Whether to sum over an index that appears twice in a product.
    fixed : str or sequence of str, optional
        Letters that stand for one fixed index each, such as the true class of a single sample: ``"k"`` for
        ``"L = -log p_k"``. The letter y in ``"L = -log p_y"`` is read so without being named here.
    matrix : bool, default=False
        Whether the equations are in matrix notation, that of NumPy or of a textbook:
        ``"L = -sum(Y * log(softmax(X @ W + b))) / N"``.
    shapes : str or mapping, optional
        With `matrix`: the axes of arrays, ``"X: n,d; b: k; c: "``, if the equations don't show them.

    Returns
    -------
    Derivation
        At the prompt it shows its result; `print` it for every line, or take ``.steps``, ``.index_form``,
        ``.matrix_form``, ``.numpy()``, ``.latex()``.

    Raises
    ------
    ExpressionError
        If an equation can't be read, with a caret under the place, or a name is not in the equations.
    DeriveError
        If it is not clear what to differentiate, or the work exceeds the bounds.
    AssumptionError
        If an assumption contradicts the equations.

    Examples
    --------
    >>> derivation = derive(
    ...     "L = -sum_k y_k log(p_k); p_i = exp(z_i) / sum_k exp(z_k)", wrt="z", assume=["sum_k y_k = 1"]
    ... )
    >>> derivation.index_form, derivation.matrix_form, derivation.proved
    ('p_i - y_i', 'p - y', True)
    >>> derive("L = -log p_y; p_i = softmax_i(z_i)", wrt="z").cases()
    {'i = y': 'p_y - 1', 'i != y': 'p_i'}
    """
    _texts("equations", equations)
    if matrix and fixed:
        raise DeriveError(Setting("fixed"), " is for index notation, and changes nothing here. Leave it out.")
    letters = [letter.strip() for text in _texts("fixed", fixed) for letter in text.split(",")]
    program = parse_matrix(equations, shapes) if matrix else parse(equations, einstein=einstein, fixed=letters)
    cells = []
    for name in _texts("wrt", wrt):
        array, indices = parse_index_reference(name)
        cells.append((array, tuple(str(index) for index in indices) or None))
    assumptions = [_assumption(text, program, einstein) for text in _texts("assume", assume)]
    _texts("times", times or "")
    with bounded():
        derivation = derive_program(program, of, cells, assumptions, times)
        derivation.verify()
    return derivation


def _texts(parameter: str, given: object) -> list[str]:
    """Return one text or several as a list; refuse anything else."""
    texts: list[str] = []
    for one in given if isinstance(given, Iterable) and not isinstance(given, str) else [given]:
        if not isinstance(one, str):
            raise DeriveError(parameter=parameter, came=f"of type {type(one).__name__}", expected="text")
        texts.append(one)
    return texts


def _assumption(text: str, program: Program, einstein: bool) -> Assumption:
    """Read an assumption; refuse arrays that the equations lack. Its right side may bring in a number.

    It is used from left to right, so a number alone, or a side that lacks an index of the other, comes second.
    """
    once: dict[str, Index] = {letter: Label(letter) for letter in program.fixed()}
    left, right = parse_equation_pair(text, einstein)
    if isinstance(left, Num) or set(free_indices(left)) < set(free_indices(right)):
        left, right = right, left
    pair = rename(left, once), rename(right, once)
    known = ranges_of(program, ()).arity
    parts = (part for side in pair for part in walk(side))
    labels = {index.name for part in parts for index in indices_of(part) if isinstance(index, Label)}
    for name, count in ranges_of(Program(()), [pair]).arity.items():
        fault = ""
        if name not in known and name != "pi" and (count or name in names(pair[0])):
            fault = f"there is no {name} in the equations, expected one of {', '.join(sorted(known))}"
        elif count != known.get(name, count):
            fault = f"{name} has {_indices(count)} here, {known[name]} in the equations"
        elif name in labels - program.labels:
            fault = f"{name} is a class label here, an array in the equations"
        elif name in program.labels - labels and name in {*names(pair[0]), *names(pair[1])}:
            fault = f"{name} is an array here, a class label in the equations"
        if fault:
            raise ExpressionError((Setting("assume", text), f": {fault}."))
    return pair


def derive_program(
    program: Program,
    of: str | None,
    wrt: Sequence[tuple[str, tuple[str, ...] | None]],
    assumptions: Sequence[Assumption] = (),
    times: str | None = None,
    keep: frozenset[str] = frozenset(),
) -> Derivation:
    """Derive the derivative of `of` by one array after another; not yet proved.

    `wrt` holds arrays with their letters, or None for letters to be chosen. `keep` is as for `Chain`.
    """
    given = program
    definitions = (Definition(d.name, d.indices, written_sigmoids(d.value)) for d in given.definitions)
    program = replace(given, definitions=tuple(definitions))
    of = _of(program, of)
    _check(program, of, wrt, times)
    chain = Chain(program, tuple(assumptions), keep=keep)
    current, label, cells = of, of, list[Cell]()
    result: Expr | None = None
    for position, (name, letters) in enumerate(wrt):
        top = chain.program.defined(current)
        if top is None:
            raise DeriveError(f"{current} is not defined by an equation, expected one of {_defined(program)}.")
        at = _cell(chain.program, name, letters, {*top.indices, *chain.fixed})
        cells.append((name, at))
        claim = Claim(chain.program, (current, top.indices), (name, at))
        result = chain.recognise(chain.gradient(current, label, name, at))
        chain.steps[-1].expression = result  # equal but for the order of terms
        if position + 1 < len(wrt):
            current = chain.steps[-1].left
            label = f"({current})"
            chain.define(Definition(current, claim.axes, result))
    assert result is not None
    axes = claim.axes
    if times is not None:
        result = chain.times(result, times, claim)
        axes = chain.steps[-1].axes
    derivation = Derivation(
        given, of, tuple(cells), claim, chain.steps, result, axes, tuple(assumptions), times, tuple(chain.named)
    )
    derivation.unused = tuple(pair for pair in assumptions if pair not in chain.simplifier.used)
    _find_matrix_form(derivation, chain)
    return derivation


def _find_matrix_form(derivation: Derivation, chain: Chain) -> None:
    """Fill in the matrix form of a result, or the reason why there is none."""
    result = derivation.expression
    if not any(isinstance(part, Tensor | Delta) and free_indices(part) for part in walk(result)):
        derivation.no_matrix = "the result has no index"
        return
    derivation.no_matrix = _clash(derivation.program)
    if derivation.no_matrix is not None:
        return
    try:
        forms = [result, *chain.simplifier.forms(result)]
        derivation.matrix, derivation.matrix_rules = shortest_matrix_form(forms, derivation.axes)
    except NoMatrixFormError as error:
        derivation.no_matrix = str(error)


def _check(program: Program, of: str, wrt: Sequence[tuple[str, tuple[str, ...] | None]], times: str | None) -> None:
    """Refuse a request that has no derivation worth printing."""
    if not wrt:
        raise DeriveError(parameter="wrt", came="empty", expected="the name of what to differentiate by")
    if len(wrt) > MOST_ORDERS:
        raise DeriveError(Setting("wrt"), f" has {len(wrt)} names, expected at most {MOST_ORDERS}.")
    if any(name == of for name, _ in wrt):
        what = f"{of} can't be differentiated by itself. Give another name as "
        raise DeriveError(what, Setting("wrt"), ", or say what to differentiate with ", Setting("of"), ".")
    for name in (of, *(name for name, _ in wrt)):
        if name in program.thin:
            what = f"{name} has an axis of length 1, which its derivative would lack. Define {name} without "
            what += f"keepdims=True, None or reshape, and write {name}[:, None] or {name}[None, :] where that axis "
            raise DeriveError(what + "is needed.")
    if times is None:
        return
    letters, like = letters_for(program, times, set()), letters_for(program, wrt[-1][0], set())
    if not times.replace("'", "").isidentifier():
        raise DeriveError(parameter="times", came=repr(times), expected="the name of an array")
    if program.defined(times) is not None or (letters is not None and like is not None and len(letters) != len(like)):
        expected = f"an array of the shape of {wrt[-1][0]} that no equation defines"
        raise DeriveError(parameter="times", came=repr(times), expected=expected)


def _clash(program: Program) -> str | None:
    """Return the reason why there is no matrix form if a one-hot matrix would have the name of another array."""
    taken = {d.name for d in program.definitions} | {n for d in program.definitions for n in names(d.value)}
    for label in sorted(program.labels - program.fixed()):
        name = one_hot_name(label)
        if name in taken:
            return f"the one-hot matrix of {label} would be called {name}, which is another array"
    return None


def _of(program: Program, of: str | None) -> str:
    if of is not None:
        if program.defined(of) is None:
            expected = f" is {of!r}, expected one of the arrays that an equation defines: {_defined(program)}."
            raise ExpressionError((Setting("of"), expected))
        return of
    used = {name for d in program.definitions for name in names(d.value)}
    last = [d.name for d in program.definitions if d.name not in used]
    if len(last) != 1:
        what = f"{len(last)} equations are used by no other ({', '.join(last)}): say which one, such as "
        raise DeriveError(what, Setting("of", last[0]), ".")
    return last[0]


def _cell(program: Program, name: str, given: tuple[str, ...] | None, taken: set[str]) -> tuple[str, ...]:
    own = letters_for(program, name, taken)
    if own is None:
        inputs = {part.name for d in program.definitions for part in walk(d.value) if isinstance(part, Tensor)}
        inputs |= {d.name for d in program.definitions}
        expected = f" is {name!r}, expected one of the arrays: {', '.join(sorted(inputs))}."
        raise ExpressionError((Setting("wrt"), expected))
    if given is None:
        return own
    entry = sorted(set(given) & program.fixed())
    if entry:
        what = f" is {shown(name, given)!r}, but {entry[0]} is one fixed index of the equations"
        raise ExpressionError((Setting("wrt"), f"{what}. Differentiate by {name}, and take the case of {entry[0]}."))
    if len(given) != len(own):
        raise ExpressionError(f"{shown(name, given)} has {_indices(len(given))}, but {name} has {_indices(len(own))}.")
    return apart(given, taken)


def _indices(count: int) -> str:
    return f"{count} {'index' if count == 1 else 'indices'}"


def _defined(program: Program) -> str:
    return ", ".join(d.name for d in program.definitions)
