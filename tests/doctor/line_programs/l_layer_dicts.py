import numpy as np

network = "5-6-4-3"
activation = "relu"


def linear_activation_forward(A_prev, W, b, activation):
    Z = np.dot(W, A_prev) + b
    linear_cache = (A_prev, W, b)
    if activation == "softmax":
        t = np.exp(Z - np.max(Z, axis=0))
        A = t / np.sum(t, axis=0)
    else:
        A = np.maximum(0, Z)
    return A, (linear_cache, Z)


def relu_backward(dA, Z):
    dZ = np.array(dA, copy=True)
    dZ[Z <= 0] = 0
    return dZ


def linear_backward(dZ, cache):
    A_prev, W, b = cache
    m = A_prev.shape[1]
    dW = 1. / m * np.dot(dZ, A_prev.T)
    db = 1. / m * np.sum(dZ, axis=1, keepdims=True)
    dA_prev = np.dot(W.T, dZ)
    return dA_prev, dW, db


def L_model_forward(X, parameters):
    caches = []
    A = X
    L = len(parameters) // 2
    for l in range(1, L):
        A_prev = A
        A, cache = linear_activation_forward(A_prev, parameters['W' + str(l)], parameters['b' + str(l)], "relu")
        caches.append(cache)
    AL, cache = linear_activation_forward(A, parameters['W' + str(L)], parameters['b' + str(L)], "softmax")
    caches.append(cache)
    return AL, caches


def L_model_backward(AL, Y, caches):
    grads = {}
    L = len(caches)
    dZ = AL - Y
    linear_cache, _ = caches[L - 1]
    grads["dA" + str(L - 1)], grads["dW" + str(L)], grads["db" + str(L)] = linear_backward(dZ, linear_cache)
    for l in reversed(range(L - 1)):
        linear_cache, activation_cache = caches[l]
        dZ = relu_backward(grads["dA" + str(l + 1)], activation_cache)
        grads["dA" + str(l)], grads["dW" + str(l + 1)], grads["db" + str(l + 1)] = linear_backward(dZ, linear_cache)
    return grads


def gradients(weights, X, y):
    parameters = {}
    for l in range(1, len(weights) // 2 + 1):
        parameters["W" + str(l)] = weights["W" + str(l)].T
        parameters["b" + str(l)] = weights["b" + str(l)].reshape(-1, 1)
    AL, caches = L_model_forward(X.T, parameters)
    Y = np.eye(AL.shape[0])[y].T
    grads = L_model_backward(AL, Y, caches)
    result = {}
    for l in range(1, len(weights) // 2 + 1):
        result["W" + str(l)] = grads["dW" + str(l)].T
        result["b" + str(l)] = grads["db" + str(l)].ravel()
    return result
