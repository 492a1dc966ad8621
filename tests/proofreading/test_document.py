r"""Documents to statements: what is a formula, in which line, with which sides, cue and case."""

from pathlib import Path

import pytest

from glassmax.proofreading.document import statements_of
from glassmax.proofreading.judging.scopes import scopes_of

WRITE_UPS = Path(__file__).parent / "write_ups"
DP = r"\frac{\partial p_i}{\partial z_j}"


def read(text, kind="markdown"):
    """Return the sides of each statement, or its reason in brackets where it was skipped, or its line of code."""
    statements = statements_of(text, kind)
    return [" = ".join(s.sides) if s.sides else f"[{s.skipped}]" if s.skipped else s.source for s in statements]


def cases_of(text, kind="markdown"):
    return [statement.condition for statement in statements_of(text, kind)]


def cues(text, kind="markdown"):
    return [statement.cue for statement in statements_of(text, kind)]


def lines(text, kind="markdown"):
    return [statement.line for statement in statements_of(text, kind)]


# the three write-ups


def write_up(name):
    return statements_of((WRITE_UPS / f"{name}.md").read_text(encoding="utf-8"))


def test_write_up_A_has_every_row_with_its_line():
    found = [(s.line, s.sides[0]) for s in write_up("A")]
    assert found[:3] == [(9, r"\frac {\partial L}{\partial w^l}"), (13, "L"), (13, "p_j")]
    assert [line for line, _ in found[3:]] == [
        *(18, 20, 21, 22, 28, 29, 30, 36, 37, 39, 41, 41, 42, 43, 44, 45, 46, 47, 48, 49, 50),
        *(56, 57, 57, 59, 64, 69, 71, 72, 73, 73, 74, 74, 76, 77, 77, 78),
    ]


def test_write_up_A_says_what_continues_what():
    statements = write_up("A")
    continued = {s.line: statements[s.continues].line for s in statements if s.sides[0] == ""}
    assert continued == {
        **{20: 18, 22: 20, 37: 36, 39: 37, 42: 39},
        **{43: 42, 44: 43, 45: 44, 46: 45, 47: 46, 49: 47},
    }


def test_write_up_A_has_its_cases_and_assumptions():
    statements = write_up("A")
    assert {s.line: s.condition for s in statements if s.condition} == {29: "i =j", 30: r"i \ne j", 41: r"i \ne k"}
    assert [s.condition for s in statements if s.line == 41] == ["i =k", r"i \ne k"]
    assert [(s.line, s.sides[0]) for s in statements if s.cue == "assume"] == [(48, r"\sum_{k} y_k"), (57, "z^{l}")]
    assert [s.sides[0] for s in statements if s.cue == "define"] == ["L", "p_j"]


def test_write_up_A_loses_its_colors_and_labels():
    [eq_a2] = [s for s in write_up("A") if s.line == 76]
    assert eq_a2.sides == (r"\frac {\partial L}{\partial z^{l-1}}", r"(p_i- y_i) .w^l.\sigma ' (z^{l-1} )")
    assert eq_a2.source.startswith(r"\color{blue}{\frac {\partial L}{\partial z^{l-1}}} =\color{blue}{(p_i- y_i)}")
    text = " ".join(side for s in write_up("A") for side in s.sides)
    assert not [mark for mark in ("color", "EqA", "text", "bbox", "underbrace", "aligned", "&") if mark in text]


def test_write_up_B_keeps_its_matrices_whole():
    statements = write_up("B")
    assert statements[0].sides == ("z", r"\begin{pmatrix}z1\\z2\\z3\end{pmatrix}")
    assert [s.line for s in statements] == [3, 3, 5, 9, 13, 15, 19, 23, 25, 32, 33, 34, 39, 43, 47, 53, 55]
    assert statements[4].sides[0] == r"\texttt{matrix_a}"
    assert statements[-1].skipped == "it is about shapes, not about values"
    assert {s.cue for s in statements} == {""}


