"""Embedding: the layout of A0 and of theta, and the exact derivatives of a network with an embedding."""

import copy
import pickle

import numpy as np
import pytest
from scipy import sparse

from glassmax import Embedding, Network, diagnose
from glassmax.engine import Data, ReferenceEngine, Regularization, mixed_rows
from glassmax.errors import OptionError, ShapeError
from glassmax.functional import periodic, piecewise_linear
from glassmax.gradcheck import check_gradients
from glassmax.optimizers import SGD, Adam, rate_factors
from glassmax.parameters import Parameters
from tests.embedding.cases import BLOCKS, EDGES, EMBEDDINGS, D, network, rows

NAMES = list(EMBEDDINGS)


def test_the_first_layer_takes_other_columns_then_periodic_then_bins_then_categories():
    net, (X, _, _) = network("all"), rows()
    P = net.parameters
    parts = [
        X[:, [0, 1, 2, 6]],
        periodic(X[:, [0, 2]], P["F"], P["H"], P["V"], P["C"]).reshape(len(X), -1),
        piecewise_linear(X[:, 1], EDGES[1]),
        piecewise_linear(X[:, 2], EDGES[2]),
        X[:, 3:6] @ P["E1"],
        X[:, 7:9] @ P["E2"],
    ]
    np.testing.assert_array_equal(net.forward(X).A[0], np.hstack(parts))
    assert net.layer_sizes[0] == EMBEDDINGS["all"].width == 4 + 2 * 2 + 3 + 1 + 2 + 1
    assert net.n_inputs == D


def test_its_parameters_follow_the_weights_in_theta():
    net = network("all")
    assert list(net.parameters) == ["W1", "b1", "W2", "b2", "F", "H", "V", "C", "E1", "E2"]
    flat = np.concatenate([view.ravel() for view in net.parameters.values()])
    np.testing.assert_array_equal(flat, net.theta)
    assert all(np.shares_memory(view, net.theta) for view in net.parameters.values())
    assert list(net.parameters.penalized) == ["W1", "W2", "V", "E1", "E2"]
    assert list(network("piecewise linear").parameters) == ["W1", "b1", "W2", "b2"]


def test_an_embedding_of_no_column_changes_nothing():
    net, (X, y, w) = network("as they are"), rows()
    plain = Network.from_parameters(net.parameters, activation="tanh")
    (one, gradients), (other, expected) = (n.loss_and_gradients(X, y, w) for n in (net, plain))
    assert one == other
    np.testing.assert_array_equal(gradients.flat, expected.flat)


@pytest.mark.parametrize("loss", ["cross_entropy", "squared_error"])
@pytest.mark.parametrize("sizes", [(3,), (6, 3), (6, 5, 3)], ids=str)
@pytest.mark.parametrize("name", NAMES)
def test_gradients_are_the_derivatives_of_the_loss(name, sizes, loss):
    net, batch = network(name, sizes, loss=loss, l2=0.1), rows()
    report = net.check_gradients(*batch)
    assert report.correct, str(report)
    assert [check.name for check in report] == list(net.parameters)


@pytest.mark.parametrize("parameter", ["F", "H", "V", "C", "E1", "E2"])
@pytest.mark.parametrize("factor", [-1.0, 1.01])
def test_a_wrong_gradient_is_found(parameter, factor):
    net, batch = network("all", l2=0.1), rows()
    _, gradients = net.loss_and_gradients(*batch)
    gradients[parameter] = factor * gradients[parameter]

    def loss(parameters):
        return Network.from_parameters(parameters, activation="tanh", l2=0.1, embedding=net.embedding).loss(*batch)

    report = check_gradients(loss, net.parameters, gradients)
    assert [check.name for check in report if not check.correct] == [parameter]


