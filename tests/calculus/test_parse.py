"""What people type, and what is understood: index notation, matrix notation, and input that is neither."""

import contextlib
import pickle
from collections.abc import Callable
from fractions import Fraction

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from glassmax.calculus.expression import (
    Add,
    Call,
    Definition,
    Delta,
    Expr,
    Index,
    Label,
    Mul,
    Num,
    Pow,
    Program,
    Sum,
    Tensor,
)
from glassmax.calculus.indices import free_indices
from glassmax.calculus.reading.parse import parse, parse_equation_pair, parse_expression, parse_index_reference
from glassmax.calculus.reading.parse_matrix import parse_matrix
from glassmax.errors import ExpressionError, GlassmaxError


def show_index(index: Index) -> str:
    return index if isinstance(index, str) else f"{index.name}[{','.join(index.indices)}]"


def show(e: Expr) -> str:
    """Every bracket that is understood: sums as sum_k[...], products and sums of terms in round ones."""
    match e:
        case Num(value):
            return str(value)
        case Tensor(name, indices):
            return name + ("_" + ",".join(map(show_index, indices)) if indices else "")
        case Delta(i, j):
            return f"delta_{show_index(i)},{show_index(j)}"
        case Add(terms):
            return "(" + " + ".join(map(show, terms)) + ")"
        case Mul(factors):
            return "(" + " ".join(map(show, factors)) + ")"
        case Pow(base, exponent):
            return f"{show(base)}^{show(exponent)}"
        case Sum(indices, body):
            return f"sum_{','.join(indices)}[{show(body)}]"
        case Call(function, argument, order):
            return f"{function}{chr(39) * order}({show(argument)})"


def show_program(program: Program) -> str:
    return "; ".join(f"{show(Tensor(d.name, d.indices))} = {show(d.value)}" for d in program.definitions)


def fault_of(read: Callable[[str], object], text: str) -> str:
    """The message that `text` gets, none if it is read; any other exception comes through."""
    try:
        read(text)
    except ExpressionError as error:
        return str(error)
    return ""


