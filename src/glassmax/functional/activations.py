"""Activations: each f, its pullback f_vjp and its second derivative side by side.

All of them act entry by entry, so the Jacobian is diagonal and the pullback is a Hadamard product,

    A = f(Z)        dZ = dA * f'(Z)

Every `f_vjp` takes **Z, the input of f**, never A, its output: ``1 - A**2`` fed with Z (or the other way
round) is one of the most common mistakes there are. `f_second` is f''(Z), which Hessian-vector products need.

At a kink (relu, leaky_relu and selu have one, at 0) the derivative is taken from the left, as PyTorch takes
it; the second derivative is 0 there. Complex input branches on its real part. Entries that overflow do so
in silence: exp(-z) = inf is the right step on the way to sigmoid = 0.

To add an activation, write the three functions and one line of `ACTIVATIONS`; the tests walk that table.
"""

from __future__ import annotations  # help() shows these names instead of what they stand for

from collections.abc import Callable
from typing import NamedTuple

import numpy as np
import numpy.typing as npt

from ..errors import ShapeError
from .arrays import Array, as_floating, log1p

__all__ = [
    "ACTIVATIONS",
    "Activation",
    "elu",
    "elu_second",
    "elu_vjp",
    "gelu",
    "gelu_second",
    "gelu_vjp",
    "identity",
    "identity_second",
    "identity_vjp",
    "leaky_relu",
    "leaky_relu_second",
    "leaky_relu_vjp",
    "mish",
    "mish_second",
    "mish_vjp",
    "relu",
    "relu_second",
    "relu_vjp",
    "selu",
    "selu_second",
    "selu_vjp",
    "sigmoid",
    "sigmoid_second",
    "sigmoid_vjp",
    "silu",
    "silu_second",
    "silu_vjp",
    "softplus",
    "softplus_second",
    "softplus_vjp",
    "tanh",
    "tanh_second",
    "tanh_vjp",
]

SELU_ALPHA = 1.6732632423543772848170429916717
SELU_SCALE = 1.0507009873554804934193349852946

_quiet = np.errstate(over="ignore", invalid="ignore")


def identity(Z: npt.ArrayLike) -> Array:
    """Return Z as it is: the layer stays affine.

    ::

        f(z) = z

    Parameters
    ----------
    Z : array of any shape
        The layer's input, before the activation.

    Returns
    -------
    A : array
        Shape and dtype of Z. Range: any number.

    Notes
    -----
    Cost for each entry: a copy. The pullback needs Z.
    Source: definition.

    Examples
    --------
    >>> identity([-1.0, 2.0])
    array([-1.,  2.])
    """
    return as_floating(Z, "Z").copy()


def identity_vjp(dA: npt.ArrayLike, Z: npt.ArrayLike) -> Array:
    """Pull dL/dA back through A = identity(Z).

    ::

        dZ = dA * f'(Z)        f'(z) = 1

    Parameters
    ----------
    dA : array
        Derivative of the loss by the activations.
    Z : array, shape of dA
        The layer's input: not A.

    Returns
    -------
    dZ : array
        Shape of Z.

    Notes
    -----
    Cost and source: as for `identity`.

    Examples
    --------
    >>> identity_vjp([1.0, 1.0], [-1.0, 2.0]).round(4)
    array([1., 1.])
    """
    dA, Z = _pair(dA, Z)
    return dA.copy()


def identity_second(Z: npt.ArrayLike) -> Array:
    """Return the second derivative of `identity`.

    ::

        f''(z) = 0

    Parameters
    ----------
    Z : array of any shape
        The layer's input.

    Returns
    -------
    array
        Shape of Z.

    Notes
    -----
    Cost and source: as for `identity`.

    Examples
    --------
    >>> identity_second([-1.0, 2.0]).round(4)
    array([0., 0.])
    """
    return np.zeros_like(as_floating(Z, "Z"))


@_quiet
def sigmoid(Z: npt.ArrayLike) -> Array:
    """Squash Z into (0, 1), the logistic function.

    ::

        f(z) = 1 / (1 + exp(-z))

    Parameters
    ----------
    Z : array of any shape
        The layer's input, before the activation.

    Returns
    -------
    A : array
        Shape and dtype of Z. Range: [0, 1].

    Notes
    -----
    Cost for each entry: one exponential. The pullback needs Z.
    Source: Bishop (2006), equations 4.59 and 4.88.

    Examples
    --------
    >>> sigmoid([0.0, -np.log(3.0)])
    array([0.5 , 0.25])
    """
    Z = as_floating(Z, "Z")
    e = np.exp(np.where(Z.real > 0, -Z, Z))  # of a number <= 0: never overflows
    return np.where(Z.real > 0, 1, e) / (1 + e)


