"""Every fault of the command line: what was typed, the files that lay there, the exit code and the exact words.

Each row also shows that a fault takes one to three lines and no traceback, and leaves the folder as it was.
"""

import os
import pickle
import re
import shlex
from pathlib import Path

import numpy as np
import pytest
from safetensors.numpy import save

from glassmax import Model, Network, read_table
from glassmax.table import Encoding
from tests.cli.test_cli import call


def table(header="x,c,y", n=24, end="", **columns):
    """Write a table: x counts, c takes turns, y is one of three classes; each can be another function of the row."""
    cells = {"x": str, "c": lambda i: "uv"[i % 2], "y": lambda i: "abc"[i % 3]} | columns
    lines = [",".join(cells[name](i) for name in "xcy") for i in range(n)]
    return ("\n".join([header, *lines]) + "\n" + end).encode()


def at(row, cell, otherwise=str):
    """A column in which one row, counted from 1, holds something else."""
    return lambda i: cell if i + 1 == row else otherwise(i)


TABLES = {
    "t.csv": table(),
    "empty.csv": b"",
    "bom.csv": b"\xef\xbb\xbf",
    "header.csv": b"x,c,y\n",
    "binary.csv": b"\x01\x03\x04\0\0",
    "latin.csv": table(end="1,\xe9,a\n") + "2,\xe9,a\n".encode("latin-1"),
    "ragged.csv": table(end="1,u\n"),
    "quote.csv": table(end='1,"u,a\n2,u,a\n'),
    "long.csv": table(end="1," + "u" * 140_000 + ",a\n"),
    "twice.csv": table("x,x,y"),
    "unnamed.csv": table("x,,y"),
    "text.csv": table(x=at(17, "n/k")),
    "inf.csv": table(x=at(3, "inf")),
    "huge.csv": table(x=at(3, "-1e308")),
    "names.csv": table(x=lambda i: "1", c=lambda i: f"name {i}"),
    "constant.csv": table(x=lambda i: "1", c=lambda i: "u"),
    "one.csv": table(y=lambda i: "a"),
    "none.csv": table(y=lambda i: "NA"),
    "measures.csv": table(y=lambda i: f"{i}.5"),
    "essay.csv": table(y=at(5, "z" * 1001, lambda i: "ab"[i % 2])),
    "class.csv": b"y\na\nb\n",
    "narrow.csv": table("x,d,y"),
    "untold.csv": table("x,c,z"),
    "new.csv": table(y=at(20, "d", lambda i: "abc"[i % 3])),
}

MODELS = {
    "m": lambda whole: whole,
    "cut": lambda whole: whole[:-9],
    "altered": lambda whole: whole[:-9] + b"\0" + whole[-8:],
    "pickle": lambda whole: pickle.dumps({"W1": [1.0]}, 4),
    "zip": lambda whole: b"PK\x03\x04" + bytes(100),
    "nothing": lambda whole: b"",
    "foreign": lambda whole: save({"W1": np.zeros((2, 2))}),
}

ACTIVATIONS = "identity, sigmoid, tanh, relu, leaky_relu, elu, selu, gelu, silu, mish, softplus"
CORRECT = "Correct the cell, or empty it: missing cells are filled."
QUOTE = "Is a quote opened there and not closed?"
NOT_WHOLE = "is not a whole safetensors file: it is truncated, altered, or something else."
WHOLE_SIZES = "expected whole numbers from 1 to 999999999 as 100 or 64,32, or none."
NO_FILE = "there is no such file. Built-in examples: digits, penguins, iris, wine, toy."
NO_MODEL = "there is no such file. Train one with: glassmax train DATA --target COLUMN"

