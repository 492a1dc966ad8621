"""glassmax: the estimator as its users call it, and the engine under it."""

# ruff: noqa: D102 - what a contender's methods do stands in peers/__init__.py

import tempfile
import time
import timeit
import warnings
from functools import partial
from pathlib import Path

import numpy as np

from glassmax import Network, SoftmaxClassifier, load_model
from glassmax.engine import Data, Regularization, best_engine
from glassmax.optimizers import Adam

from . import BETA_1, BETA_2, EPSILON, LEARNING_RATE

warnings.simplefilter("ignore")


class Estimator:
    """`SoftmaxClassifier.fit_epochs`: what `fit` does, an epoch for each item taken."""

    def __init__(self, shape, X, y, start, threads, shuffle=True, seed=0):
        self.X, self.y, self.start = X, y, start
        self.options = {
            "hidden_layer_sizes": shape.sizes[1:-1],
            "alpha": 0.0,
            "batch_size": shape.batch,
            "learning_rate_init": LEARNING_RATE,
            "max_iter": 10**9,
            "shuffle": bool(shuffle),
            "random_state": seed,
            "tol": 0.0,
            "n_iter_no_change": np.inf,
            "n_threads": threads,
        }
        self.begin()

    def begin(self):
        self.classifier = SoftmaxClassifier(**self.options)
        self.stream = self.classifier.fit_epochs(self.X, self.y)
        self.fresh = True

    def epochs(self, count):
        losses, self.setup = [], 0.0
        if self.fresh:
            started, self.fresh = time.perf_counter(), False
            epoch = next(self.stream)
            self.setup = time.perf_counter() - started - epoch.seconds
            losses.append(epoch.loss)
        return losses + [next(self.stream).loss for _ in range(count - len(losses))]

    def probabilities(self, X):
        return self.classifier.predict_proba(X)


class FromFile(Estimator):
    """The classifier, saved and read again: a `Model`, which predicts without scikit-learn."""

    def probabilities(self, X):
        if not hasattr(self, "model"):
            with tempfile.TemporaryDirectory() as folder:
                path = Path(folder) / "model.safetensors"
                self.classifier.save(path)
                self.model = load_model(path)
        return self.model.predict_proba(X)


class Engine:
    """The epochs of the engine's session alone, without the checks and the records of the estimator."""

    def __init__(self, shape, X, y, start, threads, shuffle=True, seed=0):
        self.shape, self.data, self.start, self.shuffle = shape, Data(X, y), start, shuffle
        self.engine, self.rule, self.regularization = (
            best_engine(threads),
            Adam(LEARNING_RATE, BETA_1, BETA_2, EPSILON),
            Regularization(),
        )
        self.rates = np.full(shape.steps, LEARNING_RATE)
        self.draw = np.random.default_rng(seed)
        self.begin()

    def begin(self):
        self.network = Network.from_parameters(self.start, activation="relu", dtype=self.shape.dtype)
        self.state, self.steps = self.rule.init(self.network.theta), 0
        self.session = self.engine.open(self.network, self.rule, self.state)

    def epochs(self, count):
        n, losses = len(self.data.y), []
        for _ in range(count):
            order = self.draw.permutation(n) if self.shuffle else np.arange(n)
            result = self.session.epoch(
                self.data,
                order=order,
                batch_size=self.shape.batch,
                rates=self.rates,
                regularization=self.regularization,
                first_step=self.steps,
            )
            self.steps += result.steps
            losses.append(result.loss)
        self.session.read()
        return losses

    def probabilities(self, X):
        return self.engine.probabilities(self.network, X)

    def row_seconds(self):
        """Return what a row costs inside the engine: the call for it, less the call for a network of one weight."""
        tiny, x = Network([1, 1], dtype=self.shape.dtype), np.ones((1, 1), self.shape.dtype)
        calls = {
            "row": partial(self.engine.probabilities, self.network, self.data.X[:1]),
            "call": partial(self.engine.probabilities, tiny, x),
        }
        seconds = {what: min(timeit.repeat(call, number=2000, repeat=20)) / 2000 for what, call in calls.items()}
        return seconds["row"] - seconds["call"]
