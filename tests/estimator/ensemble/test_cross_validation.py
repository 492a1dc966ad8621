"""cross_validate: each row is judged by a classifier that has not seen it; the same bits here and on workers."""

import warnings
from dataclasses import astuple
from pathlib import Path
from unittest.mock import patch

import numpy as np
import pandas as pd
import pytest
from scipy.sparse import csr_matrix
from sklearn.exceptions import ConvergenceWarning
from sklearn.metrics import accuracy_score, log_loss

import glassmax as gm
from glassmax import SoftmaxClassifier, TableClassifier, not_class
from glassmax.embedding import Periodic
from glassmax.errors import DivergenceError, LabelError, OptionError, WorkerError
from glassmax.estimator import cross_validation
from glassmax.estimator.ensemble import MemberType, Preset, assign_blocks
from glassmax.estimator.ensemble.presets import LINEAR, NETWORK
from glassmax.estimator.on_workers import DriversEnsemble, arithmetic, check_arithmetic
from glassmax.estimator.plain_parameters import of_plain
from tests.distributed.doubles import WorkersHere, is_plain
from tests.estimator.iris import IRIS, NAMES, RAW, SPECIES
from tests.estimator.raises import raises_that_are_missed

PENGUINS = gm.read_table("penguins")
FIRST = PENGUINS.rows(np.arange(0, 344, 3))
GOOD = SoftmaxClassifier((8,), learning_rate_init=0.05, max_iter=8, tol=0, n_iter_no_change=np.inf, random_state=0)
NET = MemberType("net", NETWORK | {"hidden_layer_sizes": (8,)}, 4, 20)
TINY = TableClassifier(Preset((NET, LINEAR), members=2, blocks=2), random_state=0, n_threads=2)
OWN = TableClassifier(network=GOOD, random_state=0)
DAYS = np.array("2024-01-01", "datetime64[D]") + np.arange(150)
N = len(SPECIES)

pytestmark = pytest.mark.filterwarnings("ignore::sklearn.exceptions.ConvergenceWarning")


@pytest.fixture
def here(monkeypatch):
    """Let operations run in this process; return the workers that were opened."""
    opened = []
    monkeypatch.setattr(
        cross_validation, "open_workers", lambda settings: opened.append(WorkersHere(settings)) or opened[-1]
    )
    return opened


def assert_same(one, other):
    np.testing.assert_array_equal([astuple(f)[:6] for f in one.folds], [astuple(f)[:6] for f in other.folds])


# --- the metrics -----------------------------------------------------------------------------------------------------


def test_the_metrics_are_those_of_a_classifier_trained_on_the_other_folds():
    found = gm.cross_validate(GOOD, IRIS, NAMES, random_state=3)
    blocks = assign_blocks(SPECIES, np.random.RandomState(3))
    for number, metrics in enumerate(found.folds):
        out = blocks.left_out(number)
        fitted = SoftmaxClassifier(**GOOD.get_params()).fit(IRIS[~out], np.array(NAMES)[~out])
        P = fitted.predict_proba(IRIS[out])
        assert metrics.rows == out.sum()
        np.testing.assert_allclose(metrics.log_loss, log_loss(SPECIES[out], P), rtol=1e-6)
        assert metrics.accuracy == accuracy_score(np.array(NAMES)[out], fitted.predict(IRIS[out]))
    assert sum(fold.rows for fold in found.folds) == N
    assert not hasattr(GOOD, "network_")


def test_of_a_table_they_are_those_of_a_model_on_the_other_rows():
    found = gm.cross_validate(TINY, FIRST, "species", folds=3)
    species = FIRST["species"].astype(str)
    y = np.unique(species, return_inverse=True)[1]
    blocks = assign_blocks(y, np.random.RandomState(0), 3)
    for number, metrics in enumerate(found.folds):
        out = blocks.left_out(number)
        fitted = TableClassifier(**TINY.get_params(deep=False)).fit(FIRST.rows(np.flatnonzero(~out)), "species")
        P = fitted.predict_proba(FIRST.rows(np.flatnonzero(out)))
        np.testing.assert_allclose(metrics.log_loss, log_loss(y[out], P), rtol=1e-5)
        assert metrics.accuracy == fitted.score(FIRST.rows(np.flatnonzero(out)), "species")


