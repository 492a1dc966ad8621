"""Model files changed at random, by the thousand: a model that still predicts, or a ModelFileError; nothing else.

`fuzz/` holds a fuzzer for the same; here are the mutations that a reader of the format would think of.
"""

import hashlib
import json
import struct
import tempfile
from pathlib import Path

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from glassmax import Model, Network, load_model, read_table
from glassmax.errors import DataError, ModelFileError
from glassmax.table import Boolean, Category, Date, Encoding, Number

COLUMNS = [
    Number("x", 1.5, 2.0, True),
    Category("c", ["u", "v"], True),
    Boolean("b", ["no", "yes"], False),
    Date("d", "ymd", 2024.5, 0.5, ["season", "weekday"], True),
]
ENCODING = Encoding("y", COLUMNS)
EXAMPLES = [pytest.param(40, id="a sample"), pytest.param(3000, id="thousands", marks=pytest.mark.slow)]
"""How many mutations of a kind are tried; `pytest` tries a sample, `pytest -m slow` thousands."""
BLANK = "0" * 64


def whole_file():
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "m"
        record = {"epochs": 3, "table": "t.csv", "training_loss": 0.5}
        Model(Network([ENCODING.width, 3, 2], random_state=0), np.array(["a", "b"]), ENCODING, record).save(path)
        return path.read_bytes()


WHOLE = whole_file()
LENGTH = struct.unpack("<Q", WHOLE[:8])[0]
HEADER = json.loads(WHOLE[8 : 8 + LENGTH])
TENSORS = WHOLE[8 + LENGTH :]


@pytest.fixture(scope="module")
def table(tmp_path_factory):
    """Rows that the model knows how to read."""
    path = tmp_path_factory.mktemp("mutations") / "t.csv"
    path.write_text("d,b,c,x,y\n2024-05-01,yes,u,1.5,a\n,no,v,,b\n2023-01-31,no,w,2,a\n")
    return read_table(path)


@pytest.fixture(scope="module")
def is_model_or_refused(tmp_path_factory, table):
    """Load bytes as a model file: whether it was refused; a model that is not must predict, or refuse the rows."""
    path = tmp_path_factory.mktemp("mutated") / "m"

    def check(content):
        path.write_bytes(content)
        try:
            model = load_model(path)
        except ModelFileError as error:
            message = str(error)
        else:
            message = ""
        if message:
            assert message.startswith(str(path))
            assert len(message) < 2000
            return False
        try:
            P = model.predict_proba(
                table if model.encoding is not None else np.zeros((2, model.network.layer_sizes[0]))
            )
        except DataError:
            return True
        assert np.isfinite(P).all()
        return True

    return check


def sealed(header, tensors=TENSORS):
    """Write a file whose hash is right, whatever it holds: an attacker can do that."""
    header = {**header, "__metadata__": {**header.get("__metadata__", {}), "sha256": BLANK}}
    text = json.dumps(header, ensure_ascii=False, separators=(",", ":")).encode("utf-8", "surrogatepass")
    text += b" " * (-len(text) % 8)
    content = struct.pack("<Q", len(text)) + text + tensors
    digest = hashlib.sha256(content).hexdigest()
    return content.replace(f'"sha256":"{BLANK}"'.encode(), f'"sha256":"{digest}"'.encode(), 1)


def with_manifest(change):
    """Write a file with a changed manifest and the right hash."""
    manifest = json.loads(HEADER["__metadata__"]["glassmax"])
    change(manifest)
    return sealed({**HEADER, "__metadata__": {"glassmax": json.dumps(manifest)}})


def places(value, path=()):
    """Every place in a JSON value."""
    yield path
    if isinstance(value, dict):
        for key, inner in value.items():
            yield from places(inner, (*path, key))
    if isinstance(value, list):
        for index, inner in enumerate(value):
            yield from places(inner, (*path, index))


def put(value, path, new):
    """Put something in a place of a JSON value, or take away what is there."""
    *before, last = path
    for step in before:
        value = value[step]
    if new is GONE:
        del value[last]
    else:
        value[last] = new


GONE = object()
MANIFEST_PLACES = [path for path in places(json.loads(HEADER["__metadata__"]["glassmax"])) if path]
HEADER_PLACES = [path for path in places(HEADER) if path]
JSON = st.recursive(
    st.none()
    | st.booleans()
    | st.sampled_from([0, -1, 1, 2, 2**31, 2**53, 2**60, 2**63, 2**64, 10**400, 1e308, 1e-320, -0.0, 0.5])
    | st.text(max_size=5)
    | st.sampled_from(["number", "category", "date", "softmax", "sigmoid", "relu", "float32", "F32", "ymd", "x"]),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(max_size=4), inner, max_size=3),
    max_leaves=6,
)


def test_the_file_itself_is_a_model(is_model_or_refused):
    assert is_model_or_refused(WHOLE)
    assert is_model_or_refused(sealed(HEADER))


def test_a_file_cut_off_anywhere_is_refused(is_model_or_refused):
    for end in range(len(WHOLE)):
        assert not is_model_or_refused(WHOLE[:end])


