"""glassmax train: a table in, a model out."""

import shlex
from typing import TYPE_CHECKING, Any, NoReturn

import click

from ..config import as_toml
from ..files_options import (
    UNUSED_ON_FILES,
    needs_memory,
    on_files,
    refuse_on_files,
    without_effect_on_files,
    workers_from_options,
)
from ..grouped import GroupedCommand, file_format
from ..talk import busy, harmless, say, show, show_json
from ..terminal import ATTENTION, GOOD
from ..train_options import describes_network, train_options, unused, without_effect
from ..wording import option_of

if TYPE_CHECKING:
    from pathlib import Path

    from ...distributed import WorkerSettings
    from ..files_run import FilesTrainingRun
    from ..training_run import TrainingRun

__all__ = ["command"]

MOST_NAMES = 30


@click.command("train", cls=GroupedCommand)
@click.argument("data", nargs=-1, metavar="DATA...")
@train_options
@click.pass_context
def command(
    ctx: click.Context, /, data: tuple[str, ...], target: str | None, output: str | None, **options: Any
) -> None:
    """Train a softmax classifier on a table.

    DATA is a CSV, TSV, JSON lines, Parquet or Arrow file, which may be compressed with gzip, zstd or bzip2; - for
    standard input; or a built-in example: digits, penguins, iris, wine, toy. glassmax detects the file format, the type
    of each column, missing cells, and columns that give the target away, and reports them on stderr. The result goes to
    stdout.

    DATA may also be several files: a folder, a glob in quotes, several paths, or URLs. Their rows are read piece by
    piece and need not fit into memory. A first pass over the files finds the classes and the columns. A second pass
    encodes all rows and writes them into a folder, from which each epoch reads them in another order. One network is
    trained: with 128 hidden units, or with the options of the groups "Network of your own".

    A preset trains several networks and a linear model by cross-validation: each is trained on some folds of the rows
    and judged on the others. The best are combined into one model, an ensemble. With an option of the groups "Network
    of your own", one network is trained instead, and a fifth of the rows is held out to judge that network. With 4,096
    classes or more, one network with a hidden layer of 128 units is trained in place of a preset. With --json,
    "n_classes" is the number of classes, and "classes" holds the first 1,000 of them.

    \b
    Examples:
      glassmax train digits
      glassmax train flowers.csv --target species --preset best
      glassmax train flowers.csv --target species --hidden 64,32
      glassmax train orders.csv --target product --min-count 5 --epochs 5
      glassmax train clicks/ --target bought --checkpoint clicks.ckpt
      glassmax train flowers.csv --target species --print-config > run.toml
      glassmax train --config run.toml --learning-rate 0.01
    """
    if options["print_config"]:
        network = bool(describes_network(ctx))
        streamed = on_files(data, options, in_memory=needs_memory(ctx), network=network) if data else None
        show(as_toml(ctx, {*unused(ctx), *(() if streamed is None else UNUSED_ON_FILES)}))
        return
    if not data:
        raise click.UsageError("Missing argument 'DATA...'.")
    if options["balanced"] and options["class_weight"]:
        raise click.UsageError("--balanced and --class-weight both weigh the classes. Pass one of them.")
    from ..data_paths import check_data
    from ..mpi_ranks import drives, releasing, serve

    check_data(data)
    why = describes_network(ctx)
    streamed = on_files(data, options, in_memory=needs_memory(ctx), network=bool(why))
    workers = workers_from_options(options, in_memory=streamed is None)
    if streamed is not None:
        refuse_on_files(ctx)
        if isinstance(options["validation"], float):
            why = why or "--validation FRACTION"
    if workers is not None and not drives(workers):
        serve(workers)
        return
    run: TrainingRun | FilesTrainingRun
    with releasing(workers):
        if streamed is None:
            run, path = _in_memory(data[0], target, output, options, why, workers)
        else:
            if streamed:
                say(streamed)
            run, path = _on_files(ctx, data, target, output, options, why, workers)
        _train(ctx, run, path, data, options, why)


