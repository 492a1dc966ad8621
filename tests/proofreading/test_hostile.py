"""Malformed, endless and hostile text: each is answered in words, and nothing is called wrong that was not compared."""

import pytest

from glassmax import check_derivation
from glassmax.errors import ExpressionError

ENDLESS = {
    "dollars": "$" * 100_000,
    "backslashes": "\\" * 100_000,
    "environments": "\\begin{align}" * 5_000,
    "signs": "𝟙∂∑" * 30_000,
    "steps": "$$ x " + "= x " * 20_000 + "$$",
    "fractions": "$$ L = " + "\\frac{1}{" * 2_000 + "x" + "}" * 2_000 + " $$",
    "brackets": "$$ L = " + "(" * 2_000 + "x" + ")" * 2_000 + " $$",
    "terms": "$$ L = " + " + ".join(f"x_{i}" for i in range(10_000)) + " $$",
    "sums": "L = " + "sum_i sum_j sum_k sum_l sum_m " * 3 + "x_i y_j z_k w_l v_m\ndL/dx_i = 1",
    "powers": "L = 9^9^9^9^9^9\ndL/dx = 1",
    "entries": "$$ A = \\begin{bmatrix}"
    + " \\\\ ".join(" & ".join(f"a_{{{i}{j}}}" for j in range(1, 9)) for i in range(1, 9))
    + "\\end{bmatrix} $$\n$$ \\frac{dL}{dA} = A $$",
    "names": "L = " + " + ".join("abcfghkmnopqrstuvwxyz") + "\ndL/da = 1",
    "circle": "x = y + 1\ny = x + 1\ndx/dy = 1",
    "itself": "x = x + 1\nf(x) = f(x) + 1\ndf/dx = 0",
    "control": "dL/dx = \x00\x1b[31m",
    "turned": "\u202e L = x^2\ndL/dx = 2x",
    "pictures": "😀 = 2 😃\nd😀/d😃 = 2",
}


NO_FORMULA = {"dollars", "backslashes", "environments", "signs"}


@pytest.mark.parametrize("text", [ENDLESS[name] for name in ENDLESS if name not in NO_FORMULA])
def test_endless_text_is_answered(text):
    checked = check_derivation(text)
    assert str(checked)
    assert checked._repr_html_()
    assert all(line.says for line in checked.lines if line.verdict == "not read")


@pytest.mark.parametrize("name", sorted(NO_FORMULA))
def test_endless_text_without_a_formula_is_one_sentence(name):
    with pytest.raises(
        ExpressionError, match=r"^The text has no formula that could be read as (Markdown|plain text)\."
    ):
        check_derivation(ENDLESS[name])


@pytest.mark.parametrize(
    "text",
    [
        "L = 10^400 x\ndL/dx = 10^400",
        "$$ L = \\mathbb{E}_x[\\log q(x)] $$\n$$ \\frac{dL}{dx} = 1 $$",
        "$$ L = \\int_0^1 x^2 dx $$\n$$ \\frac{dL}{dx} = 2 x $$",
        "p = softmax(z)\ndL/dz = p - y",
        "y = f(x)\ndL/dx = 2 x",
        "z = W x\ndL/dW = z x^T",
    ],
    ids=["infinite", "expectation", "integral", "no loss", "no loss by a function", "no loss by a matrix"],
)
def test_a_claim_about_what_the_text_does_not_define_is_not_called_wrong(text):
    assert "wrong" not in {line.verdict for line in check_derivation(text).lines}


def test_a_chain_rule_is_judged_for_a_loss_that_is_not_defined():
    right, wrong = check_derivation("z = W x\ndL/dx = W^T dL/dz\ndL/dx = W dL/dz\n").lines[1:]
    assert right.verdict == "follows"
    assert wrong.verdict in ("wrong", "not read")


def test_a_line_that_follows_from_one_about_something_undefined_follows():
    lines = check_derivation("p = softmax(z)\ndL/dz = p - p p\n= p - p^2\n").lines
    assert [line.verdict for line in lines[1:]] == ["not read", "follows"]
