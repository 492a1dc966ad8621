"""A fit on files on workers: the same classifier, and the same one on all ranks of an MPI job."""

import os

import numpy as np
import pytest

from glassmax import SoftmaxClassifier, TableClassifier
from glassmax.distributed import WorkerSettings
from glassmax.distributed.shards import suggest_batch_size
from glassmax.estimator.files import fit, fit_files
from glassmax.streaming import Sources
from tests.distributed.rows import Inside

from .rows_on_disk import cut, frame, quick
from .test_fit import bits, drained
from .test_resume import StoppedError, stopped_after

pytestmark = pytest.mark.filterwarnings("ignore::sklearn.exceptions.ConvergenceWarning")


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    return cut(frame(), tmp_path_factory.mktemp("rows") / "many", [700, 1, 900], "csv")


@pytest.fixture(autouse=True)
def _inside(monkeypatch):
    """Let workers run in this process."""
    monkeypatch.setattr(fit, "open_workers", lambda settings: Inside(settings.n_workers or 2))


def options(**parameters):
    return quick(early_stopping=True, learning_rate="cosine", batch_size=256, **parameters)


HOWS = {
    "gradients": ({}, {}),
    "averages": ({"batch_size": 16}, {"averaging": "local_sgd", "averaging_steps": 2}),
    "lbfgs": ({"solver": "lbfgs", "learning_rate": "constant"}, {}),
}


@pytest.mark.parametrize("how", HOWS)
def test_the_same_bits_for_any_number_of_workers(folder, how):
    parameters, workers = HOWS[how]
    found = set()
    for n_workers in (1, 3):
        classifier = SoftmaxClassifier(**{**options(), **parameters})
        classifier.fit(folder, None, "w", target="y", engine="processes", n_workers=n_workers, **workers)
        found.add(str(bits(classifier)))
        assert classifier.score(frame(), "y") > 0.3
    assert len(found) == 1


SORTED = "y: the rows are sorted by this column, or nearly so. "


@pytest.mark.parametrize(
    ("how", "note"),
    [
        ({}, "All rows are shuffled."),
        (
            {"averaging": "local_sgd"},
            "With averaging='local_sgd', each shard trains on consecutive rows, and so on few of the classes, which "
            "usually costs accuracy. Shuffle the rows of the files, or train without averaging.",
        ),
    ],
    ids=str,
)
def test_a_note_says_that_the_rows_are_sorted_by_their_label(tmp_path, how, note):
    cut(frame().drop_nulls("y").sort("y"), tmp_path / "rows", [1000])
    classifier = TableClassifier(network=SoftmaxClassifier(**quick(max_iter=1)), random_state=0)
    classifier.fit(tmp_path / "rows", target="y", engine="processes", n_workers=2, **how)
    assert SORTED + note in [str(found) for found in classifier.notes_]


def test_lbfgs_comes_to_the_same_network_as_one_process(folder):
    how = {"solver": "lbfgs", "hidden_layer_sizes": (), "alpha": 1.0, "max_iter": 200, "tol": 1e-6}
    for weight in (None, "w"):
        classifiers = [
            SoftmaxClassifier(**quick(class_weight="balanced", **how)).fit(folder, None, weight, target="y", **on)
            for on in ({}, {"engine": "processes"})
        ]
        one, other = (classifier.predict_proba(frame()) for classifier in classifiers)
        assert np.abs(one - other).max() < 1e-4


def test_rows_held_out_and_watched_are_those_of_one_process(folder):
    found = []
    for engine in (None, "processes"):
        network = SoftmaxClassifier(**options(scoring="top_2_accuracy", class_weight={0: 2.0}))
        classifier = TableClassifier(network=network, random_state=0, class_weight={"b": 3.0})
        workers = None if engine is None else WorkerSettings("processes", 2)
        records, done = drained(fit_files(classifier, Sources(folder), "y", "w", workers=workers))
        prepared = records[0]
        chance = done.comparison.columns["class frequencies"].log_loss
        counts = (prepared.n_training, prepared.n_validation, prepared.n_held_out, done.conformal.n_rows)
        found.append([*counts, *done.judged_counts.tolist(), chance])
        assert done.metrics.rows == prepared.n_held_out
        assert done.metrics.confusion.sum() == prepared.n_held_out
        assert prepared.spool_bytes > 0
        assert classifier.model_.record["held_out_rows"] == prepared.n_held_out
    assert found[0] == pytest.approx(found[1])


