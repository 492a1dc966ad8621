"""The whole method on one page: softmax, cross-entropy, a dense network of any depth, backpropagation, training.

Rows are samples. Layers count from 1; A[0] is X. dV is the derivative of the loss L with respect to V, in its shape.

    up      Z_l = A_{l-1} W_l + b_l              A_l = sigmoid(Z_l)          P = softmax(Z_last)
    loss    L = - 1/n sum_i sum_c Y_ic log P_ic
    down    dZ_last = (P - Y)/n                  dW_l = A_{l-1}ᵀ dZ_l        db_l = column sums of dZ_l
            dA_{l-1} = dZ_l W_lᵀ                 dZ_{l-1} = dA_{l-1} * A_{l-1} * (1 - A_{l-1})
    step    W_l = W_l - rate dW_l                b_l = b_l - rate db_l       (all gradients first, then all steps)
"""

import numpy as np


def sigmoid(Z):
    return 1 / (1 + np.exp(-Z))


def softmax(Z):
    E = np.exp(Z - Z.max(axis=1, keepdims=True))  # without the maximum exp could overflow; P is the same
    return E / E.sum(axis=1, keepdims=True)


def cross_entropy(P, Y):
    charged = Y > 0  # the other terms are 0 times a logarithm, and count as 0
    return -(Y[charged] * np.log(P[charged])).sum() / len(Y)


def new_weights(sizes, rng):
    """Draw W_l and set b_l to 0, for sizes = (features, hidden units, ..., classes)."""
    layers = range(1, len(sizes))
    W = {layer: rng.normal(0, 2 / np.sqrt(sizes[layer - 1]), (sizes[layer - 1], sizes[layer])) for layer in layers}
    b = {layer: np.zeros(sizes[layer]) for layer in layers}
    return W, b


def forward(X, W, b):
    """Return A[0] = X, A[1], ..., A[last] = P: backpropagation needs all of them."""
    A, last = {0: X}, len(W)
    for layer in range(1, last + 1):
        Z = A[layer - 1] @ W[layer] + b[layer]
        A[layer] = sigmoid(Z) if layer < last else softmax(Z)
    return A


def backward(A, Y, W):
    """Return dW and db, from the last layer down to the first."""
    dW, db, last = {}, {}, len(W)
    dZ = (A[last] - Y) / len(Y)
    for layer in range(last, 0, -1):
        dW[layer] = A[layer - 1].T @ dZ
        db[layer] = dZ.sum(axis=0)
        if layer > 1:
            dA = dZ @ W[layer].T
            dZ = dA * A[layer - 1] * (1 - A[layer - 1])  # the slope of the sigmoid at Z is A (1 - A)
    return dW, db


def step(W, b, dW, db, rate):
    for layer in W:
        W[layer] -= rate * dW[layer]
        b[layer] -= rate * db[layer]


def train(X, Y, W, b, rate, epochs, batch, rng):
    """Go through the samples in a new order each epoch, one batch a step; yield the loss after each epoch."""
    for _ in range(epochs):
        order = rng.permutation(len(X))
        for start in range(0, len(X), batch):
            rows = order[start : start + batch]
            step(W, b, *backward(forward(X[rows], W, b), Y[rows], W), rate)
        yield cross_entropy(forward(X, W, b)[len(W)], Y)


def three_arms(n, rng):
    """Draw n points on three spiral arms; the arm is the class."""
    y = np.arange(n) % 3
    radius = rng.uniform(0.1, 1, n)
    angle = 2 * np.pi * y / 3 + 4 * radius + rng.normal(0, 0.15, n)
    return np.column_stack([radius * np.cos(angle), radius * np.sin(angle)]), y


if __name__ == "__main__":
    rng = np.random.default_rng(0)
    X, y = three_arms(300, rng)
    Y = np.eye(3)[y]
    W, b = new_weights((2, 24, 12, 3), rng)
    for epoch, loss in enumerate(train(X, Y, W, b, rate=1.0, epochs=100, batch=20, rng=rng), start=1):
        if epoch % 10 == 0:
            right = (forward(X, W, b)[len(W)].argmax(axis=1) == y).mean()
            print(f"epoch {epoch:3d}   loss {loss:.4f}   accuracy {right:6.1%}")
