"""glassmax train: a table in, a model out."""

import shlex
from typing import Any

import click

from ..config import as_toml
from ..grouped import GroupedCommand, file_format
from ..talk import busy, harmless, say, show, show_json
from ..terminal import ATTENTION, GOOD
from ..train_options import describes_network, train_options, unused, without_effect
from ..wording import option_of

__all__ = ["command"]

MOST_NAMES = 30


@click.command("train", cls=GroupedCommand)
@click.argument("data", required=False, metavar="DATA")
@train_options
@click.pass_context
def command(ctx: click.Context, /, data: str | None, target: str | None, output: str | None, **options: Any) -> None:
    """Train a softmax classifier on a table.

    DATA is a CSV, TSV, JSON lines, Parquet or Arrow file, which may be compressed with gzip or zstd; - for standard
    input; or a built-in example: digits, penguins, iris, wine, toy. glassmax detects the file format, the type of each
    column, missing cells, and columns that give the target away, and reports them on stderr. The result goes to stdout.

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
      glassmax train flowers.csv --target species --print-config > run.toml
      glassmax train --config run.toml --learning-rate 0.01
    """
    from ...errors import DataError, worded
    from ...table import read_table

    if options["print_config"]:
        show(as_toml(ctx, unused(ctx)))
        return
    if data is None:
        raise click.UsageError("Missing argument 'DATA'.")
    if options["balanced"] and options["class_weight"]:
        raise click.UsageError("--balanced and --class-weight both weigh the classes. Pass one of them.")
    why = describes_network(ctx)
    from ..output_paths import check_model_output, check_output, check_replaced, default_output
    from ..training_run import TrainingRun, check_options, classifier_of

    check_options(options, network=bool(why))
    form = file_format(options) | {"columns": _columns_to_read(target, options)}
    table = read_table(data, **form)
    target = target or table.target
    if target is None:
        columns = harmless(_some(table.names))
        header = worded(table.without_header(), option_of)
        raise click.UsageError(f"Say which column to predict: --target COLUMN. {table.name} has {columns}.{header}")
    _refuse_contradictions(target, options)
    path = check_model_output(default_output(data) if output is None else output, data)
    if output is None and target in table.names:
        check_replaced(path, target, table.names)
    for option in ("checkpoint", "study"):
        if options[option] is not None and check_output(options[option], data) == path:
            raise DataError(f"{path} is the path of the model, expected another path for --{option}.")
    held = options["validation"]
    validation = read_table(held, **form) if isinstance(held, str) else None
    classifier = classifier_of(options, network=bool(why), table=table.name)
    with busy("Learning the classes and the columns"):
        run = TrainingRun(classifier, table, target, options, validation)
    run.report_table(why)
    for sentence in without_effect(ctx):
        say(sentence, ATTENTION)
    try:
        interrupted = run.train()
    except ArithmeticError:
        run.rescue(path)
        raise
    result = run.judge()
    replaces = path.is_file()
    run.classifier.save(path)
    if options["as_json"]:
        show_json(result.as_json() | run.facts() | {"model": str(path)})
    else:
        show(result.as_text())
    say()
    doubts = run.doubts()
    style = GOOD if result.celebrates and not doubts else "" if result.is_useful else ATTENTION
    for line in result.verdict():
        say(line, style)
    again = data if data != "-" else "NEW.csv"
    where = f"The model is in {path}{', where it replaces an earlier one' if replaces else ''}."
    keep = "".join(f" --keep {_typed(name)}" for name in run.identifiers()[:1])
    say(f"{where} Use it:", command=f"glassmax predict {_typed(str(path))} {_typed(again)}{keep}")
    for line in doubts:
        say(line, ATTENTION)
    if interrupted:
        say(f"Training was interrupted: the model has learned from {run.progress()}.")
        ctx.exit(130)


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
