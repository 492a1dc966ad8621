from functools import reduce

import numpy as np

network = "4-5-4-3"
activation = "tanh"

relu = lambda z: np.maximum(z, 0)


def forward(pairs, X):
    def step(acc, wb):
        return acc + [np.tanh(acc[-1] @ wb[0] + wb[1])]
    hidden = reduce(step, pairs[:-1], [X])
    W, b = pairs[-1]
    Z = hidden[-1] @ W + b
    E = np.exp(Z - Z.max(axis=1, keepdims=True))
    return hidden, E / E.sum(axis=1, keepdims=True)


def gradients(p, X, y):
    pairs = [(p[f"W{i}"], p[f"b{i}"]) for i in range(1, 4)]
    hidden, probs = forward(pairs, X)
    delta = probs
    delta[np.arange(len(y)), y] -= 1
    delta /= len(y)
    grads = []
    for (W, b), A in zip(reversed(pairs), reversed(hidden)):
        grads.append((A.T @ delta, delta.sum(axis=0)))
        delta = (delta @ W.T) * (1 - A * A)
    grads.reverse()
    return [g for pair in grads for g in pair]
