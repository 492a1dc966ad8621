"""Parameters and tables as JSON and arrays: what is read is what was written, and nothing runs."""

import json
from dataclasses import fields
from pathlib import Path

import numpy as np
import polars as pl
import pytest
from sklearn.base import clone

import glassmax as gm
from glassmax import SoftmaxClassifier
from glassmax.distributed import Message
from glassmax.embedding import Categories, Embedding, Periodic, PiecewiseLinear
from glassmax.errors import OptionError
from glassmax.estimator.ensemble import PRESETS
from glassmax.estimator.plain_parameters import of_plain, plain_parameters, to_plain
from glassmax.table import as_table


def there_and_back(value):
    """Return a value after its travel, as bytes."""
    arrays = []
    manifest = {"value": to_plain(value, "value", arrays)}
    content = Message(manifest, {str(i): array for i, array in enumerate(arrays)}).to_bytes()
    message = Message.of_bytes(content)
    return of_plain(message.manifest["value"], list(message.arrays.values()))


def assert_equal(one, other):
    assert type(one) is type(other)
    if isinstance(one, np.ndarray):
        assert one.dtype == other.dtype
        np.testing.assert_array_equal(one, other)
        if one.dtype == object:
            assert [type(cell) for cell in one.ravel()] == [type(cell) for cell in other.ravel()]
    elif isinstance(one, float) and one != one:
        assert other != other
    else:
        assert one == other


VALUES = [
    None,
    True,
    0,
    2**62,
    0.1,
    float("inf"),
    float("nan"),
    "µ 'x'",
    (64, 32),
    [],
    [1, (2.0, [None, "a"])],
    {"a", "b"},
    frozenset({3}),
    {"a": 1, 2: "b", True: None, (1, 2): [3]},
    {"Periodic": {}},
    {"array": 0},
    np.float32(0.1),
    np.int64(-3),
    np.bool_(True),
    np.array([[1.5, np.nan], [-0.0, 1e-300]]),
    np.array(3.0),
    np.array([], np.float32),
    np.asfortranarray(np.arange(6, dtype=np.uint8).reshape(2, 3)),
    np.array(["Adelie", "Gentoo", "Adelie"]),
    np.array([True, 1, 1.0, "1", None, ""], object),
    np.array([], object),
    np.array([["a"], ["b"]]),
    np.array(["2024-05-31", "NaT"], "datetime64[us]"),
    Periodic(scale=0.2),
    PiecewiseLinear((0, 3), 8),
    Categories(1, 4, 2),
    Embedding(3, edges={1: [0.0, 0.5, 2.0]}),
    PRESETS["best"],
]


@pytest.mark.parametrize("value", VALUES, ids=lambda value: "a set" if isinstance(value, set) else repr(value))
def test_what_is_read_is_what_was_written(value):
    assert_equal(there_and_back(value), value)


def test_a_path_is_text():
    assert there_and_back(Path("a") / "b") == str(Path("a") / "b")


def test_a_text_of_numpy_is_text():
    assert_equal(there_and_back(np.str_("a")), "a")


def test_a_generator_draws_the_same_numbers():
    draw = np.random.RandomState(5)
    draw.normal(size=3)  # one more is held back
    again = there_and_back(draw)
    np.testing.assert_array_equal(again.normal(size=700), draw.normal(size=700))


def test_a_classifier_is_read_as_its_clone():
    given = SoftmaxClassifier((3,), embedding=[Periodic(), Categories(2, 4, 1)], class_weight={"a": 2.0}, n_threads=3)
    again = there_and_back(given)
    assert again.get_params() == clone(given).get_params()
    arrays = []
    assert plain_parameters(given, arrays) == plain_parameters(again, arrays)


FRAME = pl.DataFrame(
    {
        "number": [1.5, None, -2.0],
        "text": ["a", None, "NA"],
        "truth": [True, None, False],
        "mixed": pl.Series(["1", "x", None]),
        "day": pl.Series(["2024-01-01", None, "2024-02-29"]).str.to_date(),
        "odd": [[1], [2], [3]],
    }
)


@pytest.mark.parametrize(
    "table",
    [
        gm.read_table("penguins"),
        gm.read_table("penguins").rows(np.array([3, 1, 300])),
        as_table(FRAME),
        as_table(np.array([[1, "a"], [None, True]], object)),
        as_table({"x": [1, 2], "y": ["NA", "b"]}, decimal=","),
    ],
    ids=["file", "some rows", "frame", "array", "dict"],
)
def test_a_table_travels_whole(table):
    again = there_and_back(table)
    assert list(again.columns) == list(table.columns)
    for name, column in table.columns.items():
        assert_equal(again.columns[name], column)
    assert again.words.keys() == table.words.keys()
    for name, words in table.words.items():
        assert again.words[name].words == words.words
        assert_equal(again.words[name].codes, words.codes)
    for field in fields(table):
        if field.name not in ("columns", "words", "lines", "numbers"):
            assert_equal(getattr(again, field.name), getattr(table, field.name))
    for name in ("lines", "numbers"):
        assert_equal(getattr(again, name), getattr(table, name))
    assert repr(again) == repr(table)


class Odd:
    """A class of the user's own."""

    def __repr__(self):
        return "Odd" * 50


class Mine(SoftmaxClassifier):
    """A classifier of the user's own."""


@pytest.mark.parametrize(
    ("value", "came"),
    [
        (len, "<built-in function len>"),
        (Odd(), ("Odd" * 50)[:60] + "..."),
        ([1, {"a": print}], "<built-in function print>"),
        (np.array([1, len], object), "<built-in function len>"),
        (np.random, repr(np.random)[:60] + "..." * (len(repr(np.random)) > 60)),
        (1j, "1j"),
        (Mine((3,)), "Mine(hidden_layer_sizes=(3,))"),
    ],
    ids=["function", "object", "within a list", "within an array", "module", "complex", "subclass"],
)
def test_what_can_not_be_written_is_refused(value, came):
    with pytest.raises(OptionError) as caught:
        there_and_back(value)
    assert str(caught.value) == (
        f"value is {came}, expected numbers, text, arrays, or lists and dicts of them: workers get neither functions "
        "nor objects of other classes."
    )


@pytest.mark.parametrize("kind", ["os.system", "TableClassifier", "Table ", "__reduce__"])
def test_an_unknown_kind_is_refused(kind):
    with pytest.raises(ValueError, match="a parameter is of the unknown kind"):
        of_plain(json.loads(json.dumps({kind: {"a": 1}})), [])
