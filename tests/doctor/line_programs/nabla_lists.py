import numpy as np

network = "4-5-3"
activation = "sigmoid"
output = "sigmoid"
loss = "squared_error"


def sigmoid(z):
    return 1.0 / (1.0 + np.exp(-z))


def sigmoid_prime(z):
    return sigmoid(z) * (1 - sigmoid(z))


def backprop(biases, weights, x, y):
    nabla_b = [np.zeros(b.shape) for b in biases]
    nabla_w = [np.zeros(w.shape) for w in weights]
    activation = x
    activations = [x]
    zs = []
    for b, w in zip(biases, weights):
        z = np.dot(w, activation) + b
        zs.append(z)
        activation = sigmoid(z)
        activations.append(activation)
    delta = (activations[-1] - y) * sigmoid_prime(zs[-1])
    nabla_b[-1] = delta
    nabla_w[-1] = np.dot(delta, activations[-2].transpose())
    for l in range(2, len(weights) + 1):
        z = zs[-l]
        sp = sigmoid_prime(z)
        delta = np.dot(weights[-l + 1].transpose(), delta) * sp
        nabla_b[-l] = delta
        nabla_w[-l] = np.dot(delta, activations[-l - 1].transpose())
    return nabla_b, nabla_w


def gradients(params, X, Y):
    weights = [params["W1"].T, params["W2"].T]
    biases = [params["b1"][:, None], params["b2"][:, None]]
    sum_b = [np.zeros(b.shape) for b in biases]
    sum_w = [np.zeros(w.shape) for w in weights]
    for x, y in zip(X, Y):
        delta_nabla_b, delta_nabla_w = backprop(biases, weights, x[:, None], y[:, None])
        sum_b = [nb + dnb for nb, dnb in zip(sum_b, delta_nabla_b)]
        sum_w = [nw + dnw for nw, dnw in zip(sum_w, delta_nabla_w)]
    n = len(X)
    return [sum_w[0].T / n, sum_b[0].ravel() / n, sum_w[1].T / n, sum_b[1].ravel() / n]
