"""The network: its gradients, Jacobian and Hessian products against everything that can say what they are."""

import copy
import pickle

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from sklearn.neural_network import MLPClassifier

from glassmax import Network
from glassmax.errors import DataError, LabelError, ShapeError
from glassmax.functional import ACTIVATIONS, softmax_jacobian
from glassmax.functional.heads import PAIRS, Head
from glassmax.gradcheck import check_gradients
from glassmax.parameters import Parameters
from tests import oracle
from tests.grid import DTYPES, SIZES, Case, heads, networks, one_hot

every_head = pytest.mark.parametrize("case", heads(), ids=str)
deep = [Case(SIZES[3], name, "softmax", "cross_entropy", "soft", True, 0.1) for name in ACTIVATIONS]
every_activation = pytest.mark.parametrize("case", deep, ids=[case.activation for case in deep])


def measured(case, method):
    """Hold backpropagation against derivatives that are measured from the loss alone."""
    network, (X, y, w) = case.network(), case.data()
    _, gradients = network.loss_and_gradients(X, y, w)
    probe = network.astype(complex if method == "complex" else float)

    def loss_at(parameters):
        for name, values in parameters.items():
            probe.parameters[name] = values
        return probe.loss(X, y, w)

    directions, tolerance = (2, 1e-12) if method == "complex" else (1, 1e-7)
    return check_gradients(
        loss_at, network.parameters, gradients, method=method, directions=directions, tolerance=tolerance
    )


# --- Gradients ---


@pytest.mark.parametrize("case", networks(), ids=str)
@pytest.mark.parametrize("method", ["complex", "central"])
def test_gradients_are_the_derivatives_of_the_loss(case, method):
    report = measured(case, method)
    seen = [line for line in report if line.directions]
    assert all(line.correct for line in seen), str(report)
    # Central differences can't see a gradient that is all but 0 behind the rounding of the loss; the complex step can.
    assert len(seen) == len(report.checks) if method == "complex" else len(seen) > len(report.checks) / 2, str(report)


@every_head
def test_gradients_of_every_target_weight_and_penalty_are_derivatives(case):
    report = measured(case, "complex")
    assert report.correct, str(report)


@pytest.mark.parametrize(
    "case",
    [Case(SIZES[2], name, "softmax", "cross_entropy", "indices", True, 0.1) for name in ACTIVATIONS]
    + [Case(SIZES[1], "tanh", output, loss, "soft", True) for output, loss in PAIRS]
    + [Case(sizes, "sigmoid", "softmax", "squared_error", "one-hot", False, 0.1) for sizes in SIZES],
    ids=str,
)
def test_loss_and_gradients_agree_with_scalar_loops_of_50_digits(case):
    network, (X, y, w) = case.network(), case.data()
    Y = one_hot(y, case.sizes[-1]) if case.kind == "indices" else y
    weights = np.ones(len(X)) if w is None else w
    true_loss, true_gradients = oracle.network(
        network.parameters, case.activation, case.output, case.loss, X, Y, weights, case.l2
    )
    loss, gradients = network.loss_and_gradients(X, y, w)
    assert oracle.relative_error(loss, true_loss) < 1e-13
    for name, gradient in gradients.items():
        true = np.array(true_gradients[name], float)
        np.testing.assert_allclose(gradient, true, rtol=0, atol=1e-13 * np.abs(true).max(), err_msg=name)


@every_head
def test_loss_alone_and_backward_alone_give_the_same_numbers(case):
    network, (X, y, w) = case.network(), case.data()
    loss, gradients = network.loss_and_gradients(X, y, w)
    assert network.loss(X, y, w) == loss
    np.testing.assert_array_equal(network.backward(network.forward(X), y, w).flat, gradients.flat)


@pytest.mark.parametrize("dtype", DTYPES)
@every_activation
def test_forward_keeps_every_z_and_a(case, dtype):
    network, (X, _, _) = case.network(dtype), case.data()
    tape = network.forward(X)
    assert list(tape.Z) == [1, 2, 3, 4]
    assert list(tape.A) == [0, 1, 2, 3]
    np.testing.assert_array_equal(tape.A[0], X.astype(dtype))
    for layer, Z in tape.Z.items():
        np.testing.assert_array_equal(Z, tape.A[layer - 1] @ network.parameters.W[layer] + network.parameters.b[layer])
        assert layer == 4 or (tape.A[layer] == ACTIVATIONS[case.activation].f(Z)).all()
    np.testing.assert_array_equal(tape.P, network.predictions(X))
    assert tape.P.dtype == dtype


