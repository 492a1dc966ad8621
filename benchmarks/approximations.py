"""Measure what sampled and adaptive softmax lose and gain against the exact softmax, with 20,000 classes.

The rows are made up: the classes follow Zipf's law, and a row is the center of its class plus noise. Each method trains
one layer on the same batches from the same start, by AdaGrad, which moves only what has a gradient. Then, at the
weights that the exact loss has reached, the gradient of a batch is drawn many times: its bias is the distance of the
mean from the exact gradient, its spread the typical distance of one draw from that mean, both over the length of the
exact gradient. The adaptive softmax is another model, with gradients that are exact for it. These classes have no
structure that its clusters could follow: its worst case.
"""

import argparse
import statistics
import time

import numpy as np
from record import table, write

from glassmax import Network
from glassmax import functional as F
from glassmax.engine import Data, Regularization, best_engine

K, D, BATCH = 20_000, 32, 256
ROWS, TESTED, EPOCHS = 40_000, 5_000, 1
RATE, EPSILON = 0.3, 1e-8
HEAD, MIDDLE = 2_000, 8_000
DRAWS = 50
NAMES = ["exact", "sampled, 100 draws", "sampled, 1,000 draws", "sampled, 1,000 draws by frequency", "adaptive"]


def made(rows, tested):
    """Return rows and labels to train on, and to test."""
    draw = np.random.default_rng(0)
    centers = draw.standard_normal((K, D)).astype(np.float32)
    p = 1 / np.arange(1, K + 1)
    y = draw.choice(K, rows + tested, p=p / p.sum())
    X = centers[y] + 0.7 * draw.standard_normal((len(y), D), np.float32)
    return X[:rows], y[:rows], X[rows:], y[rows:]


class Full:
    """One layer for all classes; its gradient may be estimated."""

    def __init__(self, **sampling):
        self.sampling = sampling
        draw = np.random.default_rng(1)
        self.arrays = [draw.standard_normal((D, K), np.float32) * np.float32(0.01)]

    def gradients(self, X, y, step):
        """Return the gradient of each array."""
        (W,) = self.arrays
        if self.sampling:
            return [F.sampled_softmax_cross_entropy_vjp(1.0, X, W, None, y, step=step, **self.sampling)[1]]
        return [F.linear_softmax_cross_entropy_vjp(1.0, X, W, None, y)[1]]

    def judged(self, X, y):
        """Return the exact log-loss and the accuracy."""
        (W,) = self.arrays
        right = [(block @ W).argmax(axis=1) for block in np.array_split(X, 10)]
        return float(F.linear_softmax_cross_entropy(X, W, None, y)), float((np.concatenate(right) == y).mean())