EXPRESSIONS = {
    # operators
    "2": "2",
    "0.5": "1/2",
    "1e-3": "1/1000",
    ".25 x": "(1/4 x)",
    "½ x": "(1/2 x)",
    "a + b - c": "(a + b + (-1 c))",
    "-a + b": "((-1 a) + b)",
    "+a": "a",
    "a - -b": "(a + b)",
    "a − b": "(a + (-1 b))",
    "2 x_i y_i": "(2 x_i y_i)",
    "a * b · c × d ⊙ e1": "(a b c d e1)",
    "a / b / c": "(a b^-1 c^-1)",
    "a / b c": "(a b^-1 c)",
    "1/2 (p_i - y_i)^2": "(1/2 (p_i + (-1 y_i))^2)",
    "1/N sum_i L_i": "(N^-1 sum_i[L_i])",
    "-1/N sum_i L_i": "(-1 N^-1 sum_i[L_i])",
    "a * -b": "(a -1 b)",
    "-x^2": "(-1 x^2)",
    "x**2 + x² + x³": "(x^2 + x^2 + x^3)",
    "x^{-1} x**-1 x⁻¹": "(x^-1 x^-1 x^-1)",
    "2^x^y": "2^x^y",
    "x_i^2": "x_i^2",
    "x^2_i": "x_i^2",
    "(a + b) (c + d)": "((a + b) (c + d))",
    "[a + b] {c + d}": "((a + b) (c + d))",
    "|x_i - y_i| |z_i|": "(abs((x_i + (-1 y_i))) abs(z_i))",
    # names and indices
    "Z_ij": "Z_i,j",
    "Z_{ij} + Z_{i,j} + Z_{i j}": "(Z_i,j + Z_i,j + Z_i,j)",
    "x_i1j2": "x_i1,j2",
    "W2[m,n]": "W2_m,n",
    "W2[m][n]": "W2_m,n",
    "W'_ki W''_k": "(W'_k,i W''_k)",
    "dZ_ij": "dZ_i,j",
    "P[i, y_i]": "P_i,y[i]",
    "P[i, y[i]]": "P_i,y[i]",
    "P[i][label[i]]": "P_i,label[i]",
    "P_{i y_i}": "P_i,y[i]",
    "P_{i,y_i}": "P_i,y[i]",
    "delta_ij + δ_ij + delta[i,j]": "(delta_i,j + delta_i,j + delta_i,j)",
    "delta_{i,y_i}": "delta_i,y[i]",
    "delta_i": "delta_i",
    "α β_i + \\lambda": "((alpha beta_i) + lambda)",
    "x_α": "x_alpha",
    "zᵢⱼ + W₁ᵢⱼ": "(z_i,j + W1_i,j)",
    "ŷ_k \\hat{y}_k": "(yhat_k yhat_k)",
    "W^{(2)}_{ij} + a^{[1]}_i": "(W2_i,j + a1_i)",
    "\\mathbf{W}_{ij}": "W_i,j",
    # sums
    "sum_k a_k b_k + c": "(sum_k[(a_k b_k)] + c)",
    "x_i sum_k a_k b_k": "(x_i sum_k[(a_k b_k)])",
    "a / sum_k b_k c_k": "(a sum_k[(b_k c_k)]^-1)",
    "sum_k (a_k + b_k)": "sum_k[(a_k + b_k)]",
    "sum_k -y_k log(p_k)": "sum_k[(-1 y_k log(p_k))]",
    "-sum_k y_k log(p_k)": "(-1 sum_k[(y_k log(p_k))])",
    "sum_k x_k^2": "sum_k[x_k^2]",
    "sum_ij A_ij + sum_{i,j} A_ij": "(sum_i,j[A_i,j] + sum_i,j[A_i,j])",
    "sum_i sum_j A_ij": "sum_i[sum_j[A_i,j]]",
    "Σ_k a_k + ∑_k a_k + \\sum_k a_k": "(sum_k[a_k] + sum_k[a_k] + sum_k[a_k])",
    "\\sum_{k=1}^{K} a_k": "sum_k[a_k]",
    "\\sum^K_{k=1} a_k": "sum_k[a_k]",
    "sum_{i=1,j=1}^N A_ij": "sum_i,j[A_i,j]",
    "sum_{k}^{K} a_k": "sum_k[a_k]",
    "sum_(k=1)^K a_k": "sum_k[a_k]",
    "Σₖ aₖ": "sum_k[a_k]",
    "sum_i sum_i x_i": "sum_i[sum_j[x_j]]",
    "exp(z_i) / sum_i exp(z_i)": "(exp(z_i) sum_j[exp(z_j)]^-1)",
    # functions
    "exp(z)^2": "exp(z)^2",
    "ln(x) + log(x)": "(log(x) + log(x))",
    "log p_k": "log(p_k)",
    "log sum_k exp(z_k)": "log(sum_k[exp(z_k)])",
    "w_k log P[i, y_i]": "(w_k log(P_i,y[i]))",
    "log (x) y": "(log(x) y)",
    "tanh^2(x)": "tanh(x)^2",
    "sqrt(a) √a \\sqrt{a}": "(a^1/2 a^1/2 a^1/2)",
    "max(a, b)": "(b + relu((a + (-1 b))))",
    "max(0, x) + max(x, 0)": "(relu(x) + relu(x))",
    "f(z_i)": "f(z_i)",
    "f'(z_i) + f''(z_i)": "(f'(z_i) + f''(z_i))",
    "sigmoid'(z)": "sigmoid'(z)",
    "σ_i z_i": "(sigma_i z_i)",
    "N (a + b)": "(N (a + b))",
    "x_i(a + b)": "(x_i (a + b))",
    "e^{z_i} + e^z_i + e^-x": "(exp(z_i) + exp(z_i) + exp((-1 x)))",
    "2 e": "(2 e)",
    "logsumexp_j(Z_ij)": "log(sum_j[exp(Z_i,j)])",
    "softmax_j(Z_ij)": "(exp(Z_i,j) sum_k[exp(Z_i,k)]^-1)",
    "log softmax(z_i)": "log((exp(z_i) sum_k[exp(z_k)]^-1))",
    # LaTeX
    "\\frac{a}{b} c": "((a b^-1) c)",
    "-\\frac{1}{N}\\sum_{i}\\sum_{k} y_{ik} \\log\\left(p_{ik}\\right)": "(-1 N^-1 sum_i[sum_k[(y_i,k log(p_i,k))]])",
    "$p_i \\left( \\delta_{ij} - p_j \\right)$": "(p_i (delta_i,j + (-1 p_j)))",
    "a \\cdot b \\odot c \\, d": "(a b c d)",
    "\\mathrm{softmax}_j(z_j)": "(exp(z_j) sum_k[exp(z_k)]^-1)",
}


@pytest.mark.parametrize("text", EXPRESSIONS)
def test_an_expression_is_read_as_it_is_typed(text: str) -> None:
    assert show(parse_expression(text)) == EXPRESSIONS[text]


def test_structure_is_the_tree_of_the_expression_module() -> None:
    p, d = Tensor("p", ("i",)), Delta("i", "j")
    expected = Mul((p, Add((d, Mul((Num(Fraction(-1)), Tensor("p", ("j",))))))))
    assert parse_expression("p_i (delta_ij - p_j)") == expected
    assert parse_expression("P[i, y_i]") == Tensor("P", ("i", Label("y", ("i",))))
    assert parse_expression("f''(z_k)") == Call("f", Tensor("z", ("k",)), 2)


