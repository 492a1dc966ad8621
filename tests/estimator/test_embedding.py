"""SoftmaxClassifier(embedding=...): the training loop by hand, and everything else that a classifier does."""

from itertools import pairwise

import numpy as np
import pytest
from scipy import sparse
from sklearn.base import clone

from glassmax import Embedding, SoftmaxClassifier
from glassmax.embedding import Categories, Periodic, PiecewiseLinear
from glassmax.errors import OptionError
from glassmax.gradcheck import numeric_gradient
from tests.estimator.iris import IRIS, SPECIES, W, assert_same_bits

pytestmark = pytest.mark.filterwarnings("ignore::sklearn.exceptions.ConvergenceWarning")

X = np.hstack([IRIS, np.eye(5)[np.arange(150) * 7 % 5]])
SMALL = Periodic(columns=[0, 2], frequencies=3, size=2)
BINS = PiecewiseLinear(columns=[1], bins=4)
BLOCK = Categories(4, 9, 2)
KINDS = {"periodic": SMALL, "bins": BINS, "categories": BLOCK, "all": [SMALL, BINS, BLOCK]}


def small(**options):
    defaults = {"hidden_layer_sizes": (5,), "activation": "tanh", "max_iter": 3, "batch_size": 40, "random_state": 0}
    return SoftmaxClassifier(**{**defaults, "embedding": KINDS["all"], **options})


def embedded_by_hand(X, p, edges):
    cosines = np.cos(X[:, [0, 2], None] * p["F"] + p["H"])
    periodic = np.einsum("ijk,jke->ije", cosines, p["V"]) + p["C"]
    bins = [2 * np.clip((X[:, 1] - t) / (u - t), 0, 1) - 1 for t, u in pairwise(edges)]
    return np.hstack([X[:, :4], periodic.reshape(len(X), -1), np.array(bins).T, X[:, 4:] @ p["E1"]])


def loss_by_hand(X, Y, p, edges, alpha):
    A = np.tanh(embedded_by_hand(X, p, edges) @ p["W1"] + p["b1"])
    Z = A @ p["W2"] + p["b2"]
    log_P = Z - np.log(np.exp(Z).sum(axis=1, keepdims=True))
    return (-(Y * log_P).sum() + alpha / 2 * sum((p[name] ** 2).sum() for name in ("W1", "W2", "V", "E1"))) / len(X)


BY_HAND = {
    "standard": {},
    "ntk": {"parametrization": "ntk", "bias_rate": 0.1},
    "penalty and decay": {"alpha": 2.0, "weight_decay": 0.3},
    "clipped": {"clip_norm": 0.3},
}


@pytest.mark.parametrize("options", BY_HAND.values(), ids=BY_HAND)
def test_training_is_the_loop_written_out_by_hand(options):
    classifier = small(solver="sgd", learning_rate_init=0.1, momentum=0.0, shuffle=False, **options)
    classifier.fit(X, SPECIES)
    edges = np.quantile(X[:, 1], [0, 0.25, 0.5, 0.75, 1])
    start = small(solver="sgd", learning_rate_init=1e-300, max_iter=1, alpha=0.0).fit(X, SPECIES).network_.parameters
    shapes = {name: view.shape for name, view in start.items()}
    assert list(shapes) == ["W1", "b1", "W2", "b2", "F", "H", "V", "C", "E1"]

    def named(theta):
        ends = np.cumsum([np.prod(shape) for shape in shapes.values()])
        return {n: part.reshape(shapes[n]) for n, part in zip(shapes, np.split(theta, ends[:-1]), strict=True)}

    ntk, bias = options.get("parametrization") == "ntk", options.get("bias_rate", 1.0)
    fan_in = {"W1": shapes["W1"][0], "W2": 5, "V": 3, "E1": 5}
    of_name = {name: bias if name not in fan_in else 1 / fan_in[name] if ntk else 1.0 for name in shapes}
    factor = np.concatenate([np.full(np.prod(shape), of_name[name]) for name, shape in shapes.items()])
    decayed = np.concatenate([np.full(np.prod(shape), float(name in fan_in)) for name, shape in shapes.items()])
    theta, Y = start.flat.copy(), np.eye(3)[SPECIES]
    for batch in [slice(i, i + 40) for _ in range(3) for i in range(0, 150, 40)]:

        def loss(theta, batch=batch):
            return loss_by_hand(X[batch], Y[batch], named(theta), edges, options.get("alpha", 0.0001))

        gradient = numeric_gradient(loss, theta, method="complex")
        gradient *= min(1, options.get("clip_norm", np.inf) / np.linalg.norm(gradient))
        theta = theta * (1 - 0.1 * options.get("weight_decay", 0) * decayed) - 0.1 * factor * gradient
    np.testing.assert_allclose(classifier.network_.theta, theta, rtol=0, atol=1e-11)


@pytest.mark.parametrize("rows", [X, sparse.csr_array(X), X.astype(np.float32)], ids=["dense", "sparse", "float32"])
@pytest.mark.parametrize("kind", KINDS)
def test_every_kind_trains_predicts_and_has_correct_gradients(kind, rows):
    options = {"solver": "adamw", "dropout": 0.2, "mixup": 0.3, "label_smoothing": 0.1, "early_stopping": True}
    classifier = small(embedding=KINDS[kind], class_weight="balanced", **options).fit(rows, SPECIES, W)
    P = classifier.predict_proba(rows)
    assert P.dtype == rows.dtype
    np.testing.assert_allclose(P.sum(axis=1), 1, rtol=1e-6)
    np.testing.assert_allclose(classifier.network_.predictions(rows), P, rtol=1e-5)
    report = classifier.check_gradients(rows[:20], SPECIES[:20], W[:20])
    assert report.correct, str(report)
    assert (classifier.gradient_norms(rows, SPECIES) > 0).all()
    assert classifier.n_features_in_ == 9


