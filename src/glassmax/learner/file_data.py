"""The data of a learner's file, X, y and its parameters, or random samples if it has none."""

import copy
import warnings
from collections.abc import Iterator, Mapping
from typing import Any

import numpy as np

from ..functional.arrays import Array
from ..functional.heads import LOSSES
from ..network import Network
from .loaded_file import FileFaultError, LearnerFile, WatchedFunction

__all__ = ["data_of", "sample_rows"]


def data_of(file: LearnerFile, gradients: Any, network: Any, loss: Any) -> tuple[dict[str, Any], list[str]]:
    """Return the file's X, y and parameters, with random samples if it has no X and y, and notes on the assumptions.

    `network` and `loss` are the file's own, or None. If `gradients` is a function, y takes the form that it accepts.
    The parameters are None if the file has none.
    """
    data = {name: file.value(name) for name in ("X", "y")} | {"parameters": file.parameters()}
    if data["y"] is None:
        data["y"] = file.value("Y")
    for name in ("X", "y"):
        _check_array(file, name, data[name])
    missing = [name for name in ("X", "y") if data[name] is None]
    if network is None and loss is None:
        raise FileFaultError(
            f"{file.name} declares neither a network nor a loss. Add a line such as "
            'network = "4-10-3", or a function loss(parameters, X, y).'
        )
    if network is None and (missing or data["parameters"] is None):
        wanted = [name for name, value in data.items() if value is None]
        raise FileFaultError(
            f"{file.name} has a loss function but no {', no '.join(wanted)}. Add "
            f'{"them" if len(wanted) > 1 else "it"}, or declare the network, such as network = "4-10-3".'
        )
    if len(missing) == 1:
        there = "y" if missing == ["X"] else "X"
        raise FileFaultError(f"{file.name} has {there} but no {missing[0]}. Add it, or leave both out.")
    if not missing:
        return data, []
    parameters = dict(network.parameters) if data["parameters"] is None else data["parameters"]
    return _rows_that_fit(gradients, network, data, parameters)


def _check_array(file: LearnerFile, name: str, values: Any) -> None:
    try:
        size = np.size(values)
    except ValueError:
        raise FileFaultError(f"{file.name}: {name} has rows of different lengths, expected an array.") from None
    if size == 0:
        raise FileFaultError(f"{file.name}: {name} is empty, expected at least one sample.")


def _rows_that_fit(
    gradients: Any, network: Any, data: dict[str, Any], parameters: Any
) -> tuple[dict[str, Any], list[str]]:
    """Choose y in the form that the function takes: it returns the parameters' shapes, or at least doesn't raise."""
    forms = list(sample_rows(network))
    taken: list[tuple[bool, int, tuple[Any, Any, str]]] = []
    for X, y, form in forms if callable(gradients) else []:
        try:
            with warnings.catch_warnings():
                warnings.simplefilter("ignore")
                returned = gradients(copy.deepcopy(parameters), X.copy(), y.copy())
        except Exception:  # every form failing is the diagnosis' matter
            continue
        taken.append((not _of_shapes(returned, parameters), len(taken), (X, y, form)))
        if not taken[-1][0]:
            break
    _, _, (X, y, form) = min(taken, default=(True, 0, forms[0]))
    if isinstance(gradients, WatchedFunction):
        gradients.error = None
    note = f"The file has no X and y: {len(X)} random samples of {X.shape[1]} features were used, with y as {form}."
    return data | {"X": X, "y": y}, [note]


def _of_shapes(returned: Any, parameters: Any) -> bool:
    """Whether arrays have the shapes of the parameters, in whatever order."""
    try:
        here, there = (
            sorted(np.shape(array) for array in (values.values() if isinstance(values, Mapping) else values))
            for values in (returned, parameters)
        )
    except Exception:  # no arrays
        return False
    return here == there


def sample_rows(network: Network) -> Iterator[tuple[Array, Array, str]]:
    """Yield data for a network whose learner gave none: the same X, y in each form that code may expect, and its form.

    The number of rows differs from every layer's size, so that nothing fits by chance.

    Examples
    --------
    >>> [(y.shape, form) for X, y, form in sample_rows(Network([4, 10, 3]))]
    [((7,), 'class indices'), ((7, 3), 'one-hot rows')]
    """
    sizes, draw = network.layer_sizes, np.random.default_rng(0)
    n = next(size for size in range(7, 8 + len(sizes)) if size not in sizes)
    k = sizes[-1]
    X = draw.standard_normal((n, sizes[0]))
    indices = draw.permutation(np.arange(n) % k)
    one_hot = np.eye(k)[indices]
    meaning = LOSSES[network.head.loss].meaning
    if network.head.output == "softmax" and k > 1:
        forms = [(indices, "class indices"), (one_hot, "one-hot rows")]
        yield from ((X, y, form) for y, form in (forms if meaning == "classes" else reversed(forms)))
        return
    if meaning == "labels" or network.head.output == "sigmoid":
        rows, form = draw.integers(0, 2, (n, k)).astype(float), "rows of zeros and ones"
    elif meaning == "classes":
        rows, form = one_hot, "one-hot rows"
    else:
        rows, form = np.abs(draw.standard_normal((n, k))), "rows of numbers"
    yield X, rows, form
    if k == 1:
        yield X, rows[:, 0], f"{form}, without the second axis"