PROGRAMS = {
    "L = -sum_k y_k log(p_k); p_i = exp(z_i) / sum_k exp(z_k)": (
        "p_i = (exp(z_i) sum_k[exp(z_k)]^-1); L = (-1 sum_k[(y_k log(p_k))])"
    ),
    "Z_ij = sum_k X_ik W_kj + b_j": "Z_i,j = (sum_k[(X_i,k W_k,j)] + b_j)",
    "b_i = 2 a_i\n\nL = sum_i b_i\n": "b_i = (2 a_i); L = sum_i[b_i]",
    "L = (a +\n b)": "L = (a + b)",
    "L &= a \\\\ M = 2": "L = a; M = 2",
    "P_ij = softmax_j(Z_ij)": "P_i,j = (exp(Z_i,j) sum_k[exp(Z_i,k)]^-1)",
    "P_ij = softmax_i(Z_ij)": "P_i,j = (exp(Z_i,j) sum_k[exp(Z_k,j)]^-1)",
    "L = sum_k y_k softmax_k(z_k)": "p_k = (exp(z_k) sum_i[exp(z_i)]^-1); L = sum_k[(y_k p_k)]",
    "L = sum_i sum_j Y_ij log_softmax_j(Z_ij)": (
        "P_i,j = (exp(Z_i,j) sum_k[exp(Z_i,k)]^-1); L = sum_i[sum_j[(Y_i,j log(P_i,j))]]"
    ),
    "L = sum_k p_k softmax_k(z_k)": "softmax1_k = (exp(z_k) sum_i[exp(z_i)]^-1); L = sum_k[(p_k softmax1_k)]",
    "L = sum_k a_k softmax_k(z_k) + sum_j b_j softmax_j(z_j)": (
        "p_k = (exp(z_k) sum_i[exp(z_i)]^-1); L = (sum_k[(a_k p_k)] + sum_j[(b_j p_j)])"
    ),
    "L = sum_k a_k softmax_k(z_k); q_j = softmax_j(z_j)": ("q_j = (exp(z_j) sum_k[exp(z_k)]^-1); L = sum_k[(a_k q_k)]"),
    "p_i = exp(z_i) / sum_i exp(z_i)": "p_i = (exp(z_i) sum_j[exp(z_j)]^-1)",
    "L = N(a + b); N = 3": "N = 3; L = (N (a + b))",
    "L = e^x; e = 3": "e = 3; L = e^x",
    "L = sum_k delta_k x_k; delta_k = 2 y_k": "delta_k = (2 y_k); L = sum_k[(delta_k x_k)]",
}


@pytest.mark.parametrize("text", PROGRAMS)
def test_equations_come_in_an_order_in_which_each_uses_only_earlier_ones(text: str) -> None:
    assert show_program(parse(text)) == PROGRAMS[text]


def test_labels_are_collected() -> None:
    assert parse("L = -1/N sum_i log P[i, y_i]").labels == {"y"}
    assert parse("L = sum_i x_i").labels == frozenset()


def test_equations_are_definitions() -> None:
    assert parse("p = 2").definitions == (Definition("p", (), Num(Fraction(2))),)


EINSTEIN = {
    "L = a_i b_i": "L = sum_i[(a_i b_i)]",
    "Z_ij = X_ik W_kj + b_j": "Z_i,j = (sum_k[(X_i,k W_k,j)] + b_j)",
    "L = A_ii": "L = sum_i[A_i,i]",
    "L = -y_k log(p_k)": "L = sum_k[(-1 y_k log(p_k))]",
    "L = exp(a_i b_i) c": "L = (exp(sum_i[(a_i b_i)]) c)",
    "L = (a_i + b_i) c_i": "L = sum_i[((a_i + b_i) c_i)]",
    "L = (a_i b_i)^2 + sum_k x_k x_k x_k": "L = (sum_i[(a_i b_i)]^2 + sum_k[(x_k x_k x_k)])",
    "p_i = a_i b_i c_i": "p_i = (a_i b_i c_i)",
    "P_ij = softmax_j(X_ik W_kj)": ("P_i,j = (exp(sum_k[(X_i,k W_k,j)]) sum_l[exp(sum_k[(X_i,k W_k,l)])]^-1)"),
}


@pytest.mark.parametrize("text", EINSTEIN)
def test_einstein_sums_an_index_that_occurs_twice_and_is_not_on_the_left(text: str) -> None:
    assert show_program(parse(text, einstein=True)) == EINSTEIN[text]


