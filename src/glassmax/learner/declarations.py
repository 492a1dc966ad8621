"""A learner's declarations about a network, in a few plain lines.

The same lines are module names in a learner's file, ``network = "4-10-3"``, and options of the command line,
``--network 4-10-3``. What is left out is taken for granted and said. This module refuses to run anybody's code.
"""

import re
from collections.abc import Iterable, Mapping, Sequence
from typing import Any, NamedTuple

import numpy as np

from ..errors import OptionError, is_whole
from ..functional.activations import ACTIVATIONS
from ..network import Network
from ..parameters import count

__all__ = ["DECLARATIONS", "Understood", "read_sizes", "understand"]

DECLARATIONS = ("network", "activation", "output", "loss", "l2", "declared")
"""The names that describe a network. `loss` may be a function instead, which is not handled here."""

USUAL = ("sigmoid", "tanh", "relu")
USUAL_LOSS = {
    "softmax": "cross_entropy",
    "sigmoid": "binary_cross_entropy",
    "identity": "squared_error",
    "relu": "squared_error",
}
MOST_UNITS = 100_000
MOST_PARAMETERS = 20_000_000


class Understood(NamedTuple):
    """The network that was declared, None if there is none, and notes on the assumptions.

    `declared` says whether the learner's loss is the mean over the rows: then any other factor is a mistake.
    `others` are networks with the other activations, if the file declares no activation; each is built on demand.
    """

    network: Network | None
    declared: bool
    notes: list[str]
    others: Iterable[Network]


def read_sizes(written: object) -> list[int]:
    """Read layer sizes as people write them: ``"4-10-3"``, ``"4, 10, 3"``, ``[4, 10, 3]``.

    Examples
    --------
    >>> read_sizes("4-10-3")
    [4, 10, 3]
    """
    sizes = list(re.split(r"\s*[-,x]\s*", written.strip())) if isinstance(written, str) else _listed(written)
    whole = [int(size) for size in sizes if _is_whole(size)]
    if len(whole) < max(2, len(sizes)) or not all(1 <= size <= MOST_UNITS for size in whole):
        raise OptionError(
            f"network is {_shortened(written)}, expected sizes from 1 to {MOST_UNITS}, such as '4-10-3': "
            "4 features, 10 hidden units, 3 classes."
        )
    if count(whole) > MOST_PARAMETERS:
        raise OptionError(
            f"network is {_shortened(written)} of {count(whole)} parameters, expected {MOST_PARAMETERS} at most. "
            "A small network shows the same mistakes."
        )
    return whole


def understand(declarations: Mapping[str, Any]) -> Understood:
    """Build the network that is declared, and say what was assumed.

    `declarations` has any of `DECLARATIONS`, None for what is not declared; ``network`` may be a `Network` itself.

    Examples
    --------
    >>> understand({"network": "4-10-3", "activation": "tanh"}).network
    Network(4-10-3, activation='tanh', output='softmax', loss='cross_entropy', 83 parameters)
    """
    given = {name: value for name, value in declarations.items() if value is not None}
    said = given.get("declared", False)
    if not isinstance(said, bool):
        raise OptionError(
            f"declared is {_shortened(said)}, expected True or False: is your loss exactly the mean over the rows?"
        )
    declared = said or given.get("loss") == "network"
    network = given.get("network")
    if network is None or isinstance(network, Network):
        return Understood(network, declared, [], [])
    sizes = read_sizes(network)
    chosen, granted = dict(given), []
    if given.get("loss") == "network":
        del chosen["loss"]
    open_activation = len(sizes) > 2 and "activation" not in chosen
    if open_activation:
        chosen["activation"] = "sigmoid"
        granted.append("activation = 'sigmoid'")
    if "output" not in chosen:
        chosen["output"] = "softmax"
        granted.append("output = 'softmax'")
    if "loss" not in chosen:
        chosen["loss"] = USUAL_LOSS.get(chosen["output"], "cross_entropy")
        granted.append(f"loss = '{chosen['loss']}'")
    options = {name: chosen[name] for name in ("activation", "output", "loss", "l2") if name in chosen}
    names = [name for name in (*USUAL, *ACTIVATIONS) if name != "sigmoid"] if open_activation else []
    others = (Network(sizes, **(options | {"activation": name})) for name in dict.fromkeys(names))
    notes = [f"Assumed: {', '.join(granted)}."] if granted else []
    return Understood(Network(sizes, **options), declared, notes, others)


def _listed(written: object) -> list[Any]:
    if isinstance(written, Sequence | np.ndarray) and not isinstance(written, bytes):
        return list(written)
    return []


def _is_whole(size: object) -> bool:
    if isinstance(size, str):
        return size.isascii() and size.isdecimal() and len(size) < 10
    return is_whole(size)


def _shortened(written: object) -> str:
    text = repr(written)
    return text if len(text) <= 60 else f"{text[:57]}..."