def test_the_penalty_refers_to_weights_and_not_to_frequencies_phases_and_biases():
    net, (X, y, w) = network("all", l2=0.3), rows()
    P = net.parameters
    squares = sum((P[name] ** 2).sum() for name in ("W1", "W2", "V", "E1", "E2"))
    plain = Network.from_parameters(P, activation="tanh", embedding=net.embedding)
    assert net.loss(X, y, w) - plain.loss(X, y, w) == pytest.approx(0.15 * squares, rel=1e-12)
    (_, one), (_, other) = net.loss_and_gradients(X, y, w), plain.loss_and_gradients(X, y, w)
    for name in P:
        expected = 0.3 * P[name] if name in P.penalized else 0
        np.testing.assert_allclose(one[name] - other[name], expected, rtol=0, atol=1e-13)


@pytest.mark.parametrize("name", NAMES)
def test_hessian_products_are_the_change_of_the_gradient(name):
    net, batch = network(name, l2=0.1), rows()
    v = np.random.default_rng(0).standard_normal(net.theta.shape)
    moved = net.astype(np.complex128)
    moved.theta = net.theta + 1e-30j * v
    expected = moved.loss_and_gradients(*batch)[1].flat.imag / 1e-30
    np.testing.assert_allclose(net.hessian_vector_product(*batch[:2], v, batch[2]), expected, rtol=1e-9, atol=1e-12)


@pytest.mark.parametrize("name", NAMES)
def test_the_jacobian_is_that_of_the_complex_step(name):
    net, (X, _, _) = network(name, (6, 5, 3)), rows()
    probe, expected = net.astype(np.complex128), np.zeros((len(X), 3, D))
    for j in range(D):
        expected[:, :, j] = probe.predictions(X + 1e-30j * np.eye(D)[j]).imag / 1e-30
    np.testing.assert_allclose(net.jacobian(X), expected, rtol=1e-10, atol=1e-14)


@pytest.mark.parametrize("name", NAMES)
def test_a_gradient_norm_is_the_length_of_a_rows_own_gradient(name):
    net, (X, y, _) = network(name), rows()
    expected = [np.linalg.norm(net.loss_and_gradients(X[[i]], y[[i]])[1].flat) for i in range(len(X))]
    np.testing.assert_allclose(net.gradient_norms(X, y), expected, rtol=1e-12)
    np.testing.assert_allclose(net.gradient_norms(sparse.csr_array(X), y), expected, rtol=1e-12)


@pytest.mark.parametrize("kind", [sparse.csr_array, sparse.csc_matrix])
@pytest.mark.parametrize("name", NAMES)
def test_sparse_rows_give_what_dense_rows_give(name, kind):
    net, (X, y, w) = network(name, l2=0.1), rows()
    (one, gradients), (other, expected) = (net.loss_and_gradients(data, y, w) for data in (kind(X), X))
    assert one == pytest.approx(other, rel=1e-14)
    np.testing.assert_allclose(gradients.flat, expected.flat, rtol=1e-12, atol=1e-15)
    v = np.ones(net.theta.shape)
    products = (net.hessian_vector_product(data, y, v, w) for data in (kind(X), X))
    np.testing.assert_allclose(*products, rtol=1e-12, atol=1e-14)


@pytest.mark.parametrize("name", NAMES)
def test_no_rows_have_no_predictions(name):
    net, empty = network(name), np.zeros((0, D))
    assert net.predictions(empty).shape == (0, 3)
    assert net.jacobian(empty).shape == (0, 3, D)
    assert net.gradient_norms(empty, np.zeros(0, int)).shape == (0,)
    assert not net.loss_and_gradients(empty, np.zeros(0, int), divisor=1.0)[1].flat.any()
    assert not net.hessian_vector_product(empty, np.zeros(0, int), net.theta, np.zeros(0)).any()


def test_a_row_of_weight_0_is_absent_whatever_it_holds():
    net, (X, y, w) = network("all"), rows()
    w[[0, 3]] = 0
    expected = net.loss_and_gradients(X[w > 0], y[w > 0], w[w > 0])
    X[[0, 3]] = np.nan
    loss, gradients = net.loss_and_gradients(X, y, w)
    assert loss == expected[0]
    np.testing.assert_array_equal(gradients.flat, expected[1].flat)


