"""Workers that are tasks of Ray: the same bits as processes, deaths, limits, errors in words, nothing left behind."""

import os
import re
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import textwrap
import threading
import time
from collections import deque
from contextlib import ExitStack, closing
from importlib.util import find_spec
from pathlib import Path
from types import SimpleNamespace

import numpy as np
import pytest

from glassmax.distributed import Message, WorkerSettings, open_workers
from glassmax.distributed.ordered_sum import PartialSum, summed
from glassmax.distributed.ray import cluster, deaths, places, tasks, watch
from glassmax.distributed.ray.quiet import Notices
from glassmax.distributed.ray.workers import RayWorkers, _taken, _Task
from glassmax.errors import DataError, OptionError, WorkerError

NOTHING = Message({}, {})
REQUIRED = os.environ.get("GLASSMAX_MACHINE_TESTS") == "required"
there = pytest.mark.skipif(
    find_spec("ray") is None and not REQUIRED, reason="Ray is not installed: pip install 'glassmax[ray]'"
)
pytestmark = [  # Ray leaves files and processes to the garbage collector
    pytest.mark.filterwarnings("ignore::ResourceWarning"),
    pytest.mark.filterwarnings("ignore::pytest.PytestUnraisableExceptionWarning"),
]


def slow(test):
    return pytest.mark.slow(there(test))


@pytest.fixture(scope="module")
def workers(faults):
    """Return two workers on a cluster of our own with room for four; it takes some seconds to start."""
    os.environ.pop("RAY_ADDRESS", None)
    with closing(open_workers(WorkerSettings("ray", 4, "local", wait_limit=60.0))) as workers:
        workers.n_workers = 2
        yield workers


@pytest.fixture(scope="module")
def expected():
    return summed(PartialSum(i, 0, {"sum": (i + 1) * np.array([0.1, 1e8, 1e-8])}) for i in range(11))["sum"].tobytes()


@slow
@pytest.mark.parametrize("count", [1, 2, 3, 4])
def test_a_sum_has_the_bits_of_the_tree_for_any_number_of_workers(faults, workers, expected, count):
    with closing(open_workers(WorkerSettings("ray", count))) as some:
        assert some.n_workers == count
        assert some.sum_in_order(faults.tenths, 11, NOTHING)["sum"].tobytes() == expected
    assert workers.sum_in_order(faults.tenths, 11, NOTHING)["sum"].tobytes() == expected


@slow
def test_a_sum_has_the_bits_of_processes(faults, workers):
    with closing(open_workers(WorkerSettings("processes", 2))) as processes:
        for n_shards in (1, 2, 7, 40):
            by_ray = workers.sum_in_order(faults.tenths, n_shards, NOTHING)["sum"]
            assert by_ray.tobytes() == processes.sum_in_order(faults.tenths, n_shards, NOTHING)["sum"].tobytes()


@slow
def test_shards_come_in_the_order_in_which_they_were_asked_for(faults, workers):
    found = [message.manifest for message in workers.map_shards(faults.tenths, [5, 2, 9, 3, 4, 8], NOTHING)]
    assert [manifest["shard"] for manifest in found] == [5, 2, 9, 3, 4, 8]
    assert all(manifest["pid"] != os.getpid() and set(manifest) == {"shard", "pid"} for manifest in found)
    assert list(workers.map_shards(faults.tenths, [], NOTHING)) == []


@slow
def test_workers_know_what_was_broadcast_last_and_a_new_worker_too(faults, workers, tmp_path):
    call = Message({"folder": str(tmp_path), "shards": [0, 1]}, {"x": np.arange(3, dtype=np.float32)})
    for number in range(2):
        array = np.full(2, number)
        workers.broadcast(Message({"number": number}, {"a": array}))
        array[:] = 7  # what is broadcast is what it was then
        found = list(workers.map_shards(faults.echo, range(4), call))
        assert [message.manifest["broadcast"] for message in found] == [{"number": number}] * 4
        assert found[0].arrays["x"].tolist() == [0.0, 1.0, 2.0]
    list(workers.map_shards(faults.dies_once, range(2), call))
    found = list(workers.map_shards(faults.echo, range(4), call))
    assert [message.manifest["broadcast"] for message in found] == [{"number": 1}] * 4