COMMAND_LINE = {
    "an_unknown_command": (
        "tarin t.csv",
        "There is no command 'tarin', expected one of train, predict, evaluate, explain, derive, check, doctor, "
        "playground, info, completion. Did you mean 'train'?",
    ),
    "an_option_for_a_command": ("--target", "No such option*--target*"),
    "an_unknown_option": ("train t.csv --targe y", "No such option*--targe*Did you mean*--target*?*"),
    "no_data": ("train", "Missing argument 'DATA...'."),
    "two_tables": (
        "train t.csv iris --target y",
        "iris is a built-in example, which can't be read together with t.csv. Pass one example, or files.",
    ),
    "no_table_to_predict": ("predict m", "Missing argument 'DATA...'."),
    "no_model_to_predict_with": ("predict", "Missing argument 'MODEL'."),
    "no_model_to_evaluate": ("evaluate", "Missing argument 'MODEL'."),
    "no_value_for_an_option": ("train t.csv --target", "Option '--target' requires an argument."),
    "an_unknown_activation": (
        "train toy --activation tahn",
        f"--activation is 'tahn', expected one of {ACTIVATIONS}. Did you mean 'tanh'?",
    ),
    "two_types_of_a_column": (
        "train t.csv --target y --type x=number --type x=category",
        "--type gives 'x' the types number and category, expected one type.",
    ),
    "two_weights_of_a_class": (
        "train t.csv --target y --class-weight a=2 --class-weight a=3",
        "--class-weight gives 'a' the weights 2 and 3, expected one.",
    ),
    "a_column_to_keep_and_to_ignore": (
        "train t.csv --target y --ignore x --keep x",
        "x is named by --ignore and by --keep. Pass one of them.",
    ),
    "a_type_for_a_column_to_ignore": (
        "train t.csv --target y --ignore x --type x=number",
        "x is named by --ignore and by --type. Pass one of them.",
    ),
    "predictions_by_the_name_of_another_format": (
        "predict m t.csv -o p.csv.gz",
        "p.csv.gz would be written as CSV, but doesn't end in .csv. Pass --format or another name.",
    ),
    "a_table_and_a_model_swapped": (
        "predict t.csv m.safetensors",
        "MODEL is t.csv and DATA is m.safetensors. Are the two swapped?",
    ),
    "a_table_and_a_model_swapped_in_evaluate": (
        "evaluate t.csv m.safetensors",
        "MODEL is t.csv and DATA is m.safetensors. Are the two swapped?",
    ),
    "an_unknown_solver": (
        "train toy --solver adagrad",
        "--solver is 'adagrad', expected one of adam, adamw, sgd, lbfgs.",
    ),
    "a_metric_cut_short": (
        "train toy --metric accurac",
        "--metric is 'accurac', expected one of log_loss, accuracy, balanced_accuracy, f1, auc. "
        "Did you mean 'accuracy'?",
    ),
    "hidden_that_is_a_word": ("train toy --hidden ten", f"--hidden is 'ten', {WHOLE_SIZES}"),
    "hidden_of_no_units": ("train toy --hidden 10,0", f"--hidden is '10,0', {WHOLE_SIZES}"),
    "hidden_with_a_gap": ("train toy --hidden 10,,5", f"--hidden is '10,,5', {WHOLE_SIZES}"),
    "hidden_of_nothing": ("train toy --hidden ''", f"--hidden is '', {WHOLE_SIZES}"),
    "hidden_that_is_negative": ("train toy --hidden=-5", f"--hidden is '-5', {WHOLE_SIZES}"),
    "hidden_beyond_any_memory": (
        f"train toy --hidden {10**30}",
        f"--hidden is '{10**30}', {WHOLE_SIZES}",
    ),
    "a_negative_learning_rate": (
        "train toy --learning-rate -1",
        "--learning-rate is '-1', expected a number > 0.",
    ),
    "a_learning_rate_of_zero": (
        "train toy --learning-rate 0",
        "--learning-rate is '0', expected a number > 0.",
    ),
    "a_learning_rate_that_is_a_word": (
        "train toy --learning-rate fast",
        "--learning-rate is 'fast', expected a number > 0.",
    ),
    "a_learning_rate_of_nan": (
        "train toy --learning-rate nan",
        "--learning-rate is 'nan', expected a number > 0.",
    ),
    "an_infinite_learning_rate": (
        "train toy --learning-rate inf",
        "--learning-rate is 'inf', expected a number > 0.",
    ),
    "a_penalty_of_nan": ("train toy --alpha nan", "--alpha is 'nan', expected a number >= 0."),
    "a_negative_penalty": ("train toy --alpha -1", "--alpha is '-1', expected a number >= 0."),
    "no_epochs": ("train toy --epochs 0", "--epochs is '0', expected a whole number >= 1."),
    "half_an_epoch": ("train toy --epochs 0.5", "--epochs is '0.5', expected a whole number >= 1."),
    "a_batch_of_nothing": (
        "train toy --batch-size 0",
        "--batch-size is '0', expected a whole number >= 1.",
    ),
    "all_rows_held_out": ("train toy --held-out 1", "--held-out is '1', expected a number >= 0 and < 1."),
    "nan_rows_held_out": ("train toy --held-out nan", "--held-out is 'nan', expected a number >= 0 and < 1."),
    "a_negative_seed": (
        "train toy --seed -1",
        "--seed is '-1', expected a whole number >= 0 and <= 4294967295.",
    ),
    "no_target": ("train t.csv", "Say which column to predict: --target COLUMN. t.csv has x, c, y."),
}
"""What was typed, and the words after the usage; an asterisk stands for what differs between versions of click."""