def test_write_up_C_has_its_cases_and_its_program():
    statements = write_up("C")
    assert {s.line: s.condition for s in statements if s.condition} == {
        **{31: "k = y_i", 32: "k = y_i", 38: r"k \ne y_i", 39: r"k \ne y_i"},
    }
    [both] = [s for s in statements if s.line == 44]
    assert both.sides[1] == r"\begin{cases} (O_2[i,k] - 1) & k = y_i \\ O_2[i,k] & k \ne y_i \end{cases}"
    [gradient] = [s for s in statements if s.line == 21]
    assert gradient.sides[1] == (
        r"\sum_{k=1}^3 { \frac{\partial L_i}{\partial S[i,k]} \times \frac{dS[i,k]}{dW_2[m,n]} }"
    )
    assert [(s.line, s.source) for s in statements if s.code] == [
        (58, "dL_by_dS = O_2"),
        (59, "dL_by_dS[np.arange(5), y] -= 1"),
        (60, "dL_by_dW2 = (-1.0/5)*np.matmul(O_1.T, dL_by_dS)"),
    ]


# where formulas stand


@pytest.mark.parametrize(
    "text",
    [
        "$$a = b$$",
        "$$\na = b\n$$",
        r"\[a = b\]",
        r"\\[ a = b \\]",
        "```math\na = b\n```",
        "~~~ latex\na = b\n~~~",
        "Hence $a = b$.",
        "Hence $ a = b $.",
        "Hence $`a = b`$.",
        r"Hence \(a = b\).",
        r"\begin{equation*}a = b\end{equation*}",
        "> $$ a = b $$",
        "| sign | $a = b$ |",
        '<script type="math/tex; mode=display">a = b</script>',
        '<script type="math/tex">a = b</script>',
        "<math>a = b</math>",
        "[tex]a = b[/tex]",
        "Hence `a = b`.",
        "Hence\n\na = b\n",
        "```\na = b\n```",
        "$a$ = $b$",
        "It costs $5. And $a = b$ or \\$4.",
        "$$ a = b \\tag{1} $$",
        "<!-- $c = d$ -->\n$$a = b$$",
        "### Heading $a = b$",
    ],
)
def test_a_formula_of_markdown_is_found(text):
    assert read(text) == ["a = b"]


@pytest.mark.parametrize(
    "text",
    [
        "No formula at all, and x is a letter.",
        "$x$ and $$y$$",
        "$$ a^0 \\to \\text{hidden} \\to a^1 $$",
        "$$ k = 1, \\ldots, K $$",
        "$W \\in \\mathbb{R}^{m \\times n}$",
        "<!-- $c = d$ -->",
        "`if a == b:`",
        "```js\nlet a = b\n```",
        "```python\nimport numpy as np\n# a = b\nprint(x)\n```",
        "$5 and $6",
        "=====",
        "",
        "| a = b | c |",
        "See https://example.org/?q=1 for more.",
    ],
)
def test_what_claims_nothing_is_no_statement(text):
    assert read(text) == []


def test_a_latex_document_has_comments_a_preamble_and_an_end():
    text = r"""\documentclass{article}
\newcommand{\pd}[2]{\frac{\partial #1}{\partial #2}}
$x = y$
\begin{document}
% $c = d$
Let $a = b$. % and $e = f$
100\% of
\begin{align}
  \pd{L}{z} &= p - y \label{eq:a} \\
  \intertext{and therefore}
  \pd{L}{b} &= \pd{L}{z} \nonumber
\end{align}
\begin{verbatim}
dz = p - y
\end{verbatim}
\end{document}
$g = h$
"""
    assert read(text, "tex") == [
        "a = b",
        r"\frac{\partial L}{\partial z} = p - y",
        r"\frac{\partial L}{\partial b} = \frac{\partial L}{\partial z}",
        "dz = p - y",
    ]
    assert lines(text, "tex") == [6, 9, 11, 14]


@pytest.mark.parametrize(
    "environment",
    ["align", "align*", "aligned", "gather", "gathered", "split", "eqnarray*", "multline", "equation", "flalign"],
)
def test_every_environment_of_rows_is_read(environment):
    text = f"\\begin{{{environment}}}\na &= b \\\\\n  &= c\n\\end{{{environment}}}"
    assert read(text, "tex") == read(f"$${text}$$") == ["a = b", " = c"]
    assert lines(text, "tex") == [2, 3]


