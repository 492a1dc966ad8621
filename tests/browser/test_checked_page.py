"""The page of a checked derivation: typeset, marked, opened by a click without a script, and narrow enough."""

from dataclasses import replace

import pytest

from glassmax.proofreading.telling import Checked
from tests.proofreading.test_telling import CHECKED, HOSTILE, LINES, WRONG_LINE


@pytest.fixture
def page_of(opened, tmp_path):
    """Return a function that opens the page of a checked derivation."""

    def open_checked(checked, **options):
        file = tmp_path / "checked.html"
        checked.to_html(file)
        return opened(file.read_text(encoding="utf-8"), **options)

    return open_checked


def test_wrong_lines_are_open_and_a_click_closes_and_opens_a_line(page_of):
    page = page_of(CHECKED)
    reason = page.get_by_text("The left side has the index i twice and no j.")
    assert reason.is_visible()
    row = page.locator("li.is-bad summary.row")
    row.click()
    assert not reason.is_visible()
    row.press("Enter")
    assert reason.is_visible()


def test_our_derivation_is_shown_by_a_second_click(page_of):
    page = page_of(Checked((replace(WRONG_LINE, ours="<p>the derivation</p>"),)))
    assert not page.get_by_text("the derivation", exact=True).is_visible()
    page.get_by_text("How glassmax derives it").click()
    assert page.get_by_text("the derivation", exact=True).is_visible()


def test_formulas_are_typeset(page_of):
    page = page_of(CHECKED)
    assert page.locator("li.is-bad math").count() == 2
    above, below = (page.locator(f"li.is-bad summary mfrac > :nth-child({n})").bounding_box() for n in (1, 2))
    assert above["y"] + above["height"] <= below["y"] + 1


@pytest.mark.parametrize("width", [360, 768, 1440])
def test_a_long_formula_scrolls_by_itself_and_not_the_page(page_of, width):
    long = replace(LINES[2], formula="∂L/∂z_i = " + " + ".join(["p_i (δ_ij - p_j)"] * 30))
    typeset = replace(WRONG_LINE, sides=WRONG_LINE.sides[:1] + WRONG_LINE.sides[1:] * 20)
    page = page_of(Checked((long, typeset, *LINES), notes=("column vectors " * 30,)), width=width)
    assert page.evaluate("document.documentElement.scrollWidth") == width


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_a_verdict_can_be_read_in_light_and_in_dark(page_of, scheme):
    page = page_of(CHECKED, scheme=scheme)
    colors = {page.locator(f".verdict.{kind}").first.evaluate("e => getComputedStyle(e).color") for kind in KINDS}
    assert len(colors) == len(KINDS)


KINDS = ("good", "bad", "chance", "quiet")


def test_what_the_author_typed_runs_no_script(page_of):
    page = page_of(
        Checked(
            (replace(LINES[6], source=HOSTILE, says=HOSTILE),),
            (HOSTILE,),
            (replace(LINES[6], formula=HOSTILE),),
            HOSTILE,
        )
    )
    assert page.locator("img").count() == 0
    assert HOSTILE in page.inner_text("main")
