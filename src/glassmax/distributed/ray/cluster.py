"""The cluster: one that runs already, or a new one on this machine that listens on loopback only."""

import math
import os
import secrets
import socket
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager, suppress
from importlib import import_module
from pathlib import Path
from types import ModuleType
from typing import Any

from ...engine.processors import processors
from ...errors import OptionError, Setting, Text, WorkerError
from ...streaming.folder import temporary_folder
from ..failures import DEATHS
from ..settings import WorkerSettings
from . import watch
from .quiet import Notices, undisturbed

__all__ = ["amounts", "load_ray", "open_cluster", "refused"]

LOOPBACK = "127.0.0.1"
PREFIX = "glassmax-ray-"
CONNECT_SECONDS, CHECK_SECONDS = 5.0, 20.0
SHORT = 20
RETRIES = {"RAY_task_oom_retries": str(DEATHS - 1)}  # of a task that is ended because memory runs out; or for ever
LOCAL: Text = (Setting("address", "local"), " starts a new cluster on this machine")


def load_ray() -> ModuleType:
    """Return Ray.

    Raises
    ------
    WorkerError
        If it is not installed.
    """
    try:
        import ray
    except ImportError:
        remedy = "Install it: pip install 'glassmax[ray]'"
        raise WorkerError(Setting("engine", "ray"), " needs Ray, which is not installed.", remedy=remedy) from None
    return ray


def amounts(settings: WorkerSettings) -> dict[str, float]:
    """Return what a task needs of each resource."""
    return {"CPU": float(settings.worker_threads), **(settings.resources or {})}


def refused(settings: WorkerSettings, error: Exception) -> OptionError:
    """Return the error that Ray doesn't take the resources."""
    came, expected = repr(settings.resources), "amounts that Ray can reserve"
    return OptionError(parameter="resources", came=came, expected=expected, remedy=_first_line(error))


def open_cluster(settings: WorkerSettings, ends: ExitStack) -> Notices:
    """Connect this process to the cluster that the settings name, or start one; `ends` undoes it.

    Raises
    ------
    OptionError
        If the address is none.
    WorkerError
        If there is no cluster at the address, or it can't be used.
    """
    ray, notices = load_ray(), Notices()
    if ray.is_initialized():  # by the program that called us, whom it belongs to
        _check_same(ray, settings.address)
        return notices
    address = _address(settings.address)
    notices.begin()
    ends.callback(notices.end)
    if address is None:
        notices.folder = _start(ray, settings, ends)
    else:
        _join(ray, address)
        ends.callback(ray.shutdown)
    notices.node = ray.get_runtime_context().get_node_id()
    return notices


def _address(address: str | None) -> str | None:
    """Return where the cluster is, as ``ray.init`` finds it; None: nowhere, a new one is to be started."""
    name, given = "address", address
    if address in (None, "auto") and os.environ.get("RAY_ADDRESS"):
        name, given = "RAY_ADDRESS", os.environ["RAY_ADDRESS"]
    if given == "local":
        return None
    if given in (None, "auto"):
        return _started_last() or given
    host, _, port = given.rpartition(":")
    if host and port.isdigit() and "/" not in given:
        return given
    remedy: Text = ()
    if "://" in given:
        remedy = ("A URL can't be used: run the program on a machine of the cluster, with `ray job submit`.",)
    raise OptionError(
        parameter=name, came=repr(given), expected="'host:port' of a Ray cluster, 'auto' or 'local'", remedy=remedy
    )


def _started_last() -> str | None:
    """Return the address of the cluster that ``ray start`` has started on this machine."""
    folder = os.environ.get("RAY_TMPDIR") or (sys.platform == "linux" and os.environ.get("TMPDIR")) or "/tmp"
    with suppress(OSError):
        return Path(folder, "ray", "ray_current_cluster").read_text(encoding="utf-8").strip() or None
    return None


def _check_same(ray: ModuleType, address: str | None) -> None:
    there = ray.get_runtime_context().gcs_address
    if address not in (None, "auto", there):
        raise OptionError(
            parameter="address",
            came=repr(address),
            expected=f"None, because this program has already connected Ray to {there}",
            remedy="Or call ray.shutdown() first.",
        )


def _join(ray: ModuleType, address: str) -> None:
    if address != "auto":
        _check_there(address)
    try:
        with undisturbed(RETRIES):
            ray.init(address=address, log_to_driver=False, logging_level="ERROR")
    except (Exception, SystemExit) as error:
        ray.shutdown()
        if address == "auto" and isinstance(error, ConnectionError):
            message: Text = ("No Ray cluster runs on this machine.",)
        else:
            message = (f"The Ray cluster at {address} can't be used: {_first_line(error)}",)
        raise WorkerError(*message, remedy=(*LOCAL, ".")) from None


