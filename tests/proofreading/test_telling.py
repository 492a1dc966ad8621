"""A checked derivation in all its formats: what a learner reads, from lines that are made here by hand."""

import json
import re
from dataclasses import replace
from fractions import Fraction
from html.parser import HTMLParser

import pytest

from glassmax.errors import DataError
from glassmax.proofreading.checked import ASSUMED, FOLLOWS, GIVEN, INDICES, LUCK, NOT_READ, WRONG, CheckedLine
from glassmax.proofreading.formula import tree
from glassmax.proofreading.formula.tree import (
    Absolute,
    Add,
    Call,
    Cases,
    Condition,
    Derivative,
    Entry,
    Indicator,
    Matrix,
    Name,
    Negative,
    Norm,
    Number,
    Power,
    Product,
    Quotient,
    Summation,
    Transpose,
)
from glassmax.proofreading.formula.walk import nodes_in
from glassmax.proofreading.telling import Checked
from glassmax.proofreading.telling.mathml import equation_mathml, formula_mathml
from glassmax.proofreading.telling.prose import prose
from glassmax.proofreading.telling.wording import summary, verdict_in_words

I_, J, K, L, W = map(Name, "ijkLW")
ONE = Number(Fraction(1))
HOSTILE = '<img src=x onerror="alert(1)">'


def indexed(name, *letters):
    return Name(name, letters)


def by(of, variable):
    return Derivative(of, (variable,))


def jacobian(variable):
    bracket = Add((indexed("delta", I_, J), Negative(indexed("p", J))), bracket="(")
    return by(indexed("p", I_), indexed("z", variable)), Product((indexed("p", I_), bracket), ("",))


GIVEN_LINE = CheckedLine(1, "L = -sum_k y_k log p_k", "L = -Σ_k y_k log p_k", GIVEN, says="the definition of L")
WRONG_LINE = CheckedLine(
    number=3,
    source=r"\frac{\partial p_i}{\partial z_i} = p_i (\delta_{ij} - p_j)",
    formula="∂p_i/∂z_i = p_i (δ_ij - p_j)",
    verdict=WRONG,
    cause="index_on_one_side",
    says="the left side has the index i twice and no j",
    write="∂p_i/∂z_j = p_i (δ_ij - p_j)",
    write_latex=r"\frac{\partial p_i}{\partial z_j} = p_i (\delta_{ij} - p_j)",
    proved=True,
    sides=jacobian(I_),
    write_sides=jacobian(J),
)
LINES = (
    GIVEN_LINE,
    WRONG_LINE,
    CheckedLine(7, "", "∂L/∂z_i = -y_i + p_i Σ_k y_k", FOLLOWS),
    CheckedLine(8, "", "= p_i - y_i", ASSUMED, says="Σ_k y_k = 1"),
    CheckedLine(12, "", "∂L/∂W = (p - y) a", INDICES, notation="as matrices an outer product, (p - y) aᵀ"),
    CheckedLine(13, "", "∂L/∂v = W u", LUCK, says="W is square here"),
    CheckedLine(14, "J = diag(p", "", NOT_READ, says="a bracket is not closed"),
)
MISSING = CheckedLine(0, "", "∂L/∂b = p - y", FOLLOWS, write_latex="q = p - y", sides=(Name("q"), Name("p")))
CHECKED = Checked(LINES, ("column vectors",), (MISSING,), "dL/db needs 1 more line")


class Tags(HTMLParser):
    """Collect the tags of a page, and fail where one is closed that is not open."""

    EMPTY = frozenset({"meta", "link", "img", "br", "mspace"})

    def __init__(self):
        super().__init__()
        self.open, self.seen, self.words = [], [], ""

    def handle_starttag(self, tag, attributes):
        self.seen.append((tag, dict(attributes)))
        if tag not in self.EMPTY:
            self.open.append(tag)

    def handle_endtag(self, tag):
        assert tag in self.EMPTY or self.open.pop() == tag

    def handle_data(self, data):
        self.words += data


def parsed(html):
    tags = Tags()
    tags.feed(html)
    assert tags.open == []
    return tags


# --- words -----------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("line", "words"),
    [
        (LINES[0], "given: the definition of L"),
        (LINES[1], "wrong: the left side has the index i twice and no j"),
        (LINES[2], "follows"),
        (replace(LINES[2], says="from line 3, which is wrong"), "follows from line 3, which is wrong"),
        (LINES[3], "follows, if Σ_k y_k = 1"),
        (LINES[4], "indices only: as matrices an outer product, (p - y) aᵀ"),
        (LINES[5], "right by luck: W is square here"),
        (LINES[6], "not read: a bracket is not closed"),
    ],
    ids=lambda value: value.verdict if isinstance(value, CheckedLine) else "",
)
def test_a_verdict_and_what_follows_it_are_one_sentence(line, words):
    assert verdict_in_words(line) == words


