"""TableClassifier: scikit-learn's own checks, tables and labels of all kinds, and what it promises beyond them."""

import pickle
import warnings
from datetime import date
from itertools import cycle, islice

import numpy as np
import pytest
from sklearn.base import clone
from sklearn.exceptions import ConvergenceWarning, NotFittedError
from sklearn.model_selection import GridSearchCV, cross_val_score
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import FunctionTransformer
from sklearn.utils.estimator_checks import estimator_checks_generator

import glassmax as gm
from glassmax import SoftmaxClassifier, TableClassifier
from glassmax.errors import CheckpointError, DataError, LabelError
from glassmax.estimator.ensemble import PRESETS, Member, MemberType, Preset
from glassmax.estimator.ensemble.presets import LINEAR, NETWORK
from glassmax.estimator.tables.figures import compare
from glassmax.estimator.tables.fit import table_rows
from glassmax.estimator.tables.rows import TableRows
from glassmax.training import Epoch
from tests.estimator.iris import NAMES, RAW, SPECIES

pd = pytest.importorskip("pandas")

SEEDS = "expected a whole number from 0 to 4294967295, a RandomState or None."
NET = MemberType("net", NETWORK | {"hidden_layer_sizes": (16,), "mixup": 0.3}, 16, 80)
TINY = Preset((NET, LINEAR), members=3, blocks=3)


@pytest.fixture(autouse=True)
def _tiny(monkeypatch):
    """Make the preset "fast" fast enough for tests."""
    monkeypatch.setitem(PRESETS, "fast", TINY)


def fast(**parameters):
    return TableClassifier(**{"preset": "fast", "random_state": 0, "n_threads": 1, **parameters})


def shop(n=90):
    """Return a frame with columns of every kind, and the labels."""
    draw = np.random.RandomState(0)
    color = draw.choice(["red", "green", "blue"], n)
    size = draw.randn(n) + 2 * (color == "red")
    X = pd.DataFrame(
        {
            "size": np.where(draw.rand(n) < 0.1, np.nan, size),
            "color": np.where(draw.rand(n) < 0.1, None, color),
            "new": draw.rand(n) < 0.5,
            "day": [date(2024, 1 + i % 12, 1 + i % 28) for i in range(n)],
            "empty": [None] * n,
        }
    )
    return X, np.where(size > 0.5, "big", "small")


SHOP, SOLD = shop()


def checks():
    """Yield every check of scikit-learn's, with a name."""
    for classifier, check in estimator_checks_generator(fast()):
        name = getattr(check, "func", check).__name__
        # The copies of a row may be in different blocks, a row of weight 2 can't: no estimator with folds passes this.
        if not name.startswith("check_sample_weight_equivalence"):
            yield pytest.param(classifier, check, id=name)


@pytest.mark.parametrize(("classifier", "check"), list(checks()))
def test_scikit_learns_check_passes(classifier, check, monkeypatch):
    monkeypatch.setenv("SCIPY_ARRAY_API", "1")  # without it one check would skip itself
    check(classifier)


# --- tables and labels -----------------------------------------------------------------------------------------------


def test_a_frame_with_columns_of_every_kind():
    classifier = fast().fit(SHOP, SOLD)
    assert classifier.classes_.tolist() == ["big", "small"]
    assert classifier.score(SHOP, SOLD) > 0.8
    assert [column.name for column in classifier.encoding_.columns] == ["size", "color", "new", "day"]
    assert any("empty is left out" in str(note) for note in classifier.notes_)
    assert classifier.n_features_in_ == 5
    assert classifier.feature_names_in_.tolist() == list(SHOP)


