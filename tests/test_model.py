"""The model: what comes back from a file is what went in, and no other file is taken for one."""

import errno
import hashlib
import io
import json
import os
import pickle
import re
import struct
import tracemalloc
import zipfile
from typing import Annotated, Literal

import msgspec
import numpy as np
import pytest
import safetensors.numpy
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st
from safetensors.numpy import save

from glassmax import Model, Network, load_model, read_table
from glassmax.calibration import Calibration
from glassmax.conformal import Conformal
from glassmax.embedding import Embedding
from glassmax.engine import best_engine
from glassmax.errors import DataError, GlassmaxError, ModelFileError, OptionError, ShapeError
from glassmax.functional import softmax
from glassmax.table import Boolean, Category, Date, Encoding, Number

BLANK = "0" * 64
X = np.random.RandomState(0).standard_normal((7, 3)) * 3


def small(k=2, dtype="float64", classes=None, hidden=()):
    return Model(
        Network([3, *hidden, k], dtype=dtype, random_state=1),
        np.arange(k) if classes is None else np.array(classes),
        record={"epochs": 5, "training_loss": 0.25, "table": "t.csv", "nothing": None},
    )


def message_of(call, *arguments, error=ModelFileError):
    with pytest.raises(error) as caught:
        call(*arguments)
    return str(caught.value)


@pytest.fixture
def path(tmp_path):
    return tmp_path / "m.safetensors"


@pytest.fixture
def refusal(path):
    """Write bytes to a file and return the words with which it is refused, less its name."""

    def refusal(content):
        path.write_bytes(content)
        message = message_of(load_model, path)
        assert message.startswith(f"{path} ")
        return message.removeprefix(f"{path} ")

    return refusal


@pytest.fixture(scope="module")
def content(tmp_path_factory):
    """A model file of a few hundred bytes."""
    path = tmp_path_factory.mktemp("model") / "m.safetensors"
    Model(Network([1, 2], dtype="float32"), np.array(["a", "b"])).save(path)
    return path.read_bytes()


# --- there and back --------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("dtype", ["float32", "float64"])
@pytest.mark.parametrize(
    "classes",
    [["a", "b", "Łódź"], [3, -1, 2**60], [0.5, 1.0, 1e300], ["1", "", "\n\t\"'\\"]],
    ids=["text", "integers", "floats", "odd_text"],
)
@pytest.mark.parametrize("hidden", [(), (4, 2)])
def test_a_saved_model_predicts_the_same_bits(path, dtype, classes, hidden):
    model = small(3, dtype, classes, hidden)
    model.save(path)
    loaded = load_model(path)
    P = loaded.predict_proba(X)
    assert P.dtype == dtype
    np.testing.assert_array_equal(P, model.predict_proba(X))
    assert loaded.predict(X).tolist() == model.predict(X).tolist()
    assert loaded.classes.tolist() == classes
    assert loaded.classes.dtype == model.classes.dtype
    assert loaded.record == model.record
    assert loaded.encoding is None


def test_boolean_classes_stay_booleans(path):
    small(2, classes=[False, True]).save(path)
    assert load_model(path).classes.tolist() == [False, True]
    assert load_model(path).predict(X).dtype == bool


HEAD = {"softcap": 30.0, "z_loss": 1e-4, "temperature": 0.5, "frozen": ["W1", "b2"]}


@pytest.mark.parametrize("name", HEAD)
def test_each_option_of_the_head_comes_back_and_makes_a_file_of_version_3(path, name):
    network = Network([3, 4, 2], dtype="float32", random_state=0, **{name: HEAD[name]})
    Model(network, np.arange(2)).save(path)
    loaded = load_model(path).network
    assert loaded.options == network.options
    assert repr(loaded) == repr(network)
    np.testing.assert_array_equal(loaded.theta, network.theta)
    np.testing.assert_array_equal(loaded.predictions(X), network.predictions(X))
    manifest = json.loads(manifest_of(path))
    assert manifest["version"] == 3
    assert {key: manifest["networks"][0].get(key) for key in HEAD} == {**dict.fromkeys(HEAD), name: HEAD[name]}


def test_a_model_of_several_networks_keeps_the_options_of_each(path):
    networks = [Network([3, 2], output_bias=False, z_loss=0.1), Network([3, 4, 2], **HEAD), Network([3, 2])]
    model = Model(networks, ["a", "b"])
    model.save(path)
    assert [network.options for network in load_model(path).networks] == [network.options for network in networks]
    Model([networks[2], networks[2]], ["a", "b"]).save(path)
    assert not HEAD.keys() & json.loads(manifest_of(path))["networks"][0].keys()
    assert json.loads(manifest_of(path))["version"] == 2
    Model(networks[2], ["a", "b"]).save(path)
    assert json.loads(manifest_of(path))["version"] == 1  # a model without them is a file that older versions read


def test_the_prompt_shows_the_options_of_the_head():
    shown = repr(Model(Network([3, 2], **{**HEAD, "frozen": ["b1"]}), ["a", "b"]))
    assert "softmax output, cross_entropy loss, softcap 30, z_loss 0.0001, temperature 0.5, frozen b1" in shown


def test_activations_output_and_loss_come_back(path):
    network = Network([3, 4, 5, 2], activation=["tanh", "gelu"], output="sigmoid", loss="binary_cross_entropy")
    Model(network, np.arange(2)).save(path)
    loaded = load_model(path).network
    assert repr(loaded) == repr(network)
    np.testing.assert_array_equal(loaded.predictions(X), network.predictions(X))


def test_a_model_of_a_table_predicts_the_same_bits_from_the_table(path):
    table = read_table("penguins")
    encoding, _ = Encoding.learn(table, "species")
    model = Model(Network([encoding.width, 4, 3]), np.array(["Adelie", "Chinstrap", "Gentoo"]), encoding)
    model.save(path)
    loaded = load_model(path)
    assert loaded.encoding == encoding
    np.testing.assert_array_equal(loaded.predict_proba(table), model.predict_proba(table))
    np.testing.assert_array_equal(loaded.predict(table), model.predict(table))


def test_the_same_model_is_the_same_file_every_time(path):
    contents = set()
    for _ in range(20):
        small().save(path)
        contents.add(path.read_bytes())
    load_model(path).save(path)
    contents.add(path.read_bytes())
    assert len(contents) == 1


