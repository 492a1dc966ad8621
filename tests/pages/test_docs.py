"""The pages under docs/ are true: every equation, every number, every name, every line of Python.

How the pages are read:

- A line of a block of equations in notation.md is ``index form   matrix form   (shape)``, three columns that are at
  least three spaces apart. The index form is evaluated entry by entry, with loops for its sums; the matrix form by
  NumPy; both must give glassmax's own array.
- In a ``pencil`` block of pencil.md, a line ``Z1[i,v] = X[i,0]·W1[0,v] + ...`` with letters for indices is a pattern.
  The lines below it, ``Z1[0,1] = 1·0.5 + ... = 0.3``, put numbers in its place: each number must be that of the array
  in the pattern, the arithmetic must come out as printed, and the result must be glassmax's, to the last printed
  digit. A negative number inside the arithmetic stands in brackets. A line ``dW2 = A1ᵀ dZ2`` is followed by a
  picture: the numbers of each matrix of that equation, in order, in square brackets.
- The blocks of toy.md, one after another, are the output of examples/toy.py.
"""

import doctest
import re
import runpy
import subprocess
import sys
from functools import cache
from itertools import product
from pathlib import Path

import numpy as np
import pytest

from glassmax import Network, functional, gradcheck

ROOT = Path(__file__).resolve().parents[2]
DOCS = ROOT / "docs"
NOTATION, PENCIL, TOY = ((DOCS / f"{page}.md").read_text(encoding="utf-8") for page in ("notation", "pencil", "toy"))
DIGITS = 0.5e-4 + 1e-9  # four decimals are printed


def blocks(page, language):
    return re.findall(rf"^```{language}\n(.*?)^```", page, re.S | re.M)


# The two notations, read by machine


SPELLING = {"{l-1}": "below", "_l": "_here", "f'(": "slope(", "·": "*", "²": "**2", "λ": "penalty", "η": "rate"}


def spelled(text):
    """Turn the names and signs that index form and matrix form share into Python."""
    for written, code in SPELLING.items():
        text = text.replace(written, code)
    return text


def python_of_index_form(text):
    """Turn ``-Σ_c Y[i,c]·log(P[i,c])`` into ``-sum(Y[i,c]*log(P[i,c]) for c in range(size["c"]))``."""
    text = spelled(text)
    text = re.sub(r"\bL_(\w)\b", r"losses[\1]", text)
    text = re.sub(r"\bJ_(\w)\[", r"jacobians[\1,", text)
    text = re.sub(r"δ\[(\w),(\w)\]", r"float(\1 == \2)", text)
    while "Σ_" in text:
        start = text.rindex("Σ_")
        end, depth = start + 3, 0
        while end < len(text) and depth >= 0:
            depth += (text[end] in "([") - (text[end] in ")]")
            if depth < 0 or (depth == 0 and text[end : end + 3] in (" + ", " - ")):
                break
            end += 1
        index, body = text[start + 2], text[start + 3 : end].strip()
        text = f'{text[:start]}sum({body} for {index} in range(size["{index}"])){text[end:]}'
    return text


def python_of_matrix_form(text):
    """Turn ``A_{l-1}ᵀ dZ_l`` into ``A_below.T @ dZ_here``."""
    text = spelled(text).replace("⊙", "*").replace("ᵀ", ".T")
    text = re.sub(r"\bL_i\b", "losses", text)
    return re.sub(r"(?<=[\w)]) (?=[\w(])", " @ ", text)


def rowsum(M):
    return M.sum(axis=1, keepdims=True)


FUNCTIONS = {
    "exp": np.exp,
    "log": np.log,
    "ln": np.log,
    "mean": np.mean,
    "rowsum": rowsum,
    "colsum": lambda M: M.sum(axis=0),
    "column": lambda w: w[:, None],
    "diag": lambda column: np.diag(column[:, 0]),
    "f": functional.sigmoid,
    "sigmoid": functional.sigmoid,
    "slope": lambda Z: functional.sigmoid_vjp(np.ones_like(Z), Z),
}


def by_index_form(left, right, world):
    """Evaluate an index form for every value of its free indices."""
    names = {**FUNCTIONS, **world}
    code = compile(python_of_index_form(right), right, "eval")
    sizes = [world["size"][index] for index in indices_of(left)]
    values = [eval(code, names | dict(zip(indices_of(left), at, strict=True))) for at in product(*map(range, sizes))]
    return np.reshape(values, sizes)


def by_matrix_form(right, world):
    return eval(python_of_matrix_form(right), {**FUNCTIONS, "sum": np.sum, **world})


def indices_of(left):
    """Return the free indices of a left-hand side: ``J_i[c,m]`` -> i, c, m."""
    return re.findall(r"_([a-z])(?![a-z_{\d])", left.replace("_l", "")) + re.findall(r"(?<=[\[,])\w", left)


