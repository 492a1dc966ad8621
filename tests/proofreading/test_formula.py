"""The formulas of a derivation: how they are read, and that they are written as their author wrote them."""

import random
import re
from fractions import Fraction
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from glassmax.errors import ExpressionError
from glassmax.proofreading.formula.conventions import conventions_of
from glassmax.proofreading.formula.operators import operators_of, with_derivatives
from glassmax.proofreading.formula.parse import parse, parse_condition
from glassmax.proofreading.formula.tree import (
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
from glassmax.proofreading.formula.walk import (
    children,
    depth,
    free_letters,
    map_children,
    names_in,
    nodes_in,
    rename_index,
    widened,
)
from glassmax.proofreading.formula.write import write

CORPUS = [
    tuple(part.strip() for part in line.split("  ⟶  "))
    for line in (Path(__file__).parent / "formulas.txt").read_text(encoding="utf-8").splitlines()
    if "  ⟶  " in line
]


def squeezed(text):
    """Return a formula without what doesn't show on the page."""
    text = re.sub(r"\\(?:left|right)(?![a-z])|\\[,;!]|\s+", "", text.replace("\\dfrac", "\\frac"))
    text = re.sub(r"\\neq(?![a-z])", r"\\ne", text)
    return re.sub(r"([_^])\{(\w|\\[a-z]+)\}", r"\1\2", text)


@pytest.mark.parametrize(("typed", "plain"), CORPUS)
def test_a_formula_of_the_corpus_is_read_as_pinned(typed, plain):
    assert write(parse(typed)) == plain


@pytest.mark.parametrize("latex", [False, True])
@pytest.mark.parametrize("typed", [typed for typed, _ in CORPUS])
def test_a_written_formula_reads_as_the_same_tree(typed, latex):
    tree = parse(typed)
    assert parse(write(tree, latex), latex=latex) == tree


@pytest.mark.parametrize(
    "typed",
    [
        r"p_i (\delta_{ij} - p_j)",
        r"-\sum_k y_k \log p_k",
        r"-\sum_k y_k * \frac{1}{p_k} * \frac{\partial p_k}{\partial z_i}",
        r"-y_i + p_i \left(y_i + \sum_{k \ne i} y_k\right)",
        r"\frac{1}{2n} \sum_x \|y(x) - a^L(x)\|^2",
        r"((w^{l+1})^T \delta^{l+1}) \odot \sigma'(z^l)",
        r"\mathbf{x}^\top (\mathbf{X} \mathbf{w} - \mathbf{y})",
        r"W^{[l]} A^{[l-1]} + b^{[l]}",
        r"\frac{1}{m} dZ^{[2]} A^{[1]T}",
        r"\left(\Theta^{(3)}\right)^T \delta^{(4)}".replace(r"\left", "").replace(r"\right", ""),
        r"x_j^{(i)}",
        r"\frac{d}{dx} (f(g(x)))",
        r"f'(g(x)) g'(x)",
        r"\sum_{k=1}^3 \frac{\partial L_i}{\partial S[i,k]} \times \frac{dS[i,k]}{dW_2[m,n]}",
        r"\operatorname{softmax}(z)_i",
        r"\hat{y}_i - y_i",
        r"\nabla_W L",
        r"\mathbb{1}\{i = j\}",
        r"e^{-x}",
        r"\left[- y_i (1 - p_i)\right] + \left[-\sum_{k \ne i} y_k * (0 - p_i)\right]",
        r"y1 y2",
        r"W_{1,2}",
        r"\frac{\partial E_{total}}{\partial w_5}",
        r"p_k^2",
        r"\tanh(z)^2",
        r"\begin{bmatrix} y1 (1 - y1) & -y1 y2 \\ -y1 y2 & y2 (1 - y2) \end{bmatrix}",
    ],
)
def test_latex_is_written_as_its_author_wrote_it(typed):
    assert squeezed(write(parse(typed), latex=True)) == squeezed(typed)


@pytest.mark.parametrize(
    "typed",
    [
        "∂L/∂z_i",
        "p_i (δ_ij - p_j)",
        "-y_i + p_i Σ_k y_k",
        "(p - y) aᵀ",
        "W^{l-1}",
        "O_2[i, y_i]",
        "dL_i/dW_2[m, n]",
        "1/(1 + e^{-z})",
        "Wᵀ δ ⊙ σ'(z)",
        "½ ‖y - ŷ‖²",
        "X.T @ dZ/n",
        "[i = j]",
        "a^(l)",
    ],
)
def test_plain_text_is_written_as_its_author_wrote_it(typed):
    assert write(parse(typed)) == typed


def name(base, *below, above=(), primes=0):
    """Return a name with letters or numbers below."""
    nodes = tuple(Number(Fraction(index)) if isinstance(index, int) else Name(index) for index in below)
    return Name(base, nodes, above, primes)


DP = Derivative(name("p", "i"), (name("z", "j"),))


@pytest.mark.parametrize(
    ("typed", "tree"),
    [
        (r"\frac{\partial p_i}{\partial z_j}", DP),
        ("∂p_i/∂z_j", DP),
        ("dp_i/dz_j", DP),
        (r"\partial_{z_j} p_i", DP),
        (r"{\partial p_i \over \partial z_j}", DP),
        ("e^x", Call(Name("exp"), (Name("x"),))),
        ("exp(x)", Call(Name("exp"), (Name("x"),))),
        ("e^2", Power(Name("e"), Number(Fraction(2)))),
        ("w^{(2 - 1)}", Power(Name("w"), Add((Number(Fraction(2)), Negative(Number(Fraction(1))))))),
        ("(f ∘ g)(x)", Call(Name("f"), (Call(Name("g"), (Name("x"),)),))),
        (r"(f \circ g)'(x)", Derivative(Call(Name("f"), (Call(Name("g"), (Name("x"),)),)), (Name("x"),))),
        ("(a ∘ b) c", Product((Product((Name("a"), Name("b")), ("odot",)), Name("c")), ("",))),
        ("∇L", Derivative(Name("L"), ())),
        ("∇²L", Derivative(Name("L"), (Name("?"), Name("?")))),
        ("out_o", Name("out_o")),
        ("dE/dout_o", Derivative(Name("E"), (Name("out_o"),))),
        ("∇∇E(w)", Derivative(Call(Name("E"), (Name("w"),)), (Name("w"), Name("w")))),
        ("e^T e", Product((Transpose(Name("e")), Name("e")), ("",))),
        ("x^2", Power(Name("x"), Number(Fraction(2)))),
        ("x^{(2)}", Name("x", above=(Number(Fraction(2)),))),
        ("x^{[2]}", Name("x", above=(Number(Fraction(2)),))),
        ("W^{-1}", Power(Name("W"), Negative(Number(Fraction(1))))),
        ("x^n", Power(Name("x"), Name("n"))),
        ("x^l", Name("x", above=(Name("l"),))),
        ("W_2[m,n]", Name("W_2", (Name("m"), Name("n")))),
        ("W_2", name("W", 2)),
        ("W2", name("W", 2)),
        ("2 W", Product((Number(Fraction(2)), Name("W")), ("",))),
        ("y1y2", Product((name("y", 1), name("y", 2)), ("",))),
        ("L_CE", Name("L_CE")),
        (r"L_{\text{CE}}", Name("L_CE")),
        ("out_{o1}", Name("out_o1")),
        ("w_{11}", name("w", 11)),
        ("w_{1,1}", name("w", 1, 1)),
        ("p_{y_i}", Name("p", (name("y", "i"),))),
        ("x_{i+1}", Name("x", (Add((Name("i"), Number(Fraction(1)))),))),
        ("f(x)", Call(Name("f"), (Name("x"),))),
        ("p(1 - p)", Product((Name("p"), Add((Number(Fraction(1)), Negative(Name("p"))))), ("",))),
        ("σ(1 - σ)", Product((Name("sigma"), Add((Number(Fraction(1)), Negative(Name("sigma"))))), ("",))),
        ("L(y, p)", Call(Name("L"), (Name("y"), Name("p")))),
        ("J(θ)", Call(Name("J"), (Name("theta"),))),
        ("σ'(z)", Call(Name("sigma", primes=1), (Name("z"),))),
        ("X'(y - z)", Product((Name("X", primes=1), Add((Name("y"), Negative(Name("z"))))), ("",))),
        (r"softmax(z)_i", Entry(Call(Name("softmax"), (Name("z"),)), (Name("i"),))),
        (r"softmax_i(z)", Call(name("softmax", "i"), (Name("z"),))),
        (r"W^T_{ij}", Entry(Transpose(Name("W")), (Name("i"), Name("j")))),
        (r"\|x\|_1", Norm(Name("x"), "1")),
        ("1/N Σ_i L_i", Product((Quotient(Number(Fraction(1)), Name("N")), Summation(("i",), name("L", "i"))), ("",))),
        ("Σ y", Summation((), Name("y"))),
        ("1/2m", Quotient(Number(Fraction(1)), Product((Number(Fraction(2)), Name("m")), ("",)))),
        ("a/b/c", Quotient(Quotient(Name("a"), Name("b")), Name("c"))),
        ("a - -b", Add((Name("a"), Negative(Negative(Name("b")))))),
        (r"\begin{pmatrix} a \\ b \end{pmatrix}", Matrix(((Name("a"),), (Name("b"),)))),
        ("[[a, b], [c, d]]", Matrix(((Name("a"), Name("b")), (Name("c"), Name("d"))))),
        ("(z_1, z_2)^T", Transpose(Matrix(((name("z", 1), name("z", 2)),)))),
        ("[k = y_i]", Indicator(Condition(Name("k"), "=", name("y", "i")))),
        (r"\mathbb{1}_{k \ne n}", Indicator(Condition(Name("k"), "!=", Name("n")))),
        (r"\mathbf{1}^T x", Product((Transpose(Name("ones")), Name("x")), ("",))),
        ("dZ", Name("dZ")),
        ("dW_2", name("dW", 2)),
        ("dL_dW2", Name("dL_dW2")),
        ("dL_by_dS", Name("dL_by_dS")),
        ("∂²L/∂w²", Derivative(Name("L"), (Name("w"), Name("w")))),
        ("∂L/∂W^2", Derivative(Name("L"), (Name("W", above=(Number(Fraction(2)),)),))),
        ("d/dx x^2", Derivative(Power(Name("x"), Number(Fraction(2))), (Name("x"),))),
        ("∇f(x)", Derivative(Call(Name("f"), (Name("x"),)), (Name("x"),))),
        ("∂L/∂y ∂y/∂z", Product((Derivative(Name("L"), (Name("y"),)), Derivative(Name("y"), (Name("z"),))), ("",))),
        ("1 if z > 0 else 0", Cases(((Number(Fraction(1)), Condition(Name("z"), ">", Number(Fraction(0)))),
                                     (Number(Fraction(0)), None)))),
    ],
)  # fmt: skip
def test_a_formula_has_the_tree_that_its_author_means(typed, tree):
    assert parse(typed) == tree


def test_numbers_above_are_layers_where_the_document_says_so():
    assert parse("W^2 a", layers={"W"}) == Product((Name("W", above=(Number(Fraction(2)),)), Name("a")), ("",))
    assert parse("W^2 a") == Product((Power(Name("W"), Number(Fraction(2))), Name("a")), ("",))


def test_a_name_is_a_function_where_the_document_says_so():
    assert isinstance(parse("q(1 - x)", functions={"q"}), Call)
    assert isinstance(parse("q(1 - x)"), Product)
    assert isinstance(parse("q(1 - q)", functions={"q"}), Product), "q stands for q(x)"
    assert isinstance(parse("q(1 - q(x))", functions={"q"}), Call)


def test_an_unbraced_script_is_one_sign_long_in_latex():
    assert parse("x_12", latex=True) == Product((name("x", 1), Number(Fraction(2))), ("",))
    assert parse("x_12", latex=False) == name("x", 12)
    assert parse("w_ij", latex=True) == name("w", "i", "j"), "nobody multiplies by the letter of an index"
    assert parse("y_ip_i") == parse("y_i p_i")


@pytest.mark.parametrize(
    ("typed", "left", "relation", "right"),
    [
        ("k = y_i", Name("k"), "=", name("y", "i")),
        ("If $k = y_i$,", Name("k"), "=", name("y", "i")),
        (r"\text{if k $\ne$ y_i}", Name("k"), "!=", name("y", "i")),
        ("for i ≠ j", Name("i"), "!=", Name("j")),
        ("when i is not equal to j", Name("i"), "!=", Name("j")),
        ("for all z > 0", Name("z"), ">", Number(Fraction(0))),
        ("i == j", Name("i"), "=", Name("j")),
        ("for the case that i equals j:", Name("i"), "=", Name("j")),
    ],
)
def test_a_condition_is_read_through_the_words_around_it(typed, left, relation, right):
    assert parse_condition(typed) == Condition(left, relation, right)


def test_conditions_are_joined():
    both = parse_condition("i = j and k ≠ n")
    assert both.also == Condition(Name("k"), "!=", Name("n"))
    assert parse_condition("i = j = k").also == Condition(Name("j"), "=", Name("k"))


@pytest.mark.parametrize(
    ("typed", "says", "place"),
    [
        ("", "expected a formula, got nothing", 0),
        ("p_i (y_i", "'(' is never closed", 4),
        ("p_i)", "')' closes nothing", 3),
        ("(a]", "expected ')', got ']'", 2),
        ("a = b", "expected one side of an equation, got '='", 2),
        ("a +", "expected a number, a name or a bracket, got the end", 3),
        (r"\mathbb{E}[x]", "\\mathbb{E} is an expectation, which can't be read here", 0),
        (r"a \int f", "\\int is an integral, which can't be read here", 2),
        (r"x_1 + \dots + x_n", "three dots leave out what can't be read here: write a sum", 6),
        (r"\foo{x}", "the command \\foo can't be read", 0),
        ("∂L", "expected a derivative such as ∂L/∂z_i", 0),
        (
            r"\frac{\partial L}{\partial z \partial y}",
            "expected as many variables as the order of the derivative, 1, got 2",
            6,
        ),
        ("∇(a + b)", "expected the variable of ∇, as in ∇_W L", 0),
        ("Σ_k", "expected what is summed, got the end", 0),
        ("(f ∘ g)'", "a composition of functions without its argument can't be read here", 0),
        ("a ♥ b", "the sign '♥' can't be read", 2),
        (r"f(y | x)", "'|' inside the brackets of a function can't be read here", 4),
        (r"\sum_{i<j} x_{ij}", "a sum over an inequality can't be read here", 6),
        ("x^", "expected something after '^'", 1),
        (r"\frac{a}", "expected", 8),
        ("a^{l}^{", "'{' is never closed", 6),
        (r"\begin{cases} a", "an environment is never ended", 15),
        ("1" * 40, "expected a number of at most 30 digits, got a longer one", 0),
    ],
)
def test_what_cannot_be_read_is_one_sentence_with_a_place(typed, says, place):
    with pytest.raises(ExpressionError) as caught:
        parse(typed)
    assert caught.value.message.startswith(says)
    assert "\n" not in caught.value.message
    assert caught.value.position == place


@pytest.mark.parametrize(
    "typed",
    [
        "(" * 5000,
        "(" * 5000 + "x" + ")" * 5000,
        "-" * 9000 + "x",
        "x^{" * 200 + "x" + "}" * 200,
        "x_{" * 200 + "i" + "}" * 200,
        r"\frac{" * 300,
        r"\frac{a}{" * 300 + "b" + "}" * 300,
        "a/" * 4000 + "b",
        "d" * 9000,
        "d " * 4000,
        "∂" * 4000,
        "d(" * 1000 + "x" + ")" * 1000,
        "|" * 4000,
        "|a" * 3000,
        "x'" * 3000,
        "x^T" * 3000,
        "log " * 2000 + "x",
        "Σ_k " * 2000 + "x",
        r"\hat{" * 500,
        r"\mathbf{" * 800 + "x" + "}" * 800,
        "[" * 300 + "i" + "]" * 300,
        "x[" * 300 + "i" + "]" * 300,
        "{" * 9000,
        "}" * 9000,
        "\\" * 9000,
        "x_" * 4000,
        "x" * 10_001,
        "\x00",
        "１＋２",
        "a" + "\u0302" * 5000,
        r"\begin{cases}" * 600,
        "1{" * 3000,
        "1/2" * 3000,
    ],
)
def test_hostile_input_is_refused_or_read_and_never_breaks(typed):
    try:
        tree = parse(typed)
    except ExpressionError as error:
        assert "\n" not in error.message  # noqa: PT017
    else:
        assert depth(tree) < 200
        assert parse(write(tree)) == tree


PIECES = [*"abdeijklxyzLW01() []{}_^+-*/=.,'|\\∂Σ∇δσᵀ²ᵢ√", "\\frac", "\\sum", "log ", "\\hat", "d/dx", "∂L/∂"]


@settings(max_examples=300, deadline=None)
@given(st.lists(st.sampled_from(PIECES), max_size=30))
def test_any_text_is_read_or_refused(pieces):
    typed = "".join(pieces)
    try:
        tree = parse(typed)
    except ExpressionError:
        return
    assert parse(write(tree)) == tree
    assert parse(write(tree, latex=True), latex=True) == tree


LETTERS = st.sampled_from("ijkmn")
NAMES = st.builds(
    lambda base, below, layer: Name(base, tuple(map(Name, below)), (Name("l"),) if layer else ()),
    st.sampled_from(["p", "y", "z", "W", "delta", "a", "L", "y_hat"]),
    st.lists(LETTERS, max_size=2),
    st.booleans(),
)
NUMBERS = st.builds(Number, st.sampled_from([Fraction(1), Fraction(2), Fraction(1, 2), Fraction(10)]))


def larger(parts):
    """Return trees that are made of smaller ones."""
    pair = st.tuples(parts, parts)
    signs = st.sampled_from(["", "*", "cdot", "times", "odot", "@", "outer", "."])
    condition = st.builds(Condition, st.builds(Name, LETTERS), st.sampled_from(["=", "!=", "<"]), NAMES)
    return st.one_of(
        st.builds(Add, pair),
        st.builds(Negative, parts),
        st.builds(lambda both, sign: Product(both, (sign,)), pair, signs),
        st.builds(Quotient, parts, parts, st.booleans()),
        st.builds(Power, parts, NUMBERS),
        st.builds(lambda letter, body, low: Summation((letter,), body, low), LETTERS, parts, st.none() | NUMBERS),
        st.builds(
            lambda function, argument, style: Call(Name(function), (argument,), style),
            st.sampled_from(["exp", "log", "sigma", "f", "softmax"]),
            parts,
            st.sampled_from(["", "(", "["]),
        ),
        st.builds(lambda of, by, before: Derivative(of, (by,), before=before), parts, NAMES, st.booleans()),
        st.builds(Transpose, parts),
        st.builds(Norm, parts),
        st.builds(lambda of, letter: Entry(of, (Name(letter),)), parts, LETTERS),
        st.builds(lambda case, one, two: Cases(((one, case), (two, None))), condition, parts, parts),
        st.builds(Indicator, condition),
        st.builds(lambda both: Matrix((both, both)), pair),
    )


@settings(max_examples=150, deadline=None)
@given(st.recursive(NAMES | NUMBERS, larger, max_leaves=8))
def test_a_tree_that_was_made_is_read_again(tree):
    assert parse(write(tree)) == tree
    assert parse(write(tree, latex=True), latex=True) == tree


def test_names_without_a_spelling_are_spelled_as_the_author_did():
    author = parse(r"\mathbf{W}^\top \mathbf{x}")
    assert write(Transpose(Name("x")), latex=True, like=[author]) == r"\mathbf{x}^\top"
    assert write(Transpose(Name("x")), latex=True) == "x^T"
    assert write(Name("delta", (Name("i"),)), latex=True) == r"\delta_i"
    assert write(Name("y_hat")) == "ŷ"


def test_walking_through_a_formula():
    tree = parse("p_i sum_k y_k [k = n]")
    assert names_in(tree) == {"p", "y", "i", "k", "n"}
    assert free_letters(tree) == {"i", "n"}
    assert free_letters(parse("a^l_j x^{(i)}")) == {"i", "j"}
    assert free_letters(parse("k p_i")) == {"i"}
    assert depth(parse("a")) == 1
    assert [type(node).__name__ for node in children(parse("a/b"))] == ["Name", "Name"]
    assert sum(isinstance(node, Summation) for node in nodes_in(tree)) == 1
    assert map_children(parse("-a"), lambda part: Name("b")) == parse("-b")


@pytest.mark.parametrize(
    ("before", "letters", "after"),
    [
        ("p_i (δ_ij - p_j)", {"i": "j", "j": "i"}, "p_j (δ_ji - p_i)"),
        ("p_i Σ_i y_i", {"i": "k"}, "p_k Σ_i y_i"),
        ("Σ_k y_k p_i", {"i": "k"}, "Σ_m y_m p_k"),
        ("Σ_{k≠i} y_k", {"i": "n"}, "Σ_{k≠n} y_k"),
        ("∂p_k/∂z_i", {"k": "j"}, "∂p_j/∂z_i"),
        ("[i = j] i", {"i": "n"}, "[n = j] i"),
        ("softmax(z)_i", {"i": "j"}, "softmax(z)_j"),
        ("p_{y_i}", {"i": "n"}, "p_{y_n}"),
        ("x^(i)", {"i": "n"}, "x^(n)"),
    ],
)
def test_an_index_is_renamed_where_no_sum_binds_it(before, letters, after):
    assert write(rename_index(parse(before), letters)) == write(parse(after))


def test_a_sum_can_take_in_the_terms_after_it():
    assert widened(parse("-1/n Σ_i a_i + b_i")) == parse("-1/n Σ_i (a_i + b_i)")
    assert widened(parse("c + Σ_i a_i - b_i")) == parse("c + Σ_i (a_i - b_i)")
    assert widened(parse("Σ_i Σ_k y_ik log p_ik + (1 - y_ik) log q_ik + c")) == parse(
        "Σ_i Σ_k (y_ik log p_ik + (1 - y_ik) log q_ik) + c"
    )
    for closed in ("(Σ_i a_i) + b_i", "Σ_i a_i + b", "Σ_i a_i + Σ_i b_i"):
        assert widened(parse(closed)) == parse(closed)
    assert widened(parse("Σ_i a_i + b_i"), {"i"}) == parse("Σ_i a_i + b_i"), "the left side has the index i too"


def test_a_letter_can_be_the_sign_of_a_derivative():
    operators = operators_of([[parse("D_j S_i"), parse("∂S_i/∂a_j"), parse("S_i")]])
    assert operators == {"D": parse("a_j")}
    assert with_derivatives(parse("c D_i S_i + D_j S_k"), operators) == parse("c ∂S_i/∂a_i + ∂S_k/∂a_j")
    assert with_derivatives(parse("D * S_i"), operators) == parse("D * S_i")
    assert operators_of([[parse("D_j S_i"), parse("S_i - S_j")]]) == {}


def test_the_document_says_what_its_signs_mean():
    def meant(*chains):
        return conventions_of([[parse(side) for side in chain.split(" = ")] for chain in chains])

    assert meant("J(w) = ‖X w‖²")(parse("∇J")) == parse("∇_w J")
    assert write(meant("J(w) = ‖X w‖²")(parse("∇²J"))) == "∇² J"
    assert meant("E = a")(parse("∇J")) == parse("∇J")
    assert meant("dW = X^t dZ")(parse("X^t dZ")) == parse("X^T dZ")
    assert write(meant("dW = X^t dZ")(parse("X^t")), latex=True) == "X^t"
    assert meant("W^{t+1} = W^t - g")(parse("W^t")) == parse("W^t"), "t is a step here"
    assert meant("h_t = W^t x_t")(parse("W^t")) == parse("W^t"), "t is an index here"
    softmax = meant("s(z_j) = e^{z_j} / Σ_k e^{z_k}")
    assert softmax(parse("s(z_i) - y_i")) == parse("s_i - y_i")
    assert write(softmax(parse("s(z_i) - y_i"))) == "s(z_i) - y_i"
    assert meant("s(z_j) = 1 / (1 + e^{-z_j})")(parse("s(z_i)")) == parse("s(z_i)"), "an entry depends on itself alone"
    assert meant("σ(z)_i = e^{z_i}")(parse("σ(z)_i (1 - σ(z)_j)")) == parse("σ_i (1 - σ_j)")


def test_reading_is_quick_whatever_the_formula():
    words = [typed for typed, _ in CORPUS]
    chosen = random.Random(1).sample(words, 60)
    long = " + ".join(f"({one})" for one in chosen if "=" not in one and "otherwise" not in one)
    tree = parse(long)
    assert isinstance(tree, Add)
    assert parse(write(tree, latex=True), latex=True) == tree


@pytest.mark.parametrize(
    ("typed", "meant"),
    [
        (r"\frac1n", "1/n"),
        (r"\frac n2 x", "n/2 x"),
        (r"\frac n2\log x", "n/2 log x"),
        (r"w_{kl}", "w_{k,l}"),
        (r"\sum_k y_k(p_i)", "sum_k y_k p_i"),
        (r"\frac{\partial}{\partial a} -[y a + 1]", "-d/da (y a + 1)"),
        (r"\mathrm{Tr}(X A)", "tr(X A)"),
    ],
)
def test_habits_of_latex(typed, meant):
    assert parse(typed) == parse(meant)


def test_a_derivative_of_brackets_side_by_side_is_not_guessed():
    with pytest.raises(ExpressionError, match="expected brackets around all that is differentiated"):
        parse(r"\frac{d}{dx}(x + 1)(x + 2)")