USAGE = {
    "train": "train [OPTIONS] DATA...",
    "predict": "predict [OPTIONS] MODEL DATA...",
    "evaluate": "evaluate [OPTIONS] MODEL DATA...",
}

DATA = {
    # the table
    "a_missing_table": ("train nope.csv --target y", f"nope.csv: {NO_FILE}"),
    "a_built_in_table_misspelt": (
        "train pengiuns",
        "pengiuns: there is no such file. Did you mean the built-in penguins?",
    ),
    "a_folder_for_a_table": (
        "train folder --target y",
        "The folder folder holds no table, expected Parquet, Arrow, CSV or JSON lines files.",
    ),
    "a_path_through_a_file": ("train t.csv/x --target y", "t.csv/x can't be read: Not a directory."),
    "a_path_too_long": (f"train {'a' * 300} --target y", f"{'a' * 300} can't be read: File name too long."),
    "an_empty_table": ("train empty.csv --target y", "empty.csv is empty, expected a header and rows."),
    "a_table_of_a_byte_order_mark": ("train bom.csv --target y", "bom.csv is empty, expected a header and rows."),
    "a_table_of_a_header": (
        "train header.csv --target y",
        "header.csv has a header but no rows, expected at least one.",
    ),
    "a_binary_file": (
        "train binary.csv --target y",
        "binary.csv holds NUL bytes in line 1, expected text. Is it a binary file, or damaged? Save it as CSV in "
        "UTF-8.",
    ),
    "another_encoding": (
        "train latin.csv --target y",
        "latin.csv, line 27, is not UTF-8 text, though other lines are. Save the file as CSV in UTF-8, or name its "
        "encoding: --encoding latin-1.",
    ),
    "a_ragged_row": (
        "train ragged.csv --target y",
        "Row 25 of ragged.csv (line 26) has 2 cells, expected 3 as in the header. Correct the row; "
        "a cell that holds ',' stands in quotes.",
    ),
    "an_open_quote": (
        "train quote.csv --target y",
        f"Row 25 of quote.csv (from line 26) can't be read: unexpected end of data. {QUOTE}",
    ),
    "an_enormous_cell": (
        "train long.csv --target y",
        f"Row 25 of long.csv (from line 26) can't be read: field larger than field limit (131072). {QUOTE}",
    ),
    "a_column_twice": (
        "train twice.csv --target y",
        "twice.csv has columns of the same name in its header: 'x'. Rename them.",
    ),
    "a_column_without_a_name": (
        "train unnamed.csv --target y",
        "unnamed.csv has columns without a name in its header: number 2. Name them, or leave them out.",
    ),
    # its columns and cells
    "a_target_misspelt": (
        "train penguins --target specise",
        "penguins has no column 'specise'. Did you mean 'species'?",
    ),
    "a_target_unlike_any_column": (
        "train t.csv --target price",
        "t.csv has no column 'price'. There are 'x', 'c', 'y'.",
    ),
    "an_ignored_column_misspelt": (
        "train penguins --ignore yaer",
        "penguins has no column 'yaer'. Did you mean 'year'?",
    ),
    "a_bad_number": (
        "train text.csv --target y",
        f"Row 17 of text.csv (line 18): column 'x' is 'n/k', expected a number as in the other rows. {CORRECT}",
    ),
    "an_infinite_number": (
        "train inf.csv --target y",
        f"Row 3 of inf.csv (line 4): column 'x' is inf, expected a number between -1e+100 and 1e+100. {CORRECT}",
    ),
    "an_enormous_number": (
        "train huge.csv --target y",
        f"Row 3 of huge.csv (line 4): column 'x' is -1e+308, expected a number between -1e+100 and 1e+100. {CORRECT}",
    ),
    "only_a_column_of_names": (
        "train names.csv --target y --held-out 0",
        "names.csv has no column to learn 'y' from: x is left out: it is 1 in every row. c is left out: its texts "
        "hardly repeat, 24 different texts in 24 rows. To learn from it all the same: --keep c.",
    ),
    "only_constant_columns": (
        "train constant.csv --target y",
        "constant.csv has no column to learn 'y' from: x is left out: it is 1 in every row. "
        "c is left out: it is 'u' in every row.",
    ),
    "no_column_but_the_target": (
        "train class.csv --target y",
        "class.csv has no column to learn 'y' from, expected at least one other column.",
    ),
    "all_columns_ignored": (
        "train t.csv --target y --ignore x --ignore c",
        "t.csv has no column to learn 'y' from, expected at least one other column.",
    ),
    "one_class_only": (
        "train one.csv --target y",
        "one.csv: target 'y' is 'a' in every row, expected at least two different classes.",
    ),
    "a_target_missing_everywhere": (
        "train none.csv --target y",
        "none.csv: no row has a value in the target column 'y'.",
    ),
    "a_target_of_measurements": (
        "train measures.csv --target y",
        "measures.csv: target 'y' has 24 different values in 24 rows, expected classes that repeat. "
        "glassmax predicts classes, not measurements or names.",
    ),
    "a_class_as_long_as_an_essay": (
        "train essay.csv --target y",
        "Row 5 of essay.csv (line 6): 'y' is a text of 1001 characters, expected the name of a class, 1000 at most. "
        "Correct the cell, or predict another column.",
    ),
    # where the model goes
    "the_table_as_output": (
        "train t.csv --target y -o t.csv",
        "t.csv is an input, which the output would replace. Pass another --output.",
    ),
    "the_table_as_output_by_another_name": (
        "train t.csv --target y -o ./folder/../t.csv",
        "folder/../t.csv is an input, which the output would replace. Pass another --output.",
    ),
    "predictions_without_the_name_of_a_file": (
        "predict m.safetensors t.csv --output -",
        "--output is '-', expected the name of a file. Pass --output ./- if that is its name.",
    ),
    "a_folder_as_output": (
        "train toy -o folder",
        "folder is a folder, expected the name of a file. Pass another --output.",
    ),
    "a_data_file_as_output": (
        "train toy -o new.csv",
        "new.csv ends as a data file does, expected the name of a model file, as m.safetensors.",
    ),
    "an_output_that_is_another_file": (
        "train toy -o foreign",
        "foreign exists and is not a model of glassmax; it isn't replaced. Pass another --output.",
    ),
    "a_page_that_would_replace_another_file": (
        "playground -o foreign",
        "foreign exists and is no HTML file; it isn't replaced. Pass another --output.",
    ),
    "a_folder_for_a_page_that_is_missing": (
        "playground -o no/page.html",
        "The folder no doesn't exist. Make it, or pass another --output.",
    ),
    "an_output_folder_that_is_missing": (
        "train toy -o no/m",
        "The folder no doesn't exist. Make it, or pass another --output.",
    ),
    "an_output_below_a_file": (
        "train toy -o t.csv/m",
        "The folder t.csv doesn't exist. Make it, or pass another --output.",
    ),
    "an_output_name_too_long": (
        f"train toy -o {'a' * 300}",
        f"{'a' * 300} can't be written: File name too long. Pass another --output.",
    ),
    # the model file
    "a_missing_model": ("predict nope t.csv", f"nope: {NO_MODEL}"),
    "a_missing_model_to_evaluate": ("evaluate nope t.csv", f"nope: {NO_MODEL}"),
    "a_missing_model_to_describe": ("info nope", f"nope: {NO_MODEL}"),
    "a_folder_for_a_model": ("info folder", "folder is a folder, expected a model file."),
    "a_table_for_a_model": ("predict t.csv m", f"t.csv {NOT_WHOLE}"),
    "an_empty_model": ("info nothing", f"nothing {NOT_WHOLE}"),
    "a_truncated_model": (
        "predict cut t.csv",
        "cut was damaged or altered: its contents don't match its SHA-256. Take another copy.",
    ),
    "an_altered_model": (
        "evaluate altered t.csv",
        "altered was damaged or altered: its contents don't match its SHA-256. Take another copy.",
    ),
    "a_pickle_for_a_model": (
        "predict pickle t.csv",
        "pickle is a pickle, which can run any code. glassmax never opens one.",
    ),
    "a_zip_archive_for_a_model": (
        "predict zip t.csv",
        "zip is a zip archive, expected a file of glassmax (safetensors).",
    ),
    "a_model_of_another_program": (
        "info foreign",
        "foreign is a safetensors file, but not one of glassmax: it has no manifest.",
    ),
    "a_model_of_arrays_for_a_table": (
        "predict arrays t.csv",
        "arrays was trained in Python and knows no tables. Predict from Python: load_model(...).",
    ),
    "a_model_of_arrays_to_evaluate": (
        "evaluate arrays t.csv",
        "arrays was trained in Python and knows no tables. Score it from Python: load_model(...).",
    ),
    # new rows
    "a_missing_table_to_predict": ("predict m nope.csv", f"nope.csv: {NO_FILE}"),
    "a_column_missing_at_prediction": (
        "predict m narrow.csv",
        "narrow.csv has no column 'c'. There are 'x', 'd', 'y'.",
    ),
    "a_column_missing_at_evaluation": (
        "evaluate m narrow.csv",
        "narrow.csv has no column 'c'. There are 'x', 'd', 'y'.",
    ),
    "a_target_missing_at_evaluation": (
        "evaluate m untold.csv",
        "untold.csv has no column 'y'. There are 'x', 'c', 'z'.",
    ),
    "a_bad_number_at_prediction": (
        "predict m text.csv",
        f"Row 17 of text.csv (line 18): column 'x' is 'n/k', expected a number as in the other rows. {CORRECT}",
    ),
    "an_unknown_class_in_evaluation": (
        "evaluate m new.csv",
        "Row 20 of new.csv (line 21): y is 'd', expected a class of the model: a, b, c.",
    ),
    "no_class_in_evaluation": ("evaluate m none.csv", "none.csv: no row has a value in the target column 'y'."),
    "the_model_as_output": (
        "predict m t.csv -o m",
        "m is an input, which the output would replace. Pass another --output.",
    ),
    "the_table_as_output_of_predictions": (
        "predict m t.csv -o t.csv",
        "t.csv is an input, which the output would replace. Pass another --output.",
    ),
    "a_folder_of_predictions_that_is_missing": (
        "predict m t.csv -o no/p.csv",
        "The folder no doesn't exist. Make it, or pass another --output.",
    ),
}
"""What was typed, and the words after "Error: "."""