def test_a_file_with_anything_behind_it_is_refused(is_model_or_refused):
    for more in (b"\0", b"\n", bytes(8), WHOLE, b"x" * 10_000):
        assert not is_model_or_refused(WHOLE + more)


def tried(examples, check, *strategies):
    """Call the check with that many draws of its arguments."""
    quiet = settings(max_examples=examples, deadline=None, suppress_health_check=list(HealthCheck))
    quiet(given(*strategies)(check))()


@pytest.mark.parametrize("examples", EXAMPLES)
def test_a_file_with_any_byte_changed_is_refused(is_model_or_refused, examples):
    def check(place, change):
        mutated = bytearray(WHOLE)
        mutated[place] ^= change
        assert not is_model_or_refused(bytes(mutated))

    tried(examples, check, st.integers(0, len(WHOLE) - 1), st.integers(1, 255))


@pytest.mark.parametrize("examples", EXAMPLES)
def test_a_file_with_pieces_moved_is_refused(is_model_or_refused, examples):
    def check(data):
        first, second, third = sorted(data.draw(st.integers(0, len(WHOLE))) for _ in range(3))
        swapped = WHOLE[:first] + WHOLE[second:third] + WHOLE[first:second] + WHOLE[third:]
        assert is_model_or_refused(swapped) == (swapped == WHOLE)

    tried(examples, check, st.data())


@pytest.mark.parametrize("examples", EXAMPLES)
def test_any_value_anywhere_in_the_manifest_is_a_model_or_refused(is_model_or_refused, examples):
    def check(path, value):
        is_model_or_refused(with_manifest(lambda manifest: put(manifest, path, value)))

    tried(examples, check, st.sampled_from(MANIFEST_PLACES), JSON | st.just(GONE))


@pytest.mark.parametrize("examples", EXAMPLES)
def test_any_value_anywhere_in_the_header_is_a_model_or_refused(is_model_or_refused, examples):
    def check(path, value):
        header = json.loads(json.dumps(HEADER))
        put(header, path, value)
        if isinstance(header.get("__metadata__", {}), dict):
            is_model_or_refused(sealed(header))

    tried(examples, check, st.sampled_from(HEADER_PLACES), JSON | st.just(GONE))


@pytest.mark.parametrize("examples", EXAMPLES)
def test_any_weights_are_a_model_or_refused(is_model_or_refused, examples):
    def check(tensors):
        is_model_or_refused(sealed(HEADER, tensors))

    tried(examples, check, st.binary(min_size=len(TENSORS), max_size=len(TENSORS)))


@pytest.mark.parametrize("examples", EXAMPLES)
def test_any_bytes_are_refused(is_model_or_refused, examples):
    def check(content, length):
        assert not is_model_or_refused(content if length is None else struct.pack("<Q", length) + content)

    tried(examples, check, st.binary(max_size=200), st.integers(0, 2**64 - 1) | st.none())


@pytest.mark.parametrize("key", ["code", "module", "path", "__reduce__", "pickle"])
def test_a_manifest_with_a_key_too_many_is_refused(is_model_or_refused, key):
    assert not is_model_or_refused(with_manifest(lambda manifest: manifest.update({key: "os.system"})))
    column = json.loads(HEADER["__metadata__"]["glassmax"])["encoding"]["columns"][0] | {key: "os.system"}
    assert not is_model_or_refused(with_manifest(lambda manifest: put(manifest, ("encoding", "columns", 0), column)))


@pytest.mark.parametrize("claim", [2**31, 2**40, 2**60, 2**63, 2**64])
@pytest.mark.parametrize("where", ["layer", "shape", "offset"])
def test_a_file_that_claims_too_much_is_refused(is_model_or_refused, claim, where):
    header = json.loads(json.dumps(HEADER))
    if where == "layer":
        assert not is_model_or_refused(with_manifest(lambda manifest: put(manifest, ("layer_sizes", 1), claim)))
        return
    put(header, ("W1", "shape" if where == "shape" else "data_offsets", 1), claim)
    assert not is_model_or_refused(sealed(header))


def test_a_file_of_the_first_version_still_predicts(is_model_or_refused, table):
    """Numbers and categories alone, as version 0.1.0 wrote them."""
    old = {"target": "y", "columns": [json.loads(json.dumps(column)) for column in _old_columns()]}

    def change(manifest):
        manifest["encoding"] = old
        manifest["layer_sizes"] = [5, 2]
        manifest["activations"] = []
        del manifest["columns"]

    tensors = np.arange(10.0).tobytes() + np.zeros(2).tobytes()
    manifest = json.loads(HEADER["__metadata__"]["glassmax"])
    change(manifest)
    header = {
        "__metadata__": {"glassmax": json.dumps(manifest)},
        "W1": {"dtype": "F64", "shape": [5, 2], "data_offsets": [0, 80]},
        "b1": {"dtype": "F64", "shape": [2], "data_offsets": [80, 96]},
    }
    assert is_model_or_refused(sealed(header, tensors))


def _old_columns():
    return [
        {"kind": "number", "name": "x", "center": 1.0, "spread": 2.0, "indicator": True},
        {"kind": "category", "name": "c", "values": ["u", "v"], "missing": True},
    ]