@pytest.mark.parametrize(
    ("text", "left", "right"),
    [
        ("sum_k y_k = 1", "sum_k[y_k]", "1"),
        ("A_ij = A_ji", "A_i,j", "A_j,i"),
        ("sum_j P_ij = 1", "sum_j[P_i,j]", "1"),
        ("1 = sum_j P_ij", "1", "sum_j[P_i,j]"),
    ],
)
def test_an_assumption_is_two_expressions(text: str, left: str, right: str) -> None:
    assert [show(side) for side in parse_equation_pair(text)] == [left, right]


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("z", ("z", ())),
        ("z_i", ("z", ("i",))),
        ("W2[m,n]", ("W2", ("m", "n"))),
        ("W1_jk", ("W1", ("j", "k"))),
        ("W_{ij}", ("W", ("i", "j"))),
        ("P[i, y_i]", ("P", ("i", Label("y", ("i",))))),
    ],
)
def test_a_reference_is_a_name_and_its_indices(text: str, expected: tuple[str, tuple[Index, ...]]) -> None:
    assert parse_index_reference(text) == expected


def test_known_names_are_not_functions() -> None:
    assert show(parse_expression("N(a + b) e^x", known={"N", "e"})) == "(N (a + b) e^x)"
    assert show(parse_expression("N(a + b) e^x")) == "(N((a + b)) exp(x))"


FREE_K = (
    "index k of the right side is not on the left; write sum_k, or use einstein=True; "
    "if k is one fixed index, use fixed='k'"
)
MALFORMED = [
    ("L = sum_ = 3", "expected an index after sum_, got '='", "         ^"),
    ("L = a +", "expected an expression, got the end", "       ^"),
    ("L = ; M = 2", "expected an expression, got the end of the equation", "    ^"),
    ("L = (a + b", "'(' is never closed", "    ^"),
    ("L = a) + b", "')' closes nothing: no bracket is open here", "     ^"),
    ("L = (a]", "expected ')', got ']'", "      ^"),
    ("L = a * / b", "expected an expression, got '/'", "        ^"),
    ("L = x # y", "expected a formula, got the unknown character '#'", "      ^"),
    ("L = sum_k", "expected an expression after sum_k, got the end", "         ^"),
    ("L = sum x_k", "expected an index after sum, as in sum_k, got 'x'", "        ^"),
    ("L = sum_kk A_kk", "expected distinct letters after sum_", "        ^"),
    ("L = log", "expected '(' after log, got the end", "       ^"),
    ("L = max(a)", "expected ',' between the two arguments of max, got ')'", "         ^"),
    ("L", "expected '=' after the left side, got the end", " ^"),
    ("L = a = b", "expected an operator or the end of the equation, got '='", "      ^"),
    ("2 = a", "expected a name on the left side, like L = ... or p_i = ..., got '2'", "^"),
    ("exp = a", "expected a name on the left side, like L = ... or p_i = ..., got 'exp'", "^"),
    ("A_ii = 2", "expected distinct letters as the indices of a left side", "   ^"),
    ("delta_ij = 2", "delta_ij is Kronecker's delta; take another name", "^"),
    ("L = x_1", "expected an index after x_ (a number is part of a name: x1), got '1'", "      ^"),
    ("L = W[row, i]", "expected one letter as an index, got 'row'", "      ^"),
    ("L = W[]", "expected an index, got ']'", "      ^"),
    ("L = delta_ijk", "expected two indices of delta, got more", "            ^"),
    (
        "L = x_i'",
        "a prime belongs right after a name, before its indices: W'_ki, f'(z_i)"
        "; a transpose is written with indices: sum_d w_kd x_d",
        "       ^",
    ),
    ("L = 1/0", "division by zero", "      ^"),
    ("L = a @ b", "expected index notation: a matrix product is sum_k A_ik B_kj, a transpose A_ji, got '@'", "      ^"),
    ("L = \\foo x", "'\\foo' is a LaTeX command that isn't known here", "    ^"),
    (
        "dL/dW_jk = 3",
        "a derivative can't be part of the input: give the function, and name the variable with wrt",
        "^",
    ),
    (
        "L = softmax_j(z_i)",
        "expected softmax to run over an index of its argument, the argument has no index j",
        " " * 13 + "^",
    ),
    (
        "L = softmax(Z_ij)",
        "expected softmax to run over an index of its argument, got none; write softmax_j(...)",
        " " * 11 + "^",
    ),
    (
        "L = a_k",
        FREE_K,
        "      ^",
    ),
    (
        "p_i = a_i b_k",
        FREE_K,
        "            ^",
    ),
    (
        "L = sum_k a_k + b_k",
        FREE_K,
        " " * 18 + "^",
    ),
    ("L = sum_ij W_ij + sum_i W_i", "W has 1 index here, 2 before", " " * 24 + "^"),
    ("L = sum_i x_i + x", "x has 0 indices here, 1 before", " " * 16 + "^"),
    ("L = N(a) + N", "N is a number here, a function before", "           ^"),
    ("L = sum_i y_i P[i, y_i]", "y is a class label (an index) here, an array before", " " * 19 + "^"),
    ("L = 1; L = 2", "L is defined twice", "       ^"),
    ("L = L + 1", "equations in a cycle: L -> L", "^"),
    ("p_i = S a_i; S = sum_i p_i", "equations in a cycle: p -> S -> p", "^"),
    ("p_i = S", "index i of the left side is not on the right; write p without i in every equation", "^"),
    (
        "s_t = sum_k r_k",
        "index t of the left side is not on the right; write s without t in every equation",
        "^",
    ),
    (
        "P_{ij} = sum_j z_j^2 + a_i",
        "index j of the left side is not on the right; write P without j in every equation",
        "^",
    ),
    ("c = a; a = b; b = a", "equations in a cycle: a -> b -> a", "       ^"),
]