@slow
@pytest.mark.parametrize("dying", [[0], [10], [2, 7]])
def test_a_worker_that_is_killed_costs_no_bit_and_no_word(faults, workers, expected, tmp_path, capfd, dying):
    call = Message({"folder": str(tmp_path), "shards": dying}, {})
    assert workers.sum_in_order(faults.dies_once, 11, call)["sum"].tobytes() == expected
    assert sorted(map(int, os.listdir(tmp_path))) == dying
    assert capfd.readouterr() == ("", "")


@slow
def test_a_shard_on_which_three_workers_die_is_named(faults, workers, expected):
    with pytest.raises(
        WorkerError,
        match=r"^3 workers have died at shard 4 \(dies always\); the last one was the worker on 127\.0\.0\.1 "
        r"\(process \d+\), which ended by SIGKILL, a crash or an exit\. The machine may have run out of memory: use "
        "fewer workers ",
    ):
        list(workers.map_shards(faults.dies_always, [3], NOTHING))
    with pytest.raises(WorkerError, match="3 workers have died at shard 1 ") as caught:
        list(workers.map_shards(faults.exits, [0], NOTHING))
    assert "no room in the test" in caught.value.__notes__[0]
    assert workers.sum_in_order(faults.tenths, 11, NOTHING)["sum"].tobytes() == expected


@slow
def test_an_error_of_an_operation_travels_in_its_own_words(faults, workers, expected):
    with pytest.raises(DataError, match=r"^x.csv, row 3: 'a' is odd. Leave it out with ignore=\['a'\].$") as caught:
        workers.sum_in_order(faults.complains, 6, NOTHING)
    assert caught.value.pieces[-2].value == ["a"]
    where = rf"^The worker on {re.escape(socket.gethostname())} \(process \d+\)"
    with pytest.raises(
        WorkerError, match=rf"{where} has failed at shards 1 to 3 \(stumbles\): KeyError: 'gr.*'\."
    ) as caught:
        workers.sum_in_order(faults.stumbles, 6, NOTHING)
    assert 'raise KeyError("gradient")' in caught.value.__notes__[0]
    with pytest.raises(WorkerError, match=rf"{where} has run out of memory at shard [12] "):
        list(workers.map_shards(faults.is_full, range(2), NOTHING))
    assert workers.sum_in_order(faults.tenths, 11, NOTHING)["sum"].tobytes() == expected


@slow
def test_a_worker_that_hangs_is_an_error_after_the_limit_and_is_ended(faults, workers, expected):
    with closing(open_workers(WorkerSettings("ray", 4, wait_limit=1.5))) as some:
        where = r"^The worker on \S+ \(process \d+\)"
        words = where + r" has not answered for 1.5 seconds at shards \d to 3 \(hangs\)\. If the work needs more time, "
        with pytest.raises(WorkerError, match=words):
            some.sum_in_order(faults.hangs, 6, NOTHING)
    for _ in range(3):  # four tasks at a time find room again
        assert workers.sum_in_order(faults.tenths, 11, NOTHING)["sum"].tobytes() == expected


@slow
def test_resources_that_no_machine_has_are_named_after_the_limit(faults, workers):
    settings = WorkerSettings("ray", 2, resources={"CPU": 1, "large": 2}, wait_limit=1.0)
    words = (
        r"^No machine of the cluster has 2 of 'large', which shard 1 \(tenths\) needs; the cluster has 4 CPU, .*Lower "
    )
    with closing(open_workers(settings)) as some, pytest.raises(WorkerError, match=words):
        some.sum_in_order(faults.tenths, 2, NOTHING)


@slow
def test_resources_that_ray_refuses_are_an_error_of_the_option(faults, workers):
    with pytest.raises(
        OptionError, match=r"^resources is \{'CPU': 1e-05\}, expected amounts that Ray can reserve\. The pre"
    ):
        open_workers(WorkerSettings("ray", 2, resources={"CPU": 1e-5}))
    with (
        closing(open_workers(WorkerSettings("ray", 2, resources={"GPU": 1.5}))) as some,
        pytest.raises(OptionError, match=r"^resources is \{'GPU': 1.5\}, expected amounts that Ray can reserve\. "),
    ):
        some.sum_in_order(faults.tenths, 2, NOTHING)


