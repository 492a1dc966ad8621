"""What a run is: everything on which its bits depend, but the number of threads; a checkpoint belongs to one.

This module refuses to read files.
"""

from functools import partial
from types import CodeType, FunctionType, MethodType
from typing import Any

import numpy as np

from ..engine import Data, Engine
from ..training import digest
from ..version import __version__
from .options import activations_of, hidden_sizes

__all__ = ["identity_of"]

NOT_THE_RUN = ("verbose", "n_threads", "checkpoint_path")
LONGEST = 200


def identity_of(
    classifier: Any, engine: Engine, data: Data, validation: Data | None, columns: list[str], *, goes_on: bool
) -> dict[str, str]:
    """Return what a run is, by name: short values as they are, long ones as a hash.

    Parameters
    ----------
    classifier : SoftmaxClassifier
    engine : Engine
    data : Data
        All rows given to `fit`.
    validation : Data or None
        The rows to judge on, if given.
    columns : list of str
        Their names, as far as they have any.
    goes_on : bool
        Whether it starts from the last fit's weights, which are then part of it.

    Returns
    -------
    dict of str to str
    """
    parameters = classifier.get_params(deep=False)
    for name in NOT_THE_RUN:
        del parameters[name]
    if classifier.learning_rate == "constant" and not classifier.warmup:
        del parameters["max_iter"]
    parameters["hidden_layer_sizes"] = hidden_sizes(classifier)
    parameters["activation"] = activations_of(classifier)
    standing, theta = classifier._standing, classifier.network_.theta
    start = (theta, *map(np.atleast_1d, standing.state.values())) if goes_on else ()
    judged = validation or Data(None, None)  # type: ignore[arg-type]
    return {
        "X": digest(data.X),
        "y": digest(data.y),
        "sample_weight": digest(data.weight),
        "X_val": digest(judged.X),
        "y_val": digest(judged.y),
        "sample_weight_val": digest(judged.weight),
        "feature_names_in_": _short(plain(columns)),
        "classes_": _short(plain(classifier.classes_.tolist())),
        "the start": digest(*start),
        "the engine": f"{engine.arithmetic} of glassmax {__version__}",
        **{name: _short(plain(value)) for name, value in sorted(parameters.items())},
    }


def _short(text: str) -> str:
    return text if len(text) <= LONGEST else digest(np.frombuffer(text.encode("utf-8", "surrogatepass"), np.uint8))


def plain(value: Any, inside: frozenset[int] = frozenset()) -> str:
    """Write a parameter so that the same value is the same text in another process, and another is another.

    Parameters
    ----------
    value : object
        A function counts by its name, its code and what it holds.
    inside : frozenset of int
        The identities of what is being written: a value that holds itself is not written again.

    Returns
    -------
    str
    """
    if isinstance(value, bool | np.bool_):
        return repr(bool(value))
    if isinstance(value, int | float | np.number):
        return repr(int(value) if np.isfinite(value) and value == int(value) else float(value))
    if value is None or isinstance(value, str | bytes):
        return repr(value)
    if id(value) in inside:
        return "itself"
    inside |= {id(value)}
    if isinstance(value, np.ndarray) and value.dtype.kind in "biuf":
        return digest(np.atleast_1d(value))
    if isinstance(value, dict):
        return f"{{{', '.join(sorted(f'{plain(k, inside)}: {plain(v, inside)}' for k, v in value.items()))}}}"
    if isinstance(value, set | frozenset):
        return f"{{{', '.join(sorted(plain(entry, inside) for entry in value))}}}"
    if isinstance(value, list | tuple | np.ndarray):
        return f"[{', '.join(plain(entry, inside) for entry in value)}]"
    parts = _parts(value)
    return repr(value) if parts is None else f"{type(value).__qualname__} {plain(parts, inside)}"


def _parts(value: Any) -> Any:
    """Return what makes a callable or an object what it is; None where its text says so."""
    if isinstance(value, np.random.RandomState):
        return value.get_state(legacy=True)
    if isinstance(value, FunctionType):
        cells = [_content(cell) for cell in value.__closure__ or ()]
        return (value.__module__, value.__qualname__, value.__code__, value.__defaults__, value.__kwdefaults__, cells)
    if isinstance(value, CodeType):
        return (value.co_code, value.co_names, value.co_consts)
    if isinstance(value, MethodType):
        return (value.__self__, value.__func__)
    if isinstance(value, partial):
        return (value.func, value.args, value.keywords)
    if " at 0x" in repr(value):  # an address says nothing
        return (type(value).__module__, getattr(value, "__qualname__", ""), getattr(value, "__dict__", None))
    return None


def _content(cell: Any) -> Any:
    try:
        return cell.cell_contents
    except ValueError:
        return None
