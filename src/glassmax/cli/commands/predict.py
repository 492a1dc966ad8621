"""glassmax predict: a model and a table in, predictions out, row by row as they are read."""

from typing import TYPE_CHECKING, Any

import click

from ..grouped import FILE_FORMAT, GroupedCommand, file_format, group, option
from ..talk import be_quiet, harmless, say, shortened

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from ...model import Model
    from ...table import Table, UnseenCounts

__all__ = ["command"]

FORMATS = {".csv": "csv", ".parquet": "parquet", ".pq": "parquet", ".jsonl": "jsonl", ".ndjson": "jsonl"}
MOST_PROBABILITIES = 10_000
"""Maximum number of probabilities in a line; longer lines are hard to read for people and for programs."""
OTHER_FORMATS = (".arrow", ".feather", ".gz", ".json", ".tsv", ".xls", ".xlsx", ".zst")


@click.command("predict", cls=GroupedCommand)
@click.argument("model")
@click.argument("data", nargs=-1, required=True, metavar="DATA...")
@group(
    "Predictions",
    option("--proba", "Add the probability of each class.", is_flag=True),
    option("--top", "Add the N most probable classes and their probabilities.", type=click.IntRange(1), metavar="N"),
    option(
        "--above",
        "Write one line for each class whose probability in a row is at least P, in place of one line for each row.",
        type=click.FloatRange(0.001, 1),
        metavar="P",
    ),
    option(
        "--coverage",
        "Add a prediction set; the sets hold the true class of this share of new rows.",
        type=click.FloatRange(0, 1, min_open=True, max_open=True),
        metavar="SHARE",
    ),
    option("--allow-empty", "Leave a prediction set empty if no class is probable enough for it.", is_flag=True),
    option(
        "--keep",
        "Column of DATA to write before the prediction, such as an identifier. May be repeated.",
        metavar="COLUMN",
        multiple=True,
    ),
)
@group("Data", *FILE_FORMAT)
@group(
    "Output",
    option("--output -o", "Output file, written whole or not at all.  [default: stdout]", metavar="FILE"),
    option(
        "--format form",
        "Output format.  [default: from the name of FILE, otherwise csv]",
        type=click.Choice(["csv", "parquet", "jsonl"]),
    ),
    option("--quiet -q", "Print only the predictions and errors.", is_flag=True, callback=be_quiet),
)
def command(model: str, data: tuple[str, ...], **options: Any) -> None:
    """Predict the class of each row of a table.

    MODEL is a file that `glassmax train` has written. DATA is a table in any format that train reads, - for standard
    input, or a built-in example. It may also be several files: a folder, a glob, or several paths. Their rows are
    predicted in the natural order of the files (part-2 before part-10), into one output. The columns of DATA may be in
    any order. Columns that the model doesn't use are ignored. DATA may be larger than memory: predictions are written
    as rows are read. Missing cells that were filled, and values that training never saw, are counted on stderr.

    With --coverage 0.9, the column "set" holds a set of classes for each row. The sets hold the true class in 90 % of
    new rows, or in more. The most probable class comes first; in CSV, classes are separated by |. If the model is right
    in more than 90 % of the rows, some sets would be empty. Such a set holds the most probable class instead, which
    raises the share of rows whose set holds the true class. With --allow-empty, these sets stay empty, and the share
    is 90 %.

    For a model with very many classes, --top 5 adds the five most probable classes to each line. --above 0.01 writes
    one line for each class whose probability is at least 0.01, with the number of its row, counted from 1 through all
    files.

    \b
    Examples:
      glassmax predict digits.safetensors digits --proba
      glassmax predict flowers.safetensors new.parquet --top 3 --keep id -o predictions.parquet
      glassmax predict products.safetensors new.csv --above 0.01 --keep id
      glassmax predict flowers.safetensors new/ --keep id -o predictions.parquet
      cat new.csv | glassmax predict flowers.safetensors - > predictions.csv
    """
    from ...errors import DataError
    from ...model import load_model
    from ...table import UnseenCounts
    from ..data_paths import batches_of, check_data
    from ..output_paths import check_output
    from ..predictions import writer_of

    refuse_swapped(model, data)
    check_data(data)
    _refuse_together(options)
    output = options["output"]
    if output is not None:
        if options["form"] is None and output.lower().endswith(OTHER_FORMATS):
            raise click.UsageError(
                f"{harmless(output)} would be written as CSV, but doesn't end in .csv. Pass --format or another name."
            )
        check_output(output, model, *data)
    loaded = load_model(model)
    needed = columns_needed(loaded, model, "Predict")
    if options["coverage"] is not None and loaded.conformal is None:
        raise DataError(
            f"{model} has no scores for --coverage: a model that glassmax train --preset has made has them."
        )
    if options["proba"] and len(loaded.classes) > MOST_PROBABILITIES:
        raise click.UsageError(
            f"--proba adds a column for each class, and {harmless(model)} has {len(loaded.classes):,} classes, "
            f"expected {MOST_PROBABILITIES:,} at most. Pass --top N for the N most probable classes of each row, or "
            "--above P for the classes with a probability of at least P."
        )
    kind = options["form"] or FORMATS.get("." + str(output).rpartition(".")[2].lower(), "csv")
    keep, counts, rows = list(dict.fromkeys(options["keep"])), UnseenCounts(), 0
    tables, of_all = batches_of(data, [*needed, *keep], file_format(options, loaded.encoding))
    name = of_all or data[0]
    with writer_of(kind, output, len(keep)) as writer:
        for table, columns in _columns(loaded, _checked(tables, keep), counts, keep, options):
            writer.write(columns)
            name, rows = of_all or table.name, rows + table.n_rows
    assert loaded.encoding is not None
    for note in counts.notes(loaded.encoding.columns):
        say(f"{name}: {note}")
    _warn_of_formulas(loaded)
    if output is not None:
        say(f"{rows} predictions are in {output}.")


