"""The loss of an affine layer by chunks of classes: against 50 digits, and against the same loss of given logits."""

import tracemalloc

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy import sparse

from glassmax.errors import LabelError, OptionError, ShapeError
from glassmax.functional import (
    linear_softmax_cross_entropy,
    linear_softmax_cross_entropy_vjp,
    softmax_cross_entropy,
    softmax_cross_entropy_vjp,
)
from glassmax.functional.softcap import capped
from glassmax.gradcheck import check_vjp
from tests import oracle
from tests.grid import FLOATS, one_hot

inf, nan = np.inf, np.nan

OPTIONS = {
    "plain": {},
    "smoothing": {"label_smoothing": 0.1},
    "z-loss": {"z_loss": 0.3},
    "softcap": {"softcap": 2.0},
    "temperature": {"temperature": 0.5},
    "all": {"label_smoothing": 0.2, "z_loss": 0.05, "softcap": 3.0, "temperature": 1.7},
}
every_option = pytest.mark.parametrize("name", OPTIONS)
KINDS = ["indices", "soft", "csr"]
every_kind = pytest.mark.parametrize("kind", KINDS)


def drawn(kind, n=5, d=3, k=7, seed=0):
    """Draw A, W, b, a target and weights, one of which is 0."""
    draw = np.random.default_rng(seed)
    A, W, b = draw.standard_normal((n, d)), 2 * draw.standard_normal((d, k)), draw.standard_normal(k)
    Y = draw.uniform(0, 2, (n, k)) * (draw.random((n, k)) < 0.4)
    T = {"indices": draw.integers(k, size=n), "soft": Y, "csr": sparse.csr_array(Y)}[kind]
    w = draw.uniform(0.5, 2, n)
    w[1:2] = 0
    return A, W, b, T, w


def rows_of(T, k, share=0.0):
    """Write a target out as rows, smoothed."""
    Y = T.toarray() if sparse.issparse(T) else one_hot(T, k) if T.ndim == 1 else T
    return (1 - share) * Y + share * Y.sum(axis=1, keepdims=True) / k


# --- Values and gradients ---


@every_option
@every_kind
def test_loss_and_gradients_agree_with_50_digits(name, kind):
    A, W, b, T, w = drawn(kind)
    of_rows = {option: value for option, value in OPTIONS[name].items() if option != "label_smoothing"}
    Y = rows_of(T, 7, OPTIONS[name].get("label_smoothing", 0))
    true, *true_gradients = oracle.linear_softmax_cross_entropy(A, W, b, Y, w, **of_rows)
    given = {"sample_weight": w, "chunk": 3, **OPTIONS[name]}
    assert oracle.relative_error(linear_softmax_cross_entropy(A, W, b, T, **given), true) < 1e-14
    gradients = linear_softmax_cross_entropy_vjp(1.0, A, W, b, T, **given)
    for gradient, of_oracle in zip(gradients, true_gradients, strict=True):
        np.testing.assert_allclose(gradient, np.array(of_oracle, float), rtol=0, atol=1e-14)


@every_option
@every_kind
@pytest.mark.parametrize("method", ["complex", "central"])
def test_the_pullback_is_the_derivative_and_a_wrong_one_is_found(name, kind, method):
    A, W, b, T, w = drawn(kind)
    given = {"sample_weight": w, "chunk": 4, **OPTIONS[name]}

    def loss(A, W, b):
        return linear_softmax_cross_entropy(A, W, b, T, **given)

    def pullback(dL, A, W, b):
        return linear_softmax_cross_entropy_vjp(dL, A, W, b, T, **given)

    def forgets_the_slope(dL, A, W, b):
        dA, dW, db = pullback(dL, A, W, b)
        return dA, dW, db * 1.001

    assert check_vjp(loss, pullback, A, W, b, method=method).correct
    assert not check_vjp(loss, forgets_the_slope, A, W, b, method=method).correct


