"""Checkpoints: a run that was stopped and goes on is a run that never stopped; a file of another run is refused."""

import json
import os
import subprocess
import sys
import textwrap
from functools import partial

import numpy as np
import pytest
from scipy import sparse

import glassmax.files
from glassmax import SoftmaxClassifier, load_model
from glassmax.embedding import PiecewiseLinear
from glassmax.engine import best_engine
from glassmax.errors import CheckpointError, ModelFileError
from glassmax.estimator.identity import plain
from glassmax.training.checkpoint import digest
from tests.estimator.iris import IRIS, SPECIES

pytestmark = pytest.mark.filterwarnings("ignore::sklearn.exceptions.ConvergenceWarning")


def classifier(path, **options):
    plain = {
        "hidden_layer_sizes": (6,),
        "max_iter": 12,
        "batch_size": 32,
        "learning_rate_init": 0.02,
        "random_state": 0,
    }
    return SoftmaxClassifier(**{**plain, "learning_rate_init": 0.02, "checkpoint_path": path, **options})


def stopped_after(epochs, path, X=IRIS, y=SPECIES, w=None, **options):
    """Begin a run, and leave it after some epochs."""
    fitting = {name: options.pop(name) for name in ("X_val", "y_val") if name in options}
    for number, _ in enumerate(classifier(path, **options).fit_epochs(X, y, w, **fitting), start=1):
        if number == epochs:
            break


def assert_same_run(one, other):
    """Same bits, everywhere."""
    np.testing.assert_array_equal(one.network_.theta, other.network_.theta)
    for name in (
        "loss_curve_",
        "validation_loss_curve_",
        "validation_scores_",
        "best_validation_score_",
        "best_loss_",
        "loss_",
        "n_iter_",
        "t_",
    ):
        assert getattr(one, name) == getattr(other, name), name
    for name, values in one._training_state.state.items():
        np.testing.assert_array_equal(values, other._training_state.state[name])


RUNS = {
    "adam": {},
    "sgd": {"solver": "sgd"},
    "adamw": {"solver": "adamw", "clip_norm": 0.5},
    "dropout": {"dropout": 0.3, "hidden_layer_sizes": (6, 5)},
    "mixup": {"mixup": 0.4},
    "ntk": {"parametrization": "ntk", "bias_rate": 0.1},
    "a scale of the inputs": {"input_scale_rate": 6.0},
    "periodic": {"embedding": "periodic", "dropout": 0.3},
    "bins": {"embedding": PiecewiseLinear(bins=4)},
    "cosine": {"learning_rate": "cosine", "warmup": 0.2},
    "one cycle": {"learning_rate": "one_cycle"},
    "steps": {"learning_rate": "step", "step_every": 3},
    "invscaling": {"solver": "sgd", "learning_rate": "invscaling"},
    "adaptive": {"solver": "sgd", "learning_rate": "adaptive", "tol": 0.5, "n_iter_no_change": 1},
    "early stopping": {"early_stopping": True, "validation_fraction": 0.3},
    "accuracy": {"early_stopping": True, "scoring": "accuracy", "n_iter_no_change": 3, "max_iter": 60},
    "no shuffle": {"shuffle": False},
    "weights": {"class_weight": "balanced"},
    "a RandomState": {},
}


@pytest.mark.parametrize("stop", [1, 5, 11])
@pytest.mark.parametrize("name", RUNS)
def test_a_resumed_run_is_one_that_never_stopped(tmp_path, name, stop):
    def options():
        seed = {"random_state": np.random.RandomState(3)} if name == "a RandomState" else {}
        return {**RUNS[name], **seed}

    path = tmp_path / "run.checkpoint"
    stopped_after(stop, path, **options())
    resumed = classifier(path, **options()).fit(IRIS, SPECIES)
    assert_same_run(resumed, classifier(None, **options()).fit(IRIS, SPECIES))


DATA = {
    "float32": (IRIS.astype(np.float32), SPECIES),
    "sparse": (sparse.csr_array(np.where(IRIS > 0, IRIS, 0)), SPECIES),
    "soft labels": (IRIS, 0.7 * np.eye(3)[SPECIES] + 0.1),
    "several labels": (IRIS, np.c_[SPECIES > 0, SPECIES > 1, IRIS[:, 0] > 0].astype(int)),
    "text": (IRIS, np.array(["a", "b", "c"])[SPECIES]),
}