def test_plain_text_has_formulas_between_words():
    text = """Derivation

1. σ(z) = 1/(1 + e^(-z))
dσ/dz = d/dz (1 + e^(-z))^(-1)
      = -(1 + e^(-z))^(-2) * (-e^(-z))      (chain rule)
      = σ(z)(1 - σ(z))                      (3)
so dL/dw = (a - y) x, dL/db = a - y
error = t - y
net = w1 x1 + b where b is the bias
The loss is E = 1/2 (t - y)^2.
Logistic regression: z = w x + b, a = σ(z)
= p - y   since Σ_k y_k = 1
dE/dw = -(t - y)
        * y (1 - y)
        * x
a -> b -> c
"""
    assert read(text, "text") == [
        "σ(z) = 1/(1 + e^(-z))",
        "dσ/dz = d/dz (1 + e^(-z))^(-1)",
        " = -(1 + e^(-z))^(-2) * (-e^(-z))",
        " = σ(z)(1 - σ(z))",
        "dL/dw = (a - y) x",
        "dL/db = a - y",
        "error = t - y",
        "net = w1 x1 + b",
        "E = 1/2 (t - y)^2",
        "z = w x + b",
        "a = σ(z)",
        " = p - y",
        "Σ_k y_k = 1",
        "dE/dw = -(t - y) * y (1 - y) * x",
    ]
    assert lines(text, "text") == [3, 4, 5, 6, 7, 7, 8, 9, 10, 11, 11, 12, 12, 13]


def test_code_is_taken_statement_by_statement():
    text = """```python
import numpy as np
dZ = A - Y  # the error
db = (1 / m
      * dZ.sum(0))
for i in range(3):
    x = i
```"""
    assert read(text) == [
        "dZ = A - Y  # the error",
        "db = (1 / m\n      * dZ.sum(0))",
        "[a function or a loop of a program]",
    ]
    assert lines(text) == [3, 4, 6]


def test_prompts_are_no_code():
    assert read("```python\n>>> dZ = A - Y\n>>> dW = X.T @ (\n...     dZ)\n```") == [
        "dZ = A - Y",
        "dW = X.T @ (\n    dZ)",
    ]


def test_a_block_that_shows_what_it_prints_has_code_and_formulas():
    text = "```python\ndW = X.T @ dZ\nprint(dW)\ndL/dz_i = p_i - y_i\n[[1, 2]\n```"
    assert read(text) == ["dW = X.T @ dZ", "dL/dz_i = p_i - y_i"]


def test_a_fence_without_a_language_holds_code_or_formulas():
    assert [s.code for s in statements_of("```\ndW = X.T @ dZ\n```")] == [True]
    assert [s.code for s in statements_of("```\ndL/dz = p - y\n     = q\n```")] == [False, False]


# rows, sides, decoration