@pytest.mark.parametrize(
    ("lines", "words"),
    [
        ([GIVEN_LINE], "1 formula: 1 is given."),
        (
            LINES,
            "7 formulas: 2 follow, 1 is given, 1 is right for its indices only, 1 is right by luck, 1 is wrong, 1 "
            "could not be read. The first wrong formula is in line 3.",
        ),
        ([WRONG_LINE, replace(WRONG_LINE, number=9)], "2 formulas: 2 are wrong. The first wrong formula is in line 3."),
    ],
    ids=["one", "each", "two"],
)
def test_the_last_line_counts(lines, words):
    assert summary(lines) == words


def test_a_derivation_is_correct_if_a_line_was_judged_and_none_is_wrong():
    assert not CHECKED.correct
    assert [line.number for line in CHECKED.wrong] == [3]
    assert CHECKED.causes == ("index_on_one_side",)
    assert Checked(LINES[2:]).correct
    assert not Checked((LINES[0], LINES[6])).correct  # nothing was judged
    assert not Checked(()).correct


# --- the terminal ----------------------------------------------------------------------------------------------------


def test_a_terminal_shows_the_line_its_formula_and_the_verdict_in_columns():
    assert str(CHECKED) == repr(CHECKED) == CHECKED.text(width=100)
    assert CHECKED.text().split("\n") == [
        "line 1   L = -Σ_k y_k log p_k          given: the definition of L",
        "line 3   ∂p_i/∂z_i = p_i (δ_ij - p_j)  wrong: the left side has the index i twice and no j",
        "         write  ∂p_i/∂z_j = p_i (δ_ij - p_j)                                                (proved)",
        "line 7   ∂L/∂z_i = -y_i + p_i Σ_k y_k  follows",
        "line 8           = p_i - y_i           follows, if Σ_k y_k = 1",
        "line 12  ∂L/∂W = (p - y) a             indices only: as matrices an outer product, (p - y) aᵀ",
        "line 13  ∂L/∂v = W u                   right by luck: W is square here",
        "line 14  J = diag(p                    not read: a bracket is not closed",
        "",
        "goal     dL/db needs 1 more line",
        "missing  ∂L/∂b = p - y",
        "",
        "read as  column vectors",
        "",
        "7 formulas: 2 follow, 1 is given, 1 is right for its indices only, 1 is right by luck, 1 is wrong, 1",
        "could not be read. The first wrong formula is in line 3.",
    ]


def test_a_long_formula_is_folded_and_its_verdict_stands_below():
    long = "= " + " + ".join(f"x_{n} y_{n}" for n in range(30))
    text = Checked((LINES[2], CheckedLine(8, "", long, FOLLOWS))).text(width=80)
    assert max(map(len, text.split("\n"))) <= 80
    lines = text.split("\n")
    assert " ".join(" ".join(lines[1:6]).split()[2:]).startswith("= x_0 y_0 + x_1 y_1")
    assert re.search(r"x_29 y_29\n {30,}follows\n", text)


@pytest.mark.parametrize("width", [20, 40, 60, 79, 200])
def test_no_line_is_wider_than_the_terminal(width):
    text = CHECKED.text(width=width)
    assert max(map(len, text.split("\n"))) <= max(width, 30)
    assert "".join(text.split()).count("theleftsidehastheindexitwiceandnoj") == 1


def test_an_accent_takes_no_column():
    lines = (CheckedLine(1, "", "y\u0302 = x", FOLLOWS), CheckedLine(2, "", "y = abc", FOLLOWS))
    first, second, *_ = Checked(lines).text().split("\n")
    assert re.search(" +follows", first)[0] == "    follows"
    assert re.search(" +follows", second)[0] == "  follows"


def test_formulas_of_one_line_of_the_file_share_its_number():
    first, second, *_ = Checked((LINES[2], replace(LINES[2], formula="∂L/∂b = p"))).text().split("\n")
    assert first.startswith("line 7  ∂L/∂z_i")
    assert second.startswith("        ∂L/∂b = p ")


# --- Markdown and JSON -----------------------------------------------------------------------------------------------


def test_markdown_lists_the_lines_and_corrects_in_latex():
    text = CHECKED.to_markdown()
    assert "- line 3: " in text
    assert "**wrong**: the left side has the index i twice and no j" in text
    assert r"  - write $\frac{\partial p_i}{\partial z_j} = p_i (\delta_{ij} - p_j)$ (proved)" in text
    assert text.endswith(CHECKED.summary)


def test_words_can_not_turn_into_marks_of_markdown():
    text = Checked((replace(LINES[6], says=f"*a* {HOSTILE} [b](c)", source="a ` b"),)).to_markdown()
    assert "\\*a\\*" in text
    assert "<img" not in text.replace("\\<", "")
    assert "`` a ` b ``" in text


