"""Training on workers: the gradient of all rows, and the same bits whatever the workers, the files and the stops."""

import signal
import subprocess
import sys
import textwrap
from contextlib import closing

import numpy as np
import pytest

from glassmax.distributed import Message, WorkerSettings, gradients, open_workers
from glassmax.distributed import prepared as prepared_
from glassmax.distributed import scoring as scoring_
from glassmax.distributed import training as training_
from glassmax.distributed.job import Training, job_of
from glassmax.distributed.portions import portions
from glassmax.distributed.scoring import held_out_on_workers, score_on_workers, totals_on_workers
from glassmax.distributed.training import train_lbfgs_on_workers, train_on_workers
from glassmax.engine import Data, ReferenceEngine, Regularization, best_engine, dropout_masks, init_scaled
from glassmax.errors import DivergenceError, WorkerError
from glassmax.network import Network
from glassmax.optimizers import SGD, Adam, Schedule, rate_factors
from glassmax.streaming import Layout, Position, Split, scan, sources, spooled
from glassmax.training import Checkpoint, EarlyStopping, TrainingState, score, train_lbfgs

from .pids import is_running
from .rows import CUTS, SPLIT, Inside, Scan, cut, frame

ENGINE = best_engine(1)
CLASS_WEIGHT = np.array([1.0, 2.5, 0.5])


@pytest.fixture(autouse=True, scope="module")
def _small_pieces():
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(sources, "PIECE_ROWS", 256)
        patch.setattr(scan, "PLACE_ROWS", 100)
        yield


@pytest.fixture(scope="module")
def found(tmp_path_factory, _small_pieces):
    """Return scans of the same rows, by cut and with or without weights."""
    folder = tmp_path_factory.mktemp("rows")
    return {
        (name, weighted): Scan(
            cut(frame(weighted=weighted), folder / f"{name}{weighted}", sizes), "w" if weighted else None
        )
        for name, sizes in CUTS.items()
        for weighted in (False, True)
    }


@pytest.fixture(scope="module")
def shards(tmp_path_factory):
    """Return a folder for encoded rows that several tests use."""
    return tmp_path_factory.mktemp("shards")


@pytest.fixture(scope="module")
def processes(faults):
    with closing(open_workers(WorkerSettings("processes", 2))) as workers:
        yield workers


