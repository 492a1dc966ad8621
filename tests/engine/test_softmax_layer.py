"""A softmax layer that is a call of its own: the native engine against the reference, the reference against logits."""

import numpy as np
import pytest
from scipy import sparse

from glassmax.engine import ReferenceEngine
from glassmax.errors import LabelError, OptionError, ShapeError
from glassmax.functional import linear_softmax_cross_entropy

native = pytest.importorskip("glassmax.engine.native")
NativeEngine = native.NativeEngine

REFERENCE = ReferenceEngine(1)
SMALL, LARGE = 16_000_000, 2**30
ENGINES = [NativeEngine(1, isa) for isa in native.INSTRUCTION_SETS]
SHAPES = [(1, 1, 1), (5, 3, 2), (7, 9, 255), (70, 33, 300), (241, 16, 257), (1000, 13, 600), (1100, 40, 1000)]
CSR = "labels as CSR"
OPTIONS = {
    "plain": {},
    "smoothed": {"label_smoothing": 0.1},
    "z-loss": {"z_loss": 0.01},
    "softcap": {"softcap": 2.0},
    "temperature": {"temperature": 1.5},
    "all": {"label_smoothing": 0.1, "z_loss": 0.01, "softcap": 3.0, "temperature": 0.7},
    "sum": {"reduction": "sum"},
    "none": {"reduction": "none"},
}

every_engine = pytest.mark.parametrize("engine", ENGINES, ids=lambda engine: engine.isa)


def problem(n, d, k, dtype="float64", seed=0):
    draw = np.random.default_rng(seed)
    A, W, b = (draw.standard_normal(shape).astype(dtype) for shape in ((n, d), (d, k), (k,)))
    return A, W, b, draw.integers(0, k, n)


def soft(y, k):
    """Each label, and a class beside it."""
    n = len(y)
    values = np.tile([0.75, 0.25], (n, 1)).ravel()
    columns = np.stack([y, (y + 1) % k], axis=1).ravel()
    return sparse.csr_array((values, columns, 2 * np.arange(n + 1)), shape=(n, k))


def weights(n):
    return np.arange(n) % 4 / 2.0


def wide(layer):
    return [None if array is None else array.astype("float64") if array.dtype.kind == "f" else array for array in layer]


def close(got, right, tolerance):
    np.testing.assert_allclose(got.loss, right.loss, rtol=tolerance, atol=tolerance)
    for ours, theirs in zip(got[1:], right[1:], strict=True):
        if theirs is None:
            assert ours is None
            continue
        scale = max(np.abs(theirs).max(), 1e-30)
        assert np.abs(ours - theirs).max() <= tolerance * scale
        if scale > 1e-12:
            assert np.abs(1.0001 * ours - theirs).max() > tolerance * scale  # a wrong one would be seen


@every_engine
@pytest.mark.parametrize("dtype", ["float32", "float64"])
@pytest.mark.parametrize("option", OPTIONS)
def test_loss_and_gradients_agree_with_the_reference(engine, dtype, option):
    how = OPTIONS[option]
    for i, (n, d, k) in enumerate(SHAPES):
        A, W, b, y = problem(n, d, k, dtype, seed=i)
        b = b if i % 2 else None
        w = weights(n) if i % 3 else None
        dL = np.linspace(0.5, 2, n) if option == "none" else 3.0
        how = OPTIONS[option] | {"sample_weight": w, "dL": dL}
        right = REFERENCE.linear_softmax_cross_entropy(*wide((A, W, b, y)), **how)
        close(engine.linear_softmax_cross_entropy(A, W, b, y, **how), right, 2e-6 if dtype == "float32" else 1e-12)
        turned = engine.linear_softmax_cross_entropy(A, np.ascontiguousarray(W.T), b, y, transposed=True, **how)
        close(turned._replace(dW=turned.dW.T), right, 2e-6 if dtype == "float32" else 1e-12)
        assert turned.dW.dtype == dtype
        assert turned.dW.flags.c_contiguous


