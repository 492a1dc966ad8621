import numpy as np

network = "5-4-3"
activation = "sigmoid"
l2 = 0.05


def gradients(P, X, Y):
    lamb = 0.05
    W = [P["W1"].T.copy(), P["W2"].T.copy()]
    b = [P["b1"].reshape((-1, 1)), P["b2"].reshape((-1, 1))]
    data, T = X.T, np.eye(3)[:, Y]
    N = data.shape[1]
    layers = [data]
    for w, bias in zip(W, b):
        s = w @ layers[-1] + bias
        layers.append(1 / (1 + np.exp(-s)) if len(layers) < 2 else np.exp(s) / np.ones((3, 3)).dot(np.exp(s)))
    G = -(T - layers[-1])
    grad_W, grad_b = [], []
    for i in (1, 0):
        grad_W.insert(0, G @ layers[i].T / N + lamb * W[i])
        grad_b.insert(0, G @ np.ones((N, 1)) / N)
        G = W[i].T @ G
        G = G * (layers[i] * (1 - layers[i]))
    return {"W1": grad_W[0].T, "b1": grad_b[0].ravel(), "W2": grad_W[1].T, "b2": grad_b[1].ravel()}