def test_a_model_file_is_plain_safetensors(path):
    from safetensors import safe_open

    model = small(hidden=(4,))
    model.save(path)
    with safe_open(path, "np") as file:
        assert sorted(file.keys()) == ["W1", "W2", "b1", "b2"]
        np.testing.assert_array_equal(file.get_tensor("W2"), model.network.parameters["W2"])
        assert set(file.metadata()) == {"glassmax", "sha256"}


@pytest.mark.parametrize("length", [0x0280, 0x0380, 0x0480, 0x0580, 0x4B50])
def test_a_header_whose_length_begins_like_a_pickle_or_a_zip_archive_is_read(path, length):
    model = small()
    model.record = {"note": ""}
    model.save(path)
    model.record = {"note": "n" * (length - struct.unpack("<Q", path.read_bytes()[:8])[0])}
    model.save(path)
    assert path.read_bytes()[:2] in (b"\x80\x02", b"\x80\x03", b"\x80\x04", b"\x80\x05", b"PK")
    np.testing.assert_array_equal(load_model(path).predict_proba(X), model.predict_proba(X))


def test_the_model_owns_its_weights_after_loading(path):
    small().save(path)
    first, second = load_model(path), load_model(path)
    first.network.theta[...] = 0
    assert second.network.theta.all()


def test_no_rows_give_no_predictions():
    assert small().predict(np.zeros((0, 3))).shape == (0,)
    assert small().predict_proba(np.zeros((0, 3))).shape == (0, 2)


def test_rows_that_are_not_finite_are_refused_by_their_number():
    words = "expected finite numbers."
    for bad in (np.nan, np.inf):
        rows = np.array([[0.0, 0, 0], [0, bad, 0]])
        message = message_of(small().predict, rows, error=DataError)
        assert message == f"Row 1 of X holds NaN, inf or what is too large for float64, {words}"
    message = message_of(small(dtype="float32").predict, np.array([[1e300, 0, 0]]), error=DataError)
    assert message == f"Row 0 of X holds NaN, inf or what is too large for float32, {words}"


def test_rows_of_another_width_are_refused():
    assert message_of(small().predict, X[:, :2], error=ShapeError).startswith("X is (7, 2), expected (n, 3)")


def test_classes_may_be_a_list():
    assert Model(Network([2, 2]), ["a", "b"]).predict([[0.0, 0.0]]).tolist() in (["a"], ["b"])


def test_a_model_of_a_table_takes_no_array_and_the_other_way_round():
    encoding, _ = Encoding.learn(read_table("penguins"), "species")
    model = Model(Network([encoding.width, 3]), np.array(["a", "b", "c"]), encoding)
    message = message_of(model.predict, np.zeros((1, 4)), error=DataError)
    assert message == "The model was trained on a table: pass glassmax.read_table(path), or a frame."
    message = message_of(small().predict, read_table("toy"), error=DataError)
    assert message == "The model was trained in Python and knows no tables: pass an (n, d) array."


# --- what is not a model file ----------------------------------------------------------------------------------------

DAMAGED = "is not a whole safetensors file: it is truncated, altered, or something else."
ALTERED = "was damaged or altered: its contents don't match its SHA-256. Take another copy."


@pytest.mark.parametrize("change", [0x01, 0x20, 0x80, 0xFF])
def test_any_single_byte_changed_is_noticed(content, path, change):
    assert len(content) < 1000
    for position in range(len(content)):
        changed = bytearray(content)
        changed[position] ^= change
        path.write_bytes(changed)
        with pytest.raises(ModelFileError):
            load_model(path)


def test_a_truncated_model_file_is_refused(content, path):
    for length in range(len(content)):
        path.write_bytes(content[:length])
        with pytest.raises(ModelFileError):
            load_model(path)


def test_a_model_file_with_something_behind_it_is_refused(content, refusal):
    for more in (b"\0", b"\n", content):
        assert refusal(content + more) == ALTERED


def test_an_altered_file_says_what_to_do(content, refusal):
    changed = content[:-1] + bytes([content[-1] ^ 1])
    assert refusal(changed) == ALTERED


class Bomb:
    """What a pickle can do: leave a file behind when it is opened."""

    def __init__(self, path):
        self.path = str(path)

    def __reduce__(self):
        return os.mkdir, (self.path,)


@pytest.mark.parametrize("protocol", range(6))
def test_a_pickle_is_refused_and_never_opened(refusal, tmp_path, monkeypatch, protocol):
    content = pickle.dumps(Bomb(tmp_path / "exploded"), protocol)

    def fail(*args, **kwargs):
        raise AssertionError("a pickle was opened")

    for name in ("load", "loads", "Unpickler"):
        monkeypatch.setattr(pickle, name, fail)
    monkeypatch.setattr(np, "load", fail)
    expected = "is a pickle, which can run any code. glassmax never opens one." if protocol >= 2 else DAMAGED
    assert refusal(content) == expected
    assert not (tmp_path / "exploded").exists()


def test_other_files_are_refused(refusal):
    archive = io.BytesIO()
    with zipfile.ZipFile(archive, "w") as file:
        file.writestr("weights.npy", b"0" * 100)
    array = io.BytesIO()
    np.save(array, np.zeros(3))
    assert refusal(archive.getvalue()) == "is a zip archive, expected a file of glassmax (safetensors)."
    others = [b"", b"\0" * 8, b"x,y\n1,2\n" * 50, b"\xff" * 100, array.getvalue(), b"{}", struct.pack("<Q", 2) + b"[]"]
    for other in others:
        assert refusal(other) == DAMAGED


def test_a_safetensors_file_of_another_program_is_refused(refusal):
    expected = "is a safetensors file, but not one of glassmax: it has no manifest."
    assert refusal(save({"W1": np.zeros((2, 2))})) == expected
    assert refusal(save({"W1": np.zeros((2, 2))}, {"format": "pt"})) == expected
    assert refusal(struct.pack("<Q", 2) + b"{}") == expected


def test_a_missing_file_a_folder_and_a_path_through_a_file_are_refused(tmp_path):
    (tmp_path / "file").write_bytes(b"")
    missing = tmp_path / "missing"
    advice = "Train one with: SoftmaxClassifier(...).fit(X, y).save(path)"
    assert message_of(load_model, missing) == f"{missing}: there is no such file. {advice}"
    assert message_of(load_model, tmp_path) == f"{tmp_path} is a folder, expected a model file."
    through = tmp_path / "file" / "m"
    assert message_of(load_model, through) == f"{through} can't be read: Not a directory."