@pytest.mark.parametrize(("X", "y"), DATA.values(), ids=DATA)
def test_a_run_is_resumed_on_data_of_every_kind(tmp_path, X, y):
    path = tmp_path / "run.checkpoint"
    stopped_after(4, path, X, y)
    assert_same_run(classifier(path).fit(X, y), classifier(None).fit(X, y))


def test_a_run_is_resumed_with_validation_rows_of_its_own(tmp_path):
    path, given = tmp_path / "run.checkpoint", {"X_val": IRIS[1::2], "y_val": SPECIES[1::2]}
    stopped_after(4, path, early_stopping=True, **given)
    resumed = classifier(path, early_stopping=True).fit(IRIS, SPECIES, **given)
    assert_same_run(resumed, classifier(None, early_stopping=True).fit(IRIS, SPECIES, **given))


@pytest.mark.parametrize("options", [{}, {"early_stopping": True}, {"dropout": 0.5}], ids=str)
def test_without_a_seed_the_file_holds_what_was_drawn(tmp_path, options):
    path = tmp_path / "run.checkpoint"
    stopped_after(5, path, random_state=None, **options)
    kept = path.read_bytes()
    one = classifier(path, random_state=None, **options).fit(IRIS, SPECIES)
    path.write_bytes(kept)
    other = classifier(path, random_state=None, **options).fit(IRIS, SPECIES)
    assert_same_run(one, other)
    assert one.n_iter_ == 12


def test_a_run_is_resumed_in_another_process(tmp_path):
    path = tmp_path / "run.checkpoint"
    program = f"""
        import os, sys
        from sklearn.datasets import load_iris
        from glassmax import SoftmaxClassifier
        X, y = load_iris(return_X_y=True)
        X = (X - X.mean(axis=0)) / X.std(axis=0)
        classifier = SoftmaxClassifier((6,), max_iter=12, batch_size=32, learning_rate_init=0.02, random_state=0,
                                       dropout=0.2, checkpoint_path={str(path)!r})
        for number, _ in enumerate(classifier.fit_epochs(X, y), start=1):
            if number == 5:
                os._exit(9)    # as if the power had gone
    """
    done = subprocess.run([sys.executable, "-c", textwrap.dedent(program)])
    assert done.returncode == 9
    resumed = classifier(path, dropout=0.2).fit(IRIS, SPECIES)
    assert_same_run(resumed, classifier(None, dropout=0.2).fit(IRIS, SPECIES))


def test_only_the_epochs_that_are_left_are_trained(tmp_path):
    stopped_after(9, tmp_path / "run.checkpoint")
    rest = list(classifier(tmp_path / "run.checkpoint").fit_epochs(IRIS, SPECIES))
    assert [epoch.number for epoch in rest] == [10, 11, 12]


@pytest.mark.parametrize("options", [{}, {"early_stopping": True, "tol": 1.0, "n_iter_no_change": 2}], ids=str)
def test_a_finished_run_returns_its_model(tmp_path, monkeypatch, options):
    path = tmp_path / "run.checkpoint"
    first = classifier(path, **options).fit(IRIS, SPECIES)
    written = path.read_bytes()
    monkeypatch.setattr(type(best_engine()), "epoch", None)  # nothing is trained
    again = classifier(path, **options).fit(IRIS, SPECIES)
    assert_same_run(first, again)
    np.testing.assert_array_equal(first.predict_proba(IRIS), again.predict_proba(IRIS))
    assert path.read_bytes() == written


def test_more_epochs_go_on_from_a_finished_run(tmp_path):
    path = tmp_path / "run.checkpoint"
    classifier(path, max_iter=5).fit(IRIS, SPECIES)
    more = classifier(path, max_iter=12).fit(IRIS, SPECIES)
    assert_same_run(more, classifier(None, max_iter=12).fit(IRIS, SPECIES))


def test_verbosity_and_threads_may_change(tmp_path, capsys):
    path = tmp_path / "run.checkpoint"
    stopped_after(5, path)
    assert_same_run(classifier(path, verbose=True, n_threads=1).fit(IRIS, SPECIES), classifier(None).fit(IRIS, SPECIES))
    assert capsys.readouterr().out.startswith("Iteration 6, ")


def test_the_same_thing_said_otherwise_is_the_same_run(tmp_path):
    path = tmp_path / "run.checkpoint"
    stopped_after(5, path, activation="logistic", class_weight={0: 1.0, 1: 2.0})
    options = {"activation": ["sigmoid"], "hidden_layer_sizes": [6], "class_weight": {1: 2.0, 0: 1.0}}
    resumed = classifier(os.fspath(path), **options).fit(IRIS, SPECIES)
    assert resumed.n_iter_ == 12