@pytest.mark.parametrize("left_out", ["label_smoothing", "z_loss", "softcap", "temperature", "sample_weight"])
def test_a_pullback_that_leaves_an_option_out_is_found(left_out):
    A, W, b, T, w = drawn("soft")
    given = {"sample_weight": w, **OPTIONS["all"]}
    wrong = {name: value for name, value in given.items() if name != left_out}
    report = check_vjp(
        lambda *layer: linear_softmax_cross_entropy(*layer, T, **given),
        lambda dL, *layer: linear_softmax_cross_entropy_vjp(dL, *layer, T, **wrong),
        A, W, b,
    )  # fmt: skip
    assert not report.correct


draws = st.integers(0, 2**32 - 1)


@given(
    seed=draws, n=st.integers(0, 6), d=st.integers(0, 3), k=st.integers(1, 9), chunk=st.integers(1, 10),
    name=st.sampled_from(list(OPTIONS)), kind=st.sampled_from(KINDS), scale=st.sampled_from([1e-3, 1.0, 30.0, 1e4]),
    reduction=st.sampled_from(["mean", "sum", "none"]),
)  # fmt: skip
def test_it_is_the_loss_of_the_logits_whatever_the_chunk(seed, n, d, k, chunk, name, kind, scale, reduction):
    A, W, b, T, _ = drawn(kind, n, d, k, seed)
    A = scale * A
    options = {name: value for name, value in OPTIONS[name].items() if name != "z_loss"}
    smoothing = {"label_smoothing": options.get("label_smoothing", 0.0), "reduction": reduction}
    U = capped(A @ W + b, options.get("softcap"), options.get("temperature", 1.0))
    got = linear_softmax_cross_entropy(A, W, b, T, chunk=chunk, reduction=reduction, **options)
    true = softmax_cross_entropy(U, T, **smoothing)
    np.testing.assert_allclose(got, true, rtol=1e-11, atol=1e-11 * scale)
    dL = np.ones(n) if reduction == "none" else 1.0
    gradients, of_one_chunk = (
        linear_softmax_cross_entropy_vjp(dL, A, W, b, T, chunk=size, reduction=reduction, **OPTIONS[name])
        for size in (chunk, 10)
    )
    for gradient, one, argument in zip(gradients, of_one_chunk, (A, W, b), strict=True):
        assert gradient.shape == argument.shape
        np.testing.assert_allclose(gradient, one, rtol=1e-10, atol=1e-12 * scale * max(n, 1))
    if "softcap" not in options and "temperature" not in options and name != "z-loss":
        dZ = softmax_cross_entropy_vjp(dL, U, T, **smoothing)
        np.testing.assert_allclose(gradients[2], dZ.sum(axis=0), rtol=1e-10, atol=1e-12 * max(n, 1))


@pytest.mark.parametrize("dtype", FLOATS)
@every_kind
def test_every_float_dtype_is_summed_in_float64_and_rounded_once(dtype, kind):
    A, W, b, T, w = drawn(kind)
    A, W, b = (array.astype(dtype) for array in (A, W, b))
    wide = "longdouble" if dtype == "longdouble" else "float64"
    given = {"sample_weight": w, **OPTIONS["all"]}
    L = linear_softmax_cross_entropy(A, W, b, T, **given)
    exact = [array.astype(wide) for array in (A, W, b)]
    assert L.dtype == wide
    assert linear_softmax_cross_entropy(*exact, T, **given) == L
    gradients = linear_softmax_cross_entropy_vjp(1.0, A, W, b, T, **given)
    for gradient, wide_gradient in zip(
        gradients, linear_softmax_cross_entropy_vjp(1.0, *exact, T, **given), strict=True
    ):
        assert gradient.dtype == dtype
        np.testing.assert_array_equal(gradient, wide_gradient.astype(dtype))


