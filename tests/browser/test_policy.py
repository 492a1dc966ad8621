"""What every page promises: it runs its own scripts and no others, and fits into a narrow window."""

import pytest

from glassmax import pages


def test_a_script_of_the_page_runs_and_reads_its_data(opened):
    code = "document.querySelector('main').append(embedded('facts').name);"
    page = opened(pages.page("t", "<main></main>", scripts=[code], data={"facts": {"name": "</script><b>"}}))
    assert page.inner_text("main") == "</script><b>"


@pytest.mark.parametrize(
    "attack",
    [
        "<script>document.title = 'broken'</script>",
        "<img src=x onerror=\"document.title = 'broken'\">",
        "<iframe srcdoc=\"<script>parent.document.title = 'broken'</script>\"></iframe>",
        "<img src='https://example.org/x.png'>",
    ],
)
def test_a_script_that_came_in_with_data_does_not_run(opened, attack):
    page = opened(pages.page("t", f"<main>{attack}</main>", scripts=["document.body.dataset.ran = 1;"]))
    assert page.title() == "t"
    assert page.get_attribute("body", "data-ran") == "1"
    assert [fault for fault in opened.faults if "Content Security Policy" in fault]
    assert not [fault for fault in opened.faults if fault.startswith("request")]
    opened.faults.clear()


VALUES = [
    [1.5, -0.25], [0.5, 0.0], [3, -10], [12.34567, 1], [0.05, -0.001], [0.00025, 0], [2e-9, -1e-9], [1e9, 1],
    [-1e-9, 1.5], [1e-4, 3], [9_999_999.5], [0.1], [0.09], [10], [10.25], [-0.0], [-0.00004, 0.3], [1e-120, -3e-101],
]  # fmt: skip


def test_a_script_writes_numbers_and_colors_as_python_does(opened):
    code = """
      const values = embedded("values");
      const texts = values.map((row) => row.map(writer(row)));
      const shades = values.map((row) => row.map((value) => shade(value, 3)));
      document.querySelector("pre").textContent = JSON.stringify([texts, shades]);
    """
    page = opened(pages.page("t", "<pre></pre>", scripts=[code], data={"values": VALUES}))
    texts, shades = page.evaluate("JSON.parse(document.querySelector('pre').textContent)")
    assert texts == [pages.aligned(row) for row in VALUES]
    assert shades == [[pages.shade(value, 3) for value in row] for row in VALUES]


@pytest.mark.parametrize("width", [360, 768, 1440])
def test_a_wide_table_scrolls_by_itself_and_not_the_page(opened, width):
    wide = pages.table([f"column {k}" for k in range(40)], [[1.5] * 40])
    page = opened(pages.page("t", f"<main>{wide}</main>"), width=width)
    assert page.evaluate("document.documentElement.scrollWidth") == width