@pytest.mark.parametrize("kind", ["polars", "pyarrow", "Table", "dict"])
def test_the_same_table_in_another_form_gives_the_same_bits(kind):
    expected = fast().fit(SHOP, SOLD).predict_proba(SHOP)
    if kind == "polars":
        X = pytest.importorskip("polars").from_pandas(SHOP)
    elif kind == "pyarrow":
        X = pytest.importorskip("pyarrow").Table.from_pandas(SHOP)
    else:
        X = gm.read_table(SHOP) if kind == "Table" else {name: SHOP[name].to_numpy() for name in SHOP}
    np.testing.assert_array_equal(fast().fit(X, SOLD).predict_proba(X), expected)


def test_the_target_and_the_weights_may_be_columns_of_the_table():
    weight = np.arange(90.0)
    whole = SHOP.assign(sold=SOLD, weight=weight)
    by_name = fast().fit(whole, "sold", "weight")
    assert by_name.feature_names_in_.tolist() == list(SHOP)
    np.testing.assert_array_equal(by_name.predict_proba(SHOP), fast().fit(SHOP, SOLD, weight).predict_proba(SHOP))
    assert by_name.encoding_.target == "sold"
    assert fast().fit(SHOP, pd.Series(SOLD, name="sold")).encoding_.target == "sold"


@pytest.mark.parametrize(
    "labels", [[3, 5], [True, False], [0.5, 1.5], ["a", "b"], [-1, 1]], ids=["int", "bool", "float", "text", "signs"]
)
def test_labels_of_any_kind(labels):
    y = list(islice(cycle(labels), 60))
    if labels == [0.5, 1.5]:
        with pytest.raises(LabelError, match="Unknown label type: continuous"):
            fast().fit(RAW[:60], y)
        return
    classifier = fast().fit(RAW[:60], y)
    assert classifier.classes_.tolist() == sorted(labels)
    assert set(classifier.predict(RAW[:60]).tolist()) <= set(labels)


def test_labels_in_a_tuple_may_be_missing_like_those_in_a_list():
    labels = [np.nan, *SOLD[1:].tolist()]
    fitted = [fast().fit(SHOP, y) for y in (labels, tuple(labels))]
    assert fitted[0].classes_.tolist() == fitted[1].classes_.tolist() == ["big", "small"]
    np.testing.assert_array_equal(fitted[0].oof_proba_, fitted[1].oof_proba_)


def test_a_table_may_be_the_path_of_a_file(tmp_path):
    path = tmp_path / "shop.csv"
    SHOP.assign(sold=SOLD).to_csv(path, index=False)
    table = gm.read_table(path)
    expected = fast().fit(table, "sold")
    for given in (path, str(path)):
        classifier = fast().fit(given, "sold")
        np.testing.assert_array_equal(classifier.predict_proba(given), expected.predict_proba(table))
        assert classifier.feature_names_in_.tolist() == list(SHOP)
        assert classifier.predict(given).tolist() == expected.predict(table).tolist()
    judged = fast().fit(path, "sold", X_val=path)
    assert judged.metrics_.rows == 90


def test_the_accuracy_on_a_column_of_the_table():
    frame = SHOP.assign(sold=np.where(np.arange(90) < 5, None, SOLD), weight=np.arange(90.0))
    classifier = fast().fit(SHOP, SOLD)
    assert classifier.score(frame, "sold") == classifier.score(SHOP[5:], SOLD[5:])
    weighed = classifier.score(frame, "sold", "weight")
    assert weighed == pytest.approx(classifier.score(SHOP[5:], SOLD[5:], np.arange(5.0, 90.0)))
    assert classifier.score(SHOP, SOLD, np.arange(90.0)) == classifier.score(frame.assign(sold=SOLD), "sold", "weight")
    numbers = fast().fit(RAW, SPECIES)
    frame = pd.DataFrame(RAW, columns=["x0", "x1", "x2", "x3"]).assign(kind=SPECIES.astype(float))
    assert numbers.score(frame, "kind") == numbers.score(RAW, SPECIES)
    several = fast(candidates="|").fit(RAW, ["0|1", *map(str, SPECIES[1:])])
    frame["kind"] = ["0|1", *map(str, SPECIES[1:])]
    assert several.score(frame, "kind") > 0.9


