"""Training on a spool: the same bits for any cut and after any interruption, and as good as in memory."""

import os
import signal
import subprocess
import sys

import numpy as np
import pytest
from scipy.sparse import csr_matrix

from glassmax.engine import Data, ReferenceEngine, Regularization, best_engine, build_facts
from glassmax.errors import CheckpointError, DataError, DivergenceError
from glassmax.network import Network
from glassmax.optimizers import SGD, Adam, Schedule
from glassmax.streaming import spool as spool_
from glassmax.streaming import train as train_
from glassmax.streaming.lbfgs import train_lbfgs_on_spool
from glassmax.streaming.order import Order, is_validation
from glassmax.streaming.scoring import score_spool, validation_spool
from glassmax.streaming.split import Split
from glassmax.streaming.spool import Layout, Spool, SpoolWriter
from glassmax.streaming.train import Position, train_on_spool
from glassmax.training import Checkpoint, EarlyStopping, RunningMetrics, TrainingState, train, train_lbfgs

from .test_spool import IDENTITY, fill

D, K = 6, 3
ENGINES = [ReferenceEngine(1)] + ([best_engine(1)] if build_facts()["native"] else [])
SEED = 5


@pytest.fixture(autouse=True)
def _small_windows(monkeypatch):
    monkeypatch.setattr(spool_, "PART_WINDOWS", 2)
    monkeypatch.setattr(Layout, "window_blocks", property(lambda self: 4))


def rows(n, layout, *, is_sorted=False):
    """Return rows of three classes that overlap."""
    draw = np.random.RandomState(1)
    y = draw.randint(0, K, n)
    X = draw.normal(size=(n, D))
    X[np.arange(n), y] += 2.0
    if layout.filled is not None:
        X[np.abs(X) < 0.3] = 0.0
    weight = draw.uniform(0.5, 2.0, n) if layout.weighted else None
    order = np.argsort(y, kind="stable") if is_sorted else np.arange(n)
    X = X[order].astype(np.float32)
    weight = None if weight is None else weight[order]
    return Data(X if layout.filled is None else csr_matrix(X), y[order], weight)


def spooled(folder, layout=Layout(D), n=1500, **how):  # noqa: B008
    with SpoolWriter(folder, layout, IDENTITY) as writer:
        fill(writer, rows(n, layout, **how), [170])
    return Spool(folder)


HOW = {
    "batch_size": 50,
    "max_epochs": 3,
    "regularization": Regularization(alpha=1e-3, dropout=(0.2,), mixup=0.3),
    "schedule": Schedule("cosine", warmup=0.1),
    "split": Split(SEED, 0.1),
}


class Run:
    """A training run with a checkpoint."""

    def __init__(self, spool, path=None, engine=ENGINES[-1], rule=None, save=None, **how):
        self.network = Network([D, 8, K], random_state=0)
        self.training = TrainingState((rule or Adam(0.01)).init(self.network.theta), np.random.RandomState(0), seed=9)
        self.position = Position()
        self.losses, self.validation = [], []
        curves = {"loss": self.losses, "validation": self.validation, "position": self.position.numbers}
        stopping = EarlyStopping(self.network, 0.0, np.inf)
        self.checkpoint = path and Checkpoint(path, {"run": "of a test"}, self.network, self.training, stopping, curves)
        if path:
            self.checkpoint.load(100)
        how = {**HOW, **how}
        validate = None
        if how["split"].validation:
            held = validation_spool(spool, how["split"], spool.folder / "validation")

            def validate():
                with held:
                    return score_spool(self.network, engine, held).metrics

        self.epochs = train_on_spool(
            self.network, engine, spool, rule or Adam(0.01), self.training, self.position, validate=validate,
            save=self.checkpoint.save if path and save is None else save, **how,
        )  # fmt: skip

    def finish(self):
        for epoch in self.epochs:
            self.losses.append(epoch.loss)
            self.validation.append(0.0 if epoch.validation is None else epoch.validation.log_loss)
            if self.checkpoint:
                self.checkpoint.save()
        return self

    def bits(self):
        parts = [self.network.theta, *map(np.asarray, self.training.state.values())]
        counts = self.training.epochs, self.training.steps, self.training.rows, self.training.weight
        return [part.tobytes() for part in parts], counts, self.losses, self.validation