def name_of(left):
    """Return the array's name in a world: ``dA_{l-1}[i,u]`` -> dA_below, ``L_0`` -> losses."""
    bare = re.sub(r"\[.*", "", left).strip()
    return {"L_": "losses", "J_": "jacobians"}.get(bare[:2], spelled(bare))


# notation.md: equations


def network_world(l2=0.0):
    """Layer l is the second of three; whatever the page names is here under its code name, from glassmax."""
    draw = np.random.default_rng(0)
    net = Network([4, 5, 6, 3], activation="sigmoid", l2=l2, random_state=1)
    n, X, Y = 7, draw.normal(size=(7, 4)), draw.dirichlet(np.ones(3), 7)
    tape, W = net.forward(X), net.parameters.W
    loss, gradients = net.loss_and_gradients(X, Y)
    Z, P = tape.Z[3], tape.P
    dZ = functional.softmax_cross_entropy_vjp(1, Z, Y)
    dZ_here = functional.sigmoid_vjp(functional.affine_vjp(dZ, tape.A[2], W[3])[0], tape.Z[2])
    dA_below = functional.affine_vjp(dZ_here, tape.A[1], W[2])[0]
    return {
        "size": {"i": n, "r": n, "c": 3, "m": 3, "u": 5, "v": 6},
        "shape": {"n": n, "k": 3, "h_below": 5, "h_here": 6},
        **{"n": n, "Y": Y, "Z": Z, "P": P, "L": loss, "dZ": dZ},
        "losses": functional.softmax_cross_entropy(Z, Y, reduction="none"),
        "jacobians": functional.softmax_jacobian(Z),
        "dP": functional.cross_entropy_vjp(1, P, Y),
        **{"A_below": tape.A[1], "Z_below": tape.Z[1], "Z_here": tape.Z[2], "A_here": tape.A[2]},
        **{"W_here": W[2], "b_here": net.parameters.b[2], "dW_here": gradients["W2"], "db_here": gradients["b2"]},
        **{"dZ_here": dZ_here, "dA_below": dA_below, "dZ_below": functional.sigmoid_vjp(dA_below, tape.Z[1])},
    }


def update_world():
    world = network_world()
    rate = world["rate"] = 0.3
    return world | {f"new {name}": world[name] - rate * world["d" + name] for name in ("W_here", "b_here")}


def any_row_sums_world():
    world = network_world()
    world["Y"] = world["Y"] * np.arange(7)[:, None]
    return world | {"dZ": functional.softmax_cross_entropy_vjp(1, world["Z"], world["Y"])}


def squared_error_world():
    world = network_world()
    P, Y = world["P"], world["Y"]
    dP = functional.squared_error_vjp(1, P, Y)
    losses = functional.squared_error(P, Y, reduction="none")
    return world | {"losses": losses, "dP": dP, "dZ": functional.softmax_vjp(dP, P)}


def binary_cross_entropy_world():
    world = network_world()
    Z, Y = world["Z"], world["Y"]
    P = functional.sigmoid(Z)
    H = functional.sigmoid_cross_entropy(Z[..., None], Y[..., None], reduction="none")  # each entry a row of its own
    return world | {
        **{"P": P, "H": H, "losses": functional.binary_cross_entropy(P, Y, reduction="none")},
        **{"dP": functional.binary_cross_entropy_vjp(1, P, Y), "dZ": functional.sigmoid_cross_entropy_vjp(1, Z, Y)},
    }


def weighted_world():
    world = network_world()
    w = np.array([1.0, 0.0, 2.0, 0.5, 3.0, 1.0, 1.5])
    L = functional.softmax_cross_entropy(world["Z"], world["Y"], sample_weight=w)
    return world | {
        "w": w,
        "L": L,
        "dZ": functional.softmax_cross_entropy_vjp(1, world["Z"], world["Y"], sample_weight=w),
    }


def penalty_world():
    plain, strength = network_world(), 0.4
    charged = network_world(l2=strength)
    L = plain["L"] + functional.l2(plain["W_here"], strength)
    return plain | {"penalty": strength, "L": L, "dW_here": charged["dW_here"]}


WORLDS = {
    "equations": update_world,
    "squared-error": squared_error_world,
    "binary-cross-entropy": binary_cross_entropy_world,
    "weighted": weighted_world,
    "penalty": penalty_world,
}


def equations(page):
    """Yield each line of the blocks of equations with the kind of its block."""
    for kind in WORLDS:
        for block in blocks(page, kind):
            for line in filter(None, block.splitlines()):
                yield kind, line


def check_equation(kind, line, world=None):
    """Hold the two forms of an equation and its shape against glassmax."""
    world = world or WORLDS[kind]()
    index_form, matrix_form, shape = re.split(r" {3,}", line)
    left, right = re.split(" = | ← ", index_form)
    matrix_left, matrix_right = re.split(" = | ← ", matrix_form)
    assert name_of(left) == name_of(matrix_left)
    truth = np.asarray(world[("new " if "←" in line else "") + name_of(left)])
    np.testing.assert_allclose(by_index_form(left, right, world), truth, rtol=0, atol=1e-12)
    if name_of(left) == "jacobians":
        found = np.array([by_matrix_form(matrix_right, {"p": p[:, None]}) for p in world["P"]])
        truth_shape = truth.shape[1:]
    else:
        found, truth_shape = by_matrix_form(matrix_right, world), truth.shape
    assert np.size(found) == truth.size
    np.testing.assert_allclose(np.reshape(found, truth.shape), truth, rtol=0, atol=1e-12)
    assert eval(spelled(shape), world["shape"].copy()) == truth_shape


