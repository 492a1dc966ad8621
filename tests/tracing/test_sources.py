"""What can be traced: networks, classifiers, models, tables; what is chosen or left out is said."""

import numpy as np
import pandas as pd
import pytest
from scipy.sparse import csr_matrix

import glassmax as gm
from glassmax import Model, SoftmaxClassifier, TableClassifier, trace
from glassmax.optimizers import Adam
from glassmax.table import Boolean, Category, Date, Encoding, Number
from glassmax.tracing import toy
from glassmax.tracing.encoded_names import encoded_names
from tests.embedding.cases import EMBEDDINGS
from tests.embedding.cases import network as embedded
from tests.embedding.cases import rows as embedded_rows
from tests.tracing.test_arrays import check_equations, values_of

IRIS = gm.read_table("iris")
X = np.column_stack([IRIS.column(name) for name in IRIS.names[:-1]])
NAMES = np.asarray(IRIS.column("species"), dtype=str)


@pytest.fixture(scope="module")
def tables():
    """A TableClassifier of several members."""
    return TableClassifier("fast", random_state=0).fit(gm.read_table("penguins"), "species")


def fitted(**options):
    classifier = SoftmaxClassifier((5,), activation="tanh", max_iter=3, tol=1.0, random_state=0, **options)
    return classifier.fit(X, NAMES)


SOLVERS = {
    "adam": {},
    "momentum": {"solver": "sgd", "momentum": 0.5},
    "nesterov": {"solver": "sgd", "momentum": 0.5, "nesterovs_momentum": True},
    "plain": {"solver": "sgd", "momentum": 0.0},
    "adamw": {"solver": "adamw", "weight_decay": 0.1},
    "clipped": {"clip_norm": 0.01},
    "ntk": {"parametrization": "ntk", "bias_rate": 0.1, "solver": "sgd"},
}
pytestmark = pytest.mark.filterwarnings("ignore::sklearn.exceptions.ConvergenceWarning")


@pytest.mark.parametrize("solver", SOLVERS)
def test_the_update_of_a_classifier_is_its_next_step(solver):
    """All rows are one batch, in their order: the next epoch of the classifier makes this one step."""
    options = {"batch_size": 150, "shuffle": False, "alpha": 0.3, **SOLVERS[solver]}
    classifier = fitted(warm_start=True, **options)
    traced = trace(classifier, X, NAMES)
    theta = classifier.network_.theta.copy()
    classifier.max_iter = 1
    classifier.fit(X, NAMES)
    assert not np.array_equal(theta, classifier.network_.theta)
    for name, W in classifier.network_.parameters.items():
        np.testing.assert_allclose(traced[f"{name}'"], W, rtol=1e-9, atol=1e-12, err_msg=name)
    check_equations(traced, values_of(traced))


def test_the_loss_of_a_classifier_has_class_weights_smoothing_and_penalty():
    classifier = fitted(class_weight={"setosa": 3.0}, label_smoothing=0.2, alpha=0.7, solver="sgd", momentum=0.0)
    rows = [0, 60, 120]
    traced = trace(classifier, X, NAMES, rows=rows)
    network, w = classifier.network_, np.array([3.0, 1, 1])
    Y = 0.8 * np.eye(3) + 0.2 / 3
    penalty = 0.7 / 5 / 2 * sum((W**2).sum() for W in network.parameters.W.values())
    assert traced.loss == pytest.approx(network.loss(X[rows], Y, w) + penalty, rel=1e-12)
    np.testing.assert_allclose(traced["Y"], Y)
    np.testing.assert_array_equal(traced["w"], w)
    assert traced.notes == [
        "The labels in Y are smoothed by 0.2.",
        "The divisor of the loss is the total weight of these rows. A step of the training divides by their number "
        "times the mean weight of all rows.",
    ]
    assert (traced.classes, traced.rows.tolist()) == (["setosa", "versicolor", "virginica"], rows)
    check_equations(traced, values_of(traced))


def test_what_a_trace_leaves_out_of_training_is_said():
    notes = trace(fitted(dropout=0.5, mixup=0.3, learning_rate="cosine"), X, NAMES).notes
    assert notes == [
        "The update takes the full learning rate, not that of the schedule.",
        "No unit is dropped: pass masks to see a step with dropout.",
        "The rows are not mixed, as mixup would do in training.",
    ]
    lbfgs = trace(fitted(solver="lbfgs"), X, NAMES)
    assert lbfgs.notes == ["The solver 'lbfgs' finds the length of its steps by trial, so no update is shown."]
    assert {entry.stage for entry in lbfgs.steps} == {"given", "forward", "loss", "backward"}
    scaled = trace(fitted(input_scale_rate=0.1), X, NAMES)
    assert scaled.notes == ["A scale of the inputs is learned with the weights, so no update is shown."]


