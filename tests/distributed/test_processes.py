"""Workers that are processes: order, deaths, limits, errors in words, and nothing left behind."""

import os
import signal
import subprocess
import sys
import textwrap
from contextlib import closing

import numpy as np
import pytest

from glassmax.distributed import Message, WorkerSettings, open_workers
from glassmax.errors import DataError, WorkerError

from .pids import is_running

NOTHING = Message({}, {})


@pytest.fixture(scope="module")
def workers(faults):
    with closing(open_workers(WorkerSettings("processes", 2))) as workers:
        yield workers


def pids(workers):
    return [worker.process.pid for worker in workers._workers]


@pytest.fixture(scope="module")
def expected(faults, workers):
    return workers.sum_in_order(faults.tenths, 11, NOTHING)["sum"].tobytes()


@pytest.mark.parametrize("count", [1, 3])
def test_a_sum_has_the_same_bits_for_any_number_of_workers(faults, expected, count):
    with closing(open_workers(WorkerSettings("processes", count))) as workers:
        assert workers.n_workers == count
        assert workers.sum_in_order(faults.tenths, 11, NOTHING)["sum"].tobytes() == expected


def test_the_test_would_notice_another_order_of_the_sum(expected):
    parts = [(shard + 1) * np.array([0.1, 1e8, 1e-8]) for shard in range(11)]
    assert sum(parts).tobytes() != expected


def test_shards_come_in_the_order_in_which_they_were_asked_for(faults, workers):
    found = [message.manifest["shard"] for message in workers.map_shards(faults.tenths, [5, 2, 9, 3, 4], NOTHING)]
    assert found == [5, 2, 9, 3, 4]
    assert list(workers.map_shards(faults.tenths, [], NOTHING)) == []
    assert [message.manifest["shard"] for message in workers.map_shards(faults.tenths, [7], NOTHING)] == [7]


@pytest.mark.parametrize("n", [1, 4, 5, 23])
def test_results_that_come_too_early_are_few(faults, workers, n, tmp_path):
    call = Message({"folder": str(tmp_path), "shards": n}, {})
    answers = workers.map_shards(faults.waits_for_later, range(n), call)
    ahead = [sum(int(mark.name) > shard for mark in tmp_path.iterdir()) for shard, _ in enumerate(answers)]
    assert len(ahead) == n
    assert max(ahead) <= 2 * workers.n_workers
    assert sorted(int(mark.name) for mark in tmp_path.iterdir()) == list(range(n))


def test_workers_know_what_was_broadcast_last_and_a_new_worker_too(faults, workers, tmp_path):
    call = Message({"folder": str(tmp_path), "shards": [0, 1, 2, 3]}, {"x": np.arange(3, dtype=np.float32)})
    for number in range(2):
        workers.broadcast(Message({"number": number}, {}))
        found = list(workers.map_shards(faults.echo, range(4), call))
        assert [message.manifest["broadcast"] for message in found] == [{"number": number}] * 4
        assert found[0].arrays["x"].tolist() == [0.0, 1.0, 2.0]
    before = pids(workers)
    list(workers.map_shards(faults.dies_once, range(4), call))
    assert not set(before) & set(pids(workers))
    found = list(workers.map_shards(faults.echo, range(4), call))
    assert [message.manifest["broadcast"] for message in found] == [{"number": 1}] * 4


def test_only_a_worker_that_goes_on_is_replaced_where_nobody_wants_its_answer(faults, workers):
    list(workers.map_shards(faults.tenths, range(4), NOTHING))
    before = pids(workers)
    answers = workers.map_shards(faults.tenths, range(4), NOTHING)
    next(answers)
    answers.close()
    assert pids(workers) == before
    answers = workers.map_shards(faults.hangs, [3, 2, 4], NOTHING)
    next(answers)
    answers.close()
    assert len({*before} & {*pids(workers)}) == 1
    assert [message.manifest["shard"] for message in workers.map_shards(faults.tenths, range(3), NOTHING)] == [0, 1, 2]


def test_an_array_that_changes_after_it_was_broadcast_is_sent_as_it_was(faults, workers):
    x = np.zeros(2)
    workers.broadcast(Message({}, {"x": x}))
    x[:] = 1
    assert Message.of_bytes(b"".join(workers._broadcast)[8 + 64 + 8 :]).arrays["x"].tolist() == [0.0, 0.0]


@pytest.mark.parametrize("dying", [[0], [4], [10], [0, 5], [2, 3, 7]])
def test_a_worker_that_is_killed_costs_no_bit(faults, workers, expected, tmp_path, dying):
    call = Message({"folder": str(tmp_path), "shards": dying}, {})
    assert workers.sum_in_order(faults.dies_once, 11, call)["sum"].tobytes() == expected
    assert sorted(map(int, os.listdir(tmp_path))) == dying


def test_a_worker_that_was_killed_between_two_calls_is_replaced(faults, workers, expected):
    for pid in pids(workers):
        os.kill(pid, signal.SIGKILL)
    assert workers.sum_in_order(faults.tenths, 11, NOTHING)["sum"].tobytes() == expected