@pytest.mark.parametrize(("kind", "line"), list(equations(NOTATION)), ids=lambda text: text.split(" ")[0])
def test_index_form_and_matrix_form_are_the_same_array_and_glassmaxs(kind, line):
    check_equation(kind, line)


def test_the_notation_page_has_all_the_equations():
    lefts = [name_of(re.split(" = | ← ", line)[0]) for kind, line in equations(NOTATION) if kind == "equations"]
    expected = "Z_here A_here P losses L jacobians dZ dP dZ dZ dW_here db_here dA_below dZ_below W_here b_here"
    assert lefts == expected.split()
    assert len(list(equations(NOTATION))) == 29


def test_the_general_form_of_dZ_holds_for_rows_of_any_sum_and_the_short_one_does_not():
    long, short = (line for _, line in equations(NOTATION) if line.startswith("dZ[i,m] = (P"))
    assert "rowsum(Y)" in long
    check_equation("equations", long, any_row_sums_world())
    with pytest.raises(AssertionError):
        check_equation("equations", short, any_row_sums_world())


@pytest.mark.parametrize(
    ("right", "wrong"),
    [
        ("A_{l-1}ᵀ dZ_l ", "A_{l-1} dZ_l "),
        ("Σ_v dZ_l[i,v]·W_l[u,v]", "Σ_v dZ_l[i,v]·W_l[v,u]"),
        ("dA_{l-1} ⊙ f'(Z_{l-1})", "dA_{l-1} ⊙ f'(Z_l)"),
        ("(P[i,m] - Y[i,m])/n", "(Y[i,m] - P[i,m])/n"),
        ("-Σ_c Y[i,c]·log(P[i,c])", "Σ_c Y[i,c]·log(P[i,c])"),
        ("(δ[c,m] - P[i,m])", "(δ[c,m] - P[i,c])"),
        ("diag(p) - p pᵀ", "diag(p) - p ⊙ p"),
        ("rowsum(dP ⊙ P))       (n, k)", "rowsum(dP ⊙ P))       (n,)"),
    ],
)
def test_a_wrong_equation_on_the_notation_page_would_be_found(right, wrong):
    kind, line = next((kind, line) for kind, line in equations(NOTATION) if right in line)
    with pytest.raises((AssertionError, ValueError, IndexError)):
        check_equation(kind, line.replace(right, wrong))


def one_hidden_layer():
    """Return the arrays of a net with one hidden layer, under the names that the derivations use."""
    net = Network([4, 5, 3], activation="sigmoid", random_state=1)
    X, y = np.random.default_rng(0).normal(size=(6, 4)), np.array([0, 1, 2, 2, 1, 0])
    tape, W_2 = net.forward(X), net.parameters["W2"]
    dZ_2 = functional.softmax_cross_entropy_vjp(1, tape.Z[2], y)
    dA_1 = functional.affine_vjp(dZ_2, tape.A[1], W_2)[0]
    return {
        **{"size": {"i": 6, "u": 4, "v": 5, "r": 5, "c": 3, "m": 3}, "X": X, "W_2": W_2, "Z_1": tape.Z[1], "P": tape.P},
        **{"jacobians": functional.softmax_jacobian(tape.Z[2]), "dP": functional.cross_entropy_vjp(1, tape.P, y)},
        **{"dZ": dZ_2, "dZ_2": dZ_2, "dA_1": dA_1, "dZ_1": functional.sigmoid_vjp(dA_1, tape.Z[1])},
        **{f"d{name[0]}_{name[1]}": gradient for name, gradient in net.loss_and_gradients(X, y)[1].items()},
        **{"A_1": tape.A[1], "Z_2": tape.Z[2] - net.parameters["b2"], "ones": np.ones((6, 1))},
    }


def steps(block):
    """Yield the left-hand side and each right-hand side of the derivations in a block, remarks left out."""
    left = None
    for line in filter(None, map(str.rstrip, block.splitlines())):
        match = re.match(r"([dJ]\S+)? +(?:= )(.+?)(?: {3,}|$)", line)
        if match and "∂" not in match[2]:
            left = match[1] or left
            yield left, match[2]


@pytest.mark.parametrize(("left", "right"), [step for block in blocks(NOTATION, "derivation") for step in steps(block)])
def test_each_line_of_a_derivation_is_the_same_array_and_glassmaxs(left, right):
    world = one_hidden_layer()
    np.testing.assert_allclose(by_index_form(left, right, world), world[name_of(left)], rtol=0, atol=1e-12)