def test_several_labels_a_row_and_candidates_can_be_traced():
    Y = np.array([[0, 1, 1], [1, 0, 0], [0, 0, 1], [1, 1, 0]] * 5)
    several = SoftmaxClassifier((4,), activation="tanh", max_iter=2, random_state=0).fit(X[:20], Y)
    traced = trace(several, X[:20], Y, rows=slice(0, 4))
    assert traced.network.head.output == "sigmoid"
    np.testing.assert_array_equal(traced["Y"], Y[:4])
    check_equations(traced, values_of(traced))
    labels = ["a", {"a", "b"}, gm.not_class("a"), "c", "b"]
    sets = SoftmaxClassifier((4,), activation="tanh", max_iter=2, random_state=0).fit(X[:5], labels)
    traced = trace(sets, X[:5], labels)
    np.testing.assert_array_equal(traced["Y"], [[1, 0, 0], [1, 1, 0], [0, 1, 1], [0, 0, 1], [0, 1, 0]])
    check_equations(traced, values_of(traced))


def test_of_an_ensemble_one_network_is_traced_and_named(tables):
    penguins = gm.read_table("penguins")
    model = tables.to_model()
    largest = int(np.argmax(model.weights))
    traced = trace(tables, penguins, "species", rows=slice(0, 4))
    assert traced.notes[0].startswith(
        f"The model is an ensemble of {len(model.networks)} networks, whose logits are averaged. The trace shows "
        f"network {largest}, which has the largest weight."
    )
    np.testing.assert_array_equal(traced["W1"], model.networks[largest].parameters["W1"])
    np.testing.assert_allclose(traced["X"], model.inputs(penguins.rows(slice(0, 4))))
    other = trace(model, penguins, "species", rows=slice(0, 4), member=1)
    assert "The trace shows network 1, as asked." in other.notes[0]
    np.testing.assert_array_equal(other["W1"], model.networks[1].parameters["W1"])


def test_the_trace_of_a_table_begins_at_the_encoded_rows(tables):
    pl = pytest.importorskip("polars")
    penguins = gm.read_table("penguins")
    frame = pl.DataFrame({name: penguins.column(name).tolist() for name in penguins.names})
    model = tables.to_model()
    traced = trace(model, frame, "species", rows=[0, 1, 340])
    width = model.inputs(penguins).shape[1]
    assert f"X is the encoded table: {width} columns, made of {len(model.encoding.names)}." in traced.notes
    labels = trace(model, frame, frame["species"].to_list(), rows=[0, 1, 340])
    np.testing.assert_array_equal(labels["Y"], traced["Y"])
    weighted = trace(model, frame, "species", np.arange(344.0), rows=[0, 1, 340])
    assert weighted["w"].value.tolist() == [1, 340]
    assert weighted.rows.tolist() == [1, 340]


def test_every_column_of_an_encoded_table_has_a_name():
    columns = [
        Number("age", 40.0, 10.0, True, values=[0.0], edges=[0.0, 1.5, 3.0]),
        Category("city", ["Bern", "<b>Rome</b>"], missing=True, rare=True),
        Boolean("member", ["no", "yes"], missing=True),
        Date("since", "ymd", 2000.0, 5.0, ["season"], missing=True),
    ]
    encoding = Encoding("y", columns)
    names = encoded_names(encoding)
    assert names == [
        *("age", "age is missing", "age = 0", "age from 0 to 1.5", "age from 1.5 to 3"),
        *("city = Bern", "city = <b>Rome</b>", "city is missing", "city = another value"),
        *("member = yes", "member is missing"),
        *("since: year", "since: season (sine)", "since: season (cosine)", "since is missing"),
    ]
    cells = {"age": [0.0, np.nan], "city": ["Bern", None], "member": ["yes", None], "since": ["2000-01-01", None]}
    table = gm.table.as_table({name: np.array(column, object) for name, column in cells.items()})
    first, second = encoding.encode(table).X
    assert len(names) == encoding.width == len(first)
    on = {name for name, one in zip(names, first, strict=True) if one > 0.99}
    assert {"age = 0", "city = Bern", "member = yes"} <= on
    gone = {name for name, one in zip(names, second, strict=True) if "missing" in name and one > 0}
    assert gone == {f"{name} is missing" for name in cells}
    model = Model(gm.Network([encoding.width, 2]), ["a", "b_c"], encoding)
    traced = trace(model, table, ["a", "b_c"])
    assert traced.columns == names
    assert "  Columns: age, age is missing, age = 0, " in traced.text()
    assert "  Columns: a, b_c." in traced.text()
    assert r"city = \<b\>Rome\</b\>" in traced.markdown()
    assert r"Columns: a, b\_c." in traced.markdown()