def test_a_file_may_be_moved(tmp_path):
    stopped_after(5, tmp_path / "run.checkpoint")
    (tmp_path / "run.checkpoint").rename(tmp_path / "moved.checkpoint")
    assert next(iter(classifier(tmp_path / "moved.checkpoint").fit_epochs(IRIS, SPECIES))).number == 6


# what is refused


def another(**options):
    return lambda path: classifier(path, **options).fit(IRIS, SPECIES)


OTHER_RUNS = {
    "X differs; y differs. ": lambda path: classifier(path).fit(IRIS[:-1], SPECIES[:-1]),
    "X differs. ": lambda path: classifier(path).fit(IRIS + np.eye(150, 4) * 1e-15, SPECIES),
    "X differs. Pass": lambda path: classifier(path).fit(IRIS.astype(np.float32), SPECIES),
    "y differs. ": lambda path: classifier(path).fit(IRIS, (SPECIES + 1) % 3),
    "classes_ is [1, 2, 3], the file has [0, 1, 2]. ": lambda path: classifier(path).fit(IRIS, SPECIES + 1),
    "sample_weight differs. ": lambda path: classifier(path).fit(IRIS, SPECIES, np.ones(150)),
    "X_val differs; y_val differs. ": lambda path: classifier(path).fit(IRIS, SPECIES, X_val=IRIS, y_val=SPECIES),
    "hidden_layer_sizes is [7], the file has [6]. ": another(hidden_layer_sizes=(7,)),
    "activation is ['tanh'], the file has ['relu']. ": another(activation="tanh"),
    "learning_rate_init is 0.03, the file has 0.02. ": another(learning_rate_init=0.03),
    "batch_size is 33, the file has 32. ": another(batch_size=33),
    "random_state is 1, the file has 0. ": another(random_state=1),
    "dropout is 0.1": another(dropout=0.1),
    "alpha is 0, the file has ": another(alpha=0.0),
    "tol is 1e-05": another(tol=1e-5),
    "sample_weight differs; class_weight is {0: 2}, the file has None. ": another(class_weight={0: 2.0}),
    "learning_rate is 'cosine', the file has 'constant'; max_iter is 12, the file has missing. ": another(
        learning_rate="cosine", max_iter=12
    ),
}


@pytest.mark.parametrize(("what", "run"), OTHER_RUNS.items(), ids=OTHER_RUNS)
def test_another_run_is_refused_by_what_differs_and_the_file_stays(tmp_path, what, run):
    path = tmp_path / "run.checkpoint"
    stopped_after(5, path)
    before = path.read_bytes()
    with pytest.raises(CheckpointError) as caught:
        run(path)
    said = str(caught.value)
    assert caught.value.parameter == "checkpoint_path"
    assert said.startswith(f"checkpoint_path {path} belongs to another run: {what}")
    assert said.endswith("Pass what it was begun with, or another checkpoint_path; or delete it to begin anew.")
    assert path.read_bytes() == before


def test_fewer_epochs_than_the_file_holds_are_refused(tmp_path):
    path = tmp_path / "run.checkpoint"
    stopped_after(5, path)
    with pytest.raises(CheckpointError) as caught:
        classifier(path, max_iter=4).fit(IRIS, SPECIES)
    assert str(caught.value) == (
        f"checkpoint_path {path} holds 5 epochs, expected at most max_iter=4. "
        "Raise max_iter, or pass another checkpoint_path."
    )
    assert classifier(path, max_iter=5).fit(IRIS, SPECIES).n_iter_ == 5


def test_another_scorer_is_another_run_even_without_a_name(tmp_path):
    path, options = tmp_path / "run.checkpoint", {"early_stopping": True}
    stopped_after(2, path, scoring=lambda c, X, y: c.score(X, y), **options)
    stopped_after(4, path, scoring=lambda c, X, y: c.score(X, y), **options)
    with pytest.raises(CheckpointError, match="belongs to another run"):
        stopped_after(5, path, scoring=lambda c, X, y: -c.score(X, y), **options)


def test_under_a_schedule_with_an_end_max_iter_is_part_of_the_run(tmp_path):
    path = tmp_path / "run.checkpoint"
    stopped_after(5, path, learning_rate="cosine", max_iter=12)
    with pytest.raises(CheckpointError, match="belongs to another run"):
        classifier(path, learning_rate="cosine", max_iter=13).fit(IRIS, SPECIES)