@pytest.mark.parametrize("dtype", ["float32", "longdouble", "complex128"])
def test_astype_keeps_the_embedding(dtype):
    net, (X, y, w) = network("all", l2=0.1), rows()
    other = net.astype(dtype)
    assert other.embedding is net.embedding
    assert other.theta.dtype == other.parameters["F"].dtype == np.dtype(dtype)
    assert other.loss(X, y, w).real == pytest.approx(net.loss(X, y, w), rel=1e-5)
    assert other.forward(X.astype(np.float32)).A[0].dtype == np.dtype(dtype)


@pytest.mark.parametrize("again", [copy.deepcopy, lambda net: pickle.loads(pickle.dumps(net))], ids=["copy", "pickle"])
def test_a_copy_is_the_same_network_with_memory_of_its_own(again):
    net, (X, y, w) = network("all"), rows()
    other = again(net)
    assert other.loss(X, y, w) == net.loss(X, y, w)
    assert other.embedding == net.embedding
    other.theta[...] = 0
    assert not other.parameters["E2"].any()
    assert net.parameters["E2"].any()


def test_a_step_moves_every_parameter():
    net, batch = network("all"), rows()
    loss, gradients = net.loss_and_gradients(*batch)
    before = net.parameters.copy()
    net.step(gradients, 0.1)
    for name in before:
        np.testing.assert_allclose(net.parameters[name], before[name] - 0.1 * gradients[name], rtol=0, atol=1e-15)
    assert net.loss(*batch) < loss
    with pytest.raises(ShapeError, match=r"^The gradients are called W1, b1, W2, b2, expected W1, b1, W2, b2, F, H"):
        net.step({name: gradients[name] for name in ("W1", "b1", "W2", "b2")}, 0.1)


def test_starting_values_have_the_moments_they_should():
    embedding = Embedding(300, periodic=range(200), scale=0.3, blocks=[(200, 300, 40)])
    P = Network([embedding.width, 3], embedding=embedding).parameters
    assert P["F"].std() == pytest.approx(2 * np.pi * 0.3, rel=0.05)
    assert abs(P["F"].mean()) < 0.1
    assert -np.pi <= P["H"].min() < -3 < 3 < P["H"].max() <= np.pi
    assert abs(P["V"]).max() == pytest.approx(0.25, rel=0.01)
    assert not P["C"].any()
    assert P["E1"].std() == pytest.approx(0.1, rel=0.05)


def test_the_weights_start_as_without_an_embedding():
    embedding = EMBEDDINGS["all"]
    one = Network([embedding.width, 6, 3], embedding=embedding, random_state=7)
    other = Network([embedding.width, 6, 3], random_state=7)
    np.testing.assert_array_equal(one.theta[: other.theta.size], other.theta)


@pytest.mark.parametrize("name", NAMES)
def test_a_description_gives_the_embedding_back(name):
    embedding = EMBEDDINGS[name]
    plain = embedding.to_plain()
    again = Embedding.from_plain(plain)
    assert again == embedding
    assert hash(again) == hash(embedding)
    assert again.to_plain() == plain
    assert again.shapes == embedding.shapes


def test_embeddings_that_differ_are_not_equal():
    several = [*EMBEDDINGS.values(), Embedding(D, periodic=[0, 2, 8], frequencies=5, scale=0.2), Embedding(D + 1)]
    several += [Embedding(D, edges={**EDGES, 1: [-1.0, 0.0, 0.5, 2.5]})]
    assert len(set(several)) == len(several)
    assert EMBEDDINGS["all"] != "all"


def test_rates_of_the_parameters_follow_their_kind():
    net = network("all")
    shapes = net.parameters.embedding_shapes
    found = rate_factors(net.layer_sizes, Adam(0.1), parametrization="ntk", bias_rate=0.1, embedding_shapes=shapes)
    root = np.sqrt
    expected = [1 / root(15), 0.1, 1 / root(6), 0.1, 0.1, 0.1, 1 / root(5), 0.1, 1 / root(3), 1 / root(2)]
    assert found == pytest.approx(expected)
    assert len(found) == len(net.parameters)
    found = rate_factors(net.layer_sizes, SGD(0.1), parametrization="ntk", embedding_shapes=shapes)
    assert found == pytest.approx([1 / 15, 1, 1 / 6, 1, 1, 1, 1 / 5, 1, 1 / 3, 1 / 2])
    assert rate_factors(net.layer_sizes, Adam(0.1), embedding_shapes=shapes) == ()


