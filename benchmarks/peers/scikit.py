"""scikit-learn's MLPClassifier, as its users call it."""

# ruff: noqa: D102 - what a contender's methods do stands in peers/__init__.py

import threading
import time
import warnings
from contextlib import suppress

import numpy as np
from sklearn.neural_network import MLPClassifier

from . import BETA_1, BETA_2, EPSILON, LEARNING_RATE

warnings.simplefilter("ignore")


class Gated(MLPClassifier):
    """A fit that waits after each epoch until more are asked for; it has no stream of epochs of its own."""

    def _initialize(self, *arguments):
        super()._initialize(*arguments)
        self.ready = time.perf_counter()

    def _update_no_improvement_count(self, *arguments):
        super()._update_no_improvement_count(*arguments)
        self.left -= 1
        if self.left == 0:
            self.done.set()
            self.wanted.acquire()
            if self.left == 0:
                raise Ended


class Ended(Exception):  # noqa: N818 - nothing has gone wrong
    """No more epochs are wanted."""


class Contender:
    """MLPClassifier.fit in a thread of its own, from the same `random_state`: it draws the same starting weights."""

    def __init__(self, shape, X, y, start, threads, shuffle=True, seed=0):
        self.X, self.y, self.fit = X, y, None
        self.options = {
            "hidden_layer_sizes": shape.sizes[1:-1],
            "alpha": 0.0,
            "batch_size": shape.batch,
            "learning_rate_init": LEARNING_RATE,
            "beta_1": BETA_1,
            "beta_2": BETA_2,
            "epsilon": EPSILON,
            "max_iter": 10**9,
            "shuffle": bool(shuffle),
            "random_state": seed,
            "tol": 0.0,
            "n_iter_no_change": np.inf,
        }
        self.begin()

    def begin(self):
        if self.fit is not None:
            self.classifier.wanted.release()
            self.fit.join()
        self.classifier = Gated(**self.options)
        self.classifier.done, self.classifier.wanted = threading.Event(), threading.Semaphore(0)
        self.fit = None

    def epochs(self, count):
        gate = self.classifier
        gate.left = count
        gate.done.clear()
        started, fresh = time.perf_counter(), self.fit is None
        if fresh:
            self.fit = threading.Thread(target=self.until_ended, args=(gate,), daemon=True)
            self.fit.start()
        else:
            gate.wanted.release()
        gate.done.wait()
        self.setup = gate.ready - started if fresh else 0.0
        return gate.loss_curve_[-count:]

    def until_ended(self, classifier):
        with suppress(Ended):
            classifier.fit(self.X, self.y)

    def probabilities(self, X):
        return self.classifier.predict_proba(X)
