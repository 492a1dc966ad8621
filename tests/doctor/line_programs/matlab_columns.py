"""Ported from my MATLAB homework: one column = one example."""
import numpy as np

network = "5-7-4"
activation = "sigmoid"


def sigmoid(z):
    return 1.0 / (1.0 + np.exp(-z))


def sigmoidGradient(z):
    g = sigmoid(z)
    return np.multiply(g, 1 - g)


def gradients(params, X, y):
    Theta1 = params["W1"].T; b1 = params["b1"].reshape(-1, 1)
    Theta2 = params["W2"].T; b2 = params["b2"].reshape(-1, 1)
    m = X.shape[0]
    num_labels = Theta2.shape[0]
    a_1 = X.T
    z_2 = np.dot(Theta1, a_1) + np.tile(b1, (1, m))
    a_2 = sigmoid(z_2)
    z_3 = np.dot(Theta2, a_2) + np.tile(b2, (1, m))
    e = np.exp(z_3)
    h = e / np.tile(np.sum(e, axis=0), (num_labels, 1))
    yk = np.zeros((num_labels, m))
    for t in range(0, m):
        yk[y[t], t] = 1
    delta_3 = h - yk
    delta_2 = np.multiply(np.dot(Theta2.T, delta_3), sigmoidGradient(z_2))
    Delta_1 = np.dot(delta_2, a_1.T)
    Delta_2 = np.dot(delta_3, a_2.T)
    Theta1_grad = Delta_1 / m
    Theta2_grad = Delta_2 / m
    b1_grad = np.sum(delta_2, axis=1) / m
    b2_grad = np.sum(delta_3, axis=1) / m
    return {"W1": Theta1_grad.T, "b1": b1_grad, "W2": Theta2_grad.T, "b2": b2_grad}
