"""Where a case lives: its network, its data, its way of calling, and what is expected of the doctor.

A case is a learner's function with a decorator: `single`, `double`, `control`, `note`, `misbehaving`, `strange`.
Setups are made afresh for every call, so no case can spoil another's arrays.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from itertools import pairwise
from typing import Any

import numpy as np

CASES: list[Case] = []


@dataclass
class Case:
    id: str
    group: str  # single, double, control, note, misbehaving, strange
    mode: str  # network, arrays, own, own-arrays
    function: Callable[..., Any]
    setup: Callable[[], dict[str, Any]]
    expect: list[frozenset[str]] = field(default_factory=list)  # one class for each mistake that is inside
    where: frozenset[str] = frozenset()
    declared: bool = False
    scale: float | None = 1.0  # controls: gradient = scale * truth (None: any common factor)
    verdict: str = ""  # controls: the exact verdict one would like (a false alarm is only "wrong")
    tolerance: float = 1e-6
    note: str = ""

    @property
    def key(self) -> str:
        return self.setup.__name__


def data(n, d, k, seed, targets="index"):
    rng = np.random.default_rng(seed)
    X = rng.normal(size=(n, d))
    y = np.resize(np.repeat(np.arange(k), np.arange(1, k + 1)), n)  # every class, unequally often when n allows
    y = rng.permutation(y)
    if n >= k:
        y[:k] = rng.permutation(k)
    if targets == "index":
        return X, y
    if targets == "onehot":
        return X, np.eye(k)[y]
    if targets == "real":
        return X, rng.normal(size=(n, k))
    if targets == "unit":  # several labels at once, 0/1
        return X, (rng.random((n, k)) < 0.4).astype(float)
    raise ValueError(targets)


def weights(sizes, seed, size=0.7):
    rng = np.random.default_rng(seed + 1000)
    p = {}
    for layer, (i, o) in enumerate(pairwise(sizes), start=1):
        p[f"W{layer}"] = rng.normal(size=(i, o)) * size
        p[f"b{layer}"] = rng.normal(size=o) * 0.3
    return p


def NET(
    sizes, activation="tanh", output="softmax", loss="cross_entropy", l2=0.0, n=6, seed=1, targets="index", size=0.7
):
    """A setup in the library's own layout and names."""

    def make():
        import glassmax as gm

        X, y = data(n, sizes[0], sizes[-1], seed, targets)
        net = gm.Network.from_parameters(
            weights(sizes, seed, size),
            activation=activation if len(sizes) > 2 else "relu",
            output=output,
            loss=loss,
            l2=l2,
        )
        return {"network": net, "X": X, "y": y}

    make.__name__ = repr((tuple(sizes), activation, output, loss, l2, n, seed, targets, size))
    make.spec = {"sizes": sizes, "activation": activation, "output": output, "loss": loss, "l2": l2}
    make.parameters = lambda: weights(sizes, seed, size)
    return make


def _classes(text):
    return [frozenset(c.strip() for c in part.split("|")) for part in text.split("+")] if text else []


def _register(group, setup, expect="", where="", mode="network", declared=False, **rest):
    def decorate(function):
        own = getattr(setup, "own", False)  # the loss, where the setup has one, declares itself
        style = ("own-arrays" if mode == "arrays" else "own") if own else mode
        case = Case(
            id=f"{group}:{function.__name__}",
            group=group,
            mode=style,
            function=function,
            setup=setup,
            expect=_classes(expect),
            where=frozenset(where.split()),
            declared=declared or (own and setup.has_loss),
            **rest,
        )
        assert all(c.id != case.id for c in CASES), case.id
        CASES.append(case)
        return function

    return decorate


def single(setup, expect, where="", **kw):
    return _register("single", setup, expect, where, **kw)


def double(setup, expect, where="", **kw):
    return _register("double", setup, expect, where, **kw)


def control(setup, **kw):
    return _register("control", setup, **kw)


def note(setup, expect, **kw):
    return _register("note", setup, expect, **kw)


def misbehaving(setup, expect, where="", **kw):
    return _register("misbehaving", setup, expect, where, **kw)


def strange(setup, expect="not_in_catalogue", where="", **kw):
    return _register("strange", setup, expect, where, **kw)