def test_without_biases_it_is_the_loss_of_biases_of_0():
    A, W, _, T, w = drawn("indices")
    zero = np.zeros(7)
    given = {"sample_weight": w, **OPTIONS["all"]}
    assert linear_softmax_cross_entropy(A, W, None, T, **given) == linear_softmax_cross_entropy(A, W, zero, T, **given)
    dA, dW, db = linear_softmax_cross_entropy_vjp(1.0, A, W, None, T, **given)
    with_b = linear_softmax_cross_entropy_vjp(1.0, A, W, zero, T, **given)
    assert db is None
    np.testing.assert_array_equal(dA, with_b[0])
    np.testing.assert_array_equal(dW, with_b[1])


def test_leading_axes_are_only_more_rows():
    A, W, b, T, w = drawn("soft", n=6)
    given = {"chunk": 2, **OPTIONS["all"]}
    deep = A.reshape(2, 3, 3), W, b, T.reshape(2, 3, 7)
    L = linear_softmax_cross_entropy(*deep, sample_weight=w.reshape(2, 3), reduction="none", **given)
    np.testing.assert_array_equal(
        L.ravel(), linear_softmax_cross_entropy(A, W, b, T, sample_weight=w, reduction="none", **given)
    )
    dL = np.arange(6.0)
    gradients = linear_softmax_cross_entropy_vjp(dL.reshape(2, 3), *deep, reduction="none", **given)
    flat = linear_softmax_cross_entropy_vjp(dL, A, W, b, T, reduction="none", **given)
    for one, other in zip(gradients, flat, strict=True):
        np.testing.assert_array_equal(one.ravel(), other.ravel())


def test_rows_beyond_a_block_count(monkeypatch):
    from glassmax.functional.losses import class_chunks

    A, W, b, T, w = drawn("csr", n=40)
    given = {"sample_weight": w, "chunk": 3, **OPTIONS["all"]}
    whole = (
        linear_softmax_cross_entropy(A, W, b, T, **given),
        linear_softmax_cross_entropy_vjp(1.0, A, W, b, T, **given),
    )
    monkeypatch.setattr(class_chunks, "LEAST_ROWS", 7)
    monkeypatch.setattr(class_chunks, "LEAST_NUMBERS", 7)
    np.testing.assert_allclose(linear_softmax_cross_entropy(A, W, b, T, **given), whole[0], rtol=1e-14)
    for one, other in zip(linear_softmax_cross_entropy_vjp(1.0, A, W, b, T, **given), whole[1], strict=True):
        np.testing.assert_allclose(one, other, rtol=1e-12, atol=1e-15)


@pytest.mark.parametrize("kind", ["indices", "csr"])
def test_no_array_of_rows_times_classes_and_none_of_classes_times_classes(kind):
    n, d, k = 512, 2, 100_000  # n k numbers are 400 MB, k k numbers 80 GB
    draw = np.random.default_rng(0)
    A, W, y = draw.standard_normal((n, d)), draw.standard_normal((d, k)), draw.integers(k, size=n)
    T = y if kind == "indices" else sparse.csr_array((np.ones(n), (np.arange(n), y)), shape=(n, k))
    given = {"label_smoothing": 0.1, "z_loss": 0.1, "softcap": 5.0, "chunk": 4096}
    tracemalloc.start()
    loss = linear_softmax_cross_entropy(A, W, None, T, **given)
    linear_softmax_cross_entropy_vjp(1.0, A, W, None, T, **given)
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert np.isfinite(loss)
    assert peak < 60e6


# --- Hostile logits ---

ROWS = [
    [0, -inf, 1, 2], [-inf] * 4, [inf, 0, 0, 1], [nan, 0, 0, 1], [0, 0, 0, nan], [-inf, -inf, 3, 3],
    [-inf, 0, -inf, -inf], [1e300, -1e300, 0, 0], [800, 0, -800, 800], [inf, inf, 0, 0], [40, 0, 0, 0],
]  # fmt: skip