def test_a_shard_on_which_three_workers_die_is_named(faults, workers, expected):
    with pytest.raises(
        WorkerError,
        match=r"^3 workers have died at shard 4 \(dies always\); the last one was worker [12] \(process \d+\), which "
        r"ended by signal SIGKILL\. The machine may have run out of memory: use fewer workers on a machine, or smaller "
        "batches.$",
    ):
        workers.sum_in_order(faults.dies_always, 11, NOTHING)
    with pytest.raises(WorkerError, match=r"^3 workers have died at shard 4"):
        list(workers.map_shards(faults.dies_always, range(11), NOTHING))
    assert workers.sum_in_order(faults.tenths, 11, NOTHING)["sum"].tobytes() == expected


def test_the_words_of_a_worker_that_ends_itself_are_told(faults, workers):
    with pytest.raises(WorkerError, match="with exit status 3 and these words: no room in the test") as caught:
        list(workers.map_shards(faults.exits, [0], NOTHING))
    assert "memory" not in str(caught.value)


def test_a_worker_that_hangs_is_an_error_after_the_limit_and_nothing_is_left(faults):
    with closing(open_workers(WorkerSettings("processes", 2, wait_limit=0.5))) as workers:
        before = pids(workers)
        with pytest.raises(
            WorkerError,
            match=r"^Worker 1 \(process \d+\) has not answered for 0.5 seconds at shards 1 to 3 \(hangs\)\. "
            "If the work needs more time, increase wait_limit.$",
        ):
            workers.sum_in_order(faults.hangs, 6, NOTHING)
        assert not is_running(before[0])
        if os.name == "posix":
            os.kill(pids(workers)[1], signal.SIGSTOP)
            large = Message({}, {"x": np.zeros(10**6)})
            with pytest.raises(WorkerError, match=r"^Worker [12] .* has not answered"):
                workers.sum_in_order(faults.tenths, 6, large)
        last = pids(workers)
    assert not any(map(is_running, last))


def test_an_error_of_an_operation_travels_in_its_own_words(faults, workers, expected):
    for run in (workers.sum_in_order, lambda *call: list(workers.map_shards(call[0], range(call[1]), call[2]))):
        with pytest.raises(DataError, match=r"^x.csv, row 3: 'a' is odd. Leave it out with ignore=\['a'\].$") as caught:
            run(faults.complains, 6, NOTHING)
        assert caught.value.pieces[-2].value == ["a"]
        message = r"^Worker . \(process \d+\) has failed at .*: KeyError: 'gradient'\."
        with pytest.raises(WorkerError, match=message) as caught:
            run(faults.stumbles, 6, NOTHING)
        assert 'raise KeyError("gradient")' in caught.value.__notes__[0]
        with pytest.raises(WorkerError, match="has run out of memory at shard"):
            run(faults.is_full, 6, NOTHING)
    assert workers.sum_in_order(faults.tenths, 11, NOTHING)["sum"].tobytes() == expected


def test_an_operation_that_says_that_it_goes_on_is_not_taken_to_have_ended(faults, workers, expected):
    assert workers.sum_in_order(faults.alive, 11, NOTHING)["sum"].tobytes() == expected


def test_what_a_worker_prints_disturbs_nothing(faults, workers, expected, capfd):
    assert workers.sum_in_order(faults.prints, 11, NOTHING)["sum"].tobytes() == expected
    assert capfd.readouterr() == ("", "")


def test_a_generator_that_is_not_taken_to_its_end_leaves_workers_that_work(faults, workers, expected):
    stream = workers.map_shards(faults.tenths, range(50), NOTHING)
    next(stream)
    stream.close()
    assert workers.sum_in_order(faults.tenths, 11, NOTHING)["sum"].tobytes() == expected


def test_an_operation_of_another_package_is_refused(workers):
    with pytest.raises(WorkerError, match="ValueError: 'os:getpid' is not an operation of glassmax"):
        list(workers.map_shards(_named("os", "getpid"), [0], NOTHING))
    with pytest.raises(WorkerError, match="is not an operation of glassmax"):
        list(workers.map_shards(_named("glassmax.files", "os.remove"), [0], NOTHING))


def _named(module, name):
    def operation(held, shard, call):
        raise AssertionError

    operation.__module__, operation.__qualname__ = module, name
    return operation


DRIVER = """
    import sys
    from importlib import import_module
    import sitecustomize
    from glassmax.distributed import Message, WorkerSettings, open_workers

    faults = import_module("glassmax.faults")
    workers = open_workers(WorkerSettings("processes", 2))
    print(*[worker.process.pid for worker in workers._workers], flush=True)
    workers.sum_in_order(faults.hangs, 6, Message({}, {}))
"""


def test_a_driver_that_is_killed_leaves_no_worker(faults):
    driver = subprocess.Popen([sys.executable, "-c", textwrap.dedent(DRIVER)], stdout=subprocess.PIPE, text=True)
    started = [int(pid) for pid in driver.stdout.readline().split()]
    assert len(started) == 2
    driver.kill()
    driver.wait()
    driver.stdout.close()
    for pid in started:
        while is_running(pid):  # until the limit of the test
            pass


def test_a_worker_that_cant_start_is_told_in_words(faults, monkeypatch):
    monkeypatch.setattr(sys, "executable", "/no/such/python")
    with pytest.raises(WorkerError, match=r"^Worker 1 can't be started: No such file or directory. Lower n_workers.$"):
        open_workers(WorkerSettings("processes", 2))