def test_the_result_shows_itself():
    found = gm.cross_validate(GOOD, IRIS, SPECIES)
    lines = repr(found).splitlines()
    assert lines[0] == "5 folds, 150 rows"
    assert lines[1].startswith(f"log-loss: {found.log_loss.mean():.4f} on average, standard deviation ")
    assert lines[2].startswith(f"accuracy: {found.accuracy.mean():.4f}")
    assert found.log_loss.shape == found.accuracy.shape == (5,)


def test_a_group_is_in_one_fold_and_in_one_fold_of_the_preset(monkeypatch):
    groups, seen = np.arange(N) // 5, []
    fit_rows = TableClassifier.fit_rows

    def watched(self, rows, *arguments, **more):
        seen.append(rows.groups)
        return fit_rows(self, rows, *arguments, **more)

    monkeypatch.setattr(TableClassifier, "fit_rows", watched)
    X = np.c_[IRIS, groups]
    by_array = gm.cross_validate(TINY, IRIS, SPECIES, groups=groups, folds=3)
    by_name = gm.cross_validate(TINY, pd.DataFrame(X, columns=[*"abcdg"]), SPECIES, groups="g", folds=3)
    assert len(seen) == 6
    assert all(
        len(of_training) < N and (np.bincount(of_training)[np.unique(of_training)] == 5).all() for of_training in seen
    )
    assert_same(by_array, by_name)
    assert len(gm.cross_validate(GOOD, IRIS, SPECIES, groups=np.arange(N) % 2, folds=5).folds) == 2


@pytest.mark.parametrize("classifier", [GOOD, TINY], ids=["numbers", "table"])
def test_time_runs_forward(classifier, monkeypatch):
    rows, some = [], cross_validation.LabelledRows.some
    monkeypatch.setattr(
        cross_validation.LabelledRows, "some", lambda self, index: rows.append(index) or some(self, index)
    )
    order = np.random.RandomState(0).permutation(N)
    found = gm.cross_validate(classifier, IRIS, SPECIES, time=DAYS[order], folds=4)
    assert len(found.folds) == 4
    for train, test in zip(rows[::2], rows[1::2], strict=True):
        assert order[train].max() < order[test].min()
        assert len(test) == 30
    assert len(rows[0]) == 30


def test_rows_of_a_class_without_earlier_rows_are_not_judged():
    y = np.where(np.arange(N) >= 100, 2, np.arange(N) % 2)
    found = gm.cross_validate(GOOD, IRIS, y, time=np.arange(N), folds=5)
    assert [fold.rows for fold in found.folds] == [25, 25, 25, 0, 25]
    assert np.isnan(found.log_loss[3])
    assert np.isfinite(found.log_loss[[0, 1, 2, 4]]).all()


def test_a_class_in_one_group_is_never_lost():
    found = gm.cross_validate(GOOD, IRIS, SPECIES, groups=np.r_[np.arange(100) % 7, np.full(50, 9)], folds=3)
    assert sum(fold.rows for fold in found.folds) == 100


# --- on workers ------------------------------------------------------------------------------------------------------