def test_another_engine_is_another_run(tmp_path, monkeypatch):
    path = tmp_path / "run.checkpoint"
    stopped_after(5, path)
    monkeypatch.setattr(type(best_engine()), "name", "other")
    with pytest.raises(CheckpointError, match="belongs to another run"):
        classifier(path).fit(IRIS, SPECIES)


@pytest.mark.parametrize("change", [{"alpha": 0.5}, {"max_iter": 4}], ids=str)
@pytest.mark.parametrize("warm_start", [False, True])
def test_a_refused_checkpoint_leaves_the_classifier_as_it_was(tmp_path, change, warm_start):
    path = tmp_path / "run.checkpoint"
    stopped_after(5, path, warm_start=warm_start)
    fitted = classifier(None, max_iter=3, warm_start=warm_start).fit(IRIS, SPECIES)
    before = fitted.network_.theta.copy()
    with pytest.raises(CheckpointError):
        fitted.set_params(checkpoint_path=path, **change).fit(IRIS, SPECIES)
    np.testing.assert_array_equal(fitted.network_.theta, before)
    assert fitted.n_iter_ == len(fitted.loss_curve_) == 3


def test_a_warm_start_is_another_run_than_the_first(tmp_path):
    path = tmp_path / "run.checkpoint"
    warm = classifier(path, warm_start=True).fit(IRIS, SPECIES)
    with pytest.raises(CheckpointError, match="belongs to another run"):
        warm.fit(IRIS, SPECIES)


def test_any_changed_byte_is_found(tmp_path):
    path = tmp_path / "run.checkpoint"
    stopped_after(2, path)
    content = path.read_bytes()
    draw = np.random.default_rng(0)
    for place in draw.integers(len(content), size=60):
        path.write_bytes(content[:place] + bytes([content[place] ^ 1 << draw.integers(8)]) + content[place + 1 :])
        with pytest.raises(CheckpointError, match=rf"^checkpoint_path {path} "):
            classifier(path).fit(IRIS, SPECIES)


@pytest.mark.parametrize("share", [0, 0.001, 0.5, 0.99])
def test_a_truncated_file_is_found(tmp_path, share):
    path = tmp_path / "run.checkpoint"
    stopped_after(2, path)
    content = path.read_bytes()
    path.write_bytes(content[: int(share * len(content))])
    with pytest.raises(CheckpointError, match="If it was a checkpoint, delete it to begin anew"):
        classifier(path).fit(IRIS, SPECIES)


def test_a_model_file_is_no_checkpoint(tmp_path):
    classifier(None).fit(IRIS, SPECIES).save(tmp_path / "model.safetensors")
    with pytest.raises(
        CheckpointError, match=r"is a file of glassmax, but no checkpoint: a model perhaps\. Pass another\."
    ):
        classifier(tmp_path / "model.safetensors").fit(IRIS, SPECIES)


def test_a_checkpoint_is_no_model_file(tmp_path):
    stopped_after(2, tmp_path / "run.checkpoint")
    with pytest.raises(ModelFileError, match="is the checkpoint of a run, expected a model: fit goes on from it"):
        load_model(tmp_path / "run.checkpoint")


def test_a_missing_folder_is_named_before_the_training(tmp_path):
    path = tmp_path / "nowhere" / "run.checkpoint"
    with pytest.raises(CheckpointError) as caught:
        classifier(path).fit(IRIS, SPECIES)
    assert str(caught.value) == (
        f"checkpoint_path is {str(path)!r}: the folder {path.parent} doesn't exist. Make it first."
    )


def test_a_folder_is_no_checkpoint(tmp_path):
    with pytest.raises(CheckpointError, match=r"can't be read: Is a directory\."):
        classifier(tmp_path).fit(IRIS, SPECIES)


def test_a_full_disk_leaves_the_file_of_the_epoch_before(tmp_path, monkeypatch):
    path = tmp_path / "run.checkpoint"
    stopped_after(3, path)
    before = path.read_bytes()

    def full(handle):
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(glassmax.files.os, "fsync", full)
    with pytest.raises(CheckpointError, match=r"can't be written: No space left on device\."):
        classifier(path).fit(IRIS, SPECIES)
    assert path.read_bytes() == before
    assert [file.name for file in tmp_path.iterdir()] == ["run.checkpoint"]