def matrix_remarks():
    """Yield the matrix forms that the rules and the derivations arrive at, as ``dW_2 = A_1ᵀ dZ_2``."""
    for block in blocks(NOTATION, "(?:text|derivation)"):
        for line in re.findall(r"(?:^| {2,})(d?[A-Zb]_?\d? = [^\[\],:]+?)(?= {2,}|$)", block, re.M):
            left, *rights = line.split(" = ")
            yield from ((left, right) for right in rights)


@pytest.mark.parametrize(("left", "right"), list(matrix_remarks()))
def test_each_matrix_form_that_a_rule_arrives_at_is_glassmaxs_array(left, right):
    world = one_hidden_layer()
    np.testing.assert_allclose(by_matrix_form(right, world).squeeze(), world[left], rtol=0, atol=1e-12)


def test_the_rules_and_derivations_of_the_notation_page_are_all_read():
    arrived = ["Z_2", "dW_2", "dA_1", "dZ_1", "db_2", "db_2", "dZ", "dA_1", "dZ_1", "dW_1"]
    assert sorted(left for left, _ in matrix_remarks()) == sorted(arrived)
    assert [left for block in blocks(NOTATION, "derivation") for left, _ in steps(block)] == [
        "J_i[c,m]",
        *["dZ[i,m]"] * 4,
        *["dW_1[u,v]"] * 5,
    ]


# notation.md: names and traps


def test_every_function_that_the_notation_page_names_exists():
    named = re.findall(r"`(functional|Network|gradcheck)\.(\w+)`", NOTATION)
    assert len(named) > 30
    homes = {"functional": functional, "Network": Network, "gradcheck": gradcheck}
    assert [f"{home}.{name}" for home, name in named if not callable(getattr(homes[home], name, None))] == []


def test_the_table_of_the_notation_page_puts_each_vjp_beside_its_function():
    for row in re.findall(r"^\|.*_vjp`.*\|$", NOTATION, re.M):
        forward, backward = (re.findall(r"`functional\.(\w+)`", cell) for cell in row.split("|")[2:4])
        assert [name for name in backward if name.endswith("_vjp")] == [f"{name}_vjp" for name in forward]


def trap(text):
    """Mark a function as the check of one trap."""

    def mark(check):
        TRAPS[text] = check
        return check

    return mark


TRAPS = {}
N, H, K, RATE = 5, 4, 3, 0.01
_draw = np.random.default_rng(2)
Z1, W2, Z = _draw.normal(size=(N, H)), _draw.normal(size=(H, K)), 2 * _draw.normal(size=(N, K))
y = np.array([0, 1, 2, 0, 1])
Y, P, J, A1 = np.eye(K)[y], functional.softmax(Z), functional.softmax_jacobian(Z), functional.sigmoid(Z1)
dP, dZ = functional.cross_entropy_vjp(1, P, y), functional.softmax_cross_entropy_vjp(1, Z, y)  # noqa: N816
dA1, dW2, db2 = functional.affine_vjp(dZ, A1, W2)  # noqa: N816


def lengths(rows):
    return np.linalg.norm(rows, axis=1)


@trap("the Jacobian's rows (or columns) summed into a vector")
def _():
    return np.allclose(J.sum(axis=2), 0) and np.allclose(J.sum(axis=1), 0)


@trap("only the Jacobian's diagonal, p(1 - p), the sigmoid's form")
def _():
    found = dP * P * (1 - P)
    return np.allclose(found, (P * Y - Y) / N) and (found[Y == 0] == 0).all() and (rowsum(found) < -0.001).all()


@trap("cross-entropy's P - Y multiplied by the Jacobian again")
def _():
    return (lengths(np.einsum("ic,icm->im", dZ, J)) <= lengths(dZ) / 2).all()


@trap("P - Y under squared error, without the Jacobian")
def _():
    right = functional.softmax_vjp(functional.squared_error_vjp(1, P, Y), P)
    wrong = (P - Y) / N
    falls = functional.squared_error(functional.softmax(Z - 0.1 * wrong), Y) < functional.squared_error(P, Y)
    return (lengths(wrong) >= 2 * lengths(right)).all() and falls


@trap("P - Y where a row of Y does not sum to 1")
def _():
    several = np.array([[1, 1, 0], [1, 0, 0], [1, 1, 1], [0, 0, 0], [0, 0, 1]])
    right = functional.softmax_cross_entropy_vjp(1, Z, several)
    off = np.abs(((P - several) / N).sum(axis=1)) > 0.1
    return np.array_equal(off, several.sum(axis=1) != 1) and np.allclose(right, (P * rowsum(several) - several) / N)


@trap("-1/n for 1/n")
def _():
    climbed = functional.softmax_cross_entropy(Z - 0.1 * -dZ, y)
    return climbed > functional.softmax_cross_entropy(Z, y)


@trap("a step -η·dW held against a gradient dW")
def _():
    return np.allclose((W2 - RATE * dW2 - W2) / dW2, -RATE)


