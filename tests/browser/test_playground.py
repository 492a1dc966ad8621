"""The playground in a real browser, opened from disk and offline: what it shows, trains, takes and gives back."""

import re
import subprocess
import sys
from urllib.parse import urlparse

import numpy as np
import pytest

from glassmax import Network, functional, trace
from glassmax.playground import build

from ..playground.test_session import FIRST_CELL

X = np.array([[1.0, 0.5, -1.0, 2.0], [0.5, -1.5, 1.0, 0.0], [-1.0, 1.0, 0.5, -0.5], [2.0, 0.0, -0.5, 1.5],
              [0.0, -1.0, 1.5, 0.5]])  # fmt: skip
y = np.array([0, 1, 2, 0, 1])


@pytest.fixture
def playground(opened):
    """Return a function that opens the playground and waits until it is ready."""

    def open_it(hash="", **options):
        page = opened(build(), hash=hash, **options)
        page.wait_for_selector("body[data-ready]")
        return page

    return open_it


def array(page, name):
    """Choose an array and read its numbers, all digits of them."""
    page.click(f".block[data-name='{name}']")
    cells = page.eval_on_selector_all(
        "#array-table .cell", "cells => cells.map((c) => [c.dataset.i, c.dataset.j, c.dataset.value])"
    )
    shape = (int(cells[-1][0]) + 1, int(cells[-1][1]) + 1)
    return np.array([float(value) for _, _, value in cells]).reshape(shape)


def toy_network(page):
    """Rebuild the network of the page with the toy system from the numbers that it shows."""
    shown = {name: array(page, name) for name in ("W1", "b1", "W2", "b2")}
    return Network.from_parameters(
        {name: M.ravel() if name.startswith("b") else M for name, M in shown.items()}, activation="sigmoid"
    )


def number(text):
    return float(text.replace("−", "-"))


def epoch(page):
    return int(page.inner_text("#epoch").split(" ")[0])


def figure(page, name):
    return float(page.inner_text(f"#{name}").removesuffix(" %"))


def choose(page, data):
    page.select_option("#data", data)
    page.wait_for_selector(f"body[data-data={data}]")


def wait_for_text(page, selector, pattern):
    page.locator(selector, has_text=re.compile(pattern)).wait_for(timeout=60_000)


def train_until(page, selector, pattern):
    page.click("#train")
    wait_for_text(page, selector, pattern)
    page.click("#train")


# numbers


def test_every_number_of_the_toy_system_is_that_of_the_reference(playground):
    page = playground()
    network = toy_network(page)
    tape = network.forward(X)
    loss, gradients = network.loss_and_gradients(X, y)
    dP = functional.cross_entropy_vjp(1.0, tape.P, y)
    dZ2 = functional.softmax_vjp(dP, tape.P)
    dA1 = dZ2 @ network.parameters["W2"].T
    dZ1 = functional.sigmoid_vjp(dA1, tape.Z[1])
    expected = {
        "X": X, "Z1": tape.Z[1], "A1": tape.A[1], "Z2": tape.Z[2], "E": np.exp(tape.Z[2]), "P": tape.P,
        "Y": np.eye(3)[y], "L_i": functional.cross_entropy(tape.P, y, reduction="none")[:, None],
        "L": np.array([[loss]]), "dP": dP, "dZ2": dZ2,
        "dA1": dA1, "dZ1": dZ1, "dX": dZ1 @ network.parameters["W1"].T,
        **{f"d{name}": gradient.reshape(-1, gradient.shape[-1]) for name, gradient in gradients.items()},
    }  # fmt: skip
    names = page.eval_on_selector_all(".block", "blocks => blocks.map((b) => b.dataset.name)")
    assert {*names} == {*expected, "W1", "b1", "W2", "b2"}
    for name, value in expected.items():
        np.testing.assert_allclose(array(page, name), value, rtol=0, atol=1e-6)
    assert figure(page, "loss") == pytest.approx(loss, abs=5e-4)


