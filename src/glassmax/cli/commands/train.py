"""glassmax train: a table in, a model out."""

import shlex
from typing import Any

import click

from ..config import as_toml
from ..grouped import GroupedCommand
from ..talk import counted, harmless, say, show, show_json
from ..terminal import ATTENTION, GOOD
from ..train_options import train_options, without_effect

__all__ = ["command"]


@click.command("train", cls=GroupedCommand)
@click.argument("data", required=False, metavar="DATA")
@train_options
@click.pass_context
def command(ctx: click.Context, /, data: str | None, target: str | None, output: str | None, **options: Any) -> None:
    """Train a softmax classifier on a table.

    DATA is a CSV, TSV, JSON lines, Parquet or Arrow file, which may be compressed with gzip or zstd; - for standard
    input; or a built-in example: digits, penguins, iris, wine, toy. glassmax detects the file format, the type of each
    column, missing cells, and columns that give the target away, and reports them on stderr. The result goes to stdout.

    \b
    Examples:
      glassmax train digits
      glassmax train flowers.csv --target species --hidden 64,32
      glassmax train flowers.csv --target species --print-config > run.toml
      glassmax train --config run.toml --learning-rate 0.01
    """
    from ...errors import DataError
    from ...table import read_table

    if options["print_config"]:
        show(as_toml(ctx))
        return
    if data is None:
        raise click.UsageError("Missing argument 'DATA'.")
    if options["balanced"] and options["class_weight"]:
        raise click.UsageError("--balanced and --class-weight both weigh the classes. Pass one of them.")
    from ..output_paths import check_model_output, check_output, default_output
    from ..training_run import TrainingRun, check_options

    options["early_stopping"] |= options["validation"] is not None or options["metric"] is not None
    check_options(options)
    form = {name: options[name] for name in ("delimiter", "decimal", "encoding")}
    table = read_table(data, **form)
    target = target or table.target
    if target is None:
        columns = harmless(_some(table.names))
        raise click.UsageError(f"Say which column to predict: --target COLUMN. {table.name} has {columns}.")
    for option in ("ignore", "keep", "weight"):
        named = options[option] if option != "weight" else [options[option]]
        if target in named:
            where = "the weight" if option == "weight" else f"among the columns to --{option}"
            raise click.UsageError(f"The target {harmless(target)} is {where}.")
    _refuse_contradictions(options)
    path = check_model_output(default_output(data) if output is None else output, data)
    if options["checkpoint"] is not None and check_output(options["checkpoint"], data) == path:
        raise DataError(f"{path} is the path of the model, expected another path for --checkpoint.")
    run = TrainingRun(table, target, options, form)
    run.report_table()
    for sentence in without_effect(ctx):
        say(sentence, ATTENTION)
    try:
        interrupted = run.train()
    except ArithmeticError:
        run.rescue(path)
        raise
    if interrupted and not run.classifier.n_iter_:
        raise KeyboardInterrupt
    model = run.model()
    result = run.judge(model)
    replaces = path.is_file()
    model.save(path)
    if options["as_json"]:
        show_json(result.as_json() | {"model": str(path)})
    else:
        show(result.as_text())
    say()
    for line in result.verdict():
        say(line, GOOD if result.network_is_better else ATTENTION)
    again = data if data != "-" else "NEW.csv"
    where = f"The model is in {path}{', where it replaces an earlier one' if replaces else ''}."
    say(f"{where} Use it:", command=f"glassmax predict {_typed(str(path))} {_typed(again)}")
    if interrupted:
        say(f"The model was trained for {counted(run.classifier.n_iter_, 'epoch')}.")
        ctx.exit(130)


def _refuse_contradictions(options: dict[str, Any]) -> None:
    """Raise an error if --ignore and another option name the same column."""
    wanted = {"keep": options["keep"], "type": options["types"], "weight": [options["weight"]]}
    for option, names in wanted.items():
        for name in names:
            if name in options["ignore"]:
                raise click.UsageError(f"{harmless(name)} is named by --ignore and by --{option}. Pass one of them.")


def _typed(path: str) -> str:
    """Write a path as it is typed in a shell, where a path that begins with a dash would be an option."""
    return shlex.quote(f"./{path}" if path.startswith("-") else path)


def _some(names: list[str]) -> str:
    """Write the first names, how many are left out, and the last: often the target."""
    if len(names) <= 9:
        return ", ".join(names)
    return f"{', '.join(names[:7])}, {len(names) - 8} more, and {names[-1]}"
