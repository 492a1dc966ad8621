"""Presets and searches on workers: the same bits as without, whatever happens to a worker."""

from dataclasses import replace
from unittest.mock import patch

import numpy as np
import pytest

import glassmax as gm
from glassmax import SoftmaxClassifier, TableClassifier
from glassmax.embedding import Periodic, PiecewiseLinear
from glassmax.errors import OptionError, WorkerError
from glassmax.estimator import on_workers
from glassmax.estimator.ensemble import PRESETS, MemberType, Preset, tuning
from glassmax.estimator.ensemble.presets import LINEAR, NETWORK
from glassmax.estimator.tables import blocks
from glassmax.estimator.tables.options import settings_of_preset
from tests.distributed.doubles import WorkersHere, is_plain
from tests.estimator.iris import RAW, SPECIES

X, Y = RAW[::2], SPECIES[::2]
NET = MemberType("net", NETWORK | {"hidden_layer_sizes": (8,), "mixup": 0.3}, 4, 20)
BINNED = MemberType(
    "binned",
    NETWORK | {"hidden_layer_sizes": (8,), "dropout": 0.1, "embedding": PiecewiseLinear(), "input_scale_rate": None},
    4,
    20,
)
TINY = Preset((NET, BINNED, LINEAR), members=3, blocks=3)


@pytest.fixture(autouse=True)
def _small(monkeypatch):
    monkeypatch.setitem(PRESETS, "fast", TINY)


@pytest.fixture
def here(monkeypatch):
    """Let operations run in this process; return the workers that were opened."""
    opened = []

    def open_workers(settings):
        opened.append(WorkersHere(settings))
        return opened[-1]

    monkeypatch.setattr(on_workers, "open_workers", open_workers)
    return opened


def fast(**parameters):
    return TableClassifier(**{"preset": "fast", "random_state": 0, "n_threads": 2, **parameters})


def assert_same(one, other):
    assert one.member_types_ == other.member_types_
    assert one.stop_reason_ == other.stop_reason_
    np.testing.assert_array_equal(one.weights_, other.weights_)
    np.testing.assert_array_equal(one.oof_proba_, other.oof_proba_)
    for a, b in zip(one.members_, other.members_, strict=True):
        np.testing.assert_array_equal(a.network_.theta, b.network_.theta)
        assert a.loss_curve_ == b.loss_curve_
        assert (a.n_iter_, a.t_, a.stop_reason_) == (b.n_iter_, b.t_, b.stop_reason_)


def here_and_alone(classifier_of, *arguments, n_workers=2, **more):
    """Return a classifier that was fitted on workers, and one that wasn't."""
    on = classifier_of().fit(*arguments, engine="processes", n_workers=n_workers, **more)
    return on, classifier_of().fit(*arguments, **more)


@pytest.mark.parametrize("n_workers", [1, 2, 4])
def test_a_preset_has_the_same_bits_on_any_number_of_workers(here, n_workers):
    assert_same(*here_and_alone(fast, X, Y, n_workers=n_workers))
    (workers,) = here
    assert sorted(workers.called) == [*range(9)]
    assert len(workers.sent) == 1  # the rows travel once
    assert is_plain(workers.sent[0])
    assert not workers.open


@pytest.mark.parametrize(("n_threads", "n_workers", "of_each"), [(8, 2, 4), (2, 4, 1), (3, 2, 1)])
def test_workers_share_the_threads(here, n_threads, n_workers, of_each):
    fast(n_threads=n_threads, preset=Preset((LINEAR,), members=2, blocks=2)).fit(
        X, Y, engine="processes", n_workers=n_workers
    )
    assert here[0].settings.worker_threads == here[0].held[0].broadcast.manifest["n_threads"] == of_each


CANDIDATES = [{"setosa", "virginica"}, *np.array(["setosa", "versicolor", "virginica"])[Y][1:].tolist()]
WEIGHT = np.arange(len(Y)) % 4


@pytest.mark.parametrize(
    "given",
    [
        pytest.param((X, Y, WEIGHT), id="weights, some of them 0"),
        pytest.param((X, CANDIDATES), id="labels that are sets"),
        pytest.param((gm.read_table("penguins"), "species"), id="categories and missing cells"),
    ],
)
def test_rows_of_every_kind_travel(here, given):
    assert_same(*here_and_alone(fast, *given))


def test_sparse_rows_travel(here, monkeypatch):
    monkeypatch.setattr(blocks, "SPARSE_NUMBERS", 10)
    levels = [f"level {i % 12}" for i in range(75)]
    table = {"a": levels, "b": levels[::-1], "y": Y}
    assert_same(*here_and_alone(lambda: fast(class_weight="balanced"), table, "y"))
    assert "X.indptr" in here[0].held[0].broadcast.arrays