def _train(
    ctx: click.Context,
    run: "TrainingRun | FilesTrainingRun",
    path: "Path",
    data: tuple[str, ...],
    options: dict[str, Any],
    why: str,
) -> None:
    """Train, write the model, and print how good it is."""
    from ...streaming.paths import name_of

    streamed = run.is_on_files
    sentences = without_effect(ctx, network=bool(why) or streamed)
    for sentence in [*sentences, *(without_effect_on_files(ctx) if streamed else [])]:
        say(sentence, ATTENTION)
    try:
        interrupted = run.train()
    except ArithmeticError:
        run.rescue(path)
        raise
    except KeyboardInterrupt:
        if not streamed:
            raise
        _end_before_training(ctx, options)
    result = run.judge()
    replaces = path.is_file()
    run.classifier.save(path)
    if options["as_json"]:
        show_json(({} if result is None else result.as_json()) | run.facts() | {"model": str(path)})
    elif result is not None:
        show(result.as_text())
    say()
    doubts = run.doubts()
    if result is not None:
        style = GOOD if result.celebrates and not doubts else "" if result.is_useful else ATTENTION
        for line in result.verdict():
            say(line, style)
    where = f"The model is in {path}{', where it replaces an earlier one' if replaces else ''}."
    keep = "".join(f" --keep {_typed(name)}" for name in run.identifiers()[:1])
    again = _typed(data[0]) if len(data) == 1 and name_of(data[0]) == data[0] != "-" else "NEW.csv"
    say(f"{where} Use it:", command=f"glassmax predict {_typed(str(path))} {again}{keep}")
    for line in doubts:
        say(line, ATTENTION)
    if interrupted:
        say(f"Training was interrupted: the model has learned from {run.progress()}.")
        if streamed:
            say(_resuming(options))
        ctx.exit(130)


def _in_memory(
    data: str,
    target: str | None,
    output: str | None,
    options: dict[str, Any],
    why: str,
    workers: "WorkerSettings | None",
) -> "tuple[TrainingRun, Path]":
    """Read a table, report it, and return the run that trains on it, with the path of its model."""
    from ...errors import worded
    from ...table import read_table
    from ..training_run import TrainingRun, check_options, classifier_of

    check_options(options, network=bool(why))
    form = file_format(options) | {"columns": _columns_to_read(target, options)}
    table = read_table(data, **form)
    target = target or table.target
    if target is None:
        raise _no_target(f"{table.name} has", table.names, worded(table.without_header(), option_of))
    path = _model_path((data,), target, table.names, output, options)
    held = options["validation"]
    validation = read_table(held, **form) if isinstance(held, str) else None
    classifier = classifier_of(options, network=bool(why), table=table.name)
    with busy("Learning the classes and the columns"):
        run = TrainingRun(classifier, table, target, options, validation, workers)
    run.report_table(why)
    return run, path


def _on_files(
    ctx: click.Context,
    data: tuple[str, ...],
    target: str | None,
    output: str | None,
    options: dict[str, Any],
    why: str,
    workers: "WorkerSettings | None",
) -> "tuple[FilesTrainingRun, Path]":
    """Scan files, encode their rows, report them, and return the run that trains on them with the path of its model."""
    from ...estimator.files.faces import read_averaging
    from ...streaming import Sources
    from ...streaming.outputs import check_cache_folder
    from ..files_run import FilesTrainingRun
    from ..training_run import check_options, classifier_of

    check_options(options, network=bool(why))
    with busy("Looking at the files"):
        columns = _columns_to_read(target, options)
        sources = Sources(data[0] if len(data) == 1 else data, columns=columns, **file_format(options))
        names = list(sources.files[0].columns) or next(sources.pieces()).table.names
    if target is None:
        raise _no_target(f"The columns of {sources.name} are", names)
    path = _model_path(data, target, names, output, options)
    check_cache_folder(options["cache_folder"], data)
    steps = read_averaging(options["engine"], options["averaging"], options["averaging_steps"])
    run = FilesTrainingRun(classifier_of(options, network=bool(why)), sources, target, options, workers, steps)
    try:
        run.prepare()
    except KeyboardInterrupt:
        _end_before_training(ctx, options)
    run.report_table(why)
    return run, path


