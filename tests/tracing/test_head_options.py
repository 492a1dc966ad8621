"""Traces of networks with a softcap, a temperature, a z-loss or frozen parameters."""

import numpy as np
import pytest

from glassmax import Network, trace
from glassmax.errors import OptionError
from glassmax.optimizers import SGD

OPTIONS = {
    "softcap": {"softcap": 1.5},
    "temperature": {"temperature": 0.7},
    "z-loss": {"z_loss": 0.3},
    "all": {"softcap": 1.5, "temperature": 0.7, "z_loss": 0.3, "l2": 0.1},
    "frozen": {"temperature": 0.7, "l2": 0.1, "frozen": ["W1", "b2"]},
    "all frozen": {"l2": 0.1, "frozen": ["W1", "W2"]},
}
draw = np.random.default_rng(0)
X, Y = draw.standard_normal((4, 3)), draw.dirichlet(np.ones(5), size=4)
W = np.array([0.5, 2.0, 1.0, 0.25])


def traced(name, loss="cross_entropy", weight=None, scale=3.0):
    network = Network([3, 4, 5], activation="tanh", loss=loss, random_state=2, **OPTIONS[name])
    network.theta *= scale
    return network, trace(network, X, Y, weight)


@pytest.mark.parametrize("name", OPTIONS)
@pytest.mark.parametrize("loss", ["cross_entropy", "squared_error"])
@pytest.mark.parametrize("weight", [None, W], ids=["mean", "weighted"])
def test_every_equation_computes_its_array_and_the_gradients_are_the_networks(name, loss, weight):
    network, shown = traced(name, loss, weight)
    arrays = {**shown.arrays, "J": np.stack([shown.jacobian(row) for row in range(4)])}
    for entry in shown.steps:
        for equation in entry.equations:
            got = equation.evaluate(arrays)
            np.testing.assert_allclose(got, arrays[entry.name], rtol=1e-11, atol=1e-13, err_msg=repr(equation))
            if equation.matrix is not None:
                got = equation.evaluate_matrix(arrays)
                np.testing.assert_allclose(got, arrays[entry.name], rtol=1e-11, atol=1e-13, err_msg=repr(equation))
    loss_of_network, gradients = network.loss_and_gradients(X, Y, weight)
    assert shown.loss == loss_of_network
    for parameter, gradient in gradients.items():
        np.testing.assert_array_equal(shown.arrays[f"d{parameter}"], gradient)


def test_the_extra_steps_have_their_equations():
    _, shown = traced("all")
    assert shown["U"].equations[0].index_form == "U_ij = softcap tanh(Z2_ij/(temperature softcap))"
    assert "zloss" in shown["L_i"].equations[0].index_form
    assert shown["dU"].equations[-1].index_form == "dU_ij = (P_ij + 2 zloss P_ij log(sum_j exp(U_ij)) - Y_ij)/n"
    assert shown["dZ2"].equations[0].index_form == (
        "dZ2_ij = dU_ij (1 - tanh(Z2_ij/(temperature softcap))^2)/temperature"
    )
    assert all(equation.proved for name in ("dU", "dZ2") for equation in shown[name].equations)
    text = shown.text()
    for constant in ("softcap", "temperature", "zloss"):
        assert constant in text


@pytest.mark.parametrize("name", OPTIONS)
@pytest.mark.parametrize("parameter", ["W1", "b1", "W2", "b2", "X"])
def test_a_nudge_is_predicted_or_refused(name, parameter):
    network, shown = traced(name)
    if parameter in network.frozen:
        with pytest.raises(OptionError, match="expected a parameter that is not frozen"):
            shown.nudge(parameter, (0, 0) if parameter[0] == "W" else (0,))
        return
    nudge = shown.nudge(parameter, (0,) if parameter[0] == "b" else (0, 1), 1e-4)
    assert nudge.measured == pytest.approx(nudge.predicted, rel=1e-2, abs=1e-7)


@pytest.mark.parametrize("name", OPTIONS)
def test_the_naive_views_stand_beside_the_right_derivative(name):
    network, shown = traced(name)
    views = shown.naive(1)
    if network.head.z_loss:
        assert [view.name for view in views] == ["missing transpose"] * len(views)
    else:
        np.testing.assert_allclose(views[0].right, shown.arrays["dP"][1] @ shown.jacobian(1), rtol=1e-12)
        assert views[0].of == f"{'dU' if network.head.bounds else 'dZ2'}[1]"
    assert all(view.error > 1e-6 for view in views)


def test_a_frozen_parameter_has_gradient_0_and_stays_where_it_is():
    network, _ = traced("frozen")
    shown = trace(network, X, Y, optimizer=SGD(0.1, momentum=0.9))
    assert not shown.arrays["dW1"].any()
    assert shown["dW1"].meaning == "dW1 is 0, because W1 is frozen"
    np.testing.assert_array_equal(shown.arrays["W1'"], network.parameters["W1"])
    assert (shown.arrays["W2'"] != network.parameters["W2"]).any()
    assert "W1_kj^2" not in shown["R"].equations[0].index_form


@pytest.mark.parametrize("name", OPTIONS)
def test_every_format_shows_the_options(name, tmp_path):
    _, shown = traced(name)
    shown.to_html(tmp_path / "t.html")
    assert shown.markdown()
    assert shown.latex()
    network = shown.to_dict()["network"]
    assert network["logits"] == ("U" if name in ("softcap", "temperature", "all", "frozen") else "Z2")


def test_scores_beyond_the_range_are_bounded_by_a_softcap_without_a_warning():
    _, shown = traced("softcap", scale=1e6)
    assert np.isfinite(shown.loss)
    assert abs(shown.arrays["U"]).max() <= 1.5
