"""The playground's arithmetic in the browser itself: the tests of `tests/playground/test_twin.py` once more."""

import base64

import pytest

from glassmax import pages

from ..playground import test_twin
from ..playground.node import PACKAGE, script

CODE = """
const bytes = Uint8Array.from(atob(embedded("engine")), (sign) => sign.charCodeAt(0));
$jobs.run(embedded("jobs"), bytes).then((answers) => {
  document.querySelector("pre").textContent = JSON.stringify(answers);
  document.body.dataset.ready = "yes";
});
"""


@pytest.fixture
def _in_chromium(opened, monkeypatch):
    engine = base64.b64encode((PACKAGE / "engine.wasm").read_bytes()).decode()

    def run(*jobs):
        html = pages.page(
            "t", "<pre></pre>", scripts=[script() + CODE], data={"jobs": jobs, "engine": engine}, wasm=True
        )
        page = opened(html)
        page.wait_for_selector("body[data-ready]")
        return page.evaluate("JSON.parse(document.querySelector('pre').textContent)")

    monkeypatch.setattr(test_twin, "run", run)


@pytest.mark.usefixtures("_in_chromium")
@pytest.mark.parametrize(
    "name",
    [
        "test_every_array_of_the_twin_is_that_of_the_reference",
        "test_the_engine_in_webassembly_is_the_reference",
        "test_the_penalty_is_that_of_a_network_in_each_batch_the_last_one_too",
        "test_a_number_that_is_typed_over_moves_what_depends_on_it_and_nothing_else",
        "test_a_tiny_loss_keeps_its_digits",
    ],
)
def test_in_chromium(name):
    getattr(test_twin, name)()