@pytest.fixture(scope="module")
def models(tmp_path_factory):
    """The bytes of every model file, by name."""
    folder = tmp_path_factory.mktemp("models")
    (folder / "t.csv").write_bytes(TABLES["t.csv"])
    encoding, _ = Encoding.learn(read_table(folder / "t.csv"), "y")
    Model(Network([encoding.width, 3]), np.array(list("abc")), encoding).save(folder / "m")
    Model(Network([2, 2]), np.array([0, 1])).save(folder / "arrays")
    whole = (folder / "m").read_bytes()
    return {name: make(whole) for name, make in MODELS.items()} | {"arrays": (folder / "arrays").read_bytes()}


@pytest.fixture
def fault(monkeypatch, capsys, tmp_path, models):
    """Type a command line beside the files it names; return code and stderr, and see that nothing has changed."""
    monkeypatch.chdir(tmp_path)
    (tmp_path / "folder").mkdir()
    files = TABLES | models

    def fault(typed):
        argv = shlex.split(typed)
        for name in {word.split("/")[0] if not word.startswith(".") else "t.csv" for word in argv} & set(files):
            (tmp_path / name).write_bytes(files[name])
        before = snapshot(tmp_path)
        code, out, err = call(monkeypatch, capsys, *argv)
        assert out == ""
        assert snapshot(tmp_path) == before
        assert len([line for line in err.splitlines() if line]) <= 3
        assert "Traceback" not in err
        return code, err

    return fault


