"""The page of a trace: it shows the numbers of the trace, walks by keys, and takes every cell apart."""

import re

import numpy as np
import pytest

import glassmax as gm
from glassmax import pages
from tests.browser.traces import TOY, TRACES, of_toy


@pytest.fixture
def page_of(opened, tmp_path):
    """Return a function that opens the page of a trace."""

    def open_trace(trace, **options):
        file = tmp_path / "trace.html"
        trace.to_html(file)
        return opened(file.read_text(encoding="utf-8"), **options)

    return open_trace


def number(text):
    return float(text.replace("−", "-").replace("∞", "inf"))


def shown(page):
    """Return the name of the array that is shown."""
    return re.sub(r"\[.*", "", page.evaluate("decodeURIComponent(location.hash).slice(1)"))


def numbers(page, table="table.main"):
    return [number(text) for text in page.locator(f"{table} td.cell").all_inner_texts()]


def cell(page, *index):
    return page.locator(f'table.main td.cell[data-index="{",".join(map(str, index))}"]')


def lit(page, name):
    cells = page.locator(f'table[aria-label="{name}"] td.lit')
    return {tuple(map(int, key.split(","))) for key in cells.evaluate_all("found => found.map(c => c.dataset.index)")}


# numbers


@pytest.mark.parametrize("name", TRACES)
def test_every_array_is_shown_and_a_cell_is_the_sum_of_its_products(page_of, name):
    trace = TRACES[name]()
    page = page_of(trace, hash=f"#{next(iter(trace))}")
    single = trace.network.theta.dtype == np.float32
    walked = []
    for step in trace.steps:
        walked.append(shown(page))
        value = trace.jacobian(0) if step.value is None else step.value
        rounding = 6e-5 * max(1.0, np.abs(value).max())
        np.testing.assert_allclose(numbers(page), np.ravel(value), rtol=0, atol=rounding, err_msg=step.name)
        if step.equations:
            last = tuple(size - 1 for size in step.shape)
            cell(page, *((0, *last[1:]) if step.value is None else last)).hover()
            exact = value[last[1:]] if step.value is None else value[last]
            got = float(page.get_attribute(".terms", "data-sum"))
            assert got == pytest.approx(float(exact), rel=1e-4 if single else 1e-9, abs=1e-6 if single else 1e-12)
        page.locator("#name").click()
        page.keyboard.press("ArrowRight")
    assert walked == list(trace)


def test_a_known_cell_shows_its_row_its_column_and_their_products(page_of):
    trace = of_toy()
    page = page_of(trace, hash="#dW2")
    cell(page, 3, 1).hover()
    assert lit(page, "A1") == {(i, 3) for i in range(5)}
    assert lit(page, "dZ2") == {(i, 1) for i in range(5)}
    lines = page.locator(".term-table tbody tr")
    for line, term in zip(lines.all(), trace.cell("dW2", 3, 1).terms, strict=False):
        i, *factors, product = [number(text) for text in line.locator(".number").all_inner_texts()]
        assert i == term.at["i"]
        assert factors == pytest.approx([value for _, value in term.factors], abs=6e-5)
        assert product == pytest.approx(term.value, abs=6e-6)
    assert lines.last.inner_text().split() == ["sum", "−0.04762"]
    assert page.inner_text(".formula") == "dW2[3,1] = Σi dZ2[i,1] A1[i,3]"
    assert page.inner_text(".total") == "dW2[3, 1] = −0.0476210"


def test_a_click_holds_a_cell_until_the_next_click(page_of):
    page = page_of(of_toy(), hash="#dW2")
    held = page.locator("td.pointed")
    cell(page, 3, 1).click()
    cell(page, 5, 2).hover()
    assert held.get_attribute("data-index") == "3,1"
    cell(page, 3, 1).click()
    cell(page, 5, 2).hover()
    assert held.get_attribute("data-index") == "5,2"


