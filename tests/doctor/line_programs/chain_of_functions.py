import numpy as np

network = "4-5-3"
activation = "sigmoid"
loss = "squared_error"


def affine_forward(x, w, b):
    out = x.dot(w) + b
    return out, (x, w, b)


def affine_backward(dout, cache):
    x, w, b = cache
    dx = dout.dot(w.T)
    dw = x.T.dot(dout)
    db = np.sum(dout, axis=0)
    return dx, dw, db


def sigmoid_forward(x):
    out = 1 / (1 + np.exp(-x))
    return out, out


def sigmoid_backward(dout, cache):
    s = cache
    return dout * s * (1 - s)


def softmax_forward(x):
    e = np.exp(x - np.max(x, axis=1, keepdims=True))
    out = e / np.sum(e, axis=1, keepdims=True)
    return out, out


def softmax_backward(dout, cache):
    s = cache
    inner = np.sum(dout * s, axis=1, keepdims=True)
    return s * (dout - inner)


def mse_loss(x, t):
    diff = x - t
    loss = 0.5 * np.sum(diff ** 2) / len(x)
    return loss, diff / len(x)


def gradients(params, X, T):
    z1, fc1_cache = affine_forward(X, params["W1"], params["b1"])
    a1, act_cache = sigmoid_forward(z1)
    z2, fc2_cache = affine_forward(a1, params["W2"], params["b2"])
    prob, soft_cache = softmax_forward(z2)
    loss, dprob = mse_loss(prob, T)
    dz2 = softmax_backward(dprob, soft_cache)
    da1, dw2, db2 = affine_backward(dz2, fc2_cache)
    dz1 = sigmoid_backward(da1, act_cache)
    _, dw1, db1 = affine_backward(dz1, fc1_cache)
    return loss, {"W1": dw1, "b1": db1, "W2": dw2, "b2": db2}
