"""Fuzz the reader of tables: any bytes are a table that can be learned from and encoded, or a DataError."""

import sys
import tempfile
from pathlib import Path

import atheris

with atheris.instrument_imports(include=["glassmax"]):
    import numpy as np

    from glassmax import read_table
    from glassmax.errors import DataError
    from glassmax.table import Encoding

PATH = Path(tempfile.mkdtemp()) / "t"
SOUND = {
    "csv": b"x,c,d,y\n1.5,u,2024-05-01,a\n,v,2024-06-01,b\n2,u,NA,a\n",
    "decimal": b'x;c;y\n1,5;"u;v";a\n2,25;"say ""u""";b\n',
    "jsonl": b'{"x": 1.5, "c": "u", "y": true}\n{"x": null, "c": "v", "y": false}\n',
    "utf16": "x,y\n1,a\n2,b\n".encode("utf-16"),
    "latin": "x,y\n1,ä\n2,b\n".encode("latin-1"),
}


def one_input(content):
    """Read bytes as a table, learn from each of its columns, and encode it."""
    PATH.write_bytes(content)
    try:
        table = read_table(PATH)
        encoding, _ = Encoding.learn(table, table.names[-1])
        X, _ = encoding.encode(table)
    except DataError:
        return
    assert X.shape == (table.n_rows, encoding.width)
    assert np.isfinite(X).all()


def main():
    """Begin the corpus with sound tables where it is empty, and fuzz."""
    for folder in (Path(argument) for argument in sys.argv[1:] if not argument.startswith("-")):
        if not folder.is_file():
            folder.mkdir(parents=True, exist_ok=True)
            for name, content in SOUND.items():
                (folder / name).write_bytes(content)
    atheris.Setup(sys.argv, one_input)
    atheris.Fuzz()


if __name__ == "__main__":
    main()