LAYOUTS = [Layout(D), Layout(D, None, True), Layout(D, D)]


@pytest.mark.parametrize("engine", ENGINES, ids=lambda engine: engine.name)
@pytest.mark.parametrize("layout", LAYOUTS)
def test_a_window_is_trained_on_as_an_epoch_of_its_rows(tmp_path, engine, layout):
    data = rows(700, layout)
    with spooled(tmp_path, layout, 700) as spool:
        plain = {"regularization": Regularization(alpha=1e-3), "schedule": Schedule(), "max_epochs": 2}
        run = Run(spool, engine=engine, rule=SGD(0.1, 0.9), **plain).finish()
    network = Network([D, 8, K], random_state=0)
    rule = SGD(0.1, 0.9)
    state, losses = rule.init(network.theta), []
    mean = 1.0 if data.weight is None else data.weight.mean()
    order, step = Order(700, SEED, 4), 0
    for epoch in range(2):
        sums = []
        for window in range(order.n_windows):
            taken = order.rows(epoch, window)
            taken = taken[~is_validation(SEED, taken, 0.1)]
            for start in range(0, len(taken), 50):
                batch = data.rows(taken[start : start + 50])
                m = len(batch.y)
                loss, gradients = network.loss_and_gradients(
                    batch.X, batch.y, batch.weight, divisor=m * mean, l2=1e-3 / (m * mean)
                )
                rule.step(network.theta, gradients.flat.astype(network.theta.dtype), state)
                sums.append(loss * m)
                step += 1
        losses.append(sum(sums) / (~is_validation(SEED, np.arange(700), 0.1)).sum())
    assert np.allclose(run.network.theta, network.theta, rtol=1e-4, atol=1e-5)
    assert np.allclose(run.losses, losses, rtol=1e-5)
    assert run.training.steps == step
    held = data.rows(np.flatnonzero(is_validation(SEED, np.arange(700), 0.1)))
    running = RunningMetrics(K)
    running.add(network.forward(held.X).head.Z, held.y, held.weight)
    assert run.validation[-1] == pytest.approx(running.metrics().log_loss, rel=1e-4)


@pytest.mark.parametrize("engine", ENGINES, ids=lambda engine: engine.name)
def test_a_run_that_is_stopped_after_any_window_goes_on_to_the_same_bits(tmp_path, engine, monkeypatch):
    monkeypatch.setattr(train_, "SAVE_SECONDS", 0.0)
    with spooled(tmp_path / "spool") as spool:
        expected = Run(spool, engine=engine).finish().bits()
        for stop in (1, 2, 5, 6, 7, 11):
            path, left, turns = tmp_path / f"run {stop}", [0], 0
            while turns < 40:
                left[0], turns = stop, turns + 1

                def stopped(done, left=left):
                    left[0] -= 1
                    if not left[0]:
                        raise KeyboardInterrupt

                run = Run(spool, path, engine, on_window=stopped)
                try:
                    run.finish()
                except KeyboardInterrupt:
                    if stop == 1:
                        run.checkpoint.save()  # as whoever is interrupted does, or it would never come further
                    continue
                break
            assert turns > 1
            assert run.bits() == expected
    assert sorted(name for name in os.listdir(tmp_path) if name.startswith(".")) == []


KILLED = """
import os, signal, sys
sys.path.insert(0, {tests!r})
from pathlib import Path
from glassmax.streaming import spool, train
from glassmax.streaming.spool import Layout, Spool
from tests.streaming.test_train import Run
train.SAVE_SECONDS, spool.PART_WINDOWS, Layout.window_blocks = 0.0, 2, property(lambda self: 4)
left = [{stop}]
def killed(done):
    left[0] -= 1
    if not left[0]:
        os.kill(os.getpid(), signal.SIGKILL)
Run(Spool({spool!r}), Path({path!r}), on_window=killed).finish()
"""


