"""Every parameter of SoftmaxClassifier does what its description says.

The oracle is `by_hand`: a training loop in NumPy that takes the same parameters, written from their descriptions and
from nothing else. What it doesn't cover is held against scikit-learn, or against a sentence of the docstring.
"""

import inspect
from itertools import pairwise
from types import SimpleNamespace

import numpy as np
import pytest
from scipy.special import erf
from sklearn import metrics
from sklearn.exceptions import ConvergenceWarning
from sklearn.linear_model import LogisticRegression
from sklearn.neural_network import MLPClassifier
from threadpoolctl import threadpool_info, threadpool_limits

import glassmax.estimator.classifier
from glassmax import Network, SoftmaxClassifier
from glassmax.engine import best_engine
from glassmax.functional import ACTIVATIONS
from glassmax.functional.arrays import weighted_sum
from glassmax.initializers import SCHEMES
from tests.estimator.iris import IRIS, NAMES, SEEN, SEVERAL, SOFT, SPECIES, UNSEEN, W, assert_same_bits, small

pytestmark = pytest.mark.filterwarnings("ignore::sklearn.exceptions.ConvergenceWarning")

PARAMETERS = inspect.signature(SoftmaxClassifier).parameters


# the loop written out by hand


FUNCTIONS = {
    "identity": lambda z: z,
    "sigmoid": lambda z: 1 / (1 + np.exp(-z)),
    "logistic": lambda z: 1 / (1 + np.exp(-z)),
    "tanh": np.tanh,
    "relu": lambda z: np.where(z.real > 0, z, 0),
    "leaky_relu": lambda z: np.where(z.real > 0, z, 0.01 * z),
    "elu": lambda z: np.where(z.real > 0, z, np.exp(z) - 1),
    "selu": lambda z: 1.0507009873554805 * np.where(z.real > 0, z, 1.6732632423543772 * (np.exp(z) - 1)),
    "gelu": lambda z: z * (1 + erf(z / np.sqrt(2))) / 2,
    "silu": lambda z: z / (1 + np.exp(-z)),
    "mish": lambda z: z * np.tanh(np.log(1 + np.exp(z))),
    "softplus": lambda z: np.log(1 + np.exp(z)),
}


def slope(f, z):
    """Return f'(z) by the complex step, exact to the last digits."""
    return f(z + 1e-30j).imag / 1e-30


def splitmix64(key, i):
    """Return output i of SplitMix64 seeded with key, in Python's own whole numbers."""
    z = (key + (i + 1) * 0x9E3779B97F4A7C15) % 2**64
    z = (z ^ z >> 30) * 0xBF58476D1CE4E5B9 % 2**64
    z = (z ^ z >> 27) * 0x94D049BB133111EB % 2**64
    return z ^ z >> 31


def mask_by_hand(seed, step, layer, rows, units, rate):
    layer_key = splitmix64(splitmix64(seed, step), layer)
    u = [[splitmix64(splitmix64(layer_key, int(row)), unit) >> 11 for unit in range(units)] for row in rows]
    return (np.array(u) / 2**53 >= rate) / (1 - rate)


def mixture_by_hand(o, seed, step, total, rows, w):
    """Return how much of each row and of the one before it a mixed row holds, as a matrix."""
    t, mixture = (step + 0.5) / total, np.eye(len(rows))
    fading = 1 if t < 0.5 else (1 + np.cos(np.pi * (2 * t - 1))) / 2
    for i, row in enumerate(rows):
        key = splitmix64(splitmix64(splitmix64(seed, step), 0), int(row))
        u, v = (splitmix64(key, j) / 2**64 for j in (0, 1))
        if u < o.mixup_share and w[row] and w[rows[i - 1]]:
            mixture[i, i] -= o.mixup * fading * v
            mixture[i, i - 1] += o.mixup * fading * v
    return mixture


def factors_by_hand(o, W):
    """Return the factor of the learning rate for W1, W2, ..., b1, b2, ..."""
    power = {"standard": 0, "ntk": -1 if o.solver == "sgd" else -0.5}[o.parametrization]
    return [len(V) ** power for V in W] + [o.bias_rate for _ in W] + [o.input_scale_rate]