@slow
def test_what_a_worker_prints_disturbs_nothing(faults, workers, expected, capfd):
    assert workers.sum_in_order(faults.prints, 11, NOTHING)["sum"].tobytes() == expected
    assert capfd.readouterr() == ("", "")


@slow
def test_a_generator_that_is_not_taken_to_its_end_leaves_workers_that_work(faults, workers, expected):
    stream = workers.map_shards(faults.tenths, range(50), NOTHING)
    next(stream)
    stream.close()
    assert workers.sum_in_order(faults.tenths, 11, NOTHING)["sum"].tobytes() == expected


@slow
def test_another_version_of_glassmax_is_refused_by_the_worker(faults, workers, monkeypatch):
    monkeypatch.setattr("glassmax.distributed.ray.workers.__version__", "0.0.1")
    with pytest.raises(
        WorkerError, match=r" has glassmax \S+, expected 0\.0\.1, the driver's version\. Install the same"
    ):
        workers.sum_in_order(faults.tenths, 2, NOTHING)


@slow
def test_another_cluster_than_that_of_this_program_is_refused(workers):
    with pytest.raises(
        OptionError, match=r"^address is '10\.0\.0\.1:6379', expected None, because this program has already connected"
    ):
        open_workers(WorkerSettings("ray", 2, "10.0.0.1:6379"))


@slow
@pytest.mark.skipif(not Path("/proc/net/tcp").exists(), reason="listening sockets are read as Linux shows them")
def test_a_cluster_of_ours_listens_on_loopback_only(workers):
    ports = {}
    for name in ("tcp", "tcp6"):
        for line in Path(f"/proc/net/{name}").read_text().splitlines()[1:]:
            fields = line.split()
            if fields[3] == "0A":
                ports[fields[9]] = fields[1].rpartition(":")[0]
    folder = _folder(workers)
    found = []
    for pid in [*watch._belonging(folder), os.getpid()]:
        for link in Path(f"/proc/{pid}/fd").iterdir():
            inode = re.match(r"socket:\[(\d+)\]", os.readlink(link)) if link.is_symlink() else None
            if inode and inode[1] in ports:
                found.append(ports[inode[1]])
    assert len(found) >= 4
    assert set(found) <= {"0100007F", "0000000000000000FFFF00000100007F", "00000000000000000000000001000000"}


def _folder(workers):
    import ray

    return str(Path(ray._private.worker._global_node.get_session_dir_path()).parent)


SCRIPT = """
    import faulthandler, logging, os, signal, sys
    from importlib import import_module
    from contextlib import closing
    import sitecustomize
    from glassmax.distributed import Message, WorkerSettings, open_workers

    faults = import_module("glassmax.faults")

    def state():
        logger = logging.getLogger("ray")
        return (
            dict(os.environ), signal.getsignal(signal.SIGTERM), signal.getsignal(signal.SIGINT), os.getpgrp(),
            faulthandler.is_enabled(), logger.handlers[:], logger.level, logger.propagate,
        )
"""


def run(script, faults, **environment):
    return subprocess.run(
        [sys.executable, "-c", textwrap.dedent(SCRIPT) + textwrap.dedent(script)],
        capture_output=True, text=True, timeout=120, env={**os.environ, **environment},
    )  # fmt: skip


@slow
def test_a_cluster_of_ours_is_quiet_and_leaves_the_process_and_the_machine_as_they_were(faults, tmp_path):
    script = """
        import ray
        before = state()
        workers = open_workers(WorkerSettings("ray", 1))
        opened, folder = state(), workers._notices.folder
        assert os.path.isdir(folder)
        assert opened[:5] == before[:5], [(a, b) for a, b in zip(opened, before) if a != b]
        call = Message({"folder": sys.argv[-1], "shards": [0]}, {})
        list(workers.map_shards(faults.dies_once, range(2), call))
        workers.close()
        workers.close()
        assert state() == before
        assert not ray.is_initialized()
        assert not os.path.exists(folder)
        with closing(open_workers(WorkerSettings("ray", 1))) as workers:  # once more in the same process
            list(workers.map_shards(faults.tenths, range(2), call))
    """
    home, temporary = tmp_path / "home", tmp_path / "temporary"
    home.mkdir()
    temporary.mkdir()
    script = textwrap.dedent(script).replace("sys.argv[-1]", repr(str(tmp_path)))
    done = run(script, faults, HOME=str(home), TMPDIR=str(temporary))
    assert (done.returncode, done.stdout, done.stderr) == (0, "", "")
    assert list(home.iterdir()) == list(temporary.iterdir()) == []


