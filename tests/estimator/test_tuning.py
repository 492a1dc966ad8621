"""TableClassifier.tune: a search that is resumed equals one that was not interrupted, and it only adds to a preset."""

import builtins
import json
from dataclasses import replace

import numpy as np
import pytest
from sklearn.base import clone

import glassmax as gm
from glassmax import TableClassifier
from glassmax.errors import CheckpointError, DataError, OptionError
from glassmax.estimator.ensemble import PRESETS, MemberType, Preset, Search, StudyFile, Trial, tuning
from glassmax.estimator.ensemble.presets import LINEAR, NETWORK, Numbers
from glassmax.estimator.ensemble.selection import Judgement
from glassmax.estimator.ensemble.tuning import member_type
from tests.estimator.iris import RAW, SPECIES

optuna = pytest.importorskip("optuna")

NET = MemberType("net", NETWORK | {"hidden_layer_sizes": (8,)}, 4, 20)
TINY = Preset((NET, LINEAR), members=3, blocks=3)
X, Y = RAW[::2], SPECIES[::2]
FIRST = (tuning.FIRST[1] | {"width": 16, "epochs": 4},)


@pytest.fixture(autouse=True)
def _small(monkeypatch):
    """Make preset and trials fast enough for tests."""
    monkeypatch.setitem(PRESETS, "fast", TINY)
    monkeypatch.setattr(tuning, "FEWEST_STEPS", 8)
    monkeypatch.setattr(tuning, "MOST_STEPS", 12)
    monkeypatch.setattr(tuning, "RANDOM_TRIALS", 3)
    monkeypatch.setattr(tuning, "FIRST", FIRST)
    space = tuning._space
    narrow = {"width": optuna.distributions.IntDistribution(4, 16, log=True)}
    monkeypatch.setattr(tuning, "_space", lambda numbers: space(numbers) | narrow)


def fast(**parameters):
    return TableClassifier(**{"preset": "fast", "random_state": 0, "n_threads": 1, **parameters})


def without_seconds(trials):
    return [replace(trial, seconds=0.0) for trial in trials]


def assert_same(one, other):
    """Same trials, same bits."""
    assert without_seconds(one.trials_) == without_seconds(other.trials_)
    assert one.member_types_ == other.member_types_
    np.testing.assert_array_equal(one.weights_, other.weights_)
    np.testing.assert_array_equal(one.oof_proba_, other.oof_proba_)
    for a, b in zip(one.members_, other.members_, strict=True):
        np.testing.assert_array_equal(a.network_.theta, b.network_.theta)


def whole_study(path):
    return fast().tune(X, Y, trials=6, study_path=path)


# --- the result ------------------------------------------------------------------------------------------------------


def test_the_best_types_found_join_those_of_the_preset():
    tuned = fast().tune(X, Y, trials=5)
    assert [t.number for t in tuned.trials_] == [1, 2, 3, 4, 5]
    complete = sorted((t for t in tuned.trials_ if t.state == "complete"), key=lambda t: t.log_loss)
    assert [t.name for t in tuned.preset_.types] == ["net", "linear", *(f"trial {t.number}" for t in complete[:3])]
    assert set(tuned.member_types_) <= {t.name for t in tuned.preset_.types}
    assert tuned.model_.record["trials"] == 5
    plain = fast().fit(X, Y)
    kept = {name: member for name, member in zip(tuned.member_types_, tuned.members_, strict=True) if name == "net"}
    for name, member in kept.items():  # the last member of a type of the preset is that of `fit`
        same = [m for n, m in zip(plain.member_types_, plain.members_, strict=True) if n == name][-1]
        np.testing.assert_array_equal(member.network_.theta, same.network_.theta)


def test_what_was_found_can_be_trained_again():
    tuned = fast().tune(X, Y, trials=3)
    again = fast(preset=tuned.preset_)
    assert clone(again).get_params()["preset"] == tuned.preset_
    again.fit(X, Y)
    assert again.trials_ == []
    assert again.preset_ == tuned.preset_
    np.testing.assert_array_equal(again.predict_proba(RAW), tuned.predict_proba(RAW))
    assert again.model_.record["preset"] == "custom"
    further = again.tune(X, Y, trials=1)
    assert len(further.preset_.types) == len(tuned.preset_.types) + 1


