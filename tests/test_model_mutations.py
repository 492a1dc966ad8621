"""Model files changed at random, by the thousand: a model that still predicts, or a ModelFileError; nothing else.

`fuzz/` holds a fuzzer for the same; here are the mutations that a reader of the format would think of.
"""

import hashlib
import json
import struct
import tempfile
import tracemalloc
from pathlib import Path

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from glassmax import Model, Network, load_model, read_table
from glassmax.calibration import Calibration
from glassmax.conformal import Conformal
from glassmax.embedding import Embedding
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


class Whole:
    """A model file that is whole, and its parts."""

    def __init__(self, model):
        with tempfile.TemporaryDirectory() as folder:
            path = Path(folder) / "m"
            model.save(path)
            self.content = path.read_bytes()
        length = struct.unpack("<Q", self.content[:8])[0]
        self.header, self.tensors = json.loads(self.content[8 : 8 + length]), self.content[8 + length :]
        self.manifest = json.loads(self.header["__metadata__"]["glassmax"])

    def with_manifest(self, change):
        """Write a file with a changed manifest and the right hash."""
        manifest = json.loads(json.dumps(self.manifest))
        change(manifest)
        return sealed({**self.header, "__metadata__": {"glassmax": json.dumps(manifest)}}, self.tensors)


HEAD = {"softcap": 30.0, "z_loss": 0.01, "temperature": 2.0, "frozen": ["W1", "b2"]}


def model_of(version):
    d, record = ENCODING.width, {"epochs": 3, "table": "t.csv", "training_loss": 0.5}
    network = Network([d, 3, 2], random_state=0, **(HEAD if version == 3 else {}))
    if version == 1:
        return Model(network, np.array(["a", "b"]), ENCODING, record)
    embedding = Embedding(d, periodic=[0], frequencies=2, edges={1: [0.0, 0.5, 1.0]}, blocks=[(2, 4, 1)])
    other = Network([embedding.width, 2], embedding=embedding, random_state=1)
    calibration = Calibration(0.5, np.array([0.25, -0.25]))
    conformal = Conformal(np.array([0.1, 0.2, 0.2, 0.9]), np.array([1.0, 2.0, 0.5, 1.0]))
    parts = {"weights": [0.25, 0.75], "calibration": calibration, "conformal": conformal}
    return Model([network, other], np.array(["a", "b"]), ENCODING, record, **parts)


WHOLES = {f"version {number}": Whole(model_of(number)) for number in (1, 2, 3)}
ONE = WHOLES["version 1"]


@pytest.fixture(params=WHOLES)
def whole(request):
    """A file of each version of the format."""
    return WHOLES[request.param]


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
            rows = table if model.encoding is not None else np.zeros((2, model.network.n_inputs))
            P = model.predict_proba(rows)
            if model.conformal is not None:
                assert model.prediction_sets(rows).shape == P.shape
        except DataError:
            return True
        assert np.isfinite(P).all()
        return True

    return check


def sealed(header, tensors):
    """Write a file whose hash is right, whatever it holds: an attacker can do that."""
    header = {**header, "__metadata__": {**header.get("__metadata__", {}), "sha256": BLANK}}
    text = json.dumps(header, ensure_ascii=False, separators=(",", ":")).encode("utf-8", "surrogatepass")
    text += b" " * (-len(text) % 8)
    content = struct.pack("<Q", len(text)) + text + tensors
    digest = hashlib.sha256(content).hexdigest()
    return content.replace(f'"sha256":"{BLANK}"'.encode(), f'"sha256":"{digest}"'.encode(), 1)


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


def inside(value):
    """Every place in a JSON value but the value itself."""
    return [path for path in places(value) if path]


