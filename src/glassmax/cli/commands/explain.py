"""glassmax explain: every array of a batch, forward and backward, with its equation and the reason for it."""

import re
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from ..grouped import FILE_FORMAT, RESULT, GroupedCommand, file_format, group, option
from ..talk import harmless, say, show, show_json

if TYPE_CHECKING:
    from collections.abc import Iterator

    from ...tracing import Trace

__all__ = ["command"]

DEFAULT_ROWS = 5
FORMATS = ("as_json", "markdown", "latex", "html")


@click.command("explain", cls=GroupedCommand)
@click.argument("model")
@click.argument("data", required=False)
@group(
    "Rows",
    option("--row", "Row to explain, counted from 1.", click.IntRange(1)),
    option("--rows", "First and last row to explain, counted from 1: 10:14.  [default: the first 5]", metavar="A:B"),
    option("--weight", "Column of sample weights, >= 0.", metavar="COLUMN"),
    option(
        "--member",
        "Network of an ensemble, counted from 0.  [default: the one with the largest weight]",
        click.IntRange(0),
    ),
)
@group(
    "Instead of the whole ledger",
    option("--only", "Array to show, such as dW2. May be repeated.", multiple=True, metavar="NAME"),
    option(
        "--cell",
        "Cell to take apart, with indices from 0, or from -1 at the end, such as dW2[3,1]. May be repeated.",
        multiple=True,
        metavar="CELL",
    ),
    option("--naive", "Show the usual mistakes beside the right computation, for the first of the rows.", is_flag=True),
    option(
        "--nudge",
        "Cell of a parameter or of X to change, such as W2[3,1]. May be repeated.",
        multiple=True,
        metavar="CELL",
    ),
    option("--step", "Number that --nudge adds to the cell.  [default: 0.001]", metavar="NUMBER"),
)
@group("Data", *FILE_FORMAT)
@group(
    "Output",
    option("--markdown", "Print the ledger as Markdown.", is_flag=True),
    option("--latex", "Print the ledger as LaTeX.", is_flag=True),
    option("--html", "Write a web page of all arrays, step by step, with every cell taken apart.", metavar="FILE"),
    *RESULT,
)
def command(model: str, data: str | None, **asked: Any) -> None:
    """Show every array of a batch: equation, shape, numbers and reason.

    MODEL is a file that `glassmax train` has written. DATA is a table that has the target column. The rows of DATA form
    one batch. The output shows the forward pass of the batch, the loss, the backward pass down to the inputs, and a
    step of gradient descent. `glassmax explain toy` needs no model: it shows a network of 4 inputs, 10 hidden units and
    3 classes on five rows.

    \b
    Examples:
      glassmax explain toy
      glassmax explain toy --cell dW2[3,1]
      glassmax explain toy --html toy.html
      glassmax explain penguins.safetensors penguins --rows 10:14
    """
    _refuse_together(asked)
    if data is None and model != "toy":
        raise click.UsageError(
            f"DATA is missing: give a table for the model {harmless(model)}. Only toy needs no model."
        )
    page = None if asked["html"] is None else _page(asked["html"], model, data)
    trace = _toy(asked) if data is None else _of_model(model, data, asked)
    parts = _parts(trace, asked)
    if asked["as_json"]:
        show_json(trace.to_dict() if parts is None else {"shown": [_plain(trace, part) for part in parts]})
    elif page is not None:
        trace.to_html(page)
        say(f"The page is in {harmless(str(page))}. It opens in any browser, offline.")
    elif asked["markdown"] or asked["latex"]:
        show(trace.markdown() if asked["markdown"] else trace.latex())
    else:
        from ..ledger_view import ledger, parts_as_text

        show(ledger(trace) if parts is None else parts_as_text(trace, parts))


def _refuse_together(asked: dict[str, Any]) -> None:
    """Raise where options exclude each other."""
    formats = [f"--{name.removeprefix('as_')}" for name in FORMATS if asked[name] not in (None, False)]
    if len(formats) > 1:
        raise click.UsageError(f"{' and '.join(formats)} can't be combined. Leave all but one of them out.")
    if asked["row"] is not None and asked["rows"] is not None:
        raise click.UsageError("--row and --rows can't be combined. Leave one of them out.")
    if asked["step"] is not None and not asked["nudge"]:
        raise click.UsageError("--step changes nothing without --nudge. Leave it out.")
    narrowed = [f"--{name}" for name in ("only", "cell", "naive", "nudge") if asked[name]]
    if narrowed and (asked["markdown"] or asked["latex"] or asked["html"] is not None):
        does = "has" if asked["html"] is not None else "prints"
        raise click.UsageError(f"{narrowed[0]} can't be combined with {formats[0]}, which {does} the whole ledger.")


def _page(path: str, model: str, data: str | None) -> Path:
    """Return where the page is written, or raise before the work begins."""
    from ..output_paths import check_page_output

    return check_page_output(path, *([] if data is None else [model, data]), option="--html")