@trap("divided by n twice")
def _():
    one = functional.softmax_cross_entropy_vjp(1, Z[:1], y[:1])
    return np.allclose(A1.T @ (dZ / N), dW2 / N) and np.array_equal(one / len(one), one)


@trap("the mean over all n·k entries instead of the n rows")
def _():
    return np.allclose(A1.T @ ((P - Y) / Y.size), dW2 / K)


@trap("(Σu)² written as Σu² in the derivative of u/Σu")
def _():
    u = np.exp([1, 0.2, -0.3])
    wrong, right = np.diag(u / u.sum()) - np.outer(u, u) / (u**2).sum(), functional.softmax_jacobian(np.log(u))
    printed = [f"{M[0, 1]:.4f}" for M in (wrong, right)] == ["-0.3521", "-0.1516"]
    return printed and all(number in NOTATION for number in ("-0.3521", "-0.1516")) and np.abs(wrong.sum(1)).min() > 0.1


@trap("`dZ = P`, then 1 subtracted from dZ in place")
def _():
    kept = P.copy()
    alias = kept
    alias[np.arange(N), y] -= 1
    with np.errstate(invalid="ignore"):
        return np.allclose(kept.sum(axis=1), 0) and np.isnan(np.log(kept[np.arange(N), y])).all()


@trap("labels of shape (n, 1) in `dZ[np.arange(n), y] -= 1`")
def _():
    wrong, some = P.copy(), np.array([0, 1, 1, 0, 1])
    wrong[np.arange(N), some[:, None]] -= 1
    return np.allclose(P - wrong, [[1, 1, 0]] * N)


@trap("`*` for `@`")
def _():
    with pytest.raises(ValueError, match="broadcast"):
        A1 * W2
    return (dP[:1] * J[0]).shape == (K, K)


@trap("a transpose lost or added")
def _():
    with pytest.raises(ValueError, match="matmul"):
        A1 @ dZ
    square = _draw.normal(size=(K, K))
    return (dZ @ square).shape == (dZ @ square.T).shape and np.allclose(dP[0] @ J[0], dP[0] @ J[0].T)


@trap("f' fed with A where it takes Z")
def _():
    slopes = functional.sigmoid_vjp(np.ones_like(A1), A1)
    ones = np.ones_like(Z1)
    same = functional.relu_vjp(ones, functional.relu(Z1)) == functional.relu_vjp(ones, Z1)
    return 0.19 < slopes.min() <= slopes.max() < 0.25 and same.all()


@trap("f' left out in a hidden layer")
def _():
    return (np.abs(dA1) >= 4 * np.abs(functional.sigmoid_vjp(dA1, Z1))).all()


@trap("f' missed at the output, under cross-entropy")
def _():
    return np.allclose(functional.softmax_vjp(dP, P), (P - Y) / N)


@trap("the bias gradient not summed over the batch")
def _():
    return dZ.shape == (N, K) and db2.shape == (K,) and (np.zeros(K) - RATE * dZ).shape == (N, K)


@trap("weights updated before the error is passed down")
def _():
    off = [lengths(dZ @ (W2 - rate * dW2).T - dA1).max() / lengths(dA1).max() for rate in (RATE, RATE / 10)]
    return 0 < off[0] < RATE and abs(off[0] / off[1] - 10) < 1e-6


@trap("softmax applied twice")
def _():
    bound = np.log(1 + (K - 1) / np.e)
    surest = functional.softmax_cross_entropy(np.eye(K), np.arange(K))
    twice = functional.softmax_cross_entropy(functional.softmax(10 * Y), y)
    return f"{bound:.4f}" == "0.5514" and "0.5514" in NOTATION and abs(surest - bound) < 1e-12 and twice > bound


@trap("one letter for two indices, as in ∂p[i]/∂z[i]")
def _():
    return np.allclose(np.einsum("icc->ic", J), P * (1 - P))


def test_every_trap_of_the_notation_page_is_tried():
    table = NOTATION[NOTATION.index("## Known traps") :]
    assert re.findall(r"^\| (.*?) \| ", table, re.M)[1:] == list(TRAPS)


@pytest.mark.parametrize("text", TRAPS)
def test_a_trap_looks_as_the_notation_page_says(text):
    assert TRAPS[text]()


# pencil.md

NUMBER = r"-?\d+(?:\.\d+)?"
SYMBOL = r"[A-Za-zδ]+\d?(?:_\d)?\[\d(?:,\d)*\]|\bL_\d|η"
FACTOR = r"\(1 - A1\)|rowsum\(E\)|diag\(p\)|\bpᵀ|\bp\b|onesᵀ|\bJ_\d|\bd?[A-Z]\d?ᵀ?|\bd?b\d"


