import numpy as np

network = "4-6-5-3"
activation = "tanh"


def gradients(params, X, y):
    L = 3
    W = [None] + [params["W%d" % i] for i in range(1, L + 1)]
    b = [None] + [params["b%d" % i] for i in range(1, L + 1)]
    m = len(y)

    # forward
    z = [None] * (L + 1)
    a = [None] * (L + 1)
    a[0] = X
    for l in range(1, L + 1):
        z[l] = a[l - 1].dot(W[l]) + b[l]
        if l < L:
            a[l] = np.tanh(z[l])
        else:
            ez = np.exp(z[l])
            a[l] = ez / ez.sum(axis=1).reshape(m, 1)

    # backward
    dz = [None] * (L + 1)
    dW = [None] * (L + 1)
    db = [None] * (L + 1)
    target = np.zeros(a[L].shape)
    target[range(m), y] = 1
    dz[L] = a[L] - target
    for l in range(L, 0, -1):
        dW[l] = a[l - 1].T.dot(dz[l]) / m
        db[l] = dz[l].sum(axis=0) / m
        if l > 1:
            dz[l - 1] = dz[l].dot(W[l].T) * (1 - a[l - 1] ** 2)
    return dW[1], db[1], dW[2], db[2], dW[3], db[3]
