import numpy as np

network = "5-6-4"
activation = "tanh"
output = "sigmoid"
loss = "binary_cross_entropy"


def forward_pass(X, model):
    hidden = np.tanh(X @ model["W1"] + model["b1"])
    logit = hidden @ model["W2"] + model["b2"]
    prob = 1.0 / (1.0 + np.exp(-logit))
    cache = {"X": X, "hidden": hidden, "prob": prob}
    return prob, cache


def backward_pass(labels, cache, model):
    batch_size = labels.shape[0]
    prob = cache["prob"]
    dprob = (prob - labels) / (prob * (1 - prob)) / batch_size
    dlogit = dprob * prob * (1 - prob)
    grads = {
        "W2": cache["hidden"].T @ dlogit,
        "b2": dlogit.sum(axis=0),
    }
    dhidden = dlogit @ model["W2"].T
    dpre = dhidden * (1 - cache["hidden"] ** 2)
    grads["W1"] = cache["X"].T @ dpre
    grads["b1"] = dpre.sum(axis=0)
    return grads


def gradients(model, X, labels):
    prob, cache = forward_pass(X, model)
    return backward_pass(labels, cache, model)