@slow
def test_a_worker_that_is_ended_for_its_memory_three_times_is_an_error(faults):
    script = """
        with closing(open_workers(WorkerSettings("ray", 1, wait_limit=100.0))) as workers:
            try:
                workers.sum_in_order(faults.hangs, 3, Message({}, {}))
            except Exception as error:
                print(type(error).__name__, error)
    """
    done = run(script, faults, RAY_memory_usage_threshold="0.0001", RAY_memory_monitor_refresh_ms="100")
    assert done.stderr == ""
    assert re.fullmatch(
        r"WorkerError 127\.0\.0\.1 has repeatedly run out of memory at shards 1 to 3 \(hangs\): \S+ of \S+ "
        r"are in use\. Use fewer workers on a machine, or smaller batches\.\n",
        done.stdout,
    )


@slow
def test_a_cluster_of_the_user_stays_when_workers_are_closed(faults):
    script = """
        import ray
        ray.init(address="local", num_cpus=1, include_dashboard=False, log_to_driver=False, logging_level="ERROR")
        try:
            with closing(open_workers(WorkerSettings("ray", 1))) as workers:
                list(workers.map_shards(faults.tenths, range(2), Message({}, {})))
            assert ray.is_initialized()
            assert ray.get(ray.put(3)) == 3
        finally:
            ray.shutdown()
    """
    done = run(script, faults, RAY_AUTH_TOKEN="0" * 64)
    assert (done.returncode, done.stdout) == (0, "")


@slow
def test_a_machine_that_dies_and_one_that_is_new_cost_no_bit(faults):
    script = """
        from ray.cluster_utils import Cluster

        os.environ["RAY_AUTH_MODE"] = "disabled"
        cluster = Cluster(initialize_head=True, head_node_args={"num_cpus": 2, "include_dashboard": False})
        second = cluster.add_node(num_cpus=2)
        os.environ.pop("RAY_ADDRESS", None)
        nothing, bits = Message({}, {}), []
        with closing(open_workers(WorkerSettings("ray", None, cluster.address, wait_limit=60.0))) as workers:
            assert workers.n_workers == 4
            pids = {message.manifest["pid"] for message in workers.map_shards(faults.tenths, range(12), nothing)}
            assert len(pids) > 2, pids
            for number in range(3):
                bits.append(workers.sum_in_order(faults.slow_tenths, 64, nothing)["sum"].tobytes())
                if not number:
                    import threading
                    threading.Timer(0.1, lambda: cluster.remove_node(second, allow_graceful=False)).start()
            third = cluster.add_node(num_cpus=3)
            workers._places._read = -100.0
            bits.append(workers.sum_in_order(faults.tenths, 64, nothing)["sum"].tobytes())
            assert len(set(workers._places._slots)) == 2
        cluster.shutdown()
        assert len(set(bits)) == 1
    """
    folder = tempfile.mkdtemp(prefix="ray-", dir="/tmp")
    try:
        done = run(script, faults, RAY_TMPDIR=folder)
    finally:
        shutil.rmtree(folder, ignore_errors=True)
    assert (done.returncode, done.stderr) == (0, "")