@pytest.mark.parametrize("row", ROWS, ids=str)
@pytest.mark.parametrize("chunk", [1, 2, 3, 4])
@pytest.mark.parametrize("share", [0.0, 0.25])
def test_hostile_logits_cost_what_they_cost_without_chunks(row, chunk, share):
    layer = np.ones((1, 1)), np.zeros((1, 4)), np.array(row)
    for T in ([0], [1], [3], [[1, 0, 0, 0]], [[0.5, 0, 0.25, 1]], [[0, 0, 0, 0]]):
        of_logits, given = {"label_smoothing": share}, {"label_smoothing": share, "chunk": chunk}
        np.testing.assert_allclose(
            linear_softmax_cross_entropy(*layer, T, **given), softmax_cross_entropy([row], T, **of_logits), rtol=1e-15
        )
        true = softmax_cross_entropy_vjp(1.0, [row], T, **of_logits)[0]
        np.testing.assert_allclose(
            linear_softmax_cross_entropy_vjp(1.0, *layer, T, **given)[2], true, rtol=1e-15, atol=1e-300
        )


def test_a_tiny_loss_keeps_its_digits_whatever_the_chunk():
    A, W = [[1.0]], [[40.0, 0.0, 0.0]]
    for chunk in (1, 2, 3):
        assert linear_softmax_cross_entropy(A, W, None, [0], chunk=chunk) == pytest.approx(2 * np.exp(-40), rel=1e-15)
        _, dW, _ = linear_softmax_cross_entropy_vjp(1.0, A, W, None, [0], chunk=chunk)
        assert dW[0, 0] == pytest.approx(-2 * np.exp(-40), rel=1e-15)


@pytest.mark.parametrize("z", [1e3, 1e30, 1e300, inf])
def test_far_beyond_a_softcap_a_logit_is_the_softcap_and_its_gradient_vanishes(z):
    b = np.array([z, 0.0, -z])
    given = {"softcap": 5.0, "chunk": 2}
    layer = np.ones((1, 1)), np.zeros((1, 3)), b
    true = softmax_cross_entropy([[5.0, 0.0, -5.0]], [1])
    assert linear_softmax_cross_entropy(*layer, [1], **given) == pytest.approx(true, rel=1e-15)
    _, _, db = linear_softmax_cross_entropy_vjp(1.0, *layer, [1], **given)
    assert abs(db[[0, 2]]).max() < 1e-80
    assert db[1] < -0.9


def test_the_gradient_keeps_its_digits_close_to_a_softcap():
    layer = np.ones((1, 1)), np.zeros((1, 2)), np.array([20.0, 0.0])  # tanh(20) is 1 but for 8e-18
    _, _, db = linear_softmax_cross_entropy_vjp(1.0, *layer, [1], softcap=1.0)
    *_, true = oracle.linear_softmax_cross_entropy([[1.0]], [[0.0, 0.0]], [20.0, 0.0], [[0, 1]], [1.0], softcap=1.0)
    np.testing.assert_allclose(db, np.array(true, float), rtol=1e-14)


# --- Rows that do not count ---


def test_a_row_of_weight_0_is_absent_whatever_it_holds():
    A, W, b, T, w = drawn("indices")
    hostile = A.copy()
    hostile[1] = [nan, inf, -inf]
    given = {"sample_weight": w, **OPTIONS["all"]}
    assert linear_softmax_cross_entropy(hostile, W, b, T, **given) == linear_softmax_cross_entropy(A, W, b, T, **given)
    gradients = linear_softmax_cross_entropy_vjp(1.0, hostile, W, b, T, **given)
    for one, other in zip(gradients, linear_softmax_cross_entropy_vjp(1.0, A, W, b, T, **given), strict=True):
        np.testing.assert_array_equal(one, other)
    assert gradients[0][1].tolist() == [0, 0, 0]