WEIGHT = np.arange(N) % 3 + 0.5
SETS = [{0, 2} if i % 10 == 0 else not_class(1) if i % 10 == 1 else int(label) for i, label in enumerate(SPECIES)]
SEVERAL = np.c_[SPECIES > 0, SPECIES > 1, IRIS[:, 0] > 0].astype(int)
SOFT = 0.9 * np.eye(3)[SPECIES] + 0.1 / 3
PERIODIC = SoftmaxClassifier((6,), embedding=Periodic(scale=0.2), max_iter=3, random_state=np.random.RandomState(5))
CASES = {
    "arrays": (GOOD, IRIS, SPECIES, {}),
    "texts": (GOOD, IRIS.astype(np.float32), NAMES, {"sample_weight": WEIGHT}),
    "sparse rows": (GOOD, csr_matrix(np.where(IRIS > 0, IRIS, 0)), SPECIES, {}),
    "frame": (GOOD, pd.DataFrame(IRIS, columns=[*"abcd"]), pd.Series(NAMES, dtype="category"), {}),
    "sets": (GOOD, IRIS, SETS, {}),
    "sets of one": (GOOD, IRIS, [{label} for label in SPECIES.tolist()], {}),
    "soft labels": (GOOD, IRIS, SOFT, {}),
    "sparse soft labels": (GOOD, IRIS, csr_matrix(SOFT), {}),
    "several labels": (GOOD, IRIS, SEVERAL, {}),
    "booleans": (GOOD, IRIS, SPECIES > 1, {}),
    "rare classes": (
        GOOD.__class__(max_iter=3, random_state=0, min_count=20, other_label=-1),
        IRIS,
        np.where(np.arange(N) < 9, 7, SPECIES),
        {},
    ),
    "a generator": (PERIODIC, IRIS, SPECIES, {"groups": np.arange(N) // 3}),
    "class weights": (SoftmaxClassifier((), max_iter=3, random_state=0, class_weight={"setosa": 3}), IRIS, NAMES, {}),
    "preset": (TINY, FIRST, "species", {}),
    "table in time": (TINY, FIRST, "species", {"time": np.arange(FIRST.n_rows) % 37}),
    "table of weights": (
        TINY,
        {"x": RAW[:, 0], "c": [None, *NAMES[1:]], "w": WEIGHT, "y": NAMES},
        "y",
        {"sample_weight": "w"},
    ),
    "table of sets": (TINY, RAW, SETS, {}),
    "constant columns of an array": (OWN, np.c_[RAW, np.ones(N)], SPECIES, {}),
    "dates and booleans": (
        OWN,
        {"day": DAYS, "b": RAW[:, 0] > 5.8, "x": RAW[:, 2], "g": SPECIES},
        NAMES,
        {"groups": np.arange(N) // 2},
    ),
}


@pytest.mark.parametrize("case", CASES)
def test_the_bits_are_the_same_on_workers(here, case):
    classifier, X, y, more = CASES[case]
    alone = gm.cross_validate(classifier, X, y, folds=3, **more)
    for n_workers in (1, 2):
        assert_same(
            gm.cross_validate(classifier, X, y, folds=3, engine="processes", n_workers=n_workers, **more), alone
        )
    assert not any(workers.open for workers in here)
    assert all(is_plain(workers.sent[0]) and len(workers.sent) == 1 for workers in here)
    assert np.isfinite(alone.log_loss).all()


def test_an_error_in_a_fold_is_that_of_a_fit(here):
    wild = SoftmaxClassifier((8,), solver="sgd", learning_rate_init=1e30, random_state=0)
    with pytest.raises(DivergenceError) as alone:
        gm.cross_validate(wild, IRIS, SPECIES)
    with pytest.raises(DivergenceError) as on:
        gm.cross_validate(wild, IRIS, SPECIES, engine="processes", n_workers=2)
    assert str(on.value) == str(alone.value)
    assert not here[0].open


@pytest.mark.filterwarnings("default::sklearn.exceptions.ConvergenceWarning")
def test_warnings_of_workers_are_warnings_of_the_driver(here):
    rising = SoftmaxClassifier((8,), learning_rate_init=3.0, max_iter=3, random_state=0)
    told = []
    for more in ({}, {"engine": "processes", "n_workers": 2}):
        with warnings.catch_warnings(record=True) as caught:
            warnings.simplefilter("always")
            gm.cross_validate(rising, IRIS, SPECIES, **more)
        told.append([(one.category, str(one.message)) for one in caught])
        assert all(one.filename == __file__ for one in caught)
    assert told[0] == told[1]
    assert ConvergenceWarning in {category for category, _ in told[0]}


def test_ctrl_c_gives_no_metrics_of_a_fit_that_was_cut_short():
    def interrupted(self, *arguments, **more):
        self.stop_reason_ = "interrupted"
        yield from ()

    with patch.object(TableClassifier, "fit_rows", interrupted), pytest.raises(KeyboardInterrupt):
        gm.cross_validate(TINY, FIRST, "species")


# --- messages --------------------------------------------------------------------------------------------------------


def call(classifier=GOOD, X=IRIS, y=SPECIES, **more):
    return lambda: gm.cross_validate(classifier, X, y, **more)


REFUSED = {
    OptionError: {
        (
            "classifier is 'svm', expected a SoftmaxClassifier or a TableClassifier. For other estimators, such as "
            "pipelines, use sklearn.model_selection.cross_validate."
        ): call("svm"),
        "folds is 1, expected a whole number from 2 to 100.": call(folds=1),
        "folds is True, expected a whole number from 2 to 100.": call(folds=True),
        "random_state is None, expected a whole number from 0 to 4294967295: the seed of the folds.": call(
            random_state=None
        ),
        ("checkpoint_path is 'c', expected None in a cross-validation: each fold is a training of its own."): call(
            SoftmaxClassifier(checkpoint_path="c")
        ),
        "groups is 'g', expected an array: SoftmaxClassifier knows no columns by name.": call(groups="g"),
        (
            "The earliest rows, 50 of 150, are all of one class, expected at least two classes to train on before the "
            "first fold. Pass fewer folds."
        ): call(time=np.arange(N), folds=2),
        "groups and time are both given, expected one.": call(groups=np.arange(N), time=np.arange(N)),
        "groups is the same in every row, expected at least two different ones, so that rows can be left out.": call(
            groups=np.zeros(N)
        ),
        (
            "scoring is <built-in function len>, expected numbers, text, arrays, or lists and dicts of them: workers "
            "get neither functions nor objects of other classes."
        ): call(SoftmaxClassifier(scoring=len, early_stopping=True), engine="processes"),
        (
            "network__scoring is <built-in function len>, expected numbers, text, arrays, or lists and dicts of them: "
            "workers get neither functions nor objects of other classes."
        ): call(TableClassifier(network=SoftmaxClassifier(scoring=len)), engine="processes"),
        "n_workers is 2, expected None without an engine: everything runs in one process. Name an engine, such as "
        "engine='processes'.": call(n_workers=2),
    },
    LabelError: {
        "groups has the shape (3,), expected (150,): one for each row.": call(groups=[1, 2, 3]),
        "time has 3 entries, expected 150: one for each row.": call(time=[1, 2, 3]),
    },
}
OTHER_BITS = (
    f"A worker trains with {arithmetic()}, and the driver with abacus: the result would depend on the worker. Install "
    "the same version of glassmax everywhere. If the instruction sets are different, set GLASSMAX_ISA in every "
    "environment to one that all of the machines have."
)
REFUSED |= {
    KeyboardInterrupt: {"": lambda: list(DriversEnsemble({}, None, True).train([None], 0))},
    WorkerError: {OTHER_BITS: lambda: check_arithmetic("abacus")},
    ValueError: {"a parameter is of the unknown kind 'odd'": lambda: of_plain({"odd": 1}, [])},
}
MESSAGES = [(kind, message, call) for kind, table in REFUSED.items() for message, call in table.items()]


@pytest.mark.parametrize(("kind", "message", "call"), MESSAGES, ids=[message for _, message, _ in MESSAGES])
def test_the_message_is_word_for_word(kind, message, call):
    with pytest.raises(kind) as caught:
        call()
    assert str(caught.value) == message


def test_every_raise_is_in_the_table():
    folder = Path(cross_validation.__file__).parent
    paths = [folder / f"{name}.py" for name in ("cross_validation", "on_workers", "plain_parameters")]
    assert raises_that_are_missed(paths, MESSAGES, 7) == []
