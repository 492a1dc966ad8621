"""Options of a network's head: softcap, z-loss, temperature, no output bias; and frozen parameters."""

import copy
import pickle

import numpy as np
import pytest
from scipy import sparse

from glassmax import Network, diagnose
from glassmax.embedding import Embedding
from glassmax.engine import Data, ReferenceEngine, Regularization
from glassmax.engine.input_scale import init_scaled
from glassmax.errors import OptionError
from glassmax.functional import log_softmax, softmax
from glassmax.functional.heads import LOSSES, Head
from glassmax.gradcheck import check_gradients
from glassmax.optimizers import SGD, Adam
from tests import oracle
from tests.grid import KINDS, one_hot, target

OPTIONS = {
    "softcap": {"softcap": 1.5},
    "z-loss": {"z_loss": 0.3},
    "temperature": {"temperature": 2.0},
    "all": {"softcap": 1.5, "z_loss": 0.3, "temperature": 0.7},
    "frozen": {"softcap": 1.5, "z_loss": 0.3, "frozen": ["W1", "b2"], "l2": 0.1},
    "no bias": {"temperature": 0.7, "output_bias": False, "l2": 0.1},
}
every_option = pytest.mark.parametrize("name", OPTIONS)
every_loss = pytest.mark.parametrize("loss", LOSSES)
draw = np.random.default_rng(0)
X, W = draw.standard_normal((6, 3)), np.array([0.5, 2.0, 0.0, 1.0, 3.0, 0.25])
ENGINE = ReferenceEngine()


def network_of(name, loss="cross_entropy", dtype="float64"):
    network = Network([3, 5, 4], activation="tanh", loss=loss, dtype=dtype, **OPTIONS[name])
    network.theta *= 3
    return network


def target_of(kind, loss="cross_entropy"):
    return target(kind, loss, (6, 4), np.random.default_rng(1))


# --- Gradients, Hessian and Jacobian ---


@every_option
@every_loss
@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("method", ["complex", "central"])
def test_the_gradients_are_derivatives_of_the_loss(name, loss, kind, method):
    network, y = network_of(name, loss), target_of(kind, loss)
    assert network.check_gradients(X, y, W, method=method).correct


@pytest.mark.parametrize("left_out", ["softcap", "z_loss", "temperature"])
def test_gradients_that_leave_an_option_out_are_found(left_out):
    network, y = network_of("all"), target_of("soft")
    default = Network([1, 1]).options[left_out]
    wrong = Network.from_parameters(network.parameters, **{**network.options, left_out: default})
    probe = network.astype(complex)

    def loss_at(parameters):
        for name, values in parameters.items():
            probe.parameters[name] = values
        return probe.loss(X, y)

    for claimed in (network, wrong):
        gradients = claimed.loss_and_gradients(X, y)[1]
        report = check_gradients(loss_at, network.parameters, gradients, method="complex")
        assert report.correct == (claimed is network)


@pytest.mark.parametrize("name", ["softcap", "z-loss", "temperature", "all"])
@pytest.mark.parametrize("kind", ["indices", "soft"])
def test_one_layer_agrees_with_50_digits(name, kind):
    network = Network([3, 4], **OPTIONS[name])
    y = target_of(kind)
    Y = one_hot(y, 4) if kind == "indices" else y
    P = network.parameters
    true, _, dW, db = oracle.linear_softmax_cross_entropy(X, P["W1"], P["b1"], Y, W, **OPTIONS[name])
    loss, gradients = network.loss_and_gradients(X, y, W)
    assert oracle.relative_error(loss, true) < 1e-14
    np.testing.assert_allclose(gradients["W1"], np.array(dW, float), rtol=0, atol=1e-14)
    np.testing.assert_allclose(gradients["b1"], np.array(db, float), rtol=0, atol=1e-14)