def test_the_first_trials_are_given():
    trial = fast().tune(X, Y, trials=1).trials_[0]
    assert trial.parameters == FIRST[0]
    assert tuning._space(None).keys() == trial.parameters.keys() - {"bins"}


@pytest.mark.parametrize(("columns", "bins"), [(1, 16), (200, 8), (5000, 4)])
def test_many_columns_have_fewer_bins(columns, bins):
    space = tuning._space(Numbers(tuple(range(columns)), columns))
    assert tuning._proposed([], 0, space)["bins"] == bins


def test_the_result_depends_on_the_seed_and_not_on_the_threads():
    one, two = fast().tune(X, Y, trials=4), fast(n_threads=3).tune(X, Y, trials=4)
    assert_same(one, two)
    other = fast(random_state=1).tune(X, Y, trials=2)
    assert other.trials_[1].parameters != one.trials_[1].parameters


def test_the_figures_of_a_trial_are_those_of_its_type_in_an_ensemble():
    trial = fast().tune(X, Y, trials=1).trials_[0]
    assert trial.log_loss == trial.log_losses[-1]
    assert len(trial.log_losses) == 3
    kind = member_type("net", trial.parameters)
    assert kind.for_rows(50)["learning_rate_init"] == trial.parameters["learning_rate"]
    alone = fast(preset=Preset((kind,), members=3, blocks=3)).fit(X, Y)  # other seeds, the same folds
    assert abs(alone.metrics_.log_loss - trial.log_loss) < 0.3


def test_validation_rows_judge_the_trials():
    tuned = fast().tune(X, Y, trials=2, X_val=RAW[1::2], y_val=SPECIES[1::2])
    assert tuned.oof_proba_ is None
    assert len(tuned.trials_) == 2
    assert tuned.metrics_.rows == 75


def test_tables_of_categories_have_no_bins(recwarn):
    table = {"color": [*"rgb"] * 20, "label": [*"xyz"] * 20}
    tuned = fast().tune(table, "label", trials=1)
    assert "bins" not in tuned.trials_[0].parameters
    assert not recwarn


def test_groups_and_time_are_those_of_fit():
    groups = np.arange(len(Y)) % 7
    tuned = fast().tune(X, Y, trials=1, groups=groups)
    again = fast(preset=tuned.preset_).fit(X, Y, groups=groups)
    np.testing.assert_array_equal(again.oof_proba_, tuned.oof_proba_)


# --- the end of trials and of the search -----------------------------------------------------------------------------


def test_a_trial_worse_than_the_median_is_ended_early():
    def complete(*losses):
        return Trial(1, {}, losses[-1], 0.0, 1.0, "complete", 0, list(losses))

    earlier = [complete(0.5, 0.4), complete(0.3, 0.6), complete(0.1, 0.1)]
    assert tuning._hopeless([0.31], earlier)
    assert not tuning._hopeless([0.3], earlier)
    assert tuning._hopeless([0.1, 0.41], earlier)
    assert not tuning._hopeless([9.0], earlier[:2])
    assert not tuning._hopeless([], earlier)


def test_pruned_trials_have_fewer_members_and_are_not_used():
    tuned = fast().tune(X, Y, trials=12)
    pruned = [t for t in tuned.trials_ if t.state == "pruned"]
    assert pruned
    assert all(len(t.log_losses) < 3 for t in pruned)
    names = {t.name for t in tuned.preset_.types}
    assert not names & {f"trial {t.number}" for t in pruned}


def test_a_trial_that_diverges_is_recorded_and_not_used(monkeypatch):
    wild = dict.fromkeys(["mixup", "dropout"], 0.0) | {"layers": 1, "width": 8, "activation": "relu", "epochs": 4}
    monkeypatch.setattr(tuning, "_proposed", lambda *_: wild | {"learning_rate": 1e30, "bins": None})
    tuned = fast().tune(X, Y, trials=2)
    assert [(t.state, t.log_loss, t.error) for t in tuned.trials_] == [("diverged", None, None)] * 2
    assert tuned.preset_ == TINY
    np.testing.assert_array_equal(tuned.oof_proba_, fast().fit(X, Y).oof_proba_)