def _end_before_training(ctx: click.Context, options: dict[str, Any]) -> NoReturn:
    """End a run on files that Ctrl-C has ended before there was anything to keep in a model."""
    kept = options["checkpoint"] is not None or options["cache_folder"] is not None
    more = " The rows read so far are kept: run the same command again to continue." if kept else ""
    say(f"Interrupted before the training began; no model was written.{more}")
    ctx.exit(130)


def _no_target(they_are: str, names: list[str], more: str = "") -> click.UsageError:
    """Return the error that asks for the column to predict, and lists the columns."""
    return click.UsageError(f"Say which column to predict: --target COLUMN. {they_are} {harmless(_some(names))}.{more}")


def _model_path(
    data: tuple[str, ...], target: str, names: list[str], output: str | None, options: dict[str, Any]
) -> "Path":
    """Return the path of the model; raise if it or the path of another output can't be used."""
    from ...errors import DataError
    from ..output_paths import check_model_output, check_output, check_replaced, default_output

    _refuse_contradictions(target, options)
    path = check_model_output(default_output(data) if output is None else output, *data, is_named=output is not None)
    if output is None and target in names:
        check_replaced(path, target, names)
    for option in ("checkpoint", "study"):
        if options[option] is not None and check_output(options[option], *data, option=f"--{option}") == path:
            raise DataError(f"{path} is the path of the model, expected another path for --{option}.")
    return path


def _resuming(options: dict[str, Any]) -> str:
    """Say how an interrupted training on files goes on."""
    if options["checkpoint"] is not None:
        return f"Run the same command again to resume the training from {options['checkpoint']}."
    return "To make a training resumable, start it with --checkpoint FILE."


def _columns_to_read(target: str | None, options: dict[str, Any]) -> list[str] | None:
    """Return the columns that are named, and those that other options need; None for all."""
    if not options["columns"]:
        return None
    if target is None:
        raise click.UsageError("--column needs the column to predict beside it. Pass --target COLUMN too.")
    others = [options[option] for option in ("weight", "groups", "time")]
    chosen = [*options["columns"], target, *(name for name in others if name is not None)]
    for option in ("types", "ignore", "keep"):
        for name in options[option]:
            if name not in chosen:
                of = option.removesuffix("s")
                raise click.UsageError(f"{harmless(name)} is named by --{of} but not by --column, so it is not read.")
    return chosen


def _refuse_contradictions(target: str, options: dict[str, Any]) -> None:
    """Raise an error if a column is named for two purposes."""
    uses = {"weight": "the weight", "groups": "the column of groups", "time": "the column of times"}
    uses |= {option: f"among the columns to --{option}" for option in ("ignore", "keep")}
    for option, where in uses.items():
        if target in (options[option] if option in ("ignore", "keep") else [options[option]]):
            raise click.UsageError(f"The target {harmless(target)} is {where}.")
    wanted = {"keep": options["keep"], "type": options["types"]}
    wanted |= {option: [options[option]] for option in ("weight", "groups")}
    for option, names in wanted.items():
        for name in names:
            if name in options["ignore"]:
                raise click.UsageError(f"{harmless(name)} is named by --ignore and by --{option}. Pass one of them.")


def _typed(path: str) -> str:
    """Write a path or a name as it is typed in a shell, where a path that begins with a dash would be an option."""
    return shlex.quote(f"./{path}" if path.startswith("-") else path)


def _some(names: list[str]) -> str:
    """Write the first names, how many are left out, and the last: often the target."""
    if len(names) <= MOST_NAMES:
        return ", ".join(names)
    return f"{', '.join(names[: MOST_NAMES - 1])}, {len(names) - MOST_NAMES} more, and {names[-1]}"
