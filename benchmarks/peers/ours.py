"""glassmax: the estimator as its users call it, and the engine under it."""

# ruff: noqa: D102 - what a contender's methods do stands in peers/__init__.py

import tempfile
import time
import timeit
import warnings
from functools import partial
from pathlib import Path
from types import MappingProxyType

import numpy as np

from glassmax import Network, SoftmaxClassifier, load_model
from glassmax.engine import Data, Regularization, best_engine
from glassmax.optimizers import Adam

from . import BETA_1, BETA_2, EPSILON, LEARNING_RATE, errors_by_row

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
    """The engine's epoch alone, without the checks and the records of the estimator."""

    head = MappingProxyType({})
    regularization = Regularization()

    def __init__(self, shape, X, y, start, threads, shuffle=True, seed=0):
        self.shape, self.start, self.shuffle = shape, start, shuffle
        self.data, self.engine = Data(X, y, self.weight(len(y))), self.made(threads)
        self.rule = Adam(LEARNING_RATE, BETA_1, BETA_2, EPSILON)
        self.rates = np.full(shape.steps, LEARNING_RATE)
        self.draw, self.session = np.random.default_rng(seed), None
        self.begin()

    made = staticmethod(best_engine)

    def weight(self, n):
        return None

    def begin(self):
        if self.session:
            self.session.close()
        self.network = Network.from_parameters(self.start, activation="relu", dtype=self.shape.dtype, **self.head)
        self.state, self.steps, self.session = self.rule.init(self.network.theta), 0, None

    def epochs(self, count):
        n, losses = len(self.data.y), []
        self.session = self.session or self.engine.open(self.network, self.rule, self.state)
        for _ in range(count):
            result = self.session.epoch(
                self.data,
                order=self.draw.permutation(n) if self.shuffle else np.arange(n),
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

    def settle(self):
        for moments in (self.state["m"], self.state["v"]):
            moments += 0  # memory is given at the first touch

    def top(self, X, count):
        return self.engine.top_classes(self.network, X, count)[:2]

    def accuracy(self, rows):
        """Return the errors of the gradients in float32 against those in float64."""
        data = self.data.rows(slice(rows))
        exact = Network.from_parameters(self.start, activation="relu", dtype="float64", **self.head)
        _, gradient = self.engine.loss_and_gradient(self.network, data, self.regularization)
        data = data._replace(X=data.X.astype(np.float64))
        _, right = self.engine.loss_and_gradient(exact, data, self.regularization)
        return errors_by_row(self.network.parameters.of(gradient), exact.parameters.of(right))

    def row_seconds(self):
        """Return what a row costs inside the engine: the call for it, less the call for a network of one weight."""
        tiny, x = Network([1, 1], dtype=self.shape.dtype), np.ones((1, 1), self.shape.dtype)
        calls = {
            "row": partial(self.engine.probabilities, self.network, self.data.X[:1]),
            "call": partial(self.engine.probabilities, tiny, x),
        }
        seconds = {what: min(timeit.repeat(call, number=2000, repeat=20)) / 2000 for what, call in calls.items()}
        return seconds["row"] - seconds["call"]


class Small(Engine):
    """With a memory limit of 16 MB."""

    @staticmethod
    def made(threads):
        from glassmax.engine.native import NativeEngine

        return NativeEngine(threads, memory_limit=16_000_000)


class Smoothed(Engine):
    """With label smoothing."""

    regularization = Regularization(label_smoothing=0.1)


class Weighted(Engine):
    """With sample weights."""

    def weight(self, n):
        return np.random.default_rng(2).uniform(0.5, 1.5, n)


class ZLoss(Engine):
    """With a penalty on the squared logarithm of the sum of exponentials."""

    head = MappingProxyType({"z_loss": 1e-4})


class Softcapped(Engine):
    """With logits bounded by a multiple of tanh."""

    head = MappingProxyType({"softcap": 30.0})