@pytest.mark.parametrize(
    ("text", "sides"),
    [
        ("a = b = c", ["a = b = c"]),
        (r"a = b \\ c = d", ["a = b", "c = d"]),
        (r"a = b \\[2ex] = c", ["a = b", " = c"]),
        ("a = b\n= c", ["a = b", " = c"]),
        ("a = b\nc = d", ["a = b", "c = d"]),
        (r"a = \\ b", ["a = b"]),
        (r"a \\ = b", ["a = b"]),
        (r"a = b \\ + c \\ = d", ["a = b + c", " = d"]),
        (r"a = b + \\ c", ["a = b + c"]),
        (r"a &=& b \\ & & {} + c", ["a = b {} + c"]),
        (r"a = b, \quad c = d", ["a = b", "c = d"]),
        (r"a = b \text{ and } c = d", ["a = b", "c = d"]),
        (r"a = b \,\, and \, c = d", ["a = b", "c = d"]),
        (r"a = b \Rightarrow c = d", ["a = b", "c = d"]),
        (r"a = b \implies c = d \iff e = f", ["a = b", "c = d", "e = f"]),
        (r"a = b \rightarrow \quad EqA1", ["a = b"]),
        (r"a = b \quad \to \quad \mathbf{EqA1}", ["a = b"]),
        (r"a = b \quad (1.2)", ["a = b"]),
        (r"a = b \qquad (\text{Eq. 3})", ["a = b"]),
        (r"a = b \quad c", ["a = b c"]),
        (r"f(x, y) = g(x, y)", ["f(x, y) = g(x, y)"]),
        (r"1_{[i=j]} = [i = j]", ["1_{[i=j]} = [i = j]"]),
        (r"\sum_{i=1}^{n} x_i = n", [r"\sum_{i=1}^{n} x_i = n"]),
        (r"\color{red}{a} = \textcolor{blue}{b} + {\color{green} c}", ["a = b + { c}"]),
        (r"\boxed{a = b}", ["a = b"]),
        (r"\bbox[5px, border:2px solid black]{a = b}", ["a = b"]),
        (r"\mathbf{a = \frac{b}{c}}", [r"a = \frac{b}{c}"]),
        (r"\mathrm{Z_1 = XW_1}", ["Z_1 = XW_1"]),
        (r"\mathbf{W} = \boldsymbol{\beta}", [r"\mathbf{W} = \boldsymbol{\beta}"]),
        (r"a = \underbrace{b}_{\text{Exp. 1}} \times \overbrace{c}^{x}", [r"a = b \times c"]),
        (r"a = \underbrace{b + c}_{z} d", ["a = {b + c} d"]),
        (r"e^\color{red}{z_j} = x", ["e^ {z_j} = x"]),
        (r"\sigma\color{red}{'}(z) = x", [r"\sigma ' (z) = x"]),
        (r"a = \frac{\cancel{b} c}{\cancel{b}}", [r"a = \frac{ b c}{ b }"]),
        (r"a = \left( \dfrac{b}{c} \right)\!\big[x\big]\,.", [r"a = ( \frac {b}{c} ) [x ]"]),
        (r"a = b \tag*{(2)} \label{x} \nonumber", ["a = b"]),
        (r"a \stackrel{(1)}{=} b", ["a = b"]),
        (r"a \overset{\text{def}}{=} b", ["a = b"]),
        (r"a := b", ["a = b"]),
        (r"a \triangleq b \equiv c", ["a = b = c"]),
        (r"\theta \leftarrow \theta - \eta g", [r"\theta = \theta - \eta g"]),
        (r"{\partial L \over \partial z} = p", [r"\frac{\partial L }{ \partial z} = p"]),
        (r"a &amp;= b \\ &amp;= c", ["a = b", " = c"]),
        (r"\newcommand{\pd}[2]{\frac{d#1}{d#2}} \pd{L}{z} = \pd L a", [r"\frac{dL}{dz} = \frac{dL}{da}"]),
        (r"\pdv{L}{z} = \dv{L}{a}", [r"\frac{\partial L}{\partial z} = \frac{d L}{d a}"]),
        (r"\underset{j}{\sum} a_j = b", [r"\sum_{j} a_j = b"]),
        (r"A = \begin{pmatrix} a & b \\ c & d \end{pmatrix}", [r"A = \begin{pmatrix} a & b \\ c & d \end{pmatrix}"]),
        (
            r"A = \left[\begin{array}{cc} a & b \\ c & d \end{array}\right]",
            [r"A = \begin{bmatrix} a & b \\ c & d \end{bmatrix}"],
        ),
        (
            r"d = \left\{\begin{array}{ll} 1 & \mbox{if $i=j$} \\ 0 & \mbox{otherwise} \end{array}\right.",
            [r"d = \begin{cases} 1 & i=j \\ 0 & \text{otherwise} \end{cases}"],
        ),
        (
            r"d = \begin{cases} 1, & \text{if k = y}_i \\[2ex] 0, & \text{if } k \ne y_i \end{cases}",
            [r"d = \begin{cases} 1 & k = y _i \\ 0 & k \ne y_i \end{cases}"],
        ),
        (
            r"d = \begin{dcases} 1 \quad i = j \\ 0, i \ne j \end{dcases}",
            [r"d = \begin{cases} 1 & i = j \\ 0 & i \ne j \end{cases}"],
        ),
        (r"d = 1 \text{ if } i=j, 0 \text{ otherwise}", [r"d = \begin{cases} 1 & i=j \\ 0 & i \ne j \end{cases}"]),
        (r"f(z) = 1 \text{ if } z > 0 \text{ else } 0", [r"f(z) = \begin{cases} 1 & z > 0 \\ 0 & z \le 0 \end{cases}"]),
        (r"\text{Loss} = \text{ReLU}(z)", [r"\text{Loss} = \text{ReLU}(z)"]),
        (r"x \in \mathbb{R}^n, \quad z = Wx", ["z = Wx"]),
        (r"a = b \quad \forall i", ["a = b"]),
        (r"a \approx b", ["[it holds approximately only]"]),
        (r"a = b \approx 0.3", ["a = b", "[it holds approximately only]"]),
        (r"a \propto b", ["[it says what is proportional, and leaves the factor open]"]),
        (r"a \le b", ["[it is an inequality]"]),
        (r"\mathbb{R}^{1 \times n} = \mathbb{R}^n", ["[it is about shapes, not about values]"]),
        (r"\frac{a = b", ["[its braces don't match]"]),
        ("a = = b", ["[one side of an equals sign is empty]"]),
    ],
)
def test_a_display_is_taken_apart(text, sides):
    assert read(f"$${text}$$") == sides


