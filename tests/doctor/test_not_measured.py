"""A gradient is not judged where the loss is not finite beside a parameter, so that no slope can be measured."""

import numpy as np
import pytest

import glassmax as gm

X = np.random.default_rng(0).normal(size=(6, 3))
y = np.array([0, 1, 2, 0, 1, 2])
AT_THE_EDGE = {
    "sqrt": (np.zeros(()), lambda t: np.sqrt(t)),
    "power": (np.zeros(2), lambda t: np.sum(t**1.5)),
    "inf": (np.ones(3), lambda t: np.sum(np.where(t > 1, np.inf, 0.0))),
    "moved": (np.ones((2, 2)), lambda t: 0.0 if np.all(t == 1) else np.nan),
    "many cells": (np.zeros((20, 10)), lambda t: np.sum(np.sqrt(t))),
}


def problem(edge):
    t, term = AT_THE_EDGE[edge]
    parameters = {"w": np.array([0.3, -0.2, 0.5]), "t": t}

    def loss(p, X, y):
        with np.errstate(all="ignore"):
            return float(np.sum(np.cos(X @ p["w"]) * y) + term(p["t"]))

    def gradients(p, X, y):
        return {"w": -X.T @ (np.sin(X @ p["w"]) * y), "t": 7.0 + 0 * p["t"]}

    return parameters, loss, gradients


@pytest.mark.parametrize("edge", AT_THE_EDGE)
def test_what_could_not_be_measured_is_not_declared_right(edge):
    parameters, loss, gradients = problem(edge)
    d = gm.diagnose(gradients, X, y, loss=loss, parameters=parameters)
    assert d.verdict == "wrong"
    assert d.causes == ("not_measured",)
    assert d.first_wrong is None
    assert "the derivative by t could not be measured, because the loss is not finite beside t" in str(d).replace(
        "\n   ", " "
    )
    w, t = d.lines
    assert w.correct
    assert not t.correct
    assert np.isnan(t.error)
    assert repr(t) == f"t {t.shape}: not measured"
    assert "not measured" in d._repr_html_()


def test_a_mistake_beside_it_is_found():
    parameters, loss, gradients = problem("moved")

    def turned(p, X, y):
        return gradients(p, X, y) | {"w": -gradients(p, X, y)["w"]}

    d = gm.diagnose(turned, X, y, loss=loss, parameters=parameters)
    assert d.causes == ("sign", "not_measured")
    assert d.first_wrong == "dw"


@pytest.mark.parametrize("value", [np.nan, np.inf])
@pytest.mark.parametrize("loss_by_t", [np.sum, lambda t: np.sum(np.abs(t))], ids=["smooth", "kink"])
def test_a_gradient_that_is_not_finite_is_wrong_where_the_loss_was_measured(value, loss_by_t):
    parameters = {"t": np.zeros(3)}
    d = gm.diagnose(
        lambda p, X, y: {"t": np.full(3, value)},
        X,
        y,
        loss=lambda p, X, y: float(loss_by_t(p["t"])),
        parameters=parameters,
    )
    assert d.verdict == "wrong"
    assert "not_measured" not in d.causes
    assert d.lines[0].measured


PARTLY = {
    "cells": (np.array([0.0, 2.0, 0.0, 3.0]), "t: 2 of 4 cells could not be measured"),
    "one of two": (np.array([0.0, 1.0]), "t: 1 of 2 cells could not be measured"),
}


@pytest.mark.parametrize("case", PARTLY)
def test_the_cells_that_could_not_be_measured_are_counted(case):
    t, says = PARTLY[case]
    parameters = {"t": t}

    def loss(p, X, y):
        with np.errstate(all="ignore"):
            return float(np.sum(np.sqrt(p["t"])))

    def gradients(p, X, y):
        return {"t": np.where(p["t"] > 0, 0.5 / np.sqrt(np.maximum(p["t"], 1)), 0.0)}

    d = gm.diagnose(gradients, X, y, loss=loss, parameters=parameters)
    assert d.verdict == "correct"
    assert d.conventions[-1].startswith(f"{says}, because the loss is not finite beside t; only the other ")
    wrong = gm.diagnose(lambda p, X, y: {"t": 1 + gradients(p, X, y)["t"]}, X, y, loss=loss, parameters=parameters)
    assert wrong.verdict == "wrong"
    assert wrong.conventions[-1] == d.conventions[-1]
    everywhere = gm.diagnose(gradients, X, y, loss=loss, parameters={"t": t + 1})
    assert "could not be measured" not in str(everywhere)


def test_the_random_directions_that_could_not_be_measured_are_counted():
    """The loss is finite on one side of a plane through a large parameter."""
    t = np.ones((20, 10))

    def loss(p, X, y):
        moved = p["t"][0] - 1
        return np.inf if np.all(moved[:2] > 0) or np.all(moved[:2] < 0) else float(np.sum(p["t"] ** 2))

    d = gm.diagnose(lambda p, X, y: {"t": 2 * p["t"]}, X, y, loss=loss, parameters={"t": t})
    assert d.verdict == "correct"
    assert "of 8 random directions could not be measured" in d.conventions[-1]
