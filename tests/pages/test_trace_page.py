"""The page of a trace and its ledger in a notebook, without a browser: whole, escaped, in one file."""

import json
import re
from pathlib import Path
from xml.etree import ElementTree

import numpy as np
import pytest

import glassmax as gm
from glassmax.tracing import toy

PACKAGE, SOURCE = Path(gm.__file__).parent, Path(__file__).resolve().parents[2] / "src" / "glassmax"
HOSTILE = "<script>alert('1')</script>"


@pytest.fixture(scope="module")
def trace():
    return gm.trace(*toy())


@pytest.fixture(scope="module")
def page(trace, tmp_path_factory):
    file = tmp_path_factory.mktemp("page") / "trace.html"
    trace.to_html(file)
    return file.read_text(encoding="utf-8")


def data_of(page):
    return json.loads(re.search(r'<script type="application/json" id="trace">(.*?)</script>', page, re.S)[1])


def test_the_page_has_every_array_of_the_trace(trace, page):
    steps = data_of(page)["steps"]
    assert [step["name"] for step in steps] == list(trace)
    for step in steps:
        if step["name"] != "J":
            np.testing.assert_array_equal(step["array"]["cells"], trace[step["name"]].value)
    assert page.count('<div class="entry">') == len(trace)


def test_the_page_runs_only_its_own_script_and_asks_for_nothing(page):
    assert re.search(r"default-src 'none'; script-src 'sha256-[^']+'; ", page)
    assert page.count("<script") == 2
    assert not re.search(r"https?://(?!www\.w3\.org/)", page)


def test_a_notebook_shows_the_ledger_without_a_script(trace):
    shown = trace._repr_html_()
    root = ElementTree.fromstring(shown)
    assert len(root.findall(".//div[@class='entry']")) == len(trace)
    assert "<script" not in shown
    assert "−0.0476" in shown


def test_a_cell_of_the_ledger_is_colored_by_its_sign_and_size(trace):
    cells = re.findall(r'<td class="number (\w+)" style="--s:(\d+)">([^<]*)</td>', ledger_of(trace, "X"))
    assert len(cells) == trace["X"].value.size
    for (side, strength, text), value in zip(cells, trace["X"].value.ravel(), strict=True):
        assert side == ("above" if value > 0 else "below")
        assert int(strength) == round(85 * abs(value) / 2)
        assert float(text.replace("−", "-")) == value


def ledger_of(trace, name):
    """Return the entry of one array in the ledger."""
    entries = re.split(r'(?=<div class="entry">)', trace._repr_html_())
    (entry,) = [entry for entry in entries if f"<b>{name}</b>" in entry]
    return entry


def test_a_large_array_shows_its_corners_and_says_so():
    rng = np.random.default_rng(0)
    trace = gm.trace(gm.Network([60, 50, 3], random_state=0), rng.normal(size=(200, 60)), rng.integers(0, 3, 200))
    entry = ledger_of(trace, "W1")
    assert "are not shown" in entry
    assert len(re.findall(r'class="number', entry)) < 100


def test_names_from_data_are_text_in_the_page_and_in_a_notebook(tmp_path):
    import polars as pl

    frame = pl.DataFrame({HOSTILE: [0.1, 0.5, 0.9, 0.4], "y": [HOSTILE, "b", HOSTILE, "b"]})
    trace = gm.trace(gm.TableClassifier("fast", random_state=0).fit(frame, "y"), frame, "y")
    trace.to_html(tmp_path / "trace.html")
    page = (tmp_path / "trace.html").read_text(encoding="utf-8")
    assert HOSTILE in data_of(page)["classes"]
    assert HOSTILE not in page
    assert HOSTILE not in trace._repr_html_()


def test_a_page_that_cannot_be_written_leaves_nothing(trace, tmp_path):
    message = r"nowhere/trace.html can't be written: No such file or directory. Nothing has changed.$"
    with pytest.raises(gm.errors.DataError, match=message):
        trace.to_html(tmp_path / "nowhere" / "trace.html")
    assert list(tmp_path.iterdir()) == []


@pytest.mark.skipif(not SOURCE.exists(), reason="only the package is at hand")
def test_scripts_and_style_sheets_are_part_of_the_installation():
    files = {path.relative_to(SOURCE) for kind in ("*.js", "*.css") for path in SOURCE.rglob(kind)}
    assert len(files) > 10
    assert [path for path in files if not (PACKAGE / path).is_file()] == []


@pytest.mark.parametrize("path", sorted(PACKAGE.rglob("*.js")), ids=lambda path: path.name)
def test_a_script_has_at_most_300_lines(path):
    assert len(path.read_text(encoding="utf-8").splitlines()) <= 300
