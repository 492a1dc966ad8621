"""The playground as one HTML file."""

from base64 import b64encode
from functools import cache
from gzip import compress
from importlib.resources import files

import numpy as np

from ..pages import packaged, page
from ..table.builtin import BUILTIN, load
from .bundle import bundled

__all__ = ["build"]


@cache
def build() -> str:
    """Build the page: the engine, the twin of the mathematics and the built-in data, in one file.

    Returns
    -------
    str
        HTML, at most 400 kB; write it as UTF-8. It opens from disk, offline, in a browser with WebAssembly SIMD and
        `DecompressionStream` (Chrome and Edge from 103, Firefox from 113, Safari from 16.4).
    """
    folder = files(__package__).joinpath("scripts")
    modules = {
        entry.name: entry.read_text(encoding="utf-8") for entry in folder.iterdir() if entry.name.endswith(".js")
    }
    return page(
        "The softmax playground",
        packaged(__package__, "body.html"),
        style=packaged(__package__, "playground.css"),
        scripts=[bundled(modules, "main.js") + "\n$main.start();"],
        data={
            "engine": _packed(files(__package__).joinpath("engine.wasm").read_bytes()),
            "penguins": _packed(BUILTIN["penguins"].text().encode()),
            "digits": _packed(_digits()),
        },
        wasm=True,
    )


def _packed(content: bytes) -> str:
    return b64encode(compress(content, 9, mtime=0)).decode()


def _digits() -> bytes:
    """Return 65 bytes for each row of digits: 64 pixels from 0 to 16, and the label."""
    columns, target = load("digits")
    assert columns is not None
    labels = columns[target].astype(np.uint8)
    pixels = [column.astype(np.uint8) for name, column in columns.items() if name != target]
    return np.column_stack([*pixels, labels]).tobytes()
