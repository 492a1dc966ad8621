"""Epochs of the native engine against those of the reference: each rule with each option, on rows of every kind."""

from dataclasses import dataclass

import numpy as np
import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st
from scipy import sparse

from glassmax import Network
from glassmax.engine import Data, Regularization, init_scaled
from glassmax.errors import OptionError
from glassmax.optimizers import SGD, Adam
from tests.engine.test_native import ENGINES, REFERENCE, exact
from tests.grid import DTYPES, target

NOTHING = Regularization()


@dataclass(frozen=True)
class Run:
    """Some epochs: how weights move, on what, in which order."""

    rule: str = "sgd"
    batch_size: int = 33
    regularization: Regularization = NOTHING
    weights: str = "none"
    kind: str = "indices"
    stored: str = "dense"
    shorter: bool = False
    first_step: int = 0
    epochs: int = 3
    rate_factors: tuple[float, ...] = ()
    scaled: bool = False

    @property
    def n(self):
        """Enough rows for some steps, the last of them smaller."""
        return {1: 9, 4: 30, 33: 100, 200: 450, 600: 1300}[self.batch_size]

    @property
    def loss(self):
        """The loss that takes rows of this kind."""
        candidates = "candidate_cross_entropy"
        others = {"labels": "binary_cross_entropy", "candidates": candidates, "one candidate": candidates}
        return others.get(self.kind, "cross_entropy")

    def network(self, dtype="float64"):
        head = {"labels": ("sigmoid", "binary_cross_entropy")}.get(self.kind, ("softmax", self.loss))
        names = {"activation": ["tanh", "silu"], "output": head[0], "loss": head[1]}
        return Network((7, 9, 6, 3), dtype=dtype, random_state=5, **names)

    def data(self):
        draw = np.random.default_rng(self.n)
        X = draw.standard_normal((self.n, 7)) * (draw.random((self.n, 7)) < 0.6)
        one = self.kind in ("indices", "one candidate")
        y = target("indices" if one else "soft", self.loss, (self.n, 3), draw)
        w = None if self.weights == "none" else draw.uniform(0.5, 2, self.n) * (draw.random(self.n) < 0.7)
        if self.weights == "nan":
            X[w == 0] = np.nan
        return Data(STORED[self.stored](X), y, w)

    def on(self, engine, dtype="float64"):
        """Return theta, the rule's state and what each epoch said."""
        network, data, rule, steps = self.network(dtype), self.data(), RULES[self.rule], self.first_step
        if engine is REFERENCE:  # computes in float64, whatever it is held against
            network, X = exact(network, data.X)
            data = data._replace(X=X)
        state = init_scaled(rule, network) if self.scaled else rule.init(network.theta)
        said, draw = [], np.random.default_rng(1)
        for epoch in range(self.epochs):
            order = draw.permutation(self.n)[: self.n * 2 // 3 if self.shorter else None]
            count = -(-len(order) // self.batch_size)
            rates = rule.learning_rate * draw.uniform(0.1, 1, count + epoch)  # there may be more than are used
            how = {"batch_size": self.batch_size, "regularization": self.regularization, "first_step": steps}
            how["rate_factors"] = (*self.rate_factors, 6.0) if self.rate_factors and self.scaled else self.rate_factors
            how["mixup_factors"] = None if epoch == 1 else draw.uniform(0, 1, count + epoch) * (epoch < 2)
            said.append(engine.epoch(network, data, rule, state, order=order, rates=rates, **how))
            steps += count
        return network.theta, state, said


RULES = {
    "sgd": SGD(0.2),
    "momentum": SGD(0.1, momentum=0.9),
    "nesterov": SGD(0.1, momentum=0.9, nesterov=True),
    "adam": Adam(0.01, epsilon=1e-3),  # the quotient m / sqrt(v) of gradients near 0 makes much of their rounding
}


def with_duplicates(X):
    """Return CSR whose entries stand in falling order, in two halves each; empty rows stay empty."""
    rows, columns = np.nonzero(X)
    rows, columns = rows[::-1], columns[::-1]
    falling = np.argsort(rows, kind="stable")
    rows, columns = rows[falling], columns[falling]
    starts = np.searchsorted(rows, np.arange(len(X) + 1))
    values = np.repeat(X[rows, columns] / 2, 2)
    return sparse.csr_array((values, np.repeat(columns, 2), 2 * starts), shape=X.shape)


def wide(X):
    made = sparse.csr_array(X)
    made.indices, made.indptr = made.indices.astype(np.int64), made.indptr.astype(np.int64)
    return made


STORED = {"dense": np.asarray, "int32": sparse.csr_array, "int64": wide, "duplicates": with_duplicates}

RUNS = st.builds(
    Run,
    rule=st.sampled_from(list(RULES)),
    batch_size=st.sampled_from([1, 4, 33, 200, 600]),
    regularization=st.builds(
        Regularization,
        alpha=st.sampled_from([0.0, 0.5]),
        label_smoothing=st.sampled_from([0.0, 0.2]),
        dropout=st.sampled_from([(), (0.0, 0.0), (0.3, 0.5), (0.0, 0.2)]),
        seed=st.sampled_from([0, 2**63 - 1]),
        clip_norm=st.sampled_from([None, 0.05, 1e3]),
        weight_decay=st.sampled_from([0.0, 0.3]),
        mixup=st.sampled_from([0.0, 0.3, 1.0]),
        mixup_share=st.sampled_from([0.5, 1.0]),
    ),
    weights=st.sampled_from(["none", "zeros", "nan"]),
    kind=st.sampled_from(["indices", "soft", "labels", "candidates", "one candidate"]),
    stored=st.sampled_from(list(STORED)),
    shorter=st.booleans(),
    first_step=st.sampled_from([0, 5, 2**40]),
    rate_factors=st.sampled_from([(), (0.5, 0.1, 0.25, 0.1, 2.0, 0.0)]),
    scaled=st.booleans(),
)

TOLERANCE = {"float64": 1e-12, "float32": 2e-4}


def same_run(got, expected, tolerance):
    """Whether two runs have the same weights, state, losses and steps, but for rounding."""
    theta, state, said = got
    theta_, state_, said_ = expected
    return (
        np.allclose(theta, theta_, rtol=tolerance, atol=tolerance)
        and state.keys() == state_.keys()
        and all(np.allclose(state[name], state_[name], rtol=tolerance, atol=tolerance) for name in state)
        and np.allclose([one.loss for one in said], [other.loss for other in said_], rtol=tolerance, atol=0)
        and [one[1:] for one in said] == [other[1:] for other in said_]
    )


@pytest.mark.parametrize("dtype", DTYPES)
@settings(max_examples=120)
@given(run=RUNS)
def test_epochs_are_the_references(dtype, run):
    assume(run.loss != "candidate_cross_entropy" or not run.regularization.label_smoothing)  # refused
    expected = run.on(REFERENCE, dtype)
    for engine in ENGINES:
        assert same_run(run.on(engine, dtype), expected, TOLERANCE[dtype]), engine.isa


CHANGES = {
    "alpha": Regularization(alpha=0.5),
    "label_smoothing": Regularization(label_smoothing=0.2),
    "dropout": Regularization(dropout=(0.3, 0.5)),
    "clip_norm": Regularization(clip_norm=0.05),
    "weight_decay": Regularization(weight_decay=0.3),
    "mixup": Regularization(mixup=0.3),
    "mixup_share": Regularization(mixup=0.3, mixup_share=1.0),
}


@pytest.mark.parametrize("rule", RULES)
@pytest.mark.parametrize("regularization", CHANGES.values(), ids=CHANGES)
def test_an_epoch_that_leaves_something_out_is_found(regularization, rule):
    without, whole = Run(rule, weights="zeros"), Run(rule, regularization=regularization, weights="zeros")
    runs = without.on(ENGINES[-1], "float32"), whole.on(REFERENCE, "float32")
    assert not same_run(*runs, TOLERANCE["float32"])


@pytest.mark.parametrize("dtype", DTYPES)
@pytest.mark.parametrize("kind", ["candidates", "one candidate"])
@pytest.mark.parametrize("mixup", [0.0, 0.3, 1.0])
def test_epochs_on_candidates_are_the_references(mixup, kind, dtype):
    dropped = Regularization(mixup=mixup, mixup_share=0.7, dropout=(0.3, 0.0))
    run = Run("adam", kind=kind, regularization=dropped, weights="zeros")
    expected = run.on(REFERENCE, dtype)
    for engine in ENGINES:
        assert same_run(run.on(engine, dtype), expected, TOLERANCE[dtype]), engine.isa


@pytest.mark.parametrize("engine", [REFERENCE, *ENGINES], ids=lambda engine: engine.arithmetic)
def test_candidates_are_not_smoothed(engine):
    run = Run(kind="candidates", regularization=Regularization(label_smoothing=0.1))
    with pytest.raises(OptionError, match=r"^label_smoothing is 0\.1, expected 0 with loss 'candidate_cross_entropy'"):
        run.on(engine)
    with pytest.raises(OptionError, match=r"^label_smoothing is 0\.1"):
        engine.loss_and_gradient(run.network(), run.data(), run.regularization)


@pytest.mark.parametrize("rule", RULES)
@pytest.mark.parametrize("which", range(6))
def test_a_rate_factor_that_is_left_out_is_found(which, rule):
    without, whole = [0.5, 0.1, 0.25, 0.1, 2.0, 0.0], (0.5, 0.1, 0.25, 0.1, 2.0, 0.0)
    without[which] = 1.0
    runs = Run(rule, rate_factors=tuple(without)).on(ENGINES[-1]), Run(rule, rate_factors=whole).on(REFERENCE)
    assert not same_run(*runs, TOLERANCE["float32"])


@pytest.mark.parametrize("rule", RULES)
def test_a_scale_that_is_left_out_or_moves_at_another_rate_is_found(rule):
    ones = (1.0,) * 6
    whole, _, _ = Run(rule, scaled=True, rate_factors=ones).on(REFERENCE)
    for other in (Run(rule, rate_factors=ones), Run(rule, scaled=True)):
        theta, _, _ = other.on(ENGINES[-1])
        assert not np.allclose(theta, whole, rtol=TOLERANCE["float32"], atol=TOLERANCE["float32"])


@pytest.mark.parametrize("one", RULES)
@pytest.mark.parametrize("other", RULES)
def test_each_rule_is_another(one, other):
    runs = Run(one).on(ENGINES[0]), Run(other).on(REFERENCE)
    assert same_run(*runs, TOLERANCE["float32"]) == (one == other)


@pytest.mark.parametrize("engine", ENGINES, ids=lambda engine: engine.isa)
@pytest.mark.parametrize("regularization", [NOTHING, Regularization(clip_norm=0.5)], ids=["plain", "clipped"])
@pytest.mark.parametrize("steps", [0, 1, 2])
@pytest.mark.parametrize("rule", RULES)
def test_an_epoch_stops_where_the_references_does(engine, rule, steps, regularization):
    rule, results = RULES[rule], []
    X = np.random.default_rng(0).standard_normal((10, 4))
    X[4 * steps] = 1e308
    data, order, rates = Data(X, np.arange(10) % 3), np.arange(10), np.full(3, 0.01)
    for each in (REFERENCE, engine):
        network = Network((4, 5, 3))
        network.theta[...] = np.abs(network.theta)
        state, how = rule.init(network.theta), {"batch_size": 4, "regularization": regularization, "first_step": 0}
        said = each.epoch(network, data, rule, state, order=order, rates=rates, **how)
        assert np.isnan(said.loss)
        assert (said.steps, said.finite) == (steps, False)
        results.append((network.theta, state, []))
    assert same_run(*results, TOLERANCE["float64"])
