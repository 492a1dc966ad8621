"""What each equation of notation.md is about: the arrays of glassmax under the names of the page, and the check.

A line of a block of equations is ``index form   matrix form   (shape)``, three columns that are at least three spaces
apart. The index form is evaluated entry by entry, with loops for its sums; the matrix form by NumPy; both must give
glassmax's own array.
"""

import re

import numpy as np

from glassmax import Network, functional
from tests.pages.notation import blocks, by_index_form, by_matrix_form, name_of, spelled


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