@every_head
def test_a_float32_network_is_close_to_the_float64_one(case):
    X, y, w = case.data()
    loss, gradients = case.network().loss_and_gradients(X, y, w)
    loss32, gradients32 = case.network("float32").loss_and_gradients(X, y, w)
    assert gradients32.flat.dtype == np.float32
    assert isinstance(loss32, float)
    assert loss32 == pytest.approx(loss, rel=1e-5)
    np.testing.assert_allclose(gradients32.flat, gradients.flat, atol=2e-6 * np.abs(gradients.flat).max())


def test_each_hidden_layer_may_have_an_activation_of_its_own():
    network = Network([3, 4, 5, 2], activation=["tanh", "softplus"])
    X, y = np.random.default_rng(0).standard_normal((5, 3)), [0, 1, 1, 0, 1]
    tape = network.forward(X)
    np.testing.assert_array_equal(tape.A[1], np.tanh(tape.Z[1]))
    np.testing.assert_array_equal(tape.A[2], ACTIVATIONS["softplus"].f(tape.Z[2]))
    assert network.check_gradients(X, y).correct


def test_the_network_judges_its_own_gradients():
    case = deep[0]
    for method in ("complex", "central"):
        for dtype in DTYPES:
            report = case.network(dtype).check_gradients(*case.data(), method=method)
            assert report.correct, str(report)
            assert [line.name for line in report] == list(case.network().parameters)


# --- Batches, weights, penalties ---


@every_head
def test_mini_batches_with_the_mean_weight_add_up_to_the_whole(case):
    network, (X, y, w) = case.network(), case.data()
    w = np.ones(6) if w is None else w
    loss, gradients = network.loss_and_gradients(X, y, w, l2=0.0)
    parts = [
        network.loss_and_gradients(X[rows], y[rows], w[rows], divisor=len(X[rows]) * w.mean(), l2=0.0)
        for rows in (slice(0, 2), slice(2, 3), slice(3, 6))  # the second weighs 0 where there are weights
    ]
    shares = [2 / 6, 1 / 6, 3 / 6]
    assert sum(s * part[0] for s, part in zip(shares, parts, strict=True)) == pytest.approx(loss, rel=1e-13, abs=0)
    total = sum(s * part[1].flat for s, part in zip(shares, parts, strict=True))
    np.testing.assert_allclose(total, gradients.flat, atol=1e-14 * np.abs(gradients.flat).max() * 10)


def test_a_batch_of_weight_0_is_no_error_and_moves_nothing():
    network = Network([2, 3, 2])
    loss, gradients = network.loss_and_gradients(np.ones((2, 2)), [0, 1], [0, 0], divisor=2.0)
    assert loss == 0
    assert (gradients.flat == 0).all()


def test_the_loss_over_nothing_is_nan():
    network = Network([2, 3, 2])
    assert np.isnan(network.loss(np.ones((0, 2)), np.zeros(0, int)))
    assert np.isnan(network.loss(np.ones((1, 2)), [0], [0]))
    assert network.predictions(np.ones((0, 2))).shape == (0, 2)
    assert network.jacobian(np.ones((0, 2))).shape == (0, 2, 2)


def test_the_penalty_charges_weights_and_no_biases():
    plain = Case(SIZES[2], "tanh", "softmax", "cross_entropy", "indices", True)
    network, (X, y, w) = plain.network(), plain.data()
    loss, gradients = network.loss_and_gradients(X, y, w)
    loss_l2, gradients_l2 = network.loss_and_gradients(X, y, w, l2=0.3)
    assert loss_l2 - loss == pytest.approx(0.15 * sum((W**2).sum() for W in network.parameters.W.values()), rel=1e-13)
    for name, gradient in gradients_l2.items():
        penalty = 0.3 * network.parameters[name] if name.startswith("W") else 0.0
        np.testing.assert_allclose(gradient - gradients[name], penalty, atol=1e-15)


@pytest.mark.parametrize(("output", "loss"), [("softmax", "cross_entropy"), ("identity", "cross_entropy")])
def test_a_row_of_weight_0_and_infinite_loss_is_absent(output, loss):
    logits = {"softmax": [-np.inf, 0.0], "identity": [0.0, 1.0]}[output]
    network = Network.from_parameters({"W1": np.zeros((1, 2)), "b1": logits}, output=output, loss=loss)
    got, gradients = network.loss_and_gradients([[1.0], [1.0]], [0, 1], [0, 2])
    alone, expected = network.loss_and_gradients([[1.0]], [1], [2])
    assert np.isfinite(got)
    assert got == alone
    np.testing.assert_array_equal(gradients.flat, expected.flat)


