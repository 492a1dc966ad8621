"""A contender in a process of its own: reads requests from stdin, a JSON object a line, and answers in the same way."""

import ctypes
import gc
import json
import os
import statistics
import sys
import time
import timeit
from pathlib import Path

import numpy as np

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

from shapes import Shape, fashion, rows_of

from peers import contender


class Served:
    """What a contender can be asked."""

    def open(self, name, shape, start, threads, rows=None, shuffle=True, seed=0):
        """Make the contender, on the first `rows` rows."""
        shape = Shape(**shape | {"sizes": tuple(shape["sizes"])})
        X, y = rows_of(shape)
        if rows:
            X, y, shape = X[:rows], y[:rows], shape._replace(rows=rows)
        self.X = X
        with np.load(start) as values:
            self.peer = contender(name)(shape, X, y, dict(values), threads, shuffle, seed)
        return getattr(self.peer, "note", "")

    def begin(self):
        """Go back to the starting weights; the setting up is over with the first epoch, which no clock sees."""
        self.peer.begin()
        self.losses = self.peer.epochs(1)

    def restart(self):
        """Go back to the starting weights; the next epoch is the first."""
        self.peer.begin()
        self.losses = []

    def answer(self, rows, path):
        """Say what the losses were, and write the probabilities of the first rows to a file."""
        np.save(path, self.peer.probabilities(self.X[:rows]))
        return [float(loss) for loss in self.losses]

    def train(self, epochs):
        """Return the seconds that so many epochs take."""
        started = time.perf_counter()
        losses = self.peer.epochs(epochs)
        seconds = time.perf_counter() - started
        self.losses += losses
        return seconds - getattr(self.peer, "setup", 0.0)  # reading and checking the data, where a fit has just begun

    def repeat(self, epochs, repeats):
        """Do so many epochs from the start, several times; return the seconds of each time."""
        found = []
        for _ in range(repeats):
            self.begin()
            found.append(self.train(epochs))
        return found

    def go_on(self, epochs):
        """Train on from where it is; return the seconds of the clock and of the processors."""
        started, worked = time.perf_counter(), time.process_time()
        self.losses += self.peer.epochs(epochs)
        return time.perf_counter() - started, time.process_time() - worked

    def peak_of_training(self):
        """Return the bytes that an epoch takes at its peak, beyond rows, weights and moments."""
        self.peer.settle()
        before = self._trimmed()
        self.peer.epochs(1)
        return max(0, self.memory() - before)

    def top(self, rows, count):
        """Find the most probable classes: seconds of the clock and the processors, bytes at the peak, some of P."""
        X = self._made_up(rows)
        self.peer.top(X[:256], count)
        before, started, worked = self._trimmed(), time.perf_counter(), time.process_time()
        labels, P = self.peer.top(X, count)
        seconds = time.perf_counter() - started, time.process_time() - worked
        return *seconds, max(0, self.memory() - before - labels.nbytes - P.nbytes), P[:20].tolist()

    def _trimmed(self):
        """Return the memory of the process once all that is free has gone back; begin to count anew."""
        gc.collect()
        ctypes.CDLL(None).malloc_trim(0)
        self.memory(reset=True)
        return self.memory()

    def predict(self, rows, calls):
        """Return the seconds of a call that predicts so many rows: the median of a hundredth of the calls at a time."""
        X = self._made_up(rows)
        number = max(1, calls // 100)
        self.peer.probabilities(X)
        return (
            statistics.median(timeit.repeat(lambda: self.peer.probabilities(X), number=number, repeat=calls // number))
            / number
        )

    def multiply(self, rows):
        """Return the seconds of the forward products of so many rows, by blocks of the size that is fastest."""
        X = self._made_up(rows)
        if not hasattr(self, "block"):
            blocks = {size: self._seconds_of_block(X[:20000], size) for size in (64, 256, 1024, 4096)}
            self.block = min(blocks, key=blocks.get)
        return self._seconds_of_block(X, self.block, 1)

    def _seconds_of_block(self, X, block, repeat=5):
        return min(timeit.repeat(lambda: self.peer.forward(X, block), number=1, repeat=repeat))

    def _made_up(self, rows):
        if getattr(self, "wanted", 0) != rows:
            draw = np.random.default_rng(0)
            self.wanted, self.rows = rows, draw.standard_normal((rows, self.X.shape[1]), np.float32)
        return self.rows

    def peak(self, rows):
        """Return the bytes that predicting so many rows takes at its peak, beyond rows and output."""
        X = self._made_up(rows)
        before = self.memory(reset=True)
        P = self.peer.probabilities(X)
        return max(0, self.memory() - before - P.nbytes)

    @staticmethod
    def memory(reset=False):
        """Return the most memory this process has held, in bytes; from now on, if the count is to begin anew."""
        if reset:
            Path("/proc/self/clear_refs").write_text("5")
        lines = Path("/proc/self/status").read_text().splitlines()
        return 1024 * next(int(line.split()[1]) for line in lines if line.startswith("VmHWM"))

    def accuracy(self, rows):
        """Return the errors of our gradients in float32."""
        return self.peer.accuracy(rows)

    def row_seconds(self):
        """Return what a row costs inside our engine."""
        return self.peer.row_seconds()

    def test_loss(self):
        """Return the mean log-loss on Fashion-MNIST's test rows."""
        if not hasattr(self, "test"):
            self.test = fashion("t10k")
        X, y = self.test
        P = np.asarray(self.peer.probabilities(X), np.float64)
        return float(-np.log(P[np.arange(len(y)), y].clip(1e-30)).mean())


def main():
    answers = os.fdopen(os.dup(1), "w")  # what libraries print doesn't get in between
    os.dup2(2, 1)
    served = Served()
    for line in sys.stdin:
        request = json.loads(line)
        try:
            answer = {"answer": getattr(served, request.pop("do"))(**request)}
        except Exception as error:
            answer = {"error": f"{type(error).__name__}: {str(error).strip().splitlines()[0] if str(error) else ''}"}
        print(json.dumps(answer), file=answers, flush=True)


if __name__ == "__main__":
    main()