class Adaptive:
    """A head of the most frequent classes, and two tails of a half and a quarter of the width."""

    def __init__(self):
        draw, sizes = np.random.default_rng(1), [(D // 2, MIDDLE), (D // 4, K - HEAD - MIDDLE)]
        self.arrays = [0.01 * draw.standard_normal((D, HEAD + 2))]
        for width, classes in sizes:
            self.arrays += [draw.standard_normal((D, width)) / D**0.5, 0.01 * draw.standard_normal((width, classes))]
        self.arrays = [values.astype(np.float32) for values in self.arrays]

    @property
    def parts(self):
        """The head, and the pairs of arrays of the tails."""
        W, *tails = self.arrays
        return W, list(zip(tails[::2], tails[1::2], strict=True))

    def gradients(self, X, y, step):
        """Return the gradient of each array."""
        _, dW, dtails = F.adaptive_softmax_cross_entropy_vjp(1.0, X, *self.parts, y)
        return [dW, *(array for pair in dtails for array in pair)]

    def judged(self, X, y):
        """Return the log-loss and the accuracy."""
        right = [F.adaptive_log_softmax(block, *self.parts).argmax(axis=1) for block in np.array_split(X, 20)]
        return float(F.adaptive_softmax_cross_entropy(X, *self.parts, y)), float((np.concatenate(right) == y).mean())


def methods(y):
    """Return the model of each method."""
    frequencies = np.bincount(y, minlength=K) + 1.0
    sampled = [{"samples": 100}, {"samples": 1000}, {"samples": 1000, "proposal": frequencies}]
    return dict(zip(NAMES, [Full(), *(Full(**sampling) for sampling in sampled), Adaptive()], strict=True))


def train(model, X, y, epochs):
    """Train, and return the processor seconds of the gradients and of the steps, as medians."""
    squares, draw, step, seconds = [np.zeros_like(values) for values in model.arrays], np.random.default_rng(2), 0, []
    for _ in range(epochs):
        order = draw.permutation(len(y))
        for start in range(0, len(y), BATCH):
            index, started = order[start : start + BATCH], time.process_time()
            gradients, step = model.gradients(X[index], y[index], step), step + 1
            seconds.append(time.process_time() - started)
            for W, square, dW in zip(model.arrays, squares, gradients, strict=True):
                move(W, square, dW)
    return statistics.median(seconds)


def move(W, square, dW):
    """Take a step of AdaGrad, in the columns that have a gradient."""
    columns = slice(None)
    if not isinstance(dW, np.ndarray):
        columns = np.flatnonzero(np.diff(dW.indptr))
        dW = dW.data.reshape(len(columns), len(W)).T
    square[:, columns] += dW * dW
    W[:, columns] -= RATE * dW / (np.sqrt(square[:, columns]) + EPSILON)


def bias_and_spread(model, W, X, y, draws):
    """Return how far the mean of the drawn gradients is from the exact one, and a single one from the mean."""
    exact = F.linear_softmax_cross_entropy_vjp(1.0, X, W, None, y)[1].astype(np.float64)
    total, squares, model.arrays = np.zeros_like(exact), 0.0, [W]
    for step in range(draws):
        drawn = model.gradients(X, y, 10**6 + step)[0].toarray().astype(np.float64)
        total += drawn
        squares += float((drawn**2).sum())
    mean = total / draws
    variance = (squares / draws - float((mean**2).sum())) * draws / (draws - 1)
    squared_bias = float(((mean - exact) ** 2).sum()) - variance / draws  # less what so few draws leave
    length = float(np.linalg.norm(exact))
    return max(0.0, squared_bias) ** 0.5 / length, variance**0.5 / length


def native_seconds(X, y):
    """Return the processor seconds of the exact gradient by the fastest engine, on one thread."""
    network, engine, seconds = Network((D, K), dtype="float32"), best_engine(1), []
    for _ in range(6):
        started = time.process_time()
        engine.loss_and_gradient(network, Data(X, y), Regularization())
        seconds.append(time.process_time() - started)
    return min(seconds)


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--quick", action="store_true", help="few rows and draws, nothing written: does it work?")
    quick = parser.parse_args().quick
    X, y, X_test, y_test = made(*(4_000, 500) if quick else (ROWS, TESTED))
    found, models = {}, methods(y)
    for name, model in models.items():
        seconds = train(model, X, y, 1 if quick else EPOCHS)
        log_loss, accuracy = model.judged(X_test, y_test)
        found[name] = {"gradient_seconds": seconds, "log_loss": log_loss, "accuracy": accuracy}
        print(f"  {name}: {found[name]}", flush=True)
    W = models["exact"].arrays[0]
    native = native_seconds(X[:BATCH], y[:BATCH])
    print(f"  the exact gradient by the engine: {native:.4f} s")
    for name, model in models.items():
        if isinstance(model, Full) and model.sampling:
            bias, spread = bias_and_spread(model, W, X[:BATCH], y[:BATCH], 5 if quick else DRAWS)
            found[name] |= {"bias": bias, "spread": spread}
    rows = [
        [name, f"{found['exact']['gradient_seconds'] / one['gradient_seconds']:.1f}", f"{one.get('bias', 0):.3f}",
         f"{one.get('spread', 0):.2f}", f"{one['log_loss']:.3f}", f"{one['accuracy']:.3f}"]
        for name, one in found.items()
    ]  # fmt: skip
    table(f"{K:,} classes", ["", "exact over it", "bias", "spread", "log-loss", "accuracy"], rows)
    if not quick:
        figures = {"classes": K, "inputs": D, "batch": BATCH, "rows": ROWS, "epochs": EPOCHS, "methods": found}
        figures["engine_seconds"] = native
        write("approximations", [], figures)


if __name__ == "__main__":
    main()