@pytest.mark.parametrize("stop", [3, 8])
def test_a_killed_run_goes_on_to_the_same_bits(tmp_path, stop):
    root = os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
    (tmp_path / "run").mkdir()
    with spooled(tmp_path / "spool") as spool:
        program = KILLED.format(tests=root, spool=str(tmp_path / "spool"), path=str(tmp_path / "run" / "a"), stop=stop)
        child = subprocess.run([sys.executable, "-c", program], capture_output=True, check=False)
        assert child.returncode == -signal.SIGKILL, child.stderr
        run = Run(spool, tmp_path / "run" / "a")
        assert run.training.epochs * 6 + run.position.window == stop - 1
        assert run.finish().bits() == Run(spool).finish().bits()
        assert os.listdir(tmp_path / "run") == ["a"]
        with pytest.raises(CheckpointError, match="holds 3 epochs, expected at most max_iter=2"):
            Checkpoint(tmp_path / "run" / "a", {"run": "of a test"}, run.network, run.training,
                       EarlyStopping(run.network, 0.0, np.inf)).load(2)  # fmt: skip


def test_bits_are_the_same_for_any_number_of_threads(tmp_path):
    if not build_facts()["native"]:
        pytest.skip("there is no native engine")
    with spooled(tmp_path / "spool") as spool:
        assert Run(spool, engine=best_engine(2)).finish().bits() == Run(spool, engine=best_engine(1)).finish().bits()


def test_rows_sorted_by_their_label_are_learned_as_well_as_in_memory(tmp_path):
    layout, n = Layout(D), 12_000
    data, test = rows(n, layout, is_sorted=True), rows(20_000, Layout(D, None, True))
    losses = []
    plain = {
        "regularization": Regularization(),
        "schedule": Schedule("cosine"),
        "max_epochs": 8,
        "split": Split(SEED),
    }
    with spooled(tmp_path, layout, n, is_sorted=True) as spool:
        run = Run(spool, **plain).finish()
    network, rule = Network([D, 8, K], random_state=0), Adam(0.01)
    state = TrainingState(rule.init(network.theta), np.random.RandomState(0))
    for _ in train(network, ENGINES[-1], data, rule, state, batch_size=50, max_epochs=8, schedule=Schedule("cosine")):
        pass
    for trained in (run.network, network):
        running = RunningMetrics(K)
        running.add(trained.forward(test.X).head.Z, test.y)
        losses.append(running.metrics().log_loss)
    assert abs(losses[0] / losses[1] - 1) < 0.01


def test_progress_never_goes_back_or_beyond_the_end(tmp_path, monkeypatch):
    monkeypatch.setattr(train_, "LARGEST_PIECE", 0.0)  # a step at a time
    done = []
    with spooled(tmp_path) as spool:
        Run(spool, on_window=done.append, max_epochs=1, batch_size=1, split=Split(SEED)).finish()
    rows = [record.rows for record in done]
    assert len(rows) == 1500
    assert rows == sorted(rows)
    assert rows[-1] == 1500


def test_progress_counts_rows_and_bytes(tmp_path):
    done = []
    with spooled(tmp_path) as spool:
        Run(spool, on_window=done.append, max_epochs=1).finish()
    assert [record.rows for record in done] == [250, 500, 750, 1000, 1250, 1500]
    last = done[-1]
    assert (last.epoch, last.of_rows, last.rows_here, last.size) == (1, 1500, 1500, 1500 * 28)
    assert last.seconds_left == 0
    assert done[0].seconds_left > 0
    assert last.megabytes_per_second == pytest.approx(last.rows_per_second * 28 / 1e6)


def test_divergence_keeps_the_weights_before_the_window(tmp_path):
    with spooled(tmp_path) as spool:
        run = Run(spool, rule=SGD(1e30), regularization=Regularization(), schedule=Schedule())
        with pytest.raises(
            DivergenceError, match=r"^The loss is no longer finite in epoch 1, step \d+, at learning rate"
        ):
            run.finish()
        assert np.isfinite(run.network.theta).all()
        assert np.array_equal(run.network.theta, Network([D, 8, K], random_state=0).theta) or run.position.window


def test_damage_that_is_met_in_an_epoch_is_one_sentence(tmp_path):
    with spooled(tmp_path) as spool:
        path = tmp_path / "part-000001.rows"
        content = bytearray(path.read_bytes())
        content[1000] ^= 1
        path.write_bytes(content)
        with pytest.raises(DataError, match=r"part-000001\.rows is damaged: a block doesn't match its checksum"):
            Run(spool).finish()


# pieces of windows


