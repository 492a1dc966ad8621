"""A fit on files that was stopped anywhere goes on to the same bits, and leaves no file."""

import os
import random
import signal
import subprocess
import sys
from contextlib import suppress
from pathlib import Path

import pytest

from glassmax import SoftmaxClassifier, TableClassifier
from glassmax.errors import CheckpointError
from glassmax.estimator.files import fit_files
from glassmax.streaming import Sources, scan, train

from .rows_on_disk import cut, frame, quick

pytestmark = pytest.mark.filterwarnings("ignore::sklearn.exceptions.ConvergenceWarning")
ROOT = Path(__file__).parents[3]


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    return cut(frame(), tmp_path_factory.mktemp("rows") / "many", [700, 1, 900], "csv")


@pytest.fixture(autouse=True)
def _saves_always(monkeypatch):
    monkeypatch.setattr(train, "SAVE_SECONDS", 0.0)
    monkeypatch.setattr(scan, "SAVE_SECONDS", 0.0)


def options(**parameters):
    return quick(early_stopping=True, dropout=0.1, mixup=0.2, learning_rate="cosine", **parameters)


def bits(classifier):
    curves = classifier.loss_curve_, classifier.validation_loss_curve_, classifier.validation_scores_
    return classifier.network_.theta.tobytes(), curves, classifier.best_epoch_, classifier.t_, classifier.stop_reason_


class StoppedError(BaseException):
    """Ends the process, but for the tests."""


def stopped_after(count):
    left = [count]

    def told(_):
        left[0] -= 1
        if not left[0]:
            raise StoppedError

    return told, left


@pytest.mark.parametrize("dtype", ["softmax classifier", "table classifier"])
def test_a_fit_that_is_stopped_anywhere_goes_on_to_the_same_bits(folder, tmp_path, dtype):
    def fitted(path, told=None):
        network = SoftmaxClassifier(**options(checkpoint_path=path))
        classifier = network
        if dtype == "table classifier":
            classifier = TableClassifier(network=network, random_state=0)
        for _ in fit_files(classifier, Sources(folder), "y", "w", progress=told):
            pass
        return classifier

    def all_bits(classifier):
        if dtype == "softmax classifier":
            return bits(classifier)
        return bits(classifier.members_[0]), classifier.metrics_.log_loss, classifier.model_.conformal.scores.tobytes()

    expected = all_bits(fitted(None))
    told, left = stopped_after(10**9)
    fitted(None, told)
    events = 10**9 - left[0]
    assert events > 20
    for stop in sorted({*range(1, events + 1, 9), events}):
        place = tmp_path / str(stop)
        place.mkdir()
        with pytest.raises(StoppedError):
            fitted(place / "run", stopped_after(stop)[0])
        assert all_bits(fitted(place / "run")) == expected
        assert os.listdir(place) == ["run"]


def test_a_fit_that_is_stopped_again_and_again_comes_to_its_end(folder, tmp_path):
    expected = bits(SoftmaxClassifier(**options()).fit(folder, target="y"))
    turns = 0
    while turns < 60:
        turns += 1
        classifier = SoftmaxClassifier(**options(checkpoint_path=tmp_path / "run"))
        try:
            for _ in fit_files(classifier, Sources(folder), "y", progress=stopped_after(5)[0]):
                pass
        except StoppedError:
            continue
        break
    assert 4 < turns < 60
    assert bits(classifier) == expected
    assert os.listdir(tmp_path) == ["run"]


def test_a_complete_run_is_not_trained_again(folder, tmp_path):
    path = tmp_path / "run"
    first = SoftmaxClassifier(**options(checkpoint_path=path)).fit(folder, target="y")
    again = SoftmaxClassifier(**options(checkpoint_path=path))
    assert list(again.fit_epochs(folder, target="y")) == []
    assert bits(again) == bits(first)
    assert os.listdir(tmp_path) == ["run"]