@pytest.mark.parametrize("name", ["periodic", "piecewise_linear"])
def test_a_name_embeds_all_columns_of_numbers(name):
    classifier = small(embedding=name, max_iter=60, learning_rate_init=0.02).fit(X, SPECIES)
    embedding = classifier.network_.embedding
    assert (tuple(embedding.edges) or embedding.periodic) == (0, 1, 2, 3)
    assert classifier.score(X, SPECIES) > 0.9


def test_bins_separate_what_a_linear_model_can_not():
    x = np.linspace(-1, 1, 300)[:, None]
    y = (np.abs(x[:, 0]) < 0.4).astype(int)
    plain, bins = (
        SoftmaxClassifier((), solver="lbfgs", alpha=0.0, embedding=embedding, random_state=0).fit(x, y)
        for embedding in (None, "piecewise_linear")
    )
    assert plain.score(x, y) < 0.7
    assert bins.score(x, y) > 0.97


def test_lbfgs_trains_the_parameters_of_the_embedding_too():
    classifier = small(solver="lbfgs", alpha=0.0, max_iter=15).fit(X, SPECIES)
    start = small(solver="sgd", learning_rate_init=1e-300, max_iter=1, alpha=0.0).fit(X, SPECIES).network_
    for name, view in classifier.network_.parameters.items():
        assert abs(view - start.parameters[name]).max() > 1e-4, name
    assert classifier.loss_ == pytest.approx(classifier.network_.loss(X, SPECIES), rel=1e-12)


def test_rows_of_weight_0_set_no_edge():
    far, w = X.copy(), np.ones(150)
    far[::3, 1], w[::3] = 1000.0, 0.0
    one, other = (small().fit(rows, SPECIES, w) for rows in (far, X))
    assert_same_bits(one, other)


def test_the_same_seed_is_the_same_training():
    assert_same_bits(small().fit(X, SPECIES), small().fit(X, SPECIES))
    assert_same_bits(small().fit(X, SPECIES), small().fit(np.asfortranarray(X), SPECIES))


def test_a_warm_start_goes_on_with_the_embedding_of_the_last_fit():
    whole = small(max_iter=4, shuffle=False).fit(X, SPECIES)
    classifier = small(max_iter=2, shuffle=False, warm_start=True).fit(X, SPECIES)
    classifier.fit(X, SPECIES)
    np.testing.assert_array_equal(classifier.network_.theta, whole.network_.theta)
    before = classifier.network_.embedding
    classifier.fit(X * 2, SPECIES)
    assert classifier.network_.embedding == before
    classifier.set_params(embedding=None)
    with pytest.raises(
        OptionError, match=r"^embedding describes another network than the one to go on with, Network\("
    ):
        classifier.fit(X, SPECIES)


def test_a_classifier_of_a_model_has_its_embedding():
    classifier = small().fit(X, SPECIES)
    other = SoftmaxClassifier.from_model(classifier.to_model(), warm_start=True, max_iter=2)
    np.testing.assert_array_equal(other.predict_proba(X), classifier.predict_proba(X))
    assert other.embedding == classifier.network_.embedding
    other.fit(X, SPECIES)
    assert isinstance(other.embedding, Embedding)
    with pytest.raises(OptionError, match=r"^embedding is given, expected none: the model brings its own\.$"):
        SoftmaxClassifier.from_model(classifier.to_model(), embedding="periodic")


def test_partial_fit_takes_what_needs_no_rows():
    whole = small(embedding=[SMALL, BLOCK], shuffle=False, batch_size=200, max_iter=1).fit(X, SPECIES)
    classifier = small(embedding=[SMALL, BLOCK], shuffle=False, batch_size=200)
    classifier.partial_fit(X, SPECIES, classes=[0, 1, 2])
    np.testing.assert_array_equal(classifier.network_.theta, whole.network_.theta)
    classifier.partial_fit(X, SPECIES)
    assert classifier.t_ == 300


@pytest.mark.parametrize("embedding", ["periodic", BINS], ids=str)
def test_partial_fit_does_not_guess_columns_or_edges(embedding):
    classifier = small(embedding=embedding)
    assert not hasattr(classifier, "partial_fit")
    with pytest.raises(OptionError, match=r"^partial_fit does not support embedding=.* doesn't know the values of the"):
        classifier.partial_fit(X, SPECIES, classes=[0, 1, 2])


@pytest.mark.parametrize("kind", KINDS)
def test_a_clone_trains_alike(kind):
    classifier = small(embedding=KINDS[kind])
    assert_same_bits(clone(classifier).fit(X, SPECIES), classifier.fit(X, SPECIES))


ERRORS = {
    "embedding is 'PLE', expected one of periodic, piecewise_linear.": {"embedding": "PLE"},
    "embedding is Embedding(4 columns -> 7: periodic 1 x 3), expected one of 9 columns, as X has.": {
        "embedding": Embedding(4, periodic=[0])
    },
    "columns is [9], expected column numbers from 0 to 8 that increase.": {"embedding": Periodic(columns=[9])},
}


@pytest.mark.parametrize("message", ERRORS)
def test_what_can_not_be_is_an_error_that_names_it(message):
    with pytest.raises(OptionError) as error:
        small(**ERRORS[message]).fit(X, SPECIES)
    assert str(error.value) == message