def test_the_file_holds_numbers_and_no_code(tmp_path):
    path = tmp_path / "run.checkpoint"
    stopped_after(2, path, early_stopping=True)
    length = int.from_bytes(path.read_bytes()[:8], "little")
    header = json.loads(path.read_bytes()[8 : 8 + length])
    manifest = json.loads(header.pop("__metadata__")["glassmax"])
    assert set(manifest) == {"format", "identity", "stopped"}
    assert {entry["dtype"] for entry in header.values()} <= {"F64", "I64", "U32"}


# the hash of the data


def test_a_digest_depends_on_every_number_and_on_nothing_else():
    X = np.random.default_rng(0).standard_normal((40, 30))
    own = digest(X)
    assert own == digest(np.asfortranarray(X)) == digest(np.repeat(X, 2, axis=0)[::2])
    changed = X.copy()
    changed[39, 29] = np.nextafter(changed[39, 29], 9)
    others = [[changed], [X.reshape(30, 40)], [X, X], [X, None], [X.view(np.int64)], []]
    hashes = {digest(*arrays) for arrays in others}
    assert len(hashes) == 6
    assert own not in hashes


def test_a_long_array_is_hashed_piece_by_piece(monkeypatch):
    X = np.random.default_rng(0).standard_normal((1000, 3))
    own = digest(X)
    monkeypatch.setattr("glassmax.training.checkpoint.BLOCK_BYTES", 100)
    assert digest(X) == own


def test_sparse_matrices_have_a_digest_too():
    X = sparse.random(20, 30, 0.1, format="csr", random_state=0)
    other = X.copy()
    other.data[3] += 1
    assert digest(X) == digest(X.copy()) != digest(other)


# what a run is


def scorer(classifier, X, y, factor=1.0):
    return factor * classifier.score(X, y)


def closure(factor):
    return lambda classifier, X, y: factor * classifier.score(X, y)


def of_itself():
    def score(classifier, X, y):
        return score if X is None else classifier.score(X, y)

    return score


class Judge:
    def __init__(self, factor):
        self.factor = factor

    def __call__(self, classifier, X, y):
        return self.factor * classifier.score(X, y)

    def method(self, classifier, X, y):
        return self.factor * classifier.score(X, y)


VALUES = {
    "partials": (lambda: partial(scorer, factor=2.0), lambda: partial(scorer, factor=3.0)),
    "objects": (lambda: Judge(2.0), lambda: Judge(3.0)),
    "methods": (lambda: Judge(2.0).method, lambda: Judge(3.0).method),
    "closures": (lambda: closure(2.0), lambda: closure(3.0)),
    "arrays": (lambda: np.arange(3.0), lambda: np.arange(3.0) + 1),
    "lambdas": (lambda: lambda y: y in {"a", "b"}, lambda: lambda y: y in {"a", "c"}),
    "functions": (lambda: scorer, of_itself),
    "generators": (lambda: np.random.RandomState(0), lambda: np.random.RandomState(1)),
}


@pytest.mark.parametrize(("make", "other"), VALUES.values(), ids=VALUES)
def test_values_are_told_apart_by_what_they_are(make, other):
    assert plain(make()) == plain(make()) != plain(other())
    assert " at 0x" not in plain(make())


def test_a_value_is_the_same_text_in_every_process():
    program = """
        from glassmax.estimator.identity import plain
        print(plain([lambda y: y in {"a", "b", "c", "d"}, {"b": 1, "a": {2, 3}}, frozenset("xyz")]))
    """
    said = {
        subprocess.run(
            [sys.executable, "-c", textwrap.dedent(program)],
            env={**os.environ, "PYTHONHASHSEED": seed},
            capture_output=True,
            text=True,
            check=True,
        ).stdout
        for seed in ("1", "2", "3")
    }
    assert len(said) == 1


def test_a_checkpoint_knows_the_model_a_warm_start_began_with(tmp_path):
    models = [classifier(None, random_state=seed, max_iter=2).fit(IRIS, SPECIES).to_model() for seed in (0, 1)]
    options = {"warm_start": True, "max_iter": 3, "checkpoint_path": tmp_path / "run.checkpoint", "random_state": 0}
    SoftmaxClassifier.from_model(models[0], **options).fit(IRIS, SPECIES)
    with pytest.raises(CheckpointError, match="belongs to another run: the start differs"):
        SoftmaxClassifier.from_model(models[1], **options).fit(IRIS, SPECIES)