def test_json_has_the_fields_of_each_line():
    answer = json.loads(CHECKED.to_json())
    assert answer == CHECKED.to_dict()
    assert set(answer) == {"correct", "summary", "lines", "notes", "goal", "missing"}
    assert answer["lines"][1] == {
        "number": 3,
        "source": WRONG_LINE.source,
        "formula": WRONG_LINE.formula,
        "verdict": "wrong",
        "cause": "index_on_one_side",
        "says": "the left side has the index i twice and no j",
        "write": WRONG_LINE.write,
        "write_latex": WRONG_LINE.write_latex,
        "proved": True,
        "follows_before": None,
        "notation": "",
    }


# --- the page --------------------------------------------------------------------------------------------------------


def test_a_page_marks_each_line_and_opens_the_wrong_ones(tmp_path):
    path = tmp_path / "page.html"
    CHECKED.to_html(path)
    tags = parsed(path.read_text(encoding="utf-8"))
    assert "script" not in {tag for tag, _ in tags.seen}
    kinds = [attributes["class"] for tag, attributes in tags.seen if tag == "li" and "class" in attributes]
    assert kinds == ["is-quiet", "is-bad", "is-good", "is-good", "is-chance", "is-chance", "is-quiet"]
    opened = ["open" in attributes for tag, attributes in tags.seen if tag == "details"]
    assert opened[0]
    assert "wrong" in tags.words
    assert "The left side has the index i twice and no j." in tags.words
    assert "follows, if Σ_k y_k = 1" in tags.words


def test_our_derivation_is_behind_a_click():
    html = Checked((replace(WRONG_LINE, ours="<p>ours</p>"),))._repr_html_()
    assert '<details class="ours"><summary>How glassmax derives it</summary><p>ours</p></details>' in html


def test_a_notebook_shows_the_same_lines():
    assert parsed(CHECKED._repr_html_()).words.count("!indices only") == 1


def test_every_word_of_the_author_is_escaped(tmp_path):
    name = Name(HOSTILE, (Name(HOSTILE),), (Name(HOSTILE),))
    hostile = CheckedLine(1, HOSTILE, HOSTILE, NOT_READ, says=HOSTILE, write=HOSTILE, notation="")
    typeset = replace(hostile, sides=(name, Number(ONE.value, HOSTILE), Call(name, (name,))))
    checked = Checked((hostile, typeset), (HOSTILE,), (hostile, typeset), HOSTILE)
    checked.to_html(tmp_path / "page.html")
    for html in (checked._repr_html_(), (tmp_path / "page.html").read_text(encoding="utf-8")):
        assert "<img" not in html
        assert "img" not in {tag for tag, _ in parsed(html).seen}


def test_a_page_that_can_not_be_written_is_one_clear_error(tmp_path):
    with pytest.raises(DataError, match=r"page\.html can't be written: No such file or directory\. Nothing has"):
        CHECKED.to_html(tmp_path / "no" / "page.html")


# --- the words between ------------------------------------------------------------------------------------------------

MARKDOWN = """# A title

We *take* the loss $L$
and **nothing** else:

$$ L = 1
\\text{words in a formula} $$

```
x = 1  # words in a program
plain words
```

If $k = y_i$ or \\(\\sum_k\\),
\\begin{align} words \\end{align}
then.
"""
LATEX = """\\documentclass{article}
words before
\\begin{document}
\\section{First part}
The loss:
\\begin{align} L = 1 \\end{align}
\\end{document}
"""


@pytest.mark.parametrize(
    ("source", "words"),
    [
        (MARKDOWN, [(1, "A title", True), (3, "We take the loss L and nothing else:", False), (16, "then.", False)]),
        (LATEX, [(4, "First part", True), (5, "The loss:", False)]),
        ("where\nL = x^2\nso that\n", [(1, "where", False), (3, "so that", False)]),
        ("", []),
        (HOSTILE, []),
        ("\\(" * 100_000, []),
        ("```\n" * 50_000, []),
        ("\\begin{align}" * 10_000, []),
        ("# " + "a " * 50_000, []),
    ],
    ids=["markdown", "latex", "text", "empty", "tags", "brackets", "fences", "environments", "long"],
)
def test_the_words_between_formulas_are_found(source, words):
    assert [tuple(paragraph) for paragraph in prose(source)] == words


def test_a_page_shows_the_words_before_their_formulas():
    source = "# A title\n\n$$ p = q $$\n\nwords between\n\n$$ q = r $$\n"
    lines = (CheckedLine(3, "", "p = q", FOLLOWS), CheckedLine(7, "", "q = r", FOLLOWS))
    words = parsed(Checked(lines, source=source)._repr_html_()).words
    assert re.search("A title.*p = q.*words between.*q = r", words)