def test_validation_rows_stay_with_the_driver(here):
    on, alone = here_and_alone(lambda: fast(), X, Y, X_val=RAW[1::2], y_val=SPECIES[1::2])
    np.testing.assert_array_equal(on.predict_proba(RAW), alone.predict_proba(RAW))
    assert on.metrics_.log_loss == alone.metrics_.log_loss
    assert here[0].held[0].broadcast.arrays["X"].shape[0] == len(X)


def test_types_of_members_of_the_users_own_travel(here):
    own = {"hidden_layer_sizes": np.array([6, 4]), "activation": ["relu", "silu"], "max_iter": np.int64(4)}
    kinds = (
        MemberType("own", own | {"embedding": Periodic(scale=0.2), "alpha": np.float32(0.1)}),
        MemberType("frozen", {"hidden_layer_sizes": (4,), "class_embeddings": np.eye(3, 4), "output_bias": False}),
    )
    assert_same(*here_and_alone(lambda: fast(preset=Preset(kinds, members=2, blocks=2)), X, Y))


def test_a_function_in_a_type_of_member_does_not_travel(here):
    kinds = (MemberType("own", {"hidden_layer_sizes": (4,), "scoring": len, "early_stopping": True}),)
    with pytest.raises(OptionError) as caught:
        fast(preset=Preset(kinds, members=2, blocks=2)).fit(X, Y, engine="processes", n_workers=2)
    assert str(caught.value) == (
        "preset is <built-in function len>, expected numbers, text, arrays, or lists and dicts of them: workers get "
        "neither functions nor objects of other classes."
    )
    assert not here[0].open


def test_an_error_in_a_member_is_that_of_a_fit_without_workers(here):
    wrong = Preset((NET, MemberType("wrong", {"hidden_layer_sizes": (4,), "activation": "tahn"})), members=2, blocks=2)
    messages = []
    for engine in ({"engine": "processes", "n_workers": 2}, {}):
        with pytest.raises(OptionError) as caught:
            fast(preset=wrong).fit(X, Y, **engine)
        messages.append(str(caught.value))
    assert messages[0] == messages[1]
    assert messages[0].startswith("activation is 'tahn', expected one of")


def test_members_that_diverge_are_not_used(here):
    wild = MemberType("wild", {"hidden_layer_sizes": (8,), "learning_rate_init": 1e30, "activation": "identity"}, 4, 20)
    on, alone = here_and_alone(lambda: fast(preset=Preset((wild, NET), members=3, blocks=3)), X, Y)
    assert_same(on, alone)
    assert set(on.member_types_) == {"net"}


def test_a_worker_that_would_compute_other_bits_is_refused(here):
    arithmetic = patch.object(on_workers, "arithmetic", side_effect=["abacus of glassmax 1", on_workers.arithmetic()])
    with arithmetic, pytest.raises(WorkerError) as caught:
        fast().fit(X, Y, engine="processes", n_workers=2)
    assert "and the driver with abacus of glassmax 1: the result would depend on the worker." in str(caught.value)


# --- stopped and resumed ---------------------------------------------------------------------------------------------


@pytest.mark.parametrize("after", [1, 4, 8])
def test_a_checkpoint_is_resumed_with_and_without_workers(here, tmp_path, after):
    alone, path = fast().fit(X, Y), tmp_path / "run.checkpoint"
    for resumed_on in ({"engine": "processes", "n_workers": 2}, {}):
        stream = fast(checkpoint_path=path).fit_members(X, Y, engine="processes", n_workers=3)
        for _ in range(after):
            next(stream)
        stream.close()
        opened = len(here)
        assert_same(fast(checkpoint_path=path).fit(X, Y, **resumed_on), alone)
        if resumed_on:
            (workers,) = here[opened:]
            assert len(workers.called) == 9 - after
        path.unlink()
    assert not any(workers.open for workers in here)


def test_ctrl_c_keeps_the_members_that_are_trained(here):
    classifier = fast()
    stream = classifier.fit_members(X, Y, engine="processes", n_workers=2)
    for _ in range(4):
        next(stream)
    with pytest.raises(StopIteration):
        stream.throw(KeyboardInterrupt)
    assert (classifier.stop_reason_, classifier._trained) == ("interrupted", 4)
    assert not here[0].open