@pytest.mark.parametrize(("text", "message", "caret"), MALFORMED)
def test_malformed_input_gets_one_line_and_a_caret(text: str, message: str, caret: str) -> None:
    with pytest.raises(ExpressionError) as caught:
        parse(text)
    assert str(caught.value) == f"{message}\n{text}\n{caret}"


@pytest.mark.parametrize(
    ("text", "message", "caret"),
    [
        ("L = a_i b_i c_i", "index i occurs 3 times in one product; write its sum", " " * 14 + "^"),
        (
            "L = a_i",
            "index i of the right side is not on the left and occurs once; write sum_i; if i is one fixed index, use "
            "fixed='i'",
            "      ^",
        ),
    ],
)
def test_einstein_refuses_an_index_that_is_not_there_twice(text: str, message: str, caret: str) -> None:
    with pytest.raises(ExpressionError) as caught:
        parse(text, einstein=True)
    assert str(caught.value) == f"{message}\n{text}\n{caret}"


def test_only_the_line_of_the_fault_is_shown() -> None:
    with pytest.raises(ExpressionError) as caught:
        parse("a = 1\nb = 2 +\nc = 3")
    assert str(caught.value) == "expected an expression, got the end of the equation\nb = 2 +\n       ^"


def test_of_a_long_line_the_part_around_the_fault_is_shown() -> None:
    with pytest.raises(ExpressionError) as caught:
        parse("L = " + "x + " * 100 + "#")
    _, line, caret = str(caught.value).splitlines()
    assert len(line) <= 100
    assert line[caret.index("^")] == "#"


@pytest.mark.parametrize("text", ["", "  \n "])
def test_empty_input_is_refused(text: str) -> None:
    with pytest.raises(ExpressionError, match=r"^expected an expression, got nothing$"):
        parse(text)


def test_two_expressions_are_not_one() -> None:
    with pytest.raises(ExpressionError, match="expected one expression, got '='"):
        parse_expression("a = b")
    with pytest.raises(ExpressionError, match="expected one name with indices"):
        parse_index_reference("z_i + 1")
    with pytest.raises(ExpressionError, match="expected '=' between the two sides"):
        parse_equation_pair("sum_k y_k")
    with pytest.raises(ExpressionError, match="index j of the right side"):
        parse_equation_pair("a_i = b_j")


def test_the_error_is_a_value_error_and_survives_pickling() -> None:
    with pytest.raises(ExpressionError) as caught:
        parse("L = )")
    again = pickle.loads(pickle.dumps(caught.value))
    assert isinstance(again, GlassmaxError)
    assert isinstance(again, ValueError)
    assert (str(again), again.text, again.position) == (str(caught.value), "L = )", 4)


NESTED = [("(", ")"), ("exp(", ")"), ("f(1 + 2 x^", ")"), ("\\frac{1}{", "}"), ("|(", ")|"), ("log ", ""), ("x^", "")]


@pytest.mark.parametrize(("left", "right"), [*NESTED, ("softmax_i(", ")"), ("max(a, ", ")"), ("sum_i ", "")])
@pytest.mark.parametrize("levels", [20, 97, 150, 800])
def test_nesting_is_read_or_refused_and_never_overflows(left: str, right: str, levels: int) -> None:
    text = "p_i = " + left * levels + "z_i" + right * levels
    for read in (parse, lambda t: parse(t, einstein=True), lambda t: parse_expression(t[6:])):
        fault = fault_of(read, text)
        assert levels > 20 or not fault or left in ("max(a, ", "f(1 + 2 x^", "softmax_i(", "sum_i "), fault
    if levels >= 150:
        with pytest.raises(ExpressionError, match=r"too deep|never closed|too long"):
            parse(text)


