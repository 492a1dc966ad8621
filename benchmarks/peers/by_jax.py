"""JAX: a whole epoch as one compiled call, a scan over the batches, with donated buffers."""

# ruff: noqa: D102 - what a contender's methods do stands in peers/__init__.py

import os

import jax
import jax.numpy as jnp
import numpy as np

from . import BETA_1, BETA_2, EPSILON, LEARNING_RATE, Orders, products

jax.config.update("jax_enable_x64", True)  # for the shapes in float64; the arrays keep their own dtype


def loss_of(theta, X, y):
    A = X
    for number in range(1, len(theta) // 2 + 1):
        Z = A @ theta[f"W{number}"] + theta[f"b{number}"]
        A = jax.nn.relu(Z)
    return -jnp.take_along_axis(jax.nn.log_softmax(Z), y[:, None], axis=1).mean()


def step(carry, index, X, y):
    """Move weights and moments by one batch."""
    theta, m, v, t = carry
    loss, gradients = jax.value_and_grad(loss_of)(theta, X[index], y[index])
    t = t + 1
    length = (LEARNING_RATE * jnp.sqrt(1 - BETA_2**t) / (1 - BETA_1**t)).astype(X.dtype)
    m = {name: BETA_1 * m[name] + (1 - BETA_1) * g for name, g in gradients.items()}
    v = {name: BETA_2 * v[name] + (1 - BETA_2) * g * g for name, g in gradients.items()}
    theta = {name: W - length * m[name] / (jnp.sqrt(v[name]) + EPSILON) for name, W in theta.items()}
    return (theta, m, v, t), loss * len(index)


class Contender:
    """The full batches by ``lax.scan``, rows gathered inside; the last, smaller batch in the same call."""

    def __init__(self, shape, X, y, start, threads, shuffle=True, seed=0):
        assert threads in (1, os.cpu_count()), "JAX takes all cores that it sees, or the one it is tied to"
        self.shape, self.start, self.shuffle, self.seed = shape, start, shuffle, seed
        self.X, self.y = jnp.asarray(X), jnp.asarray(y, jnp.int32)
        self.draw = np.random.default_rng(seed)
        self.compiled = jax.jit(self.whole_epoch, donate_argnums=0)
        self.predict = jax.jit(self.forward)
        self.largest = jax.jit(lambda theta, X, count: jax.lax.top_k(self.forward(theta, X), count), static_argnums=2)
        self.begin()

    def begin(self):
        self.orders = Orders(self.shape, self.seed)
        self.theta = {name: jnp.array(values) for name, values in self.start.items()}
        m, v = ({name: jnp.zeros_like(W) for name, W in self.theta.items()} for _ in "mv")
        self.carry = (self.theta, m, v, jnp.zeros((), jnp.float64))

    def whole_epoch(self, carry, X, y, order):
        full = len(order) // self.shape.batch
        scanned = order[: full * self.shape.batch].reshape(full, self.shape.batch)
        carry, losses = jax.lax.scan(lambda carry, index: step(carry, index, X, y), carry, scanned)
        total = losses.sum()
        if len(order) > full * self.shape.batch:
            carry, loss = step(carry, order[full * self.shape.batch :], X, y)
            total += loss
        return carry, total / len(order)

    def epochs(self, count):
        n, losses = len(self.y), []
        for _ in range(count):
            if self.shuffle == "alike":
                order = next(self.orders)
            else:
                order = self.draw.permutation(n) if self.shuffle else np.arange(n)
            self.carry, loss = self.compiled(self.carry, self.X, self.y, order.astype(np.int32))
            losses.append(loss)
        jax.block_until_ready(self.carry)
        return [float(loss) for loss in losses]

    def settle(self):
        self.epochs(1)

    def probabilities(self, X):
        return np.asarray(self.predict(self.carry[0], X))

    def top(self, X, count):
        found = [self.largest(self.carry[0], X[start : start + 256], count) for start in range(0, len(X), 256)]
        return tuple(np.concatenate(blocks) for blocks in zip(*((labels, P) for P, labels in found), strict=True))

    @staticmethod
    def forward(theta, X):
        A = X
        for number in range(1, len(theta) // 2 + 1):
            Z = A @ theta[f"W{number}"] + theta[f"b{number}"]
            A = jax.nn.relu(Z)
        return jax.nn.softmax(Z)


class Products(products.Products):
    """The floor as one compiled scan over the full batches, so that calls cost nothing; the last batch beside it."""

    def prepare(self):
        full = self.shape.rows // self.shape.batch * self.shape.batch
        self.scanned = jnp.asarray(self.X[:full].reshape(-1, self.shape.batch, self.X.shape[1]))
        self.last = jnp.asarray(self.X[full:])
        self.W = [jnp.asarray(W) for W in self.W]
        self.scanned_dW = [jnp.zeros_like(W) for W in self.W]
        self.compiled = jax.jit(self.whole_epoch, donate_argnums=1)

    @staticmethod
    def batch(W, X):
        A = [X]
        for values in W:
            A.append(A[-1] @ values)
        dZ, dW = A.pop(), []
        for layer in reversed(range(len(W))):
            dW.append(A[layer].T @ dZ)
            dZ = dZ @ W[layer].T if layer else dZ
        return dW[::-1]

    def whole_epoch(self, W, dW, scanned, last):
        dW, _ = jax.lax.scan(lambda _, X: (self.batch(W, X), None), dW, scanned)
        return dW, self.batch(W, last) if len(last) else dW

    def epochs(self, count):
        for _ in range(count):
            self.scanned_dW, self.dW = self.compiled(self.W, self.scanned_dW, self.scanned, self.last)
        jax.block_until_ready((self.scanned_dW, self.dW))
        return []
