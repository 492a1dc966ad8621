import numpy as np

network = "4-6-2"
activation = "tanh"
loss = "squared_error"
output = "sigmoid"


def sig(x): return 1 / (1 + np.exp(-x))


def one(x, t, w_h, b_h, w_o, b_o):
    """gradients of one example"""
    net_h = x @ w_h + b_h
    out_h = np.tanh(net_h)
    net_o = out_h @ w_o + b_o
    out_o = sig(net_o)
    E = 0.5 * ((t - out_o) ** 2).sum()
    dE_dout = -(t - out_o)
    dout_dnet = out_o * (1 - out_o)
    delta_o = dE_dout * dout_dnet
    dE_dwo = delta_o * out_h[:, np.newaxis]
    dE_douth = w_o @ delta_o
    delta_h = dE_douth * (1 - out_h ** 2)
    dE_dwh = delta_h * x[:, np.newaxis]
    return E, dE_dwh, delta_h, dE_dwo, delta_o


def gradients(theta, X, T):
    results = []
    for x, t in zip(X, T):
        results.append(one(x, t, theta["W1"], theta["b1"], theta["W2"], theta["b2"]))
    losses, wh, bh, wo, bo = zip(*results)
    return np.mean(losses), {"W1": np.mean(wh, axis=0), "b1": np.mean(bh, axis=0), "W2": np.mean(wo, axis=0), "b2": np.mean(bo, axis=0)}