def snapshot(folder):
    """Everything below a folder: names, contents, times."""
    return {
        path: (path.stat().st_mtime_ns, None if path.is_dir() else path.read_bytes())
        for path in Path(folder).rglob("*")
    }


@pytest.mark.parametrize("case", COMMAND_LINE)
def test_a_wrong_command_line_exits_with_2_and_says_what_was_expected(fault, case):
    typed, words = COMMAND_LINE[case]
    code, err = fault(typed)
    command = typed.split()[0]
    usage = re.escape(f"Usage: glassmax {USAGE.get(command, '[OPTIONS] COMMAND [ARGS]...')}")
    advice = f"Try 'glassmax{' ' + command if command in USAGE else ''} (--help|-h)' for help."
    words = ".*".join(map(re.escape, words.split("*")))
    assert re.fullmatch(f"({usage}\n{advice}\n\n)?Error: {words}\n", err), err
    assert code == 2


@pytest.mark.parametrize("case", DATA)
def test_a_fault_of_the_data_or_a_file_exits_with_1_and_says_what_came_and_what_next(fault, case):
    typed, words = DATA[case]
    code, err = fault(typed)
    assert err == f"Error: {words}\n"
    assert code == 1


def test_the_error_comes_before_the_training(fault, monkeypatch):
    """No fault in the table of data is found only after epochs of work."""

    def fail(*args, **kwargs):
        raise AssertionError("training had begun")

    monkeypatch.setattr("glassmax.engine.ReferenceEngine.epoch", fail)
    for typed, _ in DATA.values():
        if typed.startswith("train"):
            assert "training had begun" not in fault(typed)[1]


def test_no_command_at_all_shows_the_help(monkeypatch, capsys):
    code, out, err = call(monkeypatch, capsys)
    assert code == 2 or (code, err) == (0, "")  # click 8.1 takes it for a question, 8.2 for a fault
    assert "glassmax train digits" in out + err


def test_a_folder_without_permission_is_told_in_words(fault, monkeypatch):
    monkeypatch.setattr(os, "access", lambda path, mode: str(path) != "folder")  # root may write anywhere
    expected = "Error: The folder folder can't be written to. Pass another --output.\n"
    assert fault("train toy -o folder/m") == (1, expected)