@every_option
@every_loss
def test_the_hessian_is_the_derivative_of_the_gradients(name, loss):
    network, y = network_of(name, loss), target_of("soft", loss)
    v = np.random.default_rng(2).standard_normal(network.theta.size)
    moved = network.parameters.of(v.copy())
    for frozen in network.frozen:
        moved[frozen][...] = 0
    probe = network.astype(complex)
    probe.theta = network.theta + 1e-30j * moved.flat
    measured = probe.loss_and_gradients(X, y, W)[1].flat.imag / 1e-30
    np.testing.assert_allclose(network.hessian_vector_product(X, y, v, W), measured, rtol=1e-12, atol=1e-11)


@every_option
def test_the_jacobian_is_the_derivative_of_the_predictions(name):
    network = network_of(name)
    probe, J = network.astype(complex), network.jacobian(X)
    for j in range(3):
        direction = 1e-30j * np.eye(3)[j]
        measured = probe.predictions(X + direction).imag / 1e-30
        np.testing.assert_allclose(J[:, :, j], measured, rtol=0, atol=1e-14)


@every_option
def test_the_norms_are_those_of_each_rows_own_gradient(name):
    network = network_of(name)
    network.l2 = 0.0
    y = target_of("indices")
    own = [np.linalg.norm(network.loss_and_gradients(X[[i]], y[[i]])[1].flat) for i in range(6)]
    np.testing.assert_allclose(network.gradient_norms(X, y), own, rtol=1e-13)


@pytest.mark.parametrize("frozen", [["F"], ["H", "V"], ["C", "E1"], ["W1", "F", "E2"]], ids=str)
def test_parameters_of_an_embedding_may_be_frozen(frozen):
    embedding = Embedding(5, periodic=[0], frequencies=2, blocks=[(1, 3, 2), (3, 5, 1)])
    network = Network([embedding.width, 3], embedding=embedding, frozen=frozen, l2=0.1)
    inputs, y = draw.standard_normal((4, 5)), [0, 1, 2, 0]
    assert network.check_gradients(inputs, y).correct
    network.l2 = 0.0
    own = [np.linalg.norm(network.loss_and_gradients(inputs[[i]], y[i : i + 1])[1].flat) for i in range(4)]
    np.testing.assert_allclose(network.gradient_norms(inputs, y), own, rtol=1e-13)


@pytest.mark.parametrize("dtype", ["float16", "float32", "longdouble"])
@every_option
def test_other_dtypes_give_the_same_to_rounding(name, dtype):
    y = target_of("soft")
    loss, gradients = network_of(name).loss_and_gradients(X, y, W)
    of_dtype = network_of(name, dtype=dtype)
    of_dtype.theta = network_of(name).theta
    got, narrow = of_dtype.loss_and_gradients(X, y, W)
    eps = max(float(np.finfo(dtype).eps), 1e-15)
    assert narrow.flat.dtype == dtype
    assert got == pytest.approx(loss, rel=8 * eps)
    np.testing.assert_allclose(narrow.flat, gradients.flat, rtol=0, atol=16 * eps * np.abs(gradients.flat).max())


# --- What the options mean ---


def test_a_temperature_divides_the_logits():
    network = network_of("temperature")
    half = Network.from_parameters({**network.parameters, "W2": network.parameters["W2"] / 2}, activation="tanh")
    half.parameters["b2"] = network.parameters["b2"] / 2
    np.testing.assert_allclose(ENGINE.logits(network, X), ENGINE.logits(half, X), rtol=1e-14)
    assert network.loss(X, target_of("soft")) == pytest.approx(half.loss(X, target_of("soft")), rel=1e-14)


def test_a_softcap_bounds_the_logits_and_comes_after_the_temperature():
    network = network_of("all")
    Z = network.forward(X).Z[2]
    U = ENGINE.logits(network, X)
    assert abs(Z).max() > 1.5 > abs(U).max()
    np.testing.assert_allclose(U, 1.5 * np.tanh(Z / 0.7 / 1.5), rtol=1e-15)


