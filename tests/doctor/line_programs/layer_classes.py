import numpy as np

network = "4-6-5-3"
activation = "relu"


class Module:
    def __call__(self, *args):
        return self.forward(*args)


class Linear(Module):
    def __init__(self, weight, bias):
        self.weight = weight
        self.bias = bias
        self.grads = {}

    def forward(self, inp):
        self.cache = inp
        return inp @ self.weight + self.bias

    def backward(self, grad_out):
        inp = self.cache
        self.grads["weight"] = inp.T @ grad_out
        self.grads["bias"] = grad_out.sum(axis=0)
        return grad_out @ self.weight.T


class ReLU(Module):
    def forward(self, inp):
        self.mask = inp > 0
        return np.where(self.mask, inp, 0)

    def backward(self, grad_out):
        return grad_out * self.mask


class CrossEntropy(Module):
    def forward(self, logits, target):
        shifted = logits - logits.max(axis=1, keepdims=True)
        exps = np.exp(shifted)
        self.probs = exps / exps.sum(axis=1, keepdims=True)
        self.target = target
        return -np.log(self.probs[np.arange(len(target)), target]).mean()

    def backward(self):
        grad = self.probs.copy()
        grad[np.arange(len(self.target)), self.target] -= 1
        return grad / len(self.target)


class Sequential(Module):
    def __init__(self, *layers):
        self.layers = layers

    def forward(self, x):
        for layer in self.layers:
            x = layer(x)
        return x

    def backward(self, grad):
        for layer in reversed(self.layers):
            grad = layer.backward(grad)


def gradients(params, X, y):
    fc = [Linear(params[f"W{i}"], params[f"b{i}"]) for i in (1, 2, 3)]
    model = Sequential(fc[0], ReLU(), fc[1], ReLU(), fc[2])
    criterion = CrossEntropy()
    loss = criterion(model(X), y)
    model.backward(criterion.backward())
    out = {}
    for i, layer in enumerate(fc, start=1):
        out[f"W{i}"] = layer.grads["weight"]
        out[f"b{i}"] = layer.grads["bias"]
    return loss, out