def test_rows_without_a_label_are_left_out_and_counted(tables):
    penguins = dict(gm.read_table("penguins").columns)
    species = penguins["species"].copy()
    species[1] = None
    table = gm.table.as_table({**penguins, "species": species})
    traced = trace(tables, table, "species", rows=slice(0, 4))
    assert traced.rows.tolist() == [0, 2, 3]
    assert "Rows left out because 'species' is missing: 1." in traced.notes


def test_a_model_of_arrays_takes_labels():
    classifier = fitted()
    model = classifier.to_model()
    traced = trace(model, X, NAMES, rows=[149, 0])
    np.testing.assert_array_equal(traced["Y"], [[0, 0, 1], [1, 0, 0]])
    assert traced.notes == [
        "A model keeps no class weights, label smoothing or penalty of its training: L is the mean of the loss over "
        "these rows."
    ]
    assert traced["eta"].why == "The learning rate of gradient descent, because no optimizer is given."
    assert trace(model, X, NAMES, rows=0, optimizer=Adam(0.1))["eta"].why == "The learning rate of this step."
    plain = trace(Model(model.network, [7, 8, 9]), X[:2], [9, 7])
    np.testing.assert_array_equal(plain["Y"], [[0, 0, 1], [1, 0, 0]])


def test_a_model_of_a_frame_of_numbers_finds_its_columns_and_the_target():
    pl = pytest.importorskip("polars")
    frame = pl.DataFrame({"b": X[:, 1], "species": NAMES, "a": X[:, 0]})
    classifier = SoftmaxClassifier((3,), max_iter=2, random_state=0).fit(frame.select("a", "b"), NAMES)
    model = classifier.to_model()
    traced = trace(model, frame, "species", rows=[149, 0])
    np.testing.assert_array_equal(traced["X"], X[[149, 0], :2])
    np.testing.assert_array_equal(traced["Y"], [[0, 0, 1], [1, 0, 0]])
    assert traced.columns == ["a", "b"]
    by_labels = trace(model, frame.select("b", "a"), NAMES, rows=[149, 0])
    np.testing.assert_array_equal(by_labels["dW1"], traced["dW1"])


def test_rows_of_weight_0_are_left_out_whatever_they_hold():
    network, X, y = toy()
    holes = X.copy()
    holes[2] = np.nan
    traced = trace(network, holes, y, [1, 1, 0, 2, 1])
    assert traced.rows.tolist() == [0, 1, 3, 4]
    assert traced.notes == ["Rows left out because their weight is 0: 1."]
    np.testing.assert_array_equal(traced["dW1"], network.loss_and_gradients(holes, y, [1, 1, 0, 2, 1])[1]["W1"])


def test_a_sparse_matrix_is_shown_dense():
    network, X, y = toy()
    traced = trace(network, csr_matrix(X), y)
    np.testing.assert_array_equal(traced["X"], X)
    np.testing.assert_allclose(traced["dW1"], trace(network, X, y)["dW1"], rtol=1e-13)


@pytest.mark.parametrize(
    ("rows", "numbers"),
    [
        (3, [3]),
        (-1, [4]),
        (slice(1, 3), [1, 2]),
        ([4, 0], [4, 0]),
        (np.array([True, False, True, False, False]), [0, 2]),
    ],
)
def test_rows_are_chosen_as_numpy_chooses_them(rows, numbers):
    network, X, y = toy()
    traced = trace(network, X, y, rows=rows)
    assert traced.rows.tolist() == numbers
    np.testing.assert_array_equal(traced["X"], X[numbers])
    assert traced.loss == network.loss(X[numbers], y[numbers])


