"""What is trained in the speed benchmarks: the networks, their batches, and the rows they learn from.

Everything is made from a seed, so that each process makes the same. Fashion-MNIST is read from the files of Debian's
package ``dataset-fashion-mnist``, or from the folder that FASHION_MNIST names; where there are none, made-up rows of
the same size stand in, half of their pixels zero as there, and the results say so.
"""

import argparse
import gzip
import os
from pathlib import Path
from typing import NamedTuple

import numpy as np

FASHION = Path(os.environ.get("FASHION_MNIST", "/usr/share/datasets/fashion-mnist"))


class Shape(NamedTuple):
    """A network, relu in the hidden layers, softmax and cross-entropy at the end; its batches and its rows."""

    sizes: tuple[int, ...]
    batch: int
    rows: int
    data: str = "made up"
    dtype: str = "float32"

    @property
    def name(self):
        """Layers, batch, and the dtype if it is not float32."""
        name = f"{'-'.join(map(str, self.sizes))} b{self.batch}"
        return name if self.dtype == "float32" else f"{name} {self.dtype}"

    @property
    def parameters(self):
        """Weights and biases."""
        return sum((a + 1) * b for a, b in zip(self.sizes, self.sizes[1:], strict=False))

    @property
    def flops(self):
        """Floating-point operations of an epoch's matrix products: forward, back to the data, to the weights."""
        weights = [a * b for a, b in zip(self.sizes, self.sizes[1:], strict=False)]
        return 2 * self.rows * (3 * sum(weights) - weights[0])

    @property
    def steps(self):
        """Steps of an epoch."""
        return -(-self.rows // self.batch)


MAIN = [
    Shape((4, 10, 3), 5, 150, "iris"),
    Shape((4, 10, 3), 32, 150, "iris"),
    Shape((64, 100, 10), 200, 1797, "digits"),
    Shape((784, 100, 10), 200, 60000, "fashion"),
    Shape((784, 512, 512, 10), 128, 60000, "fashion"),
    Shape((54, 256, 256, 7), 256, 100000),
    Shape((384, 1000), 256, 50000),
]
OTHERS = [
    Shape((20, 64, 64, 5), 64, 10000),
    Shape((128, 256, 100), 64, 20000),
    Shape((64, 100, 10), 200, 1797, "digits", "float64"),
]
QUICK_ROWS = 2000


def fashion_is_there():
    return (FASHION / "train-images-idx3-ubyte.gz").exists()


def fashion(part="train", rows=None):
    """Return Fashion-MNIST's images from 0 to 1, (n, 784), and labels; made-up rows where the files are missing."""
    if not fashion_is_there():
        draw = np.random.default_rng({"train": 0, "t10k": 1}[part])
        n = rows or {"train": 60000, "t10k": 10000}[part]
        X = draw.integers(0, 256, (n, 784), np.uint8) * (draw.random((n, 784), np.float32) < 0.5)
        return X.astype(np.float32) / 255, labelled(X / np.float32(128) - 0.5, 10)
    with gzip.open(FASHION / f"{part}-images-idx3-ubyte.gz") as file:
        images = np.frombuffer(file.read(), np.uint8, offset=16).reshape(-1, 784)[:rows]
    with gzip.open(FASHION / f"{part}-labels-idx1-ubyte.gz") as file:
        labels = np.frombuffer(file.read(), np.uint8, offset=8)[:rows]
    return images.astype(np.float32) / 255, labels.astype(np.int64)


def labelled(X, k):
    """Return a class for each row, by a linear rule with noise: there is something to learn, and to miss."""
    draw = np.random.default_rng(7)
    scores = X @ draw.standard_normal((X.shape[1], k)).astype(X.dtype) / np.sqrt(X.shape[1])
    scores += draw.standard_normal(scores.shape, np.float32)
    y = scores.argmax(axis=1)
    y[:k] = np.arange(k)  # every class is there
    return y


def rows_of(shape):
    """Return X, in the shape's dtype, and y, class numbers."""
    from sklearn import datasets

    d, k, n = shape.sizes[0], shape.sizes[-1], shape.rows
    if shape.data == "fashion":
        X, y = fashion(rows=n)
    elif shape.data == "many classes":  # the rule would make an array of rows times classes
        draw = np.random.default_rng(0)
        return draw.standard_normal((n, d), np.float32), draw.integers(k, size=n)
    elif shape.data == "made up":
        X = np.random.default_rng(0).standard_normal((n, d), np.float32)
        y = labelled(X, k)
        y[:k] = np.arange(k)  # every class is among the first rows, on which answers are compared
        return np.ascontiguousarray(X, shape.dtype), y.astype(np.int64)
    else:
        load = {"iris": "load_iris", "digits": "load_digits", "breast cancer": "load_breast_cancer"}[shape.data]
        X, y = getattr(datasets, load)(return_X_y=True)
        X = X / X.max(axis=0, initial=1e-9).clip(1e-9) if shape.data != "digits" else X / 16
    order = np.random.default_rng(1).permutation(len(X))[:n]  # iris lies in the order of its classes
    return np.ascontiguousarray(X[order], shape.dtype), y[order].astype(np.int64)


def arguments(description, shapes):
    """Read the command line that the scripts share: ``--quick``, ``--only``, ``--threads``; choose among the shapes."""
    parser = argparse.ArgumentParser(description=description)
    parser.add_argument("--quick", action="store_true", help="few rows and pairs, nothing written: does it work?")
    parser.add_argument("--only", nargs="*", metavar="SHAPE", help="shapes whose name begins so, as 784-100-10")
    parser.add_argument("--threads", type=int, default=os.cpu_count(), help="of every contender (all cores)")
    options = parser.parse_args()
    if options.only:
        shapes = [shape for shape in shapes if any(shape.name.startswith(name) for name in options.only)]
    if options.quick:
        shapes = [shape._replace(rows=min(shape.rows, QUICK_ROWS)) for shape in shapes]
    if not shapes:
        parser.error("there is no such shape")
    return options, shapes