def share_by_hand(o, step, epoch, total):
    """Return which share of the full learning rate a step has."""
    rise = o.warmup * total
    if step < rise:
        return min((step + 1) / rise, 1) * (
            o.step_factor ** (epoch // o.step_every) if o.learning_rate == "step" else 1
        )
    s = (step - rise) / (total - rise)
    if o.learning_rate == "cosine":
        return (1 + np.cos(np.pi * s)) / 2
    if o.learning_rate == "one_cycle":
        top, last = 0.3 * total - 1, total - 1  # as torch.optim.lr_scheduler.OneCycleLR counts
        low, high, s = (1 / 25, 1, step / top) if step < top else (1, 1 / 250_000, (step - top) / (last - top))
        return low + (high - low) * (1 - np.cos(np.pi * s)) / 2
    if o.learning_rate == "step":
        return o.step_factor ** (epoch // o.step_every)
    return 1.0


def head_by_hand(o, Z, Y):
    """Return the loss of each row, and its derivative by the logits."""
    if o.output == "sigmoid":
        P = 1 / (1 + np.exp(-Z))
        if o.loss == "cross_entropy":
            return -(Y * np.log(P) + (1 - Y) * np.log(1 - P)).sum(axis=1), P - Y
        return ((P - Y) ** 2).sum(axis=1) / 2, (P - Y) * P * (1 - P)
    P = np.exp(Z) / np.exp(Z).sum(axis=1, keepdims=True)
    if o.loss == "cross_entropy":
        return -(Y * np.log(P)).sum(axis=1), P - Y
    dP = P - Y
    return (dP**2).sum(axis=1) / 2, P * (dP - (dP * P).sum(axis=1, keepdims=True))


def gradient_by_hand(o, W, b, X, Y, w, masks, divisor):
    """Return the loss of a batch, and its derivatives by each W and each b."""
    A, Z = [X], []
    for layer in range(len(W) - 1):
        Z.append(A[-1] @ W[layer] + b[layer])
        A.append(FUNCTIONS[o.activation[layer]](Z[-1]) * masks[layer])
    losses, dZ = head_by_hand(o, A[-1] @ W[-1] + b[-1], Y)
    loss = w @ losses / divisor + o.alpha / 2 * sum((V**2).sum() for V in W) / divisor
    dZ = dZ * w[:, None] / divisor
    dW, db = [None] * len(W), [None] * len(W)
    for layer in reversed(range(len(W))):
        dW[layer] = A[layer].T @ dZ + o.alpha * W[layer] / divisor
        db[layer] = dZ.sum(axis=0)
        if layer:
            dZ = (dZ @ W[layer].T) * masks[layer - 1] * slope(FUNCTIONS[o.activation[layer - 1]], Z[layer - 1])
    return loss, dW, db


def by_hand(X, Y, w=None, **options):
    """Train in plain NumPy; return the parameters W1, W2, ..., b1, b2, ... and the loss curve."""
    o = SimpleNamespace(**{name: parameter.default for name, parameter in PARAMETERS.items()} | options)
    if o.solver == "adamw":
        o.alpha = options.get("alpha", 0.0)
        o.weight_decay = 0.01 if o.weight_decay is None else o.weight_decay
    hidden = tuple(np.atleast_1d(o.hidden_layer_sizes).astype(int))
    o.activation = [o.activation] * len(hidden) if isinstance(o.activation, str) else list(o.activation)
    rates = [o.dropout] * len(hidden) if np.ndim(o.dropout) == 0 else o.dropout
    n, k = Y.shape
    w = np.ones(n) if w is None else w
    half = np.full(k, 0.5) if o.output == "sigmoid" else np.full(k, 1 / k)
    Y = (1 - o.label_smoothing) * Y + o.label_smoothing * half

    draw, W, b = np.random.RandomState(o.random_state), [], []
    kinds = [*o.activation, *(o.activation[-1:] or [""])]
    for (inputs, outputs), kind in zip(pairwise((X.shape[1], *hidden, k)), kinds, strict=True):
        bound = np.sqrt((2 if kind in ("sigmoid", "logistic") else 6) / (inputs + outputs))
        W.append(draw.uniform(-bound, bound, (inputs, outputs)))
        b.append(draw.uniform(-bound, bound, outputs))
    seed = int(draw.randint(2**63 - 1, dtype=np.int64)) if any(rates) or o.mixup else 0

    m = min(200 if o.batch_size == "auto" else o.batch_size, n)
    total, step, order, curve = -(-n // m) * o.max_iter, 0, np.arange(n), []
    s_of_X = np.ones(X.shape[1])
    moving = [*W, *b, s_of_X]
    velocity, moments, squares = ([np.zeros_like(v) for v in moving] for _ in range(3))
    for epoch in range(o.max_iter):
        if o.shuffle:
            order = order[draw.permutation(n)]
        of_epoch = 0.0
        for start in range(0, n, m):
            rows = order[start : start + m]
            masks = [
                mask_by_hand(seed, step, layer, rows, units, rate) if rate else 1.0
                for layer, (units, rate) in enumerate(zip(hidden, rates, strict=True), start=1)
            ]
            M = mixture_by_hand(o, seed, step, total, rows, w) if o.mixup else np.eye(len(rows))
            whole = [s_of_X[:, None] * W[0], *W[1:]]
            batch = (M @ X[rows], M @ Y[rows], w[rows])
            loss, dW, db = gradient_by_hand(o, whole, b, *batch, masks, len(rows) * w.mean())
            of_epoch += loss * len(rows)
            rate = o.learning_rate_init * share_by_hand(o, step, epoch, total)
            g = dW + db
            length = np.sqrt(sum((v**2).sum() for v in g))
            if o.clip_norm is not None and length > o.clip_norm:
                g = [v * o.clip_norm / length for v in g]
            ds = (W[0] * g[0]).sum(axis=1)
            g = [s_of_X[:, None] * g[0], *g[1:], *([ds] if o.input_scale_rate else [])]
            for V in W:
                V -= rate * (o.weight_decay or 0) * V
            step += 1
            for p, f, v, u, s, d in zip(moving, factors_by_hand(o, W), velocity, moments, squares, g, strict=False):
                if o.solver == "sgd":
                    v *= o.momentum
                    v -= rate * d
                    p += f * (o.momentum * v - rate * d if o.nesterovs_momentum else v)
                else:
                    u += (1 - o.beta_1) * (d - u)
                    s += (1 - o.beta_2) * (d * d - s)
                    length = rate * np.sqrt(1 - o.beta_2**step) / (1 - o.beta_1**step)
                    p -= f * length * u / (np.sqrt(s) + o.epsilon)
        curve.append(of_epoch / n)
    return [s_of_X[:, None] * W[0], *W[1:], *b], curve


def rows_of(y):
    return np.eye(3)[y] if np.ndim(y) == 1 else np.asarray(y, float)


PLAIN = {"hidden_layer_sizes": (5,), "activation": "tanh", "solver": "sgd", "learning_rate_init": 0.1}
PLAIN |= {"batch_size": 40, "max_iter": 3, "random_state": 2}

BY_HAND = [
    {"label_smoothing": 0.2},
    {"label_smoothing": 0.2, "solver": "adam"},
    {"weight_decay": 0.5},
    {"weight_decay": 0.5, "solver": "adam", "learning_rate": "cosine", "warmup": 0.3},
    {"solver": "adamw", "learning_rate_init": 0.05},
    {"solver": "adamw", "weight_decay": 0.3},
    {"solver": "adamw", "weight_decay": 0.0},
    {"solver": "adamw", "alpha": 2.0},
    {"clip_norm": 0.05},
    {"clip_norm": 0.3, "alpha": 5.0},
    {"clip_norm": 0.05, "weight_decay": 1.0},
    {"clip_norm": 0.1, "solver": "adam"},
    {"parametrization": "ntk"},
    {"parametrization": "ntk", "hidden_layer_sizes": (6, 5), "solver": "adam", "bias_rate": 0.1},
    {"parametrization": "ntk", "solver": "adamw", "weight_decay": 0.3, "clip_norm": 0.1, "alpha": 1.0},
    {"input_scale_rate": 6.0},
    {"input_scale_rate": 6.0, "solver": "adam", "parametrization": "ntk", "mixup": 0.3},
    {"input_scale_rate": 1.0, "solver": "adamw", "weight_decay": 0.3, "clip_norm": 0.05, "alpha": 2.0},
    {"input_scale_rate": 0.5, "hidden_layer_sizes": (), "dropout": 0.0},
    {"bias_rate": 0.0},
    {"bias_rate": 3.0, "solver": "adam", "learning_rate": "cosine"},
    {"mixup": 0.3},
    {"mixup": 1.0, "mixup_share": 1.0, "max_iter": 5},
    {"mixup": 0.3, "label_smoothing": 0.1, "solver": "adam", "dropout": 0.3},
    {"mixup": 0.5, "mixup_share": 0.2, "loss": "squared_error", "batch_size": 1000},
    {"dropout": 0.5},
    {"dropout": [0.3], "label_smoothing": 0.1, "solver": "adam"},
    {"dropout": [0.2, 0.6], "hidden_layer_sizes": (6, 5)},
    {"dropout": [0.0, 0.5], "hidden_layer_sizes": (6, 5), "activation": ["relu", "tanh"]},
    {"learning_rate": "cosine"},
    {"learning_rate": "cosine", "warmup": 0.25},
    {"learning_rate": "cosine", "solver": "adam"},
    {"learning_rate": "one_cycle", "max_iter": 5},
    {"learning_rate": "one_cycle", "solver": "adamw", "max_iter": 4},
    {"learning_rate": "step", "step_every": 2, "max_iter": 5},
    {"learning_rate": "step", "step_every": 1, "step_factor": 0.3, "max_iter": 4, "solver": "adam"},
    {"learning_rate": "step", "step_every": 1, "step_factor": 0.5, "max_iter": 4, "warmup": 0.5},
    {"warmup": 0.5},
    {"warmup": 0.1, "solver": "adam"},
    {"warmup": 0.99},
    {"momentum": 0.0},
    {"momentum": 0.5},
    {"momentum": 1.0},
    {"nesterovs_momentum": False},
    {"solver": "adam"},
    {"solver": "adam", "beta_1": 0.5},
    {"solver": "adam", "beta_2": 0.8},
    {"solver": "adam", "epsilon": 0.1},
    {"loss": "squared_error"},
    {"loss": "squared_error", "label_smoothing": 0.3, "solver": "adam"},
    {"alpha": 3.0},
    {"shuffle": False},
    {"batch_size": 7},
    {"batch_size": "auto"},
    {"batch_size": 1000, "solver": "adam"},
    {"random_state": 11},
    {"learning_rate_init": 0.3},
    {"max_iter": 6},
    {"hidden_layer_sizes": ()},
    {"hidden_layer_sizes": (), "loss": "squared_error", "label_smoothing": 0.1},
    {"hidden_layer_sizes": 4},
    {"hidden_layer_sizes": (4, 7, 3), "activation": ["tanh", "logistic", "softplus"]},
    {"hidden_layer_sizes": (4, 7), "activation": ["sigmoid", "gelu"]},
    *({"activation": name} for name in (*ACTIVATIONS, "logistic") if name != "tanh"),
]
"""What is changed, one or a few parameters at a time."""


def assert_by_hand(y, w=None, plain=PLAIN, **change):
    options = {**plain, **change}
    classifier = SoftmaxClassifier(**options).fit(IRIS, y, w)
    theta, curve = by_hand(IRIS, rows_of(y), w, **options)
    np.testing.assert_allclose(classifier.loss_curve_, curve, rtol=1e-10)
    for ours, theirs in zip(classifier.coefs_ + classifier.intercepts_, theta, strict=True):
        np.testing.assert_allclose(ours, theirs, rtol=0, atol=1e-10)


@pytest.mark.parametrize("change", BY_HAND, ids=str)
def test_training_is_the_loop_written_out_by_hand(change):
    assert_by_hand(SPECIES, **change)


@pytest.mark.parametrize("change", BY_HAND, ids=str)
def test_what_is_changed_matters(change):
    one, _ = by_hand(IRIS, rows_of(SPECIES), **PLAIN)
    other, _ = by_hand(IRIS, rows_of(SPECIES), **{**PLAIN, **change})
    same_shape = [v.shape for v in one] == [v.shape for v in other]
    assert not same_shape or max(abs(v - u).max() for v, u in zip(one, other, strict=True)) > 1e-5


MIXED = [
    {},
    {"label_smoothing": 0.2},
    {"loss": "squared_error"},
    {"loss": "squared_error", "label_smoothing": 0.2, "clip_norm": 0.1},
    {"dropout": 0.4, "weight_decay": 0.1, "clip_norm": 0.5, "solver": "adam"},
    {"mixup": 0.4, "label_smoothing": 0.2},
]


@pytest.mark.parametrize("change", MIXED, ids=str)
@pytest.mark.parametrize("w", [None, W], ids=["unweighted", "weighted"])
def test_training_on_soft_labels_is_the_loop_written_out_by_hand(change, w):
    assert_by_hand(SOFT, w, output="softmax", **change)


@pytest.mark.parametrize("change", MIXED, ids=str)
@pytest.mark.parametrize("w", [None, W], ids=["unweighted", "weighted"])
def test_several_labels_are_binary_cross_entropies_summed(change, w):
    assert_by_hand(SEVERAL, w, output="sigmoid", **change)


@pytest.mark.parametrize("change", MIXED, ids=str)
def test_training_on_weighted_rows_is_the_loop_written_out_by_hand(change):
    assert_by_hand(SPECIES, W, **change)


# output and loss


def test_auto_reads_0_and_1_as_several_labels_and_other_matrices_as_classes():
    assert small().fit(IRIS, SEVERAL).out_activation_ == "sigmoid"
    assert small().fit(IRIS, SOFT).out_activation_ == "softmax"
    assert small().fit(IRIS, SPECIES).out_activation_ == "softmax"
    assert_same_bits(small().fit(IRIS, SEVERAL), small(output="sigmoid").fit(IRIS, SEVERAL))


def test_output_says_how_a_matrix_is_read():
    one_hot = np.eye(3)[SPECIES]
    assert small(output="softmax").fit(IRIS, one_hot).out_activation_ == "softmax"
    assert small(output="sigmoid").fit(IRIS, one_hot).out_activation_ == "sigmoid"
    assert small(output="sigmoid").fit(IRIS, SOFT).out_activation_ == "sigmoid"


@pytest.mark.parametrize(("y", "loss"), [(SPECIES, "cross_entropy"), (SEVERAL, "binary_cross_entropy")])
def test_loss_names_the_loss_of_the_network(y, loss):
    assert small().fit(IRIS, y).network_.head.loss == loss
    assert small(loss="squared_error").fit(IRIS, y).network_.head.loss == "squared_error"


# solvers


def test_adamw_is_adam_with_decay_and_without_penalty():
    adamw = small(solver="adamw", learning_rate_init=0.1).fit(IRIS, SPECIES)
    adam = small(learning_rate_init=0.1, weight_decay=0.01, alpha=0.0).fit(IRIS, SPECIES)
    assert_same_bits(adamw, adam)
    assert adamw.loss_curve_ == adam.loss_curve_


def test_adamw_takes_the_default_alpha_as_not_given_and_any_other_as_given():
    assert_same_bits(*(small(solver="adamw", alpha=alpha).fit(IRIS, SPECIES) for alpha in (0.0001, 0.0)))
    given = small(solver="adamw", alpha=0.5).fit(IRIS, SPECIES)
    assert_same_bits(given, small(weight_decay=0.01, alpha=0.5).fit(IRIS, SPECIES))


CONVEX = {"hidden_layer_sizes": (), "solver": "lbfgs", "tol": 1e-9, "max_iter": 2000, "random_state": 0}


@pytest.mark.parametrize("alpha", [0.01, 1.0, 100.0])
@pytest.mark.parametrize("w", [None, W], ids=["unweighted", "weighted"])
def test_lbfgs_without_a_hidden_layer_is_logistic_regression(alpha, w):
    ours = SoftmaxClassifier(alpha=alpha, **CONVEX).fit(IRIS, NAMES, w)
    theirs = LogisticRegression(C=1 / alpha, tol=1e-9, max_iter=5000).fit(IRIS, NAMES, w)
    np.testing.assert_allclose(ours.predict_proba(IRIS), theirs.predict_proba(IRIS), rtol=0, atol=1e-4)
    centred = [V - V.mean(axis=1, keepdims=True) for V in (ours.coefs_[0], theirs.coef_.T)]
    np.testing.assert_allclose(*centred, rtol=0, atol=1e-4)


def test_lbfgs_on_two_classes_is_logistic_regression_with_half_the_penalty():
    X, y = IRIS[50:], SPECIES[50:]
    ours = SoftmaxClassifier(alpha=2.0, **CONVEX).fit(X, y)
    theirs = LogisticRegression(C=1.0, tol=1e-9, max_iter=5000).fit(X, y)
    np.testing.assert_allclose(ours.decision_function(X), theirs.decision_function(X), rtol=0, atol=1e-4)


def test_each_iteration_of_lbfgs_lowers_the_loss():
    curve = small(solver="lbfgs", max_iter=40).fit(IRIS, SPECIES).loss_curve_
    assert len(curve) > 10
    assert all(later < earlier for earlier, later in pairwise(curve))


@pytest.mark.parametrize("y", [SPECIES, SOFT, SEVERAL], ids=["classes", "soft", "several"])
def test_the_last_loss_of_lbfgs_is_that_of_its_weights(y):
    classifier = small(solver="lbfgs", max_iter=15, alpha=0.3).fit(IRIS, y)
    network = classifier.network_
    network.l2 = 0.3 / 150
    assert network.loss(IRIS, y) == pytest.approx(classifier.loss_, rel=1e-12)


# learning rates that MLPClassifier has


def against_mlpclassifier(**options):
    options = {"hidden_layer_sizes": (7,), "solver": "sgd", "learning_rate_init": 0.3, "random_state": 3, **options}
    ours, theirs = SoftmaxClassifier(**options).fit(IRIS, SPECIES), MLPClassifier(**options).fit(IRIS, SPECIES)
    assert ours.n_iter_ == theirs.n_iter_
    np.testing.assert_allclose(ours.loss_curve_, theirs.loss_curve_, rtol=1e-9)
    for one, other in zip(ours.coefs_ + ours.intercepts_, theirs.coefs_ + theirs.intercepts_, strict=True):
        np.testing.assert_allclose(one, other, rtol=0, atol=1e-9)
    return ours


@pytest.mark.parametrize("power_t", [0.0, 0.2, 0.5, 1.0])
def test_invscaling_is_that_of_mlpclassifier(power_t):
    ours = against_mlpclassifier(learning_rate="invscaling", power_t=power_t, max_iter=12, batch_size=40)
    constant = SoftmaxClassifier(**ours.get_params() | {"learning_rate": "constant"}).fit(IRIS, SPECIES)
    assert (ours.loss_curve_[-1] == constant.loss_curve_[-1]) == (power_t == 0)


@pytest.mark.parametrize("options", [{"tol": 0.01, "n_iter_no_change": 2}, {"tol": 1e-3, "n_iter_no_change": 3}])
def test_adaptive_is_that_of_mlpclassifier(options):
    ours = against_mlpclassifier(learning_rate="adaptive", max_iter=150, **options)
    constant = SoftmaxClassifier(**ours.get_params() | {"learning_rate": "constant"}).fit(IRIS, SPECIES)
    assert constant.n_iter_ < ours.n_iter_ < 150
    np.testing.assert_array_equal(constant.loss_curve_, ours.loss_curve_[: constant.n_iter_])


@pytest.mark.parametrize("kind", ["invscaling", "adaptive"])
def test_the_courses_of_sgd_are_constant_and_warned_of_elsewhere(kind):
    with pytest.warns(UserWarning, match=f"learning_rate='{kind}' is for solver='sgd'"):
        classifier = small(learning_rate=kind).fit(IRIS, SPECIES)
    assert_same_bits(classifier, small().fit(IRIS, SPECIES))


# when to stop


def epochs_until(curve, tol, patience):
    """Return how many epochs there are if training stops after more than `patience` without improvement by tol."""
    best, idle = np.inf, 0
    for epoch, value in enumerate(curve, start=1):
        idle = idle + 1 if value > best - tol else 0
        best = min(best, value)
        if idle > patience:
            return epoch
    return len(curve)


TRAINED = {"hidden_layer_sizes": (8,), "learning_rate_init": 0.03, "batch_size": 30, "random_state": 1}


@pytest.fixture(scope="module")
def long_run():
    return SoftmaxClassifier(max_iter=60, n_iter_no_change=np.inf, tol=0.0, **TRAINED).fit(
        IRIS[SEEN], SPECIES[SEEN], X_val=IRIS[UNSEEN], y_val=SPECIES[UNSEEN]
    )


@pytest.mark.parametrize(("tol", "patience"), [(0.1, 1), (0.02, 1), (0.02, 4), (0.005, 2), (0.0, 1)])
def test_training_stops_after_too_many_epochs_without_improvement(long_run, tol, patience):
    classifier = SoftmaxClassifier(max_iter=60, tol=tol, n_iter_no_change=patience, **TRAINED)
    classifier.fit(IRIS[SEEN], SPECIES[SEEN])
    assert classifier.n_iter_ == epochs_until(long_run.loss_curve_, tol, patience) < 60
    assert classifier.loss_curve_ == long_run.loss_curve_[: classifier.n_iter_]


def test_infinite_patience_never_stops():
    assert small(tol=1e9, n_iter_no_change=np.inf, max_iter=25).fit(IRIS, SPECIES).n_iter_ == 25
    assert small(tol=1e9, n_iter_no_change=3, max_iter=25).fit(IRIS, SPECIES).n_iter_ == 5


@pytest.mark.parametrize("solver", ["adam", "adamw", "sgd", "lbfgs"])
def test_max_iter_is_the_number_of_epochs(solver):
    classifier = small(solver=solver, max_iter=7).fit(IRIS, SPECIES)
    assert classifier.n_iter_ == len(classifier.loss_curve_) == 7


@pytest.mark.parametrize("tol", [1e-1, 1e-2, 1e-4, 1e-7])
def test_lbfgs_converges_when_no_entry_of_the_gradient_exceeds_tol(tol):
    classifier = SoftmaxClassifier(**{**CONVEX, "tol": tol, "alpha": 1.0})
    largest = []
    for _ in classifier.fit_epochs(IRIS, SPECIES):
        gradient = classifier.network_.loss_and_gradients(IRIS, SPECIES, l2=1 / 150)[1].flat
        largest.append(abs(gradient).max())
    assert largest[-1] <= tol < min(largest[:-1])


def test_max_fun_limits_the_calls_of_the_loss(monkeypatch):
    engine = type(best_engine())
    calls, evaluate = [], engine.loss_and_gradient
    monkeypatch.setattr(engine, "loss_and_gradient", lambda *arguments: calls.append(1) or evaluate(*arguments))
    with pytest.warns(ConvergenceWarning, match=r"^Training ended after max_fun=5 calls of the loss and"):
        small(solver="lbfgs", max_iter=100, max_fun=5).fit(IRIS, SPECIES)
    few = len(calls)
    small(solver="lbfgs", max_iter=100).fit(IRIS, SPECIES)
    assert 5 <= few < 30 < len(calls) - few


def judged(options, y=SPECIES, **fitting):
    """Fit on the rows seen, judged on the unseen."""
    classifier = SoftmaxClassifier(**{"max_iter": 60, "tol": 0.0, "n_iter_no_change": 3, **TRAINED, **options})
    return classifier.fit(IRIS[SEEN], y[SEEN], X_val=IRIS[UNSEEN], y_val=y[UNSEEN], **fitting)


def test_early_stopping_watches_the_rows_given(long_run):
    classifier = judged({"early_stopping": True})
    curve = long_run.validation_loss_curve_
    assert classifier.n_iter_ == epochs_until(curve, 0.0, 3) < 60
    assert classifier.validation_loss_curve_ == curve[: classifier.n_iter_]
    found = metrics.log_loss(SPECIES[UNSEEN], classifier.predict_proba(IRIS[UNSEEN]))
    assert found == pytest.approx(min(classifier.validation_loss_curve_), rel=1e-12)


def test_early_stopping_stops_lbfgs_and_puts_back_its_best_weights():
    options = {"solver": "lbfgs", "alpha": 0.0}
    whole = judged({**options, "tol": 1e-6})
    classifier = judged({**options, "early_stopping": True})
    assert classifier.n_iter_ == epochs_until(whole.validation_loss_curve_, 0.0, 3) < whole.n_iter_
    found = metrics.log_loss(SPECIES[UNSEEN], classifier.predict_proba(IRIS[UNSEEN]))
    assert found == pytest.approx(min(whole.validation_loss_curve_), rel=1e-12)
    assert found < whole.validation_loss_curve_[-1]


@pytest.mark.parametrize(("share", "held_out"), [(0.1, 15), (0.25, 38), (0.5, 75)])
@pytest.mark.parametrize("solver", ["adam", "lbfgs"])
def test_validation_fraction_is_the_share_held_out(share, held_out, solver):
    classifier = small(early_stopping=True, validation_fraction=share, solver=solver).fit(IRIS, SPECIES)
    assert classifier.t_ == 4 * (150 - held_out)


# scores


def of_column(metric, y, P, w):
    return np.mean([metric(y[:, c], P[:, c], sample_weight=w) for c in range(y.shape[1])])


def score_by_sklearn(name, classifier, X, y, w):
    """Return a score of `scoring`'s own names, of classes or of several labels."""
    several, predicted, P = y.ndim == 2, classifier.predict(X), classifier.predict_proba(X)
    if name in ("log_loss", "accuracy"):
        return metrics.accuracy_score(y, predicted, sample_weight=w)
    if name == "balanced_accuracy":
        metric = metrics.balanced_accuracy_score
        return of_column(metric, y, predicted, w) if several else metric(y, predicted, sample_weight=w)
    two = len(classifier.classes_) == 2
    if name == "f1":
        how = {"average": "binary", "pos_label": classifier.classes_[1]} if two else {"average": "macro"}
        return metrics.f1_score(y, predicted, sample_weight=w, zero_division=0, **how)
    if several:
        return of_column(metrics.roc_auc_score, y, P, w)
    columns = [1] if two else range(len(classifier.classes_))
    return np.mean([metrics.roc_auc_score(y == classifier.classes_[c], P[:, c], sample_weight=w) for c in columns])


OWN_SCORES = ["log_loss", "accuracy", "balanced_accuracy", "f1", "auc"]
TWO_NAMES = np.array(["pos", "neg"])[(SPECIES == 1).astype(int)]


@pytest.mark.parametrize("w", [None, W[UNSEEN], np.where(W[UNSEEN] > 1, W[UNSEEN], 0)], ids=["plain", "weighted", "0s"])
@pytest.mark.parametrize("y", [SPECIES, NAMES, TWO_NAMES, SEVERAL], ids=["numbers", "names", "two", "several"])
@pytest.mark.parametrize("scoring", OWN_SCORES)
def test_a_score_by_name_is_scikit_learns(scoring, y, w):
    classifier, X, truth = small(scoring=scoring, learning_rate_init=0.02), IRIS[UNSEEN], y[UNSEEN]
    stream = classifier.fit_epochs(IRIS[SEEN], y[SEEN], X_val=X, y_val=truth, sample_weight_val=w)
    expected = [score_by_sklearn(scoring, classifier, X, truth, w) for _ in stream]
    np.testing.assert_allclose(classifier.validation_scores_, expected, rtol=1e-12)
    assert classifier.best_validation_score_ == max(classifier.validation_scores_)


@pytest.mark.parametrize("name", ["neg_log_loss", "f1_macro", "roc_auc_ovr", "matthews_corrcoef", "top_k_accuracy"])
@pytest.mark.parametrize("w", [None, W[UNSEEN]], ids=["plain", "weighted"])
def test_a_score_by_the_name_of_a_scikit_learn_scorer_is_that_scorers(name, w):
    scorer, classifier, X, truth = metrics.get_scorer(name), small(scoring=name), IRIS[UNSEEN], NAMES[UNSEEN]
    stream = classifier.fit_epochs(IRIS[SEEN], NAMES[SEEN], X_val=X, y_val=truth, sample_weight_val=w)
    expected = [scorer(classifier, X, truth, sample_weight=w) for _ in stream]
    np.testing.assert_allclose(classifier.validation_scores_, expected, rtol=1e-12)


@pytest.mark.parametrize("scoring", ["accuracy", "balanced_accuracy", "f1", "auc", "neg_log_loss", "f1_macro"])
def test_early_stopping_watches_the_score(scoring):
    options = {"scoring": scoring, "learning_rate_init": 0.003, "n_iter_no_change": 4}
    scores = judged({**options, "n_iter_no_change": np.inf}).validation_scores_
    classifier = judged({**options, "early_stopping": True})
    assert classifier.n_iter_ == epochs_until(-np.array(scores), 0.0, 4)
    assert classifier.validation_scores_ == scores[: classifier.n_iter_]


@pytest.mark.parametrize("tol", [0.0, 0.05])
def test_early_stopping_by_a_score_puts_back_the_weights_of_the_greatest(tol):
    options = {"scoring": "auc", "early_stopping": True, "learning_rate_init": 0.003, "tol": tol, "max_iter": 20}
    classifier = judged(options)
    greatest = score_by_sklearn("auc", classifier, IRIS[UNSEEN], SPECIES[UNSEEN], None)
    assert greatest == pytest.approx(max(classifier.validation_scores_), rel=1e-12)
    assert classifier.best_validation_score_ == max(classifier.validation_scores_)


@pytest.mark.parametrize("y", [NAMES, SEVERAL, SOFT], ids=["names", "several", "soft"])
def test_a_scoring_function_sees_rows_and_labels_as_the_user_writes_them(y):
    seen = []

    def scoring(classifier, X, truth):
        seen.append((X, truth, classifier.predict(X)))
        return 0.5

    judged({"scoring": scoring, "max_iter": 1}, y)
    X, truth, predicted = seen[0]
    expected = np.arange(3)[y.argmax(axis=1)] if y is SOFT else y
    np.testing.assert_array_equal(X, IRIS[UNSEEN])
    np.testing.assert_array_equal(truth, expected[UNSEEN])
    assert predicted.shape == truth.shape


def test_a_scoring_function_that_takes_weights_is_given_them():
    def scoring(classifier, X, y, sample_weight=None):
        return float(sample_weight.sum())

    classifier = judged({"scoring": scoring, "max_iter": 2}, sample_weight_val=W[UNSEEN])
    assert classifier.validation_scores_ == [pytest.approx(W[UNSEEN].sum())] * 2


def scores_given(values):
    left = iter(values)
    return lambda classifier, X, y: next(left)


def test_a_score_that_is_not_a_number_is_no_improvement():
    scores = [0.5, 0.6, np.nan, np.nan, np.nan, 0.9, 0.9]
    options = {"early_stopping": True, "scoring": scores_given(scores), "n_iter_no_change": 2}
    classifier = judged(options)
    assert classifier.n_iter_ == 5
    np.testing.assert_array_equal(classifier.validation_scores_, scores[:5])
    assert_same_bits(classifier, judged({"max_iter": 2}))


@pytest.mark.parametrize("scores", [[0.5, np.nan], [0.5, 0.6, np.nan, 0.4], [np.nan, 0.5, 0.4]], ids=str)
def test_the_best_score_is_the_greatest_of_those_that_are_numbers(scores):
    classifier = judged({"scoring": scores_given(scores), "max_iter": len(scores)})
    assert classifier.best_validation_score_ == np.nanmax(scores)


@pytest.mark.parametrize("scoring", [name for name in OWN_SCORES if name != "balanced_accuracy"])
def test_validation_rows_of_weight_0_are_absent_from_the_score(scoring):
    w = (SPECIES[UNSEEN] != 2).astype(float)
    kept, options = UNSEEN[w > 0], {**TRAINED, "scoring": scoring, "max_iter": 3}
    weighted = judged(options, sample_weight_val=w)
    without = SoftmaxClassifier(**options)
    without.fit(IRIS[SEEN], SPECIES[SEEN], X_val=IRIS[kept], y_val=SPECIES[kept])
    np.testing.assert_allclose(weighted.validation_scores_, without.validation_scores_, rtol=1e-12)
    np.testing.assert_allclose(weighted.validation_loss_curve_, without.validation_loss_curve_, rtol=1e-12)


def test_balanced_accuracy_is_the_mean_over_the_classes_that_are_there():
    kept, classifier = UNSEEN[SPECIES[UNSEEN] != 2], small(scoring="balanced_accuracy", learning_rate_init=0.1)
    classifier.fit(IRIS[SEEN], SPECIES[SEEN], X_val=IRIS[kept], y_val=SPECIES[kept])
    predicted, y = classifier.predict(IRIS[kept]), SPECIES[kept]
    assert (predicted == 2).any()
    found = np.mean([(predicted[y == c] == c).mean() for c in (0, 1)])
    assert classifier.validation_scores_[-1] == pytest.approx(found, rel=1e-12)


@pytest.mark.parametrize("scoring", OWN_SCORES)
def test_early_stopping_takes_labels_of_text_and_rows_held_out_with_weights(scoring):
    classifier = small(early_stopping=True, scoring=scoring, validation_fraction=0.3).fit(IRIS, NAMES, W)
    assert len(classifier.validation_scores_) == 4
    assert 0 <= min(classifier.validation_scores_) <= max(classifier.validation_scores_) <= 1


# rates and mixtures


@pytest.mark.parametrize("momentum", [0.0, 0.9])
def test_under_ntk_the_weights_move_as_they_do_as_a_product(momentum):
    """With W = V / sqrt(a), the chain rule gives dV = dW / sqrt(a): V is moved at the full rate."""
    rate, steps = 0.3, 5
    classifier = small(hidden_layer_sizes=(), solver="sgd", alpha=0.0, parametrization="ntk", learning_rate_init=rate)
    classifier.set_params(momentum=momentum, nesterovs_momentum=False, max_iter=steps, batch_size=150, shuffle=False)
    network = Network([4, 3], init="mlp", random_state=np.random.RandomState(0))
    V, b = network.parameters["W1"] * 2, network.parameters["b1"].copy()  # sqrt(4)
    of_V, of_b = np.zeros_like(V), np.zeros_like(b)
    for _ in range(steps):
        network.parameters["W1"], network.parameters["b1"] = V / 2, b
        _, gradients = network.loss_and_gradients(IRIS, SPECIES)
        of_V = momentum * of_V - rate * gradients["W1"] / 2
        of_b = momentum * of_b - rate * gradients["b1"]
        V, b = V + of_V, b + of_b
    classifier.fit(IRIS, SPECIES)
    np.testing.assert_allclose(classifier.coefs_[0], V / 2, rtol=0, atol=1e-12)
    np.testing.assert_allclose(classifier.intercepts_[0], b, rtol=0, atol=1e-12)


def test_the_neighbours_of_an_absent_row_are_not_mixed_with_it():
    absent = np.arange(150) % 3 == 0
    X = np.where(absent[:, None], 1e300, IRIS)
    options = {"mixup": 0.5, "mixup_share": 1.0, "batch_size": 20}
    one, other = (small(**options).fit(rows, SPECIES, np.where(absent, 0.0, W)) for rows in (X, IRIS))
    assert_same_bits(one, other)


@pytest.mark.parametrize("solver", ["adam", "sgd"])
def test_a_scale_starts_anew_where_the_weights_are_replaced(solver):
    options = {"input_scale_rate": 6.0, "solver": solver, "learning_rate_init": 0.1, "momentum": 0.0}
    classifier = small(warm_start=True, **options).fit(IRIS, SPECIES)
    scale = classifier._training_state.state["unscaled"][-4:]
    assert abs(scale - 1).min() > 1e-3
    classifier.network_.theta[...] *= 2
    classifier.set_params(learning_rate_init=1e-12).fit(IRIS, SPECIES)
    np.testing.assert_allclose(classifier._training_state.state["unscaled"][-4:], 1, rtol=0, atol=1e-9)


def test_an_embedding_adds_columns_and_parameters():
    """The loop written out by hand for an embedding is in test_embedding.py."""
    plain, periodic, bins = (
        small(embedding=what).fit(IRIS, SPECIES) for what in (None, "periodic", "piecewise_linear")
    )
    assert [len(one.coefs_[0]) for one in (plain, periodic)] == [4, 4 + 4 * 3]
    assert 4 + 4 * 2 < len(bins.coefs_[0]) <= 4 + 4 * 16
    assert [*periodic.network_.parameters][-4:] == ["F", "H", "V", "C"]


# class weights


def test_class_weight_names_classes():
    named = small(class_weight={"virginica": 7.0, "setosa": 0.5}).fit(IRIS, NAMES)
    assert_same_bits(named, small().fit(IRIS, NAMES, np.array([0.5, 1.0, 7.0])[SPECIES]))


@pytest.mark.parametrize("w", [None, np.linspace(0.1, 3, 110)], ids=["unweighted", "weighted"])
def test_balanced_gives_every_class_the_same_total(w):
    X, y = IRIS[:110], SPECIES[:110]  # 50, 50 and 10 rows
    total = np.bincount(y, w)
    balanced = small(class_weight="balanced").fit(X, y, w)
    by_hand = small(class_weight=dict(enumerate(total.sum() / (3 * total)))).fit(X, y, w)
    np.testing.assert_allclose(balanced.network_.theta, by_hand.network_.theta, rtol=0, atol=1e-14)


def test_a_soft_row_has_the_mean_weight_of_its_classes():
    of_class = {0: 3.0, 1: 0.0, 2: 0.5}
    by_class = small(class_weight=of_class).fit(IRIS, SOFT, W)
    by_row = small().fit(IRIS, SOFT, (SOFT @ [3.0, 0.0, 0.5]) * W)
    assert_same_bits(by_class, by_row)


def test_the_columns_of_soft_labels_are_weighed_by_their_names():
    classes = ["virginica", "setosa", "versicolor"]
    named = small(class_weight={"setosa": 4.0}).fit(IRIS, SOFT, classes=classes)
    assert_same_bits(named, small().fit(IRIS, SOFT, weighted_sum(np.array([1.0, 4.0, 1.0]), SOFT.T)))


def test_balanced_soft_labels_give_every_class_the_same_total():
    Y = SOFT[:110]
    balanced = small(class_weight="balanced").fit(IRIS[:110], Y, W[:110])
    total = W[:110] @ Y
    by_row = small().fit(IRIS[:110], Y, (Y @ (W[:110].sum() / (3 * total))) * W[:110])
    np.testing.assert_allclose(balanced.network_.theta, by_row.network_.theta, rtol=0, atol=1e-12)


# where it starts


def start(sizes=(60, 50), **options):
    """Return the parameters before the first step, as good as untouched by it."""
    options = {"learning_rate_init": 1e-14, "solver": "sgd", "max_iter": 1, "alpha": 0.0, "random_state": 4, **options}
    X = np.random.default_rng(1).standard_normal((60, 80))
    return SoftmaxClassifier(sizes, **options).fit(X, np.arange(60) % 20)


SHAPES = [(80, 60), (60, 50), (50, 20)]


@pytest.mark.parametrize("activation", ["relu", "tanh", "selu", "logistic"])
@pytest.mark.parametrize("init", [scheme for scheme in SCHEMES if scheme != "normal"])
def test_starting_weights_have_the_moments_of_their_scheme(init, activation):
    classifier = start(init=init, activation=activation)
    fitting = {"relu": "he_uniform", "selu": "lecun_normal"}.get(activation, "glorot_uniform")
    schemes = (fitting, fitting, "glorot_uniform") if init == "auto" else (init,) * 3
    assert classifier.init_ == schemes
    for (a, b), V, bias, scheme in zip(SHAPES, classifier.coefs_, classifier.intercepts_, schemes, strict=True):
        wide = 2 if activation == "logistic" else 6
        variances = {"mlp": wide / 3 / (a + b), "glorot": 2 / (a + b), "he": 2 / a, "lecun": 1 / a}
        variance = variances[scheme.split("_")[0]]
        assert abs(V.mean()) < 4 * np.sqrt(variance / V.size)
        assert V.var() == pytest.approx(variance, rel=0.15)
        edge = np.sqrt(3 * variance)
        assert (abs(V).max() > 1.2 * edge) if scheme.endswith("normal") else (0.98 * edge < abs(V).max() <= edge)
        assert (abs(bias).max() > 0.5 * edge) if scheme == "mlp" else (abs(bias).max() < 1e-10)


@pytest.mark.parametrize(("activation", "variances"), [("relu", (2 / 80, 2 / 60)), ("tanh", (1 / 80, 1 / 60))])
def test_normal_weights_have_normal_biases_and_a_last_layer_of_0(activation, variances):
    classifier = start(init="normal", activation=activation)
    assert classifier.init_ == ("normal", "normal", "zeros")
    for V, bias, variance in zip(classifier.coefs_, classifier.intercepts_, variances, strict=False):
        assert V.var() == pytest.approx(variance, rel=0.15)
        assert bias.var() == pytest.approx(1, rel=0.5)
    assert abs(classifier.coefs_[-1]).max() < 1e-10
    assert abs(classifier.intercepts_[-1]).max() < 1e-10


def test_the_same_seed_is_the_same_training_and_another_seed_another():
    options = {"dropout": 0.3, "batch_size": 30, "early_stopping": True}
    one, other = small(**options).fit(IRIS, SPECIES), small(**options).fit(IRIS, SPECIES)
    assert_same_bits(one, other)
    assert one.loss_curve_ == other.loss_curve_
    assert one.validation_loss_curve_ == other.validation_loss_curve_
    other.set_params(random_state=1).fit(IRIS, SPECIES)
    assert not np.allclose(one.network_.theta, other.network_.theta)
    free = [small(random_state=None).fit(IRIS, SPECIES).network_.theta for _ in range(2)]
    assert not np.allclose(*free)


def test_a_random_state_is_drawn_from_where_it_stands():
    draw = np.random.RandomState(0)
    first, second = (small(random_state=draw).fit(IRIS, SPECIES) for _ in range(2))
    assert_same_bits(first, small(random_state=0).fit(IRIS, SPECIES))
    assert not np.allclose(first.network_.theta, second.network_.theta)


@pytest.mark.parametrize("change", [{"dropout": 0.5}, {"early_stopping": True}, {"batch_size": 20}], ids=str)
def test_the_seed_rules_dropout_the_share_held_out_and_the_shuffles(change):
    def trained(seed):
        model = small(max_iter=1).fit(IRIS, SPECIES).to_model()  # the same start for every seed
        options = {"warm_start": True, "max_iter": 3, "random_state": seed}
        return SoftmaxClassifier.from_model(model, **options, **change).fit(IRIS, SPECIES)

    one, same, other = map(trained, (0, 0, 1))
    assert_same_bits(one, same)
    assert not np.array_equal(one.network_.theta, other.network_.theta)


# going on


@pytest.mark.parametrize("solver", ["adam", "adamw", "sgd"])
def test_a_warm_start_goes_on_from_weights_and_moments(solver):
    options = {"solver": solver, "batch_size": 40, "learning_rate_init": 0.05, "dropout": 0.2}
    longer = small(max_iter=8, **options).fit(IRIS, SPECIES)
    warm = small(warm_start=True, **options).fit(IRIS, SPECIES).fit(IRIS, SPECIES)
    assert_same_bits(warm, longer)
    assert warm.loss_curve_ == longer.loss_curve_
    assert (warm.n_iter_, warm.t_) == (4, longer.t_)
    anew = small(**options).fit(IRIS, SPECIES)
    np.testing.assert_array_equal(anew.fit(IRIS, SPECIES).loss_curve_, longer.loss_curve_[:4])


def test_a_warm_start_of_lbfgs_goes_on_from_the_weights():
    warm = small(solver="lbfgs", warm_start=True).fit(IRIS, SPECIES)
    first = list(warm.loss_curve_)
    warm.fit(IRIS, SPECIES)
    assert warm.loss_curve_[:4] == first
    assert warm.loss_curve_[4] < first[-1]


def test_the_checkpoint_is_a_file(tmp_path):
    path = tmp_path / "run.checkpoint"
    small(checkpoint_path=path).fit(IRIS, SPECIES)
    assert path.stat().st_size > 0
    assert [file.name for file in tmp_path.iterdir()] == ["run.checkpoint"]


# what is shown


@pytest.mark.parametrize("solver", ["adam", "lbfgs"])
@pytest.mark.parametrize("verbose", [True, 1, 2])
def test_verbose_prints_the_loss_of_each_epoch(capsys, verbose, solver):
    classifier = small(verbose=verbose, solver=solver).fit(IRIS, SPECIES)
    lines = [f"Iteration {number}, loss = {loss:.8f}" for number, loss in enumerate(classifier.loss_curve_, start=1)]
    assert capsys.readouterr().out.splitlines() == lines


@pytest.mark.parametrize("verbose", [False, 0])
def test_without_verbose_nothing_is_printed(capsys, verbose):
    small(verbose=verbose, early_stopping=True).fit(IRIS, SPECIES)
    assert capsys.readouterr() == ("", "")


# threads


def blas_threads():
    return {pool["num_threads"] for pool in threadpool_info() if pool["user_api"] == "blas"}


@pytest.mark.parametrize(("n_threads", "expected"), [(1, 1), (2, 2), (None, 3)])
@pytest.mark.parametrize("solver", ["adam", "lbfgs"])
def test_n_threads_limits_the_threads_while_the_reference_works(
    monkeypatch, demand_engine, solver, n_threads, expected
):
    demand_engine("reference")
    seen, work, forward = set(), Network.loss_and_gradients, Network.forward

    def spy(function):
        def spying(*arguments, **options):
            seen.update(blas_threads())
            return function(*arguments, **options)

        return spying

    with threadpool_limits(3, user_api="blas"):
        if blas_threads() != {3}:
            pytest.skip("this BLAS can't be told how many threads to take")
        classifier = small(solver=solver, n_threads=n_threads)
        monkeypatch.setattr(Network, "loss_and_gradients", spy(work))
        classifier.fit(IRIS, SPECIES)
        assert seen == {expected}
        seen.clear()
        monkeypatch.setattr(Network, "forward", spy(forward))
        classifier.predict_proba(IRIS)
        assert seen == {expected}
        assert blas_threads() == {3}


def test_any_number_of_threads_gives_the_same_classifier():
    one, two, free = (small(n_threads=n, batch_size=40).fit(IRIS, SPECIES) for n in (1, 2, None))
    for other in (two, free):
        np.testing.assert_allclose(one.network_.theta, other.network_.theta, rtol=0, atol=1e-12)


def test_the_memory_limit_reaches_the_engine_and_changes_no_bit(monkeypatch):
    limits, best = [], glassmax.estimator.classifier.best_engine

    def spy(n_threads, memory_limit=None):
        limits.append(memory_limit)
        return best(n_threads, memory_limit)

    monkeypatch.setattr(glassmax.estimator.classifier, "best_engine", spy)
    X, classes = np.tile(IRIS, (8, 1)).astype(np.float32), np.arange(5000)
    y = np.arange(len(X)) % 3
    settings = {"batch_size": len(X), "max_iter": 2}  # a batch's logits are 24 MB
    little, usual = (small(memory_limit=m, **settings).fit(X, y, classes=classes) for m in (16_000_000, None))
    np.testing.assert_array_equal(little.network_.theta, usual.network_.theta)
    small(memory_limit=2**25).partial_fit(X, y, classes=classes)
    assert limits == [16_000_000, None, 2**25]


# every parameter has its test


# the last layer


ONE_STEP = {
    "solver": "sgd",
    "momentum": 0.0,
    "max_iter": 1,
    "batch_size": 1000,
    "alpha": 0.0,
    "learning_rate_init": 0.1,
}
CAPPED = {"z_loss": 0.1, "softcap": 0.7, "softmax_temperature": 0.5}


@pytest.mark.parametrize("left_out", [None, *CAPPED])
def test_the_options_of_the_softmax_are_in_loss_and_gradient(left_out):
    """One step of gradient descent on the loss as it is written, its gradient by the complex step."""
    options = {name: value for name, value in CAPPED.items() if name != left_out}
    start = small(**ONE_STEP, random_state=0).fit(IRIS, SPECIES)
    classifier = small(**ONE_STEP, random_state=0, **options).fit(IRIS, SPECIES)
    cap, T, z_loss = options.get("softcap"), options.get("softmax_temperature", 1), options.get("z_loss", 0)

    def loss(b2):
        theta = Network([4, 6, 3], activation=start.activation, random_state=np.random.RandomState(0)).parameters
        A = FUNCTIONS[start.activation](IRIS @ theta["W1"] + theta["b1"])
        U = (A @ theta["W2"] + theta["b2"] + b2) / T
        U = U if cap is None else cap * np.tanh(U / cap)
        log_sum = np.log(np.exp(U).sum(axis=1))
        return (log_sum - U[np.arange(150), SPECIES] + z_loss * log_sum**2).mean(), theta["b2"]

    value, b2 = loss(np.zeros(3))
    np.testing.assert_allclose(classifier.loss_curve_, [value], rtol=1e-10)
    db2 = [loss(1e-30j * np.eye(3)[c])[0].imag / 1e-30 for c in range(3)]
    np.testing.assert_allclose(classifier.intercepts_[-1], b2 - 0.1 * np.array(db2), rtol=0, atol=1e-12)


def test_without_an_output_bias_the_last_biases_stay_0():
    classifier = small(output_bias=False, max_iter=3).fit(IRIS, SPECIES)
    assert not classifier.intercepts_[-1].any()
    assert classifier.intercepts_[0].any()
    assert [check.name for check in classifier.check_gradients(IRIS, SPECIES).checks] == ["W1", "b1", "W2"]


def test_class_embeddings_are_the_last_weights_and_do_not_move():
    E = np.random.RandomState(0).normal(size=(3, 6))
    classifier = small(class_embeddings=E, max_iter=3, alpha=1.0).fit(IRIS, SPECIES)
    np.testing.assert_array_equal(classifier.coefs_[-1], E.T)
    again = SoftmaxClassifier.from_model(classifier.to_model(), warm_start=True, max_iter=2).fit(IRIS, SPECIES)
    np.testing.assert_array_equal(again.coefs_[-1], E.T)
    np.testing.assert_array_equal(again.class_embeddings, E)


def test_rare_classes_are_put_together():
    y = np.array(["a"] * 60 + ["b"] * 60 + ["c"] * 28 + ["d", "e"])
    classifier = small(min_count=5, max_iter=3).fit(IRIS, y)
    assert classifier.classes_.tolist() == ["a", "b", "c", "other"]
    assert classifier.rare_classes_.tolist() == ["d", "e"]
    by_hand = np.where(np.isin(y, ["d", "e"]), "other", y)
    assert_same_bits(classifier, small(max_iter=3).fit(IRIS, by_hand))
    assert classifier.score(IRIS, y) == classifier.score(IRIS, by_hand)
    assert classifier.score(IRIS, np.full(150, "never seen")) == (classifier.predict(IRIS) == "other").mean()
    assert not hasattr(classifier, "partial_fit")


def test_whole_numbers_take_a_whole_number_for_the_rare_classes():
    y = np.repeat([7, 3, 5], [99, 50, 1])
    classifier = small(min_count=2, other_label=-1, max_iter=1).fit(IRIS, y)
    assert classifier.classes_.tolist() == [-1, 3, 7]
    assert small(min_count=2, other_label=3, max_iter=1).fit(IRIS, y).classes_.tolist() == [3, 7]
    assert small(min_count=1, max_iter=1).fit(IRIS, y).rare_classes_.tolist() == []


# all parameters


HAND = "test_training_is_the_loop_written_out_by_hand"
BOUNDED = "test_the_options_of_the_softmax_are_in_loss_and_gradient"
COVERED = {
    "hidden_layer_sizes": [HAND, "test_lbfgs_without_a_hidden_layer_is_logistic_regression"],
    "activation": [HAND],
    "solver": [
        HAND,
        "test_adamw_is_adam_with_decay_and_without_penalty",
        "test_lbfgs_without_a_hidden_layer_is_logistic_regression",
        "test_each_iteration_of_lbfgs_lowers_the_loss",
    ],
    "alpha": [HAND, "test_adamw_takes_the_default_alpha_as_not_given_and_any_other_as_given"],
    "batch_size": [HAND],
    "learning_rate": [HAND, "test_invscaling_is_that_of_mlpclassifier", "test_adaptive_is_that_of_mlpclassifier"],
    "learning_rate_init": [HAND],
    "power_t": ["test_invscaling_is_that_of_mlpclassifier"],
    "max_iter": [HAND, "test_max_iter_is_the_number_of_epochs"],
    "shuffle": [HAND],
    "random_state": [
        HAND,
        "test_the_same_seed_is_the_same_training_and_another_seed_another",
        "test_a_random_state_is_drawn_from_where_it_stands",
        "test_the_seed_rules_dropout_the_share_held_out_and_the_shuffles",
    ],
    "tol": [
        "test_training_stops_after_too_many_epochs_without_improvement",
        "test_lbfgs_converges_when_no_entry_of_the_gradient_exceeds_tol",
    ],
    "verbose": ["test_verbose_prints_the_loss_of_each_epoch", "test_without_verbose_nothing_is_printed"],
    "warm_start": [
        "test_a_warm_start_goes_on_from_weights_and_moments",
        "test_a_warm_start_of_lbfgs_goes_on_from_the_weights",
    ],
    "momentum": [HAND],
    "nesterovs_momentum": [HAND],
    "early_stopping": [
        "test_early_stopping_watches_the_rows_given",
        "test_early_stopping_stops_lbfgs_and_puts_back_its_best_weights",
    ],
    "validation_fraction": ["test_validation_fraction_is_the_share_held_out"],
    "beta_1": [HAND],
    "beta_2": [HAND],
    "epsilon": [HAND],
    "n_iter_no_change": [
        "test_training_stops_after_too_many_epochs_without_improvement",
        "test_infinite_patience_never_stops",
    ],
    "max_fun": ["test_max_fun_limits_the_calls_of_the_loss"],
    "loss": [HAND, "test_loss_names_the_loss_of_the_network"],
    "output": [
        "test_auto_reads_0_and_1_as_several_labels_and_other_matrices_as_classes",
        "test_output_says_how_a_matrix_is_read",
        "test_several_labels_are_binary_cross_entropies_summed",
    ],
    "class_weight": [
        "test_class_weight_names_classes",
        "test_balanced_gives_every_class_the_same_total",
        "test_a_soft_row_has_the_mean_weight_of_its_classes",
        "test_balanced_soft_labels_give_every_class_the_same_total",
    ],
    "label_smoothing": [HAND, "test_several_labels_are_binary_cross_entropies_summed"],
    "z_loss": [BOUNDED],
    "softcap": [BOUNDED],
    "softmax_temperature": [BOUNDED],
    "output_bias": ["test_without_an_output_bias_the_last_biases_stay_0"],
    "class_embeddings": ["test_class_embeddings_are_the_last_weights_and_do_not_move"],
    "min_count": ["test_rare_classes_are_put_together"],
    "other_label": [
        "test_rare_classes_are_put_together",
        "test_whole_numbers_take_a_whole_number_for_the_rare_classes",
    ],
    "dropout": [HAND],
    "weight_decay": [HAND],
    "clip_norm": [HAND],
    "warmup": [HAND],
    "step_every": [HAND],
    "step_factor": [HAND],
    "parametrization": [HAND, "test_under_ntk_the_weights_move_as_they_do_as_a_product"],
    "bias_rate": [HAND],
    "input_scale_rate": [HAND, "test_a_scale_starts_anew_where_the_weights_are_replaced"],
    "embedding": ["test_an_embedding_adds_columns_and_parameters"],
    "mixup": [HAND, "test_the_neighbours_of_an_absent_row_are_not_mixed_with_it"],
    "mixup_share": [HAND],
    "init": [
        "test_starting_weights_have_the_moments_of_their_scheme",
        "test_normal_weights_have_normal_biases_and_a_last_layer_of_0",
    ],
    "scoring": [
        "test_a_score_by_name_is_scikit_learns",
        "test_a_score_by_the_name_of_a_scikit_learn_scorer_is_that_scorers",
        "test_early_stopping_watches_the_score",
        "test_a_scoring_function_sees_rows_and_labels_as_the_user_writes_them",
    ],
    "checkpoint_path": ["test_the_checkpoint_is_a_file"],
    "n_threads": ["test_n_threads_limits_the_threads_while_the_reference_works"],
    "memory_limit": ["test_the_memory_limit_reaches_the_engine_and_changes_no_bit"],
}
"""Which tests show what a parameter does."""


def test_every_parameter_has_a_test():
    assert COVERED.keys() == PARAMETERS.keys()
    assert [name for names in COVERED.values() for name in names if not callable(globals().get(name))] == []
    by_the_loop = {name for name, tests in COVERED.items() if HAND in tests}
    assert by_the_loop - {name for change in BY_HAND for name in change} == set()