def _refuse_together(options: dict[str, Any]) -> None:
    """Raise if options contradict each other."""
    if options["allow_empty"] and options["coverage"] is None:
        raise click.UsageError("--allow-empty is about the prediction sets of --coverage. Pass --coverage SHARE too.")
    others = [name for name in ("proba", "top", "coverage") if options[name]]
    if options["above"] is not None and others:
        raise click.UsageError(
            f"--above writes one line for each class of a row, and --{others[0]} adds columns to one line for each "
            "row. Pass one of them."
        )


def _columns(
    model: "Model", tables: Any, counts: "UnseenCounts", keep: list[str], options: dict[str, Any]
) -> "Iterator[tuple[Table, dict[str, list[Any]]]]":
    """Yield tables, each with the columns that are written for its rows."""
    from ...engine import MANY_CLASSES
    from ..prediction_columns import columns_above, columns_of_rows, lists_of_above, lists_of_sets, top_of

    top, coverage, proba = min(options["top"] or 0, len(model.classes)), options["coverage"], options["proba"]
    how: dict[str, Any] = {"keep": keep, "top": top}
    allow_empty = options["allow_empty"]
    if options["above"] is not None:
        first = 1
        for table, above in model.predictions_above(tables, options["above"], counts):
            yield table, columns_above(table, model.classes, above, first, keep=keep)
            first += table.n_rows
    elif coverage is not None and not proba and len(model.classes) >= MANY_CLASSES:
        for table, best, above in model.top_predictions_with_sets(tables, max(top, 1), coverage, counts):
            held = lists_of_above(above, best, model.classes, allow_empty=allow_empty)
            yield table, columns_of_rows(table, model.classes, best, sets=held, **how)
    elif coverage is not None:
        for table, P, inside in model.predictions_with_sets(tables, coverage, counts, allow_empty=allow_empty):
            how |= {"P": P if proba else None, "sets": lists_of_sets(P, inside, model.classes)}
            yield table, columns_of_rows(table, model.classes, top_of(P, max(top, 1)), **how)
    elif proba:
        for table, P in model.predictions(tables, counts):
            yield table, columns_of_rows(table, model.classes, top_of(P, max(top, 1)), P=P, **how)
    else:
        for table, best in model.top_predictions(tables, max(top, 1), counts):
            yield table, columns_of_rows(table, model.classes, best, **how)


def refuse_swapped(model: str, data: "Sequence[str]") -> None:
    """Raise if the names of the files say that the table was typed in the place of the model."""
    if model.endswith(".safetensors"):
        return
    found = next((one for one in data if one.endswith(".safetensors")), None)
    if found is not None:
        raise click.UsageError(f"MODEL is {harmless(model)} and DATA is {harmless(found)}. Are the two swapped?")


def _checked(tables: Any, keep: list[str]) -> Any:
    """Report an unusual file format, and a column to keep that doesn't exist, at the first rows."""
    for number, table in enumerate(tables):
        if number == 0:
            _say_how(table)
            for name in keep:
                table.column(name)
        yield table


def _say_how(table: "Table") -> None:
    usual = table.how in ("", "Parquet", "Arrow") or table.how.startswith(("CSV in UTF-8, cells separated by commas",))
    if not usual or "decimal" in table.how:
        say(f"{table.name}: read as {table.how}")
    for note in table.notes:
        say(f"{table.name}: {note}")


def columns_needed(model: "Model", path: str, verb: str) -> list[str]:
    """Return the columns that a model needs, or raise if it knows no tables."""
    from ...errors import DataError

    if model.encoding is None:
        raise DataError(f"{path} was trained in Python and knows no tables. {verb} from Python: load_model(...).")
    if model.network.head.output != "softmax":
        raise DataError(f"{path} has {model.network.head.output} output, expected softmax: one class a row.")
    return model.encoding.names


def _warn_of_formulas(model: "Model") -> None:
    odd = [str(label) for label in model.classes if str(label)[:1] in ("=", "@", "+")]
    if odd:
        shown = shortened(harmless(odd[0]))
        say(f"A spreadsheet would take the class {shown!r} for a formula: import the predictions as text.")
