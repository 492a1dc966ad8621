"""What workers must know of a run: the rows and how they are made, and what is trained; as a message, and back."""

from dataclasses import asdict, dataclass, replace
from functools import cached_property
from typing import Any

import msgspec
import numpy as np

from ..embedding import Embedding
from ..engine import Regularization
from ..functional.arrays import Array
from ..network import Network
from ..optimizers import SGD, Adam, Rule
from ..parameters import Parameters
from ..streaming import Layout, Split
from ..table import Encoding
from .messages import Message
from .shards import ShardPlan
from .workers import Held

__all__ = ["Job", "Training", "job_of"]

RULES: dict[str, Any] = {"Adam": Adam, "SGD": SGD}
TUPLES: dict[str, Any] = {"plan": ShardPlan, "layout": Layout, "split": Split}


@dataclass(frozen=True)
class Training:
    """What is trained, and how.

    Attributes
    ----------
    network : Network
        Each call brings its weights.
    rule : Rule or None
        None for L-BFGS.
    regularization : Regularization
    rate_factors : tuple of float
    batch_size : int
        Number of rows of a step within a shard, for local SGD.
    arithmetic : str
        What the engine of every worker must compute by.
    memory_limit : int or None
        That of the engine.
    class_weight : (k,) array or None
        Factor of the weights of the rows of each class.
    """

    network: Network
    rule: Rule | None
    regularization: Regularization
    rate_factors: tuple[float, ...]
    batch_size: int
    arithmetic: str
    memory_limit: int | None = None
    class_weight: Array | None = None


@dataclass(frozen=True)
class Job:
    """What workers must know of a run.

    Attributes
    ----------
    plan : ShardPlan
    layout : Layout
    sources : dict
        The arguments of `glassmax.streaming.Sources`, and what they must come to: "given", "columns", "reading",
        "fingerprint".
    target : str
    weight : str or None
    encoding : Encoding
    classes : list
    largest_weight : float
    places : (q, 4) array of int64
        From the scan: where rows may begin to be read.
    identity : dict of str to str
        What the encoded rows depend on.
    folder : str
        Where the driver keeps the shards; workers that see it do, too.
    token : str
        What the file `TOKEN` in this folder says.
    split : Split
        The rows to train on; its seed is also that of the order of the rows.
    threads : int
        Number of threads of each worker.
    training : Training or None
        None as long as the shards are prepared.
    """

    plan: ShardPlan
    layout: Layout
    sources: dict[str, Any]
    target: str
    weight: str | None
    encoding: Encoding
    classes: list[Any]
    largest_weight: float
    places: Array
    identity: dict[str, str]
    folder: str
    token: str
    split: Split
    threads: int
    training: Training | None = None

    @cached_property
    def labels(self) -> Array:
        """The classes as an array, (k,)."""
        return np.array(self.classes, object if isinstance(self.classes[0], str) else None)

    def with_training(self, training: Training) -> "Job":
        """Return the job with what is trained."""
        return replace(self, training=training)

    def to_message(self) -> Message:
        """Return the job as a message."""
        names = ("sources", "target", "weight", "classes", "largest_weight", "identity", "folder", "token")
        manifest = {name: getattr(self, name) for name in (*names, "threads")}
        manifest |= {name: list(getattr(self, name)) for name in TUPLES}
        manifest["encoding"] = msgspec.json.encode(self.encoding).decode()
        arrays = {"places": self.places}
        training = self.training
        if training is not None:
            manifest["training"] = {
                "network": _plain(training.network),
                "rule": None if training.rule is None else [type(training.rule).__name__, _constants(training.rule)],
                "regularization": training.regularization._asdict(),
                "rate_factors": list(training.rate_factors),
                "batch_size": training.batch_size,
                "arithmetic": training.arithmetic,
                "memory_limit": training.memory_limit,
            }
            if training.class_weight is not None:
                arrays["class_weight"] = training.class_weight
        return Message(manifest, arrays)

    @classmethod
    def of_message(cls, message: Message) -> "Job":
        """Return the job that `to_message` has described."""
        given, arrays = dict(message.manifest), message.arrays
        given |= {name: kind(*given[name]) for name, kind in TUPLES.items()}
        given["encoding"] = msgspec.json.decode(given["encoding"], type=Encoding)
        plain = given.pop("training", None)
        training = None if plain is None else _training(plain, arrays.get("class_weight"))
        return cls(**given, places=arrays["places"], training=training)


def job_of(held: Held) -> Job:
    """Return the job that was broadcast."""
    if "job" not in held.cache:
        held.cache["job"] = Job.of_message(held.broadcast)
    job: Job = held.cache["job"]
    return job


def _training(plain: dict[str, Any], class_weight: Array | None) -> Training:
    rule = None if plain["rule"] is None else RULES[plain["rule"][0]](**plain["rule"][1])
    regularization = Regularization(**plain["regularization"])
    regularization = regularization._replace(dropout=tuple(regularization.dropout))
    given = plain | {
        "network": _network(plain["network"]),
        "rule": rule,
        "regularization": regularization,
        "rate_factors": tuple(plain["rate_factors"]),
    }
    return Training(**given, class_weight=class_weight)


def _constants(rule: Rule) -> dict[str, Any]:
    return asdict(rule)  # type: ignore[call-overload]


def _plain(network: Network) -> dict[str, Any]:
    """Return a network without its weights."""
    embedding = None if network.embedding is None else network.embedding.to_plain()
    sizes, dtype = list(network.layer_sizes), str(network.theta.dtype)
    return network.options | {"embedding": embedding, "layer_sizes": sizes, "dtype": dtype}


def _network(plain: dict[str, Any]) -> Network:
    sizes, dtype, options = plain["layer_sizes"], plain["dtype"], dict(plain)
    del options["layer_sizes"], options["dtype"]
    embedding = None if plain["embedding"] is None else Embedding.from_plain(plain["embedding"])
    shapes = None if embedding is None else embedding.shapes
    parameters = Parameters(sizes, dtype=dtype, embedding_shapes=shapes)
    return Network.from_parameters(parameters, **{**options, "embedding": embedding})