@given(st.binary(max_size=200))
@example(struct.pack("<Q", 3) + b"nan")
@example(struct.pack("<Q", 10) + b"[[[[[[[[[[")
@example(struct.pack("<Q", 20) + b'{"__metadata__":null')
def test_random_bytes_are_never_taken_for_a_model(tmp_path_factory, content):
    path = tmp_path_factory.getbasetemp() / "random"
    path.write_bytes(content)
    with pytest.raises(ModelFileError):
        load_model(path)


def test_deeply_nested_json_is_refused(refusal):
    header = b'{"a":' + b"[" * 100_000
    assert refusal(struct.pack("<Q", len(header)) + header) == DAMAGED


# --- files with the right hash that lie ------------------------------------------------------------------------------

HONEST = {
    "format": "glassmax",
    "version": 1,
    "layer_sizes": [3, 4, 2],
    "activations": ["relu"],
    "output": "softmax",
    "loss": "cross_entropy",
    "l2": 0.0,
    "dtype": "float64",
    "classes": ["a", "b"],
    "encoding": None,
    "record": {"epochs": 3},
}


def tensors(dtype="float64", **changed):
    sizes = {"W1": (3, 4), "b1": (4,), "W2": (4, 2), "b2": (2,)}
    arrays = {name: np.ones(shape, dtype) for name, shape in sizes.items()} | changed
    return {name: array for name, array in arrays.items() if array is not None}


def signed(content):
    """Give a file the hash that belongs to it: what whoever can write the file can do too."""
    digest = hashlib.sha256(content).hexdigest()
    return content.replace(f'"sha256":"{BLANK}"'.encode(), f'"sha256":"{digest}"'.encode(), 1)


def forged(manifest, arrays=None):
    text = manifest if isinstance(manifest, str) else json.dumps(manifest)
    return signed(save(tensors() if arrays is None else arrays, {"glassmax": text, "sha256": BLANK}))


def raw(manifest, header, body=b""):
    """A file with a header of our own: safetensors itself would refuse to write it."""
    header = {"__metadata__": {"glassmax": json.dumps(manifest), "sha256": BLANK}, **header}
    text = json.dumps(header, separators=(",", ":")).encode()
    return signed(struct.pack("<Q", len(text)) + text + body)


def entry(shape, begin, end, dtype="F64"):
    return {"dtype": dtype, "shape": shape, "data_offsets": [begin, end]}


def test_a_file_made_by_hand_with_the_right_hash_is_a_model(path):
    path.write_bytes(forged(HONEST))
    assert load_model(path).predict(np.ones((1, 3))).tolist() == ["a"]


NOT_JSON = "has a manifest that can't be read: "
UNFIT = "has a manifest with "

LIES = {
    "another_format": ({"format": "glass"}, UNFIT + "format 'glass', version 1; this glassmax reads format"),
    "version_4": (
        {"version": 4},
        UNFIT + "format 'glassmax', version 4; this glassmax reads format 'glassmax', versions 1 to 3.",
    ),
    "version_2": ({"version": 2}, NOT_JSON + "Object contains unknown field `layer_sizes`."),
    "an_unknown_activation": ({"activations": ["tanhh"]}, UNFIT + "activations that are unknown or too many."),
    "too_many_activations": ({"activations": ["relu"] * 2}, UNFIT + "activations that are unknown or too many."),
    "no_activations": ({"activations": []}, UNFIT + "activations that are unknown or too many."),
    "code_for_an_activation": ({"activations": ["os.system"]}, UNFIT + "activations that are unknown or too many."),
    "an_unknown_output": ({"output": "argmax"}, UNFIT + "an output and a loss that are unknown, or no pair."),
    "a_penalty_below_0": ({"l2": -1.0}, UNFIT + "a penalty that is no number >= 0."),
    "an_unknown_loss": ({"loss": "hinge"}, UNFIT + "an output and a loss that are unknown, or no pair."),
    "half_precision": ({"dtype": "float16"}, UNFIT + "a dtype other than float32 or float64."),
    "objects": ({"dtype": "object"}, UNFIT + "a dtype other than float32 or float64."),
    "no_layers": ({"layer_sizes": []}, UNFIT + "layer sizes that make no network."),
    "one_layer": ({"layer_sizes": [2]}, UNFIT + "layer sizes that make no network."),
    "an_empty_layer": ({"layer_sizes": [3, 0, 2]}, UNFIT + "layer sizes that make no network."),
    "a_negative_layer": ({"layer_sizes": [3, -4, 2]}, UNFIT + "layer sizes that make no network."),
    "a_class_twice": (
        {"classes": ["a", "a"]},
        UNFIT + "classes that are not one name for each output, all of one type.",
    ),
    "a_class_too_many": ({"classes": ["a", "b", "c"]}, UNFIT + "classes that are not one name for each output"),
    "no_classes": ({"classes": []}, UNFIT + "classes that are not one name for each output"),
    "classes_of_two_types": ({"classes": ["a", 1]}, UNFIT + "classes that are not one name for each output"),
    "a_class_that_is_null": ({"classes": ["a", None]}, NOT_JSON),
    "a_class_that_is_a_list": ({"classes": ["a", ["b"]]}, NOT_JSON),
    "too_many_weights": ({"layer_sizes": [3, 2**40, 2]}, UNFIT + "layer sizes too large to be true."),
    "weights_beyond_any_number": ({"layer_sizes": [10**40, 10**40, 2]}, UNFIT + "layer sizes too large to be true."),
    "other_layer_sizes": (
        {"layer_sizes": [3, 5, 2]},
        "has tensors that don't fit its manifest: W1 should be [3, 5], float64.",
    ),
    "another_dtype": (
        {"dtype": "float32"},
        "has tensors that don't fit its manifest: W1 should be [3, 4], float32.",
    ),
    "a_deeper_network": (
        {"layer_sizes": [3, 4, 4, 2], "activations": ["relu", "relu"]},
        "has tensors that don't fit its manifest: W2 should be [4, 4], float64.",
    ),
    "an_extra_key": ({"code": "import os"}, NOT_JSON + "Object contains unknown field `code`."),
    "sizes_that_are_text": ({"layer_sizes": "342"}, NOT_JSON),
    "sizes_that_are_fractions": ({"layer_sizes": [3.5, 4, 2]}, NOT_JSON),
    "a_record_of_objects": ({"record": {"a": {"b": 1}}}, NOT_JSON),
    "an_encoding_too_narrow": (
        {"encoding": {"target": "y", "columns": []}},
        UNFIT + "an encoding that doesn't fit the first layer.",
    ),
    "an_encoding_of_an_unknown_kind": (
        {"encoding": {"target": "y", "columns": [{"kind": "code", "name": "x"}]}},
        NOT_JSON + "Invalid value 'code'",
    ),
    "a_spread_of_zero": (
        {
            "encoding": {
                "target": "y",
                "columns": [{"kind": "number", "name": "x", "center": 0, "spread": 0, "indicator": False}],
            }
        },
        NOT_JSON + "Expected `float` > 0",
    ),
}