@every_option
def test_softmax_of_the_logits_is_the_prediction_everywhere(name):
    network = network_of(name)
    U = ENGINE.logits(network, X)
    np.testing.assert_array_equal(softmax(U), ENGINE.probabilities(network, X))
    np.testing.assert_array_equal(softmax(U), network.predictions(X))
    np.testing.assert_array_equal(network.head.log_forward(U), log_softmax(U))
    top = ENGINE.top_classes(network, X, 4, np.array([0, 1, 2, 3, 0, 1]))
    np.testing.assert_allclose(np.sort(top.probabilities)[:, ::-1], np.sort(softmax(U))[:, ::-1], rtol=1e-14)


def test_a_z_loss_adds_the_square_of_the_log_sum_of_exponentials():
    network, y = network_of("z-loss"), target_of("soft")
    plain = Network.from_parameters(network.parameters, activation="tanh")
    lse = np.log(np.exp(ENGINE.logits(network, X)).sum(axis=1))
    expected = plain.loss(X, y, W) + 0.3 * (W * lse**2).sum() / W.sum()
    assert network.loss(X, y, W) == pytest.approx(expected, rel=1e-14)


def test_chance_is_the_loss_of_logits_that_are_all_0():
    for name in OPTIONS:
        network = network_of(name)
        network.theta, network.l2 = np.zeros(network.theta.size), 0.0
        assert network.head.chance(4) == pytest.approx(network.loss(X, [0, 1, 2, 3, 0, 1]), rel=1e-14)


HOSTILE = [1e300, 1e38, 800.0, 1e-300, -1e300]


@pytest.mark.parametrize("z", HOSTILE)
@pytest.mark.parametrize("name", ["softcap", "z-loss", "temperature", "all"])
def test_hostile_logits_give_a_loss_and_gradients_that_are_numbers_or_inf(name, z):
    network = Network.from_parameters({"W1": np.zeros((1, 3)), "b1": [z, 0.0, 0.0]}, **OPTIONS[name])
    loss, gradients = network.loss_and_gradients([[1.0]], [1])
    assert loss >= 0
    if "softcap" in OPTIONS[name]:
        assert np.isfinite(loss)
        assert np.isfinite(gradients.flat).all()


# --- Frozen parameters, and no output bias ---


def trained(network, rule, state, regularization, y=None, engine=ENGINE):
    """Train for an epoch of three steps."""
    data = Data(X, target_of("indices") if y is None else y)
    result = engine.epoch(
        network, data, rule, state, order=np.arange(6), batch_size=2, rates=np.full(3, 0.1),
        regularization=regularization, first_step=0,
    )  # fmt: skip
    assert result.finite


@pytest.mark.parametrize("rule", [SGD(0.1, momentum=0.9), Adam(0.1)], ids=["sgd", "adam"])
@pytest.mark.parametrize("frozen", [["W2"], ["b1"], ["W1", "b2"], ["b2", "W2", "W1", "b1"]], ids=str)
def test_training_does_not_move_what_is_frozen(rule, frozen):
    network = Network([3, 5, 4], activation="tanh", frozen=frozen)
    before = network.parameters.copy()
    state = rule.init(network.theta)
    for name in state.keys() - {"t"}:
        state[name][...] = 0.5  # moments from before it was frozen
    trained(network, rule, state, Regularization(alpha=0.1, weight_decay=0.1, clip_norm=0.5))
    for name, values in network.parameters.items():
        assert (values == before[name]).all() == (name in frozen), name