@every_engine
@pytest.mark.parametrize(
    ("n", "d", "k", "labels"),
    [(256, 64, 5000, 5000), (256, 64, 40_000, 40_000), (1024, 200, 2000, 3), (600, 33, 3000, 50), (256, 512, 1000, 1)],
)
def test_float32_gradients_are_within_a_millionth_of_their_rows_scale(engine, n, d, k, labels):
    A, W, b, y = problem(n, d, k, "float32")
    W *= np.float32(d**-0.5)
    y %= labels
    capped = {"softcap": 3.0, "label_smoothing": 0.1}  # the slope of the cap, 1 - (u/c)^2, has fewer digits
    for how, bound in (({}, 1e-6), ({"label_smoothing": 0.1}, 1e-6), (capped, 2e-5)):
        got = engine.linear_softmax_cross_entropy(A, W, b, y, **how)
        right = engine.linear_softmax_cross_entropy(*wide((A, W, b, y)), **how)
        for ours, exact in zip(got[1:], right[1:], strict=True):
            scale = np.abs(exact).max(axis=-1, keepdims=True)
            assert (np.abs(ours - exact) <= bound * scale).all()
            assert (np.abs((1 + 10 * bound) * ours - exact) > bound * scale).any()  # a wrong one would be seen


def test_soft_labels_as_sparse_rows_agree_with_the_reference():
    for n, d, k in SHAPES[1:]:
        A, W, b, y = problem(n, d, k)
        how = {"label_smoothing": 0.1, "z_loss": 0.01, "sample_weight": weights(n)}
        for target in (soft(y, k), sparse.csr_matrix(soft(y, k)), soft(y, k).toarray()):
            right = REFERENCE.linear_softmax_cross_entropy(A, W, b, target, **how)
            close(NativeEngine(1).linear_softmax_cross_entropy(A, W, b, target, **how), right, 1e-12)


@pytest.mark.parametrize("engine", [NativeEngine(1), REFERENCE], ids=lambda engine: engine.name)
def test_the_gradients_are_those_of_the_loss(engine):
    A, W, b, y = problem(6, 4, 11)
    how = {"label_smoothing": 0.1, "sample_weight": weights(6) + 0.1}
    result = engine.linear_softmax_cross_entropy(A, W, b, y, dL=2.0, **how)
    draw = np.random.default_rng(1)
    for place, gradient in enumerate(result[1:]):
        step = 1e-6 * draw.standard_normal(gradient.shape)
        arrays = [[A, W, b], [A, W, b]]
        arrays[0][place], arrays[1][place] = arrays[0][place] + step, arrays[1][place] - step
        up, down = (linear_softmax_cross_entropy(*three, y, **how) for three in arrays)
        np.testing.assert_allclose((gradient * step).sum(), up - down, rtol=1e-6)
        assert abs((1.001 * gradient * step).sum() - (up - down)) > 1e-4 * abs(up - down)


@pytest.mark.parametrize("dtype", ["float32", "float64"])
@pytest.mark.parametrize("option", OPTIONS)
def test_no_bit_depends_on_threads_or_memory(dtype, option):
    A, W, b, y = problem(1500, 8, 9000, dtype)
    how = OPTIONS[option] | {"sample_weight": weights(1500)}

    def bits(threads, memory):
        engine = NativeEngine(threads, memory_limit=memory)
        result = engine.linear_softmax_cross_entropy(A, W, b, y, **how)
        return [np.asarray(array).tobytes() for array in result]

    first = bits(1, SMALL)
    assert bits(1, LARGE) == bits(2, SMALL) == bits(3, LARGE) == bits(2, 2**26) == first


@pytest.mark.parametrize("engine", [NativeEngine(1), REFERENCE], ids=lambda engine: engine.name)
def test_gradients_that_are_not_wanted_are_not_there_and_change_no_other(engine):
    A, W, b, y = problem(300, 9, 500)
    everything = engine.linear_softmax_cross_entropy(A, W, b, y)
    for names in [(), ("dA",), ("dW",), ("db",), ("dA", "dW"), ("dA", "db"), ("dW", "db")]:
        some = engine.linear_softmax_cross_entropy(A, W, b, y, gradients=names)
        assert some.loss == everything.loss
        for name in ("dA", "dW", "db"):
            of_all, of_some = getattr(everything, name), getattr(some, name)
            assert of_some is None if name not in names else np.array_equal(of_some, of_all)
    assert engine.linear_softmax_cross_entropy(A, W, b, y, gradients=False) == (everything.loss, None, None, None)
    assert engine.linear_softmax_cross_entropy(A, W, None, y).db is None