@pytest.mark.parametrize("case", LIES)
def test_a_manifest_that_lies_is_refused_though_its_hash_is_right(refusal, case):
    change, expected = LIES[case]
    assert refusal(forged(HONEST | change)).startswith(expected)


WRONG_HEADS = {
    "version 2": ({"softcap": 3.0}, {"version": 2}, UNFIT + "options that came with version 3."),
    "frozen in version 2": ({"frozen": ["W1"]}, {"version": 2}, UNFIT + "options that came with version 3."),
    "softcap 0": ({"softcap": 0.0}, {}, UNFIT + "a softcap that is no number > 0."),
    "softcap inf": ({"softcap": 1e999}, {}, "has a manifest that can't be read: "),
    "z-loss below 0": ({"z_loss": -0.1}, {}, UNFIT + "a z-loss that is no number >= 0."),
    "temperature 0": ({"temperature": 0.0}, {}, UNFIT + "a temperature that is no number > 0."),
    "no softmax": (
        {"loss": "binary_cross_entropy", "z_loss": 0.5},
        {"output": "sigmoid"},
        UNFIT + "a softcap, a z-loss or a temperature without softmax output.",
    ),
    "frozen W2": ({"frozen": ["W2"]}, {}, UNFIT + "frozen parameters that the network doesn't have."),
    "frozen twice": ({"frozen": ["W1", "W1"]}, {}, UNFIT + "frozen parameters that the network doesn't have."),
    "frozen text": ({"frozen": "W1"}, {}, "has a manifest that can't be read: Expected `array`"),
}


@pytest.mark.parametrize("case", WRONG_HEADS)
def test_options_of_the_head_that_cannot_be_are_refused(refusal, case):
    of_network, of_manifest, expected = WRONG_HEADS[case]
    network = {
        "layer_sizes": [3, 2], "activations": [], "loss": "cross_entropy", "l2": 0.0, "weight": 1.0, "embedding": None,
    }  # fmt: skip
    manifest = {
        "format": "glassmax", "version": 3, "output": "softmax", "dtype": "float64", "classes": ["a", "b"],
        "networks": [network | of_network], "encoding": None, "record": {}, "columns": None, "calibration": None,
        "conformal": None,
    }  # fmt: skip
    arrays = {"1.W1": np.zeros((3, 2)), "1.b1": np.zeros(2)}
    assert refusal(forged(manifest | of_manifest, arrays)).startswith(expected)


@pytest.mark.parametrize("key", HONEST)
def test_a_manifest_that_lacks_a_key_is_refused(refusal, key):
    manifest = {name: value for name, value in HONEST.items() if name != key}
    assert refusal(forged(manifest)) == f"{NOT_JSON}Object missing required field `{key}`."


@pytest.mark.parametrize(
    "text",
    [
        "",
        "{",
        "null",
        "[]",
        "1",
        "nan",
        "[" * 100_000,
        json.dumps(HONEST)[:-1] + ',"version":' + "9" * 5000 + "}",
        json.dumps(HONEST).replace('"epochs": 3', '"epochs": 1e999'),
    ],
    ids=["nothing", "brace", "null", "list", "number", "nan", "nested", "digits", "infinity"],
)
def test_a_manifest_that_is_no_manifest_is_refused(refusal, text):
    assert refusal(forged(text)).startswith("has a manifest ")


WRONG_TENSORS = {
    "a_missing_tensor": (tensors(b2=None), "has tensors that don't fit its manifest: b2 should be [2], float64."),
    "an_extra_tensor": (tensors(W3=np.zeros((2, 2))), "has tensors that its manifest doesn't list: W3."),
    "a_turned_tensor": (
        tensors(W1=np.zeros((4, 3))),
        "has tensors that don't fit its manifest: W1 should be [3, 4], float64.",
    ),
    "a_flat_tensor": (
        tensors(W1=np.zeros(12)),
        "has tensors that don't fit its manifest: W1 should be [3, 4], float64.",
    ),
    "half_precision": (
        tensors("float16"),
        "has tensors that don't fit its manifest: W1 should be [3, 4], float64.",
    ),
    "integers": (tensors("int64"), "has tensors that don't fit its manifest: W1 should be [3, 4], float64."),
    "nan": (tensors(b1=np.full(4, np.nan)), "holds weights that are not finite."),
    "infinity": (tensors(b1=np.full(4, np.inf)), "holds weights that are not finite."),
}


@pytest.mark.parametrize("case", WRONG_TENSORS)
def test_tensors_that_do_not_fit_are_refused_though_the_hash_is_right(refusal, case):
    arrays, expected = WRONG_TENSORS[case]
    assert refusal(forged(HONEST, arrays)) == expected


def good_header():
    return {
        "W1": entry([3, 4], 0, 96),
        "W2": entry([4, 2], 96, 160),
        "b1": entry([4], 160, 192),
        "b2": entry([2], 192, 208),
    }


def test_a_header_made_by_hand_is_read(path):
    path.write_bytes(raw(HONEST, good_header(), bytes(208)))
    assert not load_model(path).network.theta.any()


BROKEN_HEADERS = {
    "offsets_beyond_the_end": good_header() | {"b2": entry([2], 192, 2**60)},
    "offsets_that_overlap": good_header() | {"W2": entry([4, 2], 0, 64)},
    "offsets_that_leave_a_gap": good_header() | {"b2": entry([2], 200, 216)},
    "offsets_that_run_backwards": good_header() | {"b2": entry([2], 208, 192)},
    "negative_offsets": good_header() | {"b2": entry([2], -16, 0)},
    "offsets_too_few_for_the_shape": good_header() | {"b2": entry([2], 192, 200)},
    "a_tensor_that_is_a_number": good_header() | {"b2": 5},
    "no_offsets": good_header() | {"b2": {"dtype": "F64", "shape": [2]}},
}