@pytest.mark.parametrize("levels", [40, 90])
@pytest.mark.parametrize("name", ["silu", "mish", "gelu", "tan", "softsign", "sinh", "logit"])
@pytest.mark.parametrize("around", ["max({}, y)", "min(y, {})", "sum_{{i=1}}^N {}", "log {}"])
def test_functions_that_are_written_out_and_nested_end_at_once(around: str, name: str, levels: int) -> None:
    text = "L = " + around.format(f"{name}(" * levels + "x_i" + ")" * levels)
    with pytest.raises(ExpressionError, match=r"too long once every softmax, max and function|too deep"):
        parse(text)


def test_wide_sums_of_functions_that_are_written_out_end_at_once() -> None:
    wide = "+".join(["silu(" * 9 + "x_i" + ")" * 9] * 100)
    with pytest.raises(ExpressionError, match="too long once every softmax, max and function"):
        parse("L = " + "sum_{i=1}^N " * 50 + f"({wide})")
    assert parse("L = sum_{i=1}^N max(silu(silu(x_i)), y_i)")


@pytest.mark.parametrize(
    "text",
    [
        "L = " + "x" * 10_000,
        "L = " + "9" * 5_000,
        "L = 1e999999999",
        "L = " + "(" * 5_000,
        "L = " + "|" * 9_000,
        "L = x_" + "i" * 9_000,
        ";".join(f"a{i} = a{(i + 1) % 700}" for i in range(700)),
    ],
)
def test_hostile_input_is_refused(text: str) -> None:
    with pytest.raises(ExpressionError):
        parse(text)


@pytest.mark.parametrize(
    "text",
    [
        "L = " + "x " * 4_000,
        "L = " + "x + " * 2_000 + "x",
        "L = " + "-" * 9_000 + "x",
        ";".join(f"a{i} = a{i + 1}" for i in range(700)),
        "L = 9^9^9^9^9^9",
    ],
)
def test_long_flat_input_is_read(text: str) -> None:
    assert parse(text).definitions


PIECES = [
    *"+-*/^=()[]{},_|;'.@ \n",
    *("sum_k", "sum_{i=1}^N ", "x", "x_i", "W_ij", "delta_ij", "P[i, y_i]", "exp(", "log ", "f'(", "e^", "2", "1/2"),
    *("softmax_j(", "log_softmax", "max(", "\\frac{", "\\sum", "Σ", "δ", "²", "ᵀ", "∂", "‖", ".T", "L = ", "p_i = "),
    *(
        "^{(i)}",
        "^{[",
        "^T",
        "^{T}",
        "\\top",
        "⁽ⁱ⁾",
        "^{\\text{",
        "^{",
        "^l",
        "\\mathbf{",
        "\\hat",
        "\\mathbf",
        "_{\\text{in}",
    ),
    *(
        "1\\{",
        "\\}",
        "≠",
        "\\neq",
        "<",
        "∈",
        "⟨",
        "\\sum_{j=1}^{K}",
        "sum_{j != i}",
        "\\frac1",
        "\\sqrt[",
        "log_",
        "\\log_{",
    ),
    *(
        "sigma(",
        "L(w) = ",
        "sigma^2 = ",
        "y(x)",
        "x'",
        "I(",
        "[y_i = k]",
        "\\cdot",
        "·",
        "mean(",
        "prod_i",
        "d_k",
        "sqrt(d_k",
        "z_{i+1}",
    ),
    *("sum(", "axis=1", "X", "W", "norm(", "trace(", "diag(", "mean(", "keepdims=True"),
]
TEXTS = st.one_of(st.text(max_size=60), st.lists(st.sampled_from(PIECES), max_size=30).map("".join))


@given(TEXTS, st.booleans())
@settings(max_examples=400, deadline=2000)
def test_no_text_raises_anything_but_an_expression_error(text: str, einstein: bool) -> None:
    for read in (parse, parse_expression, parse_equation_pair):
        fault_of(lambda t, read=read: read(t, einstein=einstein), text)
    for each in (text, "L = " + text):
        assert len(fault_of(parse, each).splitlines()) <= 3
        assert len(fault_of(parse_matrix, each).splitlines()) <= 3
    fault_of(parse_index_reference, text)


@given(TEXTS, st.booleans())
@settings(max_examples=200, deadline=2000)
def test_the_free_indices_of_what_is_read_are_on_its_left_side(text: str, matrix: bool) -> None:
    with contextlib.suppress(ExpressionError):
        program = parse_matrix("Z = " + text) if matrix else parse("Z_ij = " + text)
        for definition in program.definitions:
            assert set(free_indices(definition.value)) <= set(definition.indices)