def test_a_seed_that_nobody_gave_is_kept_by_the_checkpoint(folder, tmp_path):
    path = tmp_path / "run"
    with pytest.raises(StoppedError):
        for _ in fit_files(
            SoftmaxClassifier(**options(checkpoint_path=path, random_state=None)), Sources(folder), "y",
            progress=stopped_after(16)[0],
        ):  # fmt: skip
            pass
    classifier = SoftmaxClassifier(**options(checkpoint_path=path, random_state=None))
    records = fit_files(classifier, Sources(folder), "y")
    next(records)
    seed, theta = classifier._training_state.seed, classifier.network_.theta.copy()
    assert seed
    assert theta.any()
    records.close()


def test_another_run_is_told_from_this_one(folder, tmp_path):
    path = tmp_path / "run"
    SoftmaxClassifier(**options(checkpoint_path=path)).fit(folder, target="y")
    others = {
        "target": ({}, "word", None),
        "sample_weight": ({}, "y", "w"),
        "class_weight": ({"class_weight": "balanced"}, "y", None),
        "validation_fraction": ({"validation_fraction": 0.2}, "y", None),
    }
    for name, (changed, target, weight) in others.items():
        with pytest.raises(CheckpointError, match=f"belongs to another run: .*{name}"):
            SoftmaxClassifier(**options(checkpoint_path=path, **changed)).fit(folder, None, weight, target=target)
    other = cut(frame(seed=5), tmp_path / "other", [1000], "csv")
    with pytest.raises(CheckpointError, match="the files differ"):
        SoftmaxClassifier(**options(checkpoint_path=path)).fit(other, target="y")


# kill -9

PROGRAM = """
import os, signal, sys
sys.path.insert(0, sys.argv[1])
from glassmax import SoftmaxClassifier
from glassmax.estimator.files import fit_files
from glassmax.streaming import Sources, scan, spool, train
from glassmax.streaming.spool import Layout
from tests.estimator.files.test_resume import options
train.SAVE_SECONDS = scan.SAVE_SECONDS = 0.0
spool.PART_WINDOWS, Layout.window_blocks = 2, property(lambda self: 8)
left = [int(sys.argv[4])]
def killed(_):
    left[0] -= 1
    if not left[0]:
        os.kill(os.getpid(), signal.SIGKILL)
print("begins", flush=True)
classifier = SoftmaxClassifier(**options(checkpoint_path=sys.argv[3]))
for _ in fit_files(classifier, Sources(sys.argv[2]), "y", progress=killed):
    pass
"""


def command(folder, path, stop):
    return [sys.executable, "-W", "ignore", "-c", PROGRAM, str(ROOT), str(folder), str(path), str(stop)]


@pytest.mark.parametrize("stop", [2, 8, 15])
def test_a_killed_fit_goes_on_to_the_same_bits(folder, tmp_path, stop):
    done = subprocess.run(command(folder, tmp_path / "run", stop), capture_output=True, check=False)
    assert done.returncode == -signal.SIGKILL, done.stderr
    classifier = SoftmaxClassifier(**options(checkpoint_path=tmp_path / "run")).fit(folder, target="y")
    assert bits(classifier) == bits(SoftmaxClassifier(**options()).fit(folder, target="y"))
    assert os.listdir(tmp_path) == ["run"]


@pytest.mark.slow
def test_a_fit_that_is_killed_at_random_moments_goes_on_to_the_same_bits(folder, tmp_path):
    expected = bits(SoftmaxClassifier(**options()).fit(folder, target="y"))
    draw, killed = random.Random(0), 0
    while killed < 6:
        place = tmp_path / str(killed)
        place.mkdir(exist_ok=True)
        with subprocess.Popen(command(folder, place / "run", 0), stdout=subprocess.PIPE) as process:
            process.stdout.readline()
            with suppress(subprocess.TimeoutExpired):
                process.wait(draw.uniform(0.0, 0.6))
            process.kill()
        killed += 1
        classifier = SoftmaxClassifier(**options(checkpoint_path=place / "run")).fit(folder, target="y")
        assert bits(classifier) == expected
        assert os.listdir(place) == ["run"]
