"""Operations of the tests, known in workers as ``glassmax.faults``: some fail, hang, or kill their process."""

import os
import signal
import time
from pathlib import Path

import numpy as np

from glassmax.distributed import Message, gradients
from glassmax.errors import DataError, Setting


def tenths(held, shard, call):
    """Return what depends on the order of a sum."""
    return Message({"shard": shard, "pid": os.getpid()}, {"sum": (shard + 1) * np.array([0.1, 1e8, 1e-8])})


def slow_tenths(held, shard, call):
    """Return the same, a little later: a machine can die meanwhile."""
    time.sleep(0.02)
    return tenths(held, shard, call)


def echo(held, shard, call):
    """Return what was broadcast, and what the call brings."""
    return Message({"broadcast": held.broadcast.manifest, "call": call.manifest, "shard": shard}, call.arrays)


def waits_for_later(held, shard, call):
    """Note the shard; at shard 0, wait until the other worker has done three more, and take longer than it for all."""
    folder = Path(call.manifest["folder"])
    while shard == 0 and len(list(folder.iterdir())) < min(3, call.manifest["shards"] - 1):
        pass
    for _ in range(15_000 * (shard == 0)):
        folder.exists()
    (folder / f"{shard}").touch()
    return tenths(held, shard, call)


def dies_once(held, shard, call):
    """Kill the process the first time that a shard of the list is asked for."""
    folder = Path(call.manifest["folder"])
    if shard in call.manifest["shards"] and not (folder / f"{shard}").exists():
        (folder / f"{shard}").touch()
        os.kill(os.getpid(), signal.SIGKILL)
    return tenths(held, shard, call)


def dies_always(held, shard, call):
    """Kill the process at shard 3."""
    if shard == 3:
        os.kill(os.getpid(), signal.SIGKILL)
    return tenths(held, shard, call)


def exits(held, shard, call):
    """End the process with a few words."""
    print("no room in the test", flush=True)
    os._exit(3)


def hangs(held, shard, call):
    """Wait for what doesn't come, at shard 2."""
    while shard == 2:
        time.sleep(60)
    return tenths(held, shard, call)


def alive(held, shard, call):
    """Say twice that the operation goes on."""
    held.alive()
    held.alive()
    return tenths(held, shard, call)


def complains(held, shard, call):
    """Raise an error of glassmax."""
    if shard == 2:
        raise DataError("x.csv, row 3: 'a' is odd.", remedy=("Leave it out with ", Setting("ignore", ["a"]), "."))
    return tenths(held, shard, call)


def stumbles(held, shard, call):
    """Raise an error of another kind."""
    if shard == 2:
        raise KeyError("gradient")
    return tenths(held, shard, call)


def is_full(held, shard, call):
    """Raise a MemoryError."""
    raise MemoryError


def prints(held, shard, call):
    """Print a lot, which is nobody's business."""
    print("x" * 100_000, flush=True)
    os.write(2, b"y" * 100_000)
    return tenths(held, shard, call)


def numbers(held, shard, call):
    """Return many numbers of different sizes, made of what was broadcast and what the call brings."""
    draw = np.random.default_rng(shard)
    gradient = 10.0 ** draw.integers(-8, 8) * draw.normal(size=1001) * call.arrays["theta"]
    base = held.broadcast.arrays["base"]
    return Message(
        {"shard": shard, **held.broadcast.manifest}, {"gradient": gradient + base, "rows": np.array(shard + 1)}
    )


def freezes(held, shard, call):
    """Stop the process at shard 3, as a machine that has gone does."""
    if shard == 3:
        os.kill(os.getpid(), signal.SIGSTOP)
    return tenths(held, shard, call)


def interrupts(held, shard, call):
    """Press Ctrl-C at shard 0, and take time at the others."""
    if shard == 0:
        signal.raise_signal(signal.SIGINT)
    return tenths(held, shard, call)


def _dying(name, held, shard, call):
    mark = Path(os.environ["GLASSMAX_TEST_FOLDER"]) / f"died {shard}"
    if shard in (1, 3) and not mark.exists():
        mark.touch()
        os.kill(os.getpid(), signal.SIGKILL)
    return getattr(gradients, name)(held, shard, call)


def gradient(held, shard, call):
    """Die once, or compute a gradient."""
    return _dying("gradient", held, shard, call)


def prepare(held, shard, call):
    """Die once, or prepare a shard."""
    return _dying("prepare", held, shard, call)


def validation(held, shard, call):
    """Die once, or score a shard."""
    return _dying("validation", held, shard, call)


def as_gradient(held, shard, call):
    """Return as many numbers as theta has."""
    return Message({}, {"gradient": np.zeros(call.arrays["theta"].shape)})
