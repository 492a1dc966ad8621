# coding: utf-8
import numpy as np

network = "4-5-3"
activation = "relu"


def softmax(x):
    if x.ndim == 2:
        x = x.T
        x = x - np.max(x, axis=0)
        y = np.exp(x) / np.sum(np.exp(x), axis=0)
        return y.T
    x = x - np.max(x)
    return np.exp(x) / np.sum(np.exp(x))


class Relu:
    def __init__(self):
        self.mask = None

    def forward(self, x):
        self.mask = (x <= 0)
        out = x.copy()
        out[self.mask] = 0
        return out

    def backward(self, dout):
        dout[self.mask] = 0
        dx = dout
        return dx


class Affine:
    def __init__(self, W, b):
        self.W = W
        self.b = b
        self.x = None
        self.dW = None
        self.db = None

    def forward(self, x):
        self.x = x
        out = np.dot(self.x, self.W) + self.b
        return out

    def backward(self, dout):
        dx = np.dot(dout, self.W.T)
        self.dW = np.dot(self.x.T, dout)
        self.db = np.sum(dout, axis=0)
        return dx


class SoftmaxWithLoss:
    def forward(self, x, t):
        self.t = t
        self.y = softmax(x)
        return self.y

    def backward(self, dout=1):
        batch_size = self.t.shape[0]
        dx = self.y.copy()
        dx[np.arange(batch_size), self.t] -= 1
        dx = dx / batch_size
        return dx * dout


def gradients(params, x, t):
    layers = {}
    layers['Affine1'] = Affine(params['W1'], params['b1'])
    layers['Relu1'] = Relu()
    layers['Affine2'] = Affine(params['W2'], params['b2'])
    last = SoftmaxWithLoss()
    for layer in layers.values():
        x = layer.forward(x)
    last.forward(x, t)
    dout = last.backward(1)
    for layer in list(layers.values())[::-1]:
        dout = layer.backward(dout)
    grads = {}
    grads['W1'], grads['b1'] = layers['Affine1'].dW, layers['Affine1'].db
    grads['W2'], grads['b2'] = layers['Affine2'].dW, layers['Affine2'].db
    return grads