def _toy(asked: dict[str, Any]) -> "Trace":
    from ...tracing import toy, trace

    for name in ("weight", "member", "delimiter", "decimal", "encoding", "header", "missing_words"):
        if asked[name] is not None:
            raise click.UsageError(
                f"--{name.replace('_', '-')} changes nothing for toy, which has no file. Leave it out."
            )
    network, X, y = toy()
    start, stop = _range(asked) or (1, len(X))
    return trace(network, X, y, rows=_inside(start, stop, len(X), "toy"))


def _of_model(model: str, data: str, asked: dict[str, Any]) -> "Trace":
    from ...model import load_model
    from ...tracing import trace
    from .predict import columns_needed, refuse_swapped

    refuse_swapped(model, (data,))
    if model == "toy" and not Path(model).exists():
        raise click.UsageError("toy has rows of its own and takes no DATA. Leave DATA out, or name a model file.")
    loaded = load_model(model)
    needed = columns_needed(loaded, model, "Explain it")
    assert loaded.encoding is not None
    target = loaded.encoding.target
    wanted = _range(asked)
    start, stop = wanted or (1, DEFAULT_ROWS)
    form = file_format(asked, loaded.encoding)
    columns = [*needed, target, *([asked["weight"]] if asked["weight"] else [])]
    table, whole = _first_rows(data, columns, stop, form)
    rows = _inside(start, stop if wanted else min(stop, table.n_rows), table.n_rows, table.name)
    found = trace(loaded, table, target, asked["weight"], rows, member=asked["member"])
    if wanted is None and not whole:
        say(f"{table.name}: rows {start} to {stop} are explained. --rows A:B chooses others.")
    return found


def _first_rows(data: str, columns: list[str], stop: int, form: dict[str, Any]) -> Any:
    """Read a table as far as the last row that is asked for; return it, and whether that is all of it."""
    from ...table import joined, read_batches

    pieces, count = [], 0
    for table in read_batches(data, columns=columns, **form):
        pieces.append(table)
        count += table.n_rows
        if count > stop:
            break
    whole = joined(pieces)
    return whole.rows(slice(0, min(stop, whole.n_rows))), count <= stop


def _range(asked: dict[str, Any]) -> tuple[int, int] | None:
    """Return the first and the last row, counted from 1; None for the default."""
    if asked["row"] is not None:
        return asked["row"], asked["row"]
    if asked["rows"] is None:
        return None
    found = re.fullmatch(r"(\d+):(\d+)", asked["rows"].strip())
    if found is None or not 1 <= int(found[1]) <= int(found[2]):
        raise click.UsageError(
            f"--rows is {harmless(asked['rows'])!r}, expected the first and the last row, counted from 1: 10:14."
        )
    return int(found[1]), int(found[2])


def _inside(start: int, stop: int, n: int, name: str) -> slice:
    from ...errors import DataError

    if stop > n:
        raise DataError(f"{name} has {n} rows, expected at least {stop}, as --row or --rows asks for.")
    return slice(start - 1, stop)


def _parts(trace: "Trace", asked: dict[str, Any]) -> list[Any] | None:
    """Return what is shown instead of the ledger; None for the ledger."""
    if not any(asked[name] for name in ("only", "cell", "naive", "nudge")):
        return None
    step = _step(asked["step"])
    parts: list[Any] = []
    with _named("--only"):
        parts += [trace[name] for name in asked["only"]]
    with _named("--cell"):
        parts += [trace.cell(name, *index) for name, index in map(_cell, asked["cell"])]
    parts += trace.naive() if asked["naive"] else []
    with _named("--nudge"):
        parts += [trace.nudge(name, index, step) for name, index in map(_cell, asked["nudge"])]
    return parts


def _step(text: str | None) -> float:
    try:
        return 1e-3 if text is None else float(text)
    except ValueError:
        raise click.UsageError(f"--step is {harmless(text or '')!r}, expected a finite number other than 0.") from None


@contextmanager
def _named(option: str) -> "Iterator[None]":
    """Let an error about an array or an index open with the option that gave it."""
    from ...errors import OptionError

    try:
        yield
    except OptionError as error:
        if error.parameter not in ("name", "index"):
            raise
        raise OptionError(parameter=option, came=error.came, expected=error.expected, remedy=error.remedy) from None


def _cell(text: str) -> tuple[str, tuple[int, ...]]:
    """Read dW2[3,1]: the array and the indices."""
    from ...errors import OptionError

    found = re.fullmatch(r"\s*([^\[\]\s]+)\s*(?:\[\s*(-?\d+(?:\s*,\s*-?\d+)*)\s*\])?\s*", text)
    if found is None:
        raise OptionError(parameter="name", came=repr(text), expected="an array and its indices from 0: dW2[3,1]")
    return found[1], tuple(int(i) for i in found[2].split(",")) if found[2] else ()


def _plain(trace: "Trace", part: Any) -> dict[str, Any]:
    from ...tracing.formats.plain import plain_part

    return plain_part(trace, part)
