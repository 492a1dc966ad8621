"""glassmax evaluate: a model scored on a table whose classes are known."""

import click

from .talk import counted, say, show, show_json


@click.command("evaluate")
@click.argument("model")
@click.argument("data")
@click.option("--json", "as_json", is_flag=True, help="Print the result as JSON.")
def command(model: str, data: str, as_json: bool) -> None:
    """Score a model on a table that has the target column.

    MODEL is a file that `glassmax train` has written; DATA a CSV file, or a built-in example. The table is scored
    whole: where it is the one of training, rows of training are among those scored.

    \b
    Example:
      glassmax evaluate penguins.safetensors penguins
    """
    import numpy as np

    from ..errors import DataError
    from ..model import load_model
    from ..table import read_labels, read_table
    from .train import score_rows, show_score

    loaded = load_model(model)
    table = read_table(data)
    if loaded.encoding is None:
        raise DataError(f"{model} was trained in Python and knows no tables. Score it from Python: load_model(...).")
    target = loaded.encoding.target
    labels, rows = read_labels(table, target, repeating=False)
    if len(rows) < table.n_rows:
        say(f"{table.name}: without a {target} and left out: {counted(table.n_rows - len(rows), 'row')}")
    classes = [str(label) for label in loaded.classes]
    index = {label: position for position, label in enumerate(classes)}
    for row, label in zip(rows, labels, strict=True):
        if str(label) not in index:
            raise DataError(
                f"{table.place(int(row))}: {target} is {str(label)!r}, "
                f"expected a class of the model: {', '.join(classes[:10])}."
            )
    table = table.rows(rows)
    for note in loaded.encoding.encode(table).notes:
        say(f"{table.name}: {note}")
    score = score_rows(loaded, table, np.array([index[str(label)] for label in labels]))
    if as_json:
        show_json(
            {
                "rows": len(rows),
                "accuracy": score.accuracy,
                "log_loss": score.log_loss,
                "classes": loaded.classes.tolist(),
                "confusion": score.confusion.tolist(),
            }
        )
    else:
        show(show_score(score, f"{len(rows)} rows of {table.name}", loaded.classes))
