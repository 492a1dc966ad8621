"""Right gradients times a factor, of an undeclared loss: a convention, whatever the network, never a mistake."""

import numpy as np
import pytest

import glassmax as gm

ACTIVATIONS = {
    "relu": (lambda Z: np.maximum(Z, 0), lambda Z, A: (Z > 0) * 1.0),
    "tanh": (np.tanh, lambda Z, A: 1 - A * A),
    "sigmoid": (lambda Z: 1 / (1 + np.exp(-Z)), lambda Z, A: A * (1 - A)),
    "identity": (lambda Z: Z, lambda Z, A: np.ones_like(Z)),
}
STACKS = [["relu"], ["tanh", "relu"]]
MORE_STACKS = [["relu", "relu"], ["relu", "tanh"], ["sigmoid", "relu"], ["tanh", "tanh", "relu"]]
OUTPUTS = ["identity", "sigmoid", "relu", "softmax"]


def backward(activations, output, factor):
    """Right gradients times a factor."""

    def gradients(p, X, y):
        A, Z = [X], []
        for layer, name in enumerate([*activations, output], start=1):
            Z.append(A[-1] @ p[f"W{layer}"] + p[f"b{layer}"])
            if name == "softmax":
                E = np.exp(Z[-1] - Z[-1].max(axis=1, keepdims=True))
                A.append(E / E.sum(axis=1, keepdims=True))
            else:
                A.append(ACTIVATIONS[name][0](Z[-1]))
        if output == "softmax":
            D = factor * (A[-1] - np.eye(A[-1].shape[1])[y]) / len(X)
        else:
            D = factor * (A[-1] - y) / len(X) * ACTIVATIONS[output][1](Z[-1], A[-1])
        found = {}
        for layer in range(len(Z), 0, -1):
            found |= {f"W{layer}": A[layer - 1].T @ D, f"b{layer}": D.sum(axis=0)}
            if layer > 1:
                own = ACTIVATIONS[activations[layer - 2]][1](Z[layer - 2], A[layer - 1])
                D = (D @ p[f"W{layer}"].T) * own
        return found

    return gradients


def setting(activations, output, dead=False):
    draw = np.random.default_rng(3)
    loss = "cross_entropy" if output == "softmax" else "squared_error"
    sizes = [4, 5, 6, 4][: len(activations) + 1] + [3]
    net = gm.Network(sizes, activation=activations, output=output, loss=loss, random_state=1)
    parameters = {name: draw.normal(size=array.shape) * 0.7 for name, array in net.parameters.items()}
    if dead:
        parameters[f"b{len(activations)}"] -= 100.0
    X = draw.normal(size=(8, 4))
    y = draw.integers(0, 3, 8) if output == "softmax" else np.abs(draw.normal(size=(8, 3)))
    return net, parameters, X, y


@pytest.mark.parametrize("arrays", [False, True], ids=["function", "arrays"])
@pytest.mark.parametrize("output", OUTPUTS)
@pytest.mark.parametrize(
    "activations", [*STACKS, *(pytest.param(stack, marks=pytest.mark.slow) for stack in MORE_STACKS)], ids="-".join
)
def test_a_factor_throughout_is_no_mistake(activations, output, arrays):
    net, parameters, X, y = setting(activations, output)
    for factor in (2, 0.5, -1, 1 / 8, 8, 0.1, -0.03):
        gradients = backward(activations, output, factor)
        handed = gradients(parameters, X, y) if arrays else gradients
        diagnosis = gm.diagnose(handed, X, y, network=net, parameters=parameters)
        assert diagnosis.verdict == "correct under another convention", f"factor {factor}\n{diagnosis}"


@pytest.mark.parametrize("arrays", [False, True], ids=["function", "arrays"])
@pytest.mark.parametrize("activations", [["relu"], ["tanh", "relu"]], ids="-".join)
def test_where_a_dead_layer_leaves_zeros_any_factor_fits_them(activations, arrays):
    net, parameters, X, y = setting(activations, "identity", dead=True)
    another = "correct under another convention"
    for factor, verdict in ((1, "correct"), (2, another), (-8, another)):
        gradients = backward(activations, "identity", factor)
        handed = gradients(parameters, X, y) if arrays else gradients
        diagnosis = gm.diagnose(handed, X, y, network=net, parameters=parameters)
        assert diagnosis.verdict == verdict, f"factor {factor}\n{diagnosis}"


SIGNS = {
    "P + Y": lambda P, Y: P + Y,
    "|P - Y|": lambda P, Y: np.abs(P - Y),
    "-P off the true class": lambda P, Y: np.where(Y == 1, P - 1, -P),
}


@pytest.mark.parametrize("wrong", SIGNS.values(), ids=SIGNS)
@pytest.mark.parametrize("arrays", [False, True])
def test_a_sign_inside_a_formula_is_no_convention(wrong, arrays):
    network = gm.Network([4, 5, 3], activation="sigmoid", random_state=1)
    draw = np.random.default_rng(3)
    X, y = draw.normal(size=(8, 4)), np.array([0, 1, 2, 0, 1, 2, 1, 0])

    def gradients(p, X, y):
        A1 = 1 / (1 + np.exp(-(X @ p["W1"] + p["b1"])))
        E = np.exp(A1 @ p["W2"] + p["b2"])
        P, Y = E / E.sum(axis=1, keepdims=True), np.eye(3)[y]
        dZ2 = wrong(P, Y) / len(X)
        dZ1 = dZ2 @ p["W2"].T * A1 * (1 - A1)
        return {"W1": X.T @ dZ1, "b1": dZ1.sum(axis=0), "W2": A1.T @ dZ2, "b2": dZ2.sum(axis=0)}

    given = gradients(network.parameters, X, y) if arrays else gradients
    assert gm.diagnose(given, X, y, network=network).verdict == "wrong"


@pytest.mark.parametrize("arrays", [False, True], ids=["function", "arrays"])
@pytest.mark.parametrize("activations", [[], ["sigmoid"], ["sigmoid", "relu"]], ids=["none", "sigmoid", "sigmoid-relu"])
def test_a_factor_without_a_name_is_one_even_where_the_bias_is_a_single_number(activations, arrays):
    draw = np.random.default_rng(2)
    sizes = [3, 5, 2][: len(activations) + 1] + [1]
    net = gm.Network(sizes, activation=activations or "relu", output="sigmoid", loss="squared_error")
    parameters = {name: draw.normal(size=array.shape) for name, array in net.parameters.items()}
    X, y = draw.normal(size=(5, 3)), draw.uniform(size=(5, 1))
    for factor in (0.37, 8, -8):
        gradients = backward(activations, "sigmoid", factor)
        handed = gradients(parameters, X, y) if arrays else gradients
        diagnosis = gm.diagnose(handed, X, y, network=net, parameters=parameters)
        assert diagnosis.verdict == "correct under another convention", f"factor {factor}\n{diagnosis}"