def pencil_worlds():
    """Return glassmax's arrays for the net given at the top of pencil.md, before the update and after it."""
    given = dict(re.findall(r"^(\S+) += (.+)$", blocks(PENCIL, "pencil")[0], re.M))
    given = {name: np.array(eval(value), float) for name, value in given.items()}
    net = Network.from_parameters({name: given[name] for name in ("W1", "b1", "W2", "b2")}, activation="sigmoid")
    X, Y, rate = given["X"], given["Y"], float(given["η"])
    before = pencil_world(net, X, Y) | {"rate": rate, "η": rate}
    net.step(net.loss_and_gradients(X, Y)[1], rate)
    return before, pencil_world(net, X, Y)


def pencil_world(net, X, Y):
    tape, (L, gradients) = net.forward(X), net.loss_and_gradients(X, Y)
    dZ2 = functional.softmax_cross_entropy_vjp(1, tape.Z[2], Y)
    dA1 = functional.affine_vjp(dZ2, tape.A[1], net.parameters["W2"])[0]
    E = np.exp(tape.Z[2])
    return {
        **{name: weights.copy() for name, weights in net.parameters.items()},
        **{f"d{name}": gradient for name, gradient in gradients.items()},
        **{"X": X, "Y": Y, "Z1": tape.Z[1], "A1": tape.A[1], "Z2": tape.Z[2], "E": E, "S": E.sum(axis=1)},
        **{"P": tape.P, "losses": functional.cross_entropy(tape.P, Y, reduction="none"), "L": L},
        **{"dP": functional.cross_entropy_vjp(1, tape.P, Y), "jacobians": functional.softmax_jacobian(tape.Z[2])},
        **{"dZ2": dZ2, "dA1": dA1, "dZ1": functional.sigmoid_vjp(dA1, tape.Z[1])},
        **{"ones": np.ones((2, 1)), "softmax": functional.softmax, "size": dict.fromkeys("icmuv", 2)},
    }


BEFORE, AFTER = pencil_worlds()


def pencil_blocks():
    return re.findall(r"^```(pencil\S*)\n(.*?)^```", PENCIL, re.S | re.M)


def check_block(kind, block):
    """Hold one block of pencil.md against glassmax, and its arithmetic against its own numbers."""
    lines = [line for line in block.splitlines() if line]
    world = AFTER if kind == "pencil-after" else BEFORE
    if kind == "pencil-losses":
        for line, truth in zip(lines, (BEFORE["L"], AFTER["L"]), strict=True):
            agree(float(line.split(" = ")[1]), truth)
    elif lines[0].startswith("X "):
        for name, value in (re.split(" +=", line) for line in lines):
            assert np.array_equal(eval(value), BEFORE[name])
    elif lines[-1].startswith("["):
        check_picture(lines[0], lines[1:], world)
    else:
        check_sums(lines, world)


def agree(printed, truth):
    np.testing.assert_allclose(printed, truth, rtol=0, atol=DIGITS)


def value_of(symbol, world):
    """Look a symbol up, as ``X[0,1]``, ``J_0[1,1]``, ``L_0``, ``δ[0,1]`` or a sum of such."""
    return float(eval(python_of_index_form(symbol), {**FUNCTIONS, **world}))


def check_sums(lines, world):
    """Check patterns (letters for indices) and the lines that fill them with numbers."""
    patterns, seen = {}, {}
    for line in lines:
        left, *between, right = re.split(" = | ← ", line)
        target = AFTER if "←" in line else world
        if not between:
            np.testing.assert_allclose(by_index_form(left, right, world), target[name_of(left)], rtol=0, atol=1e-12)
            patterns[name_of(left)] = indices_of(left), right
            continue
        name, at = name_of(left), re.findall(r"(?<=[\[,_])\d", left)
        if " + " in left:
            symbols, truth = left, value_of(left, world)
        else:
            letters, pattern = patterns[name]
            symbols = filled(pattern, dict(zip(letters, at, strict=True)))
            truth = target[name][tuple(map(int, at))] if at else target[name]
            seen.setdefault(name, []).append(tuple(at))
        check_arithmetic(symbols, between[0], world)
        agree(float(right), truth)
        agree(float(right), eval(between[0].replace("·", "*"), FUNCTIONS.copy()))
    for name, entries in seen.items():
        assert len(set(entries)) == len(entries) == np.size(world[name]), name


def filled(pattern, values):
    """Put numbers for the letters of the indices."""
    return re.sub(r"(?<=[\[,_])[a-z](?=[\],\[)·]|$)", lambda letter: values[letter[0]], pattern)


def check_arithmetic(symbols, numbers, world):
    """Check that the line of numbers is the line of symbols, each with its own number in place."""
    bracketed = rf"({NUMBER}|\(-\d+(?:\.\d+)?\))"
    pieces = re.split(f"({SYMBOL})", symbols)
    found = re.fullmatch("".join(bracketed if i % 2 else re.escape(piece) for i, piece in enumerate(pieces)), numbers)
    assert found, f"{numbers} is not {symbols}"
    for symbol, number in zip(pieces[1::2], found.groups(), strict=True):
        agree(float(number.strip("()")), value_of(symbol, world))