def test_every_number_is_that_of_the_trace(playground):
    page = playground()
    for _ in range(3):
        page.click("#step-epoch")
    steps = {step.name: step.value for step in trace(toy_network(page), X, y).steps}
    names = page.eval_on_selector_all(".block", "blocks => blocks.map((b) => b.dataset.name)")
    assert {*names} <= {*steps}
    for name in names:
        shown = array(page, name)
        np.testing.assert_allclose(shown, np.reshape(steps[name], shown.shape), rtol=0, atol=1e-6)


def test_the_numbers_are_right_after_training_too(playground):
    page = playground()
    for _ in range(5):
        page.click("#step-epoch")
    network = toy_network(page)
    _, gradients = network.loss_and_gradients(X, y)
    for name in ("dW1", "dW2"):
        np.testing.assert_allclose(array(page, name), gradients[name[1:]], rtol=0, atol=1e-6)


def test_pointing_at_a_cell_shows_the_products_that_make_it(playground):
    page = playground()
    A1, dZ2, dW2 = array(page, "A1"), array(page, "dZ2"), array(page, "dW2")
    page.hover(".cell[data-i='3'][data-j='1']")
    rows = page.eval_on_selector_all(
        "#cell .sum tr", "rows => rows.map((r) => r.lastChild.textContent.replace('−', '-'))"
    )
    np.testing.assert_allclose([float(x) for x in rows[:-1]], A1[:, 3] * dZ2[:, 1], rtol=1e-5)
    assert float(rows[-1]) == pytest.approx(dW2[3, 1], rel=1e-5)


def test_the_jacobian_of_a_sample_stands_beside_the_right_sum_and_the_wrong_ones(playground):
    page = playground()
    P, dP, dZ2 = array(page, "P"), array(page, "dP"), array(page, "dZ2")
    page.click(".cell[data-i='2'][data-j='1']")
    J = functional.softmax_jacobian(np.log(P[2]))
    shown = [
        [float(text.replace("−", "-")) for text in row.locator("td").all_inner_texts()]
        for row in page.locator("#cell .jacobian tbody tr").all()
    ]
    np.testing.assert_allclose(np.array(shown)[:, :3], J, rtol=5e-3)
    assert [row[3] for row in shown] == [0, 0, 0]
    right, rows, diagonal = (
        float(text.replace("−", "-")) for text in page.locator("#cell .facts td").all_inner_texts()
    )
    assert right == pytest.approx(dZ2[2, 1], rel=1e-4)
    assert rows == 0
    assert diagonal == pytest.approx(dP[2, 1] * J[1, 1], rel=1e-4)


# training


def test_digits_reach_95_percent_and_training_pauses(playground):
    page = playground()
    choose(page, "digits")
    train_until(page, "#accuracy", r"^(9[5-9]|100)")
    stopped = page.inner_text("#epoch")
    assert page.inner_text("#train") == "Train"
    page.evaluate("() => new Promise((done) => requestAnimationFrame(() => requestAnimationFrame(done)))")
    assert page.inner_text("#epoch") == stopped
    assert page.inner_text("#accuracy-of") == "held-out accuracy"


def test_steps_of_an_epoch_a_batch_and_a_rule(playground):
    page = playground()
    choose(page, "spirals")
    page.click("#step-epoch")
    assert page.inner_text("#epoch") == "1"
    page.click("#step-batch")
    assert page.inner_text("#epoch") == "1 + 16/240 rows"
    page.click("#step-rule")
    names = page.eval_on_selector_all(".block:not(.unknown)", "blocks => blocks.map((b) => b.dataset.name)")
    assert names == ["X"]
    for _ in range(3):
        page.click("#step-rule")
    assert page.inner_text("#array-title") == "Z1"
    assert page.locator(".block:not(.unknown)").count() == 4
    while page.locator(".block.unknown").count():
        page.click("#step-rule")
    assert page.inner_text("#epoch") == "1 + 16/240 rows"
    page.click("#step-rule")  # all derivatives are known: the weights move
    assert page.inner_text("#epoch") == "1 + 32/240 rows"
    assert "the weights have moved" in page.inner_text("#message")


