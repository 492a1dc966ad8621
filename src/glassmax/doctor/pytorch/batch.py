"""One batch through a copy of a PyTorch model, forward and backward, in double precision; the original stays as it is.

The result is in NumPy: the loss as a function of the parameters, the gradients that backward left, and the layer where
backpropagation ends. Nothing is judged here.
"""

import copy
import warnings
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from functools import partial
from typing import Any

import numpy as np

from ...errors import OptionError
from ...functional.arrays import Array
from .layers import Criterion, ModuleLayer, layers_of, module_parameters

__all__ = ["BatchRun", "run_batch", "tensors_of", "with_layer"]


@dataclass
class BatchRun:
    """The result of a batch, in double and by PyTorch's names; a gradient is None where backward left none.

    `cut` is the layer of a Sequential in which backpropagation ends, None if it reaches the first. `error` is what
    forward, the loss or backward raised. `unequal` has the shapes of output and target, where the loss is a difference
    of the two and they differ. `exact` says whether the batch ran in double precision; if the model or its loss can't,
    it ran in the model's own.
    """

    model: Any
    criterion: Criterion
    X: Any
    y: Any
    parameters: dict[str, Array]
    gradients: dict[str, Array | None]
    frozen: tuple[str, ...]
    cut: ModuleLayer | None
    error: Exception | None
    unequal: tuple[tuple[int, ...], tuple[int, ...]] | None
    exact: bool

    @property
    def rows(self) -> int:
        """The samples of the batch."""
        return len(self.X) if self.X.ndim > 1 else 1

    def loss(self, parameters: Mapping[str, Array]) -> float:
        """Return the loss at other parameters; the copy is left at them."""
        import torch

        with torch.no_grad(), _quiet():
            for name, parameter in module_parameters(self.model).items():
                if name in parameters:
                    parameter.copy_(torch.as_tensor(np.asarray(parameters[name])))
            value = self.criterion.call(self.model(self.X), self.y)
            return float(value if value.ndim == 0 else value.mean())


def tensors_of(X: Any, y: Any, criterion: Criterion) -> tuple[Any, Any]:
    """Return data as tensors on the CPU, in double where they are not class indices."""
    import torch

    if X is None or y is None:
        raise OptionError(f"{'X' if X is None else 'y'} is missing: a PyTorch model is diagnosed on a batch X, y.")
    X, y = (
        data.detach().cpu() if isinstance(data, torch.Tensor) else torch.as_tensor(np.array(data)) for data in (X, y)
    )
    takes_indices = criterion.kind in ("CrossEntropyLoss", "NLLLoss") and not y.is_floating_point()
    return _wide(X), y.long() if takes_indices else y.double() if criterion.kind != "your own loss" else _wide(y)


def run_batch(model: Any, criterion: Criterion, X: Any, y: Any) -> BatchRun:
    """Run a batch through a copy of the model, in eval mode: dropout is off."""
    batch = _attempt(model, criterion, X, y, True)
    if batch.error is None or batch.cut:
        return batch
    as_it_is = _attempt(model, criterion, X, y, False)
    return batch if as_it_is.error else as_it_is


def _attempt(model: Any, criterion: Criterion, X: Any, y: Any, exact: bool) -> BatchRun:
    twin = _twin(model, exact)
    if exact:
        criterion = criterion._replace(call=_in_double(criterion.call))
    else:
        dtype = next((parameter.dtype for parameter in model.parameters()), X.dtype)
        X, y = (data.to(dtype) if data.is_floating_point() else data for data in (X, y))
    cut, error, unequal = None, None, None
    try:
        with _quiet():
            cut, output = _forward(twin, X)
            value = criterion.call(output, y)
            if criterion.kind in ("MSELoss", "BCELoss", "BCEWithLogitsLoss") and output.shape != y.shape:
                unequal = (tuple(output.shape), tuple(y.shape))
            (value if value.ndim == 0 else value.mean()).backward()
    except Exception as raised:  # the model and the loss are the user's
        error = raised
    parameters, gradients = {}, {}
    for name, parameter in module_parameters(twin).items():
        parameters[name] = parameter.detach().double().numpy().copy()
        gradients[name] = None if parameter.grad is None else parameter.grad.detach().double().numpy().copy()
    frozen = tuple(name for name, parameter in module_parameters(model).items() if not parameter.requires_grad)
    return BatchRun(twin, criterion, X, y, parameters, gradients, frozen, cut, error, unequal, exact)


def with_layer(model: Any, place: str, make: Callable[[Any], Any]) -> Any:
    """Return a copy of a Sequential in which `make` has replaced the layer at a place such as "2" or "0.3"."""
    changed = copy.deepcopy(model)
    *outer, name = place.split(".")
    setattr(changed.get_submodule(".".join(outer)), name, make(changed.get_submodule(place)))
    return changed


def _twin(model: Any, exact: bool) -> Any:
    try:
        twin = copy.deepcopy(model).cpu().eval()
    except Exception as error:  # a parameter that is computed from another can't be copied
        raise OptionError(f"The model can't be copied: {error}. Pass a model whose parameters are leaves.") from None
    twin.zero_grad(set_to_none=True)
    return twin.double() if exact else twin


def _in_double(loss: Any) -> Any:
    """A loss whose own tensors, such as class weights, are in double."""
    import torch

    if isinstance(loss, torch.nn.Module):
        return copy.deepcopy(loss).cpu().double()
    if isinstance(loss, partial):
        given = {
            name: _wide(value) if isinstance(value, torch.Tensor) else value for name, value in loss.keywords.items()
        }
        return partial(loss.func, *loss.args, **given)
    return loss


def _forward(twin: Any, X: Any) -> tuple[ModuleLayer | None, Any]:
    """Run the layers one by one and find the one after which autograd records nothing any more."""
    layers = layers_of(twin)
    if not layers:
        return None, twin(X)
    cut, recorded = None, False
    output = X
    for layer in layers:
        had = recorded or any(parameter.requires_grad for parameter in layer.module.parameters())
        output = layer.module(output)
        recorded = bool(getattr(output, "requires_grad", False))
        if had and not recorded:
            cut = layer
    return cut, output


def _wide(data: Any) -> Any:
    return data.double() if data.is_floating_point() else data


@contextmanager
def _quiet() -> Iterator[None]:
    """Keep PyTorch's warnings, and its random numbers, from the user's program."""
    import torch

    with warnings.catch_warnings(), torch.random.fork_rng(devices=[]):
        warnings.simplefilter("ignore")
        yield