def check_picture(equation, rows, world):
    """Check each matrix of a picture, that its signs are the equation's, and that the product is the one printed."""
    left, right = equation.split(" = ")
    if left.startswith("J_"):
        sample = int(left[2:])
        world = world | {"p": world["P"][sample][:, None], left: world["jacobians"][sample]}
    np.testing.assert_allclose(np.ravel(by_matrix_form(right, world)), np.ravel(world[left]), rtol=0, atol=1e-12)
    factors, printed = re.findall(FACTOR, equation), matrices(rows)
    for factor, matrix in zip(factors, printed, strict=True):
        truth = np.atleast_2d(by_matrix_form(factor, world))
        assert matrix.shape == (truth.shape if factor[0] != "b" else (2, 2))
        agree(matrix, np.broadcast_to(truth, matrix.shape))
    assert signs(re.sub(FACTOR, "", equation)) == signs(re.sub(r"\[.*?\]", "", rows[-1]))
    plain = {name.removesuffix("ᵀ"): M.T if "ᵀ" in name else M for name, M in zip(factors, printed, strict=True)}
    agree(printed[0], by_matrix_form(right, world | {name: M for name, M in plain.items() if name.isalnum()}))


def matrices(rows):
    """Read the matrices off a picture, from left to right: bracket under bracket."""
    columns = {}
    for row in rows:
        for bracket in re.finditer(r"\[(.*?)\]", row):
            columns.setdefault(bracket.start(), []).append([float(number) for number in bracket[1].split()])
    return [np.array(columns[start]) for start in sorted(columns)]


def signs(text):
    return re.sub(r"[\s()]", "", text)


@pytest.mark.parametrize(("kind", "block"), pencil_blocks(), ids=lambda text: text.split(" ")[0].strip())
def test_every_number_of_the_pencil_page_is_glassmaxs_and_follows_from_the_numbers_before_it(kind, block):
    check_block(kind, block)


def test_the_pencil_page_shows_each_array_entry_by_entry_and_as_a_matrix():
    sums = {
        name_of(block.split(" ")[0]) for _, block in pencil_blocks() if "[i," in block or "[" in block.split(" ")[0]
    }
    pictures = {name_of(block.split(" ")[0]) for kind, block in pencil_blocks() if kind == "pencil" and "\n[" in block}
    backward = {"dZ2", "dW2", "db2", "dA1", "dZ1", "dW1", "db1", "jacobians"}
    assert sums >= backward | {"Z1", "A1", "Z2", "E", "S", "P", "losses", "dP", "W1", "b1", "W2", "b2"}
    assert pictures >= backward | {"Z1", "A1", "Z2", "E", "P"}


def numbers_in(text):
    """Find the printed numbers of a block, not the digits of names and indices."""
    return re.finditer(r"(?<![A-Za-z_\d.])(?<!\w\[)(?<!\w\[\w,)\d+(?:\.\d+)?(?![\d.])", text)


def with_last_digit_changed(text, number):
    last = number.end() - 1
    return text[:last] + str((int(text[last]) + 1) % 10) + text[last + 1 :]


def test_a_change_in_the_last_digit_of_any_number_of_the_pencil_page_is_found():
    changed = 0
    for kind, block in pencil_blocks():
        for number in numbers_in(block):
            with pytest.raises((AssertionError, ValueError, SyntaxError)):
                check_block(kind, with_last_digit_changed(block, number))
            changed += 1
    assert changed > 500


def test_a_wrong_sign_factor_or_transpose_on_the_pencil_page_would_be_found():
    page = dict.fromkeys(block for kind, block in pencil_blocks() if kind == "pencil")
    for right, wrong in [
        ("dW2 = A1ᵀ dZ2", "dW2 = A1 dZ2"),
        ("dA1 = dZ2 W2ᵀ", "dA1 = dZ2 W2"),
        ("dZ2[i,m] = Σ_c dP[i,c]·J_i[c,m]", "dZ2[i,m] = Σ_c dP[i,c]·J_i[c,c]"),
        ("dW2[v,c] = A1[0,v]·dZ2[0,c]", "dW2[v,c] = A1[v,0]·dZ2[0,c]"),
        ("W1[u,v] - η·dW1", "W1[u,v] + η·dW1"),
        ("] ⊙ [", "] + ["),
    ]:
        block = next(block for block in page if right in block)
        with pytest.raises(AssertionError):
            check_block("pencil", block.replace(right, wrong))


def test_the_prose_of_the_pencil_page_has_no_number_that_is_not_checked():
    prose = re.sub(r"^```.*?^```", "", PENCIL, flags=re.S | re.M)
    assert re.findall(r"\d\.\d", prose) == []


# toy.md