def test_settings_change_while_it_trains(playground):
    page = playground()
    choose(page, "spirals")
    page.click("#train")
    for selector, value in [("#activation", "relu"), ("#head", "softmax squared_error"), ("#optimizer", "sgd")]:
        page.select_option(selector, value)
    for selector, value in [("#rate", "0.05"), ("#l2", "0.001"), ("#batch-size", "8"), ("#layers", "6-5-4")]:
        page.fill(selector, value)
        page.press(selector, "Tab")
    wait_for_text(page, "#epoch", r"^([4-9]|\d\d)")
    assert page.inner_text("#train") == "Pause"
    page.click("#train")
    assert page.inner_text(".block[data-name='W3'] .block-shape") == "5×4"


@pytest.mark.parametrize(
    ("selector", "value", "message"),
    [
        ("#rate", "-1", "The learning rate can't be -1. Expected a number from 0 to 1000."),
        ("#batch-size", "0", "The batch size can't be 0. Expected a whole number of at least 1."),
        ("#layers", "10-x", "Hidden layers can't be '10-x'. Write up to six sizes from 1 to 512, such as 16-16, or "
         "nothing for no hidden layer."),
    ],
)  # fmt: skip
def test_a_setting_that_makes_no_sense_is_refused_and_put_back(playground, selector, value, message):
    page = playground()
    before = page.input_value(selector)
    page.fill(selector, value)
    page.press(selector, "Tab")
    assert page.inner_text("#message") == message
    assert page.input_value(selector) == before


def test_a_large_network_and_a_batch_of_all_rows_are_shown_and_broken(playground):
    page = playground()
    choose(page, "digits")
    for selector, value in [("#layers", "512-512"), ("#batch-size", "100000")]:
        page.fill(selector, value)
        page.press(selector, "Tab")
    shown = "The first 256 of the 1438 rows of the next batch, as a batch of their own."
    assert page.inner_text("#which-rows") == shown
    assert page.locator(".block[data-name='W2'] canvas").bounding_box()["height"] <= 150
    page.check("input[name=mistake][value=sign]")
    page.click("#step-batch")
    assert epoch(page) == 1


def test_steps_that_are_too_long_are_said(playground):
    page = playground()
    choose(page, "spirals")
    page.select_option("#optimizer", "sgd")
    page.select_option("#activation", "identity")
    page.select_option("#head", "identity squared_error")
    page.fill("#rate", "900")
    page.press("#rate", "Tab")
    page.click("#train")
    page.wait_for_selector("#message:not([hidden])")
    assert page.inner_text("#message").startswith("The loss is no longer a finite number")
    assert page.inner_text("#train") == "Train"


ENGINE_WITHOUT_MEMORY = """
const real = WebAssembly.instantiate;
WebAssembly.instantiate = async (...given) => {
  const { instance } = await real(...given);
  const exports = { ...instance.exports };
  exports.train = (...given) => (window.lacking ? -1 : instance.exports.train(...given));
  exports.predict = (...given) => (window.lacking === "all" ? 0 : instance.exports.predict(...given));
  return { instance: { exports } };
};
"""
NO_MEMORY = "There is not enough memory for this network and these rows."


@pytest.mark.parametrize("step", ["train", "step-epoch", "step-batch", "step-rule"])
def test_a_step_that_finds_no_memory_says_so_and_takes_no_step(playground, step):
    page = playground(first=ENGINE_WITHOUT_MEMORY)
    page.click("#step-epoch")
    loss = page.inner_text("#loss")
    page.evaluate("window.lacking = 'train'")
    page.click(f"#{step}")
    while step == "step-rule" and not page.locator("#message").is_visible():
        page.click(f"#{step}")
    wait_for_text(page, "#message", re.escape(NO_MEMORY))
    assert page.inner_text("#train") == "Train"
    assert (page.inner_text("#epoch"), page.inner_text("#loss")) == ("1", loss)
    page.evaluate("window.lacking = ''")
    page.click("#step-epoch")
    assert epoch(page) == 2
    assert not page.locator("#message").is_visible()


@pytest.mark.parametrize(
    ("selector", "value"), [("#layers", "7-7"), ("#batch-size", "3"), ("#activation", "relu"), ("#head", None)]
)
def test_a_setting_that_finds_no_memory_is_put_back(playground, selector, value):
    page = playground(first=ENGINE_WITHOUT_MEMORY)
    before = page.input_value(selector)
    page.evaluate("window.lacking = 'all'")
    if selector in ("#activation", "#head"):
        page.select_option(selector, value or "identity squared_error")
    else:
        page.fill(selector, value)
        page.press(selector, "Tab")
    assert page.inner_text("#message") == NO_MEMORY
    assert page.input_value(selector) == before
    page.evaluate("window.lacking = ''")
    page.click("#step-epoch")
    assert epoch(page) == 1


