"""The native engine in processes that count threads, are interrupted, end, fork and are killed."""

import multiprocessing
import os
import signal
import subprocess
import sys
import textwrap
import threading

import numpy as np
import pytest

from glassmax import Network
from glassmax.engine import Data
from glassmax.optimizers import SGD, Adam
from tests.engine.test_native import NativeEngine
from tests.engine.test_native_threads import BIG, NOTHING, X, Y, assert_same_bits, fitted, switching_after, train

pytestmark = pytest.mark.filterwarnings("ignore::sklearn.exceptions.ConvergenceWarning")

forks = pytest.mark.skipif(not hasattr(os, "fork"), reason="this system doesn't fork")


# signals


class Endless:
    """An epoch of some minutes, begun so that a thread that waits for `begun` runs in the middle of it or never."""

    def __init__(self, rule, n_threads, **how):
        self.network, self.data, self.rule, self.how = Network((64, 256, 256, 10)), Data(X[:1], Y[:1]), rule, how
        self.state, self.engine, self.begun = rule.init(self.network.theta), NativeEngine(n_threads), threading.Event()
        self.epoch(64)  # the rows have been checked, and NumPy has no more work of its own

    def epoch(self, rows):
        how = {"batch_size": 64, "regularization": NOTHING, "first_step": 0, **self.how}
        order, rates = np.zeros(rows, np.int64), np.full(rows, 1e-6)
        with switching_after(1e3):
            self.begun.set()
            self.engine.epoch(self.network, self.data, self.rule, self.state, order=order, rates=rates, **how)

    def interrupted_by(self, act):
        """Have another thread act in the middle of the epoch."""
        self.begun.clear()

        def wait_and_act():
            self.begun.wait()
            act()

        other = threading.Thread(target=wait_and_act)
        other.start()
        try:
            with pytest.raises(KeyboardInterrupt) as caught:
                self.epoch(5_000_000)
        finally:
            self.begun.set()
            other.join()
        assert "native.py" in {entry.path.name for entry in caught.traceback}


def interrupt():
    signal.pthread_kill(threading.main_thread().ident, signal.SIGINT)


@pytest.mark.parametrize("n_threads", [1, 2])
@pytest.mark.parametrize(
    ("rule", "how"), [(SGD(0.1), {}), (Adam(0.1), {"batch_size": 5_000_000})], ids=["steps", "one step"]
)
def test_an_interrupted_epoch_leaves_weights_and_state_alone_and_other_threads_run_meanwhile(rule, how, n_threads):
    endless = Endless(rule, n_threads, **how)
    before = [endless.network.theta.copy(), *map(np.copy, endless.state.values())]
    endless.interrupted_by(interrupt)
    assert_same_bits([endless.network.theta, *endless.state.values()], before)
    endless.epoch(64)
    assert (endless.network.theta != before[0]).any()
    assert_same_bits(train(endless.engine, SGD(0.1)), train(NativeEngine(1), SGD(0.1)))


def test_a_signals_handler_may_call_the_engine_in_the_middle_of_an_epoch():
    endless, seen, network = Endless(SGD(0.1), 2), [], Network(BIG)
    alone = [train(NativeEngine(1), SGD(0.1)), [endless.engine.logits(network, X)]]

    def handler(*_):
        seen.extend([train(NativeEngine(2), SGD(0.1)), [endless.engine.logits(network, X)]])
        raise KeyboardInterrupt

    before = signal.signal(signal.SIGTERM, handler)
    try:
        endless.interrupted_by(lambda: signal.pthread_kill(threading.main_thread().ident, signal.SIGTERM))
    finally:
        signal.signal(signal.SIGTERM, before)
    for one, other in zip(seen, alone, strict=True):
        assert_same_bits(one, other)


# processes

PROGRAM = """
import os, threading
import numpy as np
from glassmax import Network
from glassmax.engine import Data, Regularization
from glassmax.engine.native import NativeEngine
from glassmax.optimizers import SGD

def epoch(n_threads, batch_size, rows, times=1):
    network, rule = Network((64, 128, 10)), SGD(0.1)
    data, state = Data(np.zeros((1, 64)), np.zeros(1, int)), rule.init(network.theta)
    how = {"batch_size": batch_size, "regularization": Regularization(), "first_step": 0}
    order, rates = np.zeros(rows, np.int64), np.full(rows, 1e-6)
    engine = NativeEngine(n_threads)
    for _ in range(times):
        engine.epoch(network, data, rule, state, order=order, rates=rates, **how)
"""


