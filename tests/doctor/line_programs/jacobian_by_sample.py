import numpy as np

network = "3-5-4"
activation = "tanh"
loss = "squared_error"


def softmax_jacobian(s):
    s = s.reshape(-1, 1)
    return np.diagflat(s) - np.dot(s, s.T)


def gradients(params, X, Y):
    w1, b1, w2, b2 = params["W1"], params["b1"], params["W2"], params["b2"]
    N = X.shape[0]
    z1 = X.dot(w1) + b1
    a1 = np.tanh(z1)
    z2 = a1.dot(w2) + b2
    ez = np.exp(z2 - np.amax(z2, axis=1, keepdims=True))
    yhat = ez / np.sum(ez, axis=1, keepdims=True)
    dL_dyhat = (yhat - Y) / N
    dL_dz2 = np.zeros(z2.shape)
    for i in range(N):
        J = softmax_jacobian(yhat[i])
        dL_dz2[i, :] = dL_dyhat[i, :].dot(J)
    dL_dw2 = a1.T.dot(dL_dz2)
    dL_db2 = dL_dz2.sum(axis=0)
    dL_da1 = dL_dz2.dot(w2.T)
    dL_dz1 = dL_da1 * (1.0 - a1 ** 2)
    dL_dw1 = X.T.dot(dL_dz1)
    dL_db1 = dL_dz1.sum(axis=0)
    return {"W1": dL_dw1, "b1": dL_db1, "W2": dL_dw2, "b2": dL_db2}
