"""The records of mistakes: each has a known cause, words that can be filled in, and a formula of the right shape."""

import numpy as np
import pytest

from glassmax.doctor.exact_pass import Architecture, Pass
from glassmax.doctor.mistakes import biases, head, hidden, ingredients, weights
from glassmax.doctor.mistakes.causes import CAUSES
from glassmax.doctor.mistakes.last_layer import LastLayer
from glassmax.doctor.mistakes.site import Site

HEADS = [
    ("softmax", "cross_entropy"),
    ("softmax", "squared_error"),
    ("sigmoid", "binary_cross_entropy"),
    ("sigmoid", "squared_error"),
    ("identity", "squared_error"),
    ("relu", "squared_error"),
]


def sites(head, n, activation):
    """The pass of a network whose layers have one width, and its layers from the last one down."""
    draw, layers = np.random.default_rng(0), (1, 2, 3)
    W = {layer: draw.normal(size=(4, 4)) for layer in layers}
    b = {layer: draw.normal(size=4) for layer in layers}
    architecture = Architecture((4, 4, 4, 4), (activation, "tanh"), *head, (True,) * 3)
    p = Pass(architecture, W, b, draw.normal(size=(n, 4)), np.eye(4)[np.arange(n) % 4], scale=1 / n)
    top = Site(p, 3, p.dZ[3], p.scale * p.dP, W[3])
    middle = Site(p, 2, top.below.dZ, top.below.dA, W[2])
    return p, [top, middle, middle.below]


def records(p, layers):
    """Every mistake with the place where it is made, and the shape of what is right there."""
    n = p.n
    table = [(mistake, p, (n, 4)) for mistake in (*ingredients.predictions(p), *ingredients.labels(p))]
    right = LastLayer(p, p.P, p.Y, p.dP)
    table += [(m, right, (n, 4)) for m in (*ingredients.loss_derivatives(p), *head.errors_at_the_top(p))]
    for s in layers:
        table += [(mistake, s, (4, 4)) for mistake in weights.weights(s)]
        table += [(mistake, s, (4,)) for mistake in biases.biases(s)]
        table += [(mistake, s, None) for mistake in weights.WEIGHTS_OF_OTHER_SHAPE + biases.BIASES_OF_OTHER_SHAPE]
        if s.layer > 1:
            passed = (*hidden.errors(s), hidden.UPDATED_WEIGHTS, hidden.BOUND_WRONGLY)
            table += [(mistake, s, (n, 4)) for mistake in passed]
        if not s.is_last:
            table += [(mistake, s, (n, 4)) for mistake in (*hidden.derivatives(s), *hidden.WHOLE)]
    return table


@pytest.mark.parametrize("activation", ["sigmoid", "relu", "gelu"])
@pytest.mark.parametrize("n", [1, 4, 6])
@pytest.mark.parametrize("pair", HEADS, ids=" ".join)
def test_a_record_has_a_cause_words_and_a_formula(pair, n, activation):
    p, layers = sites(pair, n, activation)
    for mistake, place, shape in records(p, layers):
        assert {mistake.cause, *mistake.also} <= {*CAUSES}
        names = place.names if isinstance(place, Site) else layers[0].names
        assert "{" not in mistake.at("dZ1", names).says
        with np.errstate(all="ignore"):
            made = mistake.formula(place)
        assert made is None or shape is None or made.shape == shape, mistake