def test_mixup_mixes_rows_before_they_are_embedded():
    net, (X, y, _) = network("all"), rows()
    engine, order = ReferenceEngine(), np.arange(len(X))
    mixed = Regularization(mixup=0.5, mixup_share=1.0, seed=5)
    batch, _ = mixed_rows(net, Data(X, y), mixed, 0, order)
    assert (batch.X != X).any()
    _, gradients = net.loss_and_gradients(batch.X, batch.y, l2=0.0)
    before, rule = net.theta.copy(), SGD(0.1)
    engine.epoch(
        net, Data(X, y), rule, rule.init(net.theta), order=order, batch_size=len(X), rates=np.array([0.1]),
        regularization=mixed, first_step=0,
    )  # fmt: skip
    np.testing.assert_allclose(net.theta, before - 0.1 * gradients.flat, rtol=0, atol=1e-14)


@pytest.mark.parametrize("wrt", ["W1", "b2", "A0", "F", "H", "V", "C", "E1", "E2", "F[m,n]"])
def test_the_calculus_derives_every_gradient(wrt):
    assert network("all", l2=0.1).derive(wrt).proved


def test_the_derivations_of_the_embedding_compute_its_gradients():
    net, (X, y, _) = network("all", l2=0.1), rows()
    _, gradients = net.loss_and_gradients(X, y)
    P, tape = net.parameters, net.forward(X)
    dZ = tape.P.copy()
    dZ[np.arange(len(y)), y] -= 1
    dA0 = ((dZ / len(y)) @ P["W2"].T * (1 - tape.A[1] ** 2)) @ P["W1"].T
    given = {name: P[name] for name in "FHVC"} | {"X": X[:, [0, 2]], "dA": dA0[:, 4:8].reshape(-1, 2, 2)}
    for name in "FHVC":
        derived = net.derive(name).evaluate(**given, **({"l2": 0.1} if name == "V" else {}))
        np.testing.assert_allclose(derived, gradients[name], rtol=0, atol=1e-14)
    for (start, stop, _), name, columns in zip(BLOCKS, ("E1", "E2"), (slice(12, 14), slice(14, 15)), strict=True):
        derived = net.derive(name).evaluate(X=X[:, start:stop], dA=dA0[:, columns], l2=0.1, **{name: P[name]})
        np.testing.assert_allclose(derived, gradients[name], rtol=0, atol=1e-14)


def test_parameters_of_an_embedding_are_asked_for_by_name():
    net = network("all")
    again = Network.from_parameters(dict(net.parameters), activation="tanh", embedding=net.embedding)
    np.testing.assert_array_equal(again.theta, net.theta)
    arrays = {name: view for name, view in net.parameters.items() if name != "E2"}
    with pytest.raises(ShapeError, match=r"and the embedding's E2 is missing\.$"):
        Network.from_parameters(arrays, embedding=net.embedding)
    with pytest.raises(ShapeError, match=r"^H is \(5, 2\), expected \(2, 5\)\.$"):
        Network.from_parameters({**net.parameters, "H": net.parameters["H"].T}, embedding=net.embedding)
    with pytest.raises(ShapeError, match="expected W1, b1, W2, b2, "):
        Network.from_parameters(net.parameters)


def test_parameters_of_another_vector_have_the_same_names():
    parameters = Parameters([2, 3], embedding_shapes={"E1": (4, 2)})
    assert repr(parameters) == "Parameters(W1: (2, 3), b1: (3,), E1: (4, 2))"
    assert repr(parameters.of(np.arange(17.0))) == repr(parameters.copy()) == repr(parameters)
    assert parameters.of(np.arange(17.0))["E1"][-1, -1] == 16


