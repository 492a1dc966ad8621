"""`glassmax.jax.linear_softmax_cross_entropy` against the cross-entropy of all logits in JAX.

Run by ``make test-jax``: the ordinary tests need no JAX.
"""

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from glassmax.engine import ReferenceEngine
from glassmax.errors import OptionError, ShapeError
from glassmax.jax import linear_softmax_cross_entropy

jax.config.update("jax_enable_x64", True)
D, K = 13, 301


def problem(*rows, dtype="float64", k=K):
    draw = np.random.default_rng(0)
    arrays = [jnp.asarray(draw.standard_normal(shape), dtype) for shape in ((*rows, D), (D, k), (k,))]
    return *arrays, jnp.asarray(draw.integers(0, k, rows))


def plain(
    A, W, b, y, sample_weight=None, ignore_index=None, label_smoothing=0.0, z_loss=0.0, softcap=None, temperature=1.0,
    reduction="mean",
):  # fmt: skip
    U = (A @ W + (0 if b is None else b)) / temperature
    U = U if softcap is None else softcap * jnp.tanh(U / softcap)
    Y = jax.nn.one_hot(y, W.shape[1], dtype=U.dtype) * (1 - label_smoothing) + label_smoothing / W.shape[1]
    L = -(Y * jax.nn.log_softmax(U)).sum(-1) + z_loss * jax.nn.logsumexp(U, axis=-1) ** 2
    w = jnp.ones(y.shape, U.dtype) if sample_weight is None else sample_weight
    w = w if ignore_index is None else jnp.where(y == ignore_index, 0, w)
    return w * L if reduction == "none" else (w * L).sum() / (w.sum() if reduction == "mean" else 1)


OPTIONS = {
    "plain": {},
    "smoothed": {"label_smoothing": 0.1},
    "weights": {"sample_weight": True, "ignore_index": 3},
    "z_loss": {"z_loss": 0.01},
    "softcap": {"softcap": 5.0},
    "temperature": {"temperature": 2.0},
    "sum": {"reduction": "sum"},
    "none": {"reduction": "none"},
}


@pytest.mark.parametrize("dtype", ["float32", "float64"])
@pytest.mark.parametrize("option", OPTIONS)
@pytest.mark.parametrize("compiled", [False, True])
def test_loss_and_gradients_are_those_of_all_logits(option, dtype, compiled):
    A, W, b, y = problem(5, 60, dtype=dtype)
    how = OPTIONS[option]
    if "sample_weight" in how:
        how = how | {"sample_weight": jnp.linspace(0, 2, 300, dtype=dtype).reshape(5, 60)}

    def value_and_gradients(f, *arrays):
        def total(*arrays):
            L = f(*arrays, y, **how)
            return (L * jnp.linspace(0.5, 3, L.size, dtype=L.dtype).reshape(L.shape)).sum()

        g = jax.value_and_grad(total, argnums=(0, 1, 2))
        return (jax.jit(g) if compiled else g)(*arrays)

    value, gradients = value_and_gradients(linear_softmax_cross_entropy, A, W, b)
    right, others = value_and_gradients(plain, *(array.astype("float64") for array in (A, W, b)))
    tolerance = 1e-5 if dtype == "float32" else 1e-11
    assert value.dtype == dtype
    np.testing.assert_allclose(value, right, rtol=tolerance)
    for gradient, other in zip(gradients, others, strict=True):
        assert gradient.dtype == dtype
        assert jnp.abs(gradient - other).max() <= tolerance * jnp.abs(other).max()
        assert jnp.abs(1.01 * gradient - other).max() > tolerance * jnp.abs(other).max()


@pytest.mark.parametrize("reduction", ["mean", "none"])
def test_only_gradients_that_are_needed_are_computed(monkeypatch, reduction):
    asked = []
    of_engine = ReferenceEngine.linear_softmax_cross_entropy

    def spy(self, *layer, gradients, **how):
        asked.append(sorted(gradients))
        return of_engine(self, *layer, gradients=gradients, **how)

    monkeypatch.setattr(ReferenceEngine, "linear_softmax_cross_entropy", spy)
    monkeypatch.setattr("glassmax.jax.best_engine", lambda *_: ReferenceEngine(1))
    A, W, b, y = problem(9)
    linear_softmax_cross_entropy(A, W, b, y).block_until_ready()
    assert asked == [[]]
    for place, name in enumerate(("dA", "dW", "db")):
        jax.grad(lambda *a: linear_softmax_cross_entropy(*a, y, reduction=reduction).sum(), argnums=place)(A, W, b)
        assert asked[-1] == [name]
    jax.grad(lambda A: linear_softmax_cross_entropy(A, W, None, y))(A)
    assert asked[-1] == ["dA"]