@pytest.mark.parametrize("label", [-100, 3, 0])
def test_ignored_rows_have_weight_0_and_the_mean_is_over_the_others(label):
    A, W, b, T, _ = drawn("indices", n=8)
    T = np.array([1, label, 2, 5, label, 6, 1, 2])
    others = label != T
    given = dict(OPTIONS["all"])
    L = linear_softmax_cross_entropy(A, W, b, T, ignore_index=label, **given)
    assert linear_softmax_cross_entropy(A[others], W, b, T[others], **given) == L
    dA, dW, db = linear_softmax_cross_entropy_vjp(1.0, A, W, b, T, ignore_index=label, **given)
    of_others = linear_softmax_cross_entropy_vjp(1.0, A[others], W, b, T[others], **given)
    np.testing.assert_array_equal(dA[others], of_others[0])
    assert not dA[~others].any()
    np.testing.assert_array_equal(dW, of_others[1])
    np.testing.assert_array_equal(db, of_others[2])


def test_if_all_rows_are_ignored_the_mean_is_nan_and_the_gradients_are_0():
    A, W, b, _, _ = drawn("indices")
    given = {"ignore_index": -1}
    assert np.isnan(linear_softmax_cross_entropy(A, W, b, [-1] * 5, **given))
    assert linear_softmax_cross_entropy(A, W, b, [-1] * 5, reduction="sum", **given) == 0
    for gradient in linear_softmax_cross_entropy_vjp(1.0, A, W, b, [-1] * 5, **given):
        assert not gradient.any()


# --- Errors ---

A23, W34, B4 = np.zeros((2, 3)), np.zeros((3, 4)), np.zeros(4)
REFUSED = {
    "W of one axis": ((A23, np.zeros(3), None, [0, 1]), {}, ShapeError, "W is (3,), expected (d, k)"),
    "no class": ((A23, np.zeros((3, 0)), None, [0, 1]), {}, ShapeError, "W is (3, 0), expected (d, k)"),
    "W transposed": ((A23, W34.T, B4, [0, 1]), {}, ShapeError, "W looks transposed: pass W.T."),
    "b too short": ((A23, W34, np.zeros(3), [0, 1]), {}, ShapeError, "b is (3,), expected (4,)"),
    "labels from 1": ((A23, W34, B4, [1, 4]), {}, LabelError, "Labels count from 0: subtract 1."),
    "a column": ((A23, W34, B4, [[0], [1]]), {}, ShapeError, "Pass y.ravel()"),
    "sparse and short": ((A23, W34, B4, sparse.csr_array((2, 5))), {}, ShapeError, "Labels have shape (2, 5)"),
    "ignored rows": (
        (A23, W34, B4, np.eye(4)[:2]),
        {"ignore_index": 1},
        OptionError,
        "None for a target of rows, which have no label",
    ),
    "half an index": ((A23, W34, B4, [0, 1]), {"ignore_index": 0.5}, OptionError, "ignore_index is 0.5"),
    "softcap 0": ((A23, W34, B4, [0, 1]), {"softcap": 0}, OptionError, "softcap is 0, expected a number > 0 or None."),
    "z-loss": ((A23, W34, B4, [0, 1]), {"z_loss": -1}, OptionError, "z_loss is -1, expected a number >= 0."),
    "temperature": (
        (A23, W34, B4, [0, 1]),
        {"temperature": 0},
        OptionError,
        "temperature is 0, expected a number > 0.",
    ),
    "smoothing": ((A23, W34, B4, [0, 1]), {"label_smoothing": 2}, OptionError, "label_smoothing is 2"),
    "chunk": ((A23, W34, B4, [0, 1]), {"chunk": 0}, OptionError, "chunk is 0, expected a whole number >= 1."),
    "reduction": ((A23, W34, B4, [0, 1]), {"reduction": "max"}, OptionError, "reduction is 'max'"),
    "weights": ((A23, W34, B4, [0, 1]), {"sample_weight": [1]}, ShapeError, "sample_weight has shape (1,)"),
}


@pytest.mark.parametrize("case", REFUSED)
def test_what_cannot_be_computed_is_refused(case):
    arguments, options, error, message = REFUSED[case]
    for call in (linear_softmax_cross_entropy, lambda *a, **o: linear_softmax_cross_entropy_vjp(1.0, *a, **o)):
        with pytest.raises(error) as caught:
            call(*arguments, **options)
        assert message in str(caught.value)