@pytest.mark.parametrize("mark", ["≡", "≜", "←", ":=", "≔", "="])
def test_signs_of_equality(mark):
    assert read(f"a {mark} b", "text") == ["a = b"]


# words


@pytest.mark.parametrize(
    ("text", "cue"),
    [
        ("where $a = b$", "define"),
        ("Let $a = b$", "define"),
        ("Let $p$ be the softmax, $a = b$", "define"),
        ("with $a = b$", "define"),
        ("We define the loss as $a = b$", "define"),
        ("$a := b$", "define"),
        ("Denote the error by $a = b$", "define"),
        ("Let us differentiate: $a = b$", ""),
        ("With a loss behind it: $a = b$", ""),
        ("where $\\frac{da}{dx} = b$", ""),
        ("Assume that $a = b$", "assume"),
        ("Suppose the labels satisfy $a = b$", "assume"),
        ("Assume $\\frac{da}{dx} = b$", "assume"),
        ("since $a = b$", "assume"),
        ("because $a = b$", "assume"),
        ("note that $a = b$", "assume"),
        ("Recall that $a = b$", "assume"),
        ("as $a = b$", "assume"),
        ("If $\\sum_k y_k = 1$", "assume"),
        ("since $\\frac{da}{dx} = b$", ""),
        ("since the sum is 1, we get $a = b$", ""),
        ("so that $a = b$", ""),
        ("Hence $a = b$", ""),
        ("which gives $a = b$", ""),
    ],
)
def test_the_words_before_a_formula_say_what_it_is(text, cue):
    assert cues(text) == [cue]


def test_a_cue_goes_on_in_a_list():
    assert cues("where $a = b$, $c = d$ and $e = f$. So $g = h$.") == ["define", "define", "define", ""]
    assert cues(r"$$ a = b \text{ as } c = d \text{ which makes } e = f $$") == ["", "assume", ""]


