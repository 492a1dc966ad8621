"""Each matrix form that is printed is read back, as text and as LaTeX, and has the same value."""

import re
from dataclasses import replace
from functools import cache

import numpy as np
import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st

from glassmax.calculus import derive
from glassmax.calculus.functional import FUNCTIONAL_EQUATIONS, derive_function
from glassmax.calculus.matrix.nodes import (
    Leaf,
    Ones,
    Product,
    Quotient,
    Scaled,
    Transpose,
    leaves,
    map_matrix,
    matrix_children,
)
from glassmax.calculus.networks import derive_network
from glassmax.calculus.printing import matrix_latex, matrix_text
from glassmax.calculus.proving import Values, evaluate, evaluate_program
from glassmax.calculus.proving.sampling import draw_values
from glassmax.calculus.ranges import ranges_of
from glassmax.calculus.reading.parse_matrix import parse_matrix
from tests.calculus.test_derive import OPEN_LIST, OTHERS
from tests.calculus.test_render import KNOWN, MATRIX_VALUES, SIZES, TREES, matrices, meaning

LISTED = [(equations, wrt, assumed) for equations, wrt, assumed, *_ in OPEN_LIST + OTHERS]
HEADS = [("softmax", "cross_entropy"), ("softmax", "squared_error"), ("sigmoid", "binary_cross_entropy")]
NETWORKS = [
    (wrt, activation, output, loss)
    for activation in ("f", "relu", "sigmoid", "tanh", "gelu")
    for output, loss in (
        ("softmax", "cross_entropy"),
        ("softmax", "squared_error"),
        ("sigmoid", "binary_cross_entropy"),
    )
    for wrt in ("W1", "b1", "W2", "b2", "X", "Z1")
]


def known(function):
    return lambda x, order: np.vectorize(KNOWN[function, order])(x)


def read_back(text, shapes, values):
    """The value of a printed form: ones and numbers that stand for a whole array are repeated."""
    text = re.sub(
        r"\\sigma(?='*(\\left)?\()", r"\\operatorname{sigmoid}", text
    )  # σ may be any function when it is typed
    program = parse_matrix(f"answer = {text}", shapes)
    return evaluate_program(program, values).arrays["answer"]


def agree(found, expected, text):
    np.testing.assert_allclose(np.broadcast_to(found, expected.shape), expected, rtol=1e-9, atol=1e-12, err_msg=text)


def plain(name):
    """A derivative that is differentiated again, dL/dz_i, under a name that can be typed."""
    return f"slope{len(name)}" if "/" in name else name


def with_plain_names(m):
    return replace(m, name=plain(m.name)) if isinstance(m, Leaf) else map_matrix(m, with_plain_names, m.axes)


def printed_and_read_back(derivation):
    """Compare the matrix form of a derivation with its index form, on random numbers."""
    values = draw_values(
        derivation.full_program, derivation.assumptions, np.random.default_rng(5), 0, derivation.extra_arrays()
    )
    sizes = dict(values.sizes)
    for name, letters in derivation.cells():
        sizes |= dict(zip(letters, values.arrays[name].shape, strict=True))
    expected = evaluate(
        derivation.expression, Values(values.arrays, sizes, values.functions, values.ranges), derivation.axes
    )
    one_hot = {Y: np.eye(values.ranges[label])[values.arrays[label]] for label, Y in derivation.one_hot().items()}
    arrays = {**values.arrays, **one_hot}
    ranges = ranges_of(derivation.full_program, derivation.assumptions)
    roots = {}
    shapes = {}
    arrays |= {plain(name): array for name, array in arrays.items()}
    for name, like in derivation.extra_arrays().items():
        for at in range(arrays[name].ndim):
            ranges.tie((name, at), (like, at))
    for leaf in leaves(derivation.matrix):
        places = [(leaf.name, at) for at in range(len(leaf.axes))]
        if leaf.name in one_hot:
            label = next(label for label, name in derivation.one_hot().items() if name == leaf.name)
            places = [(label, 0), ("range", label)]
        shapes[plain(leaf.name)] = tuple(roots.setdefault(ranges.root(place), f"a{len(roots)}") for place in places)
    shapes.pop("1", None)
    shapes["answer"] = tuple(
        roots.setdefault(ranges.root((name, at)), f"a{len(roots)}")
        for name, letters in derivation.cells()
        for at in range(len(letters))
    )[: len(derivation.axes)]
    shown = with_plain_names(derivation.matrix)
    for text in (matrix_text(shown), matrix_latex(shown)):
        found = read_back(text, shapes, Values(arrays, {}, values.functions, values.ranges))
        agree(found, expected, text)


@pytest.mark.parametrize(("equations", "wrt", "assumed"), LISTED)
def test_the_forms_of_textbooks_are_read_back(equations, wrt, assumed):
    derivation = derive(equations, wrt, assume=assumed)
    if derivation.matrix is not None:
        printed_and_read_back(derivation)


def test_a_hessian_times_a_vector_is_read_back():
    equations = "L = -sum_k y_k log(p_k); p_i = exp(z_i) / sum_k exp(z_k)"
    derivation = derive(equations, ("z", "z"), assume="sum_k y_k = 1", times="v")
    assert parse_matrix(f"h = {derivation.matrix_form}").definitions


@pytest.mark.parametrize("case", NETWORKS)
def test_the_gradients_of_networks_are_read_back(case):
    wrt, activation, output, loss = case
    derivation = derive_network(wrt, [activation], output, loss)
    if derivation.matrix is not None:
        printed_and_read_back(derivation)


@cache
def rules():
    return [d for name in FUNCTIONAL_EQUATIONS for d in derive_function(name) if d.matrix is not None]


def test_the_derivatives_of_the_functions_are_read_back():
    assert len(rules()) > 20
    for derivation in rules():
        printed_and_read_back(derivation)


def ones_along(m):
    """The axes of ones: where no array has such an axis, the number of ones can't be read off the text."""
    return set(m.axes if isinstance(m, Ones) else ()).union(*map(ones_along, matrix_children(m)))


def shows_its_ones(m):
    """Whether each part that is nothing but ones is printed as ones: f(1) and 1 + 1 look like numbers."""
    bare = m.axes and not any(leaf.axes for leaf in leaves(m))
    if bare and not (
        isinstance(m, Ones | Product | Scaled | Transpose) or (isinstance(m, Quotient) and not m.below.axes)
    ):
        return False
    return all(map(shows_its_ones, matrix_children(m)))


def compared(m, text):
    assume(ones_along(m) <= {axis for leaf in leaves(m) for axis in leaf.axes} and shows_its_ones(m))
    with np.errstate(all="ignore"):
        try:
            expected = meaning(m)
        except (OverflowError, ValueError):
            assume(False)
        assume(np.isfinite(expected).all() and np.abs(expected).max() < 1e8)
        shapes = {leaf.name: tuple(leaf.axes) for leaf in leaves(m) if leaf.name != "1"} | {"answer": tuple(m.axes)}
        functions = {name: known(name) for name, _ in KNOWN}
        found = read_back(text, shapes, Values(MATRIX_VALUES, {}, functions))
    shape = [SIZES[axis] for axis in m.axes]
    np.testing.assert_allclose(
        np.broadcast_to(found, shape), np.reshape(expected, shape), rtol=1e-6, err_msg=f"{text} {m}"
    )


@settings(TREES, max_examples=300)
@given(st.sampled_from(["", "n", "nk", "kd"]).flatmap(matrices))
def test_what_is_printed_of_any_matrix_is_read_back(m):
    for text in (matrix_text(m), matrix_latex(m)):
        compared(m, text)