@slow
def test_a_driver_that_is_killed_leaves_neither_a_process_nor_a_file(faults):
    script = """
        from glassmax.distributed.ray.watch import _belonging
        workers = open_workers(WorkerSettings("ray", 2))
        list(workers.map_shards(faults.tenths, range(2), Message({}, {})))
        print(ray_folder(), flush=True)
        workers.sum_in_order(faults.hangs, 6, Message({}, {}))
    """
    script = textwrap.dedent(script).replace(
        "ray_folder()", "__import__('ray')._private.worker._global_node.get_session_dir_path()"
    )
    driver = subprocess.Popen(
        [sys.executable, "-c", textwrap.dedent(SCRIPT) + script], stdout=subprocess.PIPE, text=True
    )
    folder = str(Path(driver.stdout.readline().strip()).parent)
    assert len(watch._belonging(folder)) >= 4 or not Path("/proc").exists()
    driver.kill()
    driver.wait()
    driver.stdout.close()
    end = time.monotonic() + 60  # a limit for what might never end
    while (watch._belonging(folder) or os.path.exists(folder)) and time.monotonic() < end:
        threading.Event().wait(0.05)
    assert not watch._belonging(folder)
    assert not os.path.exists(folder)


@pytest.mark.parametrize("given", ["ray://10.0.0.1:10001", "nonsense", "localhost", "10.0.0.1:", ":6379", "x:y/6379"])
def test_an_address_that_is_none_is_an_error_of_the_option(given, monkeypatch):
    monkeypatch.delenv("RAY_ADDRESS", raising=False)
    with pytest.raises(OptionError, match=rf"^address is '{given}', expected 'host:port' of a Ray cluster, 'auto' or "):
        cluster._address(given)


def test_an_address_of_the_environment_is_named_by_its_variable(monkeypatch):
    monkeypatch.setenv("RAY_ADDRESS", "http://127.0.0.1:8265")
    with pytest.raises(
        OptionError, match=r"^RAY_ADDRESS is 'http://127.0.0.1:8265', .* run the program on a machine of"
    ):
        cluster._address(None)
    assert cluster._address("local") is None
    assert cluster._address("10.0.0.1:6379") == "10.0.0.1:6379"
    monkeypatch.setenv("RAY_ADDRESS", "10.0.0.2:6379")
    assert cluster._address(None) == cluster._address("auto") == "10.0.0.2:6379"


def test_the_cluster_that_was_started_last_on_this_machine_is_found(tmp_path, monkeypatch):
    monkeypatch.delenv("RAY_ADDRESS", raising=False)
    monkeypatch.setenv("RAY_TMPDIR", str(tmp_path))
    assert cluster._address(None) is None
    assert cluster._address("auto") == "auto"
    (tmp_path / "ray").mkdir()
    (tmp_path / "ray" / "ray_current_cluster").write_text("10.0.0.3:6379\n")
    assert cluster._address(None) == cluster._address("auto") == "10.0.0.3:6379"
    assert cluster._address("local") is None


def test_a_cluster_that_is_not_there_is_told_at_once():
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        address = f"127.0.0.1:{free.getsockname()[1]}"
        words = (
            rf"^No Ray cluster is at {address}: Connection refused\. address='local' starts a new cluster on this mach"
        )
        with pytest.raises(WorkerError, match=words):
            cluster._check_there(address)


@slow
def test_what_answers_but_is_no_cluster_is_told(monkeypatch):
    monkeypatch.setattr(cluster, "CHECK_SECONDS", 2.0)
    with socket.create_server(("127.0.0.1", 0)) as mute:
        address = f"127.0.0.1:{mute.getsockname()[1]}"
        with pytest.raises(
            WorkerError, match=rf"^The server at {address} can't be used\. It is not a Ray cluster\. Use"
        ):
            cluster._check_there(address)


def test_without_ray_the_installation_is_told(monkeypatch):
    monkeypatch.setitem(sys.modules, "ray", None)
    with pytest.raises(
        WorkerError, match=r"^engine='ray' needs Ray, which is not installed\. Install it: pip install 'glass"
    ):
        open_workers(WorkerSettings("ray", 2))


def test_what_ray_says_of_a_death_gives_the_name_of_the_worker():
    notices = Notices()
    assert notices.last_death() == ("a worker", "")
    notices._keep(
        {"lines": ["A worker died. Worker IP address: 10.0.0.7 Worker port: 9 Worker PID: 4711 Worker exit type:"]}
    )
    notices._keep({"lines": ["Task run_shards failed."]})
    assert notices.last_death() == ("the worker on 10.0.0.7 (process 4711)", "")
    assert notices.line_with("failed") == "Task run_shards failed."
    assert notices.line_with("Raylet") == ""


class _Error(Exception):
    pass


