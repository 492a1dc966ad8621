"""The look of the pages: one file that runs only its own scripts, escapes what came from data, and aligns numbers."""

import hashlib
import json
import re
from base64 import b64encode
from html.parser import HTMLParser
from xml.etree import ElementTree

import pytest

from glassmax import pages

HOSTILE = "</script><script>alert(1)</script>&\u2028'\""


class Elements(HTMLParser):
    """The elements of a page with their attributes and texts."""

    def __init__(self, text):
        super().__init__()
        self.found, self.open = [], False
        self.feed(text)
        self.close()

    def handle_starttag(self, tag, attributes):
        self.found.append([tag, dict(attributes), ""])
        self.open = True

    def handle_endtag(self, tag):
        self.open = False

    def handle_data(self, data):
        if self.open:
            self.found[-1][2] += data

    def named(self, tag):
        return [(attributes, text) for name, attributes, text in self.found if name == tag]


def policy(text):
    (meta,) = [a for a, _ in Elements(text).named("meta") if a.get("http-equiv") == "Content-Security-Policy"]
    return dict(part.strip().split(" ", 1) for part in meta["content"].split(";"))


# the file


def test_a_page_asks_the_network_for_nothing():
    text = pages.page("t", "<main></main>", scripts=["let x = 1;"])
    assert not re.search(r"(?:src|href)=(?!\"data:)", text)
    assert "url(" not in text
    assert "@import" not in text
    assert policy(text)["default-src"] == "'none'"


def test_only_the_scripts_of_the_page_run():
    text = pages.page("t", "", scripts=["let x = 1;"])
    ((_, code),) = Elements(text).named("script")
    digest = b64encode(hashlib.sha256(code.encode()).digest()).decode()
    assert policy(text)["script-src"] == f"'sha256-{digest}'"
    assert policy(pages.page("t", ""))["script-src"] == "'none'"


def test_a_page_leaves_out_the_lines_of_a_script_that_are_comments():
    code = "  // remark 1\nlet x = 'a // b'; // two\n/** remark 3 */\nlet y = 2;\n"
    text = pages.page("t", "", scripts=[code])
    assert "remark" not in text
    assert "let x = 'a // b'; // two\nlet y = 2;\n" in text


def test_webassembly_has_to_be_asked_for():
    plain, engine = (policy(pages.page("t", "", scripts=["1"], wasm=wasm)) for wasm in (False, True))
    assert "wasm" not in plain["script-src"]
    assert "worker-src" not in plain
    assert engine["script-src"].endswith(" 'wasm-unsafe-eval'")
    assert engine["worker-src"] == "blob:"


def test_data_come_back_as_they_were_and_cannot_end_their_element():
    data = {HOSTILE: [HOSTILE, 1.5, None]}
    text = pages.page("t", "", scripts=["1"], data={"facts": data})
    ((_, embedded), _) = Elements(text).named("script")
    assert json.loads(embedded) == data
    assert "alert(1)</script" not in text


def test_numbers_that_json_does_not_have_are_refused():
    with pytest.raises(ValueError, match="not JSON compliant"):
        pages.page("t", "", data={"facts": float("nan")})


def test_a_title_is_text():
    assert Elements(pages.page(HOSTILE, "")).named("title")[0][1] == HOSTILE


@pytest.mark.parametrize("code", ["let s = '</script>';", "let s = '</SCRIPT';", "if (a <!--b) {}"])
def test_a_script_that_would_end_its_element_is_refused(code):
    with pytest.raises(ValueError, match=r"The script contains '</script' or '<!--', expected neither"):
        pages.page("t", "", scripts=[code])


def test_the_script_of_the_look_is_there_where_there_are_scripts():
    assert "function shade(" in pages.page("t", "", scripts=["1"])
    assert "function shade(" not in pages.page("t", "")


def test_a_fragment_styles_nothing_but_itself():
    text = pages.fragment("<p>x</p>")
    ((_, css),) = Elements(text).named("style")
    css = re.sub(r"@media [^{]*\{((?:[^{}]|\{[^{}]*\})*)\}", r"\1", css)
    selectors = re.findall(r"([^{}]+)\{", css)
    assert len(selectors) > 20
    assert [s for s in selectors if ".glassmax" not in s] == []
    assert not Elements(text).named("script")


@pytest.mark.parametrize("name", ["style/look.css", "style/page.css"])
def test_every_color_that_a_style_sheet_uses_is_defined(name):
    css, defined = pages.packaged("glassmax.pages", name), pages.packaged("glassmax.pages", "style/look.css")
    used = {*re.findall(r"var\((--[\w-]+)", css)}
    assert used
    assert used <= {*re.findall(r"(--[\w-]+):", defined)}


# contrast


def luminance(color):
    channels = [int(color[k : k + 2], 16) / 255 for k in (1, 3, 5)]
    linear = [c / 12.92 if c <= 0.04045 else ((c + 0.055) / 1.055) ** 2.4 for c in channels]
    return 0.2126 * linear[0] + 0.7152 * linear[1] + 0.0722 * linear[2]


def contrast(one, other):
    low, high = sorted([luminance(one), luminance(other)])
    return (high + 0.05) / (low + 0.05)