@pytest.mark.parametrize(
    ("text", "found"),
    [
        ("If $k = y_i$,\n$$a_k = b \\\\ = c$$\nIf $k \\ne y_i$, $$a_k = d$$", ["k = y_i", "k = y_i", r"k \ne y_i"]),
        ("**Case 1: $i = j$.**\n$$a_i = b$$\n**Case 2: $i \\ne j$.**\n$$a_i = d$$", ["i = j", r"i \ne j"]),
        ("### Case $i \\ne j$\n$$a_i = b$$\n### Next\n$$a_i = d$$", [r"i \ne j", ""]),
        ("If $i = j$: $$a = b$$ Both together: $$a = c$$", ["i = j", ""]),
        ("If $i = j$: $$a = b$$ Now the loss. $$c = d$$", ["i = j", ""]),
        ("If $i = j$: $$a = b \\\\ c = d$$", ["i = j", "i = j"]),
        ("For $i = j$ we have $a = b$, and for $i \\ne j$ we have $a = c$. So $a = d$.", ["i = j", r"i \ne j", ""]),
        ("$a = b$ if $i = j$ and $a = c$ otherwise.", ["i = j", r"i \ne j"]),
        ("$$a = b \\quad i \\ne j$$", [r"i \ne j"]),
        ("$$a = b \\quad (i \\ne j)$$", [r"i \ne j"]),
        ("$$a = b, \\quad \\text{if } i = j \\\\ = c$$", ["i = j", "i = j"]),
        ("$$a = b \\text{ when i =j} \\\\ c = d$$", ["i =j", ""]),
        ("$$a = b \\text{ when i} \\ne \\text{j}$$", [r"i \ne j"]),
        ("$$\\text{if } i = j: \\\\ a = b \\\\ \\text{if } i \\ne j: \\\\ a = c$$", ["i = j", r"i \ne j"]),
        ("The two cases $i = j$ and $i \\ne j$ give $$a = b$$", [""]),
        ("If $i$ equals $j$, $$a = b$$", ["i = j"]),
        ("When $i$ and $j$ are different, $$a = b$$", [r"i \ne j"]),
        ("If the two indices are equal, $$a = b$$", ["the indices are equal"]),
        (f"If the two indices are equal, $${DP} = b$$ Otherwise $${DP} = c$$", ["i = j", r"i \ne j"]),
        (f"On the diagonal we have $${DP} = b$$ Off the diagonal, $${DP} = c$$", ["i = j", r"i \ne j"]),
        (f"If the indices are the same, also $z_i$ counts: $${DP} = b$$", ["i = j"]),
        ("For the diagonal entries, $$\\frac{\\partial p_i}{\\partial z_i} = b$$", [""]),
        (f"For the same reason, $${DP} = b$$", [""]),
        ("For the correct class, $$a_i = b$$", ["For the correct class"]),
        (
            "For the correct class ($i = y$): $$a_i = b$$ For other classes ($i \\ne y$): $$a_i = c$$",
            ["i = y", r"i \ne y"],
        ),
        ("Either $i = j$, in which case $$a = b$$ or $i \\ne j$, in which case $$a = c$$", ["i = j", r"i \ne j"]),
        ("If $i \\ne j$, $$a = b$$ $$a = \\begin{cases} b & i = j \\\\ c & i \\ne j \\end{cases}$$", [r"i \ne j", ""]),
        (f"$${DP}\\bigg|_{{i=j}} = b$$", ["i=j"]),
        ("$$a = b$$ $$i = j: \\quad a = c$$", ["", "i = j"]),
        ("$$\\underbrace{a = b}_{i = j} \\qquad \\underbrace{a = c}_{i \\ne j}$$", ["i = j", r"i \ne j"]),
        ("If $z > 0$, $$f(z) = z$$ Otherwise, $$f(z) = 0$$", ["z > 0", r"z \le 0"]),
        ("$$f'(z) = 1 \\text{ for } z > 0$$", ["z > 0"]),
        ("where $u = v$ and $$a = b$$", ["", ""]),
        ("with $g = h$:\n\nWhen $i = j$:\n\n$$a = b$$", ["", "i = j"]),
        ("$$a = b$$ if $i = j$ and\n$$a = c$$ if $i \\ne j$.", ["i = j", r"i \ne j"]),
        ("$$\\text{if} \\; i = j :& a = b$$", ["i = j"]),
        ("$$x_i = y_i \\quad i = 1, \\dots, n$$", [""]),
    ],
)
def test_a_case_limits_the_statements_that_it_is_said_of(text, found):
    assert cases_of(text) == found