def test_what_is_frozen_has_gradient_0_and_does_not_count_for_the_clip_norm_and_the_penalty():
    network, y = network_of("frozen"), target_of("soft")
    loss, gradients = network.loss_and_gradients(X, y)
    free = Network.from_parameters(network.parameters, **{**network.options, "frozen": ()})
    loss_of_free, all_gradients = free.loss_and_gradients(X, y)
    for name in network.parameters:
        expected = 0 if name in ("W1", "b2") else all_gradients[name]
        np.testing.assert_array_equal(gradients[name], np.broadcast_to(expected, gradients[name].shape))
    assert loss_of_free - loss == pytest.approx(0.05 * (network.parameters["W1"] ** 2).sum(), rel=1e-12)
    assert list(network.parameters.penalized) == ["W2"]
    assert np.linalg.norm(gradients.flat) < np.linalg.norm(all_gradients.flat)


def test_a_step_does_not_move_what_is_frozen_whatever_the_gradients_say():
    network = network_of("frozen")
    before = network.parameters.copy()
    network.step({name: np.ones_like(values) for name, values in network.parameters.items()}, learning_rate=0.1)
    for name, values in network.parameters.items():
        np.testing.assert_array_equal(values, before[name] - (0.1 if name not in network.frozen else 0))


def test_without_an_output_bias_the_last_b_is_0_and_stays_0():
    network, with_bias = (Network([3, 5, 4], random_state=1, output_bias=given) for given in (False, True))
    assert not network.parameters["b2"].any()
    assert network.frozen == ("b2",)
    np.testing.assert_array_equal(network.parameters["W2"], with_bias.parameters["W2"])  # the seed draws the same
    trained(network, SGD(0.1), SGD(0.1).init(network.theta), Regularization())
    assert not network.parameters["b2"].any()


def test_a_frozen_first_layer_and_a_learned_scale_of_the_inputs_contradict_one_another():
    with pytest.raises(OptionError, match=r"^frozen is \['W1'\], expected no 'W1' while a scale of the inputs"):
        init_scaled(SGD(0.1), Network([3, 2], frozen=["W1"]))
    network = Network([3, 4, 2], frozen=["W2"])
    before = network.parameters.copy()
    trained(network, SGD(0.1), init_scaled(SGD(0.1), network), Regularization(weight_decay=0.1), y=np.array([0, 1] * 3))
    np.testing.assert_array_equal(network.parameters["W2"], before["W2"])
    assert (network.parameters["W1"] != before["W1"]).any()


# --- Copies and words ---


@every_option
def test_copies_of_every_kind_keep_the_options(name):
    network = network_of(name)
    for other in (
        copy.deepcopy(network),
        pickle.loads(pickle.dumps(network)),
        network.astype("float32"),
        network.astype(complex),
        Network.from_parameters(network.parameters, **network.options),
    ):
        assert other.head == network.head
        assert other.frozen == network.frozen == other.parameters.frozen == other.parameters.copy().frozen
        assert repr(other) == repr(network)


def test_the_prompt_shows_the_options_that_are_set():
    network = Network([2, 3], softcap=30, z_loss=1e-4, temperature=2, frozen=["b1"])
    expected = "softcap=30.0, z_loss=0.0001, temperature=2.0, frozen=['b1'], 9 parameters)"
    assert repr(network) == f"Network(2-3, output='softmax', loss='cross_entropy', {expected}"
    assert repr(Network([2, 3])) == "Network(2-3, output='softmax', loss='cross_entropy', 9 parameters)"