def test_the_budget_ends_the_search_but_not_before_a_trial_is_complete():
    tuned = fast().tune(X, Y, budget=1e-9)
    assert [t.state for t in tuned.trials_] == ["complete"]
    assert len(fast().tune(X, Y, budget=1e9, trials=2).trials_) == 2


def test_a_trial_that_the_budget_cuts_is_dropped(monkeypatch):
    clock = iter([0.0] * 100)
    monkeypatch.setattr(tuning.time, "monotonic", lambda: next(clock, 0.0))
    trainer = _trainer()
    assert tuning._tried(trainer, TINY, _parameters(), [], end=-1.0) is None


def _parameters():
    return {"layers": 1, "width": 8, "activation": "silu", "mixup": 0.0, "dropout": 0.0, "learning_rate": 0.1} | {
        "epochs": 4,
        "bins": None,
    }


def _trainer():
    from glassmax.estimator.ensemble import Rows, Trainer, assign_blocks

    y = np.unique(Y, return_inverse=True)[1]
    folds = assign_blocks(y, np.random.RandomState(0), 3)
    return Trainer(Rows(X.astype(np.float32), y), 3, folds, validation=None, seed=0, n_threads=1)


def test_rows_that_nothing_judges_are_refused(monkeypatch):
    monkeypatch.setattr(tuning, "judge", lambda *_: Judgement(np.nan, np.nan, 1.0, 0))
    with pytest.raises(DataError, match="The table has no rows on which a trial could be judged"):
        fast().tune(X, Y, trials=1)


def interrupt_after(monkeypatch, count):
    """Raise KeyboardInterrupt in the trial after `count` trials."""
    tried = tuning._tried

    def interrupted(trainer, preset, parameters, earlier, end):
        if len(earlier) == count:
            raise KeyboardInterrupt
        return tried(trainer, preset, parameters, earlier, end)

    monkeypatch.setattr(tuning, "_tried", interrupted)


def test_ctrl_c_ends_the_search_and_keeps_what_was_found(monkeypatch):
    interrupt_after(monkeypatch, 2)
    with pytest.warns(UserWarning, match="The search was interrupted after 2 trials; the best of them are used"):
        tuned = fast().tune(X, Y, trials=9)
    assert len(tuned.trials_) == 2
    assert len(tuned.preset_.types) == 4
    assert tuned.stop_reason_ == "completed"


# --- the file --------------------------------------------------------------------------------------------------------


def test_a_resumed_search_equals_one_that_was_not_interrupted(tmp_path):
    whole = whole_study(tmp_path / "whole.jsonl")
    lines = (tmp_path / "whole.jsonl").read_bytes().splitlines(keepends=True)
    assert len(lines) == 7
    for stop in (1, 4, 7):
        path = tmp_path / f"stopped{stop}.jsonl"
        torn = lines[stop][:40] if stop < 7 else b""
        path.write_bytes(b"".join(lines[:stop]) + torn)
        assert_same(whole_study(path), whole)
        records = [json.loads(line) | {"seconds": 0} for line in path.read_text().splitlines()]
        assert records == [json.loads(line) | {"seconds": 0} for line in lines]
    assert_same(fast().tune(X, Y, trials=6), whole)


def test_a_study_goes_on_with_more_trials(tmp_path):
    path = tmp_path / "study.jsonl"
    fast(random_state=None).tune(X, Y, trials=2, study_path=path)
    more = fast(random_state=0).tune(X, Y, trials=4, study_path=path)  # None is the seed 0 here
    assert_same(more, fast().tune(X, Y, trials=4))
    fewer = fast().tune(X, Y, trials=1, study_path=path)
    assert len(fewer.trials_) == 4


