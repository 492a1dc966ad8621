"""Parameters of classifiers, and tables, as JSON and arrays: as they travel to workers. No pickle, and no code.

What JSON has is written as it is. Everything else is a dictionary of one entry: its kind, and what it consists of::

    (64, 32)                 {"tuple": [64, 32]}
    np.array([1.0, 2.0])     {"array": 0}, the first of the arrays beside the JSON
    PiecewiseLinear()        {"PiecewiseLinear": {"columns": null, "bins": 16}}
    array of texts           {"cells": ["<U6", ["Adelie", "Gentoo"], {"array": 1}]}, the different cells, and which

A classifier is written by its parameters and read as a new one, as scikit-learn's `clone` makes it.
"""

import os
from collections.abc import Callable, Mapping
from dataclasses import fields
from typing import Any

import numpy as np

from ..embedding import Categories, Embedding, Periodic, PiecewiseLinear
from ..errors import OptionError
from ..functional.arrays import Array
from ..table import Table
from ..table.missing_words import MissingWords
from .classifier import SoftmaxClassifier
from .ensemble import MemberType, Preset

__all__ = ["of_plain", "plain_parameters", "to_plain"]

LONGEST = 60
DESCRIBED = (Categories, Periodic, PiecewiseLinear, MemberType, Preset, Table, MissingWords)
"""The classes that are described by their fields."""


def to_plain(value: Any, name: str, arrays: list[Array]) -> Any:
    """Return a value as JSON has it.

    Parameters
    ----------
    value : object
    name : str
        The parameter, for the message.
    arrays : list of arrays
        Is extended by the arrays that the value holds.

    Raises
    ------
    OptionError
        If the value can't be written, such as a function of the user's.
    """

    def plain(one: Any) -> Any:
        return to_plain(one, name, arrays)

    if value is None or type(value) in (bool, int, float, str):
        return value
    kind = type(value).__name__
    if isinstance(value, np.ndarray | np.generic):
        return _plain_array(np.asarray(value), plain, arrays, is_scalar=isinstance(value, np.generic))
    if type(value) in SEQUENCES.values():
        return {kind: [plain(one) for one in value]}
    if isinstance(value, Mapping):
        return {"dict": [[plain(key), plain(one)] for key, one in value.items()]}
    if isinstance(value, os.PathLike):
        return os.fspath(value)
    if isinstance(value, Embedding):
        return {"Embedding": plain(value.to_plain())}
    if type(value) in DESCRIBED:
        return {kind: {field.name: plain(getattr(value, field.name)) for field in fields(value)}}
    if type(value) is SoftmaxClassifier:
        return {kind: plain_parameters(value, arrays, f"{name}__")}
    if isinstance(value, np.random.RandomState):
        return {"RandomState": plain(value.get_state(legacy=False))}
    came = repr(value)
    raise OptionError(
        parameter=name,
        came=came if len(came) <= LONGEST else f"{came[:LONGEST]}...",
        expected="numbers, text, arrays, or lists and dicts of them: workers get neither functions nor objects of "
        "other classes",
    )


def plain_parameters(classifier: Any, arrays: list[Array], prefix: str = "") -> dict[str, Any]:
    """Return the parameters of a classifier, each as JSON has it; see `to_plain`."""
    given = classifier.get_params(deep=False)
    return {name: to_plain(value, f"{prefix}{name}", arrays) for name, value in given.items()}


def of_plain(plain: Any, arrays: list[Array]) -> Any:
    """Return the value that `to_plain` has written.

    Raises
    ------
    ValueError
        If it is of an unknown kind.
    """
    if not isinstance(plain, dict):
        return plain
    ((kind, content),) = plain.items()
    if kind == "array":
        return arrays[content]
    if kind == "scalar":
        return arrays[content][()]
    if kind == "moments":
        return arrays[content[1]].view(content[0])
    if kind == "cells":
        dtype, different, which = content
        cells = np.empty(len(different), object)
        cells[:] = [of_plain(cell, arrays) for cell in different]
        return cells.astype(dtype)[arrays[which]]
    if kind in SEQUENCES:
        return SEQUENCES[kind](of_plain(one, arrays) for one in content)
    if kind == "dict":
        return {of_plain(key, arrays): of_plain(one, arrays) for key, one in content}
    if kind == "Embedding":
        return Embedding.from_plain(of_plain(content, arrays))
    if kind == "RandomState":
        state = np.random.RandomState()
        state.set_state(of_plain(content, arrays))
        return state
    for known in (*DESCRIBED, SoftmaxClassifier):
        if kind == known.__name__:
            return known(**{name: of_plain(one, arrays) for name, one in content.items()})
    raise ValueError(f"a parameter is of the unknown kind {kind!r}")


SEQUENCES: dict[str, Callable[[Any], Any]] = {"list": list, "tuple": tuple, "set": set, "frozenset": frozenset}


def _plain_array(values: Array, plain: Callable[[Any], Any], arrays: list[Array], *, is_scalar: bool) -> Any:
    kind = values.dtype.kind
    if is_scalar and kind not in "biuf":
        return plain(values.item())
    if kind in "biufM":
        arrays.append(values.view(np.int64) if kind == "M" else values)
        place = len(arrays) - 1
        return {"moments": [values.dtype.str, place]} if kind == "M" else {"scalar" if is_scalar else "array": place}
    codes: dict[Any, int] = {}
    keys = ((type(cell), cell) for cell in values.reshape(-1).tolist())  # True is not 1
    which = np.array([codes.setdefault(key, len(codes)) for key in keys], np.int32).reshape(values.shape)
    different = [plain(cell) for _, cell in codes]
    arrays.append(which)
    return {"cells": [values.dtype.str, different, len(arrays) - 1]}
