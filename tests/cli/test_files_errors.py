"""Faults of commands on several files: what was typed, the exit code and the exact words.

Each row also shows that a fault takes one to three lines and no traceback, and leaves the folder as it was.
"""

import shlex

import pytest

from tests.cli.test_cli import call
from tests.cli.test_errors import snapshot

IN_FILES = "but the rows are read from files piece by piece."


def part(first, header="id,x,c,y", n=40):
    """Write a file of rows, numbered from the first on."""
    rows = [f"r{i},{i},{'uv'[i % 2]},{'ab'[i // 3 % 2]}" for i in range(first, first + n)]
    return "\n".join([header, *rows]) + "\n"


FILES = {
    "data/part-1.csv": part(0),
    "data/part-2.csv": part(40),
    "renamed/part-1.csv": part(0),
    "renamed/part-2.csv": part(40, "id,x,c,z"),
    "more/part-1.csv": part(0),
    "more/part-2.csv": part(40).replace("\n", ",1\n").replace("y,1", "y,d"),
    "headless/part-1.csv": part(0),
    "headless/part-2.csv": part(40, "r39,39,u,a"),
    "untold/part-1.jsonl": '{"x": 1, "y": "a"}\n{"x": 2, "y": "b"}\n',
    "untold/part-2.jsonl": '{"x": 1}\n{"x": 2}\n',
    "noted/part-1.csv": part(0),
    "noted/notes.md": "# Notes\n",
    "ragged/part-1.csv": part(0),
    "ragged/part-2.csv": part(40) + "r80,1\n",
    "commas/part-1.csv": "x;y\n1,5;a\n2,5;b\n",
    "commas/part-2.csv": "x;y\n1.5;a\n2.5;b\n",
    "one.csv": part(0),
    "a_file": "",
}

COMMAND_LINE = {
    "no_target": ("train data", "Say which column to predict: --target COLUMN. The columns of data are id, x, c, y."),
    "no_target_of_json": (
        "train untold",
        "Say which column to predict: --target COLUMN. The columns of untold are x, y.",
    ),
    "a_preset": (
        "train data --target y --preset fast",
        f"--preset is for a preset, which needs all rows in memory, {IN_FILES} Leave --preset out: one network is "
        "trained.",
    ),
    "a_preset_in_a_file_of_options": (
        "train data --target y --config best.toml",
        f"--preset is for a preset, which needs all rows in memory, {IN_FILES} Leave --preset out: one network is "
        "trained.",
    ),
    "a_time_limit": (
        "train data --target y --time-limit 60",
        f"--time-limit is for a preset, which needs all rows in memory, {IN_FILES} Leave --time-limit out; Ctrl-C "
        "ends the training and keeps the model.",
    ),
    "a_search": (
        "train data --target y --tune 60",
        f"--tune is for a preset, which needs all rows in memory, {IN_FILES} Leave --tune out: one network is trained.",
    ),
    "groups": (
        "train data --target y --groups c",
        f"--groups needs all rows in memory, {IN_FILES} Leave --groups out.",
    ),
    "an_order_in_time": (
        "train data --target y --time x",
        f"--time needs all rows in memory, {IN_FILES} Leave --time out.",
    ),
    "class_embeddings": (
        "train data --target y --class-embeddings e.npy",
        f"--class-embeddings needs all rows in memory, {IN_FILES} Leave --class-embeddings out.",
    ),
    "a_file_of_validation_rows": (
        "train data --target y --validation one.csv",
        "--validation is 'one.csv', expected a fraction of the rows, such as 0.1, because the rows are read from files "
        "piece by piece.",
    ),
    "several_files_in_memory": (
        "train data --target y --no-stream",
        "--no-stream reads a single file into memory. Leave --no-stream out, or pass one file.",
    ),
    "workers_in_memory": (
        "train one.csv --target y --no-stream --engine processes --hidden 4",
        "--engine needs rows that are read piece by piece for one network. Leave out --engine or --no-stream.",
    ),
    "an_example_piece_by_piece": (
        "train iris --stream",
        "--stream needs files, and DATA is the built-in example iris. Leave --stream out.",
    ),
    "workers_on_standard_input": (
        "train - --target y --engine processes --hidden 4",
        "--engine needs files for one network, and DATA is standard input. Leave --engine out.",
    ),
    "a_cache_of_standard_input": (
        "train - --target y --cache-folder rows",
        "--cache-folder needs files, and DATA is standard input. Leave --cache-folder out.",
    ),
    "workers_without_an_engine": (
        "train data --target y --workers 3",
        "--workers is for training on workers. Pass --engine too: processes, ray or mpi.",
    ),
    "an_address_without_an_engine": (
        "train one.csv --target y --address auto",
        "--address is for training on workers. Pass --engine too: processes, ray or mpi.",
    ),
    "a_wait_limit_without_an_engine": (
        "train data --target y --wait-limit 9",
        "--wait-limit is for training on workers. Pass --engine too: processes, ray or mpi.",
    ),
    "an_address_of_processes": (
        "train data --target y --engine processes --address auto",
        "--address is the address of a Ray cluster. Pass --engine ray, or leave --address out.",
    ),
    "an_unknown_engine": (
        "train data --target y --engine dask",
        "--engine is 'dask', expected one of processes, ray, mpi.",
    ),
    "no_workers": ("train data --target y --engine ray --workers 0", "--workers is '0', expected a whole number >= 1."),
    "no_time_to_wait": (
        "train data --target y --engine ray --wait-limit 0",
        "--wait-limit is '0', expected a number > 0.",
    ),
    "standard_input_among_files": (
        "train - one.csv --target y",
        "- stands for standard input, which can't be read together with files.",
    ),
    "an_example_among_files": (
        "predict m data iris",
        "iris is a built-in example, which can't be read together with data. Pass one example, or files.",
    ),
    "a_model_among_the_files_to_evaluate": (
        "evaluate data/part-1.csv m.safetensors data/part-2.csv",
        "MODEL is data/part-1.csv and DATA is m.safetensors. Are the two swapped?",
    ),
}