KINDS = {
    name: type(name, (_Error,), {})
    for name in ("WorkerCrashedError", "OutOfMemoryError", "RayTaskError", "ObjectLostError", "NodeDiedError")
}


@pytest.mark.parametrize(
    ("kind", "text", "said"),
    [
        (
            "OutOfMemoryError",
            "1 worker(s) were killed due to the node running low on memory. Memory on the node (IP: 10.0.0.7, ID: ab) "
            "was 15.2GB used / 16.0GB limit (0.95)\nOOM kill reason: Memory usage exceeded",
            "10.0.0.7 has repeatedly run out of memory at shard 3 (gradient): 15.2GB of 16.0GB are in use. "
            "Use fewer workers on a machine, or smaller batches.",
        ),
        (
            "OutOfMemoryError",
            "Killed.",
            "A machine has repeatedly run out of memory at shard 3 (gradient). Use fewer workers on a "
            "machine, or smaller batches.",
        ),
        (
            "RayTaskError",
            "ray::run_shards() (pid=4711, ip=10.0.0.7)\nModuleNotFoundError: No module named 'glassmax'",
            "The worker on 10.0.0.7 (process 4711) doesn't have glassmax, which shard 3 (gradient) needs. Install it "
            "on all machines of the cluster, for the Python of Ray's workers.",
        ),
        (
            "RayTaskError",
            "ray::run_shards() (pid=4711, ip=10.0.0.7)\nValueError: odd",
            "The worker on 10.0.0.7 (process 4711) has failed at shard 3 (gradient): ValueError: odd",
        ),
        (
            "ObjectLostError",
            "x",
            "Ray has lost the result of shard 3 (gradient), because the machine that held the result is gone.",
        ),
        ("NodeDiedError", "It died. Why?", "Ray has failed at shard 3 (gradient): NodeDiedError: It died."),
    ],
)
def test_an_error_of_ray_becomes_one_sentence(kind, text, said):
    ray, error = SimpleNamespace(exceptions=SimpleNamespace(**KINDS)), KINDS[kind](text)
    found = deaths.error_of(ray, error, "shard 3 (gradient)", Notices())
    assert str(found) == said
    assert found.__notes__ == [text]


def late(notices=(), has=None, worker=None):
    has = has or {"CPU": 4.0}
    ray = SimpleNamespace(
        cluster_resources=lambda: has,
        nodes=lambda: [{"Alive": True, "Resources": has}, {"Alive": False, "Resources": {"GPU": 9.0}}],
    )
    kept = Notices()
    kept.node = "abc"
    kept.lines.extend(notices)
    return str(deaths.late_error(ray, "shard 3 (gradient)", 300.0, {"CPU": 1.0}, kept, worker))


def test_what_has_taken_too_long_is_told_with_its_reason():
    marked = (
        "The node with node id: {} and address: 10.0.0.7 has been marked dead because the detector has missed too many"
    )
    assert late([marked.format("abc")]) == "Ray's node on this machine has died at shard 3 (gradient)."
    assert late([marked.format("def"), "Raylet is terminated. Termination is unexpected."]).startswith("No result of")
    assert late(
        ["Killed: node running low on memory. Memory on the node (IP: 10.0.0.7) was 15GB used / 16GB limit"]
    ) == (
        "10.0.0.7 has repeatedly run out of memory at shard 3 (gradient): 15GB of 16GB are in use. Use fewer "
        "workers on a machine, or smaller batches."
    )
    assert late(has={"GPU": 1.0, "node:10.0.0.7": 1.0}) == (
        "No machine of the cluster has 1 of 'CPU', which shard 3 (gradient) needs; the cluster has 1 GPU. Lower "
        "resources."
    )
    assert late(worker="the worker on node7 (process 12)") == (
        "The worker on node7 (process 12) has not answered for 300 seconds at shard 3 (gradient). If the work needs "
        "more time, increase wait_limit."
    )
    assert late() == (
        "No result of shard 3 (gradient) has come for 300 seconds: a worker hangs, or the cluster is busy with other "
        "work. If the work needs more time, increase wait_limit."
    )


