"""Derive the gradient of a network, write it down with a mistake, let glassmax find the mistake, and correct it.

python examples/derive_and_diagnose.py
"""

import numpy as np

import glassmax as gm

network = gm.Network([4, 10, 3], activation="sigmoid", random_state=0)
X = np.random.default_rng(0).normal(size=(6, 4))
y = np.array([0, 1, 2, 2, 1, 0])


def sigmoid(Z):
    return 1 / (1 + np.exp(-Z))


def softmax(Z):
    E = np.exp(Z - Z.max(axis=1, keepdims=True))
    return E / E.sum(axis=1, keepdims=True)


def gradients_with_a_mistake(parameters, X, y):
    W1, b1, W2, b2 = (parameters[name] for name in ("W1", "b1", "W2", "b2"))
    A1 = sigmoid(X @ W1 + b1)
    P = softmax(A1 @ W2 + b2)
    dZ2 = (P - np.eye(3)[y]) / len(y)
    dZ1 = dZ2 @ W2.T  # the derivative of the sigmoid is missing
    return {"W1": X.T @ dZ1, "b1": dZ1.sum(axis=0), "W2": A1.T @ dZ2, "b2": dZ2.sum(axis=0)}


def gradients(parameters, X, y):
    W1, b1, W2, b2 = (parameters[name] for name in ("W1", "b1", "W2", "b2"))
    A1 = sigmoid(X @ W1 + b1)
    P = softmax(A1 @ W2 + b2)
    dZ2 = (P - np.eye(3)[y]) / len(y)
    dZ1 = dZ2 @ W2.T * A1 * (1 - A1)
    return {"W1": X.T @ dZ1, "b1": dZ1.sum(axis=0), "W2": A1.T @ dZ2, "b2": dZ2.sum(axis=0)}


if __name__ == "__main__":
    print("The gradient of each parameter, derived from the loss:\n")
    for name in network.parameters:
        derivation = network.derive(name)
        print(f"d{name} = {derivation.matrix_form}    {derivation.verdict}")
    print("\nThe diagnosis of a gradient in which the derivative of the sigmoid is missing:\n")
    print(gm.diagnose(gradients_with_a_mistake, X, y, network=network))
    print("\nThe diagnosis of the corrected gradient:\n")
    print(gm.diagnose(gradients, X, y, network=network))
