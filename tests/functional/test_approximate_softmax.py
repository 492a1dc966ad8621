"""Sampled softmax and adaptive softmax: derivatives, the bias of the first, the probabilities of the second."""

import numpy as np
import pytest
from scipy import sparse

from glassmax.errors import LabelError, OptionError, ShapeError
from glassmax.functional import (
    adaptive_log_softmax,
    adaptive_log_softmax_vjp,
    adaptive_softmax_cross_entropy,
    adaptive_softmax_cross_entropy_vjp,
    linear_softmax_cross_entropy,
    linear_softmax_cross_entropy_vjp,
    log_softmax,
    sampled_softmax_cross_entropy,
    sampled_softmax_cross_entropy_vjp,
)
from glassmax.functional.proposals import draw_classes
from glassmax.gradcheck import check_vjp
from tests.grid import FLOATS

inf, nan = np.inf, np.nan


def layer(n=16, d=4, k=60, spread=0.4, seed=0):
    """Draw a layer, and labels by Zipf's law."""
    draw = np.random.default_rng(seed)
    A, W, b = draw.standard_normal((n, d)), spread * draw.standard_normal((d, k)), 0.1 * draw.standard_normal(k)
    Q = np.log((np.arange(k) + 2) / (np.arange(k) + 1))
    return A, W, b, draw.choice(k, n, p=Q / Q.sum())


def dense(gradients):
    return tuple(g.toarray() if sparse.issparse(g) else g for g in gradients)


PROPOSALS = {"log-uniform": "log_uniform", "frequencies": np.arange(60, 0, -1)}
every_proposal = pytest.mark.parametrize("proposal", PROPOSALS.values(), ids=list(PROPOSALS))
WEIGHT = np.linspace(0, 1, 16)

# --- Sampled softmax ---


@every_proposal
@pytest.mark.parametrize("with_bias", [True, False])
@pytest.mark.parametrize("method", ["complex", "central"])
def test_the_pullback_of_the_estimate_is_its_derivative_and_a_wrong_one_is_found(proposal, with_bias, method):
    A, W, b, y = layer()
    given = {"samples": 20, "proposal": proposal, "seed": 3, "step": 5, "sample_weight": WEIGHT}
    inputs = (A, W, b) if with_bias else (A, W)

    def loss(A, W, b=None):
        return sampled_softmax_cross_entropy(A, W, b, y, **given)

    def pullback(dL, A, W, b=None, *, step=5):
        gradients = sampled_softmax_cross_entropy_vjp(dL, A, W, b, y, **{**given, "step": step})
        return dense(gradients)[: len(inputs)]

    assert check_vjp(loss, pullback, *inputs, method=method).correct
    assert not check_vjp(loss, lambda *a: pullback(*a, step=6), *inputs, method=method).correct


def test_the_estimate_is_the_definition_by_loops():
    A, W, b, y = layer(n=3, k=9)
    s, (classes, correction) = 12, draw_classes(9, 12, "log_uniform", 1, 2)
    Q = np.log((np.arange(9) + 2) / (np.arange(9) + 1)) / np.log(10)
    expected = []
    for a, label in zip(A, y, strict=True):
        z = [float(a @ W[:, c] + b[c]) for c in range(9)]
        counts = np.exp(correction) * s * Q[classes]
        np.testing.assert_allclose(counts, counts.round(), atol=1e-12)
        assert counts.sum() == pytest.approx(s)
        others = sum(m / (s * Q[c]) * np.exp(z[c]) for c, m in zip(classes, counts, strict=True) if c != label)
        expected.append(np.log(np.exp(z[label]) + others) - z[label])
    got = sampled_softmax_cross_entropy(A, W, b, y, samples=12, seed=1, step=2, reduction="none")
    np.testing.assert_allclose(got, expected, rtol=1e-13)


def bias_of_the_gradient(samples, steps=600):
    """Return the length of the bias of dW, relative to that of dW, from two halves of independent draws."""
    A, W, _, y = layer()
    exact = linear_softmax_cross_entropy_vjp(1.0, A, W, None, y)[1]
    halves = [np.zeros_like(W), np.zeros_like(W)]
    for step in range(steps):
        _, dW, _ = sampled_softmax_cross_entropy_vjp(1.0, A, W, None, y, samples=samples, step=step)
        halves[step % 2] += dW.toarray() * (2 / steps)
    return np.sqrt(((halves[0] - exact) * (halves[1] - exact)).sum()) / np.linalg.norm(exact)