@_quiet
def sigmoid_vjp(dA: npt.ArrayLike, Z: npt.ArrayLike) -> Array:
    """Pull dL/dA back through A = sigmoid(Z).

    ::

        dZ = dA * f'(Z)        f'(z) = f(z) (1 - f(z)) = f(z) f(-z)

    Parameters
    ----------
    dA : array
        Derivative of the loss by the activations.
    Z : array, shape of dA
        The layer's input: not A.

    Returns
    -------
    dZ : array
        Shape of Z.

    Notes
    -----
    Cost and source: as for `sigmoid`.

    Examples
    --------
    >>> sigmoid_vjp([1.0, 1.0], [-1.0, 2.0]).round(4)
    array([0.1966, 0.105 ])
    """
    dA, Z = _pair(dA, Z)
    return dA * sigmoid(Z) * sigmoid(-Z)


@_quiet
def sigmoid_second(Z: npt.ArrayLike) -> Array:
    """Return the second derivative of `sigmoid`.

    ::

        f''(z) = f(z) f(-z) (f(-z) - f(z))

    Parameters
    ----------
    Z : array of any shape
        The layer's input.

    Returns
    -------
    array
        Shape of Z.

    Notes
    -----
    Cost and source: as for `sigmoid`.

    Examples
    --------
    >>> sigmoid_second([-1.0, 2.0]).round(4)
    array([ 0.0909, -0.08  ])
    """
    Z = as_floating(Z, "Z")
    up, down = sigmoid(Z), sigmoid(-Z)
    return up * down * (down - up)


@_quiet
def tanh(Z: npt.ArrayLike) -> Array:
    """Squash Z into (-1, 1), the hyperbolic tangent.

    ::

        f(z) = (exp(z) - exp(-z)) / (exp(z) + exp(-z))

    Parameters
    ----------
    Z : array of any shape
        The layer's input, before the activation.

    Returns
    -------
    A : array
        Shape and dtype of Z. Range: [-1, 1].

    Notes
    -----
    Cost for each entry: one tanh. The pullback needs Z.
    Source: Bishop (2006), equations 5.59 and 5.60.

    Examples
    --------
    >>> tanh([0.0, np.log(2.0)])
    array([0. , 0.6])
    """
    return np.tanh(as_floating(Z, "Z"))


@_quiet
def tanh_vjp(dA: npt.ArrayLike, Z: npt.ArrayLike) -> Array:
    """Pull dL/dA back through A = tanh(Z).

    ::

        dZ = dA * f'(Z)        f'(z) = 1 - f(z)^2

    Parameters
    ----------
    dA : array
        Derivative of the loss by the activations.
    Z : array, shape of dA
        The layer's input: not A.

    Returns
    -------
    dZ : array
        Shape of Z.

    Notes
    -----
    Cost and source: as for `tanh`.

    Examples
    --------
    >>> tanh_vjp([1.0, 1.0], [-1.0, 2.0]).round(4)
    array([0.42  , 0.0707])
    """
    dA, Z = _pair(dA, Z)
    return dA * _sech2(Z)


@_quiet
def tanh_second(Z: npt.ArrayLike) -> Array:
    """Return the second derivative of `tanh`.

    ::

        f''(z) = -2 f(z) (1 - f(z)^2)

    Parameters
    ----------
    Z : array of any shape
        The layer's input.

    Returns
    -------
    array
        Shape of Z.

    Notes
    -----
    Cost and source: as for `tanh`.

    Examples
    --------
    >>> tanh_second([-1.0, 2.0]).round(4)
    array([ 0.6397, -0.1362])
    """
    Z = as_floating(Z, "Z")
    return -2 * np.tanh(Z) * _sech2(Z)