def test_pieces_of_a_window_are_trained_on_as_the_whole_window(tmp_path, monkeypatch):
    with spooled(tmp_path / "spool") as spool:
        whole = Run(spool, rule=SGD(0.1)).finish()  # Adam's powers of beta begin anew in each piece: other last bits
        monkeypatch.setattr(train_, "LARGEST_PIECE", 0.0)  # a step at a time
        done = []
        steps = Run(spool, rule=SGD(0.1), on_window=done.append).finish()
    assert whole.network.theta.tobytes() == steps.network.theta.tobytes()
    assert whole.losses == pytest.approx(steps.losses, rel=1e-12)
    assert whole.training.steps == steps.training.steps == len(done)
    epoch = [record.rows for record in done if record.epoch == 1]
    assert epoch == sorted(epoch)
    assert epoch[-1] == 1500
    assert sum(record.rows_here == 1500 for record in done) == 3


@pytest.mark.parametrize("engine", ENGINES, ids=lambda engine: engine.name)
def test_a_run_that_is_stopped_within_a_window_goes_on_to_the_same_bits(tmp_path, engine, monkeypatch):
    monkeypatch.setattr(train_, "SAVE_SECONDS", 0.0)
    monkeypatch.setattr(train_, "LARGEST_PIECE", 0.0)
    with spooled(tmp_path / "spool") as spool:
        expected = Run(spool, engine=engine).finish().bits()
        for stop in (2, 4, 7, 33):
            left = [stop]

            def stopped(done, left=left):
                left[0] -= 1
                if not left[0]:
                    raise KeyboardInterrupt

            path = tmp_path / f"run {stop}"
            with pytest.raises(KeyboardInterrupt):
                Run(spool, path, engine, on_window=stopped).finish()
            run = Run(spool, path, engine)
            assert run.position.step or run.position.window or run.training.epochs
            assert run.finish().bits() == expected


def test_a_step_that_diverges_leaves_the_weights_of_the_step_before(tmp_path, monkeypatch):
    monkeypatch.setattr(train_, "LARGEST_PIECE", 0.0)
    with spooled(tmp_path / "spool") as spool:
        run = Run(spool, rule=SGD(1e25), regularization=Regularization(), schedule=Schedule())
        with pytest.raises(DivergenceError, match=r"in epoch 1, step \d+, at learning rate 1e\+25"):
            run.finish()
    assert np.isfinite(run.network.theta).all()
    assert run.training.steps == run.position.steps


# weights of classes, shares of rows


def test_weights_of_classes_are_multiplied_in(tmp_path):
    of_class = np.array([3.0, 1.0, 0.0])
    plain = {"regularization": Regularization(), "schedule": Schedule(), "max_epochs": 2, "split": Split(SEED)}
    layout, n = Layout(D, None, True), 700
    data = rows(n, layout)
    weighted = data._replace(weight=data.weight * of_class[data.y])
    mean = float(weighted.weight.mean())
    with spooled(tmp_path / "one", layout, n) as spool:
        one = Run(spool, class_weight=of_class, mean_weight=mean, **plain).finish()
    with SpoolWriter(tmp_path / "other", layout, IDENTITY) as writer:
        fill(writer, weighted, [170])
    with Spool(tmp_path / "other") as spool:
        other = Run(spool, **plain).finish()
        assert spool.mean_weight == pytest.approx(mean)
    assert np.allclose(one.network.theta, other.network.theta, atol=1e-6)
    assert one.losses == pytest.approx(other.losses)


def test_shares_of_rows_are_as_expected_and_no_row_is_in_two():
    numbers = np.arange(100_000)
    split = Split(3, validation=0.1, held_out=0.25)
    validation, held, kept = (
        part(numbers) for part in (split.validation_rows, split.held_out_rows, split.training_rows)
    )
    assert (validation.astype(int) + held + kept == 1).all()
    assert validation.mean() == pytest.approx(0.075, abs=0.005)
    assert held.mean() == pytest.approx(0.25, abs=0.01)
    assert split.sizes(100_000) == (kept.sum(), validation.sum(), held.sum())
    assert (Split(3, 0.1).validation_rows(numbers) == is_validation(3, numbers, 0.1)).all()
    assert Split(3).is_whole
    assert Split(3).sizes(7) == (7, 0, 0)
    smaller = split._replace(held_out=0.1).held_out_rows(numbers)
    assert (held | ~smaller).all()
    assert (Split(4, held_out=0.25).held_out_rows(numbers) != held).any()