def test_the_bias_of_the_gradient_falls_with_the_number_of_draws():
    few, some, many = (bias_of_the_gradient(samples) for samples in (8, 32, 128))
    assert 0.1 < few < 0.25
    assert some < 0.6 * few
    assert many < 0.4 * some
    assert many < 0.035


def test_the_sum_over_the_classes_is_estimated_without_bias_and_the_loss_is_too_small():
    A, W, b, y = layer(n=4)
    given = {"samples": 16, "reduction": "none"}
    losses = np.array([sampled_softmax_cross_entropy(A, W, b, y, step=step, **given) for step in range(2000)])
    exact = linear_softmax_cross_entropy(A, W, b, y, reduction="none")
    np.testing.assert_allclose(np.exp(losses).mean(axis=0), np.exp(exact), rtol=0.03)  # exp(L) is a sum over p_y
    assert (losses.mean(axis=0) < exact).all()


def test_many_draws_give_the_exact_loss_and_gradient():
    A, W, b, y = layer()
    given = {"samples": 200_000, "proposal": np.ones(60)}
    exact = linear_softmax_cross_entropy(A, W, b, y)
    assert sampled_softmax_cross_entropy(A, W, b, y, **given) == pytest.approx(exact, rel=1e-3)
    estimates = dense(sampled_softmax_cross_entropy_vjp(1.0, A, W, b, y, **given))
    for one, other in zip(estimates, linear_softmax_cross_entropy_vjp(1.0, A, W, b, y), strict=True):
        np.testing.assert_allclose(one, other, atol=0.02 * abs(other).max())


def test_only_columns_of_true_and_drawn_classes_have_entries():
    A, W, b, y = layer(k=100_000, d=2)
    dA, dW, db = sampled_softmax_cross_entropy_vjp(1.0, A, W, b, y, samples=30)
    touched = np.unique(np.concatenate([y, draw_classes(100_000, 30, "log_uniform", 0, 0).classes]))
    assert dW.shape == (2, 100_000)
    np.testing.assert_array_equal(np.flatnonzero(np.diff(dW.indptr)), touched)
    np.testing.assert_array_equal(np.flatnonzero(db), touched)
    assert dA.shape == A.shape


@pytest.mark.parametrize("dtype", FLOATS)
def test_dtypes_of_the_estimate_are_those_of_the_exact_loss(dtype):
    A, W, b, y = layer()
    A, W, b = (array.astype(dtype) for array in (A, W, b))
    wide = "longdouble" if dtype == "longdouble" else "float64"
    assert sampled_softmax_cross_entropy(A, W, b, y, samples=9).dtype == wide
    gradients = dense(sampled_softmax_cross_entropy_vjp(1.0, A.astype(dtype), W, b, y, samples=9))
    of_sparse = "float32" if dtype == "float16" else dtype  # SciPy has no float16
    assert [g.dtype for g in gradients] == [np.dtype(name) for name in (dtype, of_sparse, dtype)]


def test_a_row_of_weight_0_and_leading_axes_are_as_in_the_exact_loss():
    A, W, b, y = layer()
    given = {"samples": 9, "sample_weight": WEIGHT}
    hostile = A.copy()
    hostile[0] = [nan, inf, 0, 0]
    for one, other in zip(
        dense(sampled_softmax_cross_entropy_vjp(1.0, hostile, W, b, y, **given)),
        dense(sampled_softmax_cross_entropy_vjp(1.0, A, W, b, y, **given)),
        strict=True,
    ):
        np.testing.assert_array_equal(one, other)
    deep = sampled_softmax_cross_entropy(A.reshape(4, 4, 4), W, b, y.reshape(4, 4), samples=9, reduction="none")
    np.testing.assert_array_equal(deep.ravel(), sampled_softmax_cross_entropy(A, W, b, y, samples=9, reduction="none"))