def in_memory(scan, folder):
    """Return all rows."""
    with spooled(scan.sources, scan.known, folder / "in memory", "y", scan.weight) as spool:
        return spool.read(np.arange(-(-spool.n_rows // 64)))


class Run:
    """A training run on workers, with a checkpoint if there is a path."""

    def __init__(
        self, scan, workers, folder, path=None, *, rule=None, dtype="float32", scaled=False, frozen=(),
        local=None, lbfgs=False, prepared=None, save=None, epochs=3, **how,
    ):  # fmt: skip
        self.rule = rule or Adam(0.02)
        self.rows = scan.prepared(workers, folder, **(prepared or {}))
        sizes = [scan.known.encoding.width, 8, 3]
        self.network = Network(sizes, random_state=0, dtype=dtype, activation="tanh", frozen=frozen)
        state = init_scaled(self.rule, self.network) if scaled else self.rule.init(self.network.theta)
        self.training = TrainingState({} if lbfgs else state, np.random.RandomState(0), seed=9)
        self.position, self.losses, self.validation = Position(), [], []
        curves = {"loss": self.losses, "validation": self.validation, "position": self.position.numbers}
        self.checkpoint = None
        if path:
            stopping = EarlyStopping(self.network, 0.0, np.inf)
            self.checkpoint = Checkpoint(path, {"run": "test"}, self.network, self.training, stopping, curves)
            self.checkpoint.load(100)
            save = save or self.checkpoint.save
        common = {"engine": ENGINE, "validate": lambda: score_on_workers(self.network, workers, self.rows).metrics}
        if scan.weight:
            weight = totals_on_workers(workers, self.rows) * CLASS_WEIGHT
            common |= {"class_weight": CLASS_WEIGHT, "mean_weight": weight.sum() / scan.known.rows}
        common |= {"regularization": Regularization(alpha=1e-2), **how}
        if lbfgs:
            options = {"max_iter": epochs, "max_fun": 99, "tol": 1e-7}
            self.epochs = train_lbfgs_on_workers(self.network, workers, self.rows, self.training, **options, **common)
        else:
            self.epochs = train_on_workers(
                self.network, workers, self.rows, self.rule, self.training, self.position, max_epochs=epochs,
                local_batch_size=local, save=save, **common,
            )  # fmt: skip

    def finish(self):
        for epoch in self.epochs:
            self.losses.append(epoch.loss)
            self.validation.append(epoch.validation.log_loss)
            if self.checkpoint:
                self.checkpoint.save()
        return self

    def bits(self):
        arrays = [self.network.theta, *map(np.asarray, self.training.state.values())]
        counts = self.training.epochs, self.training.steps, self.training.rows, self.training.weight
        return [array.tobytes() for array in arrays], counts, self.losses, self.validation


ALL = Regularization(
    alpha=1e-2, label_smoothing=0.1, dropout=(0.3,), clip_norm=0.5, weight_decay=0.05, mixup=0.3, mixup_share=0.5
)
KINDS = {
    "adam": {},
    "sgd": {"rule": SGD(0.1, 0.9), "schedule": Schedule("cosine", warmup=0.2)},
    "all": {"regularization": ALL, "rate_factors": (0.5, 0.1, 1.0, 0.1), "frozen": ("W2",)},
    "scaled": {"scaled": True, "rate_factors": (1.0, 0.1, 1.0, 0.1, 6.0)},
    "full": {"prepared": {"steps": 1, "n_shards": 7}, "epochs": 4},
    "local": {"local": 16},
    "local all": {"local": 16, "regularization": ALL, "scaled": True, "rate_factors": (1.0, 0.1, 1.0, 0.1, 6.0)},
    "lbfgs": {"lbfgs": True, "prepared": {"steps": 1}, "dtype": "float32"},
}


@pytest.mark.parametrize("kind", KINDS)
def test_the_bits_are_the_same_for_any_number_of_workers_and_any_cut_into_files(shards, found, processes, kind):
    how, all_bits = KINDS[kind], []
    for number, (name, workers) in enumerate([("one", Inside(1)), ("three", Inside(4)), ("many", processes)]):
        with closing(workers) if number < 2 else closing(Inside(1)):
            folder = shards / f"{name} {kind == 'full'}"  # where encoded rows stay from kind to kind
            run = Run(found[name, True], workers, folder, **how).finish()
        all_bits.append(run.bits())
        assert len(run.losses) == how.get("epochs", 3)
        assert run.losses[-1] < run.losses[0]
    assert all_bits[0] == all_bits[1] == all_bits[2]


def gradient_of(scan, folder, theta, *, steps=1, n_shards=5, step=0, dtype="float64", **how):
    """Return loss, gradient and number of rows of a step, as sums divided by the number of rows."""
    with closing(Inside(2)) as workers:
        rows = scan.prepared(workers, folder, steps=steps, n_shards=n_shards)
        network = Network([scan.known.encoding.width, 8, 3], dtype=dtype, activation="tanh")
        training = Training(network, None, how.pop("regularization", Regularization()), (), 0, ENGINE.arithmetic, **how)
        workers.broadcast(rows.job.with_training(training).to_message())
        call = Message({"epoch": 0, "step": step, "steps": 3, "mixup": 1.0}, {"theta": theta})
        sums = workers.sum_in_order(gradients.gradient, n_shards, call)
        count = int(sums["rows"])
        return float(sums["loss"]) / count, sums["gradient"] / count, count


@pytest.mark.parametrize("weighted", [False, True])
@pytest.mark.parametrize("n_shards", [1, 3, 7, 17])
def test_the_sum_over_uneven_shards_is_the_gradient_of_all_rows_in_memory(tmp_path, found, weighted, n_shards):
    scan = found["three", weighted]
    network = Network([scan.known.encoding.width, 8, 3], activation="tanh", random_state=1)
    data = in_memory(scan, tmp_path)
    weight = CLASS_WEIGHT[data.y] * (1.0 if data.weight is None else data.weight)
    data = Data(data.X.astype(np.float64), data.y, weight)
    data = data.rows(np.flatnonzero(SPLIT.training_rows(np.arange(len(data.y)))))
    expected = ReferenceEngine(1).loss_and_gradient(network, data, Regularization(label_smoothing=0.1))
    how = {"class_weight": CLASS_WEIGHT, "regularization": Regularization(label_smoothing=0.1)}
    loss, gradient, count = gradient_of(scan, tmp_path / "run", network.theta, n_shards=n_shards, **how)
    assert count == len(data.y)
    loss, gradient = loss / data.mean_weight, gradient / data.mean_weight
    assert abs(loss - expected[0]) <= 1e-12 * expected[0]
    assert np.linalg.norm(gradient - expected[1]) <= 1e-12 * np.linalg.norm(expected[1])


@pytest.mark.parametrize("wrong", ["a mean of means", "a shard twice", "without weights"])
def test_a_wrong_sum_would_be_noticed(tmp_path, found, wrong, monkeypatch):
    scan = found["three", True]
    network = Network([scan.known.encoding.width, 8, 3], activation="tanh", random_state=1)
    _, right, count = gradient_of(scan, tmp_path, network.theta)
    operation = gradients.gradient

    def planted(held, shard, call):
        found = operation(held, 1 if wrong == "a shard twice" and shard == 2 else shard, call)
        if wrong == "a mean of means":
            n = float(found.arrays["rows"])
            found.arrays["gradient"] = found.arrays["gradient"] / n * count / 5
        if wrong == "without weights":
            training = job_of(held).training
            data = [p.data._replace(weight=None) for p in portions(held, shard, 0, 0)]
            slopes = [len(d.y) * ENGINE.loss_and_gradient(training.network, d, Regularization())[1] for d in data]
            found.arrays["gradient"] = sum(slopes)
        return found

    monkeypatch.setattr(gradients, "gradient", planted)
    planted.__module__, planted.__qualname__ = "glassmax.distributed.gradients", "gradient"
    _, gradient, _ = gradient_of(scan, tmp_path, network.theta)
    assert np.linalg.norm(gradient - right) > 1e-4 * np.linalg.norm(right)


def test_the_steps_of_an_epoch_have_the_gradients_of_their_rows(tmp_path, found):
    scan = found["many", True]
    network = Network([scan.known.encoding.width, 8, 3], activation="tanh", random_state=1)
    data = in_memory(scan, tmp_path)
    with closing(Inside(1)) as workers:
        rows = scan.prepared(workers, tmp_path / "run", steps=4)
        workers.broadcast(rows.job.with_training(Training(network, None, Regularization(), (), 0, "")).to_message())
        held = workers.held[0]
        taken = [np.concatenate([p.rows for s in range(5) for p in portions(held, s, 0, t)]) for t in range(4)]
    for step, numbers in enumerate(taken):
        batch = Data(data.X[numbers].astype(np.float64), data.y[numbers], data.weight[numbers])
        expected = ReferenceEngine(1).loss_and_gradient(network, batch, Regularization())
        _, gradient, count = gradient_of(scan, tmp_path / "run", network.theta, steps=4, step=step)
        assert count == len(numbers)
        gradient = gradient / batch.mean_weight
        assert np.linalg.norm(gradient - expected[1]) <= 1e-12 * np.linalg.norm(expected[1])


def test_dropout_follows_from_step_and_row(tmp_path, found):
    scan, how = found["one", False], Regularization(dropout=(0.4,), seed=7)
    network = Network([scan.known.encoding.width, 8, 3], activation="tanh", random_state=1)
    data, rows = in_memory(scan, tmp_path), np.flatnonzero(SPLIT.training_rows(np.arange(scan.known.rows)))
    masks = dropout_masks(network, how, 3, rows)
    loss, expected = network.loss_and_gradients(data.X[rows].astype(np.float64), data.y[rows], masks=masks)
    found_loss, gradient, _ = gradient_of(scan, tmp_path / "run", network.theta, regularization=how)
    assert found_loss == pytest.approx(loss, rel=1e-12)
    assert np.allclose(gradient, expected.flat, rtol=1e-10, atol=1e-14)
    plain = gradient_of(scan, tmp_path / "run", network.theta)[1]
    assert np.linalg.norm(gradient - plain) > 1e-3 * np.linalg.norm(plain)


def test_training_moves_as_the_rule_does_on_the_gradients_of_the_steps(tmp_path, found):
    scan, rule = found["one", True], SGD(0.1, 0.9)
    with closing(Inside(2)) as workers:
        run = Run(scan, workers, tmp_path / "run", rule=rule, dtype="float64", epochs=1).finish()
    network = Network([scan.known.encoding.width, 8, 3], random_state=0, activation="tanh")
    state, losses = rule.init(network.theta), []
    data = in_memory(scan, tmp_path)
    mean = float((CLASS_WEIGHT[data.y] * data.weight).mean())
    for step in range(4):
        how = {"steps": 4, "step": step, "class_weight": CLASS_WEIGHT}
        loss, gradient, count = gradient_of(scan, tmp_path / "run", network.theta, **how)
        penalty = sum((W * W).sum() for W in network.parameters.W.values()) * 1e-2 / 2 / (count * mean)
        losses.append((loss / mean + penalty, count))
        slope = network.parameters.of(gradient / mean)
        for layer, W in network.parameters.W.items():
            slope[f"W{layer}"] += 1e-2 / (count * mean) * W
        rule.step(network.theta, slope.flat, state)
    assert np.allclose(run.network.theta, network.theta, rtol=1e-10, atol=1e-14)
    assert run.losses == [pytest.approx(sum(a * n for a, n in losses) / sum(n for _, n in losses), rel=1e-12)]


def test_lbfgs_is_that_of_the_rows_in_memory(tmp_path, found):
    scan = found["many", False]
    how = {"lbfgs": True, "dtype": "float64", "prepared": {"steps": 1}}
    with closing(Inside(2)) as workers:
        run = Run(scan, workers, tmp_path / "run", epochs=8, **how).finish()
    data = in_memory(scan, tmp_path)
    data = Data(data.X.astype(np.float64), data.y).rows(np.flatnonzero(SPLIT.training_rows(np.arange(len(data.y)))))
    network = Network([scan.known.encoding.width, 8, 3], random_state=0, activation="tanh")
    training = TrainingState({}, np.random.RandomState(0))
    how = {"max_iter": 8, "max_fun": 99, "tol": 1e-7, "regularization": Regularization(alpha=1e-2)}
    losses = [epoch.loss for epoch in train_lbfgs(network, ENGINE, data, training, **how)]
    assert np.allclose(run.losses, losses, rtol=1e-9)
    assert np.allclose(run.network.theta, network.theta, rtol=1e-6, atol=1e-8)


@pytest.mark.parametrize("scaled", [False, True])
@pytest.mark.parametrize("rule", [SGD(0.1, 0.9), Adam(0.02)], ids=["sgd", "adam"])
def test_local_sgd_with_one_shard_is_plain_sgd(tmp_path, found, rule, scaled):
    scan = found["one", True]
    factors = rate_factors([scan.known.encoding.width, 8, 3], rule, input_scale_rate=6.0 if scaled else None)
    how = {"rule": rule, "scaled": scaled, "rate_factors": factors, "local": 32}
    how["prepared"] = {"n_shards": 1, "steps": 3}
    with closing(Inside(1)) as workers:
        run = Run(scan, workers, tmp_path / "run", epochs=2, **how).finish()
        held, mean = workers.held[0], run.training.weight / run.training.rows
        network = Network([scan.known.encoding.width, 8, 3], random_state=0, dtype="float32", activation="tanh")
        state = init_scaled(rule, network) if scaled else rule.init(network.theta)
        steps = 0
        for epoch in range(2):
            for step in range(3):
                for portion in portions(held, 0, epoch, step):
                    data = gradients.some_rows(portion.data, "float32", None, mean)
                    count = -(-len(portion.rows) // 32)
                    ENGINE.epoch(
                        network, data, rule, state, order=np.arange(len(portion.rows)), batch_size=32,
                        rates=np.full(count, rule.learning_rate), regularization=Regularization(alpha=1e-2),
                        first_step=steps, rate_factors=factors,
                    )  # fmt: skip
                    steps += count
    assert run.network.theta.tobytes() == network.theta.tobytes()
    assert run.training.steps == steps
    for name, value in state.items():
        assert np.array_equal(run.training.state[name], value)


def test_the_scores_are_those_of_the_validation_rows_in_memory(tmp_path, found):
    scan = found["many", True]
    data = in_memory(scan, tmp_path)
    with closing(Inside(3)) as workers:
        run = Run(scan, workers, tmp_path / "run", epochs=1).finish()
        of_validation = score_on_workers(run.network, workers, run.rows, top=2)
        held_out = list(held_out_on_workers(run.network, workers, run.rows))
        totals = totals_on_workers(workers, run.rows)
    assert np.allclose(totals, np.bincount(data.y, data.weight), rtol=1e-14)
    weighed = Data(data.X, data.y, data.weight * CLASS_WEIGHT[data.y])
    numbers = np.flatnonzero(SPLIT.validation_rows(np.arange(len(data.y))))
    expected = score(run.network, ENGINE, weighed.rows(numbers), confusion=False)
    assert of_validation.metrics.rows == len(numbers)
    assert of_validation.metrics.log_loss == pytest.approx(expected.log_loss, rel=1e-6)
    assert of_validation.metrics.accuracy == pytest.approx(expected.accuracy, rel=1e-12)
    assert of_validation.metrics.accuracy < of_validation.top_accuracy <= 1
    rows = np.concatenate([found["rows"] for found in held_out])
    assert np.array_equal(rows, np.flatnonzero(SPLIT.held_out_rows(np.arange(len(data.y)))))
    P = run.network.predictions(data.X[rows])
    found = {name: np.concatenate([part[name] for part in held_out]) for name in held_out[0]}
    assert np.array_equal(found["y"], data.y[rows])
    assert np.array_equal(found["labels"][:, 0], P.argmax(axis=1))
    assert np.allclose(found["losses"], -np.log(P[np.arange(len(rows)), data.y[rows]]), rtol=1e-5)
    assert np.allclose(found["squares"], (P * P).sum(axis=1), rtol=1e-5)


def test_rows_held_out_come_some_at_a_time(tmp_path, found, monkeypatch):
    with closing(Inside(3)) as workers:
        run = Run(found["many", True], workers, tmp_path, epochs=1).finish()
        whole = list(held_out_on_workers(run.network, workers, run.rows))
        monkeypatch.setattr(scoring_, "ROWS_AT_ONCE", 128)
        parts = list(held_out_on_workers(run.network, workers, run.rows))
    assert len(whole) == 5
    assert len(parts) == 10
    assert max(len(part["rows"]) for part in parts) < max(len(part["rows"]) for part in whole)
    whole, parts = ({name: np.concatenate([p[name] for p in all_]) for name in whole[0]} for all_ in (whole, parts))
    order = np.argsort(parts["rows"])
    for name, values in whole.items():
        assert np.allclose(parts[name][order], values, rtol=1e-6)


@pytest.mark.parametrize("kind", ["adam", "local", "scaled"])
def test_a_run_that_is_stopped_after_any_step_goes_on_to_the_same_bits(tmp_path, found, kind, monkeypatch):
    monkeypatch.setattr(training_, "SAVE_SECONDS", 0.0)
    monkeypatch.setattr(training_, "TELL_SECONDS", 0.0)
    scan, how = found["three", True], KINDS[kind]
    with closing(Inside(2)) as workers:
        expected = Run(scan, workers, tmp_path / "run", **how).finish().bits()
        for stop in (1, 2, 5):
            path, turns = tmp_path / f"run {stop}", 0
            while turns < 30:
                left, turns = [stop], turns + 1

                def stopped(done, left=left):
                    left[0] -= 1
                    if not left[0]:
                        raise KeyboardInterrupt

                run = Run(scan, workers, tmp_path / "run", path, on_window=stopped, **how)
                try:
                    run.finish()
                    break
                except KeyboardInterrupt:
                    if stop == 1:  # it never comes further than the step after the checkpoint
                        run.checkpoint.save()
            assert run.bits() == expected, stop


@pytest.mark.parametrize(
    ("operation", "where"),
    [
        ("gradient", training_),
        pytest.param("validation", scoring_, marks=pytest.mark.slow),
        pytest.param("prepare", prepared_, marks=pytest.mark.slow),
    ],
)
def test_a_worker_that_is_killed_in_an_epoch_costs_no_bit(tmp_path, found, faults, operation, where, monkeypatch):
    scan = found["three", True]
    with closing(Inside(1)) as workers:
        expected = Run(scan, workers, tmp_path / "inside").finish().bits()
    monkeypatch.setattr(where, operation, getattr(faults, operation))
    monkeypatch.setenv("GLASSMAX_TEST_FOLDER", str(tmp_path))
    with closing(open_workers(WorkerSettings("processes", 2))) as workers:
        assert Run(scan, workers, tmp_path / "run").finish().bits() == expected
    assert sorted(path.name for path in tmp_path.glob("died *")) == ["died 1", "died 3"]


def test_a_loss_that_is_not_finite_is_an_error_and_the_last_good_weights_are_kept(tmp_path, found):
    scan = found["one", False]
    for how in ({"rule": SGD(1e38)}, {"rule": SGD(1e38), "local": 64}, {"rule": SGD(1e20, 0.9)}):
        with closing(Inside(2)) as workers:
            run = Run(scan, workers, tmp_path, **how)
            with pytest.raises(
                DivergenceError, match=r"^The loss is no longer finite in epoch \d, step \d+, at learning"
            ):
                run.finish()
        assert np.isfinite(run.network.theta).all()
        assert all(np.isfinite(value).all() for value in run.training.state.values())


def test_a_network_that_is_too_large_is_not_copied_before_each_step(tmp_path, found, monkeypatch):
    how, calls = {"rule": SGD(1e38), "dtype": "float32"}, []
    copy = training_.copy_state
    monkeypatch.setattr(training_, "copy_state", lambda *given: calls.append(given) or copy(*given))
    for most, said in ((None, r"last good weights are kept"), (10, r"too large to keep a copy of good weights")):
        if most:
            monkeypatch.setattr(training_, "MOST_KEPT", most)
        with closing(Inside(1)) as workers:
            run = Run(found["one", False], workers, tmp_path, **how)
            monkeypatch.setattr(training_, "take_step", lambda network, *_: network.theta.fill(np.inf))
            with pytest.raises(DivergenceError, match=said):
                run.finish()
        assert np.isfinite(run.network.theta).all() == (most is None)
    assert len(calls) == 1


def test_another_arithmetic_is_refused_in_words(tmp_path, found):
    class Other:
        arithmetic = "native (sse2)"

    with closing(Inside(1)) as workers:
        run = Run(found["one", False], workers, tmp_path, engine=Other())
        message = r"^A worker has the engine .*, but the driver has native \(sse2\): .* Set GLASSMAX_ISA"
        with pytest.raises(WorkerError, match=message):
            run.finish()


def test_rows_are_told_four_times_a_second_and_at_the_end(tmp_path, found, monkeypatch):
    told = []
    scan = found["one", False]
    with closing(Inside(1)) as workers:
        Run(scan, workers, tmp_path, on_window=told.append, epochs=1).finish()
    assert [(done.epoch, done.rows, done.of_rows) for done in told][0::len(told) - 1] == [
        (1, scan.known.rows // 4, scan.known.rows), (1, scan.known.rows, scan.known.rows)
    ]  # fmt: skip
    assert told[-1].rows_here == scan.known.rows


def test_steps_that_have_no_row_to_train_on_change_nothing(tmp_path, found):
    with closing(Inside(1)) as workers:
        how = {"n_shards": 2, "steps": 40, "split": Split(5, 0.98)}
        run = Run(found["one", False], workers, tmp_path, prepared=how, epochs=1).finish()
    assert run.training.rows == run.rows.training.sum() < 40
    assert run.training.steps <= run.training.rows


def test_very_wide_rows_come_in_windows_of_few_blocks(tmp_path, found, monkeypatch):
    monkeypatch.setattr(Layout, "window_blocks", property(lambda self: 2))
    with closing(Inside(1)) as one, closing(Inside(3)) as three:
        first, second = (Run(found["one", True], workers, tmp_path, epochs=2).finish() for workers in (one, three))
    assert first.bits() == second.bits()


DRIVER = """
    import os, signal, sys
    from contextlib import closing
    from pathlib import Path
    from glassmax.distributed import WorkerSettings, open_workers
    from glassmax.distributed import training
    from tests.distributed.rows import Scan
    from tests.distributed.test_training import Run

    data, folder, path, stop, kind = sys.argv[1:]
    training.SAVE_SECONDS = training.TELL_SECONDS = 0.0
    left = int(stop)

    def told(done):
        global left
        left -= 1
        if not left:
            os.kill(os.getpid(), signal.SIGKILL)

    with closing(open_workers(WorkerSettings("processes", 2))) as workers:
        print(*[worker.process.pid for worker in workers._workers], flush=True)
        from tests.distributed.test_training import KINDS
        Run(Scan(data, "w"), workers, Path(folder), Path(path), on_window=told, **KINDS[kind]).finish()
"""


@pytest.mark.parametrize(
    ("kind", "stop"),
    [
        ("adam", 7),
        pytest.param("adam", 2, marks=pytest.mark.slow),
        pytest.param("local", 2, marks=pytest.mark.slow),
        pytest.param("local", 7, marks=pytest.mark.slow),
    ],
)
def test_a_driver_that_is_killed_goes_on_to_the_same_bits(tmp_path, found, faults, kind, stop):
    scan = found["three", True]
    with closing(Inside(1)) as workers:
        expected = Run(scan, workers, tmp_path / "inside", **KINDS[kind]).finish().bits()
    path, folder = tmp_path / "checkpoint", tmp_path / "run"
    arguments = [str(scan.folder), str(folder), str(path), str(stop), kind]
    done = subprocess.run(
        [sys.executable, "-c", textwrap.dedent(DRIVER), *arguments], capture_output=True, text=True, check=False
    )
    assert done.returncode == -signal.SIGKILL, done.stderr
    assert path.exists()
    with closing(Inside(3)) as workers:
        run = Run(scan, workers, folder, path, **KINDS[kind])
        assert run.training.epochs or run.position.window
        assert run.finish().bits() == expected
    for pid in map(int, done.stdout.split()):
        while is_running(pid):  # until the limit of the test
            pass