@pytest.mark.parametrize(
    ("output", "loss", "logits", "y", "expected", "slope"),
    [
        ("softmax", "binary_cross_entropy", [200.0, 0.0], 1, 400.0, [2.0, -2.0]),
        ("sigmoid", "cross_entropy", [-900.0, 0.0], 0, 900.0, [-1.0, 0.0]),
        ("sigmoid", "binary_cross_entropy", [-900.0, -900.0], 0, 900.0, [-1.0, 0.0]),
        ("softmax", "cross_entropy", [900.0, 0.0], 1, 900.0, [1.0, -1.0]),
    ],
)
@pytest.mark.parametrize("dtype", ["float32", "float64"])
def test_saturated_outputs_keep_their_loss_and_their_gradient(output, loss, logits, y, expected, slope, dtype):
    network = Network.from_parameters({"W1": np.zeros((1, 2)), "b1": logits}, output=output, loss=loss, dtype=dtype)
    got, gradients = network.loss_and_gradients([[1.0]], [y])
    assert got == pytest.approx(expected, rel=1e-6)
    np.testing.assert_allclose(gradients["b1"], slope, rtol=1e-6)


def test_a_row_with_nan_leaves_the_predictions_of_the_others_alone():
    network = deep[0].network()
    X = deep[0].data()[0].copy()
    before = network.predictions(X)
    X[2, 1] = np.nan
    after = network.predictions(X)
    assert np.isnan(after).all(axis=1).tolist() == [False, False, True, False, False, False]
    np.testing.assert_array_equal(np.delete(after, 2, axis=0), np.delete(before, 2, axis=0))


def test_bad_labels_are_refused_before_the_forward_pass(monkeypatch):
    network, X = Network([2, 3, 2]), np.ones((2, 2))
    tape = network.forward(X)
    monkeypatch.setattr(Network, "forward", lambda *_: pytest.fail("arithmetic before the check"))
    for call in (
        lambda y: network.loss(X, y),
        lambda y: network.loss_and_gradients(X, y),
        lambda y: network.backward(tape, y),
        lambda y: network.gradient_norms(X, y),
        lambda y: network.hessian_vector_product(X, y, network.theta),
    ):
        with pytest.raises(LabelError, match=r"Label of row 1 is 2, expected 0\.\.1"):
            call([0, 2])


# --- Derivatives of other things ---


@every_head
def test_the_jacobian_is_what_the_complex_step_measures(case):
    network, (X, _, _) = case.network(), case.data()
    J = network.jacobian(X)
    assert J.shape == (6, case.sizes[-1], case.sizes[0])
    for j in range(case.sizes[0]):
        step = np.zeros(case.sizes[0], complex)
        step[j] = 1e-20j
        np.testing.assert_allclose(J[:, :, j], network.predictions(X + step).imag / 1e-20, rtol=1e-10, atol=1e-14)


@every_activation
def test_the_jacobian_goes_through_every_activation(case):
    network, (X, _, _) = case.network(), case.data()
    v = np.random.default_rng(0).standard_normal(X.shape)
    expected = network.predictions(X + 1e-20j * v).imag / 1e-20
    np.testing.assert_allclose(np.einsum("icj,ij->ic", network.jacobian(X), v), expected, rtol=1e-10, atol=1e-14)


def test_without_hidden_layers_the_jacobian_is_that_of_softmax_times_the_weights():
    case = Case(SIZES[0], "identity", "softmax", "cross_entropy", "indices", False)
    network, (X, _, _) = case.network(), case.data()
    expected = softmax_jacobian(network.forward(X).Z[1]) @ network.parameters["W1"].T
    np.testing.assert_allclose(network.jacobian(X), expected, atol=1e-16)


@pytest.mark.parametrize("case", [*heads(), *deep], ids=str)
def test_hessian_products_are_what_the_complex_step_of_the_gradient_measures(case):
    network, (X, y, w) = case.network(), case.data()
    draw = np.random.default_rng(1)
    u, v = draw.standard_normal((2, network.theta.size))
    probe = network.astype(complex)
    probe.theta = network.theta + 1e-20j * v
    expected = probe.loss_and_gradients(X, y, w)[1].flat.imag / 1e-20
    Hv = network.hessian_vector_product(X, y, v, w)
    np.testing.assert_allclose(Hv, expected, rtol=1e-10, atol=1e-13 * np.abs(expected).max())
    Hu = network.hessian_vector_product(X, y, u, w)
    assert u @ Hv == pytest.approx(v @ Hu, rel=1e-10, abs=1e-12 * np.abs(expected).max())


