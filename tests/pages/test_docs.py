"""The pages under docs/: their Python runs and prints what they say, and their links lead somewhere."""

import doctest
import re

import pytest

from tests.pages.notation import DOCS, blocks, text_of


@pytest.mark.parametrize("page", sorted(DOCS.glob("*.md")), ids=lambda page: page.name)
def test_the_python_of_a_page_runs_and_prints_what_it_says(page, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    code = "\n".join(blocks(page.read_text(encoding="utf-8"), "python"))
    if ">>>" in code:
        runner = doctest.DocTestRunner(verbose=False)
        runner.run(doctest.DocTestParser().get_doctest(code, {}, page.name, str(page), 0))
        assert runner.tries > 0
        assert runner.failures == 0
    else:
        exec(compile(code, str(page), "exec"), {})


@pytest.mark.parametrize("page", ["notation.md", "pencil.md"])
def test_a_wrong_output_in_the_python_of_a_page_would_be_found(page):
    code = "\n".join(blocks(text_of(page), "python"))
    wrong = code.replace("\nTrue\n", "\nFalse\n", 1) if "True" in code else code.replace("-0.0", "-0.1", 1)
    assert wrong != code
    runner = doctest.DocTestRunner(verbose=False)
    runner.run(doctest.DocTestParser().get_doctest(wrong, {}, page, page, 0), out=lambda _: None)
    assert runner.failures == 1


@pytest.mark.parametrize("page", ["notation.md", "pencil.md", "toy.md"])
def test_every_file_that_a_page_links_to_exists(page):
    links = re.findall(r"\]\((?!http)([^)#]+)\)", text_of(page))
    assert links
    assert [link for link in links if not (DOCS / link).exists()] == []