def run(program):
    """Return the exit code of a program in a process of its own, and what it printed."""
    environment = {name: value for name, value in os.environ.items() if name != "GLASSMAX_NUM_THREADS"}
    program = PROGRAM + textwrap.dedent(program)
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, env=environment)
    return done.returncode, done.stdout + done.stderr


@pytest.mark.skipif(not os.path.isdir("/proc/self/task"), reason="threads are counted in /proc")
def test_helpers_are_called_where_the_work_is_worth_them():
    program = """
        before = len(os.listdir("/proc/self/task"))
        for n_threads, batch_size in ((1, 256), (4, 1), (2, 256), (4, 256)):
            epoch(n_threads, batch_size, 700)
            print(len(os.listdir("/proc/self/task")) - before, end=" ")
    """
    assert run(program) == (0, "0 0 1 3 ")


@pytest.mark.skipif(not hasattr(os, "sched_setaffinity"), reason="no thread can be kept from a processor")
def test_there_are_as_many_threads_as_processors_that_the_process_may_use():
    program = """
        os.sched_setaffinity(0, {min(os.sched_getaffinity(0))})
        print(NativeEngine().n_threads)
    """
    assert run(program) == (0, "1\n")


@pytest.mark.parametrize("n_threads", [1, 2])
@pytest.mark.parametrize(("rows", "times"), [(64, 10**9), (5_000_000, 1)], ids=["short epochs", "a long epoch"])
def test_a_process_may_end_while_a_thread_of_it_trains(rows, times, n_threads):
    program = f"""
        begun = threading.Event()
        training = threading.Thread(target=lambda: (begun.set(), epoch({n_threads}, 64, {rows}, {times})), daemon=True)
        training.start()
        begun.wait()
        epoch(1, 64, 7000)
    """
    assert run(program) == (0, "")


def child(connection):
    connection.send(train(NativeEngine(2), SGD(0.1)))


def assert_a_child_trains_the_same():
    alone = train(NativeEngine(2), SGD(0.1))
    here, there = multiprocessing.Pipe()
    process = multiprocessing.get_context("fork").Process(target=child, args=[there])
    process.start()
    try:
        assert here.poll(60), "the child doesn't answer"
        assert_same_bits(here.recv(), alone)
    finally:
        process.kill()
        process.join()
    assert_same_bits(train(NativeEngine(2), SGD(0.1)), alone)


@forks
@pytest.mark.filterwarnings("ignore:.*fork:DeprecationWarning")
def test_a_child_of_a_process_that_has_trained_trains_too():
    assert_a_child_trains_the_same()


@forks
@pytest.mark.filterwarnings("ignore:.*fork:DeprecationWarning")
def test_a_child_of_a_process_in_the_middle_of_an_epoch_trains_too():
    def fork_and_interrupt():
        try:
            assert_a_child_trains_the_same()
            fine.append(True)
        finally:
            interrupt()

    fine = []
    Endless(SGD(0.1), 2).interrupted_by(fork_and_interrupt)
    assert fine


def test_a_killed_run_goes_on_to_the_bits_of_one_that_was_not(tmp_path):
    path = tmp_path / "run.checkpoint"
    program = f"""
        from sklearn.datasets import load_digits
        from glassmax import SoftmaxClassifier
        digits, figures = load_digits(return_X_y=True)
        classifier = SoftmaxClassifier((48,), max_iter=9, random_state=0, dropout=0.1, n_threads=2,
                                       checkpoint_path={str(path)!r})
        for epoch in classifier.fit_epochs(digits / 16, figures):
            print(epoch.number, flush=True)
            if epoch.number == 8:
                sys.stdin.read()
    """
    options = {"stdin": subprocess.PIPE, "stdout": subprocess.PIPE, "text": True}
    with subprocess.Popen([sys.executable, "-c", "import sys\n" + textwrap.dedent(program)], **options) as process:
        for line in process.stdout:
            if line == "3\n":
                process.kill()  # wherever it stands by now
    assert process.returncode == -signal.SIGKILL
    resumed = fitted(n_threads=1, checkpoint_path=path, max_iter=9)
    whole = fitted(max_iter=9)
    np.testing.assert_array_equal(resumed.network_.theta, whole.network_.theta)
    assert resumed.loss_curve_ == whole.loss_curve_