@_quiet
def relu(Z: npt.ArrayLike) -> Array:
    """Cut Z off at 0, the rectified linear unit.

    ::

        f(z) = max(z, 0)

    Parameters
    ----------
    Z : array of any shape
        The layer's input, before the activation.

    Returns
    -------
    A : array
        Shape and dtype of Z. Range: [0, inf).

    Notes
    -----
    Cost for each entry: one comparison. The pullback needs Z.
    Source: Nair & Hinton (2010); the choice f'(0) = 0: Bertoin et al., "Numerical influence of ReLU'(0) on
    backpropagation", NeurIPS 2021.

    Examples
    --------
    >>> relu([-1.0, 0.0, 2.0])
    array([0., 0., 2.])
    """
    Z = as_floating(Z, "Z")
    return np.where(Z.real <= 0, 0, Z) if Z.dtype.kind == "c" else np.maximum(Z, 0)


@_quiet
def relu_vjp(dA: npt.ArrayLike, Z: npt.ArrayLike) -> Array:
    """Pull dL/dA back through A = relu(Z).

    ::

        dZ = dA * f'(Z)        f'(z) = 1 for z > 0, 0 for z <= 0

    Parameters
    ----------
    dA : array
        Derivative of the loss by the activations.
    Z : array, shape of dA
        The layer's input: not A.

    Returns
    -------
    dZ : array
        Shape of Z. At the kink: 0 at z = 0.

    Notes
    -----
    Cost and source: as for `relu`.

    Examples
    --------
    >>> relu_vjp([1.0, 1.0], [-1.0, 2.0]).round(4)
    array([0., 1.])
    """
    dA, Z = _pair(dA, Z)
    return np.where(Z.real > 0, dA, 0)


@_quiet
def relu_second(Z: npt.ArrayLike) -> Array:
    """Return the second derivative of `relu`.

    ::

        f''(z) = 0

    Parameters
    ----------
    Z : array of any shape
        The layer's input.

    Returns
    -------
    array
        Shape of Z.

    Notes
    -----
    Cost and source: as for `relu`.

    Examples
    --------
    >>> relu_second([-1.0, 2.0]).round(4)
    array([0., 0.])
    """
    return np.zeros_like(as_floating(Z, "Z"))


@_quiet
def leaky_relu(Z: npt.ArrayLike, slope: float = 0.01) -> Array:
    """Let a little of the negative side through.

    ::

        f(z) = z for z > 0, slope z for z <= 0

    Parameters
    ----------
    Z : array of any shape
        The layer's input, before the activation.
    slope : float, default=0.01
        The derivative on the negative side.

    Returns
    -------
    A : array
        Shape and dtype of Z. Range: any number.

    Notes
    -----
    Cost for each entry: one comparison. The pullback needs Z.
    Source: Maas, Hannun & Ng, "Rectifier nonlinearities improve neural network acoustic models" (2013).

    Examples
    --------
    >>> leaky_relu([-1.0, 0.0, 2.0])
    array([-0.01,  0.  ,  2.  ])
    """
    Z = as_floating(Z, "Z")
    return np.where(Z.real > 0, Z, slope * Z)


@_quiet
def leaky_relu_vjp(dA: npt.ArrayLike, Z: npt.ArrayLike, slope: float = 0.01) -> Array:
    """Pull dL/dA back through A = leaky_relu(Z).

    ::

        dZ = dA * f'(Z)        f'(z) = 1 for z > 0, slope for z <= 0

    Parameters
    ----------
    dA : array
        Derivative of the loss by the activations.
    Z : array, shape of dA
        The layer's input: not A.
    slope : float, default=0.01
        The derivative on the negative side.

    Returns
    -------
    dZ : array
        Shape of Z. At the kink: `slope` at z = 0.

    Notes
    -----
    Cost and source: as for `leaky_relu`.

    Examples
    --------
    >>> leaky_relu_vjp([1.0, 1.0], [-1.0, 2.0]).round(4)
    array([0.01, 1.  ])
    """
    dA, Z = _pair(dA, Z)
    return dA * np.where(Z.real > 0, 1, slope).astype(Z.dtype)


@_quiet
def leaky_relu_second(Z: npt.ArrayLike, slope: float = 0.01) -> Array:
    """Return the second derivative of `leaky_relu`.

    ::

        f''(z) = 0

    Parameters
    ----------
    Z : array of any shape
        The layer's input.
    slope : float, default=0.01
        The derivative on the negative side.

    Returns
    -------
    array
        Shape of Z.

    Notes
    -----
    Cost and source: as for `leaky_relu`.

    Examples
    --------
    >>> leaky_relu_second([-1.0, 2.0]).round(4)
    array([0., 0.])
    """
    return np.zeros_like(as_floating(Z, "Z"))


