"""How pencil.md is read: patterns, the numbers in their places, and the pictures of matrices.

In a ``pencil`` block a line ``Z1[i,v] = X[i,0]·W1[0,v] + ...`` with letters for indices is a pattern. The lines below
it, ``Z1[0,1] = 1·0.5 + ... = 0.3``, put numbers in its place: each number must be that of the array in the pattern, the
arithmetic must come out as printed, and the result must be glassmax's, to the last printed digit. A negative number
inside the arithmetic stands in brackets. A line ``dW2 = A1ᵀ dZ2`` is followed by a picture: the numbers of each matrix
of that equation, in order, in square brackets.
"""

import re

import numpy as np

from glassmax import Network, functional
from tests.pages.notation import (
    FUNCTIONS,
    agree,
    blocks,
    by_index_form,
    by_matrix_form,
    indices_of,
    name_of,
    python_of_index_form,
    text_of,
)

PENCIL = text_of("pencil.md")
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


def numbers_in(text):
    """Find the printed numbers of a block, not the digits of names and indices."""
    return re.finditer(r"(?<![A-Za-z_\d.])(?<!\w\[)(?<!\w\[\w,)\d+(?:\.\d+)?(?![\d.])", text)