def test_the_cell_that_is_nudged_is_the_one_that_was_clicked(page_of):
    page = page_of(of_toy(), hash="#W2")
    cell(page, 3, 1).click()
    page.locator("#nudge input").evaluate("e => { e.value = 0.5; e.dispatchEvent(new Event('input')) }")
    cell(page, 5, 2).hover()
    assert "W2[3, 1]" in page.inner_text("#nudge h3")
    assert number(page.locator(".nudge-numbers td").first.inner_text()) == 0.5
    cell(page, 5, 2).click()
    assert "W2[5, 2]" in page.inner_text("#nudge h3")
    assert number(page.locator(".nudge-numbers td").first.inner_text()) == 0


def test_dZ_is_contracted_with_the_jacobian_of_its_sample(page_of):
    page = page_of(of_toy(), hash="#dZ2")
    cell(page, 4, 0).hover()
    assert page.input_value("select[aria-label=Sample]") == "4"
    assert lit(page, "J") == {(4, c, 0) for c in range(3)}
    assert lit(page, "dP") == {(4, c) for c in range(3)}
    np.testing.assert_allclose(numbers(page, 'table[aria-label="J"]'), of_toy().jacobian(4).ravel(), atol=6e-5)


def test_a_nudge_shows_the_predicted_and_the_measured_change(page_of):
    trace = of_toy()
    page = page_of(trace, hash="#W2[3,1]")
    page.locator("#nudge input").evaluate("e => { e.value = 0.5; e.dispatchEvent(new Event('input')) }")
    change, slope, predicted, measured, difference = map(number, page.locator(".nudge-numbers td").all_inner_texts())
    nudge = trace.nudge("W2", (3, 1), 0.5)
    assert change == 0.5
    assert [slope, predicted, measured, difference] == pytest.approx(
        [nudge.slope, nudge.predicted, nudge.measured, nudge.difference], abs=1e-6
    )
    W2 = TOY["W2"].copy()
    W2[3, 1] += 0.5
    np.testing.assert_allclose(numbers(page), W2.ravel(), atol=6e-5)
    page.get_by_text("Back to 0").click()
    np.testing.assert_allclose(numbers(page), TOY["W2"].ravel(), atol=6e-5)


@pytest.mark.parametrize("name", [name for name in TRACES if name != "float32, Adam"])
@pytest.mark.parametrize("array", ["W1", "X"])
def test_the_measured_change_is_that_of_the_network(page_of, name, array):
    trace = TRACES[name]()
    page = page_of(trace, hash=f"#{array}[0,1]")
    page.locator("#nudge input").evaluate("e => { e.value = 0.25; e.dispatchEvent(new Event('input')) }")
    change, _, _, measured, _ = map(number, page.locator(".nudge-numbers td").all_inner_texts())
    assert change
    assert measured == pytest.approx(trace.nudge(array, (0, 1), change).measured, rel=1e-3, abs=1e-6)


def test_a_nudge_is_dragged_with_the_pointer(page_of):
    page = page_of(of_toy(), hash="#W2[3,1]")
    page.locator(".nudge-plot").scroll_into_view_if_needed()
    box = page.locator(".nudge-plot").bounding_box()
    middle = box["y"] + box["height"] / 2
    page.mouse.move(box["x"] + box["width"] / 2, middle)
    page.mouse.down()
    page.mouse.move(box["x"] + box["width"] * 0.75, middle)
    page.mouse.up()
    change = number(page.locator(".nudge-numbers td").first.inner_text())
    assert 0.4 < change < 0.6
    page.mouse.move(box["x"], middle)
    assert number(page.locator(".nudge-numbers td").first.inner_text()) == change


# walking


def test_the_arrow_keys_walk_by_steps_and_inside_a_table_by_cells(page_of):
    page = page_of(of_toy(), hash="#dW2")
    page.locator("#name").click()
    for key, name in [("ArrowRight", "db2"), ("ArrowRight", "dA1"), ("ArrowLeft", "db2"), ("ArrowLeft", "dW2")]:
        page.keyboard.press(key)
        assert shown(page) == name
    page.locator('table.main td[tabindex="0"]').focus()
    for key, index in [("ArrowDown", "1,0"), ("ArrowRight", "1,1"), ("ArrowUp", "0,1"), ("ArrowLeft", "0,0")]:
        page.keyboard.press(key)
        assert page.locator(":focus").get_attribute("data-index") == index
        assert page.locator("td.pointed").get_attribute("data-index") == index
    assert shown(page) == "dW2"


