"""The floor: the matrix products of an epoch and nothing else, by NumPy and by SciPy.

For each batch the forward products of all layers, the products back to the layer below (not below the first), and
those that give the weights' gradients; results go into arrays that are already there. Rows are taken in the order they
lie in.
"""

# ruff: noqa: D102 - what a contender's methods do stands in peers/__init__.py

import numpy as np
from scipy.linalg.blas import dgemm, sgemm


class Products:
    """A contender without answers: ``epochs(count)`` multiplies, ``product(A, B, out)`` is the library's own."""

    def __init__(self, shape, X, y, start, threads, shuffle=True, seed=0):
        self.threads = threads
        self.shape, self.X, depth = shape, X, len(shape.sizes) - 1
        self.W = [start[f"W{number}"] for number in range(1, depth + 1)]
        self.prepare()

    def prepare(self):
        """Make the arrays that results go into, for full batches and for the last."""
        self.whole, self.last = self.arrays(self.shape.batch), self.arrays(self.shape.rows % self.shape.batch)
        self.dW = [np.empty_like(W) for W in self.W]

    def arrays(self, m):
        return [np.ones((m, W.shape[1]), W.dtype) for W in self.W]

    def begin(self):
        pass

    def epochs(self, count):
        batch, rows = self.shape.batch, self.shape.rows
        for _ in range(count):
            for begin in range(0, rows - rows % batch, batch):
                self.multiply(self.X[begin : begin + batch], self.whole)
            if rows % batch:
                self.multiply(self.X[rows - rows % batch :], self.last)
        return []

    def probabilities(self, X):
        """Return the last batch's products that stand for the weights' gradients: every other product is in them."""
        return np.concatenate([np.asarray(dW).ravel() for dW in self.dW])

    def forward(self, X, block):
        """Do the forward products alone, by blocks of rows."""
        if getattr(self, "block", 0) != block:
            self.block, self.between = block, self.arrays(block)
        for begin in range(0, len(X), block):
            A = X[begin : begin + block]
            for W, out in zip(self.W, self.between, strict=True):
                self.product(A, W, out[: len(A)])
                A = out[: len(A)]

    def multiply(self, X, A):
        """Do a batch: A holds the layers' outputs, and serves for their derivatives, which have the same shapes."""
        below = [X, *A]
        for W, from_below, out in zip(self.W, below, A, strict=False):
            self.product(from_below, W, out)
        for layer in reversed(range(len(A))):
            self.product(below[layer].T, A[layer], self.dW[layer])
            if layer:
                self.product(A[layer], self.W[layer].T, A[layer - 1])


class Numpy(Products):
    """``numpy.matmul``."""

    product = staticmethod(np.matmul)


class Scipy(Products):
    """SciPy's gemm: it wants Fortran's order, so the transposed product is asked for."""

    def prepare(self):
        super().prepare()
        self.gemm = sgemm if self.shape.dtype == "float32" else dgemm

    def product(self, A, B, out):
        a, b = B.T, A.T  # out.T = B.T A.T, all in Fortran's order but for those that are transposed once more
        trans_a, trans_b = not a.flags.f_contiguous, not b.flags.f_contiguous
        a, b = a.T if trans_a else a, b.T if trans_b else b
        self.gemm(1.0, a, b, 0.0, out.T, trans_a, trans_b, overwrite_c=True)