# --- formulas --------------------------------------------------------------------------------------------------------


def inner(node):
    return formula_mathml(node).removeprefix("<math>").removesuffix("</math>")


def spoken(node):
    """A formula as its letters and signs, without layout."""
    return re.sub("[\u2061\u2062]", "", re.sub("<[^>]*>", "", inner(node)))


P_I, EXP_Z = indexed("p", I_), Power(Name("e"), indexed("z", K))


FORMULAS = [
    (Product((Name("a"), Add((Name("b"), Name("c")))), ("",)), "a(b+c)"),
    (Product((Name("a"), Add((Name("b"), Name("c")), bracket="[")), ("*",)), "a∗[b+c]"),
    (Product((Product((Name("a"), Name("b")), ("",)), Name("c")), ("odot",)), "(ab)⊙c"),
    (Product((Summation(("k",), Name("a")), Name("c")), ("",)), "(∑ka)c"),
    (Power(Summation(("k",), Name("u")), Number(Fraction(2))), "(∑ku)2"),
    (Power(Quotient(Name("a"), Name("b"), True), Number(Fraction(2))), "(ab)2"),
    (Negative(Add((Name("a"), Name("b")))), "−(a+b)"),
    (Add((Negative(Name("a")), Negative(Name("b")))), "−a−b"),
    (Add((Name("a"), Negative(Name("b"), bracket="["))), "a+[−b]"),
    (Quotient(ONE, Product((Name("n"), Name("m")), ("",))), "1/(nm)"),
    (Summation(("k",), Name("a"), condition=Condition(K, "!=", I_)), "∑k≠ia"),
    (Summation(("i", "k"), Name("a")), "∑i,ka"),
    (Summation(("p",), Name("U"), ONE, Number(Fraction(3))), "∑p=13U"),
    (Summation((), Name("a")), "∑a"),
    (Call(Name("log"), (P_I,), style=""), "logpi"),
    (Call(Name("sigma", primes=1), (Name("z"),)), "σ′(z)"),
    (Call(Name("exp", typed="e"), (Name("z"),)), "ez"),
    (Name("S", (I_, K), typed_as="["), "S[i,k]"),
    (Name("x", (), (I_,), typed_as="^("), "x(i)"),
    (Name("y_hat", (I_,)), "y^i"),
    (Name("L_CE"), "LCE"),
    (Entry(Product((Transpose(W), Name("delta")), ("",)), (J,)), "(W⊤δ)j"),
    (Norm(Name("x"), "2"), "‖x‖2"),
    (Absolute(Name("x")), "|x|"),
    (Indicator(Condition(I_, "=", J)), "𝟙{i=j}"),
    (Indicator(Condition(I_, "=", J), "["), "[i=j]"),
    (Matrix(((ONE, Name("a")), (Name("b"), ONE))), "[1ab1]"),
    (Matrix(((ONE,),), typed="pmatrix"), "(1)"),
    (Cases(((ONE, Condition(I_, "=", J)), (Number(Fraction(0)), None))), "{1if\xa0i=j0otherwise"),
    (by(L, W), "∂L∂W"),
    (Derivative(L, (indexed("z", I_), indexed("z", J))), "∂2L∂zi∂zj"),
    (Derivative(L, (W, W)), "∂2L∂W2"),
    (Derivative(Name("f"), (Name("x"),), "d", before=True), "ddxf"),
    (Derivative(Add((Name("f"), Name("g"))), (Name("x"),), "d", before=True), "ddx(f+g)"),
    (Derivative(L, (W,), "nabla"), "∇WL"),
]


@pytest.mark.parametrize(("node", "text"), FORMULAS, ids=[text for _, text in FORMULAS])
def test_a_formula_keeps_its_authors_signs_and_has_the_brackets_that_it_needs(node, text):
    parsed(formula_mathml(node))
    assert spoken(node) == text


def test_a_fraction_stays_a_fraction_and_a_font_a_font():
    assert inner(Quotient(ONE, P_I, True)).startswith("<mfrac><mn>1</mn>")
    assert "700" in inner(Name("w", typed=r"\mathbf{w}"))
    assert inner(Name("theta")) == "<mi>θ</mi>"


def test_the_sides_of_an_equation_are_joined_and_a_continued_line_begins_with_its_sign():
    assert equation_mathml((P_I, EXP_Z)).count("<mo>=</mo>") == 1
    assert equation_mathml((None, EXP_Z)).startswith("<math><mo>=</mo>")


def test_every_part_of_a_formula_can_be_typeset():
    written = {type(part) for node, _ in FORMULAS for part in nodes_in(node)} - {Condition}
    parts = {getattr(tree, name) for name in tree.__all__ if name not in ("Node", "Condition")}
    assert parts == written
