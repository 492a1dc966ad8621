"""The native engine against the reference: loss, gradient, logits and probabilities of every network.

How close is close: sums of the same terms in another order differ by a few ulp of the sum of the terms' magnitudes.
`near` allows `ULPS` of them, in float32 measured against the float64 reference of the same numbers.
"""

import numpy as np
import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st
from scipy import sparse

from glassmax import Network
from glassmax.engine import Data, ReferenceEngine, Regularization
from glassmax.functional import ACTIVATIONS
from glassmax.functional.heads import PAIRS
from tests.grid import DTYPES, Case, heads, networks, target

try:
    from glassmax.engine.native import INSTRUCTION_SETS, NativeEngine
except ImportError:
    pytest.skip("the native engine was not built", allow_module_level=True)

ULPS = 16
REFERENCE = ReferenceEngine()
ENGINES = [NativeEngine(n_threads=2, isa=isa) for isa in INSTRUCTION_SETS]
SMOOTH = [name for name in ACTIVATIONS if name not in ("relu", "leaky_relu", "selu")]
"""Their slope is the same on both sides of 0: no rounding of Z makes it another."""

every_dtype = pytest.mark.parametrize("dtype", DTYPES)


# what is compared with what, and how


def exact(network, X):
    """Return a float64 twin of a network and its inputs: the same numbers."""
    return network.astype("float64"), X.astype(network.theta.dtype).astype("float64")


def magnitudes(network, data, alpha=0.0):
    """Return the loss's scale, and the gradient's of each layer: its sums with all terms taken positive.

    A slope counts as itself and 1, for what the rounding of Z makes of it.
    """
    tape = network.forward(data.X)
    w = np.ones(len(data.y)) if data.weight is None else data.weight
    divisor = max(w.sum(), np.finfo(float).tiny)
    D = (w / divisor)[:, None] * (np.abs(network.head.dZ(tape.head, data.y)) + np.abs(tape.P) + np.abs(data.y))
    size = np.zeros_like(network.theta)
    scales = type(network.parameters)(network.layer_sizes, size)
    for layer in range(network.depth, 0, -1):
        W, A = np.abs(network.parameters.W[layer]), abs(tape.A[layer - 1])
        scales.W[layer][...] = (A.T @ D).max() + alpha / divisor * W.max()
        scales.b[layer][...] = D.sum(axis=0).max()
        if layer > 1:
            f = ACTIVATIONS[network.activations[layer - 2]]
            D = (D @ W.T) * (np.abs(f.vjp(np.ones_like(tape.Z[layer - 1]), tape.Z[layer - 1])) + 1)
    return 1 + np.abs(tape.Z[network.depth]).max(), size


def near(got, expected, scale, dtype):
    """Whether numbers computed in `dtype` are the expected ones, but for the rounding of their sums."""
    return bool((np.abs(got - expected) <= ULPS * np.finfo(dtype).eps * scale).all())


def assert_loss_and_gradient(engines, network, data, regularization):
    """Hold engines against the reference, which computes in float64."""
    twin, X = exact(network, data.X)
    same, dtype = data._replace(X=X), network.theta.dtype
    loss, gradient = REFERENCE.loss_and_gradient(twin, same, regularization)
    smoothed = twin.head.smoothed(data.y, twin.layer_sizes[-1], regularization.label_smoothing)
    loss_scale, scales = magnitudes(twin, same._replace(y=smoothed), regularization.alpha)
    for engine in engines:
        got, got_gradient = engine.loss_and_gradient(network, data, regularization)
        assert got_gradient.dtype == np.float64
        assert near(got, loss, loss_scale + abs(loss), dtype), (engine.isa, got, loss)
        assert near(got_gradient, gradient, scales, dtype), (engine.isa, got_gradient - gradient)


def assert_predictions(engines, network, X):
    """Hold engines against the reference, which computes in float64."""
    twin, same = exact(network, X)
    tape = twin.forward(same)
    A, W = tape.A[network.depth - 1], twin.parameters.W[network.depth]
    scale = (abs(A) @ np.abs(W) + 1) * (1 + sum(np.abs(Z).max() for Z in tape.Z.values()) / 8)
    for engine in engines:
        for method, expected in ((engine.logits, tape.Z[network.depth]), (engine.probabilities, tape.P)):
            got = method(network, X)
            assert got.dtype == network.theta.dtype
            assert got.shape == expected.shape
            assert near(got, expected, scale, got.dtype), (engine.isa, method.__name__, got - expected)


