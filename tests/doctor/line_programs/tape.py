"""A little autograd engine over arrays."""
import numpy as np

network = "4-5-3"
activation = "tanh"


class Tensor:
    def __init__(self, data, children=()):
        self.data = data
        self.grad = np.zeros_like(data)
        self._prev = children
        self._backward = lambda: None

    def matmul(self, other):
        out = Tensor(self.data @ other.data, (self, other))

        def _backward():
            self.grad += out.grad @ other.data.T
            other.grad += self.data.T @ out.grad
        out._backward = _backward
        return out

    def add_row(self, row):
        out = Tensor(self.data + row.data, (self, row))

        def _backward():
            self.grad += out.grad
            row.grad += out.grad.sum(axis=0)
        out._backward = _backward
        return out

    def tanh(self):
        t = np.tanh(self.data)
        out = Tensor(t, (self,))

        def _backward():
            self.grad += (1 - t ** 2) * out.grad
        out._backward = _backward
        return out

    def cross_entropy(self, target):
        e = np.exp(self.data - self.data.max(axis=1, keepdims=True))
        probs = e / e.sum(axis=1, keepdims=True)
        rows = np.arange(len(target))
        out = Tensor(np.array(-np.log(probs[rows, target]).mean()), (self,))

        def _backward():
            g = probs.copy()
            g[rows, target] -= 1
            self.grad += g / len(target) * out.grad
        out._backward = _backward
        return out

    def backward(self):
        topo, seen = [], set()

        def build(v):
            if v not in seen:
                seen.add(v)
                for child in v._prev:
                    build(child)
                topo.append(v)
        build(self)
        self.grad = np.ones_like(self.data)
        for v in reversed(topo):
            v._backward()


def gradients(p, X, y):
    w = {name: Tensor(value) for name, value in p.items()}
    h = Tensor(X).matmul(w["W1"]).add_row(w["b1"]).tanh()
    loss = h.matmul(w["W2"]).add_row(w["b2"]).cross_entropy(y)
    loss.backward()
    return {name: t.grad for name, t in w.items()}