@every_proposal
def test_draws_follow_the_proposal_and_depend_on_seed_and_step_alone(proposal):
    k, samples = 60, 200_000
    classes, correction = draw_classes(k, samples, proposal, 0, 0)
    f = np.log((np.arange(k) + 2) / (np.arange(k) + 1)) if isinstance(proposal, str) else np.asarray(proposal, float)
    counts = np.zeros(k)
    counts[classes] = np.exp(correction) * samples * (f / f.sum())[classes]
    np.testing.assert_allclose(counts / samples, f / f.sum(), atol=5e-3)
    for seed, step in ((0, 1), (1, 0)):
        assert not np.array_equal(draw_classes(k, 50, proposal, 0, 0)[1], draw_classes(k, 50, proposal, seed, step)[1])


REFUSED = {
    "rows": ({"target": np.eye(60)[:16]}, ShapeError, "target is (16, 60), expected (16,) class indices"),
    "no draws": ({"samples": 0}, OptionError, "samples is 0, expected a whole number >= 1."),
    "half a draw": ({"samples": 1.5}, OptionError, "samples is 1.5, expected a whole number >= 1."),
    "seed": ({"seed": -1}, OptionError, "seed is -1, expected a whole number >= 0."),
    "step": ({"step": 2**64}, OptionError, "step is 18446744073709551616, expected a whole number >= 0."),
    "unknown": ({"proposal": "zipf"}, OptionError, "proposal is 'zipf', expected 'log_uniform' or one frequency for"),
    "too short": ({"proposal": np.ones(3)}, ShapeError, "proposal is (3,), expected (60,): one frequency for each"),
    "never drawn": ({"proposal": np.arange(60)}, LabelError, "proposal[0] is 0, expected a finite number > 0"),
}


@pytest.mark.parametrize("case", REFUSED)
def test_what_the_estimate_cannot_use_is_refused(case):
    A, W, b, y = layer()
    change, error, message = REFUSED[case]
    given = {"samples": 5, "target": y, **change}
    for call in (sampled_softmax_cross_entropy, lambda *a, **o: sampled_softmax_cross_entropy_vjp(1.0, *a, **o)):
        with pytest.raises(error) as caught:
            call(A, W, b, **given)
        assert str(caught.value).startswith(message)


# --- Adaptive softmax ---


def adaptive(seed=0, n=12, d=4, h=3, sizes=((2, 4), (1, 5))):
    draw = np.random.default_rng(seed)
    A, W = draw.standard_normal((n, d)), draw.standard_normal((d, h + len(sizes)))
    tails = [(draw.standard_normal((d, width)), draw.standard_normal((width, count))) for width, count in sizes]
    k = h + sum(count for _, count in sizes)
    return A, W, tails, np.arange(n) % k


def test_its_probabilities_sum_to_1_and_the_loss_is_minus_their_logarithm():
    A, W, tails, y = adaptive()
    Q = adaptive_log_softmax(A, W, tails)
    assert Q.shape == (12, 12)
    np.testing.assert_allclose(np.exp(Q).sum(axis=1), 1, rtol=1e-14)
    L = adaptive_softmax_cross_entropy(A, W, tails, y, reduction="none", chunk=2)
    np.testing.assert_allclose(L, -Q[np.arange(12), y], rtol=1e-13)


def test_the_pullback_of_its_log_probabilities_is_their_derivative_and_a_wrong_one_is_found():
    A, W, tails, _ = adaptive()
    flat = [array for pair in tails for array in pair]

    def pairs(flat):
        return list(zip(flat[::2], flat[1::2], strict=True))

    def pullback(dQ, A, W, *flat, wrong=False):
        dA, dW, dtails = adaptive_log_softmax_vjp(dQ, A, W, pairs(flat))
        return dA, dW * (1.001 if wrong else 1), *(gradient for pair in dtails for gradient in pair)

    def log_probabilities(A, W, *flat):
        return adaptive_log_softmax(A, W, pairs(flat))

    assert check_vjp(log_probabilities, pullback, A, W, *flat).correct
    assert not check_vjp(log_probabilities, lambda *a: pullback(*a, wrong=True), A, W, *flat).correct
    with pytest.raises(ShapeError, match=r"dQ is \(12, 3\), expected \(12, 12\)"):
        adaptive_log_softmax_vjp(np.zeros((12, 3)), A, W, tails)


def test_without_tails_it_is_a_layer():
    A, W, _, _ = adaptive(sizes=())
    y = np.arange(12) % 3
    np.testing.assert_array_equal(adaptive_log_softmax(A, W, []), log_softmax(A @ W))
    loss = adaptive_softmax_cross_entropy(A, W, [], y)
    assert loss == pytest.approx(linear_softmax_cross_entropy(A, W, None, y), rel=1e-14)


