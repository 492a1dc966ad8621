"""Why a fit has ended, as `stop_reason_` says it: every value, by a fit that ends so."""

import re
import warnings

import numpy as np
import pytest

import glassmax.optimizers
from glassmax import SoftmaxClassifier
from glassmax.engine import ReferenceEngine
from glassmax.errors import DivergenceError
from tests.estimator.iris import IRIS, SPECIES, small

pytestmark = pytest.mark.filterwarnings(
    "ignore::sklearn.exceptions.ConvergenceWarning", "ignore:Training was interrupted"
)


def constant(classifier, X, y):
    return 0.5


class Broken(ReferenceEngine):
    """An engine that fails in its epoch number `number`."""

    def __init__(self, error, number=3):
        super().__init__()
        self.error, self.left = error, number

    def epoch(self, *arguments, **options):
        self.left -= 1
        if self.left == 0:
            raise self.error
        return super().epoch(*arguments, **options)


def broken(monkeypatch, error, number=3):
    monkeypatch.setattr("glassmax.estimator.classifier.best_engine", lambda *_: Broken(error, number))


@pytest.mark.parametrize(
    ("options", "reason"),
    [
        ({}, "max_iter"),
        ({"early_stopping": True}, "max_iter"),
        ({"learning_rate": "step"}, "max_iter"),
        ({"solver": "lbfgs"}, "max_iter"),
        ({"solver": "sgd", "learning_rate": "cosine"}, "schedule_completed"),
        ({"learning_rate": "one_cycle"}, "schedule_completed"),
        ({"tol": 9.0, "n_iter_no_change": 1}, "no_improvement"),
        ({"tol": 9.0, "n_iter_no_change": 1, "early_stopping": True}, "no_improvement"),
        ({"tol": 9.0, "n_iter_no_change": 1, "learning_rate": "one_cycle"}, "no_improvement"),
        pytest.param(
            {"solver": "lbfgs", "early_stopping": True, "scoring": constant, "max_iter": 50},
            "no_improvement",
            id="lbfgs by a constant score",
        ),
        ({"solver": "lbfgs", "alpha": 1.0, "max_iter": 500}, "converged"),
        ({"solver": "lbfgs", "max_iter": 100, "max_fun": 5}, "max_fun"),
    ],
    ids=str,
)
def test_a_fit_says_why_it_ended(options, reason):
    assert small(**options).fit(IRIS, SPECIES).stop_reason_ == reason
    classifier = small(**options)
    for _ in classifier.fit_epochs(IRIS, SPECIES):
        assert classifier.stop_reason_ is None
    assert classifier.stop_reason_ == reason


def test_a_line_search_that_finds_no_step_ends_a_fit(monkeypatch):
    def failing(*_, **__):
        yield glassmax.optimizers.Iterate(np.zeros(51), 1.0)
        yield glassmax.optimizers.Iterate(np.zeros(51), 1.0, "line_search", "ABNORMAL: ")

    monkeypatch.setattr("glassmax.training.loop.lbfgs", failing)
    assert small(solver="lbfgs").fit(IRIS, SPECIES).stop_reason_ == "line_search"


def test_an_interrupt_is_a_reason(monkeypatch):
    broken(monkeypatch, KeyboardInterrupt())
    assert small().fit(IRIS, SPECIES).stop_reason_ == "interrupted"


@pytest.mark.parametrize("error", [KeyboardInterrupt, MemoryError])
def test_an_error_in_a_later_epoch_is_an_interrupt(monkeypatch, error):
    broken(monkeypatch, error())
    classifier = small()
    with pytest.raises(error):
        for _ in classifier.fit_epochs(IRIS, SPECIES):
            pass
    assert classifier.stop_reason_ == "interrupted"


def test_a_reader_that_leaves_is_an_interrupt():
    classifier = small()
    epochs = classifier.fit_epochs(IRIS, SPECIES)
    next(epochs)
    epochs.close()
    assert classifier.stop_reason_ == "interrupted"


@pytest.mark.parametrize("number", [1, 3])
def test_divergence_is_a_reason(monkeypatch, number):
    broken(monkeypatch, DivergenceError("no"), number)
    classifier = small()
    with pytest.raises(DivergenceError):
        classifier.fit(IRIS, SPECIES)
    assert classifier.stop_reason_ == "diverged"


def test_a_fit_that_a_callback_stops_says_so():
    pytest.importorskip("sklearn.callback")

    class Stop:
        """A callback that stops after the first epoch."""

        def setup(self, estimator, context): ...
        def teardown(self, estimator, context): ...
        def on_fit_task_begin(self, estimator, context): ...
        def on_fit_task_end(self, estimator, context, **_):
            return context.task_name == "epoch"

    assert small().set_callbacks(Stop()).fit(IRIS, SPECIES).stop_reason_ == "callback"


def test_a_refused_fit_leaves_the_reason_of_the_last(monkeypatch):
    classifier = small().fit(IRIS, SPECIES)
    broken(monkeypatch, DivergenceError("no"), number=1)
    with pytest.raises(DivergenceError):
        classifier.fit(IRIS, SPECIES)
    assert classifier.stop_reason_ == "max_iter"


def test_a_resumed_fit_that_had_ended_keeps_its_reason(tmp_path):
    options = {"tol": 9.0, "n_iter_no_change": 1, "max_iter": 50, "checkpoint_path": tmp_path / "run"}
    assert [small(**options).fit(IRIS, SPECIES).stop_reason_ for _ in range(2)] == ["no_improvement"] * 2


def test_a_partial_fit_has_no_end():
    classifier = small().fit(IRIS, SPECIES)
    assert classifier.partial_fit(IRIS, SPECIES).stop_reason_ is None


def test_the_docstring_names_every_reason():
    documented = SoftmaxClassifier.__doc__.split("stop_reason_ : ")[1].split("t_ : int")[0]
    assert set(re.findall(r'^ +- "(\w+)":', documented, re.MULTILINE)) == {
        *("max_iter", "schedule_completed", "no_improvement", "converged", "max_fun", "line_search"),
        *("callback", "interrupted", "diverged"),
    }


def test_a_loss_that_explodes_is_an_attribute():
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        exploded = small(max_iter=2).fit(1e6 * IRIS, SPECIES)
    assert exploded.exploded_
    assert not small().fit(IRIS, SPECIES).exploded_
