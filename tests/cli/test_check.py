"""glassmax check, as a person runs it: a file with a derivation in, every line with its verdict out."""

import io
import json
import re
import sys
from types import SimpleNamespace

import pytest
from rich.console import Console

from glassmax.cli.terminal import JUDGED, OF_LINES, paint_checked, rendered
from glassmax.proofreading import checked as verdicts
from glassmax.proofreading.derivation_file import LONGEST, kind_of

DEFINITIONS = r"""# Softmax

$$ p_i = \frac{e^{z_i}}{\sum_k e^{z_k}} $$

with the loss

$$ L = -\sum_k y_k \log p_k $$
"""
WRONG = (
    DEFINITIONS
    + r"""
$$ \frac{\partial p_i}{\partial z_i} = p_i (\delta_{ij} - p_j) $$
"""
)
RIGHT = WRONG.replace(r"{\partial z_i}", r"{\partial z_j}")
TEX = "\\documentclass{article}\n\\begin{document}\n" + RIGHT.replace("# Softmax", "") + "\\end{document}\n"
TEXT = "p_i = exp(z_i) / sum_k exp(z_k)\ndp_i/dz_j = p_i (delta_ij - p_j)\n"


@pytest.fixture
def check(run, tmp_path):
    """Run the command on files that are written into its folder, which it may not change."""

    def check(*argv, **files):
        for name, text in files.items():
            path = tmp_path / name.replace("_", ".")
            path.write_bytes(text if isinstance(text, bytes) else text.encode())
        before = sorted(path.name for path in tmp_path.iterdir())
        result = run("check", *argv)
        assert "Traceback" not in result.out + result.err
        assert "its own fault" not in result.err
        if "--html" not in argv:
            assert sorted(path.name for path in tmp_path.iterdir()) == before
        return result

    return check


# --- what a file says ------------------------------------------------------------------------------------------------


def test_a_wrong_line_is_named_corrected_and_makes_the_exit_code_1(check):
    result = check("a.md", a_md=WRONG)
    assert (result.code, result.err) == (1, "")
    lines = result.out.splitlines()
    assert [line.split("  ")[0] for line in lines[:3]] == ["line 3", "line 7", "line 9"]
    assert "  wrong: " in lines[2]
    assert "write  ∂p_i/∂z_j = p_i (δ_ij - p_j)" in result.out
    assert "(proved)" in result.out
    assert lines[-1].endswith("The first wrong formula is in line 9.")


def test_a_right_derivation_exits_with_0(check):
    result = check("a.md", a_md=RIGHT)
    assert (result.code, result.err) == (0, "")
    assert "wrong" not in result.out
    assert "1 follows" in result.out


@pytest.mark.parametrize(("name", "text"), [("a.tex", TEX), ("a.txt", TEXT), ("a.markdown", RIGHT), ("a.MD", RIGHT)])
def test_the_ending_of_the_file_says_how_it_is_read(check, name, text):
    result = check(name, **{name.replace(".", "_"): text})
    assert result.code == 0
    assert "1 follows" in result.out


@pytest.mark.parametrize("text", [RIGHT, TEX, TEXT], ids=["markdown", "tex", "text"])
def test_standard_input_is_read_as_what_it_is(check, monkeypatch, text):
    monkeypatch.setattr(sys, "stdin", SimpleNamespace(closed=False, buffer=io.BytesIO(text.encode())))
    result = check("-")
    assert result.code == 0
    assert "1 follows" in result.out


def test_kind_takes_precedence_over_the_ending(check):
    assert check("a.tex", "--kind", "text", a_tex=TEXT).code == 0
    assert check("a.tex", a_tex=TEXT).code == 1


def test_json_is_one_line_with_the_fields_of_each_line(check):
    result = check("a.md", "--json", a_md=WRONG)
    assert result.code == 1
    assert len(result.out.splitlines()) == 1
    answer = json.loads(result.out)
    assert [line["verdict"] for line in answer["lines"]] == ["given", "given", "wrong"]
    assert answer["lines"][2]["proved"] is True
    assert answer["correct"] is False


def test_markdown_lists_the_lines(check):
    result = check("a.md", "--markdown", a_md=WRONG)
    assert result.code == 1
    assert "**wrong**" in result.out
    assert r"\frac{\partial p_i}{\partial z_j}" in result.out


def test_a_page_is_written_and_named(check, tmp_path):
    result = check("a.md", "--html", "a.html", a_md=WRONG)
    assert (result.code, result.out) == (1, "")
    assert result.err.endswith("The page is in a.html. It opens in any browser, offline.\n")
    assert (tmp_path / "a.html").read_text(encoding="utf-8").startswith("<!doctype html>")


def test_the_goal_shows_the_lines_that_are_missing(check):
    result = check("a.md", "--goal", "dL/dz_i", a_md=RIGHT)
    assert result.code == 0
    assert "goal     dL/dz_i needs 2 more lines\nmissing  ∂L/∂p_k = -y_k/p_k\n" in result.out


# --- faults ----------------------------------------------------------------------------------------------------------

