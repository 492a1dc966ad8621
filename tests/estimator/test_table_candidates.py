"""Tables whose target cells name several candidates: read, learned from, judged, evaluated."""

import json

import numpy as np
import pytest

from glassmax import SoftmaxClassifier, TableClassifier, load_model, not_class, read_table
from glassmax.calibration import fit_scale
from glassmax.errors import DataError, LabelError, OptionError
from glassmax.estimator.ensemble.selection import fit_weights, judge
from glassmax.estimator.tables.rows import TableRows
from glassmax.functional import softmax, softmax_candidate_cross_entropy
from glassmax.table import as_table, read_labels
from glassmax.training import RunningMetrics
from tests.cli.test_cli import call
from tests.estimator.iris import IRIS, SPECIES
from tests.grid import candidates

pytestmark = pytest.mark.filterwarnings("ignore::sklearn.exceptions.ConvergenceWarning")

NAMES = np.array(["setosa", "versicolor", "virginica"])
TRUTH = NAMES[SPECIES]


def cells_and_sets(seed=0):
    """Return the target cells of iris, most of them of several candidates, and the same as Python's sets."""
    draw, cells, sets = np.random.default_rng(seed), [], []
    for name in TRUTH.tolist():
        other = str(draw.choice(NAMES[name != NAMES]))
        kind = draw.choice(4, p=[0.2, 0.4, 0.3, 0.1])
        cells.append([name, f"{name} | {other}", f"!{other}", None][kind])
        sets.append([name, {name, other}, not_class(other), None][kind])
    return cells, sets


CELLS, SETS = cells_and_sets()
X = {f"x{j}": IRIS[:, j] for j in range(4)}
TABLE = {**X, "species": np.array(CELLS, object)}
ONE_NETWORK = {"network": SoftmaxClassifier((6,), max_iter=20), "random_state": 0}


def write(path, cells):
    rows = [",".join(map(str, row)) + f",{cell or ''}\n" for row, cell in zip(IRIS, cells, strict=True)]
    path.write_text("x0,x1,x2,x3,species\n" + "".join(rows), encoding="utf-8")


# reading


def labels_of(*cells, separator="|"):
    table = as_table({"y": np.array(cells, object)})
    labels, rows = read_labels(table, "y", candidates=separator)
    return labels.tolist(), rows.tolist()


def test_cells_become_labels_and_sets():
    labels, rows = labels_of("a", "a|b", None, "!a", "! a | b", "b ")
    assert labels == ["a", {"a", "b"}, not_class("a"), not_class("a", "b"), "b"]
    assert rows == [0, 1, 3, 4, 5]


def test_whole_numbers_are_numbers_in_sets_too():
    assert labels_of("1", "1/2", "!3", separator="/")[0] == [1, {1, 2}, not_class(3)]
    assert labels_of("1", "1/x", separator="/")[0] == ["1", {"1", "x"}]


def test_a_column_of_single_classes_is_read_as_without_the_option():
    table = read_table("penguins")
    for with_option, without in zip(
        read_labels(table, "species", candidates="|"), read_labels(table, "species"), strict=True
    ):
        np.testing.assert_array_equal(with_option, without)


@pytest.mark.parametrize("cell", ["a|", "|a", "!", "a||b", "!a|"])
def test_a_cell_with_an_empty_part_is_refused(cell):
    with pytest.raises(DataError, match=r"'y' is .*, expected classes separated by '\|', or ! before"):
        labels_of("a", cell, "b")


def test_rows_that_rule_nothing_out_are_left_out():
    rows = TableRows({"x": np.arange(5.0)}, np.array([{"a", "b"}, "a", None, not_class("a"), "b"], object))
    assert rows.index.tolist() == [1, 3, 4]
    assert (rows.unlabelled, rows.y.tolist(), rows.sets.tolist()) == (
        2,
        [0, 1, 1],
        [[True, False], [False, True], [False, True]],
    )


# fitting


@pytest.fixture(scope="module")
def fitted():
    return TableClassifier("fast", candidates="|", random_state=0).fit(TABLE, "species")


