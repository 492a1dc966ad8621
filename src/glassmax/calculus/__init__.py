"""The calculus: derive a gradient from the loss, step by step, in index and in matrix notation.

::

    parse, parse_matrix    what people type, to equations
    expression, matrices   what formulas are made of, in the two notations
    differentiate          one equation by one array, rule by rule
    terms, keys            sums of products, the form in which things cancel
    recognise, collect     names, assumptions, common factors: the short form
    brackets, shorten      brackets kept whole, and names where they leave less to read
    limits                 bounds on all of it, so that no input hangs
    chain                  the chain rule from the result down, every line noted
    matrix_form            from indices to matrices, by rule
    draw, evaluate, proof  every line on random numbers, against the complex step
    derivation, writing    the result, in all its dresses
    networks               the derivation for a network of glassmax

This package refuses to approximate: what it prints is exact, and proved on numbers before it is printed.
"""

from collections.abc import Mapping, Sequence

from .derivation import Derivation, derive_program
from .draw import AssumptionError
from .limits import DeriveError, bounded
from .reading import parse, parse_equation_pair, parse_index_reference, parse_matrix

__all__ = ["AssumptionError", "Derivation", "DeriveError", "derive"]


def derive(
    equations: str,
    wrt: str | Sequence[str],
    *,
    of: str | None = None,
    assume: Sequence[str] | str = (),
    times: str | None = None,
    einstein: bool = False,
    matrix: bool = False,
    shapes: str | Mapping[str, tuple[str, ...] | str] | None = None,
) -> Derivation:
    """Derive a gradient, a Jacobian or a Hessian from equations in index notation; every line is proved on numbers.

    Parameters
    ----------
    equations : str
        Equations as people type them, separated by ``;`` or lines, in any order:
        ``"L = -sum_k y_k log(p_k); p_i = exp(z_i) / sum_k exp(z_k)"``.
    wrt : str or sequence of str
        What to differentiate by: ``"z"``, ``"W[m,n]"`` to name the cell, ``("z", "z")`` for a Hessian.
    of : str, optional
        What is differentiated: the one that no other equation uses, by default.
    assume : sequence of str, optional
        Equations that hold: ``["sum_k y_k = 1"]``.
    times : str, optional
        An array that the last derivative is multiplied by: a Hessian-vector product.
    einstein : bool, default=False
        Whether an index that stands twice in a product is summed without being told.
    matrix : bool, default=False
        Whether the equations are in matrix notation: ``"L = -sum(Y * log(softmax(X @ W + b))) / N"``.
    shapes : str or mapping, optional
        With `matrix`: the arrays' axes, ``"X: n,d; b: k"``, where they can't be told from their use.

    Returns
    -------
    Derivation
        `print` it, or take ``.steps``, ``.index_form``, ``.matrix_form``, ``.numpy()``, ``.latex()``.

    Raises
    ------
    ExpressionError
        If an equation can't be read: with a caret under the place.
    DeriveError
        If a name is not there.

    Examples
    --------
    >>> derivation = derive(
    ...     "L = -sum_k y_k log(p_k); p_i = exp(z_i) / sum_k exp(z_k)", wrt="z", assume=["sum_k y_k = 1"]
    ... )
    >>> derivation.index_form, derivation.matrix_form, derivation.proved
    ('p_i - y_i', 'p - y', True)
    """
    program = parse_matrix(equations, shapes) if matrix else parse(equations, einstein=einstein)
    cells = []
    for name in [wrt] if isinstance(wrt, str) else wrt:
        array, indices = parse_index_reference(name)
        cells.append((array, tuple(str(index) for index in indices) or None))
    assumptions = [parse_equation_pair(a, einstein) for a in ([assume] if isinstance(assume, str) else assume)]
    with bounded():
        derivation = derive_program(program, of, cells, assumptions, times)
        derivation.verify()
    return derivation
