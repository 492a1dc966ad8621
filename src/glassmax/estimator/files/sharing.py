"""A fitted classifier as bytes: what rank 0 of an MPI job gives to the others, so that all end with the same one.

The bytes are a `glassmax.distributed.Message`: the model file, the arrays of the training, and facts as JSON.
"""

import tempfile
from dataclasses import asdict
from pathlib import Path
from typing import Any

import numpy as np
from sklearn.utils import check_random_state

from ...distributed import Arrays, Message
from ...errors import Setting
from ...functional.arrays import Array
from ...model import Model, load_model
from ...table import Note
from ...training import Metrics
from ..fitted_state import FittedState
from ..options import make_plan
from .asked import Asked

__all__ = ["content_of", "learn_content"]

CURVES = ("loss_curve", "validation_loss_curve", "validation_scores")
FACTS = ("loss", "n_iter", "t", "best_validation_score", "best_loss", "best_epoch", "stop_reason")
COUNTS = ("epochs", "steps", "rows", "weight", "slowdown", "seed")


def content_of(classifier: Any, asked: Asked) -> bytes:
    """Return a classifier that was fitted on files as bytes."""
    network, training = asked.network, asked.network._training_state
    curves = {name: getattr(network, f"{name}_") for name in CURVES}
    arrays: Arrays = {name: np.array(curve, np.float64) for name, curve in curves.items() if curve is not None}
    arrays |= {f"state.{name}": np.asarray(value) for name, value in training.state.items()}
    arrays["model"] = np.frombuffer(_file_of(classifier.to_model()), np.uint8)
    metrics = getattr(classifier, "metrics_", None)
    if metrics is not None and metrics.confusion is not None:
        arrays["confusion"] = metrics.confusion
    manifest = {
        "facts": {name: getattr(network, f"{name}_") for name in FACTS},
        "counts": {name: getattr(training, name) for name in COUNTS},
        "init": list(network.init_),
        "columns": list(network.feature_names_in_),
        "notes": [_plain_note(note) for note in classifier.notes_],
        "metrics": None if metrics is None else _plain_metrics(metrics),
    }
    return Message(manifest, arrays).to_bytes()


def learn_content(classifier: Any, asked: Asked, content: bytes) -> None:
    """Fit a classifier by the bytes of `content_of`."""
    manifest, arrays = Message.of_bytes(content)
    model = _model_of(arrays["model"].tobytes())
    notes = [_note(plain) for plain in manifest["notes"]]
    classes = asked.names_of(model.classes)
    _learn_network(asked, model, classes, [] if asked.of_table else notes, manifest, arrays)
    if asked.of_table:
        metrics = None if manifest["metrics"] is None else _metrics(manifest["metrics"], arrays.get("confusion"))
        classifier._commit_files(asked.network, model, notes, metrics)


def _learn_network(
    asked: Asked, model: Model, classes: Array, notes: list[Note], manifest: dict[str, Any], arrays: Arrays
) -> None:
    network, names = asked.network, manifest["columns"]
    state = FittedState.begin(
        network,
        make_plan(network),
        model.network,
        check_random_state(network.random_state),
        classes=classes,
        init=tuple(manifest["init"]),
        feature_names_in=np.array(names, object),
    )
    state.n_features_in, state.encoding, state.notes = len(names), model.encoding, notes
    state.rare_classes = classes[:0]
    for name in FACTS:
        setattr(state, name, manifest["facts"][name])
    for name in CURVES:
        setattr(state, name, arrays[name].tolist() if name in arrays else None)
    for name in COUNTS:
        setattr(state.training, name, manifest["counts"][name])
    for name, value in state.training.state.items():
        array = arrays[f"state.{name}"]
        state.training.state[name] = array.copy() if isinstance(value, np.ndarray) else array.item()
    state.commit(network)


def _file_of(model: Model) -> bytes:
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder, "model")
        model.save(path)
        return path.read_bytes()


def _model_of(content: bytes) -> Model:
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder, "model")
        path.write_bytes(content)
        return load_model(path)


def _plain_note(note: Note) -> list[Any]:
    return [_plain_text(note.text), note.kind, note.column, _plain_text(note.reason), note.several]


def _note(plain: list[Any]) -> Note:
    text, kind, column, reason, several = plain
    return Note(_text(text), kind, column, _text(reason), several)


def _plain_text(text: Any) -> list[Any]:
    return [piece if isinstance(piece, str) else [piece.parameter, piece.value] for piece in text]


def _text(plain: list[Any]) -> Any:
    return tuple(piece if isinstance(piece, str) else Setting(*piece) for piece in plain)


def _plain_metrics(metrics: Metrics) -> dict[str, Any]:
    plain = asdict(metrics)
    del plain["confusion"]
    return plain | {"confused": [[i, j, count] for (i, j), count in metrics.confused.items()]}


def _metrics(plain: dict[str, Any], confusion: Array | None) -> Metrics:
    confused = {(i, j): count for i, j, count in plain["confused"]}
    return Metrics(**plain | {"confused": confused}, confusion=confusion)