@pytest.mark.parametrize("case", BROKEN_HEADERS)
def test_a_header_that_lies_about_its_tensors_is_refused(refusal, case):
    for length in (208, 216):
        refused = refusal(raw(HONEST, BROKEN_HEADERS[case], bytes(length)))
        assert refused.startswith("has tensors that don't fit its manifest: ")


def test_two_hashes_in_one_file_are_refused(refusal):
    content = raw(HONEST, good_header(), bytes(208))
    digest = re.search(b'"sha256":"[0-9a-f]{64}"', content)[0]
    twice = content.replace(digest, digest + b"," + digest)
    (length,) = struct.unpack("<Q", twice[:8])
    assert refusal(struct.pack("<Q", length + len(digest) + 1) + twice[8:]) == ALTERED


@pytest.mark.parametrize("claimed", [2**20, 2**31, 2**60, 2**63 - 1, 2**64 - 1])
def test_a_file_that_claims_to_be_huge_is_refused_in_little_memory(content, path, claimed):
    """The claims: a header of so many bytes, and tensors of so many."""
    path.write_bytes(struct.pack("<Q", claimed) + content[8:])
    n = min(claimed, 2**39)
    huge = HONEST | {"layer_sizes": [n, 1], "activations": [], "classes": ["a"]}
    header = {"W1": entry([n, 1], 0, 8 * n), "b1": entry([1], 8 * n, 8 * n + 8)}
    other = path.with_suffix(".other")
    other.write_bytes(raw(huge, header, bytes(64)))
    tracemalloc.start()
    for file in (path, other):
        with pytest.raises(ModelFileError):
            load_model(file)
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert peak < 2**20


@settings(suppress_health_check=[HealthCheck.too_slow])  # a busy machine draws nested lists slowly
@given(
    st.recursive(st.none() | st.booleans() | st.integers() | st.text(max_size=3), st.lists), st.sampled_from([*HONEST])
)
def test_any_value_in_place_of_another_is_a_model_or_refused(tmp_path_factory, value, key):
    path = tmp_path_factory.getbasetemp() / "forged"
    path.write_bytes(forged(HONEST | {key: value}))
    try:
        model = load_model(path)
    except ModelFileError:
        pass
    else:
        assert model.predict_proba(np.ones((1, 3))).shape == (1, 2)


# --- several networks ------------------------------------------------------------------------------------------------


def several(dtype="float32", **parts):
    """Three networks that differ in all that networks of one model may differ in."""
    embedding = Embedding(3, periodic=[0], frequencies=2)
    networks = [
        Network([3, 4, 2], dtype=dtype, random_state=1),
        Network([3, 2], loss="squared_error", l2=0.5, dtype=dtype, random_state=2),
        Network([embedding.width, 3, 2], activation="tanh", dtype=dtype, random_state=3, embedding=embedding),
    ]
    return Model(networks, np.array(["a", "b"]), **parts)


PARTS = {
    "nothing else": {},
    "weights": {"weights": [0.2, 0.0, 1.5]},
    "a temperature": {"calibration": Calibration(0.5)},
    "biases": {"calibration": Calibration(2.0, np.array([1.0, -0.5]))},
    "conformal scores": {"conformal": Conformal(np.array([0.1, 0.5, 0.5, 2.0]))},
    "everything": {
        "weights": [1.0, 0.25, 0.5],
        "calibration": Calibration(0.7, np.array([0.0, 0.3])),
        "conformal": Conformal(np.array([0.1, 0.4, 0.9]), np.array([1.0, 0.5, 2.0])),
    },
}


@pytest.mark.parametrize("parts", PARTS)
@pytest.mark.parametrize("dtype", ["float32", "float64"])
def test_the_logits_are_the_weighted_sum_of_the_networks_logits(dtype, parts):
    model = several(dtype, **PARTS[parts])
    weights = PARTS[parts].get("weights", [1 / 3] * 3)
    members = [network.forward(X.astype(dtype)).head.Z.astype(float) for network in model.networks]
    Z = sum(w * member for w, member in zip(weights, members, strict=True))
    calibration = PARTS[parts].get("calibration")
    if calibration is not None:
        Z = calibration.scale * Z + (0 if calibration.bias is None else calibration.bias)
    close = {"rtol": 1e-5, "atol": 1e-6} if dtype == "float32" else {"rtol": 1e-12, "atol": 1e-14}
    assert model.logits(X).dtype == model.predict_proba(X).dtype == dtype
    np.testing.assert_allclose(model.logits(X), Z, **close)
    np.testing.assert_allclose(model.predict_proba(X), softmax(Z), **close)
    np.testing.assert_array_equal(model.predict(X), model.classes[Z.argmax(axis=1)])


@pytest.mark.parametrize("parts", PARTS)
@pytest.mark.parametrize("dtype", ["float32", "float64"])
def test_a_saved_model_of_several_networks_predicts_the_same_bits(path, dtype, parts):
    model = several(dtype, **PARTS[parts])
    model.save(path)
    loaded = load_model(path)
    assert repr(loaded) == repr(model)
    assert list(map(repr, loaded.networks)) == list(map(repr, model.networks))
    np.testing.assert_array_equal(loaded.predict_proba(X), model.predict_proba(X))
    np.testing.assert_array_equal(loaded.weights, model.weights)
    if model.conformal is not None:
        np.testing.assert_array_equal(loaded.prediction_sets(X, 0.6), model.prediction_sets(X, 0.6))
    content = path.read_bytes()
    loaded.save(path)
    assert path.read_bytes() == content


VERSIONS = {
    "one network": (lambda: small(), 1),
    "one network of weight 1": (lambda: Model(Network([3, 2]), [0, 1], weights=[1.0]), 1),
    "a network of weight 2": (lambda: Model(Network([3, 2]), [0, 1], weights=[2.0]), 2),
    "a calibrated network": (lambda: Model(Network([3, 2]), [0, 1], calibration=Calibration(0.5)), 2),
    "a network with scores": (lambda: Model(Network([3, 2]), [0, 1], conformal=Conformal(np.zeros(1))), 2),
    "an embedding": (lambda: Model(Network([3, 2], embedding=Embedding(3)), [0, 1]), 2),
    "several networks": (several, 2),
}