def _check_there(address: str) -> None:
    """Raise an error if no cluster answers; ``ray.init`` would take more than five minutes to notice."""
    host, _, port = address.rpartition(":")
    try:
        socket.create_connection((host.strip("[]"), int(port)), CONNECT_SECONDS).close()
    except (OSError, OverflowError) as error:
        why = getattr(error, "strerror", None) or str(error)
        raise WorkerError(f"No Ray cluster is at {address}: {why}.", remedy=(*LOCAL, ".")) from None
    command = [sys.executable, "-m", "ray.scripts.scripts", "health-check", "--skip-version-check"]
    try:
        check = subprocess.run(
            [*command, "--address", address],
            capture_output=True, stdin=subprocess.DEVNULL, timeout=CHECK_SECONDS, check=False, text=True,
        )  # fmt: skip
    except subprocess.TimeoutExpired:
        why = "It is not a Ray cluster"
    else:
        if not check.returncode or "No such command" in check.stderr:
            return
        why = (check.stderr.strip().splitlines() or ["It is not a Ray cluster"])[-1].strip().rstrip(".")
    raise WorkerError(
        f"The server at {address} can't be used. {why}.",
        remedy="Use the port of the head node, 6379 by default, not the port of the dashboard.",
    )


def _start(ray: ModuleType, settings: WorkerSettings, ends: ExitStack) -> str:
    """Start a cluster on this machine, of which nothing is left when it has ended; return its folder."""
    parent = None if len(tempfile.gettempdir()) <= SHORT else "/tmp"  # the name of a socket has 107 bytes at most
    folder = str(ends.enter_context(temporary_folder(PREFIX, parent)))
    needed = amounts(settings)
    n_workers = settings.n_workers or max(1, int(processors() // max(needed["CPU"], 1)))
    others = {name: n_workers * amount for name, amount in needed.items() if name not in ("CPU", "GPU", "memory")}
    watching = subprocess.Popen(
        [sys.executable, "-I", "-S", watch.__file__, folder], stdin=subprocess.PIPE, start_new_session=True
    )
    ends.callback(_end_watching, watching)
    ends.callback(_forget_token)
    try:
        with undisturbed(_environment()), _on_loopback():
            ray.init(
                address="local",
                num_cpus=max(1, math.ceil(n_workers * needed["CPU"])),
                resources=others or None,
                include_dashboard=False,
                log_to_driver=False,
                logging_level="ERROR",
                _node_ip_address=LOOPBACK,
                _temp_dir=folder,
            )
    except (Exception, SystemExit) as error:
        ray.shutdown()
        if settings.resources and isinstance(error, ValueError):
            raise refused(settings, error) from None
        raise WorkerError(f"A Ray cluster can't be started on this machine: {_first_line(error)}") from None
    ends.callback(ray.shutdown)
    listens = ray.get_runtime_context().gcs_address
    if not listens.startswith(LOOPBACK):
        raise WorkerError(
            f"A cluster of Ray {ray.__version__} would listen on {listens}, not on loopback only, and was ended.",
            remedy=(
                "If that is safe here, start one with `ray start --head`, and pass ",
                Setting("address", "auto"),
                ".",
            ),
        )
    return folder


def _environment() -> dict[str, str]:
    """Return the environment in which a cluster is started."""
    return {
        "RAY_ENABLE_WINDOWS_OR_OSX_CLUSTER": "0",  # a Ray of one machine, which listens on loopback
        "RAY_AUTH_TOKEN": secrets.token_hex(32),  # or Ray writes one into the home folder
        "RAY_USAGE_STATS_ENABLED": "0",
        **RETRIES,
    }


@contextmanager
def _on_loopback() -> Iterator[None]:
    """Let Ray listen on loopback; it was perhaps imported before, and has read the environment then."""
    constants: Any = import_module("ray._private.ray_constants")
    before = getattr(constants, "ENABLE_RAY_CLUSTER", None)
    constants.ENABLE_RAY_CLUSTER = False
    try:
        yield
    finally:
        constants.ENABLE_RAY_CLUSTER = before


def _forget_token() -> None:
    """Let the next ``ray.init`` of this process read its settings anew."""
    with suppress(ImportError, AttributeError, TypeError):
        private: Any = import_module("ray._raylet")
        private.Config.initialize("")
        private.AuthenticationTokenLoader.instance().reset_cache()


def _end_watching(process: "subprocess.Popen[bytes]") -> None:
    process.communicate(b"closed")


def _first_line(error: BaseException) -> str:
    lines = str(error).strip().splitlines()
    line = lines[0].strip() if lines else type(error).__name__
    return line if line.endswith(".") else f"{line}."
