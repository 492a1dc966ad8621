import numpy as np

network = "4-5-3"
activation = "sigmoid"

sig = lambda t: 1 / (1 + np.exp(-t))
soft = lambda t: np.exp(t) / np.exp(t).sum(axis=1, keepdims=True)
hid = lambda p, X: sig(X @ p["W1"] + p["b1"])
out = lambda p, X: soft(hid(p, X) @ p["W2"] + p["b2"])
err = lambda p, X, y: (out(p, X) - np.eye(p["b2"].shape[0])[y]) / X.shape[0]
err_hid = lambda p, X, y: err(p, X, y) @ p["W2"].T * hid(p, X) * (1 - hid(p, X))
gradients = lambda p, X, y: {
    "W1": X.T @ err_hid(p, X, y),
    "b1": err_hid(p, X, y).sum(axis=0),
    "W2": hid(p, X).T @ err(p, X, y),
    "b2": err(p, X, y).sum(axis=0),
}
