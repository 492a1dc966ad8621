import numpy as np

network = "5-4-3"
activation = "tanh"


def gradients(p, X, y):
    n, d = X.shape
    h = p["W1"].shape[1]
    k = p["W2"].shape[1]
    hid = np.empty((n, h))
    out = np.empty((n, k))
    np.dot(X, p["W1"], out=hid)
    hid += p["b1"]
    np.tanh(hid, out=hid)
    np.dot(hid, p["W2"], out=out)
    out += p["b2"]
    out -= out.max(axis=1).reshape(n, 1)
    np.exp(out, out=out)
    out /= out.sum(axis=1).reshape(n, 1)
    delta = np.empty((n, k))
    delta[:] = out
    for i in range(n):
        delta[i, y[i]] = delta[i, y[i]] - 1.0
    delta /= n
    gW2 = np.zeros((h, k))
    gb2 = np.zeros(k)
    for i in range(n):
        gW2 += np.outer(hid[i], delta[i])
        gb2 += delta[i]
    back = np.empty((n, h))
    np.dot(delta, p["W2"].T, out=back)
    back *= 1.0 - hid * hid
    gW1 = np.zeros((d, h))
    gb1 = np.zeros(h)
    for i in range(n):
        gW1 += np.outer(X[i], back[i])
        gb1 += back[i]
    return {"W1": gW1, "b1": gb1, "W2": gW2, "b2": gb2}
