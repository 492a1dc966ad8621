"""Every array of a batch in plain NumPy, from X, y and the parameters alone: what a trace is held against.

Nothing of glassmax is imported. Softmax goes through the Jacobian of each sample, never through a short form, and sums
over samples are loops where a transpose could hide.
"""

import math

import numpy as np

ERF = np.vectorize(math.erf)
SLOPE, SCALE, ALPHA = 0.01, 1.0507009873554804934, 1.6732632423543772848


def sigmoid(z):
    return 1 / (1 + np.exp(-z))


def softplus(z):
    return np.log1p(np.exp(z))


def normal(z):
    return (1 + ERF(z / math.sqrt(2))) / 2


ACTIVATIONS = {
    "identity": (lambda z: z, np.ones_like),
    "sigmoid": (sigmoid, lambda z: sigmoid(z) * (1 - sigmoid(z))),
    "tanh": (np.tanh, lambda z: 1 - np.tanh(z) ** 2),
    "relu": (lambda z: np.maximum(z, 0), lambda z: (z > 0).astype(float)),
    "leaky_relu": (lambda z: np.where(z > 0, z, SLOPE * z), lambda z: np.where(z > 0, 1.0, SLOPE)),
    "elu": (lambda z: np.where(z > 0, z, np.exp(z) - 1), lambda z: np.where(z > 0, 1.0, np.exp(z))),
    "selu": (
        lambda z: SCALE * np.where(z > 0, z, ALPHA * (np.exp(z) - 1)),
        lambda z: SCALE * np.where(z > 0, 1.0, ALPHA * np.exp(z)),
    ),
    "gelu": (
        lambda z: z * normal(z),
        lambda z: normal(z) + z * np.exp(-z * z / 2) / math.sqrt(2 * math.pi),
    ),
    "silu": (lambda z: z * sigmoid(z), lambda z: sigmoid(z) + z * sigmoid(z) * (1 - sigmoid(z))),
    "mish": (
        lambda z: z * np.tanh(softplus(z)),
        lambda z: np.tanh(softplus(z)) + z * (1 - np.tanh(softplus(z)) ** 2) * sigmoid(z),
    ),
    "softplus": (softplus, sigmoid),
}

LOSSES = {
    "cross_entropy": (lambda P, Y: -(Y * np.log(P)).sum(axis=1), lambda P, Y: -Y / P),
    "squared_error": (lambda P, Y: ((P - Y) ** 2).sum(axis=1) / 2, lambda P, Y: P - Y),
    "binary_cross_entropy": (
        lambda P, Y: -(Y * np.log(P) + (1 - Y) * np.log(1 - P)).sum(axis=1),
        lambda P, Y: (1 - Y) / (1 - P) - Y / P,
    ),
    "candidate_cross_entropy": (
        lambda P, Y: -np.log((Y * P).sum(axis=1)),
        lambda P, Y: -Y / (Y * P).sum(axis=1, keepdims=True),
    ),
}


def jacobian(p):
    """Return the Jacobian of softmax at one sample, cell by cell."""
    k = len(p)
    return np.array([[p[c] * ((c == m) - p[m]) for m in range(k)] for c in range(k)])


def plain_arrays(parameters, X, Y, w, activations, output, loss, l2=0.0, masks=None):
    """Return every array by its name; `Y` are rows, `w` weights or None, `masks` a dict by layer or None."""
    last, n = len(activations) + 1, len(X)
    a = {"X": X, "Y": Y, "n": float(n), **parameters}
    if l2:
        a["l2"] = l2
    if w is not None:
        a |= {"w": w, "s": w.sum()}
    below = X
    for layer in range(1, last + 1):
        Z = a[f"Z{layer}"] = np.array([row @ parameters[f"W{layer}"] + parameters[f"b{layer}"] for row in below])
        if layer < last:
            below = ACTIVATIONS[activations[layer - 1]][0](Z)
            if masks:
                a[f"D{layer}"] = masks[layer]
                below = below * masks[layer]
            a[f"A{layer}"] = below
    if output == "softmax":
        a["E"] = np.exp(Z)
        a["S"] = a["E"].sum(axis=1)
        P = a["E"] / a["S"][:, None]
    else:
        P = ACTIVATIONS[output][0](Z)
    a["P"] = P
    a["L_i"] = LOSSES[loss][0](P, Y)
    share = np.full(n, 1 / n) if w is None else w / w.sum()
    a["R"] = sum(l2 / 2 * (parameters[f"W{layer}"] ** 2).sum() for layer in range(1, last + 1))
    a["L"] = (share * a["L_i"]).sum() + a["R"]
    a["dP"] = share[:, None] * LOSSES[loss][1](P, Y)
    if output == "softmax":
        dZ = np.array([dp @ jacobian(p) for dp, p in zip(a["dP"], P, strict=True)])
    else:
        dZ = a["dP"] * ACTIVATIONS[output][1](Z)
    for layer in range(last, 0, -1):
        below = a[f"A{layer - 1}"] if layer > 1 else X
        W = parameters[f"W{layer}"]
        a[f"dZ{layer}"] = dZ
        a[f"dW{layer}"] = sum(np.outer(x, dz) for x, dz in zip(below, dZ, strict=True)) + l2 * W
        a[f"db{layer}"] = sum(dZ)
        dA = np.array([W @ dz for dz in dZ])
        if layer > 1:
            a[f"dA{layer - 1}"] = dA
            slope = ACTIVATIONS[activations[layer - 2]][1](a[f"Z{layer - 1}"])
            dZ = dA * slope * (masks[layer - 1] if masks else 1)
    a["dX"] = dA
    return a
