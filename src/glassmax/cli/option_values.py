"""The values of options: layer sizes, fractions, COLUMN=TYPE and CLASS=WEIGHT parsed; what is wrong with a value.

An error is the end of a sentence that opens with the option: ``is '1.5', expected a whole number >= 1.``
"""

import math
import re
from collections.abc import Iterable
from typing import Any

import click

from ..errors import OptionError, one_of

__all__ = [
    *("activations", "class_weights", "column_types", "embedding_of", "fault_of", "finite"),
    *("parse_hidden_sizes", "shares", "size_of_memory", "validation", "words"),
]

UNITS = ("", "k", "m", "g", "t")
SIZE = re.compile(r"(\d+(?:\.\d+)?) ?([kmgt]?)(?:(i?)b)?", re.IGNORECASE | re.ASCII)
"""A number and its unit: 64MB, 1.5 GiB, 1g, or bytes."""


def fault_of(kind: Any, value: Any) -> str:
    """Return what is wrong with a value of a range or a choice; nothing for the other types."""
    if isinstance(kind, click.Choice):
        return _not_one_of(value, kind.choices)
    if not isinstance(kind, click.IntRange | click.FloatRange):
        return ""
    low = f" {'>' if kind.min_open else '>='} {kind.min}"
    high = "" if kind.max is None else f" and {'<' if kind.max_open else '<='} {kind.max}"
    noun = "a whole number" if isinstance(kind, click.IntRange) else "a number"
    return f"is {value!r}, expected {noun}{low}{high}.{_share_meant(kind, value)}"


def _share_meant(kind: Any, value: Any) -> str:
    """Return a guess where a percentage was typed in the place of a share."""
    try:
        number = float(value)
    except (TypeError, ValueError):
        return ""
    return f" Did you mean {number / 100:g}?" if kind.max == 1 and 1 < number < 100 else ""


def _not_one_of(value: Any, allowed: Iterable[str]) -> str:
    try:
        one_of("", value, allowed)
    except OptionError as error:
        return str(error).strip()
    return ""


def words(ctx: click.Context, param: click.Parameter, value: str | None) -> list[str] | None:
    """Read words between commas; an empty text is no word at all."""
    return None if value is None else [word.strip() for word in value.split(",") if word.strip()]


def parse_hidden_sizes(ctx: click.Context, param: click.Parameter, value: str | None) -> tuple[int, ...] | None:
    """Read hidden layers as people type them: ``100``, ``64,32``, ``none``."""
    if value is None or value in ("none", ""):
        if value == "" and ctx.get_parameter_source(str(param.name)) is click.core.ParameterSource.COMMANDLINE:
            raise click.BadParameter("is '', expected whole numbers from 1 to 999999999 as 100 or 64,32, or none.")
        return None if value is None else ()
    sizes = [int(size) if size.strip().isdecimal() and len(size) < 10 else 0 for size in value.split(",")]
    if min(sizes) < 1:
        raise click.BadParameter(f"is {value!r}, expected whole numbers from 1 to 999999999 as 100 or 64,32, or none.")
    return tuple(sizes)


def finite(ctx: click.Context, param: click.Parameter, value: float | None) -> float | None:
    """Reject nan and inf, which a range accepts."""
    if value is not None and not math.isfinite(value):
        raise click.BadParameter(f"{value} is not a finite number.")
    return value


def shares(ctx: click.Context, param: click.Parameter, value: str) -> tuple[float, ...]:
    """Read one share for all hidden layers, or one for each: ``0.2``, ``0.2,0.5``."""
    try:
        numbers = tuple(float(part) for part in value.split(","))
    except ValueError:
        numbers = (-1.0,)
    if not all(0 <= number < 1 for number in numbers):
        raise click.BadParameter(
            f"is {value!r}, expected a number from 0 up to, not including, 1, or one for each layer."
        )
    return numbers


def activations(ctx: click.Context, param: click.Parameter, value: str) -> tuple[str, ...]:
    """Read one activation for all hidden layers, or one for each: ``relu``, ``tanh,relu``."""
    from ..functional import ACTIVATIONS

    names = tuple(name.strip() for name in value.split(","))
    for name in names:
        if name not in ACTIVATIONS:
            raise click.BadParameter(_not_one_of(name, ACTIVATIONS))
    return names


def embedding_of(name: str, bins: int) -> Any:
    """Return the estimator's parameter for ``--embedding`` and ``--embedding-bins``."""
    from ..embedding import PiecewiseLinear

    return {"none": None, "periodic": "periodic", "piecewise-linear": PiecewiseLinear(bins=bins)}[name]


def column_types(ctx: click.Context, param: click.Parameter, values: tuple[str, ...]) -> dict[str, str]:
    """Read what columns are to be taken for: ``zip=category``."""
    from ..table import KINDS

    types: dict[str, str] = {}
    for value in values:
        column, equals, kind = value.rpartition("=")
        if not equals or kind not in KINDS:
            raise click.BadParameter(f"is {value!r}, expected COLUMN=TYPE with one of {', '.join(KINDS)}.")
        if types.get(column, kind) != kind:
            raise click.BadParameter(f"gives {column!r} the types {types[column]} and {kind}, expected one type.")
        types[column] = kind
    return types


def class_weights(ctx: click.Context, param: click.Parameter, values: tuple[str, ...]) -> dict[str, float]:
    """Read weights of classes: ``rare=10``."""
    weights: dict[str, float] = {}
    for value in values:
        label, equals, weight = value.rpartition("=")
        try:
            number = float(weight)
        except ValueError:
            number = -1.0
        if not equals or not 0 <= number < math.inf:
            raise click.BadParameter(f"is {value!r}, expected CLASS=WEIGHT with a number >= 0, as rare=10.")
        if weights.get(label, number) != number:
            raise click.BadParameter(f"gives {label!r} the weights {weights[label]:g} and {number:g}, expected one.")
        weights[label] = number
    return weights


def size_of_memory(ctx: click.Context, param: click.Parameter, value: str | None) -> int | None:
    """Read a number of bytes, at least 16 MB: ``64MB``, ``1.5 GB``, ``67108864``. A kB is 1000 bytes, a KiB 1024."""
    from ..engine import LEAST_MEMORY  # late: --help needs no NumPy

    if value is None:
        return None
    found = SIZE.fullmatch(value.strip())
    size = float(found[1]) * (1024 if found[3] else 1000) ** UNITS.index(found[2].lower()) if found else 0.0
    if not LEAST_MEMORY <= size < 2**63:
        raise click.BadParameter(f"is {value!r}, expected at least 16MB, such as 64MB or 1GB.")
    return int(size)


def validation(ctx: click.Context, param: click.Parameter, value: str | None) -> Any:
    """Read a share of the rows, as 0.1, or the path of a file."""
    if value is None:
        return None
    try:
        share = float(value)
    except ValueError:
        return value
    if not 0 < share < 1:
        raise click.BadParameter(f"is {value}, expected a share between 0 and 1, or the path of a file.")
    return share