FAULTS = {
    "no_file": ("check nope.md", 1, "nope.md: there is no such file. Pass a file, or - for standard input."),
    "a_folder": ("check .", 1, ". is a folder, expected a file."),
    "bytes": ("check bytes.md", 1, "bytes.md is not text in UTF-8: line 2 has other bytes. Save the file as UTF-8."),
    "no_formula": (
        "check words.md",
        1,
        "The text has no formula that could be read as Markdown. Put formulas between dollars: "
        r"$$ \frac{\partial L}{\partial z_i} = p_i - y_i $$",
    ),
    "nothing": (
        "check empty.txt",
        1,
        "The text has no formula that could be read as plain text. Put each formula on a line of its own: "
        "dL/dz_i = p_i - y_i",
    ),
    "no_environment": (
        "check words.tex",
        1,
        "The text has no formula that could be read as LaTeX. Put formulas into an environment: "
        r"\begin{align} ... \end{align}",
    ),
    "too_long": ("check long.md", 1, "The text has more than 200,000 characters, expected fewer. Check it in parts."),
    "too_many": ("check many.txt", 1, "The text has 1,000 formulas, expected at most 500. Check it in parts."),
    "two_formats": (
        "check words.md --json --markdown",
        2,
        "--json and --markdown can't be combined. Leave all but one of them out.",
    ),
    "a_page_over_the_input": (
        "check words.md --html words.md",
        1,
        "words.md is an input, which the output would replace. Pass another --html.",
    ),
    "a_page_over_another_file": (
        "check words.md --html words.tex",
        1,
        "words.tex exists and is no HTML file; it isn't replaced. Pass another --html.",
    ),
    "a_goal_that_is_no_derivative": (
        "check right.md --goal W",
        2,
        "--goal is 'W', expected the derivative of a quantity by another one of the text, such as dL/dW_1.",
    ),
    "a_goal_that_the_text_lacks": (
        "check right.md --goal dL/dq",
        2,
        "--goal is 'dL/dq', expected the derivative of a quantity by another one of the text, such as dL/dW_1.",
    ),
    "another_kind": ("check words.md --kind word", 2, "--kind is 'word', expected one of markdown, tex, text."),
}
FILES = {
    "right_md": RIGHT,
    "words_md": "# A title\n\nand words.\n",
    "words_tex": "\\begin{document}words\\end{document}",
    "empty_txt": "",
    "many_txt": "x = y + 1\n" * 1000,
    "long_md": "$$ x = y $$\n" * (LONGEST // 10),
    "bytes_md": b"one\n\xff\xfe\n",
}


@pytest.mark.parametrize(("line", "code", "message"), FAULTS.values(), ids=FAULTS)
def test_a_fault_is_one_clear_sentence(check, line, code, message):
    result = check(*line.split()[1:], **FILES)
    assert (result.code, result.out) == (code, "")
    assert result.err.splitlines()[-1] == f"Error: {message}"


@pytest.mark.parametrize(
    "text", ["\x00" * 50, "$$" * 2000, "$$ \\frac{" * 500, "{" * 5000, "$$ x = " + "(" * 3000 + " $$"]
)
def test_hostile_text_is_answered_and_never_a_crash(check, text):
    assert check("a.md", a_md=text).code == 1


@pytest.mark.parametrize(
    ("text", "path", "kind"),
    [
        ("$$ x $$", "", "markdown"),
        ("\\[ x \\]", "", "markdown"),
        ("\\( x \\)", "-", "markdown"),
        ("\\begin{align} x \\end{align}", "-", "markdown"),
        ("```\nx = y\n```", "-", "markdown"),
        ("\\begin{document}$x$", "-", "tex"),
        ("x = y", "-", "text"),
        ("x = y", "a.tex", "tex"),
        ("$x$", "a.txt", "text"),
        ("$x$", "a.unknown", "markdown"),
    ],
)
def test_the_kind_of_a_text(text, path, kind):
    assert kind_of(text, path) == kind


# --- the terminal ----------------------------------------------------------------------------------------------------


def test_every_verdict_has_a_color():
    words = {getattr(verdicts, name) for name in verdicts.__all__ if name.isupper()}
    assert {word.removesuffix(", if") for word in words} == set(OF_LINES)


def test_a_verdict_is_painted_where_it_stands_and_not_inside_a_formula():
    found = JUDGED.match("line 3   x = y  wrong: follows  given")
    assert found[3] == "wrong"
    assert JUDGED.match("line 3   p_given = wrong_i") is None


def test_painting_keeps_the_words():
    terminal = Console(file=io.StringIO(), force_terminal=True, width=60, color_system="standard")
    lines = ["line 3   ∂p_i/∂z_i = p_i  wrong: so", "         write  p_i = [red]x", "", "read as  column vectors"]
    drawn = rendered(terminal, *paint_checked(lines))
    assert "\x1b[1;31mwrong" in drawn
    assert re.sub(r"\x1b\[[0-9;]*m", "", drawn).splitlines() == lines
