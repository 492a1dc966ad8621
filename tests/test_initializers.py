"""Starting weights: each scheme's spread, and the one that fits an activation."""

import numpy as np
import pytest

from glassmax import Network, initializers
from glassmax.errors import OptionError
from glassmax.functional import ACTIVATIONS
from glassmax.initializers import SCHEMES, draw_parameters, schemes_of
from glassmax.parameters import Parameters

SIZES = [300, 200, 100]
VARIANCE = {
    "glorot": lambda inputs, outputs: 2 / (inputs + outputs),
    "he": lambda inputs, outputs: 2 / inputs,
    "lecun": lambda inputs, outputs: 1 / inputs,
}


def drawn(init, activations=("relu",), seed=0):
    parameters = Parameters(SIZES)
    draw_parameters(parameters, init, activations, np.random.RandomState(seed))
    return parameters


@pytest.mark.parametrize("scheme", [scheme for scheme in SCHEMES if "_" in scheme])
def test_weights_have_the_variance_of_their_scheme_and_biases_start_at_0(scheme):
    name, shape = scheme.split("_")
    for layer, W in drawn(scheme).W.items():
        variance = VARIANCE[name](*SIZES[layer - 1 : layer + 1])
        assert W.var() == pytest.approx(variance, rel=0.05)
        assert abs(W.mean()) < 0.05 * np.sqrt(variance)
        beyond = np.abs(W).max() / np.sqrt(variance)
        assert beyond <= np.sqrt(3) if shape == "uniform" else beyond > 3
    assert not drawn(scheme).b[1].any()


@pytest.mark.parametrize(("activation", "factor"), [("relu", 6), ("tanh", 6), ("sigmoid", 2)])
def test_mlp_is_the_scheme_of_mlpclassifier(activation, factor):
    parameters, draw = drawn("mlp", [activation]), np.random.RandomState(0)
    for layer in (1, 2):
        bound = np.sqrt(factor / sum(parameters.W[layer].shape))
        np.testing.assert_array_equal(parameters.W[layer], draw.uniform(-bound, bound, parameters.W[layer].shape))
        np.testing.assert_array_equal(parameters.b[layer], draw.uniform(-bound, bound, parameters.b[layer].shape))


@pytest.mark.parametrize(("activation", "factor"), [("gelu", 2), ("relu", 2), ("selu", 1), ("tanh", 1)])
def test_normal_draws_weights_and_biases_and_leaves_the_last_layer_at_0(activation, factor):
    parameters = drawn("normal", [activation])
    for entries, variance in ((parameters["W1"], factor / 300), (parameters["b1"], 1)):
        assert entries.var() == pytest.approx(variance, rel=0.15)
        assert abs(entries).max() > 2.4 * np.sqrt(variance)
    assert not parameters["W2"].any()
    assert not parameters["b2"].any()
    assert schemes_of("normal", [activation] * 2) == ("normal", "normal", "zeros")


def test_normal_without_a_hidden_layer_starts_at_0():
    assert not Network([4, 3], init="normal").theta.any()


def test_auto_fits_every_activation():
    schemes = {name: schemes_of("auto", [name])[0] for name in ACTIVATIONS}
    assert {name for name, scheme in schemes.items() if scheme == "he_uniform"} == {
        "relu", "leaky_relu", "elu", "gelu", "silu", "mish"
    }  # fmt: skip
    assert schemes["selu"] == "lecun_normal"
    assert {schemes[name] for name in ("identity", "sigmoid", "tanh", "softplus")} == {"glorot_uniform"}


@pytest.mark.parametrize("activation", ["relu", "selu", "tanh", "gelu"])
def test_under_auto_the_signal_neither_fades_nor_grows_through_twenty_layers(activation):
    net = Network([100] * 21 + [3], activation=activation, init="auto", random_state=0)
    A = net.forward(np.random.default_rng(0).standard_normal((200, 100))).A
    assert 0.05 < A[20].std() / A[1].std() < 5


def test_a_network_takes_the_scheme():
    net = Network([50, 40, 3], init="he_normal", random_state=0)
    np.testing.assert_array_equal(net.parameters["b1"], np.zeros(40))
    assert net.parameters["W1"].std() == pytest.approx(np.sqrt(2 / 50), rel=0.1)


def test_a_generator_draws_too():
    parameters = Parameters(SIZES)
    draw_parameters(parameters, "he_normal", ["relu"], np.random.default_rng(0))
    assert parameters.W[1].std() == pytest.approx(np.sqrt(2 / 300), rel=0.05)


def test_an_unknown_scheme_is_refused():
    with pytest.raises(OptionError, match="init is 'he', expected one of mlp, auto, glorot_uniform"):
        Network([2, 2], init="he")


def test_dir_of_initializers_shows_the_public_names():
    assert dir(initializers) == sorted(initializers.__all__)