@pytest.mark.parametrize("engine", [NativeEngine(1), REFERENCE], ids=lambda engine: engine.name)
def test_gradients_are_written_into_arrays_that_are_given(engine):
    A, W, b, y = problem(300, 9, 500)
    right = engine.linear_softmax_cross_entropy(A, W, b, y)
    given = {"dW": np.full_like(W, np.nan), "db": np.full_like(b, np.nan)}
    result = engine.linear_softmax_cross_entropy(A, W, b, y, gradients=given)
    assert result.dA is None
    assert result.dW is given["dW"]
    assert np.array_equal(given["dW"], right.dW)
    assert np.array_equal(given["db"], right.db)
    for wrong in (np.zeros((500, 9)), np.zeros((9, 500), "float32"), np.zeros((500, 9)).T):
        with pytest.raises(ShapeError, match=r"dW is .*, expected \(9, 500\) of float64, in C order"):
            engine.linear_softmax_cross_entropy(A, W, b, y, gradients={"dW": wrong})


@pytest.mark.parametrize("engine", [NativeEngine(1), REFERENCE], ids=lambda engine: engine.name)
def test_a_row_that_is_ignored_or_has_weight_0_is_absent_whatever_it_holds(engine):
    A, W, b, y = problem(300, 9, 500)
    kept = np.arange(300) % 3 > 0
    right = engine.linear_softmax_cross_entropy(A[kept], W, b, y[kept])
    A[~kept] = np.nan
    ignored = engine.linear_softmax_cross_entropy(A, W, b, np.where(kept, y, -100), ignore_index=-100)
    weighted = engine.linear_softmax_cross_entropy(A, W, b, y, sample_weight=kept)
    for result in (ignored, weighted):
        np.testing.assert_allclose(result.loss, right.loss, rtol=1e-13)
        np.testing.assert_allclose(result.dW, right.dW, atol=1e-15)
        assert not result.dA[~kept].any()
        np.testing.assert_allclose(result.dA[kept], right.dA, atol=1e-15)
    losses = engine.linear_softmax_cross_entropy(A, W, b, np.where(kept, y, 7), ignore_index=7, reduction="none").loss
    assert not losses[~kept | (y == 7)].any()


@pytest.mark.parametrize("engine", [NativeEngine(1), REFERENCE], ids=lambda engine: engine.name)
@pytest.mark.parametrize("n", [0, 4])
def test_the_mean_of_no_rows_is_nan_and_its_gradients_are_0(engine, n):
    A, W, b, _ = problem(n, 3, 5)
    result = engine.linear_softmax_cross_entropy(A, W, b, np.full(n, -1), ignore_index=-1)
    assert np.isnan(result.loss)
    assert not any(gradient.any() for gradient in result[1:])
    assert engine.linear_softmax_cross_entropy(A, W, b, np.full(n, -1), ignore_index=-1, reduction="sum").loss == 0


@every_engine
@pytest.mark.parametrize("dtype", ["float32", "float64"])
def test_hostile_logits_are_those_of_the_reference(engine, dtype):
    A, W, b, y = problem(40, 3, 4500, dtype)
    W[:, 7] *= 1e30
    b[11] = -np.inf
    y[y == 11] = 12
    with np.errstate(all="ignore"):
        right = REFERENCE.linear_softmax_cross_entropy(*wide((A, W, b, y)))
        got = engine.linear_softmax_cross_entropy(A, W, b, y)
    np.testing.assert_allclose(got.loss, right.loss, rtol=1e-6)
    np.testing.assert_allclose(got.dA, right.dA, rtol=1e-5, atol=1e-6 * np.abs(right.dA).max())
    np.testing.assert_allclose(got.dW, right.dW, rtol=1e-5, atol=1e-6)
    b[:] = 0
    b[3] = 40
    W[:] = 0
    tiny = engine.linear_softmax_cross_entropy(A, W, b, np.full(40, 3))
    np.testing.assert_allclose([tiny.loss, -tiny.db[3]], 4499 * np.exp(-40.0), rtol=1e-6)
    b[3] = np.nan
    assert np.isnan(engine.linear_softmax_cross_entropy(A, W, b, y).loss)