def test_a_time_limit_leaves_out_members_but_never_all(here):
    with pytest.warns(UserWarning, match="The time limit was reached: 1 of 9 members were trained"):
        classifier = fast(time_limit=1e-9).fit(X, Y, engine="processes", n_workers=2)
    assert classifier.stop_reason_ == "time_limit"
    assert here[0].called == [0]
    whole = fast(time_limit=1e9).fit(X, Y, engine="processes", n_workers=2)
    assert_same(whole, fast().fit(X, Y))
    assert [len(call["members"]) for call in here[1].calls] == [2, 2, 2, 2, 1]


# --- the search ------------------------------------------------------------------------------------------------------


@pytest.fixture
def _quick_trials(monkeypatch):
    optuna = pytest.importorskip("optuna")
    monkeypatch.setattr(tuning, "FEWEST_STEPS", 8)
    monkeypatch.setattr(tuning, "MOST_STEPS", 12)
    monkeypatch.setattr(tuning, "FIRST", (tuning.FIRST[1] | {"width": 16, "epochs": 4},))
    space = tuning._space
    narrow = {"width": optuna.distributions.IntDistribution(4, 16, log=True)}
    monkeypatch.setattr(tuning, "_space", lambda numbers: space(numbers) | narrow)


def without_seconds(trials):
    return [replace(trial, seconds=0.0) for trial in trials]


@pytest.mark.usefixtures("_quick_trials")
@pytest.mark.parametrize("n_workers", [1, 2, 3])
def test_a_search_has_the_same_trials_on_any_number_of_workers(here, tmp_path, n_workers):
    alone = fast().tune(X, Y, trials=5)
    path = tmp_path / "study.jsonl"
    on = fast().tune(X, Y, trials=5, engine="processes", n_workers=n_workers, study_path=path)
    assert without_seconds(on.trials_) == without_seconds(alone.trials_)
    assert_same(on, alone)
    path.write_bytes(b"".join(path.read_bytes().splitlines(keepends=True)[:3]))
    resumed = fast().tune(X, Y, trials=5, engine="processes", n_workers=2, study_path=path)
    assert_same(resumed, alone)
    assert len(here) == 2  # the workers of the search train the preset too
    assert len(here[0].sent) == 1


@pytest.mark.usefixtures("_quick_trials")
def test_an_interrupted_search_trains_what_was_found_on_the_same_workers(here):
    classifier = fast()
    records = classifier._records(
        X,
        Y,
        None,
        None,
        None,
        dict.fromkeys(("X_val", "y_val", "sample_weight_val")),
        gm.estimator.ensemble.Search(trials=5),
        settings_of_preset(classifier, "processes", {"n_workers": 2}),
    )
    next(records)
    member = records.throw(KeyboardInterrupt)
    assert member.done == 1
    for _ in records:
        pass
    assert len(classifier.trials_) == 1
    assert len(classifier.preset_.types) == 4
    (workers,) = here
    assert not workers.open


def test_one_network_has_no_members(here):
    with pytest.raises(OptionError, match="engine is 'processes', expected None with network"):
        TableClassifier(network=SoftmaxClassifier()).fit(X, Y, engine="processes")
    assert not here


# --- processes -------------------------------------------------------------------------------------------------------


@pytest.fixture
def there(monkeypatch):
    """Return the workers that were opened, which are processes."""
    opened, really = [], on_workers.open_workers

    def open_workers(settings):
        opened.append(really(settings))
        return opened[-1]

    monkeypatch.setattr(on_workers, "open_workers", open_workers)
    return opened


def processes(workers):
    return [worker.process for worker in workers._workers]


def test_workers_that_are_killed_cost_time_and_no_bit(there):
    alone, classifier, killed = fast().fit(X, Y), fast(), []
    for number, _ in enumerate(classifier.fit_members(X, Y, engine="processes", n_workers=2, wait_limit=60)):
        if number in (0, 3):
            killed.append(processes(there[0])[number % 2])
            killed[-1].kill()
    assert_same(classifier, alone)
    assert [process.wait() for process in killed] == [-9, -9]
    assert processes(there[0]) == []  # nothing is left


def test_an_error_in_a_process_is_that_of_a_fit_without_workers(there):
    wrong = Preset((MemberType("wrong", {"hidden_layer_sizes": (4,), "activation": "tahn"}),), members=2, blocks=2)
    with pytest.raises(OptionError) as alone:
        fast(preset=wrong).fit(X, Y)
    with pytest.raises(OptionError) as on:
        fast(preset=wrong).fit(X, Y, engine="processes", n_workers=1)
    assert (str(on.value), on.value.parameter) == (str(alone.value), alone.value.parameter) != ("", "")
    assert processes(there[0]) == []
