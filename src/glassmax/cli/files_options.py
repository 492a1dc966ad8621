"""Whether `train` reads its rows from files piece by piece, the options for that, and those that go with it."""

import os
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

import click
from click.core import ParameterSource

from ..memory import available_memory, size_in_words
from .grouped import group, option
from .talk import harmless

if TYPE_CHECKING:
    from ..distributed import WorkerSettings

__all__ = [
    "OF_FILES",
    "UNUSED_ON_FILES",
    "needs_memory",
    "on_files",
    "refuse_on_files",
    "without_effect_on_files",
    "workers_from_options",
]

ENGINES = ["processes", "ray", "mpi"]
SHARE_OF_MEMORY = 0.25
"""A single file that needs more than this share of the available memory is read piece by piece."""
SMALLEST = 0.001
"""A file with a smaller share of the available memory on disk is not looked into."""
PACKED, TIMES_PACKED = (".gz", ".zst", ".zstd", ".bz2"), 5
NEED_FILES = ("cache_folder", "engine")
"""The options of rows that are read from files piece by piece; --engine trains a preset in memory, too."""
OF_WORKERS = ("workers", "address", "averaging", "averaging_steps", "wait_limit")
UNUSED_ON_FILES = ("preset", "time_limit", "tune", "study", "groups", "time", "class_embeddings", "baseline")
"""The options that have no effect on rows that are read from files piece by piece."""
OF_PRESET = "is for a preset, which needs all rows in memory"
IN_MEMORY = "needs all rows in memory"
REFUSED = {
    "preset": (OF_PRESET, ": one network is trained."),
    "time_limit": (OF_PRESET, "; Ctrl-C ends the training and keeps the model."),
    "tune": (OF_PRESET, ": one network is trained."),
    "study": (OF_PRESET, ": one network is trained."),
    "groups": (IN_MEMORY, "."),
    "time": (IN_MEMORY, "."),
    "class_embeddings": (IN_MEMORY, "."),
}
"""The options that need all rows in memory, why, and what follows "Leave ... out"."""

OF_FILES = group(
    "Files larger than memory, several machines",
    option(
        "--stream/--no-stream",
        "Read the rows of a single file piece by piece, or all at once into memory. Several files are always read "
        "piece by piece.  [default: --stream if the file needs more than a quarter of the available memory]",
        default=None,
    ),
    option(
        "--cache-folder",
        "Folder in which the encoded rows and the results of the scan are kept for later runs.  [default: a folder "
        "beside the checkpoint, or a temporary folder, which is removed when the run is complete]",
        metavar="FOLDER",
    ),
    option(
        "--engine",
        "Train on workers: processes on this machine (processes), tasks of a Ray cluster (ray), or the processes that "
        "mpiexec has started (mpi). The networks of a preset are trained in parallel, with all rows in memory; a "
        "network of your own is trained by all workers together, on rows that are read piece by piece. The model "
        "doesn't depend on the number of workers. Without workers, the rows are taken in another order.  "
        "[default: no workers]",
        click.Choice(ENGINES),
        metavar="NAME",
    ),
    option(
        "--workers",
        "Number of workers.  [default: the processors of this machine, the CPUs of the cluster, or all MPI processes]",
        click.IntRange(1),
    ),
    option(
        "--address",
        "Address of a Ray cluster: host:port; auto for a cluster that is already running; or local for a new cluster "
        "on this machine.  [default: a running cluster, otherwise a new one on this machine]",
        metavar="ADDRESS",
    ),
    option(
        "--averaging",
        "local_sgd: each shard of the rows takes some training steps of its own, then the weights of all shards are "
        "averaged.  [default: all workers compute the gradient of each step together]",
        click.Choice(["local_sgd"]),
        metavar="NAME",
    ),
    option(
        "--averaging-steps",
        "Number of steps of a shard between two averages, for --averaging local_sgd.  [default: 16]",
        click.IntRange(1),
    ),
    option(
        "--wait-limit",
        "Maximum time to wait for an answer of a worker; the run then ends with an error.  [default: 300]",
        click.FloatRange(0, min_open=True),
        metavar="SECONDS",
    ),
)


def on_files(
    data: Sequence[str], options: dict[str, Any], *, in_memory: bool = False, network: bool = False
) -> str | None:
    """Return why the rows are read from files piece by piece: a sentence, or "" if no one wonders; None if they aren't.

    Parameters
    ----------
    data : sequence of str
    options : dict
    in_memory : bool, default=False
        Whether an option was given that needs all rows of a file in memory.
    network : bool, default=False
        Whether the options describe one network, in place of a preset.

    Raises
    ------
    click.UsageError
        If the options contradict each other or DATA.
    """
    from .data_paths import are_several, is_file  # late: --help needs no NumPy

    need_files = NEED_FILES if network else NEED_FILES[:1]
    asked = next((f"--{name.replace('_', '-')}" for name in need_files if options[name] is not None), "")
    if options["stream"] is False and asked:
        needs = f"{asked} needs rows that are read piece by piece{' for one network' * (asked == '--engine')}"
        raise click.UsageError(f"{needs}. Leave out {asked} or --no-stream.")
    asked = asked or "--stream" * bool(options["stream"])
    if are_several(data):
        if options["stream"] is False:
            raise click.UsageError(
                "--no-stream reads a single file into memory. Leave --no-stream out, or pass one file."
            )
        return ""
    if asked:
        if not is_file(data[0]):
            what = "standard input" if data[0] == "-" else f"the built-in example {data[0]}"
            needs = f"{asked} needs files{' for one network' * (asked == '--engine')}"
            raise click.UsageError(f"{needs}, and DATA is {what}. Leave {asked} out.")
        return ""
    if options["stream"] is None and not in_memory and is_file(data[0]):
        return _too_large(data[0])
    return None