# one's own data


def file(name, text):
    return {"name": name, "mimeType": "text/csv", "buffer": text.encode()}


def test_a_table_is_taken_and_its_names_are_text(playground):
    page = playground()
    name = "<img src=x onerror=alert(1)>"
    rows = "".join(f"{i % 7},{'red' if i % 2 else '<b>blue</b>'},<i>{'abc'[i % 3]}</i>\n" for i in range(60))
    page.set_input_files("#file", file("<script>.csv", f"<script>alert(1)</script>,{name},class\n" + rows))
    page.wait_for_selector("body[data-data=table]")
    assert page.inner_text("#facts") == "60 rows, 3 inputs, 3 classes; 12 rows are held out"
    assert page.eval_on_selector("#data", "s => s.selectedOptions[0].textContent") == "<script>.csv"
    options = page.eval_on_selector_all("#axis-x option", "options => options.map((o) => o.textContent)")
    assert options == ["<script>alert(1)</script>", f"{name} = <b>blue</b>", f"{name} = red"]
    box = page.locator("#plane").bounding_box()
    page.mouse.move(box["x"] + box["width"] / 2, box["y"] + box["height"] / 2)
    assert page.locator("#bars .bar-name").all_inner_texts() == ["<i>a</i>", "<i>b</i>", "<i>c</i>"]
    assert page.locator("main img, main i:not(.mini i), main b, main script").count() == 0
    page.click("#step-epoch")
    assert epoch(page) == 1


DROP = """(text) => {
  const data = new DataTransfer();
  if (text) data.items.add(new File([text], "dropped.csv", { type: "text/csv" }));
  const over = new DragEvent("dragover", { dataTransfer: data, bubbles: true, cancelable: true });
  const drop = new DragEvent("drop", { dataTransfer: data, bubbles: true, cancelable: true });
  const place = document.querySelector("#plane");
  return [over, drop].map((event) => place.dispatchEvent(event));
}"""


def test_a_table_is_dropped_into_the_page(playground):
    page = playground()
    rows = "".join(f"{i % 7},{'red' if i % 2 else 'blue'},{'abc'[i % 3]}\n" for i in range(60))
    assert page.evaluate(DROP, "size,color,kind\n" + rows) == [False, False]  # the browser doesn't open the file itself
    page.wait_for_selector("body[data-data=table]")
    assert page.inner_text("#facts") == "60 rows, 3 inputs, 3 classes; 12 rows are held out"
    assert page.eval_on_selector("#data", "s => s.selectedOptions[0].textContent") == "dropped.csv"
    page.click("#step-epoch")
    page.evaluate(DROP, "")
    assert epoch(page) == 1
    page.evaluate(DROP, "a\n")
    wait_for_text(page, "#message", "dropped.csv has a header and no rows")
    assert page.inner_text("#facts").startswith("60 rows")


def test_fifty_thousand_rows_of_ten_classes_train(playground):
    draw = np.random.default_rng(0)
    labels = draw.integers(10, size=50_000)
    values = labels[:, None] * [0.9, -0.4] + draw.normal(size=(50_000, 2))
    text = "a,b,kind\n" + "".join(f"{a:.3f},{b:.3f},k{c}\n" for (a, b), c in zip(values, labels, strict=True))
    page = playground()
    page.set_input_files("#file", file("large.csv", text))
    page.wait_for_selector("body[data-data=table]")
    assert page.inner_text("#facts") == "50000 rows, 2 inputs, 10 classes; 10000 rows are held out"
    train_until(page, "#epoch", r"^([2-9]|\d\d)")
    assert figure(page, "accuracy") > 25