# matrix notation

SOFTMAX_OF_Z = "P_i,j = (exp(Z_i,j) sum_k[exp(Z_i,k)]^-1)"
MATRIX = {
    "L = -sum(Y * log(softmax(X @ W + b))) / N": (
        f"Z_i,j = (sum_k[(X_i,k W_k,j)] + b_j); {SOFTMAX_OF_Z}; L = (-1 sum_i,j[(Y_i,j log(P_i,j))] N^-1)"
    ),
    "L = -np.sum(Y * np.log(softmax(Z)))": f"{SOFTMAX_OF_Z}; L = (-1 sum_i,j[(Y_i,j log(P_i,j))])",
    "L = sum(Y * log_softmax(Z))": f"{SOFTMAX_OF_Z}; L = sum_i,j[(Y_i,j log(P_i,j))]",
    "P = softmax(Z); L = sum(Y * softmax(Z))": f"{SOFTMAX_OF_Z}; L = sum_i,j[(Y_i,j P_i,j)]",
    "L = sum(Y * softmax(relu(X @ W1) @ W2))": (
        "Z1_i,j = sum_k[(X_i,k W1_k,j)]; A1_i,j = relu(Z1_i,j); Z2_i,j = sum_k[(A1_i,k W2_k,j)]; "
        "P_i,j = (exp(Z2_i,j) sum_k[exp(Z2_i,k)]^-1); L = sum_i,j[(Y_i,j P_i,j)]"
    ),
    "p = softmax(W x + b)": "z_i = (sum_j[(W_i,j x_j)] + b_i); p_i = (exp(z_i) sum_j[exp(z_j)]^-1)",
    "L = ‖Xw - y‖²": "L = sum_i[(sum_j[(X_i,j w_j)] + (-1 y_i))^2]",
    "L = norm(X @ w - y)**2 / 2": "L = (sum_i[(sum_j[(X_i,j w_j)] + (-1 y_i))^2] 1/2)",
    "L = \\frac{1}{2} \\|X w - y\\|^2": "L = (1/2 sum_i[(sum_j[(X_i,j w_j)] + (-1 y_i))^2])",
    "L = norm(w)": "L = sum_i[w_i^2]^1/2",
    "L = lambda/2 * ‖W‖_F^2": "L = (lambda 1/2 sum_i,j[W_i,j^2])",
    "L = x.T @ A @ x": "L = sum_i[(sum_j[(x_j A_j,i)] x_i)]",
    "L = xᵀ A x": "L = sum_i[(sum_j[(x_j A_j,i)] x_i)]",
    "L = x^T A x": "L = sum_i[(sum_j[(x_j A_j,i)] x_i)]",
    "J = diag(p) - p pᵀ": "J_i,j = ((delta_i,j p_i) + (-1 p_i p_j))",
    "J = outer(p, q)": "J_i,j = (p_i q_j)",
    "s = p @ p.T": "s = sum_i[(p_i p_i)]",
    "d = diag(A)": "d_i = A_i,i",
    "t = trace(A @ B)": "t = sum_i[sum_j[(A_i,j B_j,i)]]",
    "G = X.T @ (P - Y) / N": "G_i,j = (sum_k[(X_k,i (P_k,j + (-1 Y_k,j)))] N^-1)",
    "O = softmax(Q Kᵀ / sqrt(d)) V": (
        "Z_i,j = (sum_k[(Q_i,k K_j,k)] d^1/2^-1); " + SOFTMAX_OF_Z + "; O_i,j = sum_k[(P_i,k V_k,j)]"
    ),
    "s = sum(X, axis=0)": "s_i = sum_j[X_j,i]",
    "s = sum(X, axis=-1)": "s_i = sum_j[X_i,j]",
    "P = exp(Z) / sum(exp(Z), axis=1, keepdims=True)": SOFTMAX_OF_Z,
    "P = softmax(Z, axis=0)": "P_i,j = (exp(Z_i,j) sum_k[exp(Z_k,j)]^-1)",
    "l = logsumexp(Z, axis=1)": "l_i = log(sum_j[exp(Z_i,j)])",
    "L = mean((X @ w - y)**2)": "L = (N^-1 sum_i[(sum_j[(X_i,j w_j)] + (-1 y_i))^2])",
    "M = X - mean(X, axis=1, keepdims=True)": "M_i,j = (X_i,j + (-1 D^-1 sum_k[X_i,k]))",
    "L = sum(f(X @ W) + f'(z))": "Z_i,j = sum_k[(X_i,k W_k,j)]; L = sum_i,j[(f(Z_i,j) + f'(z_j))]",
    "A = max(0, Z)": "A_i,j = relu(Z_i,j)",
    "Z = X @ W; L = sum(Z * Z)": "Z_i,j = sum_k[(X_i,k W_k,j)]; L = sum_i,j[(Z_i,j Z_i,j)]",
    "L = 2 alpha x @ y": "L = sum_i[(2 alpha x_i y_i)]",
}