JSON = st.recursive(
    st.none()
    | st.booleans()
    | st.sampled_from([0, -1, 1, 2, 2**31, 2**53, 2**60, 2**63, 2**64, 10**400, 1e308, 1e-320, -0.0, 0.5])
    | st.text(max_size=5)
    | st.sampled_from(["number", "category", "date", "softmax", "sigmoid", "relu", "float32", "F32", "ymd", "x"]),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(max_size=4), inner, max_size=3),
    max_leaves=6,
)


def test_the_file_itself_is_a_model(is_model_or_refused, whole):
    assert is_model_or_refused(whole.content)
    assert is_model_or_refused(sealed(whole.header, whole.tensors))


def test_a_file_cut_off_anywhere_is_refused(is_model_or_refused, whole):
    for end in range(len(whole.content)):
        assert not is_model_or_refused(whole.content[:end])


def test_a_file_with_anything_behind_it_is_refused(is_model_or_refused, whole):
    for more in (b"\0", b"\n", bytes(8), whole.content, b"x" * 10_000):
        assert not is_model_or_refused(whole.content + more)


def tried(examples, check, *strategies):
    """Call the check with that many draws of its arguments."""
    quiet = settings(max_examples=examples, deadline=None, suppress_health_check=list(HealthCheck))
    quiet(given(*strategies)(check))()


@pytest.mark.parametrize("examples", EXAMPLES)
def test_a_file_with_any_byte_changed_is_refused(is_model_or_refused, whole, examples):
    def check(place, change):
        mutated = bytearray(whole.content)
        mutated[place] ^= change
        assert not is_model_or_refused(bytes(mutated))

    tried(examples, check, st.integers(0, len(whole.content) - 1), st.integers(1, 255))


@pytest.mark.parametrize("examples", EXAMPLES)
def test_a_file_with_pieces_moved_is_refused(is_model_or_refused, whole, examples):
    def check(data):
        content = whole.content
        first, second, third = sorted(data.draw(st.integers(0, len(content))) for _ in range(3))
        swapped = content[:first] + content[second:third] + content[first:second] + content[third:]
        assert is_model_or_refused(swapped) == (swapped == content)

    tried(examples, check, st.data())


@pytest.mark.parametrize("examples", EXAMPLES)
def test_any_value_anywhere_in_the_manifest_is_a_model_or_refused(is_model_or_refused, whole, examples):
    def check(path, value):
        is_model_or_refused(whole.with_manifest(lambda manifest: put(manifest, path, value)))

    tried(examples, check, st.sampled_from(inside(whole.manifest)), JSON | st.just(GONE))


@pytest.mark.parametrize("examples", EXAMPLES)
def test_any_value_anywhere_in_the_header_is_a_model_or_refused(is_model_or_refused, whole, examples):
    def check(path, value):
        header = json.loads(json.dumps(whole.header))
        put(header, path, value)
        if isinstance(header.get("__metadata__", {}), dict):
            is_model_or_refused(sealed(header, whole.tensors))

    tried(examples, check, st.sampled_from(inside(whole.header)), JSON | st.just(GONE))


@pytest.mark.parametrize("examples", EXAMPLES)
def test_any_weights_are_a_model_or_refused(is_model_or_refused, whole, examples):
    def check(tensors):
        is_model_or_refused(sealed(whole.header, tensors))

    size = len(whole.tensors)
    tried(examples, check, st.binary(min_size=size, max_size=size))


@pytest.mark.parametrize("examples", EXAMPLES)
def test_any_bytes_are_refused(is_model_or_refused, examples):
    def check(content, length):
        assert not is_model_or_refused(content if length is None else struct.pack("<Q", length) + content)

    tried(examples, check, st.binary(max_size=200), st.integers(0, 2**64 - 1) | st.none())


@pytest.mark.parametrize("key", ["code", "module", "path", "__reduce__", "pickle"])
def test_a_manifest_with_a_key_too_many_is_refused(is_model_or_refused, whole, key):
    objects = [(), ("encoding",), ("encoding", "columns", 0)]
    if whole is not ONE:
        objects += [("networks", 1), ("networks", 1, "embedding"), ("calibration",), ("conformal",)]
    for path in objects:
        assert not is_model_or_refused(whole.with_manifest(lambda manifest, path=path: put_key(manifest, path, key)))


