"""Right gradients of any loss, with the rounding of a backward pass: reverse mode over a few operations of NumPy.

A loss that is written with these functions takes arrays, and `gradients_of` makes the learner's function of it.
"""

import numpy as np


class Node:
    """A value, and how it pulls a cotangent back to what it was made of."""

    __array_ufunc__ = None  # an array beside a node leaves the operation to the node

    def __init__(self, value, parents=()):
        self.value, self.parents, self.cotangent = np.asarray(value), parents, None

    def __add__(self, other):
        return made(np.add, self, other, lambda d, a, b: d, lambda d, a, b: d)

    def __sub__(self, other):
        return made(np.subtract, self, other, lambda d, a, b: d, lambda d, a, b: -d)

    def __rsub__(self, other):
        return made(np.subtract, other, self, lambda d, a, b: d, lambda d, a, b: -d)

    def __mul__(self, other):
        return made(np.multiply, self, other, lambda d, a, b: d * b, lambda d, a, b: d * a)

    def __truediv__(self, other):
        return made(np.divide, self, other, lambda d, a, b: d / b, lambda d, a, b: -d * a / b**2)

    def __rtruediv__(self, other):
        return made(np.divide, other, self, lambda d, a, b: d / b, lambda d, a, b: -d * a / b**2)

    def __matmul__(self, other):
        return made(np.matmul, self, other, lambda d, a, b: d @ b.T, lambda d, a, b: a.T @ d)

    def __rmatmul__(self, other):
        return made(np.matmul, other, self, lambda d, a, b: d @ b.T, lambda d, a, b: a.T @ d)

    def __neg__(self):
        return 0.0 - self

    def __pow__(self, power):
        return one(self, self.value**power, lambda d, a: d * power * a ** (power - 1))

    def __getitem__(self, index):
        def back(d, a):
            made = np.zeros_like(a)
            np.add.at(made, index, d)
            return made

        return one(self, self.value[index], back)

    __radd__, __rmul__ = __add__, __mul__

    @property
    def T(self):
        return one(self, self.value.T, lambda d, a: d.T)

    @property
    def shape(self):
        return self.value.shape

    def sum(self, axis=None, keepdims=False):
        def back(d, a):
            return np.broadcast_to(d if keepdims or axis is None else np.expand_dims(d, axis), a.shape)

        return one(self, self.value.sum(axis=axis, keepdims=keepdims), back)

    def mean(self, axis=None, keepdims=False):
        n = self.value.size if axis is None else self.value.shape[axis]
        return self.sum(axis, keepdims) / n


def one(a, value, back):
    return Node(value, ((a, lambda d: back(d, a.value)),))


def made(operation, a, b, back_a, back_b):
    x, y = (each.value if isinstance(each, Node) else np.asarray(each) for each in (a, b))
    parents = []
    for each, back in ((a, back_a), (b, back_b)):
        if isinstance(each, Node):
            parents.append((each, lambda d, back=back, shape=each.shape: unbroadcast(back(d, x, y), shape)))
    return Node(operation(x, y), tuple(parents))


def unbroadcast(d, shape):
    d = d.sum(axis=tuple(range(d.ndim - len(shape))))
    axes = tuple(axis for axis, size in enumerate(shape) if size == 1 and d.shape[axis] != 1)
    return d.sum(axis=axes, keepdims=True)


def elementwise(f, slope):
    return lambda a: one(a, f(a.value), lambda d, x: d * slope(x)) if isinstance(a, Node) else f(a)


exp, log = elementwise(np.exp, np.exp), elementwise(np.log, lambda x: 1 / x)
tanh, sqrt = elementwise(np.tanh, lambda x: 1 - np.tanh(x) ** 2), elementwise(np.sqrt, lambda x: 0.5 / np.sqrt(x))
relu = elementwise(lambda x: np.maximum(x, 0), lambda x: (x > 0).astype(x.dtype))


def leaky(slope):
    return elementwise(lambda x: np.where(x > 0, x, slope * x), lambda x: np.where(x > 0, x.dtype.type(1), slope))


def elu(alpha):
    below = lambda x: alpha * np.exp(np.minimum(x, 0))
    return elementwise(lambda x: np.where(x > 0, x, below(x) - alpha), lambda x: np.where(x > 0, 1.0, below(x)))


def softmax(Z):
    E = exp(Z)  # the learner's logits are small
    return E / E.sum(axis=1, keepdims=True)


def cross_entropy(Z, y):
    return -log(softmax(Z)[np.arange(len(y)), y]).mean()


def gradients_of(loss):
    """The function ``gradients(p, X, y)`` of a loss, by one backward pass."""

    def gradients(p, X, y):
        leaves = {name: Node(value) for name, value in p.items()}
        end = loss(leaves, X, y)
        for node in (*order(end), *leaves.values()):
            node.cotangent = np.zeros_like(node.value)
        end.cotangent = np.ones_like(end.value)
        for node in reversed(order(end)):
            for parent, back in node.parents:
                parent.cotangent = parent.cotangent + back(node.cotangent)
        return {name: leaf.cotangent for name, leaf in leaves.items()}

    return gradients


def order(end):
    """The nodes that make the end, each after those that it is made of."""
    seen, found, stack = set(), [], [(end, False)]
    while stack:
        node, done = stack.pop()
        if done:
            found.append(node)
        elif id(node) not in seen:
            seen.add(id(node))
            stack += [(node, True), *((parent, False) for parent, _ in node.parents)]
    return found