def test_a_long_epoch_can_be_paused_and_goes_on_to_its_end_and_no_further(playground):
    page = playground()
    choose(page, "digits")
    page.fill("#layers", "256-256")
    page.press("#layers", "Tab")
    page.check("input[name=mistake][value=sign]")
    page.click("#step-epoch")
    assert page.inner_text("#train") == "Pause"
    page.click("#train")
    assert page.inner_text("#epoch").startswith("0 + ")
    page.click("#step-epoch")
    wait_for_text(page, "#train", "Train")
    assert page.inner_text("#epoch") == "1"


def test_a_table_that_can_not_be_read_is_named_and_nothing_changes(playground):
    page = playground()
    page.set_input_files("#file", file("t.csv", "a,b\n1,2\n3\n"))
    page.wait_for_selector("#message:not([hidden])")
    assert page.inner_text("#message") == "Row 3 of t.csv has 1 cell, expected 2 as in the header. Correct the row."
    assert page.input_value("#data") == "toy"
    page.click("#step-epoch")
    assert epoch(page) == 1


def test_another_column_is_predicted(playground):
    page = playground()
    choose(page, "penguins")
    page.select_option("#target", "island")
    wait_for_text(page, "#facts", "10 inputs")
    page.click("#step-epoch")
    assert epoch(page) == 1


# mistakes

LARGE_STEPS = 20


@pytest.mark.parametrize(
    ("mistake", "begins", "symptom"),
    [
        ("sign", "dZ2", lambda wrong, right, accuracy: wrong > 10 * right),
        ("jacobian_rows_summed", "dZ2", lambda wrong, right, accuracy: wrong > 3 * right),
        ("jacobian_diagonal_only", "dZ2", lambda wrong, right, accuracy: wrong > 2 * right),
        ("factor", "dW2", lambda wrong, right, accuracy: wrong > 2 * right),
        ("transposed", "dW2", lambda wrong, right, accuracy: wrong > 2 * right),
        ("class_shifted", "dP", lambda wrong, right, accuracy: wrong > 10 * right and accuracy == 0),
        ("softmax_axis", "P", lambda wrong, right, accuracy: wrong > 2 * right),
        ("index_for_one_hot", "dZ2", lambda wrong, right, accuracy: wrong > 2 * right),
    ],
)
def test_a_mistake_that_is_switched_on_shows_its_symptom(playground, mistake, begins, symptom):
    page = playground()
    page.check(f"input[name=mistake][value={mistake}]")
    assert f"The first cell that differs is {begins}[" in page.inner_text("#began")
    for _ in range(LARGE_STEPS):
        page.click("#step-epoch")
    wrong, right = (float(x.replace("−", "-")) for x in page.locator("#compared .number").all_inner_texts())
    assert symptom(wrong, right, figure(page, "accuracy"))
    assert page.locator(f".block.wrong[data-name='{begins}']").count() == 1
    page.click("#began button")
    assert page.locator(".cell.first-wrong").count() == 1
    page.check("input[name=mistake][value='']")
    assert page.locator(".block.wrong").count() == 0


def test_a_wrong_cell_stands_beside_the_right_sum(playground):
    page = playground()
    dW2 = array(page, "dW2")
    assert "the mistake" not in page.inner_text("#cell")
    page.check("input[name=mistake][value=sign]")
    wrong = array(page, "dZ2")
    page.click(".cell[data-i='2'][data-j='1']")
    said = page.inner_text("#cell p.bad")
    said = number(re.fullmatch(r"This sum is right\. With the mistake, the cell is (\S+) instead\.", said)[1])
    assert said == pytest.approx(wrong[2, 1], rel=1e-5)
    assert array(page, "dW2") == pytest.approx(-dW2)
    assert "the mistake" not in page.inner_text("#cell")  # it is the right sum of wrong numbers


@pytest.mark.parametrize("loss", ["softmax cross_entropy", "softmax squared_error"])
def test_every_mistake_on_the_list_says_where_it_begins_and_trains(playground, loss):
    page = playground()
    page.select_option("#head", loss)
    mistakes = [m for m in page.eval_on_selector_all("input[name=mistake]", "all => all.map((i) => i.value)") if m]
    assert len(mistakes) == {"softmax cross_entropy": 14, "softmax squared_error": 15}[loss]
    for mistake in mistakes:
        page.click("#start-over")
        page.check(f"input[name=mistake][value={mistake}]")
        assert f"The first cell that differs is {FIRST_CELL[mistake]}[" in page.inner_text("#began")
        page.click("#step-epoch")
        page.click("#step-epoch")
        wrong, right = page.locator("#compared .number").all_inner_texts()
        assert wrong != right