def put_key(value, path, key):
    """Put a key into an object of a JSON value."""
    for step in path:
        value = value[step]
    value[key] = "os.system"


@pytest.mark.parametrize("claim", [2**31, 2**40, 2**60, 2**63, 2**64])
@pytest.mark.parametrize("where", ["layer", "shape", "offset"])
def test_a_file_that_claims_too_much_is_refused(is_model_or_refused, claim, where):
    for whole, sizes, tensor in ((ONE, ("layer_sizes", 1), "W1"), (WHOLES["version 2"], CLAIMS[0], "2.F")):
        if where == "layer":
            assert not is_model_or_refused(whole.with_manifest(lambda manifest, at=sizes: put(manifest, at, claim)))
            continue
        header = json.loads(json.dumps(whole.header))
        put(header, (tensor, "shape" if where == "shape" else "data_offsets", 1), claim)
        assert not is_model_or_refused(sealed(header, whole.tensors))


@pytest.mark.parametrize("claim", [2**31, 2**40, 2**60, 2**63])
def test_numbers_too_large_to_be_true_are_refused_in_little_memory(is_model_or_refused, claim):
    for place in CLAIMS:
        tracemalloc.start()
        assert not is_model_or_refused(WHOLES["version 2"].with_manifest(lambda m, at=place: put(m, at, claim)))
        peak = tracemalloc.get_traced_memory()[1]
        tracemalloc.stop()
        assert peak < 2**20


CLAIMS = [
    ("networks", 0, "layer_sizes", 1),
    ("networks", 1, "embedding", "d"),
    ("networks", 1, "embedding", "frequencies"),
    ("networks", 1, "embedding", "size"),
    ("networks", 1, "embedding", "blocks", 0, 1),
    ("networks", 1, "embedding", "blocks", 0, 2),
    ("conformal", "rows"),
]
"""Places of numbers that decide how much memory a model takes."""


def test_an_option_of_the_head_that_is_out_of_range_is_refused(is_model_or_refused):
    whole = WHOLES["version 3"]
    wrong = {
        "softcap": [0, -1.0, "30", [], True],
        "z_loss": [-1e-300, None, "0"],
        "temperature": [0, -2, None],
        "frozen": [["W3"], ["W1", "W1"], "W1", None, [1], ["1.W1"]],
        "output_bias": [False],
    }
    for name, values in wrong.items():
        for value in values:
            place = ("networks", 0, name)
            content = whole.with_manifest(lambda manifest, at=place, to=value: put(manifest, at, to))
            assert not is_model_or_refused(content), (name, value)
    for name in HEAD:  # without it, it is at its default
        place = ("networks", 0, name)
        assert is_model_or_refused(whole.with_manifest(lambda manifest, at=place: put(manifest, at, GONE)))
    assert not is_model_or_refused(whole.with_manifest(lambda manifest: put(manifest, ("version",), 2)))
    for version in (0, 4, 3.5, "3"):
        assert not is_model_or_refused(whole.with_manifest(lambda m, to=version: put(m, ("version",), to)))


def test_a_file_of_the_first_version_still_predicts(is_model_or_refused, table):
    """Numbers and categories alone, as version 0.1.0 wrote them."""
    old = {"target": "y", "columns": [json.loads(json.dumps(column)) for column in _old_columns()]}

    def change(manifest):
        manifest["encoding"] = old
        manifest["layer_sizes"] = [5, 2]
        manifest["activations"] = []
        del manifest["columns"]

    tensors = np.arange(10.0).tobytes() + np.zeros(2).tobytes()
    manifest = json.loads(json.dumps(ONE.manifest))
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
