import numpy as np

network = "5-3"
l2 = 0.1


def softmax_grad(Theta, bias, data, labels, lam):
    m = data.shape[0]
    M = data @ Theta + bias
    M = M - np.max(M, axis=1).reshape(m, 1)
    eM = np.exp(M)
    H = eM / np.sum(eM, axis=1).reshape(m, 1)
    groundTruth = np.zeros((m, Theta.shape[1]))
    groundTruth[np.arange(m), labels] = 1
    thetagrad = -1 / m * data.T @ (groundTruth - H) + lam * Theta
    biasgrad = -1 / m * np.sum(groundTruth - H, axis=0)
    return thetagrad, biasgrad


def gradients(p, X, y):
    return softmax_grad(p["W1"], p["b1"], X, y, 0.1)