@pytest.mark.parametrize("text", MATRIX)
def test_matrix_notation_becomes_index_notation(text: str) -> None:
    assert show_program(parse_matrix(text)) == MATRIX[text]


@pytest.mark.parametrize(
    "shapes", [{"x": ("n", "d"), "t": ""}, {"x": "nd", "t": ()}, {"x": "n, d", "t": ""}, "x: n,d; t:"]
)
def test_declared_shapes_are_used(shapes: object) -> None:
    program = parse_matrix("z = x @ w / t", shapes)  # type: ignore[arg-type]
    assert show_program(program) == "z_i = (sum_j[(x_i,j w_j)] t^-1)"


def test_a_mean_divides_by_the_declared_length() -> None:
    assert show_program(parse_matrix("L = mean(x)", {"x": "m"})) == "L = (m^-1 sum_i[x_i])"


MALFORMED_MATRIX = [
    ("L = sum(foo)", "the shape of foo isn't known; declare it: shapes='foo: n,d'", "        ^"),
    (
        "L = 2 @ x",
        "expected arrays on both sides of a matrix product, got a number; if x is something else, declare its shape",
        "      ^",
    ),
    (
        "P = exp(Z) / sum(exp(Z), axis=1)",
        "expected a vector along the last axis, got one along the rows: write keepdims=True"
        "; if Z is something else, declare its shape",
        "           ^",
    ),
    (
        "L = trace(x)",
        "expected a matrix in trace, got a vector; if x is something else, declare its shape",
        "    ^",
    ),
    (
        "B = A^-1",
        "a matrix inverse has no index notation; ** -1 is elementwise; if A is something else, declare its shape",
        "     ^",
    ),
    ("L = sum(x, axis=2)", "expected an axis: 0, 1 or -1, got '2'", " " * 16 + "^"),
    ("L = outer(x)", "expected two arguments of outer, got 1", "    ^"),
    ("L = W_ij", "expected matrix notation, which has no indices and no underscore in a name, got '_'", "     ^"),
    ("L = sum", "expected '(' after sum, got the end", "       ^"),
    ("L = x.y", "expected T after '.', got 'y'", "      ^"),
    ("L = x @", "expected an expression, got the end", "       ^"),
    ("L = ‖x", "expected '‖' to close the norm, got the end", "      ^"),
    ("y = y + 1", "equations in a cycle: y -> y", "^"),
    ("L = 1; L = 2", "L is defined twice", "       ^"),
    ("L = x / 0", "division by zero", "        ^"),
]


@pytest.mark.parametrize(("text", "message", "caret"), MALFORMED_MATRIX)
def test_malformed_matrix_notation_gets_one_line_and_a_caret(text: str, message: str, caret: str) -> None:
    with pytest.raises(ExpressionError) as caught:
        parse_matrix(text)
    assert str(caught.value) == f"{message}\n{text}\n{caret}"


def test_declared_axes_that_differ_can_not_be_multiplied() -> None:
    with pytest.raises(ExpressionError) as caught:
        parse_matrix("Z = X @ W", {"X": "nd", "W": "mk"})
    assert str(caught.value) == "expected axes of the same length, got d and m\nZ = X @ W\n      ^"


@pytest.mark.parametrize(
    ("shapes", "message"),
    [
        ({"q": "nd"}, "shapes declare q, which the formula doesn't have"),
        ({"x": ("n", "1")}, "the shape of x has an axis of length 1; declare it without that axis"),
        ({"x": "abc"}, "expected at most two axes of x, got 3"),
    ],
)
def test_shapes_that_can_not_be_are_refused(shapes: dict[str, str], message: str) -> None:
    with pytest.raises(ExpressionError) as caught:
        parse_matrix("L = sum(x)", shapes)
    assert str(caught.value) == message


@pytest.mark.parametrize(
    "text", ["z @ " * 2000 + "z", "(" * 500, "sum(" * 99 + "x" + ")" * 99, "-" * 5000 + "x", "x^" * 400 + "x"]
)
def test_hostile_matrix_notation_is_read_or_refused(text: str) -> None:
    fault = fault_of(parse_matrix, "L = " + text)
    assert not fault or "too deep" in fault or "never closed" in fault
