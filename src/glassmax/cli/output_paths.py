"""The paths of output files, checked before the work begins."""

import glob
import os
from collections.abc import Collection, Sequence
from pathlib import Path

from ..errors import DataError, GlassmaxError
from ..model import load_model
from ..streaming.outputs import read_as_data
from ..streaming.paths import name_of
from ..table import BUILTIN

__all__ = [
    *("OF_DATA", "check_model_output", "check_output", "check_page_output", "check_replaced"),
    "default_output",
]

ENDINGS = (".gz", ".zst", ".zstd", ".bz2")
OF_DATA = (
    *(".csv", ".tsv", ".txt", ".json", ".jsonl", ".ndjson", ".parquet", ".pq", ".arrow", ".feather", ".xls", ".xlsx"),
    *ENDINGS,
)


def check_output(output: str, *inputs: str, option: str = "--output") -> Path:
    """Raise if a path can't be written, or is one of those that are read or will be; return it otherwise."""
    if output == "-":
        raise DataError(f"{option} is '-', expected the name of a file. Pass {option} ./- if that is its name.")
    path = Path(output)
    try:
        if path.is_dir():
            raise DataError(f"{path} is a folder, expected the name of a file. Pass another {option}.")
        if path.exists() and not path.is_file():
            return path  # a device or a pipe
        if not path.parent.is_dir():
            raise DataError(f"The folder {path.parent} doesn't exist. Make it, or pass another {option}.")
        if not os.access(path.parent, os.W_OK):
            raise DataError(f"The folder {path.parent} can't be written to. Pass another {option}.")
        for source in inputs:
            if path.exists() and source not in BUILTIN and Path(source).exists() and path.samefile(source):
                raise DataError(f"{path} is an input, which the output would replace. Pass another {option}.")
            if where := read_as_data(path, source):
                raise DataError(f"{path} {where}, so it would be read as data the next time. Pass another {option}.")
    except DataError:
        raise
    except (OSError, ValueError) as error:
        reason = getattr(error, "strerror", None) or error
        raise DataError(f"{path} can't be written: {reason}. Pass another {option}.") from None
    return path


def check_model_output(output: str, *inputs: str, is_named: bool = True) -> Path:
    """Check the path of a model as `check_output` does; raise too if it is, or would replace, another kind of file.

    `is_named` says whether the user has named the path.
    """
    where = "" if is_named else read_as_data(output, inputs)
    if where:
        raise DataError(
            f"The model would be written to {output}, which {where}, so it would be read as data the next time. Pass "
            f"--output with a path elsewhere, such as --output {_elsewhere(inputs)}."
        )
    path = check_output(output, *inputs)
    if output.lower().endswith(OF_DATA):
        raise DataError(f"{path} ends as a data file does, expected the name of a model file, as m.safetensors.")
    if path.is_file():
        with path.open("rb") as file:
            head = file.read(2**16)
        if head and b'"glassmax":' not in head:
            raise DataError(f"{path} exists and is not a model of glassmax; it isn't replaced. Pass another --output.")
    return path


def _elsewhere(inputs: Sequence[str]) -> str:
    """Return a path for a model that is in none of the folders that are read."""
    path = "model.safetensors"
    while read_as_data(path, inputs) and Path(path).parent.resolve() != Path(path).parent.resolve().parent:
        path = os.path.join(os.pardir, path)
    return path


def check_page_output(output: str, *inputs: str, option: str = "--output") -> Path:
    """Check the path of a page as `check_output` does; raise too if it would replace a file that is no HTML."""
    path = check_output(output, *inputs, option=option)
    if path.is_file():
        with path.open("rb") as file:
            head = file.read(15)
        if head and head.lower() != b"<!doctype html>":
            raise DataError(f"{path} exists and is no HTML file; it isn't replaced. Pass another {option}.")
    return path


def check_replaced(path: Path, target: str, names: Collection[str]) -> None:
    """Raise if the default path holds a model of another target or of another table than the one with these columns."""
    if not path.is_file():
        return
    try:
        encoding = load_model(path).encoding
    except GlassmaxError:  # damaged, or of a newer version: nothing that could be used
        return
    if encoding is None:
        what = "a model that was trained in Python"
    elif encoding.target != target:
        what = f"a model that predicts {encoding.target}"
    elif not {*encoding.names} <= {*names}:
        missing = next(name for name in encoding.names if name not in names)
        what = f"a model of another table, which has a column {missing}"
    else:
        return
    raise DataError(
        f"{path} is {what}; it isn't replaced unless you name it. Pass --output with another name, or --output {path}."
    )


def default_output(data: Sequence[str]) -> str:
    """Return the default name of the model file, in the current folder: that of the table, or of the files' folder."""
    data = [name_of(one) for one in data]
    if len(data) == 1 and not glob.has_magic(data[0]) and not os.path.isdir(data[0]):
        name = Path(data[0]).name
        for ending in ENDINGS:
            name = name.removesuffix(ending)
        return "model.safetensors" if data[0] == "-" else f"{Path(name).stem}.safetensors"
    return f"{_folder_of(data) or 'model'}.safetensors"


def _folder_of(data: Sequence[str]) -> str:
    """Return the name of the innermost folder in which all files are, as far as their paths or URLs tell."""
    folders = []
    for one in data:
        place = one.rstrip("/") if "://" in one else os.path.abspath(one)
        is_folder = os.path.isdir(one) or one.endswith("/")
        while glob.has_magic(place):
            place, is_folder = os.path.dirname(place), True
        folders.append((place if is_folder else os.path.dirname(place)).split("/"))
    common = ""
    for level in zip(*folders, strict=False):
        if len(set(level)) > 1:
            break
        common = level[0].rstrip(":")
    return common