def test_the_ends_of_the_walk_are_ends(page_of):
    trace = of_toy()
    names = list(trace)
    page = page_of(trace, hash=f"#{names[0]}")
    page.click("#back")
    assert shown(page) == names[0]
    page.locator("#walk").focus()
    page.keyboard.press("End")
    page.click("#on")
    assert shown(page) == names[-1]
    assert page.get_attribute("#walk", "aria-valuetext") == f"{names[-1]}, {len(names)} of {len(names)}"


def test_a_click_on_a_block_or_on_an_operand_goes_there(page_of):
    page = page_of(of_toy(), hash="#X")
    page.locator(".block", has_text="dZ2").click()
    assert shown(page) == "dZ2"
    page.locator("button.go", has_text="dP").click()
    assert shown(page) == "dP"


def test_the_address_leads_back_to_the_cell(page_of):
    page = page_of(of_toy(), hash="#dA1[2,7]")
    assert page.locator("td.pointed").get_attribute("data-index") == "2,7"
    assert page_of(of_toy(), hash="#nothing[1]").locator("td.pointed").count() == 1
    assert page_of(of_toy(), hash="#%").locator("td.pointed").count() == 1
    assert page_of(of_toy(), hash="#dA1[99,0]").locator("td.pointed").count() == 0


def test_the_notation_turns_the_operand_that_is_transposed(page_of):
    page = page_of(of_toy(), hash="#dW2[3,1]")
    rows = page.locator('table[aria-label="A1"] tr')
    assert "⊤" in page.inner_text(".matrices")
    assert rows.count() == 11
    page.click("[data-notation=index]")
    assert rows.count() == 6
    assert "⊤" not in page.inner_text(".matrices")
    becomes = {line.split("\t")[0]: line for line in page.locator(".indices tbody tr").all_inner_texts()}
    assert "matrix product" in becomes["i"]
    assert "a row of the result" in becomes["k"]
    assert "a column of the result" in becomes["j"]


def test_a_factor_without_a_sum_is_a_hadamard_product(page_of):
    page = page_of(of_toy(), hash="#dZ1")
    assert "Hadamard product" in page.locator(".indices").text_content()


# everyone can use it


@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize("width", [360, 768, 1440])
@pytest.mark.parametrize("name", ["toy", "two hidden layers"])
def test_the_page_fits_its_window(page_of, name, width, scheme):
    page = page_of(TRACES[name](), width=width, scheme=scheme)
    for step in ("X", "W1", "P", "dP", "J", "dZ2", "dW2", "dA1", "L"):
        page.evaluate(f"location.hash = '#{step}'")
        page.wait_for_function(f"document.querySelector('[aria-current]').title.startsWith('{step} ')")
        assert page.evaluate("document.documentElement.scrollWidth") == width


def test_what_a_screen_reader_reads_is_there(page_of):
    page = page_of(of_toy(), hash="#dW2[3,1]")
    assert page.get_by_role("slider", name="Step").count() == 1
    assert page.get_by_role("button", name="dW2, (10, 3). dW2 = A1ᵀdZ2").count() == 1
    assert page.get_by_role("grid", name="dZ2").count() == 1
    assert cell(page, 3, 1).get_attribute("aria-label") == "dW2[3, 1] is −0.0476"
    unnamed = page.evaluate(
        "[...document.querySelectorAll('button, input, select')].filter(e => !e.innerText && !e.ariaLabel).length"
    )
    assert unnamed == 0


def test_names_from_data_are_text(page_of):
    import polars as pl

    hostile = "<script>document.title='broken'</script>"
    frame = pl.DataFrame({hostile: [0.1, 0.5, 0.9, 0.4], "b": [1.0, 2.0, 0.5, 0.2], "y": [hostile, "b", hostile, "b"]})
    classifier = gm.TableClassifier(preset="fast", random_state=0).fit(frame, "y")
    page = page_of(gm.trace(classifier, frame, "y"), hash="#P")
    assert page.title().startswith("Glass box")
    assert page.locator("main script").count() == 0
    assert hostile in [heading.get_attribute("title") for heading in page.locator("th.place").all()]