def _too_large(path: str) -> str | None:
    """Return a sentence that says that a file is read piece by piece, if it needs much of the available memory."""
    from ..streaming.paths import name_of
    from ..table.remote import is_remote

    available = available_memory()
    try:
        size = None if is_remote(path) else os.path.getsize(path)
    except (OSError, ValueError):
        return None  # whoever opens the file says what is wrong
    if available is None or (size is not None and size < SMALLEST * available):
        return None
    need = _memory_of(path)
    if need <= SHARE_OF_MEMORY * available:
        return None
    return (
        f"{harmless(name_of(path))} takes about {size_in_words(int(need))} in memory, more than a quarter of the "
        f"{size_in_words(available)} available, so its rows are read piece by piece. To read them all into memory, "
        "pass --no-stream."
    )


def _memory_of(path: str) -> float:
    """Return about how many bytes the table of a file takes in memory."""
    from ..errors import GlassmaxError
    from ..streaming import Sources

    try:
        file = Sources(path).files[0]
    except GlassmaxError:  # whoever reads the file says what is wrong
        return 0.0
    times = TIMES_PACKED if path.lower().endswith(PACKED) else 1
    return float(max(times * file.size, 8 * (file.rows or 0) * len(file.columns)))


def refuse_on_files(ctx: click.Context) -> None:
    """Raise an error if an option was given that rows read from files piece by piece don't have."""
    for name, (why, end) in REFUSED.items():
        if _was_given(ctx, name):
            option = f"--{name.replace('_', '-')}"
            raise click.UsageError(
                f"{option} {why}, but the rows are read from files piece by piece. Leave {option} out{end}"
            )
    if isinstance(ctx.params["validation"], str):
        raise click.UsageError(
            f"--validation is {ctx.params['validation']!r}, expected a fraction of the rows, such as 0.1, because the "
            "rows are read from files piece by piece."
        )


def without_effect_on_files(ctx: click.Context) -> list[str]:
    """Return a sentence for each option that was given and has no effect on rows read from files piece by piece."""
    if not _was_given(ctx, "baseline"):
        return []
    typed = "--baseline" if ctx.params["baseline"] else "--no-baseline"
    return [
        f"{typed} has no effect on rows that are read from files piece by piece, because the linear model needs all "
        "rows in memory."
    ]


def needs_memory(ctx: click.Context) -> bool:
    """Return whether an option was given that needs all rows in memory."""
    return any(_was_given(ctx, name) for name in REFUSED) or isinstance(ctx.params["validation"], str)


def _was_given(ctx: click.Context, name: str) -> bool:
    """Return whether an option was typed, or a file of options sets it to another value than its default."""
    source = ctx.get_parameter_source(name)
    if source == ParameterSource.DEFAULT_MAP:
        default = next(param.default for param in ctx.command.params if param.name == name)
        return bool(ctx.params[name] != default)
    return source == ParameterSource.COMMANDLINE


def workers_from_options(options: dict[str, Any], *, in_memory: bool) -> "WorkerSettings | None":
    """Return what the options say about workers; None if there are none.

    Without --threads, workers on rows in memory share all processors, as they do without workers; others have one
    thread each.

    Raises
    ------
    click.UsageError, OptionError
        If an option of workers is given without an engine, or isn't one of this engine.
    """
    from ..distributed import read_settings

    if options["engine"] is None:
        for name in OF_WORKERS:
            if options[name] is not None:
                typed = f"--{name.replace('_', '-')}"
                raise click.UsageError(f"{typed} is for training on workers. Pass --engine too: processes, ray or mpi.")
        return None
    if options["averaging_steps"] is not None and options["averaging"] is None:
        raise click.UsageError(
            "--averaging-steps is for --averaging local_sgd. Pass --averaging too, or leave --averaging-steps out."
        )
    if options["address"] is not None and options["engine"] != "ray":
        raise click.UsageError("--address is the address of a Ray cluster. Pass --engine ray, or leave --address out.")
    return read_settings(
        options["engine"],
        options["workers"],
        options["address"],
        wait_limit=options["wait_limit"],
        n_threads=options["threads"] or (os.cpu_count() if in_memory else None),
    )
