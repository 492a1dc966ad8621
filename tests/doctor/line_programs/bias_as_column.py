import numpy as np

network = "4-5-3"
activation = "sigmoid"


def with_ones(A):
    return np.hstack([A, np.ones((A.shape[0], 1))])


def gradients(p, X, y):
    V = np.vstack([p["W1"], p["b1"]])
    W = np.vstack([p["W2"], p["b2"]])
    Xb = with_ones(X)
    H = 1 / (1 + np.exp(-(Xb @ V)))
    Hb = with_ones(H)
    S = Hb @ W
    E = np.exp(S - S.max(axis=1)[:, None])
    O = E / E.sum(axis=1)[:, None]
    G = O - np.eye(W.shape[1])[y]
    G = G / len(X)
    gW = Hb.T @ G
    GH = G @ W[:-1].T
    GS = GH * H * (1 - H)
    gV = Xb.T @ GS
    return {"W1": gV[:-1], "b1": gV[-1], "W2": gW[:-1], "b2": gW[-1]}