@pytest.mark.parametrize("case", [*heads(), *deep], ids=str)
def test_gradient_norms_are_those_of_one_row_at_a_time(case):
    network, (X, y, _) = case.network(), case.data()
    one_by_one = [
        np.linalg.norm(network.loss_and_gradients(X[i : i + 1], y[i : i + 1], l2=0.0)[1].flat) for i in range(len(X))
    ]
    np.testing.assert_allclose(network.gradient_norms(X, y), one_by_one, rtol=1e-12)


# --- Making, copying, moving ---


@pytest.mark.parametrize("dtype", DTYPES)
def test_from_parameters_makes_the_same_network_with_weights_of_its_own(dtype):
    network, (X, y, w) = deep[0].network(dtype), deep[0].data()
    given = {name: values.copy() for name, values in network.parameters.items()}
    made = Network.from_parameters(given, activation=deep[0].activation, l2=0.1)
    assert made.theta.dtype == dtype
    assert made.loss(X, y, w) == network.loss(X, y, w)
    assert made.layer_sizes == network.layer_sizes
    made.theta[...] = 0
    assert all((given[name] == network.parameters[name]).all() for name in given)


@pytest.mark.parametrize(
    "clone",
    [
        lambda network: network,
        lambda network: pickle.loads(pickle.dumps(network)),
        copy.deepcopy,
        lambda network: network.astype("float64"),
    ],
    ids=["itself", "pickle", "deepcopy", "astype"],
)
def test_named_parameters_are_views_of_theta(clone):
    case = deep[0]
    network, (X, y, w) = clone(case.network()), case.data()
    assert network.loss(X, y, w) == case.network().loss(X, y, w)
    network.theta[...] = np.arange(network.theta.size)
    np.testing.assert_array_equal(np.concatenate([v.ravel() for v in network.parameters.values()]), network.theta)
    network.parameters["b1"][0] = -1.0
    assert -1.0 in network.theta
    network.theta = np.zeros(network.theta.size)
    assert (network.parameters["W2"] == 0).all()


def in_reverse_order(gradients):
    return {name: gradients[name].tolist() for name in reversed(list(gradients))}


@pytest.mark.parametrize("dress", [Parameters.copy, dict, in_reverse_order], ids=lambda dress: dress.__name__)
def test_a_step_moves_every_parameter_against_its_gradient(dress):
    network, (X, y, w) = deep[1].network(), deep[1].data()
    before, (_, gradients) = network.theta.copy(), network.loss_and_gradients(X, y, w)
    network.step(dress(gradients), 0.5)
    np.testing.assert_array_equal(network.theta, before - 0.5 * gradients.flat)


def test_a_step_reads_all_gradients_before_any_weight_moves():
    network = Network([2, 2])
    network.theta = np.arange(6.0)
    views = {"W1": network.parameters["W1"][::-1], "b1": network.parameters["W1"][0]}  # of the weights that move
    network.step(views, 1.0)
    assert network.theta.tolist() == [0 - 2, 1 - 3, 2 - 0, 3 - 1, 4 - 0, 5 - 1]


@pytest.mark.parametrize("gradients", [{"W1": np.zeros((2, 2))}, {"W1": np.zeros((2, 2)), "b1": np.zeros((1, 2))}])
def test_a_step_with_an_ill_fitting_gradient_moves_nothing(gradients):
    network = Network([2, 2])
    before = network.theta.copy()
    with pytest.raises(ShapeError):
        network.step(gradients, 1.0)
    np.testing.assert_array_equal(network.theta, before)


@given(seed=st.integers(0, 2**32 - 1))
def test_the_same_seed_draws_the_same_weights(seed):
    first, second = (Network([4, 5, 3], random_state=seed) for _ in range(2))
    np.testing.assert_array_equal(first.theta, second.theta)
    for generator in (np.random.RandomState, np.random.default_rng):
        first, second = (Network([4, 5, 3], random_state=generator(seed)) for _ in range(2))
        np.testing.assert_array_equal(first.theta, second.theta)
    assert (Network([4, 5, 3], random_state=seed).theta != Network([4, 5, 3], random_state=seed ^ 1).theta).any()


# --- Against scikit-learn ---

IN_SKLEARN = {"identity": "identity", "sigmoid": "logistic", "tanh": "tanh", "relu": "relu"}

against_sklearn = pytest.mark.parametrize("hidden", [(5,), (6, 5)], ids=str)