@pytest.mark.parametrize("method", ["complex", "central"])
def test_the_pullback_of_the_adaptive_softmax_is_its_derivative_and_a_wrong_one_is_found(method):
    A, W, tails, y = adaptive()
    given = {"sample_weight": np.linspace(0, 1, 12), "chunk": 2}

    def loss(A, W, *flat):
        return adaptive_softmax_cross_entropy(A, W, list(zip(flat[::2], flat[1::2], strict=True)), y, **given)

    def pullback(dL, A, W, *flat, wrong=False):
        pairs = list(zip(flat[::2], flat[1::2], strict=True))
        dA, dW, dtails = adaptive_softmax_cross_entropy_vjp(dL, A, W, pairs, y, **given)
        return dA * (1.001 if wrong else 1), dW, *(gradient for pair in dtails for gradient in pair)

    flat = [array for pair in tails for array in pair]
    assert check_vjp(loss, pullback, A, W, *flat, method=method).correct
    assert not check_vjp(loss, lambda *a: pullback(*a, wrong=True), A, W, *flat, method=method).correct


def test_a_row_of_weight_0_is_absent_from_the_adaptive_softmax():
    A, W, tails, y = adaptive()
    hostile = A.copy()
    hostile[0] = [nan, inf, 0, 0]
    given = {"sample_weight": np.linspace(0, 1, 12)}
    loss = adaptive_softmax_cross_entropy(hostile, W, tails, y, **given)
    assert loss == adaptive_softmax_cross_entropy(A, W, tails, y, **given)
    dA, dW, _ = adaptive_softmax_cross_entropy_vjp(1.0, hostile, W, tails, y, **given)
    np.testing.assert_array_equal(dW, adaptive_softmax_cross_entropy_vjp(1.0, A, W, tails, y, **given)[1])
    assert not dA[0].any()


def test_a_tail_without_a_row_has_gradient_0():
    A, W, tails, _ = adaptive()
    dA, dW, dtails = adaptive_softmax_cross_entropy_vjp(1.0, A, W, tails, np.zeros(12, int))
    assert dW.any()
    assert dA.any()
    assert not any(gradient.any() for pair in dtails for gradient in pair)


@pytest.mark.parametrize("dtype", FLOATS)
def test_the_adaptive_softmax_keeps_its_dtype(dtype):
    A, W, tails, y = adaptive()
    A, W, tails = A.astype(dtype), W.astype(dtype), [(H.astype(dtype), V.astype(dtype)) for H, V in tails]
    assert adaptive_log_softmax(A, W, tails).dtype == dtype
    dA, dW, dtails = adaptive_softmax_cross_entropy_vjp(1.0, A, W, tails, y)
    assert {g.dtype for g in (dA, dW, *dtails[0], *dtails[1])} == {np.dtype(dtype)}


ADAPTIVE_REFUSED = {
    "rows": ({"target": np.eye(12)}, ShapeError, "target is (12, 12), expected (12,) class indices"),
    "a label too many": ({"target": np.full(12, 12)}, LabelError, "Label of row 0 is 12, expected 0..11."),
    "no column for a tail": ({"W": np.zeros((4, 1))}, ShapeError, "W is (4, 1), expected a column for each of the 2"),
    "W too low": ({"W": np.zeros((3, 5))}, ShapeError, "A is (12, 4) and W is (3, 5): expected as many columns in A"),
    "H too wide": (
        {"tails": [(np.zeros((4, 2)), np.zeros((3, 4)))] * 2},
        ShapeError,
        "Tail 0 has H (4, 2) and V (3, 4), expected (4, d_t) and (d_t, k_t) with at least one class.",
    ),
}


@pytest.mark.parametrize("case", ADAPTIVE_REFUSED)
def test_what_the_adaptive_softmax_cannot_use_is_refused(case):
    A, W, tails, y = adaptive()
    change, error, message = ADAPTIVE_REFUSED[case]
    given = {"A": A, "W": W, "tails": tails, "target": y, **change}
    for call in (adaptive_softmax_cross_entropy, lambda **o: adaptive_softmax_cross_entropy_vjp(1.0, **o)):
        with pytest.raises(error) as caught:
            call(**given)
        assert str(caught.value).startswith(message)
