"""Starting weights: the schemes, and which one fits an activation.

A scheme draws W_l around 0 with a spread that depends on its layer's number of inputs a and number of outputs b, so
that neither activations nor derivatives grow or shrink from layer to layer::

    glorot      variance 2 / (a + b)       sigmoid, tanh, identity, softplus; the last layer
    he          variance 2 / a             relu and its variants: half of the units output 0
    lecun       variance 1 / a             selu
    mlp         uniform in +-sqrt(6 / (a + b)), sigmoid +-sqrt(2 / (a + b)), biases too: scikit-learn's MLPClassifier
    normal      variance 2 / a for relu and its variants, otherwise 1 / a; biases of variance 1
    zeros       weights and biases 0

Each of the first three schemes has the variants ``_uniform`` and ``_normal``, and its biases start at 0. ``auto`` uses,
for each layer, the scheme that fits its activation. Under ``normal`` the last layer is ``zeros``: each class starts
with the same probability. The biases spread the kinks of the hidden units over the range of the inputs; inputs should
be scaled to about 1.

Sources: Glorot & Bengio (2010), equations 12 and 16; He, Zhang, Ren & Sun (2015), equation 10; LeCun, Bottou, Orr &
Müller, "Efficient backprop" (1998), equation 16; Klambauer et al., "Self-normalizing neural networks" (2017);
Holzmüller, Grinsztajn & Steinwart, "Better by default" (2024), for the biases and the last layer of ``normal``.
"""

from collections.abc import Callable, Sequence
from typing import Any

import numpy as np

from .embedding import Embedding
from .errors import OptionError, one_of
from .functional.arrays import Array
from .parameters import Parameters

__all__ = ["SCHEMES", "draw_embedding", "draw_parameters", "generator", "schemes_of"]

VARIANCES = ("glorot", "he", "lecun")
SCHEMES = ("mlp", "auto", *(f"{name}_{shape}" for name in VARIANCES for shape in ("uniform", "normal")), "normal")
"""The values that `init` may have."""

FITTING = {"selu": "lecun_normal"} | dict.fromkeys(("relu", "leaky_relu", "elu", "gelu", "silu", "mish"), "he_uniform")
"""The scheme that fits an activation; activations not listed take glorot_uniform."""
AT_ONCE = 2**20


def schemes_of(init: str, activations: Sequence[str]) -> tuple[str, ...]:
    """Return the scheme of each layer, the last one included; `activations` are those of the hidden layers.

    Examples
    --------
    >>> schemes_of("auto", ["relu", "selu", "tanh"])
    ('he_uniform', 'lecun_normal', 'glorot_uniform', 'glorot_uniform')
    """
    one_of("init", init, SCHEMES)
    if init == "normal":
        return (*("normal" for _ in activations), "zeros")
    if init != "auto":
        return (init,) * (len(activations) + 1)
    return (*(FITTING.get(name, "glorot_uniform") for name in activations), "glorot_uniform")


def generator(
    random_state: int | np.random.RandomState | np.random.Generator | None,
) -> np.random.RandomState | np.random.Generator:
    """Return a generator of random numbers: for a seed in [0, 2^32), for a random seed (None), or the one given."""
    if random_state is None or (isinstance(random_state, int | np.integer) and 0 <= random_state < 2**32):
        return np.random.RandomState(random_state)
    if isinstance(random_state, np.random.RandomState | np.random.Generator):
        return random_state
    expected = "a whole number from 0 to 2^32 - 1, None, or a generator"
    raise OptionError(parameter="random_state", came=repr(random_state), expected=expected)


def draw_parameters(
    parameters: Parameters, init: str, activations: Sequence[str], draw: "np.random.RandomState | np.random.Generator"
) -> None:
    """Draw starting values into `parameters`, in the order W1, b1, W2, ...; `init` is one of `SCHEMES`.

    Examples
    --------
    >>> parameters = Parameters([50, 100, 3])
    >>> draw_parameters(parameters, "auto", ["relu"], np.random.RandomState(0))
    >>> bool(abs(parameters["W1"]).max() < np.sqrt(6 / 50)), parameters["b1"].any()
    (True, np.False_)
    """
    kinds = (*activations, *activations[-1:])  # scikit-learn draws the last layer like the one before it
    for layer, scheme in enumerate(schemes_of(init, activations), start=1):
        W, b = parameters.W[layer], parameters.b[layer]
        inputs, outputs = W.shape
        if scheme == "mlp":
            bound = np.sqrt((2.0 if kinds[layer - 1 : layer] == ("sigmoid",) else 6.0) / (inputs + outputs))
            _fill(W, draw.uniform, -bound, bound)
            _fill(b, draw.uniform, -bound, bound)
            continue
        if scheme == "normal":
            he = FITTING.get(kinds[layer - 1], "").startswith("he")
            _fill(W, draw.normal, 0, np.sqrt((2 if he else 1) / inputs))
            _fill(b, draw.normal, 0, 1)
            continue
        if scheme == "zeros":
            W[...] = b[...] = 0
            continue
        name, shape = scheme.split("_")
        variance = {"glorot": 2 / (inputs + outputs), "he": 2 / inputs, "lecun": 1 / inputs}[name]
        if shape == "uniform":
            _fill(W, draw.uniform, -np.sqrt(3 * variance), np.sqrt(3 * variance))
        else:
            _fill(W, draw.normal, 0, np.sqrt(variance))
        b[...] = 0


def _fill(view: Array, drawn: Callable[..., Any], *shape: float) -> None:
    """Fill a view of the parameters with values drawn from a distribution, a part at a time to save memory."""
    flat = view.reshape(-1)
    for start in range(0, flat.size, AT_ONCE):
        some = flat[start : start + AT_ONCE]
        some[...] = drawn(*shape, some.size)


def draw_embedding(
    parameters: Parameters, embedding: Embedding, draw: "np.random.RandomState | np.random.Generator"
) -> None:
    """Draw the starting values of an embedding into `parameters`, in the order F, H, V, E1, ...; C starts at 0.

    ::

        F ~ N(0, (2 pi scale)^2)        H ~ U(-pi, pi)        V ~ U(-1/sqrt(K), 1/sqrt(K))        E ~ N(0, 0.01)

    A category whose matrix starts small adds nothing to begin with: its levels move apart only as far as their rows
    ask for it.

    Source: Holzmüller, Grinsztajn & Steinwart, "Better by default" (2024), section 3, for F, H, V and C.
    """
    for name, shape in embedding.shapes.items():
        if name == "F":
            parameters[name] = draw.normal(0, 2 * np.pi * embedding.scale, shape)
        elif name == "H":
            parameters[name] = draw.uniform(-np.pi, np.pi, shape)
        elif name == "V":
            bound = embedding.frequencies**-0.5
            parameters[name] = draw.uniform(-bound, bound, shape)
        elif name != "C":
            parameters[name] = draw.normal(0, 0.1, shape)


def __dir__() -> list[str]:
    return __all__