# validation rows


@pytest.mark.parametrize("layout", LAYOUTS)
def test_validation_rows_are_copied_once_and_scored_as_in_memory(tmp_path, layout, monkeypatch):
    split, of_class = Split(SEED, 0.3), np.array([1.0, 2.0, 0.5])
    data = rows(1500, layout)
    held = data.rows(np.flatnonzero(split.validation_rows(np.arange(1500))))
    network = Network([D, 8, K], random_state=0)
    with spooled(tmp_path / "spool", layout) as spool:
        with validation_spool(spool, split, tmp_path / "held") as copied:
            assert copied.n_rows == len(held.y)
            for weights in (None, of_class):
                found, top = score_spool(network, ENGINES[-1], copied, class_weight=weights, top=2)
                w = np.ones(len(held.y)) if held.weight is None else held.weight
                w = w if weights is None else w * weights[held.y]
                running, Z = RunningMetrics(K), network.forward(held.X).head.Z
                running.add(Z, held.y, w)
                assert found.log_loss == pytest.approx(running.metrics().log_loss, rel=1e-5)
                assert found.accuracy == pytest.approx(running.metrics().accuracy)
                assert found.rows == len(held.y)
                second = (-np.asarray(Z)).argsort(axis=1, kind="stable")[:, :2] == held.y[:, None]
                assert top == pytest.approx(np.average(second.any(axis=1), weights=w))
        monkeypatch.setattr(Spool, "read", None)  # nothing is read again
        assert validation_spool(spool, split, tmp_path / "held").n_rows == len(held.y)


def test_a_copy_of_validation_rows_that_was_interrupted_is_completed(tmp_path, monkeypatch):
    split = Split(SEED, 0.5)
    with spooled(tmp_path / "spool") as spool, validation_spool(spool, split, tmp_path / "whole") as whole:
        expected = whole.read(np.arange(-(-whole.n_rows // 64)))
        for stop in (1, 2):
            left = [stop]

            def stopped(self, place, real=SpoolWriter.end_part, left=left, **how):
                left[0] -= 1
                if not left[0]:
                    raise KeyboardInterrupt
                real(self, place, **how)

            with monkeypatch.context() as patch:
                patch.setattr(SpoolWriter, "end_part", stopped)
                with pytest.raises(KeyboardInterrupt):
                    validation_spool(spool, split, tmp_path / f"stopped {stop}")
            with validation_spool(spool, split, tmp_path / f"stopped {stop}") as again:
                found = again.read(np.arange(-(-again.n_rows // 64)))
            assert np.array_equal(found.X, expected.X)
            assert np.array_equal(found.y, expected.y)


# L-BFGS


@pytest.mark.parametrize("layout", LAYOUTS)
@pytest.mark.parametrize("engine", ENGINES, ids=lambda engine: engine.name)
def test_lbfgs_minimizes_the_loss_of_all_training_rows(tmp_path, layout, engine):
    split, of_class, alpha = Split(SEED, 0.1, 0.1), np.array([1.0, 2.0, 0.5]), 1.0
    data = rows(700, layout)
    kept = data.rows(np.flatnonzero(split.training_rows(np.arange(700))))
    w = np.ones(len(kept.y)) if kept.weight is None else kept.weight
    kept = kept._replace(weight=w * of_class[kept.y])
    mean = float(kept.weight.mean())
    limits = {"max_iter": 5, "max_fun": 100, "tol": 1e-9, "regularization": Regularization(alpha=alpha)}
    networks, losses = [], []
    for on_disk in (True, False):
        network = Network([D, 4, K], activation="tanh", random_state=0, dtype=np.float64)
        training = TrainingState({}, np.random.RandomState(0))
        if on_disk:
            with spooled(tmp_path, layout, 700) as spool:
                how = {"split": split, "class_weight": of_class, "mean_weight": mean, **limits}
                records = list(train_lbfgs_on_spool(network, engine, spool, training, **how))
        else:
            records = list(train_lbfgs(network, engine, kept, training, **limits))
        networks.append(network.theta)
        losses.append([epoch.loss for epoch in records])
        assert training.rows == len(kept.y) * len(records)
    assert losses[0] == pytest.approx(losses[1], rel=1e-5)
    assert np.allclose(networks[0], networks[1], atol=1e-4)