def test_the_page_is_printed_whole(page_of):
    page = page_of(of_toy())
    page.emulate_media(media="print")
    page.evaluate("dispatchEvent(new Event('beforeprint'))")
    assert page.locator("details:not([open])").count() == 0
    assert not page.locator(".walk").is_visible()
    assert page.pdf().startswith(b"%PDF")


# large arrays


def test_of_a_large_array_the_corners_are_shown_and_it_is_said(page_of):
    rng = np.random.default_rng(0)
    X = rng.normal(size=(300, 50))
    trace = gm.trace(gm.Network([50, 60, 3], random_state=0), X, rng.integers(0, 3, 300))
    page = page_of(trace, hash="#dW1[0,1]")
    assert "Only the corners are shown" in page.inner_text(".matrices")
    assert "evenly spaced rows and columns" in page.inner_text("main")
    note = page.inner_text("#terms")
    products, rest = re.search(r"Only (\d+) of 300 products .* add up to (\S+)\.", note).groups()
    X, dZ1 = trace["X"].value, trace["dZ1"].value
    known = [*range(12), *range(288, 300)]
    assert int(products) == len(known)
    left = trace["dW1"].value[0, 1] - X[known, 0] @ dZ1[known, 1]
    assert number(rest) == pytest.approx(left, abs=1e-6)
    page.evaluate("location.hash = '#W1'")
    page.get_by_text("A change of W1 can't be followed here").wait_for()


def test_products_that_are_not_a_number_are_shown_first(page_of):
    X = np.random.default_rng(0).normal(size=(60, 3))
    X[7, 1] = np.nan
    page = page_of(gm.trace(gm.Network([3, 4, 3], random_state=0), X, np.arange(60) % 3), hash="#dW1[1,0]")
    products = page.locator(".term-table .product").all_inner_texts()
    assert len(products) == 24
    assert "nan" in products


def test_the_page_of_the_toy_system_is_below_200_kilobytes(tmp_path):
    of_toy().to_html(tmp_path / "toy.html")
    assert (tmp_path / "toy.html").stat().st_size < 200_000


@pytest.mark.slow
def test_the_page_of_a_large_network_is_below_3_megabytes(page_of, tmp_path):
    rng = np.random.default_rng(0)
    network = gm.Network([784, 512, 512, 10], activation="relu", random_state=0, dtype="float32")
    trace = gm.trace(network, rng.normal(size=(1000, 784)).astype("float32"), rng.integers(0, 10, 1000))
    page = page_of(trace)
    assert (tmp_path / "trace.html").stat().st_size < 3_000_000
    assert page.locator(".block").count() == len(trace)


CUT = """[...document.querySelectorAll("body *")]
  .filter((each) => getComputedStyle(each).overflowX === "auto" && each.querySelector("math"))
  .filter((each) => each.scrollHeight > each.clientHeight).map((each) => each.textContent)"""


@pytest.mark.parametrize("width", [360, 768, 1440])
def test_a_derivation_and_a_diagnosis_fit_their_window(opened, width):
    network = gm.Network([4, 10, 3], activation="sigmoid", l2=0.1)
    derivation = opened(network.derive("W1").html(), width=width)
    X, y = TOY["X"], TOY["y"]
    wrong = {name: -gradient for name, gradient in network.loss_and_gradients(X, y)[1].items()}
    diagnosis = opened(pages.page("t", gm.diagnose(wrong, X, y, network=network)._repr_html_()), width=width)
    for page in (derivation, diagnosis):
        assert page.evaluate("document.documentElement.scrollWidth") == width
        assert page.evaluate(CUT) == []


def test_an_equation_is_not_cut_above_or_below(page_of):
    page = page_of(of_toy())
    page.evaluate("document.querySelectorAll('details').forEach((each) => { each.open = true; })")
    for _ in range(page.locator(".block").count()):
        assert page.evaluate(CUT) == []
        page.keyboard.press("ArrowRight")