def test_cases_in_plain_text():
    text = """if i equals j: dp_i/dz_j = p_i(1 - p_i)
for i ≠ j:  dp_i/dz_j = -p_i p_j
dp_i/dz_j = p_i(δ_ij - p_j)

Case i = j:
  dp_i/dz_j = p_i(1 - p_i)
      = p_i - p_i^2
Together:
  dp_i/dz_j = p_i(1 - p_i)    if i = j
            = -p_i p_j        otherwise
  dp_i/dz_j = p_i(1 - p_i)    (i = j)
"""
    assert cases_of(text, "text") == ["i = j", "i ≠ j", "", "i = j", "i = j", "i = j", r"i \ne j", "i = j"]


def test_a_remark_does_not_end_a_derivation():
    text = r"""$$\frac{dL}{dz} = a \\
    \text{note that } \sum_k y_k = 1 \\
    = b$$ Since $x = y$, $$= c$$"""
    statements = statements_of(text)
    assert [(s.sides, s.continues) for s in statements if s.sides[0] == ""] == [(("", "b"), 0), (("", "c"), 2)]
    statements = statements_of(r"$$ \frac{dL}{dz} = a $$ where $$ p = q \\ = r $$")
    assert [s.continues for s in statements] == [None, None, 1]


# hostile documents


def fill(part, length=20_000):
    return (part * (length // len(part) + 1))[:length]


@pytest.mark.parametrize("kind", ["markdown", "tex", "text"])
@pytest.mark.parametrize(
    "part",
    [
        *(
            "$",
            "$$",
            "{",
            "}",
            "\\frac{",
            "\\\\",
            "\\text{",
            "\\text{a} ",
            "\\color{red}{",
            "\\begin{align}",
            "`",
            "```\n",
        ),
        *(
            "\\begin{cases}",
            "(",
            "[",
            "\\[",
            "\\(",
            "\\left\\{\\begin{array}",
            "\\newcommand{\\a}{\\a\\a}",
            "<!--",
            "~",
        ),
        *(
            "i and j are ",
            ". ",
            "where ",
            "\n",
            "\t",
            "\\underbrace{a}_{b}",
            "\\stackrel{a}{=}",
            "{\\over}",
            "= ",
            "# ",
        ),
        *(
            "a=b\n",
            "= p\n",
            "- x\n",
            "**a**\n",
            "\\cancel",
            "$a=b$ ",
            "x=1 (a (b ",
            "a   b ",
            "\x00",
            "\ud83d\ude00",
            "%",
        ),
    ],
)
def test_hostile_text_is_read_without_a_crash(part, kind):
    for text in (fill(part), f"$${fill(part)}$$", f"$${fill(part, 3000)}$$\n" * 6):
        assert all(s.sides or s.skipped or s.code for s in statements_of(text, kind))


def test_a_display_that_is_too_long_is_not_read():
    assert read("$$a = " + "b + " * 10_000 + "c$$") == ["[it has more than 20,000 characters]"]


def test_a_command_that_is_defined_by_itself_ends():
    text = r"$$\newcommand{\a}{\a\a\a} \a = b$$"
    [statement] = statements_of(text)
    assert len(statement.sides[0]) < 100_000


def test_every_statement_has_the_line_of_its_source():
    for name in "ABC":
        text = (WRITE_UPS / f"{name}.md").read_text(encoding="utf-8").splitlines()
        for statement in statements_of("\n".join(text)):
            first = statement.source.split()[0]
            assert first in text[statement.line - 1]


# scopes


@pytest.mark.parametrize(
    ("text", "seen"),
    [
        ("$L = a$ and $x = b$. Then $L = c$.", [3]),
        ("# One\n$L = a$, $x = b$\n# Two\n$L = c$\n\n$\\frac{dL}{dx} = d$", [2, 3]),
        ("$L = a$, $x = b$. Now let $L = c$. So $y = d$.", [2, 3]),
        ("# One\n$L = a$\n# Two\n$L = a$", [2]),
        ("# One\n$w = w - a$\n# Two\n$w = w - b$", [2]),
        ("# One\n$\\frac{dL}{dx} = a$\n# Two\n$\\frac{dL}{dx} = b$", [2]),
    ],
)
def test_a_section_that_defines_a_name_anew_has_its_own_definitions(text, seen):
    assert [len(visible) for visible, _ in scopes_of(statements_of(text))] == seen