def test_columns_in_another_order_predict_the_same():
    classifier = fast().fit(SHOP, SOLD)
    other = SHOP[SHOP.columns[::-1]].assign(more=1.0)
    np.testing.assert_array_equal(classifier.predict_proba(other), classifier.predict_proba(SHOP))
    with pytest.raises(DataError, match="has no column 'size'"):
        classifier.predict(SHOP.drop(columns="size"))


def test_cells_never_seen_in_training_are_predicted():
    classifier = fast().fit(SHOP, SOLD)
    odd = pd.DataFrame({"size": [1e9, np.nan], "color": ["purple", None], "new": [None, True], "day": [None, None]})
    assert np.isfinite(classifier.predict_proba(odd)).all()


def test_arrays_of_text_are_tables_too():
    X = np.array([["u", 1.0, None], ["v", 2.0, True]] * 30, object)
    classifier = fast().fit(X, [0, 1] * 30)
    assert classifier.predict(X[:2]).tolist() == [0, 1]
    assert not hasattr(classifier, "feature_names_in_")


def test_rows_without_a_label_are_left_out():
    y = SOLD.astype(object)
    y[:5] = None
    classifier = fast().fit(SHOP, y)
    assert np.isnan(classifier.oof_proba_[:5]).all()
    expected = fast().fit(SHOP[5:], SOLD[5:])
    np.testing.assert_array_equal(classifier.predict_proba(SHOP), expected.predict_proba(SHOP))


# --- small tables and rare classes -----------------------------------------------------------------------------------