# changed numbers


def test_a_changed_number_moves_what_depends_on_it_and_the_loss_as_the_gradient_says(playground):
    page = playground()
    dW2 = array(page, "dW2")
    W2 = array(page, "W2")
    page.click(".cell[data-i='3'][data-j='1']")
    page.fill("#nudge-number", str(W2[3, 1] + 1e-3))
    page.press("#nudge-number", "Enter")
    facts = {
        row.locator("th").inner_text(): float(row.locator("td").inner_text().replace("−", "-"))
        for row in page.locator("#nudge-facts tr").all()
    }
    assert facts["predicted change"] == pytest.approx(1e-3 * dW2[3, 1], rel=1e-4)
    assert facts["measured change"] == pytest.approx(1e-3 * dW2[3, 1], rel=1e-2)
    moved = dict(
        re.fullmatch(r"(\w+) (\d+) of \d+", line).groups() for line in page.locator(".moved-list li").all_inner_texts()
    )
    assert moved["W2"] == "1"
    assert moved["Z2"] == "5"
    assert moved["P"] == "15"
    assert "Z1" not in moved
    page.click("#undo")
    np.testing.assert_array_equal(array(page, "W2"), W2)
    page.click(".cell[data-i='0'][data-j='0']")
    page.fill("#nudge-number", "2.5")
    page.press("#nudge-number", "Enter")
    page.click("#keep")
    assert array(page, "W2")[0, 0] == 2.5


def test_a_weight_that_is_dragged_changes_the_loss_about_as_predicted(playground):
    page = playground()
    W2, dW2 = array(page, "W2"), array(page, "dW2")
    network = toy_network(page)
    array(page, "W2")
    page.click(".cell[data-i='3'][data-j='1']")
    page.locator("#nudge-slider").scroll_into_view_if_needed()
    box = page.locator("#nudge-slider").bounding_box()
    middle = box["y"] + box["height"] / 2
    page.mouse.move(box["x"] + box["width"] / 2, middle)
    page.mouse.down()
    for share in (0.55, 0.6, 0.65):
        page.mouse.move(box["x"] + share * box["width"], middle)
    page.mouse.up()
    change = float(page.input_value("#nudge-number")) - W2[3, 1]
    assert change > 0.1
    facts = dict(row.locator("th, td").all_inner_texts() for row in page.locator("#nudge-facts tr").all())
    before, _ = network.loss_and_gradients(X, y)
    network.parameters["W2"][3, 1] += change
    after, _ = network.loss_and_gradients(X, y)
    assert number(facts["predicted change"]) == pytest.approx(change * dW2[3, 1], abs=1e-6)
    assert number(facts["measured change"]) == pytest.approx(after - before, abs=1e-6)
    assert number(facts["measured change"]) != number(facts["predicted change"])
    assert page.locator(".cell.moved").count() == 1


def test_a_sample_is_walked_alone(playground):
    page = playground()
    page.select_option("#axis-y", "1")
    box = page.locator("#plane").bounding_box()
    x, z = (X[2, :2] - [-1.36, -1.8]) / [3.72, 3.1]
    page.mouse.click(box["x"] + x * box["width"], box["y"] + (1 - z) * box["height"])
    assert page.inner_text("#which-rows").startswith("Sample 2 alone, of class c")
    assert array(page, "X").tolist() == [X[2].tolist()]
    page.click("#whole-batch")
    assert array(page, "X").shape == (5, 4)


# keys, the quiz


def test_the_keys_walk_and_train(playground):
    page = playground()
    page.click(".block[data-name='X']")
    for _ in range(3):
        page.keyboard.press("ArrowRight")
    assert page.inner_text("#array-title") == "Z1"
    page.focus(".cell.chosen")
    page.keyboard.press("ArrowDown")
    page.keyboard.press("ArrowRight")
    assert page.inner_text(".cell-title").startswith("Z1[1,1]")
    page.evaluate("document.activeElement.blur()")
    page.keyboard.press("e")
    assert epoch(page) == 1
    page.keyboard.press("Space")
    assert page.inner_text("#train") == "Pause"
    page.keyboard.press("Space")
    assert page.inner_text("#train") == "Train"