def test_auto_is_a_batch_size_for_workers(folder):
    classifier = SoftmaxClassifier(**{**options(), "batch_size": "auto"}).fit(folder, target="y", engine="processes")
    n, rows = len(frame()), suggest_batch_size(3000)
    assert rows == 256
    assert classifier._training_state.steps == 3 * -(-n // rows)


def test_workers_that_a_small_batch_size_leaves_without_rows_are_told(tmp_path):
    folder = cut(frame(9000), tmp_path / "rows", [9000], "parquet")
    how = {"target": "y", "engine": "processes", "n_workers": 2}
    with pytest.warns(UserWarning, match=r"^batch_size=64 leaves 1 of 2 workers without rows: .* or averaging='local"):
        SoftmaxClassifier(**quick(batch_size=64, max_iter=1)).fit(folder, **how)
    SoftmaxClassifier(**quick(batch_size=256, max_iter=1)).fit(folder, **how)
    SoftmaxClassifier(**quick(batch_size=64, max_iter=1)).fit(folder, **{**how, "n_workers": 1})
    SoftmaxClassifier(**quick(batch_size=64, max_iter=1)).fit(folder, averaging="local_sgd", **how)


def test_a_fit_on_workers_that_is_stopped_goes_on_to_the_same_bits(folder, tmp_path, monkeypatch):
    monkeypatch.setattr("glassmax.distributed.training.SAVE_SECONDS", 0.0)
    monkeypatch.setattr("glassmax.distributed.training.TELL_SECONDS", 0.0)
    settings = WorkerSettings("processes", 2)

    def fitted(path, told=None):
        classifier = SoftmaxClassifier(**options(checkpoint_path=path))
        drained(fit_files(classifier, Sources(folder), "y", workers=settings, progress=told))
        return bits(classifier)

    expected = fitted(None)
    for stop in (2, 9, 15, 30):
        place = tmp_path / str(stop)
        place.mkdir()
        with pytest.raises(StoppedError):
            fitted(place / "run", stopped_after(stop)[0])
        assert fitted(place / "run") == expected
        assert os.listdir(place) == ["run"]


class Rank(Inside):
    """A rank of an MPI job: rank 0 keeps what it has finished with, the others serve it."""

    content = b""

    def __init__(self, rank):
        super().__init__(1)
        self.is_driver = rank == 0

    def finish(self, content):
        Rank.content = content

    def serve(self):
        return Rank.content


@pytest.mark.parametrize("of_table", [False, True])
@pytest.mark.parametrize("how", HOWS)
def test_all_ranks_of_an_mpi_job_end_with_the_same_classifier(folder, monkeypatch, of_table, how):
    parameters, workers = HOWS[how]
    found = []
    for rank in (0, 1):
        monkeypatch.setattr(fit, "open_workers", lambda settings, rank=rank: Rank(rank))
        network = SoftmaxClassifier(**{**options(), **parameters})
        classifier = TableClassifier(network=network, random_state=0) if of_table else network
        classifier.fit(folder, None, "w", target="y", engine="mpi", **workers)
        found.append(classifier)
    one, other = found
    assert (one.predict(frame()) == other.predict(frame())).all()
    assert [str(note) for note in one.notes_] == [str(note) for note in other.notes_]
    assert one.classes_.tolist() == other.classes_.tolist()
    assert one.stop_reason_ == other.stop_reason_
    assert one.feature_names_in_.tolist() == other.feature_names_in_.tolist()
    assert one.score(frame(), "y") == other.score(frame(), "y")
    if of_table:
        assert one.metrics_.log_loss == other.metrics_.log_loss
        assert (one.metrics_.confusion == other.metrics_.confusion).all()
        assert one.metrics_.confused == other.metrics_.confused
        assert one.model_.record == other.model_.record
        assert np.array_equal(one.model_.conformal.scores, other.model_.conformal.scores)
        one, other = one.members_[0], other.members_[0]
    assert bits(one) == bits(other)
    assert one.best_epoch_ == other.best_epoch_
    one, other = one._training_state, other._training_state
    assert (one.seed, one.steps, one.rows, one.weight) == (other.seed, other.steps, other.rows, other.weight)
    assert all(np.array_equal(one.state[name], other.state[name]) for name in one.state)


def test_ranks_other_than_0_yield_no_epoch(folder, monkeypatch):
    monkeypatch.setattr(fit, "open_workers", lambda settings: Rank(0))
    SoftmaxClassifier(**options()).fit(folder, target="y", engine="mpi")
    monkeypatch.setattr(fit, "open_workers", lambda settings: Rank(1))
    classifier = SoftmaxClassifier(**options())
    assert list(classifier.fit_epochs(folder, target="y", engine="mpi")) == []
    assert classifier.n_iter_ == 3