@_quiet
def elu(Z: npt.ArrayLike) -> Array:
    """Bend the negative side smoothly towards -1.

    ::

        f(z) = z for z > 0, exp(z) - 1 for z <= 0

    Parameters
    ----------
    Z : array of any shape
        The layer's input, before the activation.

    Returns
    -------
    A : array
        Shape and dtype of Z. Range: (-1, inf).

    Notes
    -----
    Cost for each entry: one exponential. The pullback needs Z.
    Source: Clevert, Unterthiner & Hochreiter (2016), equation 16 with alpha = 1.

    Examples
    --------
    >>> elu([-np.log(2.0), 2.0])
    array([-0.5,  2. ])
    """
    Z = as_floating(Z, "Z")
    return np.where(Z.real > 0, Z, np.expm1(_negative_part(Z)))


@_quiet
def elu_vjp(dA: npt.ArrayLike, Z: npt.ArrayLike) -> Array:
    """Pull dL/dA back through A = elu(Z).

    ::

        dZ = dA * f'(Z)        f'(z) = 1 for z > 0, exp(z) for z <= 0

    Parameters
    ----------
    dA : array
        Derivative of the loss by the activations.
    Z : array, shape of dA
        The layer's input: not A.

    Returns
    -------
    dZ : array
        Shape of Z. At the kink: none in f'; f'' is 1 at z = 0.

    Notes
    -----
    Cost and source: as for `elu`.

    Examples
    --------
    >>> elu_vjp([1.0, 1.0], [-1.0, 2.0]).round(4)
    array([0.3679, 1.    ])
    """
    dA, Z = _pair(dA, Z)
    return dA * np.exp(_negative_part(Z))


@_quiet
def elu_second(Z: npt.ArrayLike) -> Array:
    """Return the second derivative of `elu`.

    ::

        f''(z) = 0 for z > 0, exp(z) for z <= 0

    Parameters
    ----------
    Z : array of any shape
        The layer's input.

    Returns
    -------
    array
        Shape of Z.

    Notes
    -----
    Cost and source: as for `elu`.

    Examples
    --------
    >>> elu_second([-1.0, 2.0]).round(4)
    array([0.3679, 0.    ])
    """
    Z = as_floating(Z, "Z")
    return np.where(Z.real > 0, 0, np.exp(_negative_part(Z)))


@_quiet
def selu(Z: npt.ArrayLike) -> Array:
    """Scale an ELU so that activations keep mean 0 and variance 1.

    ::

        f(z) = s z for z > 0, s a (exp(z) - 1) for z <= 0       s = 1.0507..., a = 1.6732...

    Parameters
    ----------
    Z : array of any shape
        The layer's input, before the activation.

    Returns
    -------
    A : array
        Shape and dtype of Z. Range: (-1.7581, inf).

    Notes
    -----
    Cost for each entry: one exponential. The pullback needs Z.
    Source: Klambauer et al., "Self-normalizing neural networks" (2017), equation 2 and the constants after it.

    Examples
    --------
    >>> selu([0.0, 1.0]).round(4)
    array([0.    , 1.0507])
    """
    Z = as_floating(Z, "Z")
    return np.where(Z.real > 0, SELU_SCALE * Z, SELU_SCALE * SELU_ALPHA * np.expm1(_negative_part(Z)))


@_quiet
def selu_vjp(dA: npt.ArrayLike, Z: npt.ArrayLike) -> Array:
    """Pull dL/dA back through A = selu(Z).

    ::

        dZ = dA * f'(Z)        f'(z) = s for z > 0, s a exp(z) for z <= 0

    Parameters
    ----------
    dA : array
        Derivative of the loss by the activations.
    Z : array, shape of dA
        The layer's input: not A.

    Returns
    -------
    dZ : array
        Shape of Z. At the kink: s a = 1.7581 at z = 0.

    Notes
    -----
    Cost and source: as for `selu`.

    Examples
    --------
    >>> selu_vjp([1.0, 1.0], [-1.0, 2.0]).round(4)
    array([0.6468, 1.0507])
    """
    dA, Z = _pair(dA, Z)
    return dA * np.where(Z.real > 0, SELU_SCALE, SELU_SCALE * SELU_ALPHA * np.exp(_negative_part(Z)))


