"""Network: a dense network of any depth, its forward pass, and exact gradients by backpropagation.

::

    A0 = X
    Z_l = A_{l-1} W_l + b_l            A_l = f_l(Z_l)          l = 1, ..., last - 1
    P = output(Z_last)                 L = sum_i w_i L_i / sum_i w_i + l2/2 sum_l W_l^2

and in the backward pass, where each derivative follows from the derivative of the layer above::

    dZ_last  from the head             (P - Y)/n for softmax with cross-entropy
    dW_l = A_{l-1}ᵀ dZ_l               db_l = column sums of dZ_l
    dA_{l-1} = dZ_l W_lᵀ               dZ_{l-1} = dA_{l-1} * f'_{l-1}(Z_{l-1})

All gradients are computed before any weight moves. Layers count from 1. Epochs and batches are the subject of
`glassmax.engine` and `glassmax.training`.
"""

from __future__ import annotations  # help() shows these names instead of what they stand for

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, field
from typing import TYPE_CHECKING, Any

import numpy as np
import numpy.typing as npt

from .architecture import check_activations, check_dtype, check_embedding, check_frozen, check_head, check_sizes
from .checked_rows import check_finite, check_inputs, check_masks, check_targets, rows_that_count
from .embedding import Embedding
from .errors import OptionError, ShapeError, between
from .functional.activations import ACTIVATIONS
from .functional.affine import affine
from .functional.arrays import Array, as_floating, square_lengths, summing_dtype
from .functional.heads import Head, HeadTape
from .functional.losses import l2 as l2_penalty
from .functional.losses import l2_vjp
from .functional.targets import check_weights, reduce_rows, scale_rows
from .gradcheck import Method, Report, check_gradients
from .initializers import draw_embedding, draw_parameters, generator
from .parameters import Parameters

if TYPE_CHECKING:
    from .calculus import Derivation

__all__ = ["Network", "Tape"]

Masks = Mapping[int, Array]


@dataclass(frozen=True)
class Tape:
    """Values kept by the forward pass for the backward pass.

    Attributes
    ----------
    X : (n, d) array
        The inputs.
    A : dict of int to (n, h_l) array
        Activations; ``A[0]`` is X, or the embedding of X.
    Z : dict of int to (n, h_l) array
        Inputs of the activations, from ``Z[1]`` to the logits ``Z[last]``.
    head : HeadTape
        The logits, the predictions P, and softmax's pieces.
    masks : dict of int to (n, h_l) array
        The dropout masks that A was multiplied by; empty without dropout.
    """

    X: Array
    A: dict[int, Array]
    Z: dict[int, Array]
    head: HeadTape
    masks: Mapping[int, Array] = field(default_factory=dict)

    @property
    def P(self) -> Array:
        """The predictions, (n, k)."""
        return self.head.P

    def __repr__(self) -> str:
        arrays = {"A0": self.A[0]}
        for layer, Z in self.Z.items():
            arrays |= {f"Z{layer}": Z} | ({f"A{layer}": self.A[layer]} if layer in self.A else {"P": self.P})
        return f"Tape({', '.join(f'{name}: {array.shape}' for name, array in arrays.items())})"