def test_the_quiz_hides_a_shape_and_a_cell_and_says_why(playground):
    page = playground()
    page.click("text=Hide a shape")
    page.fill("#quiz-rows", "999")
    page.fill("#quiz-cols", "3")
    page.click(".check")
    verdict = page.inner_text(".verdict")
    assert verdict.startswith("Not quite.")
    name, rows, cols = re.search(r"(\w+) is (\d+) × (\d+)\.", verdict).groups()
    assert array(page, name).shape == (int(rows), int(cols))
    page.click("text=Hide a cell")
    name, i, j = re.search(r"What is (\w+)\[(\d+),(\d+)\]", page.inner_text("#quiz-place").replace("\n", "")).groups()
    page.fill("#quiz-value", str(array(page, name)[int(i), int(j)]))
    page.click(".check")
    assert page.inner_text(".verdict").startswith("Right.")


# to take along


def test_the_link_gives_the_state_back(playground):
    page = playground()
    choose(page, "spirals")
    page.select_option("#activation", "gelu")
    for _ in range(3):
        page.click("#step-epoch")
    page.click("#step-batch")
    page.click("#take-link")
    page.wait_for_selector("#taken:not([hidden])")
    fragment = "#" + urlparse(page.inner_text("#taken").strip()).fragment
    again = playground(hash=fragment)
    for name in ("epoch", "loss", "accuracy"):
        assert again.inner_text(f"#{name}") == page.inner_text(f"#{name}")
    assert again.input_value("#activation") == "gelu"
    for name in ("W1", "X", "dZ3"):
        np.testing.assert_array_equal(array(again, name), array(page, name))


def test_a_table_travels_in_the_link(playground):
    page = playground()
    rows = "".join(f"{i % 5},{i % 3},{'xyz'[i % 3]}\n" for i in range(50))
    page.set_input_files("#file", file("mine.csv", "a,b,kind\n" + rows))
    page.wait_for_selector("body[data-data=table]")
    page.click("#step-epoch")
    page.click("#take-link")
    page.wait_for_selector("#taken:not([hidden])")
    again = playground(hash="#" + urlparse(page.inner_text("#taken").strip()).fragment)
    assert again.inner_text("#facts") == page.inner_text("#facts")
    assert again.inner_text("#loss") == page.inner_text("#loss")


def test_a_damaged_link_is_said_and_the_page_works(playground):
    page = playground(hash="#rubbish")
    assert page.inner_text("#message").startswith("The link can't be read: ")
    page.click("#step-epoch")
    assert epoch(page) == 1


def test_as_python_is_a_program_that_runs(playground):
    page = playground()
    page.click("#step-epoch")
    page.click("#take-python")
    code = page.text_content("#taken")
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, encoding="utf-8", check=False)
    assert done.returncode == 0, done.stderr
    loss = float(done.stdout.splitlines()[0].removeprefix("loss of the batch: "))
    assert array(page, "L")[0, 0] == pytest.approx(loss, abs=1e-12)


def test_as_derivation_has_the_lines_of_the_calculus(playground):
    page = playground()
    page.click("#take-derivation")
    text = page.inner_text("#taken")
    assert "dW2 = A1ᵀ dZ2    shape (10, 3)" in text
    assert "dA1[i,u] = Σ_v dZ2[i,v] W2[u,v]" in text
    code = text[text.index("import glassmax") :]
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, encoding="utf-8", check=False)
    assert done.returncode == 0, done.stderr
    assert "matrix form  dL/dW1 = Xᵀ(A1 ⊙ ((P - Y) W2ᵀ) ⊙ (1 - A1))/5" in done.stdout


def test_what_is_taken_is_copied(playground):
    page = playground(permissions=["clipboard-read", "clipboard-write"])
    assert page.is_disabled("#copy")
    page.click("#take-python")
    page.click("#copy")
    wait_for_text(page, "#message", "^Copied")
    assert page.evaluate("navigator.clipboard.readText()") == page.text_content("#taken")
    page.click("#step-epoch")
    assert page.is_disabled("#copy")