def test_arrays_in_any_layout_give_the_same_bits():
    A, W, b, y = problem(30, 9, 500)
    right = NativeEngine(1).linear_softmax_cross_entropy(A, W, b, y)
    strange = np.asfortranarray(A), np.asfortranarray(W), np.repeat(b, 2)[::2], y.astype("int16")
    got = NativeEngine(1).linear_softmax_cross_entropy(*strange)
    assert all(np.array_equal(ours, theirs) for ours, theirs in zip(got, right, strict=True))


A, W, b, y = problem(4, 3, 5)
ERRORS = {
    "A is (4,), expected (n, d): rows are samples.": (ShapeError, (A[:, 0], W, b, y), {}),
    "W is (5, 3), expected (3, k) for an A of (4, 3).": (ShapeError, (A, W.T, b, y), {}),
    "W is (3, 5), expected (k, 3) for an A of (4, 3).": (ShapeError, (A, W, b, y), {"transposed": True}),
    "b is (3,), expected (5,): one number for each class.": (ShapeError, (A, W, b[:3], y), {}),
    "W is float32, expected float64, as A is.": (OptionError, (A, W.astype("float32"), b, y), {}),
    "b is float32, expected float64, as A is.": (OptionError, (A, W, b.astype("float32"), y), {}),
    "Label of row 2 is 5, expected 0..4.": (LabelError, (A, W, b, [0, 1, 5, 0]), {}),
    "sample_weight of row 1 is -1, expected a finite number >= 0.": (
        LabelError,
        (A, W, b, y),
        {"sample_weight": [1, -1, 1, 1]},
    ),
    "label_smoothing is 2, expected a number from 0 to 1.": (OptionError, (A, W, b, y), {"label_smoothing": 2}),
    "z_loss is -1, expected a number >= 0.": (OptionError, (A, W, b, y), {"z_loss": -1}),
    "softcap is 0, expected a number > 0 or None.": (OptionError, (A, W, b, y), {"softcap": 0}),
    "temperature is 0, expected a number > 0.": (OptionError, (A, W, b, y), {"temperature": 0}),
    "ignore_index is 0.5, expected a whole number or None.": (OptionError, (A, W, b, y), {"ignore_index": 0.5}),
    "ignore_index is 1, expected None for a target of rows, which have no label.": (
        OptionError,
        (A, W, b, soft(y, 5)),
        {"ignore_index": 1},
    ),
    "reduction is 'avg', expected one of mean, sum, none.": (OptionError, (A, W, b, y), {"reduction": "avg"}),
    "gradients is 'dX', expected one of dA, dW, db.": (OptionError, (A, W, b, y), {"gradients": ("dX",)}),
    "dL is (3,), expected (4,) for reduction='none'.": (
        ShapeError,
        (A, W, b, y),
        {"reduction": "none", "dL": np.ones(3)},
    ),
}


@pytest.mark.parametrize("engine", [NativeEngine(1), REFERENCE], ids=lambda engine: engine.name)
@pytest.mark.parametrize("message", ERRORS)
def test_the_message_is_word_for_word(engine, message):
    kind, layer, how = ERRORS[message]
    with pytest.raises(kind) as caught:
        engine.linear_softmax_cross_entropy(*layer, **how)
    assert str(caught.value).startswith(message)


def test_another_dtype_is_for_the_reference_engine():
    A, W, b, y = problem(4, 3, 5, "float16")
    assert REFERENCE.linear_softmax_cross_entropy(A, W, b, y).dW.dtype == "float16"
    with pytest.raises(OptionError, match="A is float16, and the native engine computes in float32 and float64"):
        NativeEngine(1).linear_softmax_cross_entropy(A, W, b, y)