def test_a_preset_learns_the_classes_from_sets(fitted):
    assert fitted.classes_.tolist() == NAMES.tolist()
    assert fitted.score(X, TRUTH) > 0.95
    assert fitted.score(X, SETS) > 0.97
    assert fitted.metrics_.rows == sum(label is not None for label in SETS)
    assert fitted.metrics_.log_loss < 0.2
    assert np.isnan(fitted.oof_proba_).all(axis=1).tolist() == [label is None for label in SETS]


def test_cells_and_sets_are_the_same_labels(fitted):
    by_sets = TableClassifier("fast", random_state=0, n_threads=1).fit(X, SETS)
    np.testing.assert_array_equal(by_sets.predict_proba(X), fitted.predict_proba(X))


def test_texts_given_apart_from_the_table_are_cells_too(fitted):
    rows, by_column = TableRows(X, CELLS, candidates="|"), TableRows(TABLE, "species", candidates="|")
    np.testing.assert_array_equal(rows.sets, by_column.sets)
    with pytest.raises(
        LabelError, match=r"^Row 2 of y is 'a\|', expected classes separated by '\|', or ! before those ruled"
    ):
        TableRows({"x": np.arange(3.0)}, ["a", "b", "a|"], candidates="|")
    P = TableClassifier(candidates="|", **ONE_NETWORK).fit(X, CELLS, X_val=X, y_val=CELLS).predict_proba(X)
    assert np.isfinite(P).all()


def test_out_of_fold_figures_are_those_of_the_sets(fitted):
    said = np.array([label is not None for label in SETS])
    S = TableRows(X, SETS).sets
    P = fitted.oof_proba_[said].astype(float)
    assert fitted.metrics_.log_loss == pytest.approx(-np.log((P * S).sum(axis=1)).mean(), rel=1e-4)
    assert fitted.metrics_.accuracy == S[np.arange(len(S)), P.argmax(axis=1)].mean()


def test_prediction_sets_rest_on_the_rows_whose_class_is_known(fitted):
    assert fitted.model_.conformal.n_rows == TableRows(X, SETS).sets.sum(axis=1).tolist().count(1)
    assert fitted.prediction_sets(X, 0.8).shape == (150, 3)


def test_the_model_file_predicts_the_same(fitted, tmp_path):
    fitted.save(tmp_path / "m.safetensors")
    model = load_model(tmp_path / "m.safetensors")
    np.testing.assert_array_equal(model.predict_proba(as_table(X)), fitted.predict_proba(X))
    assert {network.head.loss for network in model.networks} == {"candidate_cross_entropy"}
    assert model.record["candidates"] == "|"


@pytest.mark.parametrize("validated", [False, True])
def test_a_network_of_ones_own_learns_from_sets(validated):
    given = {"X_val": X, "y_val": SETS} if validated else {}
    classifier = TableClassifier(held_out=0.0 if validated else 0.2, **ONE_NETWORK).fit(X, SETS, **given)
    assert classifier.members_[0].network_.head.loss == "candidate_cross_entropy"
    assert classifier.metrics_.log_loss < np.log(3)
    hard = TableClassifier(held_out=0.0, **ONE_NETWORK).fit(X, TRUTH, X_val=X, y_val=SETS)
    assert hard.metrics_.rows == sum(label is not None for label in SETS)