def test_vmap_goes_through_its_batch():
    A, W, b, y = problem(5, 9)
    f = lambda a, t: linear_softmax_cross_entropy(a, W, b, t)
    np.testing.assert_allclose(jax.vmap(f)(A, y), [f(A[i], y[i]) for i in range(5)])
    np.testing.assert_allclose(jax.vmap(jax.grad(f))(A, y), [jax.grad(f)(A[i], y[i]) for i in range(5)])


def test_an_embedding_can_be_the_head_too():
    _, W, _, y = problem(9)
    f = lambda loss: jax.grad(lambda E: loss(jnp.tanh(E[y]), E.T, None, y))(W.T)
    np.testing.assert_allclose(f(linear_softmax_cross_entropy), f(plain), atol=1e-14)


def test_the_engine_works_on_the_buffers_of_jax(monkeypatch):
    A, W, b, y = problem(70, k=5000, dtype="float32")
    seen = {}

    class Engine(ReferenceEngine):
        def linear_softmax_cross_entropy(self, A, W, b, target, *, gradients, **how):
            seen.update(A=A, W=W, b=b, **gradients)
            seen.update({name: array.__array_interface__["data"][0] for name, array in seen.items()})
            return super().linear_softmax_cross_entropy(A, W, b, target, gradients=gradients, **how)

    monkeypatch.setattr("glassmax.jax.best_engine", lambda *_: Engine(1))
    dA, dW = jax.jit(jax.grad(linear_softmax_cross_entropy, argnums=(0, 1)))(A, W, b, y)
    for name, array in {"A": A, "W": W, "b": b, "dA": dA, "dW": dW}.items():
        assert array.unsafe_buffer_pointer() == seen[name], name


def test_no_bit_depends_on_threads_or_memory():
    A, W, b, y = problem(500, k=5000, dtype="float32")
    results = [
        jax.value_and_grad(linear_softmax_cross_entropy, argnums=1)(A, W, b, y, n_threads=threads, memory_limit=memory)
        for threads, memory in [(1, 16_000_000), (2, 16_000_000), (2, 2**30)]
    ]
    assert all(jnp.array_equal(a, b) for other in results[1:] for a, b in zip(results[0], other, strict=True))


def test_what_has_no_derivative_is_an_error():
    A, W, b, y = problem(9)
    f = lambda b: linear_softmax_cross_entropy(A, W, b, y)
    with pytest.raises(ValueError, match="do not support JVP"):
        jax.hessian(f)(b)
    with pytest.raises(TypeError, match="forward-mode"):
        jax.jvp(f, (b,), (b,))
    with pytest.raises(OptionError, match="sample_weight is differentiated, expected a constant"):
        jax.grad(lambda w: linear_softmax_cross_entropy(A, W, b, y, sample_weight=w))(jnp.ones(9))


def test_a_label_out_of_range_is_an_error_when_it_runs():
    A, W, b, y = problem(9)
    with pytest.raises(jax.errors.JaxRuntimeError, match=r"LabelError: Label of row 2 is 301, expected 0\.\.300"):
        jax.jit(linear_softmax_cross_entropy)(A, W, b, y.at[2].set(K)).block_until_ready()


ERRORS = {
    "A is bfloat16, expected float32 or float64.": (
        OptionError,
        lambda A, W, b, y: ((A.astype("bfloat16"), W, b, y), {}),
    ),
    "W is float32, expected float64, as A is.": (OptionError, lambda A, W, b, y: ((A, W.astype("float32"), b, y), {})),
    "A is (9, 13) and W (301, 13), expected (..., d) and (d, k).": (
        ShapeError,
        lambda A, W, b, y: ((A, W.T, b, y), {}),
    ),
    "b is (300,), expected (301,): one number for each class.": (ShapeError, lambda A, W, b, y: ((A, W, b[1:], y), {})),
    "target is float64, expected an array of class indices.": (
        OptionError,
        lambda A, W, b, y: ((A, W, b, y * 1.0), {}),
    ),
    "target is (9, 1), expected (9,): one class index for each row.": (
        ShapeError,
        lambda A, W, b, y: ((A, W, b, y[:, None]), {}),
    ),
    "sample_weight has shape (3,), expected (9,): one number a row.": (
        ShapeError,
        lambda A, W, b, y: ((A, W, b, y), {"sample_weight": jnp.ones(3)}),
    ),
    "reduction is 'avg', expected one of mean, sum, none.": (
        OptionError,
        lambda A, W, b, y: ((A, W, b, y), {"reduction": "avg"}),
    ),
    "label_smoothing is 2, expected a number from 0 to 1.": (
        OptionError,
        lambda A, W, b, y: ((A, W, b, y), {"label_smoothing": 2}),
    ),
}


@pytest.mark.parametrize("message", ERRORS)
def test_the_message_is_word_for_word(message):
    kind, call = ERRORS[message]
    arrays, how = call(*problem(9))
    with pytest.raises(kind) as caught:
        linear_softmax_cross_entropy(*arrays, **how)
    assert str(caught.value) == message