@pytest.mark.parametrize("name", EMBEDDINGS)
def test_the_trace_of_an_embedding_goes_on_from_its_output(name):
    network, (rows, y, w) = embedded(name, l2=0.3, sizes=(4, 3)), embedded_rows()
    traced = trace(network, rows, y, w)
    np.testing.assert_array_equal(traced["A0"], network.forward(rows[w > 0]).A[0])
    loss, gradients = network.loss_and_gradients(rows, y, w)
    assert traced.loss == loss
    for parameter, gradient in gradients.items():
        np.testing.assert_array_equal(traced[f"d{parameter}"], gradient)
        assert f"{parameter}'" in traced
    assert traced["Z1"].index_form == "Z1_ij = sum_k A0_ik W1_kj + b1_j"
    assert traced["dA0"].matrix_form == "dA0 = dZ1 W1ᵀ"
    assert "dX" not in traced
    check_equations(traced, values_of(traced))


def test_what_an_embedding_computes_is_said_in_words():
    network, (rows, y, w) = embedded("all"), embedded_rows()
    traced = trace(network, rows, y, w)
    assert repr(traced.cell("A0", 0, 0)).splitlines()[1] == "A0 is the embedding of X."
    said = "dF is the gradient of the embedding: network.derive('F') derives it from dA0."
    assert repr(traced.cell("dF", 0, 0)).splitlines()[1] == said
    assert network.derive("F").proved
    assert traced.nudge("F", (0, 0), 1e-4).difference == pytest.approx(
        traced.nudge("F", (0, 0), 1e-4).by_curvature, rel=1e-2, abs=1e-12
    )


def test_a_classifier_with_an_embedding_can_be_traced():
    classifier = fitted(embedding="periodic")
    traced = trace(classifier, X, NAMES, rows=slice(0, 5))
    assert traced["A0"].shape[1] > traced["X"].shape[1]
    check_equations(traced, values_of(traced))


# what a table, its labels and its weights may be

LEVELS = np.repeat(["None", "Mild", "Severe"], 30)
SEVERITY = pd.DataFrame({"x": np.resize([0.1, 0.7, 2.4, 1.3, 3.9], 90), "level": LEVELS})


@pytest.fixture(scope="module")
def of_table():
    return TableClassifier("fast", random_state=0).fit(SEVERITY, "level").model_


def test_a_class_that_reads_as_missing_is_a_class_in_a_few_rows(of_table, tmp_path):
    SEVERITY[:3].to_csv(tmp_path / "few.csv", index=False)
    found = trace(of_table, gm.read_table(tmp_path / "few.csv"), "level")
    assert found["Y"].shape == (3, 3)
    assert [of_table.classes[c] for c in np.asarray(found["Y"]).argmax(axis=1)] == ["None"] * 3


@pytest.mark.parametrize("count", [89, 91])
@pytest.mark.parametrize("what", ["y", "sample_weight"])
def test_labels_and_weights_beside_a_table_have_its_length(of_table, what, count):
    y = np.resize(LEVELS, count if what == "y" else 90)
    w = None if what == "y" else np.ones(count)
    with pytest.raises(gm.errors.LabelError, match=f"^{what} has {count} entries, expected 90: one for each row.$"):
        trace(of_table, SEVERITY[["x"]], y, w, rows=slice(0, 3))


def test_labels_are_compared_by_what_a_file_would_write():
    X, y = np.arange(12.0).reshape(6, 2), np.array([0, 1, 2, 0, 1, 2])
    model = Model(gm.Network([2, 3]), [0, 1, 2])
    of_floats, of_ints = (trace(model, X, labels) for labels in (y.astype(float), y))
    np.testing.assert_array_equal(of_floats["Y"], of_ints["Y"])


def test_masks_have_the_rows_that_were_given_whatever_is_traced():
    X, y = np.arange(12.0).reshape(6, 2), np.array([0, 1, 2, 0, 1, 2])
    network = gm.Network([2, 4, 3])
    masks = {1: np.repeat([[0.0], [2.0]], 3, axis=0) * np.ones(4)}
    one, other = (trace(source, X, y, rows=[4, 1], masks=masks) for source in (network, Model(network, [0, 1, 2])))
    np.testing.assert_array_equal(one["A1"], other["A1"])
    assert np.asarray(one["A1"])[0].any()
    with pytest.raises(gm.errors.GlassmaxError, match="mask"):
        trace(Model(network, [0, 1, 2]), X, y, rows=[4, 1], masks={1: masks[1][:2]})


def test_a_prompt_forms_no_jacobian_of_very_many_classes():
    found = trace(gm.Network([2, 3000]), np.ones((1, 2)), [0])
    assert "A Jacobian is too large to be shown." in found._repr_html_()