def after_one_step_of_sklearn(activation, hidden, X, y, learning_rate):
    """Return scikit-learn's parameters after one step of plain gradient descent on all rows, and its loss before."""
    sklearn = MLPClassifier(
        hidden,
        activation=IN_SKLEARN[activation],
        solver="sgd",
        alpha=0.0,
        momentum=0.0,
        nesterovs_momentum=False,
        learning_rate_init=learning_rate,
        random_state=0,
    ).partial_fit(X, y, classes=np.unique(y))
    parameters = {f"W{layer}": W for layer, W in enumerate(sklearn.coefs_, start=1)}
    return parameters | {f"b{layer}": b for layer, b in enumerate(sklearn.intercepts_, start=1)}, sklearn.loss_


def data_for_sklearn(n_classes):
    draw = np.random.default_rng(2)
    return draw.standard_normal((30, 4)), draw.permutation(np.arange(30) % n_classes)


@against_sklearn
@pytest.mark.parametrize("activation", IN_SKLEARN)
def test_starting_weights_are_those_of_scikit_learn(activation, hidden):
    network = Network([4, *hidden, 3], activation=activation, random_state=0)
    hardly_moved, _ = after_one_step_of_sklearn(activation, hidden, *data_for_sklearn(3), learning_rate=1e-300)
    for name, values in network.parameters.items():
        np.testing.assert_array_equal(values, hardly_moved[name])


@against_sklearn
@pytest.mark.parametrize("activation", IN_SKLEARN)
@pytest.mark.parametrize("n_classes", [2, 3])
def test_loss_and_gradients_are_those_of_scikit_learn(activation, hidden, n_classes):
    X, y = data_for_sklearn(n_classes)
    before, loss = after_one_step_of_sklearn(activation, hidden, X, y, learning_rate=1e-300)
    after, _ = after_one_step_of_sklearn(activation, hidden, X, y, learning_rate=1.0)
    binary = {"output": "sigmoid", "loss": "binary_cross_entropy"} if n_classes == 2 else {}
    network = Network.from_parameters(before, activation=activation, **binary)
    got, gradients = network.loss_and_gradients(X, y)
    assert got == pytest.approx(loss, rel=1e-12, abs=0)
    for name, gradient in gradients.items():
        np.testing.assert_allclose(gradient, before[name] - after[name], rtol=1e-12, atol=1e-15)


@pytest.mark.parametrize(
    ("output", "loss", "expected"),
    [
        ("softmax", "cross_entropy", np.log(5)),
        ("sigmoid", "binary_cross_entropy", 5 * np.log(2)),
        ("softmax", "squared_error", (0.8**2 + 4 * 0.2**2) / 2),
    ],
)
def test_chance_is_the_loss_of_a_network_whose_logits_are_all_0(output, loss, expected):
    net = Network([2, 5], output=output, loss=loss)
    net.theta = np.zeros_like(net.theta)
    assert net.head.chance(5) == pytest.approx(expected, rel=1e-14)
    assert net.loss(np.ones((3, 2)), [0, 1, 2]) == pytest.approx(expected, rel=1e-14)


def test_chance_needs_no_square_of_the_number_of_classes():
    assert Network([1, 2]).head.chance(1_000_000) == pytest.approx(np.log(1e6), rel=1e-14)  # k x k: 8 terabytes


def test_only_the_two_pairs_whose_derivatives_cancel_are_fused():
    fused = {(output, loss) for output, loss in PAIRS if Head(output, loss).fused}
    assert fused == {("softmax", "cross_entropy"), ("sigmoid", "binary_cross_entropy")}


def test_the_prompt_shows_the_shapes_of_a_tape():
    tape = Network([4, 10, 3]).forward(np.ones((5, 4)))
    assert repr(tape) == "Tape(A0: (5, 4), Z1: (5, 10), A1: (5, 10), Z2: (5, 3), P: (5, 3))"
    assert repr(tape.head) == "HeadTape(Z: (5, 3), P: (5, 3))"
    assert repr(tape.head.pieces) == "Exponentials(P: (5, 3))"


@pytest.mark.parametrize("hole", [np.nan, np.inf])
def test_a_gradient_is_not_checked_at_inputs_that_are_not_finite(hole):
    network, X = Network([2, 3], random_state=0), np.array([[1.0, 2.0], [3.0, hole]])
    with pytest.raises(DataError, match=r"^Row 1 of X holds NaN or inf, expected finite numbers\.$"):
        network.check_gradients(X, [0, 2])
    assert network.check_gradients(X, [0, 2], [1.0, 0.0]).correct  # a row of weight 0 may hold anything
