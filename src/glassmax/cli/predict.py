"""glassmax predict: a model and a table in, predictions out."""

import csv
import io

import click

from .talk import say, show


@click.command("predict")
@click.argument("model")
@click.argument("data")
@click.option("--proba", is_flag=True, help="Add a column with the probability of each class.")
@click.option("--output", "-o", metavar="FILE", help="Write the CSV there instead of to stdout.")
def command(model: str, data: str, proba: bool, output: str | None) -> None:
    """Predict the class of each row of a table, as CSV.

    MODEL is a file that `glassmax train` has written; DATA a CSV file with the same columns (in any order, others are
    not looked at), or a built-in example.

    \b
    Example:
      glassmax predict penguins.safetensors penguins --proba
    """
    from ..errors import DataError
    from ..files import write_whole
    from ..model import load_model
    from ..table import read_table
    from .train import check_output

    if output is not None:
        check_output(output, model, data)
    loaded = load_model(model)
    table = read_table(data)
    if loaded.encoding is None:
        raise DataError(f"{model} was trained in Python and knows no tables. Predict from Python: load_model(...).")
    for note in loaded.encoding.encode(table).notes:
        say(f"{table.name}: {note}")
    P = loaded.predict_proba(table)
    text = io.StringIO()
    writer = csv.writer(text, lineterminator="\n")
    writer.writerow(["prediction", *(f"p({label})" for label in loaded.classes)] if proba else ["prediction"])
    for label, probabilities in zip(loaded.classes[P.argmax(axis=1)], P, strict=True):
        writer.writerow([label, *(repr(float(p)) for p in probabilities)] if proba else [label])
    if output is None:
        show(text.getvalue())
        return
    try:
        write_whole(output, text.getvalue().encode())
    except OSError as error:
        raise DataError(f"{output} can't be written: {error.strerror}. Nothing has changed.") from None
    say(f"{table.n_rows} predictions are in {output}.")