@pytest.mark.parametrize("case", VERSIONS)
def test_a_model_is_written_in_the_oldest_version_that_holds_it(path, case):
    make, version = VERSIONS[case]
    make().save(path)
    assert json.loads(manifest_of(path))["version"] == version
    assert set(safetensors.numpy.load_file(path)) >= ({"W1", "b1"} if version == 1 else {"1.W1", "1.b1"})
    np.testing.assert_array_equal(load_model(path).predict_proba(X), make().predict_proba(X))


# The manifest of 0.2.0, field for field: what this version of glassmax accepts.


class NumberV1(msgspec.Struct, frozen=True, forbid_unknown_fields=True, tag="number", tag_field="kind"):
    name: str
    center: float
    spread: Annotated[float, msgspec.Meta(gt=0)]
    indicator: bool


class CategoryV1(msgspec.Struct, frozen=True, forbid_unknown_fields=True, tag="category", tag_field="kind"):
    name: str
    values: list[str]
    missing: bool


class BooleanV1(msgspec.Struct, frozen=True, forbid_unknown_fields=True, tag="boolean", tag_field="kind"):
    name: str
    words: Annotated[list[str], msgspec.Meta(min_length=2, max_length=2)]
    missing: bool


class DateV1(msgspec.Struct, frozen=True, forbid_unknown_fields=True, tag="date", tag_field="kind"):
    name: str
    form: Literal["ymd", "dmy", "mdy", "hms"]
    center: float
    spread: Annotated[float, msgspec.Meta(gt=0)]
    circles: list[Literal["season", "weekday", "hour"]]
    missing: bool