class Network:
    """A dense network with its loss.

    Parameters
    ----------
    layer_sizes : sequence of int
        Units of each layer, each >= 1: inputs d (with an embedding, its width), hidden layers (none, one or many),
        outputs k.
    activation : str or sequence of str, default="relu"
        The hidden layers' activation, or one name for each hidden layer; see `glassmax.functional.ACTIVATIONS`.
    output : {"softmax", "sigmoid", "identity", "relu"}, default="softmax"
        Function that turns logits into predictions.
    loss : {"cross_entropy", "squared_error", "binary_cross_entropy", "candidate_cross_entropy"}
        The loss of each row, by default "cross_entropy"; `squared_error` is ``1/2 sum_c (P - Y)^2``, and
        `candidate_cross_entropy`, for softmax alone, ``-log sum_c S_c P_c`` with S 1 for each candidate of the row.
    l2 : float, default=0.0
        >= 0; adds ``l2/2 * sum of W^2`` to the loss. Biases are left out. Of an embedding, V and E count like W.
    dtype : dtype, default="float64"
        The parameters' dtype; inputs are converted to it. complex128 serves the complex step.
    init : str, default="mlp"
        Scheme of the starting weights, one of `glassmax.initializers.SCHEMES`: "mlp" is MLPClassifier's, "auto" fits
        each layer's activation.
    random_state : int, None, RandomState or Generator, default=0
        Seed of the starting weights.
    embedding : Embedding, optional
        What the columns of X become before the first layer: A0 in the place of X. Its parameters F, H, V, C, E1, ...
        are learned and follow the weights in `theta`.
    softcap : float, optional
        > 0: replaces each logit Z by ``softcap tanh(Z / softcap)``, which lies between -softcap and softcap; by default
        the logits are unbounded. Softmax output only, as are `z_loss` and `temperature`.
    z_loss : float, default=0.0
        >= 0: adds ``z_loss * (log sum_c exp(logit_c))^2`` to the loss of each row, which keeps the logits from
        drifting.
    temperature : float, default=1.0
        > 0: divides Z_last, before the softcap. `SoftmaxClassifier` calls it `softmax_temperature`.
    output_bias : bool, default=True
        Whether the last layer has biases. If False, the last b is 0 and frozen, but still a part of `theta`.
    frozen : sequence of str, default=()
        Names of parameters that training doesn't change, such as ``["W2"]``. Their gradients are 0. The L2 penalty,
        weight decay and the gradient norm for clipping leave them out.

    Attributes
    ----------
    parameters : Parameters
        ``parameters["W1"]``, ...: views of `theta`.
    layer_sizes : tuple of int
    n_inputs : int
        d, the number of columns of X.
    depth : int
        The number of layers with weights: 1 for multinomial logistic regression.
    activations : tuple of str
        One for each hidden layer.
    head : Head
        Output function and loss, with softcap, z_loss and temperature.
    frozen : tuple of str
        The names of the frozen parameters, in the order of `parameters`. Without an output bias, the last b is one.

    Raises
    ------
    OptionError
        If a name is unknown, a number is out of range, or an option doesn't go with the output.

    Notes
    -----
    Starting weights are drawn in the order W1, b1, W2, ... By default they are the starting weights of scikit-learn's
    MLPClassifier: given the same RandomState, both start from the same numbers.

    Examples
    --------
    >>> net = Network([4, 10, 3], activation="sigmoid")
    >>> net
    Network(4-10-3, activation='sigmoid', output='softmax', loss='cross_entropy', 83 parameters)
    >>> X, y = np.ones((5, 4)), np.array([0, 1, 2, 0, 1])
    >>> loss, gradients = net.loss_and_gradients(X, y)
    >>> gradients["W2"].shape
    (10, 3)
    >>> net.step(gradients, learning_rate=0.1)
    >>> net.loss(X, y) < loss
    True
    """

    def __init__(
        self,
        layer_sizes: Sequence[int],
        *,
        activation: str | Sequence[str] = "relu",
        output: str = "softmax",
        loss: str = "cross_entropy",
        l2: float = 0.0,
        dtype: npt.DTypeLike = "float64",
        init: str = "mlp",
        random_state: int | np.random.RandomState | np.random.Generator | None = 0,
        embedding: Embedding | None = None,
        softcap: float | None = None,
        z_loss: float = 0.0,
        temperature: float = 1.0,
        output_bias: bool = True,
        frozen: Sequence[str] = (),
    ) -> None:
        head = check_head(output, loss, softcap, z_loss, temperature)
        self._describe(layer_sizes, activation, head, l2, dtype, embedding, output_bias, frozen)
        draw = generator(random_state)
        draw_parameters(self.parameters, init, self.activations, draw)
        if embedding is not None:
            draw_embedding(self.parameters, embedding, draw)
        if not output_bias:
            self.parameters.b[self.depth][...] = 0

    def _describe(
        self,
        layer_sizes: Sequence[int],
        activation: str | Sequence[str],
        head: Head,
        l2: float,
        dtype: npt.DTypeLike,
        embedding: Embedding | None,
        output_bias: bool,
        frozen: Sequence[str],
        flat: Array | None = None,
    ) -> None:
        """Check and store everything; the parameters get the values of `flat`, or zeros."""
        self.layer_sizes = check_sizes(layer_sizes)
        self.embedding = check_embedding(embedding, self.layer_sizes[0], dtype)
        self.n_inputs = self.layer_sizes[0] if embedding is None else embedding.d
        self.depth = len(self.layer_sizes) - 1
        self.activations = check_activations(activation, len(self.layer_sizes) - 2)
        self.head = head
        between("l2", l2, 0)
        self.l2 = float(l2)
        shapes = {} if embedding is None else embedding.shapes
        self.parameters = Parameters(self.layer_sizes, flat, check_dtype(dtype), shapes)
        held = check_frozen(frozen, list(self.parameters)) + (() if output_bias else (f"b{self.depth}",))
        self.parameters = Parameters(self.layer_sizes, self.parameters.flat, embedding_shapes=shapes, frozen=held)

    @classmethod
    def from_parameters(
        cls,
        parameters: Mapping[str, npt.ArrayLike],
        *,
        activation: str | Sequence[str] = "relu",
        output: str = "softmax",
        loss: str = "cross_entropy",
        l2: float = 0.0,
        dtype: npt.DTypeLike | None = None,
        embedding: Embedding | None = None,
        softcap: float | None = None,
        z_loss: float = 0.0,
        temperature: float = 1.0,
        output_bias: bool = True,
        frozen: Sequence[str] = (),
    ) -> Network:
        """Build a network from given weights.

        Parameters
        ----------
        parameters : mapping of str to array
            W1, b1, W2, b2, ...: W_l is (h_{l-1}, h_l), b_l is (h_l,); with an embedding F, H, V, C, E1, ... too. They
            are copied.
        activation, output, loss, l2, embedding, softcap, z_loss, temperature, output_bias, frozen
            As for the class. Without an output bias, the last b is an array of zeros.
        dtype : dtype, optional
            By default the widest dtype among the arrays.

        Returns
        -------
        Network

        Raises
        ------
        ShapeError
            If an array is missing or doesn't fit the arrays next to it.
        OptionError
            As for the class, and if ``output_bias=False`` but the last b holds numbers other than 0.

        Examples
        --------
        >>> net = Network.from_parameters({"W1": [[1.0, -1.0]], "b1": [0.0, 0.0]})
        >>> net.predictions([[0.0]])
        array([[0.5, 0.5]])
        """
        shapes = None if embedding is None else embedding.shapes
        copied = Parameters.from_mapping(parameters, dtype, shapes)
        network = cls.__new__(cls)
        head, sizes, flat = check_head(output, loss, softcap, z_loss, temperature), copied.layer_sizes, copied.flat
        network._describe(sizes, activation, head, l2, flat.dtype, embedding, output_bias, frozen, flat)
        last = f"b{network.depth}"
        if not output_bias and copied[last].any():
            expected = f"True, because {last} holds numbers other than 0"
            raise OptionError(parameter="output_bias", came="False", expected=expected)
        return network

    @property
    def options(self) -> dict[str, Any]:
        """The keyword arguments of a network like this one, without dtype and starting weights."""
        own = {"activation": self.activations, "l2": self.l2, "embedding": self.embedding, "frozen": self.frozen}
        return own | asdict(self.head)

    @property
    def frozen(self) -> tuple[str, ...]:
        """The names of the parameters that training doesn't move."""
        return self.parameters.frozen

    @property
    def theta(self) -> Array:
        """All parameters in one vector, (p,): W1, b1, W2, ... row by row. Assigning writes into it."""
        return self.parameters.flat

    @theta.setter
    def theta(self, values: npt.ArrayLike) -> None:
        vector = as_floating(values, "theta")
        if vector.shape != self.theta.shape:
            raise ShapeError(f"theta is {vector.shape}, expected {self.theta.shape}.")
        self.theta[...] = vector

    def __repr__(self) -> str:
        sizes = "-".join(map(str, self.layer_sizes))
        distinct = set(self.activations)
        shown = self.activations[0] if len(distinct) == 1 else self.activations
        hidden = f"activation={shown!r}, " if self.activations else ""
        embedded = "" if self.embedding is None else f"{self.embedding!r}, "
        given = {"output": self.head.output, "loss": self.head.loss, **self.head.options}
        if self.frozen:
            given["frozen"] = list(self.frozen)
        settings = ", ".join(f"{name}={value!r}" for name, value in given.items())
        return f"Network({sizes}, {embedded}{hidden}{settings}, {self.theta.size} parameters)"

    def astype(self, dtype: npt.DTypeLike) -> Network:
        """Return the same network with its parameters copied to another dtype."""
        return Network.from_parameters(self.parameters, dtype=dtype, **self.options)

    def forward(self, X: npt.ArrayLike, masks: Masks | None = None) -> Tape:
        """Run the network on the rows of X and keep every Z and A.

        Parameters
        ----------
        X : (n, d) array or SciPy sparse matrix
            Rows are samples.
        masks : mapping of int to (n, h_l) array, optional
            Dropout masks: for each layer, the array by which its activations are multiplied; see
            `glassmax.functional.masks.dropout_mask`.

        Returns
        -------
        Tape

        Raises
        ------
        ShapeError
            If X does not have d columns.

        Notes
        -----
        Cost: 2 n p flops; keeps 2 n numbers for each unit.

        Examples
        --------
        >>> tape = Network([2, 3, 2]).forward([[1.0, 2.0]])
        >>> tape.A[0].shape, tape.Z[1].shape, tape.A[1].shape, tape.Z[2].shape, tape.P.shape
        ((1, 2), (1, 3), (1, 3), (1, 2), (1, 2))
        """
        X = check_inputs(X, self.n_inputs, self.theta.dtype)
        A: dict[int, Array] = {0: X if self.embedding is None else self.embedding.forward(X, self.parameters)}
        Z: dict[int, Array] = {}
        check_masks(masks, self.layer_sizes, A[0].shape[0])
        for layer in range(1, self.depth + 1):
            Z[layer] = affine(A[layer - 1], self.parameters.W[layer], self.parameters.b[layer])
            if layer < self.depth:
                A[layer] = ACTIVATIONS[self.activations[layer - 1]].f(Z[layer])
                if masks:
                    A[layer] = A[layer] * masks[layer]
        return Tape(X, A, Z, self.head.forward(Z[self.depth]), masks or {})

    def predictions(self, X: npt.ArrayLike) -> Array:
        """Return P, the output for each row of X, (n, k)."""
        return self.forward(X).P

    def loss(
        self,
        X: npt.ArrayLike,
        y: npt.ArrayLike,
        sample_weight: npt.ArrayLike | None = None,
        *,
        masks: Masks | None = None,
    ) -> float:
        """Return L: the weighted mean of the rows' losses, plus the penalty.

        Parameters
        ----------
        X : (n, d) array or SciPy sparse matrix
            Rows are samples.
        y : (n,) or (n, k) array
            Class indices 0..k-1, or target rows, which may be a SciPy sparse matrix; for `candidate_cross_entropy`,
            rows of 0 and 1.
        sample_weight : (n,) array, optional
            One number >= 0 for each row; None means that every weight is 1.
        masks : mapping of int to (n, h_l) array, optional
            Dropout, see `forward`.

        Returns
        -------
        float
            In float64 whatever the network's dtype (complex for a complex network). NaN if there are no rows, or the
            weights sum to 0.

        Examples
        --------
        >>> net = Network.from_parameters({"W1": [[1.0, -1.0]], "b1": [0.0, 0.0]})
        >>> round(net.loss([[0.0]], [1]), 6)    # log 2
        0.693147
        """
        X, T, w, masks = self._rows_that_count(X, y, sample_weight, masks)
        tape = self.forward(X, masks)
        return self._loss(tape, T, w, _divisor(tape, w), self.l2)

    def loss_and_gradients(
        self,
        X: npt.ArrayLike,
        y: npt.ArrayLike,
        sample_weight: npt.ArrayLike | None = None,
        *,
        divisor: float | None = None,
        l2: float | None = None,
        masks: Masks | None = None,
    ) -> tuple[float, Parameters]:
        """Return L and its derivative with respect to every parameter.

        Parameters
        ----------
        X, y, sample_weight
            As for `loss`.
        divisor : float, optional
            Divisor of the sum of ``w_i L_i``; by default the sum of the weights. For a mini-batch of m rows,
            pass m times the mean weight of the whole training set.
        l2 : float, optional
            The penalty for this call; by default the network's own.
        masks : mapping of int to (n, h_l) array, optional
            Dropout, see `forward`.

        Returns
        -------
        loss : float
        gradients : Parameters
            ``gradients["W1"]`` is dL/dW1, ...; ``gradients.flat`` is dL/dtheta. A frozen parameter has gradient 0.

        Notes
        -----
        Cost: 6 n p flops, minus 2 n d h_1 because the inputs need no derivative.
        Source: Bishop (2006), section 5.3.1; Rumelhart, Hinton & Williams (1986).

        Examples
        --------
        >>> net = Network.from_parameters({"W1": [[1.0, -1.0]], "b1": [0.0, 0.0]})
        >>> loss, gradients = net.loss_and_gradients([[0.0]], [1])
        >>> gradients["b1"]    # p - y
        array([ 0.5, -0.5])
        """
        X, T, w, masks = self._rows_that_count(X, y, sample_weight, masks)
        tape = self.forward(X, masks)
        l2 = self.l2 if l2 is None else l2
        divisor = _divisor(tape, w) if divisor is None else divisor
        return self._loss(tape, T, w, divisor, l2), self._gradients(tape, T, w, divisor, l2)

    def backward(self, tape: Tape, y: npt.ArrayLike, sample_weight: npt.ArrayLike | None = None) -> Parameters:
        """Return dL/dtheta from the tape of a forward pass; the weights must not have changed since that pass.

        Parameters
        ----------
        tape : Tape
            From `forward`.
        y, sample_weight
            As for `loss`.

        Returns
        -------
        gradients : Parameters
        """
        T = check_targets(y, len(tape.P), self.layer_sizes[-1], self.head)
        w = check_weights(sample_weight, tape.P.shape[:1])
        return self._gradients(tape, T, w, _divisor(tape, w), self.l2)

    def step(self, gradients: Mapping[str, npt.ArrayLike], learning_rate: float) -> None:
        """Move every parameter that is not frozen against its gradient: theta -= learning_rate dL/dtheta.

        Parameters
        ----------
        gradients : mapping of str to array
            One array for each parameter; all are read before any weight moves.
        learning_rate : float
            > 0, in squared units of the parameter per unit of the loss.

        Raises
        ------
        ShapeError
            If a gradient is missing or has another shape.

        Examples
        --------
        >>> net = Network.from_parameters({"W1": [[1.0, -1.0]], "b1": [0.0, 0.0]})
        >>> net.step({"W1": [[1.0, 1.0]], "b1": [0.5, -0.5]}, learning_rate=0.1)
        >>> net.parameters["b1"]
        array([-0.05,  0.05])
        """
        between("learning_rate", learning_rate, 0, open_below=True)
        if not isinstance(gradients, Mapping):
            raise ShapeError(
                f"gradients is a {type(gradients).__name__}, expected the second value that loss_and_gradients returns."
            )
        if (
            not isinstance(gradients, Parameters)
            or gradients.layer_sizes != self.layer_sizes
            or (gradients.embedding_shapes != self.parameters.embedding_shapes)
        ):
            gradients = self.parameters.like(gradients)
        change = self.parameters.of(learning_rate * gradients.flat)
        for name in self.frozen:
            change[name][...] = 0
        self.theta[...] -= change.flat

    def jacobian(self, X: npt.ArrayLike) -> Array:
        """Return the derivative of the predictions with respect to the inputs, one k x d matrix for each row.

        ::

            dP_i/dX_i = J_i W_lastᵀ diag(f'(Z_{last-1,i})) ... W_1ᵀ

        Parameters
        ----------
        X : (n, d) array
            Rows are samples.

        Returns
        -------
        (n, k, d) array
            Entry [i, c, j] is dP_ic / dX_ij.

        Notes
        -----
        Cost: k backward passes, 2 n k p flops; keeps n k numbers for each unit of the widest layer.
        Source: Bishop (2006), section 5.3.4.

        Examples
        --------
        >>> net = Network.from_parameters({"W1": [[1.0, -1.0]], "b1": [0.0, 0.0]})
        >>> net.jacobian([[0.0]])
        array([[[ 0.5],
                [-0.5]]])
        """
        tape = self.forward(X)
        J = self.head.jacobian(tape.head)
        for layer in range(self.depth, 0, -1):
            J = J @ self.parameters.W[layer].T
            if layer > 1:
                Z = tape.Z[layer - 1]
                derivative = ACTIVATIONS[self.activations[layer - 2]].vjp(np.ones_like(Z), Z)
                J = J * derivative[:, None, :]
        return J if self.embedding is None else self.embedding.inputs_vjp(J, tape.X, self.parameters)

    def gradient_norms(self, X: npt.ArrayLike, y: npt.ArrayLike) -> Array:
        """Return the exact length of each sample's own gradient, ``|| dL_i/dtheta ||``.

        ::

            dW_l of row i is a_i dz_iᵀ, of rank one:     ||dW_l||^2 = ||a_i||^2 ||dz_i||^2     ||db_l||^2 = ||dz_i||^2

        Parameters
        ----------
        X, y
            As for `loss`.

        Returns
        -------
        (n,) array of float64
            The gradient is of L_i alone: weight 1, no mean, no penalty. Rows with the longest gradients are often
            mislabeled.

        Notes
        -----
        Cost: 4 n p flops, one pass forward and one back without the gradients of the weights. No row's gradient is
        ever formed.
        Source: Goodfellow, "Efficient per-example gradient computations" (2015).

        Examples
        --------
        >>> net = Network.from_parameters({"W1": [[1.0, -1.0]], "b1": [0.0, 0.0]})
        >>> net.gradient_norms([[2.0], [2.0]], [0, 1]).round(3)    # the second is on the wrong side
        array([0.057, 3.105])
        """
        X, T, _ = self._check_batch(X, y, None)
        tape = self.forward(X)
        total = np.zeros(len(tape.P))
        dZ = self.head.dZ(tape.head, T)
        for layer in range(self.depth, 0, -1):
            learned_b, learned_W = (f"{letter}{layer}" not in self.frozen for letter in "bW")
            total += (learned_b + (square_lengths(tape.A[layer - 1]) if learned_W else 0)) * square_lengths(dZ)
            if layer > 1:
                dZ = self._down(tape, layer, dZ)
        if self.embedding is not None and self.embedding.shapes:
            total += self.embedding.square_norms(dZ @ self.parameters.W[1].T, tape.X, self.parameters, self.frozen)
        return np.sqrt(total)

    def hessian_vector_product(
        self, X: npt.ArrayLike, y: npt.ArrayLike, v: npt.ArrayLike, sample_weight: npt.ArrayLike | None = None
    ) -> Array:
        """Return H v exactly, where H is the Hessian of L with respect to theta, without forming H.

        Every line of the two passes is differentiated in the direction v (R for "rate of change")::

            R Z_l = RA_{l-1} W_l + A_{l-1} V_l + v_l                  R A_l = f'(Z_l) RZ_l
            R dW_l = RA_{l-1}ᵀ dZ_l + A_{l-1}ᵀ RdZ_l                  R db_l = column sums of RdZ_l
            R dA_{l-1} = RdZ_l W_lᵀ + dZ_l V_lᵀ                       R dZ = RdA f'(Z) + dA f''(Z) RZ

        Parameters
        ----------
        X, y, sample_weight
            As for `loss`.
        v : (p,) array
            A direction in the space of theta; V_l and v_l above are its parts for W_l and b_l.

        Returns
        -------
        (p,) array

        Notes
        -----
        Cost: about 16 n p flops, less than three gradients. Where f'' jumps, it is taken from the left; see
        `glassmax.functional.activations`.
        Source: Pearlmutter, "Fast exact multiplication by the Hessian" (1994); Bishop (2006), section 5.4.6.

        Examples
        --------
        >>> net = Network.from_parameters({"W1": [[1.0, -1.0]], "b1": [0.0, 0.0]})
        >>> net.hessian_vector_product([[0.0]], [1], [0.0, 0.0, 1.0, 0.0])
        array([ 0.  ,  0.  ,  0.25, -0.25])
        """
        direction = as_floating(v, "v").astype(self.theta.dtype, copy=False)
        if direction.shape != self.theta.shape:
            raise ShapeError(f"v is {direction.shape}, expected the shape of theta, {self.theta.shape}.")
        V = self.parameters.of(direction.copy() if self.frozen else direction)
        for name in self.frozen:  # as the loss of the other parameters alone
            V[name][...] = 0
        W = self.parameters.W
        X, T, w, _ = self._rows_that_count(X, y, sample_weight, None)
        tape = self.forward(X)

        RA: dict[int, Array] = {0: self._R_inputs(tape, V)}
        RZ: dict[int, Array] = {}
        for layer in range(1, self.depth + 1):
            RZ[layer] = RA[layer - 1] @ W[layer] + tape.A[layer - 1] @ V.W[layer] + V.b[layer]
            if layer < self.depth:
                RA[layer] = ACTIVATIONS[self.activations[layer - 1]].vjp(RZ[layer], tape.Z[layer])

        divisor = _divisor(tape, w)
        dZ = scale_rows(self.head.dZ(tape.head, T), w, divisor)
        RdZ = scale_rows(self.head.R_dZ(tape.head, T, RZ[self.depth]), w, divisor)
        H_v = self.parameters.of(np.zeros(self.theta.shape, dZ.dtype))
        for layer in range(self.depth, 0, -1):
            H_v["W" + str(layer)] = RA[layer - 1].T @ dZ + tape.A[layer - 1].T @ RdZ
            H_v["b" + str(layer)] = RdZ.sum(axis=0, dtype=summing_dtype(RdZ.dtype))
            if layer > 1:
                activation, Z = ACTIVATIONS[self.activations[layer - 2]], tape.Z[layer - 1]
                dA, RdA = dZ @ W[layer].T, RdZ @ W[layer].T + dZ @ V.W[layer].T
                dZ, RdZ = activation.vjp(dA, Z), activation.vjp(RdA, Z) + dA * activation.second(Z) * RZ[layer - 1]
        if self.embedding is not None and self.embedding.shapes:
            dA, RdA = dZ @ W[1].T, RdZ @ W[1].T + dZ @ V.W[1].T
            self.embedding.backward_jvp(dA, RdA, tape.X, self.parameters, V, H_v)
        for name, values in V.penalized.items():
            H_v[name][...] += self.l2 * values
        for name in self.frozen:
            H_v[name][...] = 0
        return H_v.flat

    def _R_inputs(self, tape: Tape, change: Parameters) -> Array:
        """The change of A0 for a change of the parameters: 0 without an embedding."""
        if self.embedding is not None:
            return self.embedding.jvp(tape.X, self.parameters, change)
        return np.zeros_like(tape.X) if isinstance(tape.X, np.ndarray) else 0 * tape.X

    def check_gradients(
        self,
        X: npt.ArrayLike,
        y: npt.ArrayLike,
        sample_weight: npt.ArrayLike | None = None,
        *,
        method: Method = "complex",
        random_state: int = 0,
        masks: Masks | None = None,
    ) -> Report:
        """Compare the gradients of backpropagation with derivatives measured from the loss alone.

        Parameters
        ----------
        X, y, sample_weight
            As for `loss`.
        method : {"complex", "central"}, default="complex"
            Method of measuring the derivatives, in complex128 or float64 whatever the network's dtype; see
            `glassmax.gradcheck`.
        random_state : int, default=0
            Seed of the random directions.
        masks : mapping of int to (n, h_l) array, optional
            Dropout, see `forward`: the loss is measured with these units dropped.

        Returns
        -------
        glassmax.gradcheck.Report
            One check for each parameter that is not frozen, and a verdict.

        Raises
        ------
        DataError
            If a row of X holds NaN or inf.

        Examples
        --------
        >>> net = Network([4, 10, 3], activation="tanh")
        >>> net.check_gradients(np.ones((2, 4)), [0, 2]).correct
        True
        """
        exact = self.astype(np.float64)
        inputs, _, w = self._check_batch(X, y, sample_weight)
        check_finite(inputs, w)
        _, gradients = exact.loss_and_gradients(X, y, sample_weight, masks=masks)
        probe = self.astype(np.complex128 if method == "complex" else np.float64)

        def loss_at(parameters: Mapping[str, Array]) -> float:
            for name, values in parameters.items():
                probe.parameters[name] = values
            return probe.loss(X, y, sample_weight, masks=masks)

        learned = [name for name in exact.parameters if name not in self.frozen]
        values, claimed = ({name: arrays[name] for name in learned} for arrays in (exact.parameters, gradients))
        return check_gradients(loss_at, values, claimed, method=method, random_state=random_state)

    def derive(self, wrt: str) -> Derivation:
        """Derive the gradient of one array of this network from its loss, and prove every line.

        Parameters
        ----------
        wrt : str
            ``"W1"``, ``"b2"``, ..., or ``"Z1"``, ``"A1"``, ``"X"``; ``"W1[m,n]"`` names the cell. With an embedding
            also ``"F"``, ``"H"``, ``"V"``, ``"C"``, ``"E1"``, ... and, in the place of X, ``"A0"``. With a softcap or a
            temperature also ``"U"``, the logits that softmax takes.

        Returns
        -------
        glassmax.calculus.Derivation
            Derivation in the letters of this class. Under cross-entropy, the rows of Y are assumed to sum to 1. A
            frozen parameter is derived too, although `loss_and_gradients` returns 0 for it.

        Examples
        --------
        >>> print(Network([4, 3]).derive("W1").matrix_form)
        XᵀdZ1
        """
        from .calculus.networks import derive_embedding, derive_network  # late: training does not need it

        array = str(wrt).partition("[")[0]
        if array in self.parameters.embedding_shapes:
            return derive_embedding(wrt, l2=self.l2 > 0 and array not in self.frozen)
        inputs = "X" if self.embedding is None else "A0"
        names = self.activations, self.head.output, self.head.loss
        options = tuple(self.head.options)
        return derive_network(wrt, *names, l2=self.l2 > 0, inputs=inputs, options=options, frozen=self.frozen)

    def _loss(self, tape: Tape, T: Array, w: Array | None, divisor: float, l2: float) -> float:
        with np.errstate(invalid="ignore", divide="ignore"):  # no rows, or weights that sum to 0: the mean is nan
            data = np.divide(reduce_rows(self.head.rows(tape.head, T), w, "sum"), divisor)
        penalty = sum(l2_penalty(W, l2) for W in self.parameters.penalized.values()) if l2 else 0.0
        loss: float = (data + penalty).item()
        return loss

    def _gradients(self, tape: Tape, T: Array, w: Array | None, divisor: float, l2: float) -> Parameters:
        dZ = scale_rows(self.head.dZ(tape.head, T), w, divisor)
        gradients = self.parameters.of(np.empty(self.theta.shape, dZ.dtype))
        for layer in range(self.depth, 0, -1):
            # Not affine_vjp: the inputs need no derivative, and dW is written into the flat vector without a copy.
            dW, db = gradients.W[layer], gradients.b[layer]
            if f"W{layer}" in self.frozen:
                pass
            elif isinstance(tape.A[layer - 1], np.ndarray):
                np.matmul(tape.A[layer - 1].T, dZ, out=dW)
            else:
                dW[...] = tape.A[layer - 1].T @ dZ
            db[...] = dZ.sum(axis=0, dtype=summing_dtype(dZ.dtype))
            if layer > 1:
                dZ = self._down(tape, layer, dZ)
        if self.embedding is not None and self.embedding.shapes:
            self.embedding.backward(dZ @ self.parameters.W[1].T, tape.X, self.parameters, gradients)
        if l2:
            for name, W in self.parameters.penalized.items():
                gradients[name][...] += l2_vjp(1.0, W, l2)
        for name in self.frozen:
            gradients[name][...] = 0
        return gradients

    def _down(self, tape: Tape, layer: int, dZ: Array) -> Array:
        """The recursion: dZ_{l-1} = (dZ_l W_lᵀ) * f'(Z_{l-1})."""
        dA = dZ @ self.parameters.W[layer].T
        if tape.masks:
            dA *= tape.masks[layer - 1]
        return ACTIVATIONS[self.activations[layer - 2]].vjp(dA, tape.Z[layer - 1])

    def _check_batch(
        self, X: npt.ArrayLike, y: npt.ArrayLike, sample_weight: npt.ArrayLike | None
    ) -> tuple[Array, Array, Array | None]:
        """Return inputs, targets and weights as arrays, checked before any arithmetic."""
        X = check_inputs(X, self.n_inputs, self.theta.dtype)
        n = X.shape[0]
        return X, check_targets(y, n, self.layer_sizes[-1], self.head), check_weights(sample_weight, (n,))

    def _rows_that_count(
        self, X: npt.ArrayLike, y: npt.ArrayLike, sample_weight: npt.ArrayLike | None, masks: Masks | None
    ) -> tuple[Array, Array, Array | None, Masks | None]:
        return rows_that_count(*self._check_batch(X, y, sample_weight), masks, self.layer_sizes)


def _divisor(tape: Tape, w: Array | None) -> float:
    return len(tape.P) if w is None else float(w.sum())


def __dir__() -> list[str]:
    return __all__