DATA = {
    "an_empty_folder": (
        "train empty --target y",
        "The folder empty holds no table, expected Parquet, Arrow, CSV or JSON lines files.",
    ),
    "a_glob_of_nothing": (
        "train 'data/*.parquet' --target y",
        "data/*.parquet matches no file. The current folder is FOLDER. Is the path right?",
    ),
    "a_missing_file_of_several": (
        "train one.csv nope.csv --target y",
        "nope.csv: there is no such file. Built-in examples: digits, penguins, iris, wine, toy.",
    ),
    "a_file_that_is_no_table": (
        "train noted --target y",
        "The name of noted/notes.md is not that of a table. Name the tables, such as 'noted/**/*.csv'.",
    ),
    "a_file_named_twice": (
        "train data data/part-1.csv --target y",
        "data/part-1.csv is named twice, so its rows would count twice. Name each file once.",
    ),
    "another_column_in_one_file": (
        "train more --target y",
        "part-2.csv also has 'd', unlike part-1.csv. Write the same columns into each file, or name the columns to "
        "read with --column.",
    ),
    "a_target_missing_in_one_file": (
        "train renamed --target y",
        "part-2.csv lacks 'y' and also has 'z', unlike part-1.csv. Write the same columns into each file, or name "
        "the columns to read with --column.",
    ),
    "a_file_without_a_header": (
        "train headless --target y",
        "part-2.csv lacks 'id', 'x', 'c', 'y' and also has 'r39', '39', 'u', 'a', unlike part-1.csv. Does the file "
        "lack a header line? If no file has a header line, pass --no-header.",
    ),
    "decimal_commas_and_points": (
        "train commas --target y",
        "part-1.csv has decimal commas, and part-2.csv decimal points, expected one of the two in all files. Use the "
        "same decimal sign in all files.",
    ),
    "the_folder_as_place_of_the_model": (
        "train data --target y -o data/m.safetensors",
        "data/m.safetensors is in the folder data, so it would be read as data the next time. Pass another --output.",
    ),
    "the_glob_as_place_of_the_predictions": (
        "predict m 'data/*.csv' -o data/new.csv",
        "data/new.csv matches data/*.csv, so it would be read as data the next time. Pass another --output.",
    ),
    "a_deep_glob_as_place_of_the_predictions": (
        "predict m 'data/**/*.csv' -o data/new.csv",
        "data/new.csv matches data/**/*.csv, so it would be read as data the next time. Pass another --output.",
    ),
    "the_folder_as_place_of_a_checkpoint": (
        "train data --target y --checkpoint data/run.ckpt",
        "data/run.ckpt is in the folder data, so it would be read as data the next time. Pass another --checkpoint.",
    ),
    "the_folder_as_place_of_the_cache": (
        "train data --target y --cache-folder data/rows",
        "The cache folder data/rows is in the folder data, so its files would be read as data the next time. Pass "
        "another --cache-folder.",
    ),
    "a_file_as_cache": (
        "train data --target y --cache-folder a_file",
        "a_file is a file, expected a folder. Pass another --cache-folder.",
    ),
    "a_data_file_as_model": (
        "train data --target y -o data.csv",
        "data.csv ends as a data file does, expected the name of a model file, as m.safetensors.",
    ),
}
"""What was typed, and the words after "Error: "."""


@pytest.fixture
def fault(monkeypatch, capsys, tmp_path):
    """Type a command line beside the files; return code and message, and see that nothing has changed."""
    monkeypatch.chdir(tmp_path)
    (tmp_path / "empty").mkdir()
    (tmp_path / "best.toml").write_text('preset = "best"\n')
    for name, text in FILES.items():
        (tmp_path / name).parent.mkdir(exist_ok=True)
        (tmp_path / name).write_text(text)

    def fault(typed):
        before = snapshot(tmp_path)
        code, out, err = call(monkeypatch, capsys, *shlex.split(typed))
        assert out == ""
        assert snapshot(tmp_path) == before
        *usage, message = [line for line in err.splitlines() if line]
        assert len(usage) <= 2
        return code, message.replace(str(tmp_path), "FOLDER")

    return fault


@pytest.mark.parametrize("case", COMMAND_LINE)
def test_a_wrong_command_line_exits_with_2_and_says_what_was_expected(fault, case):
    typed, words = COMMAND_LINE[case]
    assert fault(typed) == (2, f"Error: {words}")


@pytest.mark.parametrize("case", DATA)
def test_a_fault_of_files_exits_with_1_and_names_the_file(fault, case):
    typed, words = DATA[case]
    assert fault(typed) == (1, f"Error: {words}")