class EncodingV1(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    target: str
    columns: list[NumberV1 | CategoryV1 | BooleanV1 | DateV1]


class ManifestOf020(msgspec.Struct, forbid_unknown_fields=True):
    format: str
    version: int
    layer_sizes: list[int]
    activations: list[str]
    output: str
    loss: str
    l2: float
    dtype: str
    classes: list[str | bool | int | float]
    encoding: EncodingV1 | None
    record: dict[str, str | int | float | None]
    columns: list[str] | None = None


WRITTEN_BY_020 = (
    '{"format":"glassmax","version":1,"layer_sizes":[9,2],"activations":[],"output":"softmax","loss":"cross_entropy",'
    '"l2":0.0,"dtype":"float64","classes":["a","b"],"encoding":{"target":"y","columns":['
    '{"kind":"number","name":"x","center":1.5,"spread":2.0,"indicator":true},'
    '{"kind":"category","name":"c","values":["u","v"],"missing":true},'
    '{"kind":"boolean","name":"b","words":["no","yes"],"missing":false},'
    '{"kind":"date","name":"d","form":"ymd","center":2024.5,"spread":0.5,"circles":["season"],"missing":false}]},'
    '"record":{"epochs":3},"columns":null}'
)
OLD_COLUMNS = [
    Number("x", 1.5, 2.0, True),
    Category("c", ["u", "v"], True),
    Boolean("b", ["no", "yes"], False),
    Date("d", "ymd", 2024.5, 0.5, ["season"], False),
]
NEW_COLUMNS = [
    Number("x", 1.5, 2.0, True, clip=3.0),
    Number("x", 1.5, 2.0, True, values=[0.0]),
    Number("x", 1.5, 2.0, True, edges=[0.0, 1.0]),
    Category("c", ["u", "v"], True, rare=True),
    Category("c", ["u", "v"], True, high=2.0),
    Boolean("b", ["no", "yes"], False, low=-1.0),
]


def manifest_of(path):
    (length,) = struct.unpack("<Q", path.read_bytes()[:8])
    return json.loads(path.read_bytes()[8 : 8 + length])["__metadata__"]["glassmax"]


def test_a_model_of_a_table_without_new_fields_is_a_file_of_0_2_0(path):
    encoding = Encoding("y", OLD_COLUMNS)
    Model(Network([encoding.width, 2]), ["a", "b"], encoding, {"epochs": 3}).save(path)
    assert manifest_of(path) == WRITTEN_BY_020
    assert msgspec.json.decode(WRITTEN_BY_020, type=ManifestOf020).encoding.target == "y"
    assert load_model(path).encoding == encoding


@pytest.mark.parametrize("column", NEW_COLUMNS, ids=repr)
def test_a_column_with_a_field_that_0_2_0_does_not_know_makes_a_file_of_version_2(path, column):
    encoding = Encoding("y", [*OLD_COLUMNS[3:], column])
    Model(Network([encoding.width, 2]), ["a", "b"], encoding).save(path)
    assert json.loads(manifest_of(path))["version"] == 2
    assert load_model(path).encoding == encoding


def test_a_calibrated_model_of_a_table_predicts_the_same_bits_from_pieces_of_the_table():
    table = read_table("penguins")
    encoding, _ = Encoding.learn(table, "species")
    networks = [Network([encoding.width, 4, 3], random_state=i, dtype="float32") for i in range(3)]
    parts = {"calibration": Calibration(0.8, np.array([0.1, 0.0, -0.1])), "conformal": Conformal(np.array([0.3, 0.9]))}
    model = Model(networks, np.array(["Adelie", "Chinstrap", "Gentoo"]), encoding, **parts)
    pieces = [table.rows(slice(start, start + 50)) for start in range(0, 344, 50)]
    P = model.predict_proba(table)
    assert P.shape == (344, 3)
    np.testing.assert_array_equal(np.vstack([P for _, P in model.predictions(pieces)]), P)
    np.testing.assert_array_equal(
        np.vstack([Z for _, Z in model.predictions(pieces, of_logits=True)]), model.logits(table)
    )
    (_, raw) = next(iter(model.predictions([table], of_logits=True, calibrated=False)))
    np.testing.assert_array_equal(model.calibration.logits(raw), model.logits(table))
    together = list(model.predictions_with_sets(pieces, 0.5))
    np.testing.assert_array_equal(np.vstack([P for _, P, _ in together]), P)
    np.testing.assert_array_equal(np.vstack([sets for *_, sets in together]), model.prediction_sets(table, 0.5))
    assert model.predict(table).tolist() == model.classes[P.argmax(axis=1)].tolist()


def test_no_bit_depends_on_the_number_of_threads():
    pytest.importorskip("glassmax.engine.native")
    networks = [Network([3, 64, 64, 2], random_state=i, dtype="float32") for i in range(3)]
    model = Model(networks, [0, 1], calibration=Calibration(0.6))
    rows = np.random.RandomState(2).standard_normal((5000, 3))
    found = set()
    for n_threads in (1, 2, 5):
        results = model.predict_proba(rows, n_threads=n_threads), model.logits(rows, n_threads=n_threads)
        found.add(b"".join(result.tobytes() for result in results))
    assert len(found) == 1


CALLS = {
    "predict": lambda model, data, n: model.predict(data, n_threads=n),
    "predict_proba": lambda model, data, n: model.predict_proba(data, n_threads=n),
    "logits": lambda model, data, n: model.logits(data, n_threads=n),
    "prediction_sets": lambda model, data, n: model.prediction_sets(data, n_threads=n),
    "predictions": lambda model, data, n: list(model.predictions([data], n_threads=n)),
    "predictions_with_sets": lambda model, data, n: list(model.predictions_with_sets([data], 0.9, n_threads=n)),
}


@pytest.mark.parametrize("name", CALLS)
def test_every_prediction_uses_at_most_the_threads_that_it_is_given(monkeypatch, name):
    asked = []
    monkeypatch.setattr("glassmax.model.best_engine", lambda n_threads: asked.append(n_threads) or best_engine(1))
    table = read_table("penguins")
    encoding, _ = Encoding.learn(table, "species")
    model = Model(Network([encoding.width, 3]), ["A", "C", "G"], encoding, conformal=Conformal([0.1, 0.5]))
    CALLS[name](model, table, 3)
    assert set(asked) == {3}
    for wrong in (0, -1, 1.5, True, "all"):
        message = message_of(CALLS[name], model, table, wrong, error=OptionError)
        assert message == f"n_threads is {wrong!r}, expected a whole number >= 1 or None."


def test_the_rows_of_a_large_array_are_predicted_block_by_block():
    """Beside the result, only blocks are held: memory stays far below that of all rows and classes."""
    model = Model([Network([2, 1000], random_state=i, dtype="float32") for i in range(3)], np.arange(1000))
    rows = np.zeros((20_000, 2), np.float32)
    tracemalloc.start()
    P = model.predict_proba(rows)
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert peak < P.nbytes + 2**25


def test_sigmoid_networks_give_labels_of_their_mean_logits():
    networks = [Network([3, 2], output="sigmoid", loss="binary_cross_entropy", random_state=i) for i in range(2)]
    model = Model(networks, [0, 1])
    Z = (networks[0].forward(X).head.Z + networks[1].forward(X).head.Z) / 2
    np.testing.assert_allclose(model.predict_proba(X), 1 / (1 + np.exp(-Z)), rtol=1e-12)
    np.testing.assert_array_equal(model.predict(X), (Z > 0).astype(int))


def test_a_model_without_rows_has_results_without_rows():
    model, none = several(**PARTS["everything"]), np.zeros((0, 3))
    assert model.predict(none).shape == (0,)
    assert model.predict_proba(none).shape == model.logits(none).shape == model.prediction_sets(none).shape == (0, 2)


ONE_NUMBER = Encoding("y", [Number("x", 0.0, 1.0, False)])
SIGMOID = Network([3, 2], output="sigmoid", loss="binary_cross_entropy")
MISFITS = {
    "networks is empty, expected at least one Network.": lambda: Model([], [0, 1]),
    "The networks differ in their inputs: 3 and 4, expected the same.": lambda: Model(
        [Network([3, 2]), Network([4, 2])], [0, 1]
    ),
    "The networks differ in their outputs: 2 and 3, expected the same.": lambda: Model(
        [Network([3, 2]), Network([3, 3])], [0, 1]
    ),
    "The networks differ in their output: softmax and sigmoid, expected the same.": lambda: Model(
        [Network([3, 2]), SIGMOID], [0, 1]
    ),
    "The networks differ in their dtype: float64 and float32, expected the same.": lambda: Model(
        [Network([3, 2]), Network([3, 2], dtype="float32")], [0, 1]
    ),
    "weights is [1. 2.], expected 3 numbers >= 0, one for each network, not all 0.": lambda: several(weights=[1, 2]),
    "weights is [0. 0. 0.], expected 3 numbers >= 0, one for each network, not all 0.": lambda: several(
        weights=[0] * 3
    ),
    "weights is [ 1.  1. -1.], expected 3 numbers >= 0, one for each network, not all 0.": lambda: several(
        weights=[1, 1, -1]
    ),
    "calibration is given, expected none: the output is sigmoid, not softmax.": lambda: Model(
        SIGMOID, [0, 1], calibration=Calibration()
    ),
    "conformal is given, expected none: the output is sigmoid, not softmax.": lambda: Model(
        SIGMOID, [0, 1], conformal=Conformal(np.zeros(1))
    ),
    "The calibration has 3 biases, expected 2: one for each class.": lambda: several(
        calibration=Calibration(1.0, np.zeros(3))
    ),
    (
        "The model has no conformal scores, which prediction sets need: they come from rows that the training holds "
        "out, and a network trained on arrays alone has none. Train it with TableClassifier, or pass "
        "conformal=Conformal.fit(Z, y) to Model."
    ): lambda: several().prediction_sets(X),
    (
        "The model has no conformal scores, which prediction sets need: no row with one known class was held out of "
        "its training. Train it with a preset or held_out > 0, or pass validation rows to TableClassifier."
    ): lambda: Model(Network([1, 2]), [0, 1], ONE_NUMBER).prediction_sets(X),
    (
        "The model has no conformal scores, which prediction sets need: its output is sigmoid, not softmax. A "
        "prediction set holds the one class of a row, which only softmax output has."
    ): lambda: Model(SIGMOID, [0, 1]).prediction_sets(X),
    "networks is a list with 'net', expected Networks.": lambda: Model(["net"], [0, 1]),
    "There are 2 classes, expected 3: one for each output of the network.": lambda: Model(Network([2, 3]), ["a", "b"]),
    "classes is a list with 'a' more than once, expected a different label for each class.": lambda: Model(
        Network([2, 3]), ["a", "b", "a"]
    ),
    "classes is a mixture of numbers and text, expected labels of one kind.": lambda: Model(
        Network([2, 3]), [1, "b", 2.0]
    ),
    "classes is a mixture of booleans and numbers, expected labels of one kind.": lambda: Model(
        Network([2, 2]), [True, 2]
    ),
    "classes is of shape (1, 2), expected a list of labels, (k,).": lambda: Model(Network([2, 2]), [[0, 1]]),
    "classes is of shape (), expected a list of labels, (k,).": lambda: Model(Network([2, 2]), "ab"),
    "classes is a ragged list, expected a list of labels.": lambda: Model(Network([2, 2]), [[0, 1], [2]]),
    "The width of the encoding is 1, but the network has 2 inputs.": lambda: Model(Network([2, 2]), [0, 1], ONE_NUMBER),
    "columns has 1 names, expected 2: one for each input of the network.": lambda: Model(
        Network([2, 2]), [0, 1], columns=["x"]
    ),
    "coverage is 1.0, expected a number between 0 and 1.": lambda: several().prediction_sets(X, 1.0),
}


@pytest.mark.parametrize("message", MISFITS)
def test_parts_that_do_not_fit_are_an_error(message):
    assert message_of(MISFITS[message], error=GlassmaxError) == message


# --- saving ----------------------------------------------------------------------------------------------------------


def test_a_folder_that_is_missing_is_an_error_that_names_the_file(tmp_path):
    path = tmp_path / "no" / "m.safetensors"
    message = message_of(small().save, path)
    assert message == f"{path} can't be written: No such file or directory. Nothing has changed."
    assert list(tmp_path.iterdir()) == []


def test_a_full_disk_is_an_error_and_the_old_model_stays(path, monkeypatch):
    small().save(path)
    before = path.read_bytes()

    def full(handle):
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))

    monkeypatch.setattr(os, "fsync", full)
    message = message_of(small(3).save, path)
    assert message == f"{path} can't be written: No space left on device. Nothing has changed."
    assert path.read_bytes() == before
    assert [file.name for file in path.parent.iterdir()] == [path.name]