# the grid


@every_dtype
@pytest.mark.parametrize("case", [*networks(), *heads()], ids=str)
def test_loss_gradient_and_predictions_are_the_references(case, dtype):
    network, (X, y, w) = case.network(dtype), case.data()
    assert_loss_and_gradient(ENGINES, network, Data(X, y, w), Regularization(alpha=case.l2))
    assert_predictions(ENGINES, network, X)


WIDTHS = [1, 2, 3, 5, 7, 13, 16, 17, 31, 33, 64, 65, 100]
ROWS = [1, 2, 3, 7, 31, 32, 33, 65, 127, 511, 512, 513, 1100]


@settings(max_examples=100)
@given(
    sizes=st.lists(st.sampled_from(WIDTHS), min_size=2, max_size=4).map(tuple),
    n=st.sampled_from(ROWS),
    activation=st.sampled_from(SMOOTH),
    head=st.sampled_from([pair for pair in PAIRS if pair[0] in ("softmax", "sigmoid")]),
    kind=st.sampled_from(["indices", "soft"]),
    dtype=st.sampled_from(DTYPES),
    stored=st.sampled_from(["dense", "sparse"]),
    regularization=st.sampled_from(
        [Regularization(), Regularization(alpha=0.1), Regularization(0.1, label_smoothing=0.1)]
    ),
)
def test_sizes_that_fit_no_tile_and_rows_that_fit_no_part(
    sizes, n, activation, head, kind, dtype, stored, regularization
):
    assume(not (regularization.label_smoothing and head[1] == "candidate_cross_entropy"))  # refused
    assume(sizes[-1] > 1 or (kind == "soft" and head != ("softmax", "binary_cross_entropy")))  # of one class: log 0
    draw = np.random.default_rng([n, *sizes])
    network = Network(sizes, activation=activation, output=head[0], loss=head[1], dtype=dtype, random_state=n)
    X, w = draw.standard_normal((n, sizes[0])), draw.uniform(0.5, 2, n)
    X = sparse.csr_array(X * (draw.random(X.shape) < 0.3)) if stored == "sparse" else X
    y = target(kind, head[1], (n, sizes[-1]), draw)
    assert_loss_and_gradient(ENGINES, network, Data(X, y, w), regularization)
    assert_predictions(ENGINES, network, X)


# what must fail


def flipped(gradient, i):
    gradient[i] *= -1


def doubled(gradient, i):
    gradient[i] *= 2


def a_row_twice(gradient, i):
    gradient *= 7 / 6


PLANTED = [flipped, doubled, a_row_twice]


@every_dtype
@pytest.mark.parametrize("plant", PLANTED, ids=lambda plant: plant.__name__)
@pytest.mark.parametrize("sizes", [(4, 3), (4, 5, 3), (4, 5, 4, 6, 3)], ids=str)
def test_a_gradient_with_a_fault_is_found(monkeypatch, sizes, plant, dtype):
    case = Case(sizes, "tanh", "softmax", "cross_entropy", "indices", False)
    network, (X, y, _) = case.network(dtype), case.data()
    engine, data = NativeEngine(n_threads=1), Data(X, y)
    truth = engine.loss_and_gradient
    for i in np.flatnonzero(truth(network, data, Regularization())[1])[::3]:

        def faulty(*arguments, i=i):
            loss, gradient = truth(*arguments)
            plant(gradient, i)
            return loss, gradient

        monkeypatch.setattr(engine, "loss_and_gradient", faulty)
        with pytest.raises(AssertionError):
            assert_loss_and_gradient([engine], network, data, Regularization())


@every_dtype
def test_a_loss_with_a_fault_is_found(monkeypatch, dtype):
    case = Case((4, 5, 3), "tanh", "softmax", "cross_entropy", "indices", False)
    network, (X, y, _) = case.network(dtype), case.data()
    engine = NativeEngine(n_threads=1)
    loss, gradient = engine.loss_and_gradient(network, Data(X, y), Regularization())
    monkeypatch.setattr(engine, "loss_and_gradient", lambda *_: (loss * (1 + 1e-4), gradient))
    with pytest.raises(AssertionError):
        assert_loss_and_gradient([engine], network, Data(X, y), Regularization())