@pytest.mark.parametrize("clipboard", ["undefined", "{ writeText: () => Promise.reject(new Error('no')) }"])
def test_a_browser_that_refuses_to_copy_is_said(playground, clipboard):
    page = playground(first=f"Object.defineProperty(navigator, 'clipboard', {{ value: {clipboard} }});")
    page.click("#take-link")
    page.click("#copy")
    wait_for_text(page, "#message", "^This browser doesn't let the page copy. Select the text and copy it yourself")


# what is drawn


TONES = """(canvas) => {
  const { data } = canvas.getContext("2d").getImageData(0, 0, canvas.width, canvas.height);
  return new Set(new Uint32Array(data.buffer)).size;
}"""


def test_regions_curves_and_histograms_are_drawn_and_a_point_has_its_probabilities(playground):
    page = playground()
    network = toy_network(page)
    page.locator("#plane").scroll_into_view_if_needed()
    before = page.locator("#curves").evaluate("canvas => canvas.toDataURL()")
    for selector, least in [("#plane", 100), ("#curves", 10), ("canvas.histogram[data-name=dZ1]", 3)]:
        assert page.locator(selector).evaluate(TONES) >= least
    box = page.locator("#plane").bounding_box()
    page.mouse.move(box["x"] + box["width"] / 4, box["y"] + box["height"] / 4)
    low, size = np.array([-1.36, -1.8]), np.array([3.72, 3.1])
    place = [*(low + size * [0.25, 0.75]), *X[:, 2:].mean(axis=0)]
    P = network.forward(np.array([place])).P[0]
    shown = [float(text) for text in page.locator("#bars .number").all_inner_texts()]
    np.testing.assert_allclose(shown, P, atol=6e-3)
    page.click("#step-epoch")
    assert page.locator("#curves").evaluate("canvas => canvas.toDataURL()") != before


def test_the_notation_is_switched_and_the_slider_walks(playground):
    page = playground()
    assert page.locator("#array-formula math").get_attribute("aria-label") == "dW2 = A1ᵀ dZ2"
    page.click("#as-index")
    assert page.locator("#array-formula math").get_attribute("aria-label") == "dW2[u,v] = Σ_i A1[i,u] dZ2[i,v]"
    page.focus("#walk")
    page.keyboard.press("ArrowRight")
    assert page.inner_text("#array-title") == "db2"


# the look


@pytest.mark.parametrize("data", ["toy", "digits"])
@pytest.mark.parametrize("width", [360, 768, 1440])
def test_nothing_is_wider_than_the_window(playground, width, data):
    page = playground(width=width, scheme="dark")
    choose(page, data)
    page.check("input[name=mistake][value=transposed]")
    page.click("#take-derivation")
    assert page.evaluate("document.documentElement.scrollWidth") == width


def test_the_place_in_a_long_epoch_fits_a_narrow_window(playground):
    page = playground(width=360)
    rows = "".join(f"{i % 7},{'abc'[i % 3]}\n" for i in range(50_000))
    page.set_input_files("#file", file("large.csv", "a,kind\n" + rows))
    page.wait_for_selector("body[data-data=table]")
    page.fill("#batch-size", "30000")
    page.press("#batch-size", "Tab")
    page.click("#step-batch")
    assert page.inner_text("#epoch") == "0 + 30000/40000 rows"
    assert page.evaluate("document.documentElement.scrollWidth") == 360


CUT_OPTIONS = """[...document.querySelectorAll(".settings label:not([hidden]) select")].flatMap((select) => {
  const style = getComputedStyle(select), arrow = 18;
  const room = select.clientWidth - parseFloat(style.paddingLeft) - parseFloat(style.paddingRight) - arrow;
  const context = document.createElement("canvas").getContext("2d");
  context.font = style.font;
  const texts = [...select.options].map((option) => option.textContent);
  return texts.filter((text) => context.measureText(text).width > room);
})"""


@pytest.mark.parametrize("width", [360, 768, 1000, 1440])
def test_no_setting_is_cut(playground, width):
    assert playground(width=width).evaluate(CUT_OPTIONS) == []