def test_tasks_are_dealt_to_the_machines_by_their_room():
    nodes = [
        {"NodeID": "c", "Alive": True, "Resources": {"CPU": 3.0, "GPU": 1.0}},
        {"NodeID": "a", "Alive": True, "Resources": {"CPU": 2.0}},
        {"NodeID": "b", "Alive": False, "Resources": {"CPU": 9.0}},
        {"NodeID": "head", "Alive": True, "Resources": {}},
    ]
    assert places.slots_of(nodes, {"CPU": 1.0}) == ["a", "c", "a", "c", "c"]
    assert places.slots_of(nodes, {"CPU": 1.0, "GPU": 0.5}) == ["c", "c"]
    assert places.slots_of([], {"CPU": 1.0}) == []
    some = places.Places(SimpleNamespace(nodes=lambda: nodes), {"CPU": 1.0})
    assert [some.node_of(i) for i in range(6)] == ["a", "c", "a", "c", "c", "a"]
    one = places.Places(SimpleNamespace(nodes=lambda: nodes[:1]), {"CPU": 1.0})
    assert one.node_of(0) is None
    assert one.strategy(None) == "DEFAULT"


def test_a_machine_that_is_free_gets_the_next_task_that_is_meant_for_it():
    waiting = deque(_Task(i, range(i, i + 1), "ab"[i % 2], f"{i}") for i in range(6))
    assert _taken(waiting, "b", 3).position == 1
    assert _taken(waiting, "b", 3).position == 0  # that of position 3 would come too early
    assert _taken(waiting, "c", 9).position == 2
    assert _taken(waiting, "a", 9).position == 4
    assert _taken(waiting, None, 9).position == 3
    assert [task.position for task in waiting] == [5]


class Slow:
    """A Ray whose tasks for the first machine end last."""

    exceptions = SimpleNamespace(GetTimeoutError=TimeoutError, RayError=RuntimeError)

    def __init__(self):
        self.most = 0

    def options(self, scheduling_strategy):
        return self

    def remote(self, asked, broadcast, call):
        return asked["first"], tasks.run_shards(asked, broadcast, call)

    def wait(self, references, num_returns, timeout):
        assert references
        self.most = max(self.most, len(references))
        return [max(references, key=lambda reference: (reference[0] % 2, reference[0]))], []

    def get(self, reference, timeout):
        return reference[1]

    def is_initialized(self):
        return False


def test_results_come_in_order_and_few_are_kept_whichever_machine_is_slow(faults):
    class Key(tuple):
        __hash__ = object.__hash__

    ray = Slow()
    remote = ray.remote
    ray.remote = lambda *call: Key(remote(*call))
    some = object.__new__(RayWorkers)
    some.settings, some.n_workers, some._ray, some._run = WorkerSettings("ray", 3), 3, ray, ray
    some._broadcast, some._needed, some._notices = ("", []), {}, Notices()
    some._places = SimpleNamespace(node_of=lambda i: "ab"[i % 2], strategy=lambda node: node)
    found = [message.manifest["shard"] for message in some.map_shards(faults.tenths, range(20), NOTHING)]
    assert found == list(range(20))
    assert ray.most == 3


def test_a_task_answers_with_bytes_and_the_name_of_its_process():
    asked = {"operation": "os:getpid", "first": 0, "last": 1, "sum": False, "broadcast": "", "threads": 1}
    asked |= {"key": "", "slow": 60.0}
    answer = tasks.message_of(tasks.run_shards({**asked, "version": tasks.__version__}, [], tasks.bytes_of(NOTHING)))
    assert answer.manifest["failure"]["text"] == "'os:getpid' is not an operation of glassmax"
    assert answer.manifest["worker"] == f"the worker on {socket.gethostname()} (process {os.getpid()})"


def test_the_watcher_removes_the_folder_of_a_cluster_that_was_closed(tmp_path):
    folder = tmp_path / "cluster"
    (folder / "session").mkdir(parents=True)
    with ExitStack() as ends:
        process = subprocess.Popen([sys.executable, "-I", "-S", watch.__file__, str(folder)], stdin=subprocess.PIPE)
        ends.callback(process.kill) if process.poll() is None else None
        cluster._end_watching(process)
    assert process.returncode == 0
    assert not folder.exists()
    assert not hasattr(signal, "SIGKILL") or os.getpid() not in watch._belonging(str(tmp_path))