@_quiet
def selu_second(Z: npt.ArrayLike) -> Array:
    """Return the second derivative of `selu`.

    ::

        f''(z) = 0 for z > 0, s a exp(z) for z <= 0

    Parameters
    ----------
    Z : array of any shape
        The layer's input.

    Returns
    -------
    array
        Shape of Z.

    Notes
    -----
    Cost and source: as for `selu`.

    Examples
    --------
    >>> selu_second([-1.0, 2.0]).round(4)
    array([0.6468, 0.    ])
    """
    Z = as_floating(Z, "Z")
    return np.where(Z.real > 0, 0, SELU_SCALE * SELU_ALPHA * np.exp(_negative_part(Z)))


@_quiet
def gelu(Z: npt.ArrayLike) -> Array:
    """Weight Z by the probability that a standard normal is smaller.

    ::

        f(z) = z Phi(z)

    Parameters
    ----------
    Z : array of any shape
        The layer's input, before the activation.

    Returns
    -------
    A : array
        Shape and dtype of Z. Range: [-0.17, inf).

    Notes
    -----
    Cost for each entry: one erf, one exponential in the pullback. The pullback needs Z.
    Source: Hendrycks & Gimpel, "Gaussian error linear units" (2016), section 2: the exact form, not the tanh fit.
    Phi is the normal distribution function (by erf, in float64), phi its density.

    Examples
    --------
    >>> gelu([0.0, 1.0]).round(4)
    array([0.    , 0.8413])
    """
    Z = as_floating(Z, "Z")
    return Z * _normal_cdf(Z)


@_quiet
def gelu_vjp(dA: npt.ArrayLike, Z: npt.ArrayLike) -> Array:
    """Pull dL/dA back through A = gelu(Z).

    ::

        dZ = dA * f'(Z)        f'(z) = Phi(z) + z phi(z)

    Parameters
    ----------
    dA : array
        Derivative of the loss by the activations.
    Z : array, shape of dA
        The layer's input: not A.

    Returns
    -------
    dZ : array
        Shape of Z.

    Notes
    -----
    Cost and source: as for `gelu`.

    Examples
    --------
    >>> gelu_vjp([1.0, 1.0], [-1.0, 2.0]).round(4)
    array([-0.0833,  1.0852])
    """
    dA, Z = _pair(dA, Z)
    return dA * (_normal_cdf(Z) + Z * _normal_density(Z))


@_quiet
def gelu_second(Z: npt.ArrayLike) -> Array:
    """Return the second derivative of `gelu`.

    ::

        f''(z) = phi(z) (2 - z^2)

    Parameters
    ----------
    Z : array of any shape
        The layer's input.

    Returns
    -------
    array
        Shape of Z.

    Notes
    -----
    Cost and source: as for `gelu`.

    Examples
    --------
    >>> gelu_second([-1.0, 2.0]).round(4)
    array([ 0.242, -0.108])
    """
    Z = as_floating(Z, "Z")
    density = _normal_density(Z)  # first times Z, once and again: 0 * Z is 0 where Z * Z would be inf
    return 2 * density - density * Z * Z


@_quiet
def silu(Z: npt.ArrayLike) -> Array:
    """Weight Z by its own sigmoid, also called swish.

    ::

        f(z) = z s(z)          s = sigmoid

    Parameters
    ----------
    Z : array of any shape
        The layer's input, before the activation.

    Returns
    -------
    A : array
        Shape and dtype of Z. Range: [-0.28, inf).

    Notes
    -----
    Cost for each entry: one exponential. The pullback needs Z.
    Source: Elfwing, Uchibe & Doya, "Sigmoid-weighted linear units" (2018), equations 4 and 5.

    Examples
    --------
    >>> silu([0.0, np.log(3.0)]).round(4)
    array([0.   , 0.824])
    """
    Z = as_floating(Z, "Z")
    return Z * sigmoid(Z)


