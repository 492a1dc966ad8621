"""glassmax evaluate: a model scored on a table whose classes are known."""

import math
from typing import TYPE_CHECKING, Any

import click

from ..grouped import FILE_FORMAT, RESULT, GroupedCommand, file_format, group, option
from ..talk import counted, say, show, show_json

if TYPE_CHECKING:
    from ...model import Model
    from ...table import UnseenCounts
    from ...training.table_scoring import TableScoring

__all__ = ["command"]

SET_ROWS = {"coverage": "coverage, 90 % sets", "mean_size": "mean size, 90 % sets"}
SOME_EMPTY = "The mean size of the sets is below 1 (some sets are empty): the model is right more often than 90 %."


@click.command("evaluate", cls=GroupedCommand)
@click.argument("model")
@click.argument("data", nargs=-1, required=True, metavar="DATA...")
@group(
    "Scoring",
    option("--by", "Column to group by: also print the metrics for each of its values.", metavar="COLUMN"),
    option("--weight", "Column of sample weights, >= 0.", metavar="COLUMN"),
    option(
        "--top",
        "Also print the top-N accuracy: the share of rows whose class is one of the N most probable classes.",
        type=click.IntRange(1),
        metavar="N",
    ),
    option("--reliability", "Also print how often the model was right, by the probability of its class.", is_flag=True),
    option(
        "--candidates",
        "Separator of candidate classes in a target cell.  [default: as the model was trained]",
        metavar="SEP",
    ),
)
@group("Data", *FILE_FORMAT)
@group("Output", *RESULT)
def command(
    model: str,
    data: tuple[str, ...],
    by: str | None,
    weight: str | None,
    candidates: str | None,
    top: int | None,
    reliability: bool,
    as_json: bool,
    **options: Any,
) -> None:
    """Score a model on a table that has the target column.

    MODEL is a file that `glassmax train` has written. DATA is a table in any format that train reads, or several files:
    a folder, a glob, or several paths. DATA may be larger than memory. All of its rows are scored, including those that
    the model was trained on, if DATA holds any. A calibrated model is also scored without its calibration. With
    --reliability, the rows are binned by the probability of the predicted class: the bar of each bin ends at the
    accuracy, and the mark is at the mean probability. If the model is well calibrated, the bar ends near the mark.

    For more than 20 classes, the most frequent confusions are printed in place of the confusion matrix. With --json,
    "confusion" holds the matrix for up to 500 classes; for more, "confused" holds the 1,000 most frequent confusions,
    each as true class, predicted class and number of rows. "n_classes" is the number of classes, and "classes" holds
    the first 1,000 of them.

    \b
    Examples:
      glassmax evaluate digits.safetensors digits
      glassmax evaluate flowers.safetensors more.csv --by region --json
      glassmax evaluate products.safetensors more/ --top 5
    """
    from ...model import load_model
    from ...table import UnseenCounts
    from ...training.table_scoring import COVERAGE, TableScoring
    from ..data_paths import batches_of, check_data
    from ..reliability import reliability_as_json, reliability_as_text
    from ..result import Result, classes_as_json, figures_as_json, groups_as_text
    from .predict import columns_needed, refuse_swapped

    refuse_swapped(model, data)
    check_data(data)
    loaded = load_model(model)
    needed = columns_needed(loaded, model, "Score it")
    assert loaded.encoding is not None
    wanted = [*needed, loaded.encoding.target, *(name for name in (by, weight) if name)]
    trained_with = loaded.record.get("candidates")
    separator = candidates or (trained_with if isinstance(trained_with, str) else None)
    tables, name = batches_of(data, wanted, file_format(options, loaded.encoding))
    scoring = TableScoring(loaded, by, weight, separator, top, name=name)
    surprises = UnseenCounts()
    scoring.count(tables, surprises)
    _report_rows(scoring, surprises, loaded, named=data != ("-",))
    name = scoring.name
    figures, trivial, sets = scoring.whole.metrics(), scoring.trivial(), scoring.set_figures()
    raw = None if scoring.uncalibrated is None else scoring.uncalibrated.metrics()
    if as_json:
        facts = {"rows": figures.rows, **figures_as_json(figures, loaded.classes), **classes_as_json(loaded.classes)}
        if top is not None:
            facts[f"top_{top}_accuracy"] = scoring.top_accuracy()
        if raw is not None:
            facts["uncalibrated"] = {"log_loss": raw.log_loss, "calibration_error": raw.calibration_error}
        if sets:
            facts["prediction_sets"] = {"promised": COVERAGE, **sets}
        if reliability:
            facts["reliability"] = reliability_as_json(scoring.whole.reliability())
        if by is not None:
            facts["by"] = {
                by: {
                    value: _group_as_json(running.metrics(), loaded.classes)
                    for value, running in scoring.groups.items()
                }
            }
        show_json(facts)
        return
    first = "network" if len(loaded.networks) == 1 else "ensemble"
    columns = {first: figures, **({} if raw is None else {"uncalibrated": raw}), "class frequencies": trivial}
    more = {SET_ROWS[key]: [value] + [math.nan] * (len(columns) - 1) for key, value in sets.items()}
    if top is not None:
        more = {f"top-{top} accuracy": [scoring.top_accuracy()] + [math.nan] * (len(columns) - 1), **more}
    notes = [SOME_EMPTY] if sets.get("mean_size", 1) < 1 else []
    show(Result(f"{counted(figures.rows, 'row')} of {name}", columns, loaded.classes, more, notes=notes).as_text())
    if reliability:
        show("\n" + reliability_as_text(scoring.whole.reliability()) + "\n")
    if by is not None:
        show("\n" + groups_as_text(by, {value: running.metrics() for value, running in scoring.groups.items()}) + "\n")


def _report_rows(scoring: "TableScoring", surprises: "UnseenCounts", model: "Model", *, named: bool) -> None:
    """Report rows without a class, and cells that were filled or not seen in training, on stderr."""
    name, encoding = scoring.name, model.encoding
    assert encoding is not None
    if scoring.unlabelled:
        say(f"{name}: left out because {encoding.target} is missing: {counted(scoring.unlabelled, 'row')}")
    for note in surprises.notes(encoding.columns):
        say(f"{name}: {note}")
    if named and name == model.record.get("table"):
        say(
            f"{name}: the model was trained on {model.record.get('training_rows')} rows of a table of this name. "
            "If these are the same rows, the metrics don't show how well the model predicts new rows."
        )


def _group_as_json(figures: Any, classes: Any) -> dict[str, Any]:
    """Return the figures of a group, without its confusions; null where there are none."""
    from ..result import figures_as_json

    named = {key: one for key, one in figures_as_json(figures, classes).items() if not key.startswith("confus")}
    return {"rows": figures.rows} | {key: one if one == one else None for key, one in named.items()}