@cache
def toy_truth():
    """Return the toy's network and data, and glassmax's arrays under the names that the page prints."""
    example = runpy.run_path(str(ROOT / "examples" / "toy.py"))
    X, y = example["X"], example["y"]
    net = Network.from_parameters(example["WEIGHTS"], activation="sigmoid")
    tape, (L, gradients) = net.forward(X), net.loss_and_gradients(X, y)
    P, dP, dZ2 = (
        tape.P,
        functional.cross_entropy_vjp(1, tape.P, y),
        functional.softmax_cross_entropy_vjp(1, tape.Z[2], y),
    )
    dA1 = functional.affine_vjp(dZ2, tape.A[1], example["W2"])[0]
    return (
        net,
        X,
        y,
        {
            **{
                "X": X,
                "Z1": tape.Z[1],
                "A1": tape.A[1],
                "Z2": tape.Z[2],
                "E": np.exp(tape.Z[2]),
                "P": P,
                "L": L,
                "dP": dP,
            },
            **{"L_i": functional.cross_entropy(P, y, reduction="none"), "J": functional.softmax_jacobian(tape.Z[2][0])},
            **{"J @ ones, the row sums": np.zeros(3), "dL0_dp": 5 * dP[0]},
            **{"dL0_dp @ J": functional.softmax_vjp(5 * dP[0], P[0]), "dZ2": dZ2, "dA1": dA1},
            "dZ1": functional.sigmoid_vjp(dA1, tape.Z[1]),
            **{f"d{name}": gradient for name, gradient in gradients.items()},
        },
    )


def check_toy(page):
    """Hold each array of toy.md against glassmax; return the names that were found."""
    net, X, y, truth = toy_truth()
    found = re.findall(
        r"^(\S.*?)(?: = .*?)?  +\S.*\n(?:  .*\n)*  shape (\(.*?\)).*\n((?:[\[ ].*\n|[\d.]+\n)+)", page, re.M
    )
    for name, shape, array in found:
        values = np.array(re.sub(r"[\[\]]", " ", array).split(), float)
        assert eval(shape) == np.shape(truth[name])
        agree(values, np.ravel(truth[name]))
    check_single_weight(page, net, X, y, truth["dW2"][4, 0])
    check_update(page, net.astype("float64"), X, y)
    return [name for name, *_ in found]


def check_single_weight(page, net, X, y, slope):
    agree(float(re.search(r"^dW2\[4, 0\] = (\S+)\. ", page, re.M)[1]), slope)
    rows = re.findall(r"^ +(\d+\.\d\d) +(\S+) +(\S+) +(\S+)$", page, re.M)
    assert len(rows) == 3
    for step, *printed in ([float(number) for number in row] for row in rows):
        moved = net.astype("float64")
        moved.parameters["W2"][4, 0] += step
        change = moved.loss(X, y) - net.loss(X, y)
        np.testing.assert_allclose(printed, [slope * step, change, change - slope * step], rtol=0, atol=0.5e-6)


def check_update(page, net, X, y):
    rate = float(re.search(r"take ([\d.]+) times its gradient", page)[1])
    losses = [float(loss) for loss in re.search(r"^L before  (\S+)\nL after   (\S+)$", page, re.M).groups()]
    agree(losses[0], net.loss(X, y))
    net.step(net.loss_and_gradients(X, y)[1], rate)
    agree(losses[1], net.loss(X, y))


def test_the_toy_page_is_the_output_of_the_toy_example():
    done = subprocess.run([sys.executable, ROOT / "examples" / "toy.py"], capture_output=True, text=True, check=True)
    assert "\n".join(blocks(TOY, "text")) == done.stdout


def test_every_array_of_the_toy_page_is_glassmaxs():
    names = "X Z1 A1 Z2 E P L_i L dP J|J @ ones, the row sums|dL0_dp|dL0_dp @ J|dZ2 dW2 db2 dA1 dZ1 dW1 db1"
    assert check_toy(TOY) == [name for part in names.split("|") for name in ([part] if "@" in part else part.split())]


def test_a_change_in_the_last_digit_of_any_number_of_the_toy_page_is_found():
    numbers = list(re.finditer(r"(?<![\w.])\d+\.\d+(?=[\s\]]|\. )", TOY))
    assert len(numbers) > 350
    for number in numbers:
        with pytest.raises(AssertionError):
            check_toy(with_last_digit_changed(TOY, number))


# All pages


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
    code = "\n".join(blocks((DOCS / page).read_text(encoding="utf-8"), "python"))
    wrong = code.replace("\nTrue\n", "\nFalse\n", 1) if "True" in code else code.replace("-0.0", "-0.1", 1)
    assert wrong != code
    runner = doctest.DocTestRunner(verbose=False)
    runner.run(doctest.DocTestParser().get_doctest(wrong, {}, page, page, 0), out=lambda _: None)
    assert runner.failures == 1


@pytest.mark.parametrize("page", ["notation.md", "pencil.md", "toy.md"])
def test_every_file_that_a_page_links_to_exists(page):
    links = re.findall(r"\]\((?!http)([^)#]+)\)", (DOCS / page).read_text(encoding="utf-8"))
    assert links
    assert [link for link in links if not (DOCS / link).exists()] == []
