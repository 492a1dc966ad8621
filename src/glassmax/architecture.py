"""The description of a network: sizes, activations, head, dtype and embedding, checked before a weight exists."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from contextlib import suppress
from typing import Any

import numpy as np
import numpy.typing as npt

from .embedding import Embedding
from .errors import OptionError, Setting, between, one_of
from .functional.activations import ACTIVATIONS
from .functional.heads import LOSSES, OUTPUTS, PAIRS, Head
from .functional.softcap import check_softcap

__all__ = ["check_activations", "check_dtype", "check_embedding", "check_frozen", "check_head", "check_sizes"]


def check_sizes(layer_sizes: Sequence[int]) -> tuple[int, ...]:
    """Return the units of each layer as whole numbers."""
    try:
        sizes = tuple(int(size) for size in layer_sizes)
    except (TypeError, ValueError):
        sizes = ()
    if len(sizes) < 2 or min(sizes) < 1 or sizes != tuple(layer_sizes):
        expected = "two or more whole numbers >= 1, as [4, 10, 3]"
        raise OptionError(parameter="layer_sizes", came=repr(layer_sizes), expected=expected)
    return sizes


def check_dtype(dtype: npt.DTypeLike) -> npt.DTypeLike:
    """Return the dtype if it is one of floats or complex numbers."""
    with suppress(TypeError):
        if np.dtype(dtype).kind in "fc":
            return dtype
    raise OptionError(parameter="dtype", came=repr(dtype), expected="a float dtype such as 'float32' or 'float64'")


def check_embedding(embedding: Any, width: int, dtype: npt.DTypeLike) -> Embedding | None:
    """Return the embedding if it fits the first layer, and its edges the dtype."""
    if embedding is None:
        return None
    if not isinstance(embedding, Embedding):
        raise OptionError(parameter="embedding", came=repr(embedding), expected="an Embedding, or None")
    if width != embedding.width:
        what = f" starts with {width}, expected {embedding.width}, the width of {embedding!r}."
        raise OptionError(Setting("layer_sizes"), what, parameter="layer_sizes")
    embedding.check_dtype(np.dtype(check_dtype(dtype)))
    return embedding


def check_activations(activation: Any, n_hidden: int) -> tuple[str, ...]:
    """Return the activation of each hidden layer."""
    if isinstance(activation, str) or not isinstance(activation, Sequence):  # one name, or no name at all
        activation = [one_of("activation", activation, ACTIVATIONS)] * n_hidden
    if len(activation) != n_hidden:
        what = f" has {len(activation)} entries, expected {n_hidden}: one for each hidden layer."
        raise OptionError(Setting("activation"), what, parameter="activation")
    return tuple(one_of("activation", name, ACTIVATIONS) for name in activation)


def check_head(
    output: str, loss: str, softcap: float | None = None, z_loss: float = 0.0, temperature: float = 1.0
) -> Head:
    """Return the output and the loss as a head, if they are a pair and the options are in range."""
    names = one_of("output", output, OUTPUTS), one_of("loss", loss, LOSSES)
    check_softcap(softcap, temperature)
    between("z_loss", z_loss, 0)
    head = Head(*names, None if softcap is None else float(softcap), float(z_loss), float(temperature))
    if head.options and output != "softmax":
        (name, value), *_ = head.options.items()
        default = getattr(Head, name)
        expected = (f"{default} with ", Setting("output", output), ": only softmax has this option")
        raise OptionError(parameter=name, came=f"{value:g}", expected=expected)
    if (output, loss) not in PAIRS:
        why = "only the probabilities of classes that exclude one another may be added"
        expected = ("'softmax' with ", Setting("loss", loss), f": {why}")
        raise OptionError(parameter="output", came=repr(output), expected=expected)
    return head


def check_frozen(frozen: Any, names: Sequence[str]) -> tuple[str, ...]:
    """Return the frozen parameters, checked, in the order of `names`, the names of all parameters."""
    given = [frozen] if isinstance(frozen, str) or not isinstance(frozen, Iterable) else list(frozen)
    for name in given:
        one_of("frozen", name, names)
    return tuple(name for name in names if name in given)


def __dir__() -> list[str]:
    return __all__
