"""Fuzz the reader of model files: any bytes are a model that predicts, or a ModelFileError.

Half of the inputs get a right hash and a right header length, so that the fuzzer sees what lies behind both.
"""

import hashlib
import re
import struct
import sys
import tempfile
from pathlib import Path

import atheris

with atheris.instrument_imports(include=["glassmax"]):
    import numpy as np

    from glassmax import Model, Network, load_model, read_table
    from glassmax.errors import DataError, ModelFileError
    from glassmax.table import Encoding

FOLDER = Path(tempfile.mkdtemp())
PATH = FOLDER / "m"
TABLE = read_table("penguins").rows(np.arange(5))
HASH = re.compile(rb'"sha256":"([0-9a-f]{64})"')


def sound_file():
    """Return the bytes of a small model of the penguins."""
    encoding, _ = Encoding.learn(read_table("penguins"), "species")
    Model(Network([encoding.width, 2, 3], random_state=0), np.array(["a", "b", "c"]), encoding).save(PATH)
    return PATH.read_bytes()


def mended(content):
    """Give a file the hash that it ought to have."""
    blank = HASH.sub(b'"sha256":"' + b"0" * 64 + b'"', content)
    digest = hashlib.sha256(blank).hexdigest().encode()
    return HASH.sub(b'"sha256":"' + digest + b'"', content)


def one_input(content):
    """Read bytes as a model file and predict with it; half of them as an attacker would send them."""
    if len(content) > 9 and content[-1] % 2:
        end = content.find(b"}}") + 2
        if end > 9:
            content = struct.pack("<Q", end - 8) + content[8:]
        content = mended(content)
    PATH.write_bytes(content)
    try:
        model = load_model(PATH)
        model.predict_proba(TABLE if model.encoding else np.zeros((1, model.network.layer_sizes[0])))
    except (ModelFileError, DataError):
        return


def main():
    """Begin the corpus with a sound file where it is empty, and fuzz."""
    for folder in (Path(argument) for argument in sys.argv[1:] if not argument.startswith("-")):
        if not folder.is_file():
            folder.mkdir(parents=True, exist_ok=True)
            (folder / "sound").write_bytes(sound_file())
    atheris.Setup(sys.argv, one_input)
    atheris.Fuzz()


if __name__ == "__main__":
    main()
