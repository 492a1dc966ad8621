"""Tables dropped into the page: what is read, what is left out, and what is refused."""

import numpy as np
import pytest

from .node import needs_node, numbers, run

pytestmark = needs_node


def read(text, **more):
    (answer,) = run({"what": "table", "text": text, **more})
    return answer


def inputs(answer):
    return np.reshape(numbers(answer["X"]), (answer["n"], answer["d"]))


def test_numbers_are_standardized_and_categories_get_an_input_each():
    answer = read("size,color,kind\n1,red,a\n2,blue,b\n3,red,c\n")
    assert [entry["name"] for entry in answer["inputs"]] == ["size", "color = blue", "color = red"]
    assert answer["classes"] == ["a", "b", "c"]
    np.testing.assert_allclose(inputs(answer)[:, 0], [-np.sqrt(1.5), 0, np.sqrt(1.5)])
    np.testing.assert_array_equal(inputs(answer)[:, 1:], [[0, 1], [1, 0], [0, 1]])
    np.testing.assert_array_equal(np.reshape(answer["Y"], (3, 3)), np.eye(3))


READABLE = {
    "semicolons and decimal commas": ("a;kind\n1,5;x\n2,5;y\n", ["a"]),
    "decimal commas of which one has another number of digits": ("a;kind\n1,234;x\n2,5;y\n", ["a"]),
    "decimal commas after a zero": ("a;kind\n1,234;x\n0,500;y\n", ["a"]),
    "commas in texts": ('a,kind\n"1,234",x\nmany,y\n', ["a = 1,234", "a = many"]),
    "tabs": ("a\tkind\n1\tx\n2\ty\n", ["a"]),
    "a byte order mark and Windows line ends": ("\ufeffa,kind\r\n1,x\r\n2,y\r\n", ["a"]),
    "a quoted separator": ('"a, b",kind\n1,x\n2,y\n', ["a, b"]),
    "a doubled quotation mark": ('"a ""b""",kind\n1,x\n2,y\n', ['a "b"']),
    "a line end inside quotes": ('a,b,kind\n1,"p\nq",x\n2,r,y\n', ["a", "b = p\nq", "b = r"]),
    "blank lines": ("a,kind\n\n1,x\n\n2,y\n\n", ["a"]),
    "no line end": ("a,kind\n1,x\n2,y", ["a"]),
    "a name that is HTML": ("<script>alert(1)</script>,kind\n1,x\n2,y\n", ["<script>alert(1)</script>"]),
    "an empty name": (",kind\n1,x\n2,y\n", ["column 1"]),
    "exponents": ("a,kind\n1e3,x\n-2.5E-1,y\n", ["a"]),
    "hexadecimal numbers are text": ("a,kind\n0x10,x\n0x11,y\n", ["a = 0x10", "a = 0x11"]),
    "infinity is text": ("a,b,kind\n1,inf,x\n2,0,y\n", ["a", "b = 0", "b = inf"]),
    "a name of Object": (
        "constructor,kind\n__proto__,x\ntoString,y\n",
        ["constructor = __proto__", "constructor = toString"],
    ),
}


@pytest.mark.parametrize("name", READABLE)
def test_a_table_is_read(name):
    text, expected = READABLE[name]
    answer = read(text)
    assert "error" not in answer
    assert [entry["name"] for entry in answer["inputs"]] == expected
    assert answer["classes"] == ["x", "y"]


REFUSED = {
    "": "data.csv has no rows. Expected a header and one row for each sample.",
    "a,b\n": "data.csv has a header and no rows. Expected a header and one row for each sample.",
    "a,a\n1,2\n": "data.csv has two columns named 'a'. Rename one of them.",
    "a,b,column 3,,b\n1,2,3,4,5\n": "data.csv has two columns named 'b'. Rename one of them.",
    "column 2,,kind\n1,2,x\n": "data.csv has two columns named 'column 2'. Rename one of them.",
    "a" + "," * 2000 + "\n1\n": "data.csv has 2001 columns; this page takes at most 2000. Leave columns out.",
    "a,b\n1,2\n3\n": "Row 3 of data.csv has 1 cell, expected 2 as in the header. Correct the row.",
    'a,b\n1,"2\n': "Row 2 opens a quoted cell that is never closed. Close the quotation mark.",
    "a,b\n1,x\n2,x\n": "Column 'b' of data.csv has 1 different value, expected 2 to 50 classes. Choose another "
    "column to predict.",
    "a,b\n1,x\n1,y\n": "data.csv has no column to learn from. Expected numbers, or categories with at most 30 values.",
}

SEPARATED = {
    'a,kind\n"1,234",x\n900,y\n': "'1,234', which can mean 1234 or 1.234.",
    'a,kind\n900,x\n"20,442",y\nNA,y\n': "'20,442', which can mean 20442 or 20.442.",
    "a;kind\n1,234;x\n-5,678;y\n": "'1,234', which can mean 1234 or 1.234.",
    'a,kind\n"1,234,567",x\n"1,234",y\n': "'1,234', which can mean 1234 or 1.234.",
    'a,kind\n"1,234,567",x\n2.5,y\n': "'1,234,567', which can mean 1234567.",
}
REFUSED |= {
    text: f"Column 'a' has the cell {meaning} Write the numbers without separators of thousands, and decimals with "
    "a point."
    for text, meaning in SEPARATED.items()
}


@pytest.mark.parametrize("text", REFUSED)
def test_a_table_is_refused_with_the_reason_and_the_next_step(text):
    assert read(text)["error"] == REFUSED[text]


def test_what_is_left_out_is_said():
    rows = "".join(f"{i % 5},7,text {i},{'xyz'[i % 3] if i else ''}\n" for i in range(45))
    answer = read("a,b,c,kind\n1,7,NA,NA\n" + rows.replace("\n3,", "\nNA,", 1))
    assert answer["notes"] == [
        "2 rows have no value in 'kind' and are left out.",
        "Column 'a': 1 missing cell is set to the mean.",
        "Column 'b' is constant and is left out.",
        "Column 'c' has 44 different texts and is left out.",
    ]
    assert (answer["n"], answer["d"], answer["k"]) == (44, 1, 3)


def test_a_fifth_of_the_rows_is_held_out_and_the_spread_is_that_of_the_others():
    draw = np.random.default_rng(0)
    values = draw.normal(3, 2, 100)
    answer = read("a,kind\n" + "".join(f"{x!r},{'xy'[i % 2]}\n" for i, x in enumerate(values.tolist())))
    assert len(answer["held"]) == 20
    assert sorted(answer["held"] + answer["train"]) == list(range(100))
    learned = values[answer["train"]]
    np.testing.assert_allclose(inputs(answer)[:, 0], (values - learned.mean()) / learned.std())


def test_classes_that_are_numbers_keep_the_order_of_the_numbers():
    assert read("a,kind\n1,10\n2,9\n3,100\n")["classes"] == ["9", "10", "100"]


def test_fifty_thousand_rows_are_read():
    text = "a,b,kind\n" + "".join(f"{i % 97},{'pq'[i % 2]},c{i % 10}\n" for i in range(50_000))
    answer = read(text)
    assert (answer["n"], answer["d"], answer["k"]) == (50_000, 3, 10)