ERRORS = {
    "layer_sizes starts with 9, expected 15, the width of": lambda: Network([9, 3], embedding=EMBEDDINGS["all"]),
    "embedding is 'periodic', expected an Embedding, or None.": lambda: Network([9, 3], embedding="periodic"),
    "edges is array([1.00000000e+08, 1.00000001e+08]) for column 0, expected edges that are distinct in float32. "
    "Subtract the column's median and divide by its spread first.": (
        lambda: Network([2, 3], dtype="float32", embedding=Embedding(1, edges={0: [1e8, 1e8 + 1]}))
    ),
    "d is 0, expected a whole number >= 1.": lambda: Embedding(0),
    "frequencies is 1.5, expected a whole number >= 1.": lambda: Embedding(3, frequencies=1.5),
    "size is 0, expected a whole number >= 1.": lambda: Embedding(3, size=0),
    "scale is -0.1, expected a number > 0.": lambda: Embedding(3, scale=-0.1),
    "periodic is [0, 3], expected column numbers from 0 to 2 that increase.": lambda: Embedding(3, periodic=[0, 3]),
    "periodic is [1, 1], expected column numbers from 0 to 2 that increase.": lambda: Embedding(3, periodic=[1, 1]),
    "edges is [1.0, 0.0] for column 0, expected two or more finite numbers that increase.": (
        lambda: Embedding(3, edges={0: [1.0, 0.0]})
    ),
    "edges is [5], expected column numbers from 0 to 2 that increase.": lambda: Embedding(3, edges={5: [0, 1]}),
    "blocks is (0, 4, 1), expected (start, stop, size): columns from 0 to 3, in order and apart, and a size >= 1.": (
        lambda: Embedding(3, blocks=[(0, 4, 1)])
    ),
    "blocks is (1, 3, 1), expected (start, stop, size): columns from 2 to 3, in order and apart, and a size >= 1.": (
        lambda: Embedding(3, blocks=[(0, 2, 1), (1, 3, 1)])
    ),
    "periodic is column 1, expected columns outside the blocks, whose columns are replaced.": (
        lambda: Embedding(3, periodic=[1], blocks=[(0, 2, 1)])
    ),
    "edges is column 0, expected columns outside the blocks, whose columns are replaced.": (
        lambda: Embedding(3, edges={0: [0, 1]}, blocks=[(0, 2, 1)])
    ),
    "embedding is d, expected the entries d, periodic, frequencies, size, scale, edges, blocks.": (
        lambda: Embedding.from_plain({"d": 3})
    ),
    "edges is [1], expected pairs of a column and its edges.": (
        lambda: Embedding.from_plain({**Embedding(3).to_plain(), "edges": [1]})
    ),
    "edges is [1, 1], expected increasing columns.": (
        lambda: Embedding.from_plain({**Embedding(3).to_plain(), "edges": [[1, [0.0, 1.0]], [1, [0.0, 2.0]]]})
    ),
    "network has an embedding, which the doctor doesn't know. Use network.check_gradients(X, y), or pass a network of "
    "its layers alone with the embedded inputs: X=network.forward(X).A[0].": (
        lambda: diagnose({}, *rows()[:2], network=network("all"))
    ),
}


@pytest.mark.parametrize("message", ERRORS)
def test_what_can_not_be_is_an_error_that_names_it(message):
    with pytest.raises(OptionError) as error:
        ERRORS[message]()
    assert str(error.value).startswith(message)


def test_rows_of_another_width_are_named():
    with pytest.raises(ShapeError, match=r"^X is \(8, 15\), expected \(n, 9\): rows are samples\.$"):
        network("all").forward(np.zeros((8, 15)))
    with pytest.raises(ShapeError, match=r"One sample is a row: pass x\[None, :\]\.$"):
        network("all").forward(np.zeros(9))


def test_the_prompt_shows_what_is_embedded():
    assert repr(EMBEDDINGS["all"]) == (
        "Embedding(9 columns -> 15: periodic 2 x 2, piecewise linear 2 x 1 to 3, categories 2 x 1 to 2)"
    )
    assert repr(Embedding(4)) == "Embedding(4 columns -> 4: as they are)"
    assert repr(network("categories")) == (
        "Network(7-6-3, Embedding(9 columns -> 7: categories 2 x 1 to 2), activation='tanh', output='softmax', "
        "loss='cross_entropy', 77 parameters)"
    )