@_quiet
def silu_vjp(dA: npt.ArrayLike, Z: npt.ArrayLike) -> Array:
    """Pull dL/dA back through A = silu(Z).

    ::

        dZ = dA * f'(Z)        f'(z) = s(z) (1 + z s(-z))

    Parameters
    ----------
    dA : array
        Derivative of the loss by the activations.
    Z : array, shape of dA
        The layer's input: not A.

    Returns
    -------
    dZ : array
        Shape of Z.

    Notes
    -----
    Cost and source: as for `silu`.

    Examples
    --------
    >>> silu_vjp([1.0, 1.0], [-1.0, 2.0]).round(4)
    array([0.0723, 1.0908])
    """
    dA, Z = _pair(dA, Z)
    return dA * sigmoid(Z) * (1 + Z * sigmoid(-Z))


@_quiet
def silu_second(Z: npt.ArrayLike) -> Array:
    """Return the second derivative of `silu`.

    ::

        f''(z) = s(z) s(-z) (2 + z (s(-z) - s(z)))

    Parameters
    ----------
    Z : array of any shape
        The layer's input.

    Returns
    -------
    array
        Shape of Z.

    Notes
    -----
    Cost and source: as for `silu`.

    Examples
    --------
    >>> silu_second([-1.0, 2.0]).round(4)
    array([0.3024, 0.0501])
    """
    Z = as_floating(Z, "Z")
    up, down = sigmoid(Z), sigmoid(-Z)
    return up * down * (2 + Z * (down - up))


@_quiet
def mish(Z: npt.ArrayLike) -> Array:
    """Weight Z by the tanh of its softplus.

    ::

        f(z) = z t(z)          t = tanh(softplus(z)),  u = t' = (1 - t^2) s(z),  s = sigmoid

    Parameters
    ----------
    Z : array of any shape
        The layer's input, before the activation.

    Returns
    -------
    A : array
        Shape and dtype of Z. Range: [-0.31, inf).

    Notes
    -----
    Cost for each entry: two exponentials, one logarithm, one tanh. The pullback needs Z.
    Source: Misra, "Mish: a self regularized non-monotonic activation function" (2020), equation 1;
    derivatives by the product and chain rules.

    Examples
    --------
    >>> mish([0.0, 1.0]).round(4)
    array([0.    , 0.8651])
    """
    Z = as_floating(Z, "Z")
    return Z * np.tanh(softplus(Z))


@_quiet
def mish_vjp(dA: npt.ArrayLike, Z: npt.ArrayLike) -> Array:
    """Pull dL/dA back through A = mish(Z).

    ::

        dZ = dA * f'(Z)        f'(z) = t + z u

    Parameters
    ----------
    dA : array
        Derivative of the loss by the activations.
    Z : array, shape of dA
        The layer's input: not A.

    Returns
    -------
    dZ : array
        Shape of Z.

    Notes
    -----
    Cost and source: as for `mish`.

    Examples
    --------
    >>> mish_vjp([1.0, 1.0], [-1.0, 2.0]).round(4)
    array([0.0592, 1.0693])
    """
    dA, Z = _pair(dA, Z)
    t, s = np.tanh(softplus(Z)), sigmoid(Z)
    return dA * (t + Z * _sech2(softplus(Z)) * s)


@_quiet
def mish_second(Z: npt.ArrayLike) -> Array:
    """Return the second derivative of `mish`.

    ::

        f''(z) = 2 u + z u'      u' = (1 - t^2) (s(z) s(-z) - 2 t s(z)^2)

    Parameters
    ----------
    Z : array of any shape
        The layer's input.

    Returns
    -------
    array
        Shape of Z.

    Notes
    -----
    Cost and source: as for `mish`.

    Examples
    --------
    >>> mish_second([-1.0, 2.0]).round(4)
    array([ 0.3497, -0.0577])
    """
    Z = as_floating(Z, "Z")
    t, s = np.tanh(softplus(Z)), sigmoid(Z)
    flat = _sech2(softplus(Z))  # 1 - t^2, times Z before anything else: 0 where Z is large
    return flat * 2 * s + flat * Z * (s * sigmoid(-Z) - 2 * t * s**2)