def test_class_weights_and_folds_take_sets():
    classifier = TableClassifier("fast", class_weight="balanced", random_state=0, time_limit=1e-9)
    with pytest.warns(UserWarning, match="time limit"):
        classifier.fit(X, SETS, groups=np.arange(150) // 5)
    assert np.isfinite(classifier.predict_proba(X)).all()


# what is fitted out of fold


def logits_and_sets(n=200, k=5):
    draw = np.random.default_rng(3)
    Z, S = draw.standard_normal((n, k)), candidates((n, k), draw)
    S[np.arange(n), draw.permuted(np.arange(n) % k)] = 1
    return Z + 1.5 * S * draw.standard_normal((n, 1)), S, draw.uniform(0.5, 2, n)


def test_the_scale_is_that_of_the_least_loss():
    Z, S, w = logits_and_sets()

    def penalized(a):
        rows = softmax_candidate_cross_entropy(np.exp(a) * Z, S, reduction="none")
        return (w @ rows) / w.sum() + 2 * a * a / len(S)

    found = np.log(fit_scale(Z, S, w))
    near = [penalized(found + step) for step in (-1e-3, 0.0, 1e-3)]
    assert near[1] == min(near)
    one_hot = np.eye(5)[S.argmax(axis=1)]
    assert fit_scale(Z, one_hot, w) == pytest.approx(fit_scale(Z, S.argmax(axis=1), w), rel=1e-6)


def test_weights_of_one_candidate_a_row_are_those_of_classes():
    Z, S, w = logits_and_sets()
    y, Zs = S.argmax(axis=1), [Z, np.roll(Z, 1, axis=0)]
    np.testing.assert_allclose(fit_weights(Zs, np.eye(5)[y], w), fit_weights(Zs, y, w), rtol=1e-4)
    assert judge(Z, np.eye(5)[y], w)[:2] == pytest.approx(judge(Z, y, w)[:2], rel=1e-6)


def test_running_metrics_of_candidates():
    Z, S, w = logits_and_sets()
    running = RunningMetrics(5)
    for part in np.array_split(np.arange(200), 3):
        running.add(Z[part], S[part], w[part])
    metrics, known = running.metrics(), S.sum(axis=1) == 1
    assert metrics.log_loss == pytest.approx(softmax_candidate_cross_entropy(Z, S, sample_weight=w), rel=1e-12)
    assert metrics.accuracy == pytest.approx(np.average(S[np.arange(200), Z.argmax(axis=1)], weights=w))
    errors = ((softmax(Z) - S) ** 2).sum(axis=1)[known]
    assert metrics.brier_score == pytest.approx(np.average(errors, weights=w[known]))
    assert metrics.confusion.sum() == known.sum()


# the command line


def test_train_and_evaluate_read_candidates(monkeypatch, capsys, tmp_path):
    monkeypatch.chdir(tmp_path)
    write(tmp_path / "veiled.csv", CELLS)
    write(tmp_path / "known.csv", TRUTH)
    quick = ("--target", "species", "--candidates", "|", "--hidden", "6", "--epochs", "30", "-o", "m.safetensors")
    trained = call(monkeypatch, capsys, "train", "veiled.csv", *quick)
    assert trained.code == 0, trained.err
    several = sum(bool(cell) and cell not in NAMES for cell in CELLS)
    assert f"of several candidates: {several} rows" in trained.err
    for name, rows in (("known.csv", 150), ("veiled.csv", sum(map(bool, CELLS)))):
        result = call(monkeypatch, capsys, "evaluate", "m.safetensors", name, "--json")
        assert json.loads(result.out)["rows"] == rows
    result = call(monkeypatch, capsys, "evaluate", "m.safetensors", "veiled.csv", "--candidates", ";")
    assert (result.code, "expected classes of the training rows" in result.err) == (1, True)


# what is refused


@pytest.mark.parametrize("separator", ["", " ", "!", 1])
def test_a_separator_that_separates_nothing_is_refused(separator):
    with pytest.raises(OptionError, match=r"^candidates is .*, expected the text between classes in a cell, such as"):
        TableClassifier(candidates=separator).fit(TABLE, "species")


def test_labels_that_say_nothing_are_refused():
    with pytest.raises(LabelError, match=r"^y names every class in every row, expected rows that rule out a class\.$"):
        TableClassifier().fit({"x": [1.0, 2.0, 3.0]}, [{"a", "b"}] * 3)
    with pytest.raises(LabelError, match=r"^y_val names 'c', expected classes of the training rows: a, b\.$"):
        TableClassifier(**ONE_NETWORK).fit({"x": [1.0, 2.0]}, ["a", "b"], X_val={"x": [1.0]}, y_val=[{"a", "c"}])