def test_the_file_of_another_search_is_refused(tmp_path, monkeypatch):
    path = tmp_path / "study.jsonl"
    fast().tune(X, Y, trials=1, study_path=path)
    before = path.read_bytes()
    for classifier, y, what in [
        (fast(random_state=1), Y, "random_state is 1, the file has 0"),
        (fast(), Y[::-1], "y differs"),
        (fast(class_weight="balanced"), Y[:-1], "X differs"),
    ]:
        with pytest.raises(CheckpointError, match=f"study.jsonl belongs to another search: .*{what}"):
            classifier.tune(X[: len(y)], y, trials=2, study_path=path)
    monkeypatch.setitem(PRESETS, "best", TINY)
    with pytest.raises(CheckpointError, match="preset is 'best', the file has 'fast'"):
        fast(preset="best").tune(X, Y, trials=2, study_path=path)
    assert path.read_bytes() == before


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (
            lambda record: record | {"number": 5},
            "line 2, is damaged: it is trial 5, expected trial 1. Delete this line",
        ),
        (lambda record: record | {"seed": 5}, "line 2, is damaged: its seed or its parameters are not those"),
        (lambda record: record | {"parameters": {}}, "line 2, is damaged: its seed or its parameters are not those"),
        (lambda record: record | {"log_loss": 0.0}, "line 2, is damaged: its log-loss is not the last one"),
        (lambda record: record | {"state": "lost"}, "line 2, is damaged: Invalid enum value 'lost'"),
        (lambda record: record | {"parameters": record["parameters"] | {"layers": 9}}, "line 2, is damaged: "),
    ],
)
def test_a_damaged_line_is_an_error(tmp_path, change, message):
    path = tmp_path / "study.jsonl"
    fast().tune(X, Y, trials=1, study_path=path)
    first, second = path.read_text().splitlines()
    path.write_text(f"{first}\n{json.dumps(change(json.loads(second)))}\n")
    with pytest.raises(CheckpointError, match=message):
        fast().tune(X, Y, trials=2, study_path=path)


def test_other_files_and_folders_are_refused(tmp_path):
    other = tmp_path / "data.csv"
    other.write_text("a,b\n1,2\n")
    with pytest.raises(CheckpointError, match=r"data.csv is not a study of glassmax\. Pass another study_path"):
        fast().tune(X, Y, trials=1, study_path=other)
    assert other.read_text() == "a,b\n1,2\n"
    with pytest.raises(CheckpointError, match="written: Is a directory"):
        fast().tune(X, Y, trials=1, study_path=tmp_path)
    with pytest.raises(CheckpointError, match=r"no doesn't exist\. Make it first"):
        StudyFile(tmp_path / "no" / "study.jsonl", {})


# --- what is asked for -----------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("asked", "message"),
    [
        ({}, "budget and trials are both None, expected at least one"),
        ({"budget": 0}, "budget is 0, expected a number > 0 or None"),
        ({"trials": 0}, "trials is 0, expected a whole number >= 1 or None"),
        ({"trials": True}, "trials is True, expected a whole number >= 1 or None"),
        ({"trials": 1, "study_path": 3}, "study_path is 3, expected the path of a file, or None"),
    ],
)
def test_a_search_that_can_not_be(asked, message):
    with pytest.raises(OptionError, match=message):
        fast().tune(X, Y, **asked)


def test_a_network_of_ones_own_is_not_searched_for():
    with pytest.raises(OptionError, match="network is given, but tune searches for types"):
        fast(network=gm.SoftmaxClassifier()).tune(X, Y, trials=1)


def test_a_missing_optuna_is_named(monkeypatch):
    load = builtins.__import__

    def without(name, *rest):
        if name.startswith("optuna"):
            raise ImportError(name)
        return load(name, *rest)

    monkeypatch.setattr(builtins, "__import__", without)
    with pytest.raises(OptionError, match=r"Optuna is needed. Install it: pip install 'glassmax\[tune\]'"):
        fast().tune(X, Y, trials=1)
    fast().fit(X, Y)


def test_the_defaults_of_a_search_are_none():
    assert Search() == Search(None, None, None)