@_quiet
def softplus(Z: npt.ArrayLike) -> Array:
    """Round off the corner of relu.

    ::

        f(z) = log(1 + exp(z)) = max(z, 0) + log1p(exp(-|z|))

    Parameters
    ----------
    Z : array of any shape
        The layer's input, before the activation.

    Returns
    -------
    A : array
        Shape and dtype of Z. Range: [0, inf).

    Notes
    -----
    Cost for each entry: one exponential, one logarithm. The pullback needs Z.
    Source: Dugas et al., "Incorporating second-order functional knowledge" (2001), section 3.

    Examples
    --------
    >>> softplus([0.0, -1000.0]).round(4)
    array([0.6931, 0.    ])
    """
    Z = as_floating(Z, "Z")
    return np.where(Z.real > 0, Z, 0) + log1p(np.exp(np.where(Z.real > 0, -Z, Z)))


@_quiet
def softplus_vjp(dA: npt.ArrayLike, Z: npt.ArrayLike) -> Array:
    """Pull dL/dA back through A = softplus(Z).

    ::

        dZ = dA * f'(Z)        f'(z) = sigmoid(z)

    Parameters
    ----------
    dA : array
        Derivative of the loss by the activations.
    Z : array, shape of dA
        The layer's input: not A.

    Returns
    -------
    dZ : array
        Shape of Z.

    Notes
    -----
    Cost and source: as for `softplus`.

    Examples
    --------
    >>> softplus_vjp([1.0, 1.0], [-1.0, 2.0]).round(4)
    array([0.2689, 0.8808])
    """
    dA, Z = _pair(dA, Z)
    return dA * sigmoid(Z)


@_quiet
def softplus_second(Z: npt.ArrayLike) -> Array:
    """Return the second derivative of `softplus`.

    ::

        f''(z) = sigmoid(z) sigmoid(-z)

    Parameters
    ----------
    Z : array of any shape
        The layer's input.

    Returns
    -------
    array
        Shape of Z.

    Notes
    -----
    Cost and source: as for `softplus`.

    Examples
    --------
    >>> softplus_second([-1.0, 2.0]).round(4)
    array([0.1966, 0.105 ])
    """
    Z = as_floating(Z, "Z")
    return sigmoid(Z) * sigmoid(-Z)


class Activation(NamedTuple):
    """An activation with its pullback and its second derivative, under the name that users give."""

    name: str
    f: Callable[[npt.ArrayLike], Array]
    vjp: Callable[[npt.ArrayLike, npt.ArrayLike], Array]
    second: Callable[[npt.ArrayLike], Array]


ACTIVATIONS = {
    activation.name: activation
    for activation in (
        Activation("identity", identity, identity_vjp, identity_second),
        Activation("sigmoid", sigmoid, sigmoid_vjp, sigmoid_second),
        Activation("tanh", tanh, tanh_vjp, tanh_second),
        Activation("relu", relu, relu_vjp, relu_second),
        Activation("leaky_relu", leaky_relu, leaky_relu_vjp, leaky_relu_second),
        Activation("elu", elu, elu_vjp, elu_second),
        Activation("selu", selu, selu_vjp, selu_second),
        Activation("gelu", gelu, gelu_vjp, gelu_second),
        Activation("silu", silu, silu_vjp, silu_second),
        Activation("mish", mish, mish_vjp, mish_second),
        Activation("softplus", softplus, softplus_vjp, softplus_second),
    )
}
"""The closed table of activations: a model file names one of these and nothing else."""


def _pair(dA: npt.ArrayLike, Z: npt.ArrayLike) -> tuple[Array, Array]:
    dA, Z = as_floating(dA, "dA"), as_floating(Z, "Z")
    if dA.shape != Z.shape:
        raise ShapeError(f"dA is {dA.shape}, expected the shape of Z, {Z.shape}.")
    return dA, Z


def _negative_part(Z: Array) -> Array:
    return np.where(Z.real > 0, 0, Z)


def _sech2(Z: Array) -> Array:
    """1 - tanh(Z)^2, with all its digits where tanh is close to 1."""
    return 4 * sigmoid(2 * Z) * sigmoid(-2 * Z)


def _normal_cdf(Z: Array) -> Array:
    from scipy.special import ndtr  # late: `import glassmax` loads NumPy alone

    cdf: Array = ndtr(Z.astype(np.complex128 if Z.dtype.kind == "c" else np.float64, copy=False))
    return cdf.astype(Z.dtype, copy=False)


def _normal_density(Z: Array) -> Array:
    return np.exp(-Z * Z / 2) * (1 / np.sqrt(2 * np.pi)).astype(Z.dtype)