NUMBERS = "a number > 0"
REFUSED = {
    "softcap 0": ({"softcap": 0}, f"softcap is 0, expected {NUMBERS} or None."),
    "softcap inf": ({"softcap": np.inf}, f"softcap is inf, expected {NUMBERS} or None."),
    "softcap text": ({"softcap": "30"}, f"softcap is '30', expected {NUMBERS} or None."),
    "z_loss below 0": ({"z_loss": -1e-4}, "z_loss is -0.0001, expected a number >= 0."),
    "z_loss nan": ({"z_loss": np.nan}, "z_loss is nan, expected a number >= 0."),
    "temperature 0": ({"temperature": 0}, f"temperature is 0, expected {NUMBERS}."),
    "temperature None": ({"temperature": None}, f"temperature is None, expected {NUMBERS}."),
    "temperature True": ({"temperature": True}, f"temperature is True, expected {NUMBERS}."),
    "sigmoid": (
        {"softcap": 3, "output": "sigmoid"},
        "softcap is 3, expected None with output='sigmoid': only softmax has this option.",
    ),
    "identity": (
        {"z_loss": 0.5, "output": "identity"},
        "z_loss is 0.5, expected 0.0 with output='identity': only softmax has this option.",
    ),
    "relu": (
        {"temperature": 2, "output": "relu"},
        "temperature is 2, expected 1.0 with output='relu': only softmax has this option.",
    ),
    "unknown": ({"frozen": ["w2"]}, "frozen is 'w2', expected one of W1, b1."),
    "beyond": ({"frozen": ["W2"]}, "frozen is 'W2', expected one of W1, b1."),
    "a number": ({"frozen": 1}, "frozen is 1, expected one of W1, b1. Did you mean 'W1'?"),
}


@pytest.mark.parametrize("case", REFUSED)
def test_options_out_of_range_are_refused(case):
    options, message = REFUSED[case]
    with pytest.raises(OptionError) as caught:
        Network([2, 3], **options)
    assert str(caught.value) == message


def test_a_bias_that_is_not_0_is_refused_without_an_output_bias():
    given = {"W1": [[1.0, 2.0]], "b1": [0.0, 0.5]}
    with pytest.raises(OptionError) as caught:
        Network.from_parameters(given, output_bias=False)
    assert str(caught.value) == "output_bias is False, expected True, because b1 holds numbers other than 0."
    assert Network.from_parameters({**given, "b1": [0.0, 0.0]}, output_bias=False).frozen == ("b1",)


def test_a_name_alone_may_be_frozen():
    assert Network([2, 3], frozen="b1").frozen == ("b1",)
    assert Head("softmax", "cross_entropy").options == {}


def test_the_doctor_refuses_what_it_does_not_know():
    network = network_of("frozen")
    y = target_of("soft")
    gradients = network.loss_and_gradients(X, y)[1]
    with pytest.raises(OptionError, match=r"^network has softcap and z_loss and frozen parameters, which the doctor"):
        diagnose(gradients, network=network, X=X, y=y)


# --- Sparse rows as targets ---


@pytest.mark.parametrize("name", ["all", "no bias"])
@pytest.mark.parametrize(
    "regularization",
    [Regularization(), Regularization(label_smoothing=0.1), Regularization(mixup=0.3, mixup_share=1.0)],
    ids=["plain", "smoothing", "mixup"],
)
def test_sparse_rows_train_as_dense_rows_do(name, regularization):
    Y = target_of("soft") * (np.random.default_rng(3).random((6, 4)) < 0.5)
    S, networks = sparse.csr_array(Y), [network_of(name) for _ in range(2)]
    for network, y in zip(networks, (Y, S), strict=True):
        trained(network, Adam(0.1), Adam(0.1).init(network.theta), regularization, y)
    np.testing.assert_array_equal(networks[0].theta, networks[1].theta)
    network = networks[0]
    assert network.loss(X, S, W) == network.loss(X, Y, W)
    tape = network.forward(X)
    np.testing.assert_array_equal(network.backward(tape, S).flat, network.backward(tape, Y).flat)
    losses = [ENGINE.loss_and_gradient(network, Data(X, y, W), regularization._replace(mixup=0.0)) for y in (Y, S)]
    assert losses[0][0] == losses[1][0]
    np.testing.assert_array_equal(losses[0][1], losses[1][1])


def test_data_count_the_rows_of_a_sparse_target():
    data = Data(X, sparse.csr_array(np.eye(4)[[0, 1, 2, 3, 0, 1]]))
    assert data.n_rows == 6
    assert data.rows(slice(1, 3)).n_rows == 2
    assert data.rows(np.array([5, 0])).y.toarray().argmax(axis=1).tolist() == [1, 0]