@pytest.mark.parametrize("preset", ["fast", "default"])
@pytest.mark.parametrize("n", [4, 20])
def test_a_few_rows_are_enough(n, preset):
    rows = np.r_[0 : n // 2, 50 : 50 + n // 2]
    classifier = fast(preset=preset).fit(RAW[rows], NAMES[rows])
    assert classifier.score(RAW[:100], NAMES[:100]) > 0.9


def test_no_class_is_lost():
    y = SPECIES.copy()
    y[0], y[1:3] = 7, 8
    classifier = fast().fit(RAW, y)
    assert classifier.classes_.tolist() == [0, 1, 2, 7, 8]
    assert classifier.predict_proba(RAW).shape == (150, 5)
    assert classifier.metrics_.rows == 149
    assert "class 7 of y has 1 row, so it can't be judged" in map(str, classifier.notes_)
    judged = fast().fit(RAW, y, X_val=RAW[:20], y_val=y[:20])
    assert not any("judged" in str(note) for note in judged.notes_)


@pytest.mark.parametrize(
    ("labels", "said"),
    [
        ([18.5 + i % 25 for i in range(100)], True),
        ([20 + 2 * (i % 25) for i in range(100)], True),
        ([20 + i % 25 for i in range(100)], True),
        ([1 + i % 25 for i in range(100)], False),
        ([20 + 2 * (i % 10) for i in range(100)], False),
        ([f"{i % 25}" for i in range(100)], False),
    ],
)
def test_numbers_that_look_like_measurements_are_said_to(labels, said):
    frame = {"x": np.arange(100) % 7 + 0.5, "age": labels}
    rows = TableRows(frame, np.array(labels) if isinstance(labels[0], str) else "age")
    rows.learn_encoding()
    note = f"age looks like a measurement ({len(rows.classes)} different numbers), and glassmax predicts classes"
    assert (note in map(str, rows.notes)) is said


def test_where_a_linear_model_is_better_it_is_used(monkeypatch):
    draw = np.random.RandomState(0)
    X = draw.randn(60, 3)
    y = (X @ [1, -1, 0.5] + 0.3 * draw.randn(60) > 0).astype(int)
    wild = MemberType("wild", {"hidden_layer_sizes": (64,), "learning_rate_init": 3.0, "max_iter": 50}, 50)
    monkeypatch.setitem(PRESETS, "fast", Preset((wild, LINEAR)))
    classifier = fast().fit(X, y)
    shares = {
        name: classifier.weights_[np.array(classifier.member_types_) == name].sum() for name in ("wild", "linear")
    }
    assert shares["linear"] > 0.9
    monkeypatch.setitem(PRESETS, "fast", Preset((LINEAR,)))
    assert fast().fit(X, y).linear_
    assert not classifier.linear_ or shares["wild"] == 0


# --- weights ---------------------------------------------------------------------------------------------------------


def test_a_row_of_weight_zero_is_absent():
    w = np.r_[np.zeros(7), np.ones(143)]
    weighed, without = fast().fit(RAW, NAMES, w), fast().fit(RAW[7:], NAMES[7:], w[7:])
    np.testing.assert_array_equal(weighed.predict_proba(RAW), without.predict_proba(RAW))
    np.testing.assert_array_equal(weighed.oof_proba_[7:], without.oof_proba_)
    assert np.isnan(weighed.oof_proba_[:7]).all()
    assert "left out because sample_weight is 0: 7 rows" in map(str, weighed.notes_)


@pytest.mark.parametrize("network", [None, SoftmaxClassifier((4,), solver="lbfgs", max_iter=5, random_state=0)])
def test_what_only_rows_of_weight_zero_hold_is_not_there(network):
    odd = pd.DataFrame({"size": ["huge", 1e90], "color": ["violet", "red"], "new": [None, True], "day": ["?", None]})
    frame = pd.concat([odd, SHOP.drop(columns="empty")], ignore_index=True).astype({"size": object})
    y, w, day = ["stolen", "big", *SOLD], np.r_[0.0, 0.0, np.ones(90)], [None, None, *range(90)]
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", ConvergenceWarning)
        weighed = fast(network=network).fit(frame, y, w, time=day)
        without = fast(network=network).fit(frame[2:], SOLD, time=day[2:])
    assert weighed.classes_.tolist() == ["big", "small"]
    assert weighed.encoding_.columns == without.encoding_.columns
    np.testing.assert_array_equal(weighed.oof_proba_[2:], without.oof_proba_)
    assert weighed.oof_proba_.shape == (92, 2)
    assert np.isnan(weighed.oof_proba_[:2]).all()
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", ConvergenceWarning)
        judged = fast(network=network).fit(SHOP, SOLD, X_val=frame, y_val=y, sample_weight_val=w)
    assert judged.metrics_.rows == (90 if network is None else 18)


def test_class_weights_multiply_the_sample_weights():
    w = np.random.RandomState(0).rand(150) + 0.5
    by_class = fast(class_weight={"setosa": 3.0}).fit(RAW, NAMES, w)
    np.testing.assert_allclose(
        by_class.predict_proba(RAW),
        fast().fit(RAW, NAMES, w * np.where(NAMES == "setosa", 3.0, 1.0)).predict_proba(RAW),
    )
    balanced = fast(class_weight="balanced").fit(RAW[20:], NAMES[20:])
    counts = {name: 130 / 3 / (NAMES[20:] == name).sum() for name in set(NAMES)}
    explicit = fast(class_weight=counts).fit(RAW[20:], NAMES[20:])
    np.testing.assert_allclose(balanced.predict_proba(RAW), explicit.predict_proba(RAW), rtol=1e-4, atol=1e-6)


# --- what is judged --------------------------------------------------------------------------------------------------


def test_out_of_fold_probabilities_and_figures():
    classifier = fast().fit(RAW, NAMES)
    P = classifier.oof_proba_
    assert (P.shape, P.dtype) == ((150, 3), np.float32)
    np.testing.assert_allclose(P.sum(axis=1), 1, atol=1e-5)
    loss = -np.log(P[np.arange(150), SPECIES]).mean()
    assert classifier.metrics_.log_loss == pytest.approx(loss, rel=1e-4)
    assert classifier.metrics_.accuracy == pytest.approx((P.argmax(axis=1) == SPECIES).mean())
    assert 0.2 < classifier.temperature_ < 5


def test_validation_rows_judge_instead():
    classifier = fast().fit(RAW[::2], NAMES[::2], X_val=RAW[1::2], y_val=NAMES[1::2])
    assert classifier.oof_proba_ is None
    assert classifier.metrics_.rows == 75
    assert classifier.metrics_.accuracy == pytest.approx(classifier.score(RAW[1::2], NAMES[1::2]))


def test_rows_of_a_group_are_judged_by_members_that_have_not_seen_the_group():
    draw = np.random.RandomState(0)
    twins = np.repeat(draw.randn(40, 5), 3, axis=0)
    y, group = np.repeat(draw.randint(2, size=40), 3), np.repeat(np.arange(40), 3)
    together, apart = (fast().fit(twins, y, groups=g).metrics_ for g in (None, group))
    assert together.accuracy > apart.accuracy + 0.1


def test_a_group_that_is_kept_is_a_column_of_x():
    frame = SHOP.assign(group=np.arange(90) % 9)
    kept, without = (fast(keep=keep).fit(frame, SOLD, groups="group") for keep in (["group"], []))
    assert kept.feature_names_in_.tolist() == [*SHOP, "group"]
    assert without.feature_names_in_.tolist() == list(SHOP)


def test_groups_that_coincide_with_classes_leave_nothing_to_judge_by():
    with pytest.warns(UserWarning, match="No row could be judged"):
        classifier = fast().fit(RAW, NAMES, groups=NAMES)
    assert (classifier.metrics_, classifier.temperature_, classifier.model_.calibration) == (None, 1.0, None)
    assert np.isnan(classifier.oof_proba_).all()
    assert set(classifier.member_types_) == {"net", "linear"}
    assert classifier.score(RAW, NAMES) > 0.9
    with pytest.raises(DataError, match="pass validation rows to TableClassifier"):
        classifier.prediction_sets(RAW)


def last_value(stream):
    """Return what a generator returns at its end."""
    while True:
        try:
            next(stream)
        except StopIteration as end:
            return end.value


def test_where_no_row_was_judged_no_models_are_compared():
    classifier = fast()
    rows = table_rows(classifier, RAW, NAMES, groups=NAMES)
    with pytest.warns(UserWarning, match="No row could be judged"):
        fitted = last_value(classifier.fit_rows(rows))
    found = compare(classifier, rows, fitted)
    assert {name: metrics.rows for name, metrics in found.columns.items()} == {"ensemble": 0, "class frequencies": 0}
    assert (found.before_calibration, found.log_losses) == (None, {})


def test_blocks_in_time():
    frame = SHOP.assign(sold=SOLD)
    by_name = fast().fit(frame, "sold", time="day")
    by_array = fast().fit(SHOP, SOLD, time=SHOP["day"])
    np.testing.assert_array_equal(by_name.oof_proba_, by_array.oof_proba_)
    assert (by_name.oof_proba_ != fast().fit(SHOP, SOLD).oof_proba_).any()


def test_prediction_sets_hold_the_true_class_of_most_rows():
    classifier = fast().fit(RAW[::2], NAMES[::2])
    sets = classifier.prediction_sets(RAW[1::2], 0.9)
    assert sets.shape == (75, 3)
    assert sets[np.arange(75), SPECIES[1::2]].mean() > 0.8


# --- a network of one's own ------------------------------------------------------------------------------------------


def test_a_network_of_ones_own_is_trained_on_the_rows_that_are_not_held_out():
    network = SoftmaxClassifier((8,), learning_rate_init=0.05, max_iter=20, n_iter_no_change=np.inf, random_state=0)
    classifier = fast(network=network, held_out=0.2)
    with pytest.warns(ConvergenceWarning):
        records = list(classifier.fit_members(RAW, NAMES))
    assert len(records) == 20
    assert all(isinstance(record, Epoch) for record in records)
    assert classifier.metrics_.rows == 30
    assert np.isnan(classifier.oof_proba_).any(axis=1).sum() == 120
    assert classifier.member_types_ == ["network"]
    assert classifier.temperature_ == 1.0
    assert not hasattr(network, "network_")
    with pytest.warns(ConvergenceWarning):
        none = fast(network=network, held_out=0).fit(RAW, NAMES)
    assert none.metrics_ is None


# --- threads, time, interruptions ------------------------------------------------------------------------------------


def test_a_network_of_ones_own_is_judged_on_whole_groups_and_on_the_latest_rows():
    network = SoftmaxClassifier((4,), max_iter=2, tol=1, random_state=0)
    groups = np.arange(90) // 3
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        judged = TableClassifier(network=network, random_state=0).fit(SHOP, SOLD, groups=groups).oof_proba_
        latest = TableClassifier(network=network, random_state=0).fit(SHOP, SOLD, time=np.arange(90)).oof_proba_
    held = ~np.isnan(judged).any(axis=1)
    assert 0 < held.sum() < 45
    assert not set(groups[held]) & set(groups[~held])
    assert np.isnan(latest[:70]).all()
    assert not np.isnan(latest[75:]).any()


def test_a_time_limit_shorter_than_the_preparation_leaves_one_member():
    frame = {"x": np.arange(1200.0), "z": np.arange(1200) % 7}
    with pytest.warns(UserWarning, match="The time limit was reached: 1 of 6 members"):
        classifier = fast(time_limit=1e-9).fit(frame, np.arange(1200) % 3)
    assert len(classifier.members_) == 1


def test_many_values_that_repeat_are_categories_and_the_rare_ones_share_a_column():
    values = np.array([f"v{i % 1300}" for i in range(3900)])
    classifier = fast().fit({"c": values, "x": np.arange(3900.0)}, np.arange(3900) % 2)
    assert classifier.encoding_.width < 1100


def test_the_bits_do_not_depend_on_the_number_of_threads():
    one, three = (fast(n_threads=n).fit(SHOP, SOLD) for n in (1, 3))
    np.testing.assert_array_equal(one.predict_proba(SHOP), three.predict_proba(SHOP))
    np.testing.assert_array_equal(one.oof_proba_, three.oof_proba_)


def test_after_an_interruption_every_row_that_was_judged_has_probabilities():
    classifier = fast()
    stream = classifier.fit_members(RAW, NAMES)
    for _ in range(5):
        next(stream)
    with pytest.raises(StopIteration):
        stream.throw(KeyboardInterrupt)
    assert classifier._trained == 5
    assert np.isfinite(classifier.oof_proba_).all()
    assert classifier.metrics_.rows == 150


def test_a_time_limit_says_how_many_members_are_left_out():
    with pytest.warns(UserWarning, match="The time limit was reached: 1 of 6 members were trained"):
        classifier = fast(time_limit=1e-9).fit(RAW, NAMES)
    assert classifier.stop_reason_ == "time_limit"
    assert classifier.score(RAW, NAMES) > 0.9


def test_ctrl_c_keeps_the_members_that_are_trained():
    classifier = fast()
    stream = classifier.fit_members(RAW, NAMES)
    assert isinstance(next(stream), Member)
    with pytest.raises(StopIteration):
        stream.throw(KeyboardInterrupt)
    assert (classifier.stop_reason_, len(classifier.members_)) == ("interrupted", 1)
    assert classifier.score(RAW, NAMES) > 0.9


def test_a_resumed_fit_equals_one_that_was_not_interrupted(tmp_path):
    path = tmp_path / "fit.checkpoint"
    whole = fast().fit(SHOP, SOLD)
    stream = fast(checkpoint_path=path).fit_members(SHOP, SOLD)
    for _ in range(2):
        next(stream)
    stream.close()
    resumed = fast(checkpoint_path=path).fit(SHOP, SOLD)
    np.testing.assert_array_equal(resumed.predict_proba(SHOP), whole.predict_proba(SHOP))
    np.testing.assert_array_equal(resumed.oof_proba_, whole.oof_proba_)
    with pytest.raises(CheckpointError, match="random_state is 1, the file has 0"):
        fast(checkpoint_path=path, random_state=1).fit(SHOP, SOLD)
    with pytest.raises(CheckpointError, match="belongs to another run: y differs"):
        fast(checkpoint_path=path).fit(SHOP, SOLD[::-1])


def test_verbose_prints_a_line_for_each_member(capsys):
    fast(verbose=True).fit(RAW, NAMES)
    lines = capsys.readouterr().out.splitlines()
    assert len(lines) == 6
    assert lines[0].startswith("member 1 of 6, net: log-loss 0.")


# --- the model, scikit-learn's tools ---------------------------------------------------------------------------------


def test_the_saved_model_predicts_the_same_bits(tmp_path):
    classifier = fast().fit(SHOP, SOLD)
    classifier.save(tmp_path / "shop.safetensors")
    model = gm.load_model(tmp_path / "shop.safetensors")
    np.testing.assert_array_equal(model.predict_proba(SHOP), classifier.predict_proba(SHOP))
    assert model.predict(SHOP).tolist() == classifier.predict(SHOP).tolist()
    assert model.calibration.temperature == classifier.temperature_
    np.testing.assert_array_equal(model.prediction_sets(SHOP), classifier.prediction_sets(SHOP))
    assert model.record["preset"] == "fast"


def test_a_model_of_an_array_predicts_arrays(tmp_path):
    classifier = fast().fit(RAW, NAMES)
    classifier.save(tmp_path / "iris.safetensors")
    model = gm.load_model(tmp_path / "iris.safetensors")
    np.testing.assert_array_equal(model.predict_proba(RAW), classifier.predict_proba(RAW))
    with pytest.raises(DataError, match="The model was trained on a table"):
        model.predict(RAW[:, :3])


def test_pickled_and_cloned():
    classifier = fast(ignore=["day"]).fit(SHOP, SOLD)
    again = pickle.loads(pickle.dumps(classifier))
    np.testing.assert_array_equal(again.predict_proba(SHOP), classifier.predict_proba(SHOP))
    fresh = clone(classifier)
    assert not hasattr(fresh, "model_")
    np.testing.assert_array_equal(fresh.fit(SHOP, SOLD).predict_proba(SHOP), classifier.predict_proba(SHOP))


def test_searches_and_pipelines():
    search = GridSearchCV(fast(), {"class_weight": [None, "balanced"]}, cv=2, scoring="neg_log_loss").fit(SHOP, SOLD)
    assert np.isfinite(search.cv_results_["mean_test_score"]).all()
    assert cross_val_score(fast(), SHOP, SOLD, cv=2).mean() > 0.7
    pipeline = make_pipeline(FunctionTransformer(lambda X: X.drop(columns="day")), fast()).fit(SHOP, SOLD)
    assert pipeline.score(SHOP, SOLD) > 0.8


def test_whole_numbers_of_numpy_are_seeds_and_counts():
    expected = fast().fit(RAW, NAMES).predict_proba(RAW)
    same = fast(random_state=np.int64(0), n_threads=np.int64(1)).fit(RAW, NAMES)
    np.testing.assert_array_equal(same.predict_proba(RAW), expected)


def test_an_unfitted_classifier_says_so():
    with pytest.raises(NotFittedError, match="not fitted yet"):
        fast().predict(RAW)