COLORS = dict(
    re.findall(r"(--[\w-]+): light-dark\((#\w{6}, #\w{6})\)", pages.packaged("glassmax.pages", "style/look.css"))
)


@pytest.mark.parametrize("mode", [0, 1], ids=["light", "dark"])
@pytest.mark.parametrize("name", ["ink", "quiet", "accent", "positive-text", "negative-text", "good", "bad"])
def test_text_can_be_read_on_paper_and_on_surface(name, mode):
    text = COLORS[f"--{name}"].split(", ")[mode]
    for ground in ("--paper", "--surface"):
        assert contrast(text, COLORS[ground].split(", ")[mode]) >= 4.5


@pytest.mark.parametrize("mode", [0, 1], ids=["light", "dark"])
@pytest.mark.parametrize("name", ["positive", "negative"])
def test_numbers_can_be_read_on_the_strongest_cell(name, mode):
    ink = COLORS["--ink"].split(", ")[mode]
    assert contrast(ink, COLORS[f"--{name}"].split(", ")[mode]) >= 4.5


# numbers


@pytest.mark.parametrize(
    ("values", "texts"),
    [
        ([1.5, -0.25], ["1.5000", "−0.2500"]),
        ([0.5, 0.0], ["0.5000", "0.0000"]),
        ([3, -10], ["3", "−10"]),
        ([12.5, 1], ["12.500", "1.000"]),
        ([0.05, -0.001], ["0.05000", "−0.00100"]),
        ([0.00025, 0], ["0.0002500", "0.0000000"]),
        ([2e-9, -1e-9], ["2.000e-09", "−1.000e-09"]),
        ([1e9, 1], ["1.000e+09", "1.000e+00"]),
        ([-1e-9, 1.5], ["0.0000", "1.5000"]),
        ([float("nan"), 0.5], ["nan", "0.5000"]),
        ([float("inf"), float("-inf")], ["∞", "−∞"]),
        ([], []),
    ],
)
def test_numbers_align_at_the_point(values, texts):
    assert pages.aligned(values) == texts


def test_a_table_aligns_each_column_and_escapes_text():
    text = pages.table(["name", "value"], [[HOSTILE, 1.5], ["b", -12.25], ["c", None]], caption=HOSTILE)
    cells = [t for _, t in Elements(text).named("td")]
    assert cells == [HOSTILE, "1.500", "b", "−12.250", "c", ""]
    assert "<script" not in text


def test_a_table_without_rows_is_a_table():
    assert "<th" in pages.table(["name"], [])


def test_cells_are_blue_above_zero_and_orange_below():
    assert pages.shade(2.0, 2.0) == "color-mix(in oklab, var(--positive) 85.00%, var(--zero))"
    assert pages.shade(-1.0, 2.0) == "color-mix(in oklab, var(--negative) 42.50%, var(--zero))"
    assert " 0.00%" in pages.shade(0.0, 2.0)
    assert " 0.00%" in pages.shade(float("nan"), 2.0)
    assert "--negative) 85.00%" in pages.shade(float("-inf"), 2.0)


# pictures and formulas


PICTURES = {
    "curves": pages.curves({HOSTILE: [(0, 1.0), (1, float("nan")), (2, 0.5)], "b": []}, x=HOSTILE, y="loss", title="t"),
    "bars": pages.bars({HOSTILE: -1.0, "b": 2.0, "c": 0.0}, title=HOSTILE),
    "histogram": pages.histogram([-1, 0, 1], [2, 5], x=HOSTILE, title="t"),
    "one point": pages.curves({"a": [(3, 3.0)]}, x="x", y="y", title="t"),
}


@pytest.mark.parametrize("name", PICTURES)
def test_a_picture_is_well_formed_and_its_texts_are_text(name):
    svg = ElementTree.fromstring(PICTURES[name])
    assert svg.get("role") == "img"
    assert svg.get("aria-label")
    assert not [e for e in svg.iter() if "script" in e.tag]
    assert "nan" not in PICTURES[name]


def test_a_gap_in_a_curve_stays_a_gap():
    (path,) = [e for e in ElementTree.fromstring(PICTURES["curves"]) if e.get("class") == "series" and e.get("d")]
    assert path.get("d").count("M") == 2


def test_bars_are_as_long_as_their_values():
    svg = ElementTree.fromstring(PICTURES["bars"])
    negative, positive, zero = (float(e.get("width")) for e in svg if e.tag == "rect")
    assert positive == pytest.approx(2 * negative, abs=0.2)
    assert zero == 0


def test_formulas_are_well_formed_and_names_are_text():
    m = pages.mathematics
    name = m.identifier(HOSTILE)
    formula = m.math(
        m.labeled(m.transposed(name), "(5, 3)"), m.operator("-"), m.fraction(m.numeral("1"), m.words("n")),
        m.total(name, m.script(name, below=name, above=m.numeral("2"))), m.script(name, below=name), m.script(name),
        block=True, spoken=HOSTILE,
    )  # fmt: skip
    assert ElementTree.fromstring(formula).get("aria-label") == HOSTILE
    assert "<script" not in formula
    assert "<mo>−</mo>" in formula