def spoiled(value):
    model = small()
    model.network.theta[2] = value
    return model


def relabelled(classes, k=2):
    model = small(k)
    model.classes = np.array(classes)
    return model


UNSAVED = {
    "weights_that_are_nan": (spoiled(np.nan), "The network holds weights that are not finite; it is not saved."),
    "weights_that_are_infinite": (spoiled(np.inf), "The network holds weights that are not finite; it is not saved."),
    "complex_weights": (small(dtype="complex128"), "The network is complex128, expected float32 or float64."),
    "half_precision": (small(dtype="float16"), "The network is float16, expected float32 or float64."),
    "classes_of_two_types": (
        relabelled(np.array(["a", 1], object)),
        "The classes are of type int, str, expected text, numbers or booleans, all of one type.",
    ),
    "classes_that_are_dates": (
        small(classes=np.array(["2020-01-01", "2020-01-02"], "M8[D]")),
        "The classes are of type date, expected text, numbers or booleans, all of one type.",
    ),
    "a_class_that_is_nan": (small(classes=[1.0, np.nan]), "A class is NaN or inf, expected finite numbers."),
    "a_class_twice": (
        relabelled(["a", "a"]),
        "The model has a manifest with classes that are not one name for each output, all of one type.",
    ),
    "a_class_too_few": (
        relabelled(["a", "b"], 3),
        "The model has a manifest with classes that are not one name for each output, all of one type.",
    ),
    "half_a_character": (
        small(classes=["a", "\ud800"]),
        "The name of a class or a column holds half a character (a lone surrogate).",
    ),
}


@pytest.mark.parametrize("case", UNSAVED)
def test_a_model_that_could_not_be_loaded_is_not_saved(path, case):
    model, expected = UNSAVED[case]
    assert message_of(model.save, path) == expected
    assert list(path.parent.iterdir()) == []


def test_no_module_of_the_package_names_pickle_joblib_or_eval():
    from pathlib import Path

    import glassmax

    sources = list(Path(glassmax.__file__).parent.rglob("*.py"))
    assert len(sources) > 20
    for source in sources:
        for line in source.read_text().splitlines():
            assert not re.match(r"\s*(import|from)\s+(pickle|joblib|dill|marshal|shelve)\b", line), source
            # Two places run code: the NumPy source that a derivation has written itself, and the file that a learner
            # hands to the doctor, in a process of its own.
            if source.name not in ("numpy.py", "loaded_file.py"):
                assert not re.search(r"(?<![\w.])(eval|exec)\(", line), source
            assert "allow_pickle" not in line, source


def test_very_many_outputs_that_are_no_probabilities_predict_the_largest():
    model = Model(Network([3, 5000], output="identity", loss="squared_error"), np.arange(5000))
    X = np.random.default_rng(0).normal(size=(4, 3))
    np.testing.assert_array_equal(model.predict(X), model.logits(X).argmax(axis=1))
    message = "output is 'identity', expected 'softmax' for predict_top: the outputs of identity are no probabilities."
    with pytest.raises(OptionError, match=f"^{re.escape(message)}$"):
        model.predict_top(X)


@pytest.mark.parametrize("threshold", [0.3, 1 / 3, 0.02, 1e-3, 5e-324])
@pytest.mark.parametrize("spread", [0.0, 1.0, 6.0])
def test_predict_sparse_finds_every_probability_above_a_threshold(threshold, spread):
    network = Network([3, 200], random_state=1)
    network.theta *= spread
    model, X = Model(network, np.arange(200)), np.random.default_rng(0).normal(size=(30, 3))
    P = Model(network, np.arange(200)).predict_top(X, 200)
    dense = np.zeros((30, 200))
    np.put_along_axis(dense, P[0], np.where(P[1] >= threshold, P[1], 0), axis=1)
    np.testing.assert_array_equal(model.predict_sparse(X, threshold).toarray(), dense)


def test_a_small_result_does_not_ask_the_system_for_memory(monkeypatch):
    monkeypatch.setattr("glassmax.memory.available_memory", lambda: pytest.fail("asked"))
    model = Model(Network([3, 4]), list("abcd"))
    assert model.predict(np.zeros((1, 3))).shape == (1,)
    assert model.predict_proba(np.zeros((1, 3))).shape == (1, 4)
