"""The identity of a training run: all that its results depend on. Only the same run can resume a checkpoint."""

from functools import partial
from types import CodeType, FunctionType, MethodType
from typing import Any

import numpy as np

from ..engine import Data, Engine
from ..training.checkpoint import digest
from ..version import __version__
from .fitted_state import FittedState
from .labels import MOST_LISTED
from .options import activations_of, hidden_sizes
from .preparation import Preparation

__all__ = ["identity_of", "identity_without_rows"]

IRRELEVANT = ("verbose", "n_threads", "memory_limit", "checkpoint_path")
LONGEST = 200


def identity_of(classifier: Any, preparation: Preparation, engine: Engine) -> dict[str, str]:
    """Return what identifies a run, by name: short values as they are, long ones as a hash.

    That is the parameters, data, validation rows, columns and engine; in a warm start also the weights and moments at
    the start.
    """
    _, state, data, validation, continues = preparation
    held_out = validation or Data(None, None)  # type: ignore[arg-type]
    return {
        "X": digest(data.X),
        "y": digest(data.y),
        "sample_weight": digest(data.weight),
        "X_val": digest(held_out.X),
        "y_val": digest(held_out.y),
        "sample_weight_val": digest(held_out.weight),
        **identity_without_rows(classifier, state, engine, continues=continues),
    }


def identity_without_rows(classifier: Any, state: FittedState, engine: Engine, *, continues: bool) -> dict[str, str]:
    """Return what identifies a run beside the rows that it is trained on, by name."""
    parameters = classifier.get_params(deep=False)
    for name in IRRELEVANT:
        del parameters[name]
    if classifier.learning_rate == "constant" and not classifier.warmup and not classifier.mixup:
        del parameters["max_iter"]
    parameters["hidden_layer_sizes"] = hidden_sizes(classifier)
    parameters["activation"] = activations_of(classifier)
    embedding = state.network.embedding
    parameters["embedding"] = None if embedding is None else embedding.to_plain()
    start = (state.network.theta, *map(np.atleast_1d, state.training.state.values())) if continues else ()
    columns = [] if state.feature_names_in is None else list(state.feature_names_in)
    return {
        "feature_names_in_": _short(plain(columns)),
        "classes_": _of_classes(state.classes),
        "the start": digest(*start),
        "the engine": f"{engine.arithmetic} of glassmax {__version__}",
        **{name: _short(plain(value)) for name, value in sorted(parameters.items())},
    }


def _of_classes(classes: Any) -> str:
    """Identify classes: by the classes themselves, or, if they are many numbers, by a hash, to save memory."""
    many = len(classes) > MOST_LISTED and classes.dtype.kind in "biuf"
    return digest(classes) if many else _short(plain(classes.tolist()))


def _short(text: str) -> str:
    return text if len(text) <= LONGEST else digest(np.frombuffer(text.encode("utf-8", "surrogatepass"), np.uint8))


def plain(value: Any, inside: frozenset[int] = frozenset()) -> str:
    """Write a parameter as text: the same value gives the same text in every process, another value another text.

    A function is written by its name, its code and its closure; a value that contains itself, and whose identity is
    therefore among those `inside`, is written once.
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
    """Return what identifies a callable or an object; None if its repr does."""
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
