"""glassmax info: what runs here, or what is in a model file."""

import os
import platform
from importlib.metadata import version
from typing import Any

import click

from ..talk import counted, harmless, shortened, show, show_json
from ..terminal import console, rendered, wrapped


@click.command("info")
@click.argument("model", required=False)
@click.option("--json", "as_json", is_flag=True, help="Print the result as JSON.")
def command(model: str | None, as_json: bool) -> None:
    """Describe this installation, or a model file.

    With --json, "n_classes" is the number of classes, and "classes" holds the first 1,000 of them.

    \b
    Examples:
      glassmax info
      glassmax info digits.safetensors
    """
    facts = _of_installation() if model is None else _of_model(model)
    if as_json:
        show_json(facts)
        return
    facts = _in_words(facts) if model is None else _model_in_words(facts)
    terminal = console()
    width = max(map(len, facts))
    for name, value in facts.items():
        line = harmless(f"{name:<{width}}  {_shown(name, value)}")
        show(f"{line}\n" if terminal is None else rendered(terminal, wrapped(line, longest=terminal.width // 2)))


def _of_installation() -> dict[str, Any]:
    import numpy as np

    from ...engine import best_engine, build_facts
    from ...table import BUILTIN
    from ...version import __version__

    engine, build = best_engine(), build_facts()
    native = engine.name == "native"
    why = build.get("reason", f"GLASSMAX_ENGINE is {os.environ.get('GLASSMAX_ENGINE')!r}")
    blas = np.show_config(mode="dicts")["Build Dependencies"]["blas"]
    return {
        "glassmax": __version__,
        "engine": engine.name,
        "isa": getattr(engine, "isa", None),
        "threads": getattr(engine, "n_threads", None),
        "why": None if native else why,
        "instruction sets": build.get("instruction_sets", []),
        "available": build.get("available", []),
        "compiler": build.get("compiler"),
        "NumPy": f"{np.__version__}, {blas['name']} {blas['version']}",
        "Python": f"{platform.python_version()} on {platform.system()} {platform.machine()}",
        "scikit-learn": version("scikit-learn"),
        "built-in tables": list(BUILTIN),
    }


MOST_CLASSES, FEW_CLASSES = 30, 10
"""If there are more classes than the first number, only the second number of them are shown."""
FIRST = (
    *("table", "training_rows", "held_out_rows", "preset"),
    *("out_of_fold_accuracy", "out_of_fold_log_loss", "validation_accuracy", "validation_log_loss"),
    *("held_out_accuracy", "held_out_log_loss"),
)
"""What of a model's record stands near the top."""
SETS = {"baseline": "baseline", "avx2": "AVX2", "avx512": "AVX-512", "neon": "NEON"}


def _in_words(facts: dict[str, Any]) -> dict[str, Any]:
    """Put what runs, and why, into one line, and leave out what there is nothing to say of."""
    isa, threads, why, here = (facts[name] for name in ("isa", "threads", "why", "available"))
    if facts["engine"] == "native":
        how = SETS.get(isa, isa) + (f", {counted(threads, 'thread')}" if threads else "")
    else:
        how = f"NumPy, because {why}"
    sets = [
        SETS.get(s, s) + (" (not for this processor)" if here and s not in here else "")
        for s in facts["instruction sets"]
    ]
    words = facts | {"engine": f"{facts['engine']} ({how})", "instruction sets": sets}
    said = {"isa", "threads", "why", "available"}
    return {name: value for name, value in words.items() if name not in said and value not in (None, [])}


def _of_model(path: str) -> dict[str, Any]:
    from pathlib import Path

    from ...errors import DataError
    from ...model import load_model
    from ...table import BUILTIN
    from ..output_paths import OF_DATA
    from ..result import MOST_IN_JSON

    if path in BUILTIN or path.lower().endswith(OF_DATA):
        raise DataError(
            f"{harmless(path)} is a table, and info describes a model. Train one: glassmax train {harmless(path)}, "
            "and pass the file that it writes."
        )
    model = load_model(path)
    network = model.network
    facts: dict[str, Any] = {"file": f"{Path(path).name}, {Path(path).stat().st_size:,} bytes"}
    if model.encoding is not None:
        facts["target"] = model.encoding.target
    facts["n_classes"] = len(model.classes)
    facts["classes"] = [str(label) for label in model.classes[:MOST_IN_JSON]]
    record = dict(model.record)
    facts |= {name: record.pop(name) for name in FIRST if name in record}
    if model.conformal is not None:
        facts["prediction sets"] = f"from {counted(model.conformal.n_rows, 'row')}"
    facts |= {
        **(_of_network(network) if len(model.networks) == 1 else _of_networks(model)),
        "parameters": sum(one.theta.size for one in model.networks),
        "output and loss": ", ".join([network.head.output, network.head.loss, *_head_options(network)]),
        "dtype": str(network.theta.dtype),
    }
    if model.calibration is not None:
        facts["temperature"] = model.calibration.temperature
    if model.encoding is not None:
        facts |= {f"column {column.name}": _described(column) for column in model.encoding.columns}
    if model.columns is not None:
        facts["columns"] = model.columns
    return facts | record | {"sha256": _hash_of(path)}


def _hash_of(path: str) -> str:
    import hashlib

    with open(path, "rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def _of_network(network: Any) -> dict[str, Any]:
    embedding = {} if network.embedding is None else {"embedding": repr(network.embedding)}
    activations = list(network.activations) or ["none: multinomial logistic regression"]
    frozen = {"frozen parameters": list(network.frozen)} if network.frozen else {}
    return {"network": "-".join(map(str, network.layer_sizes)), **embedding, "activations": activations, **frozen}


def _head_options(network: Any) -> list[str]:
    """Write the options softcap, z-loss and temperature that the network has."""
    words = {"softcap": "softcap", "z_loss": "z-loss", "temperature": "softmax temperature"}
    return [f"{words[name]} {value:g}" for name, value in network.head.options.items()]


def _of_networks(model: Any) -> dict[str, Any]:
    """Describe networks of the same kind and weight, one after another in the model, together."""
    kinds: list[tuple[str, float, int]] = []
    for network, weight in zip(model.networks, model.weights.tolist(), strict=True):
        names = [*dict.fromkeys(network.activations)] or ["linear"]
        sizes = "-".join(map(str, (network.n_inputs, *network.layer_sizes[1:])))
        shown = ", ".join([sizes, *names])
        if network.embedding is not None:
            shown += ", with an embedding"
        shown = ", ".join([shown, *_head_options(network)])
        if network.frozen:
            shown += f", frozen {' '.join(network.frozen)}"
        if kinds and kinds[-1][:2] == (shown, weight):
            kinds[-1] = (shown, weight, kinds[-1][2] + 1)
        else:
            kinds.append((shown, weight, 1))
    facts: dict[str, Any] = {"networks": f"{len(model.networks)}, the weighted mean of their logits"}
    first = 1
    for shown, weight, count in kinds:
        last = first + count - 1
        name = f"network {first}" if count == 1 else f"networks {first} to {last}"
        facts[name] = f"{shown}; weight {weight:.3f}{' each' if count > 1 else ''}"
        first = last + 1
    return facts


def _described(column: Any) -> str:
    """Write what a column is and what becomes of it."""
    from ...table import Boolean, Category, Number

    if isinstance(column, Number):
        bins = f", {len(column.edges) - 1} bins" if column.edges else ""
        missing = ", or missing" if column.indicator else ""
        return f"number: median {column.center:g}, interquartile range {column.spread:g}{bins}{missing}"
    if isinstance(column, Boolean):
        return f"boolean: {column.words[0]} is 0, {column.words[1]} is 1{', or missing' if column.missing else ''}"
    if isinstance(column, Category):
        more = f" and {len(column.values) - 8} more" if len(column.values) > 8 else ""
        shown = ", ".join(shortened(value) for value in column.values[:8])
        rare = ", or a rare one" if column.rare else ""
        return f"category: {shown}{more}{rare}{', or missing' if column.missing else ''}"
    parts = ", ".join(["year", *column.circles])
    return (
        f"date ({column.form}): {parts}; median {column.center:.2f}, interquartile range {column.spread:.2g} years"
        + (", or missing" if column.missing else "")
    )


def _model_in_words(facts: dict[str, Any]) -> dict[str, Any]:
    """Shorten a long list of classes, and leave out facts that repeat others."""
    k, classes = facts["n_classes"], facts["classes"]
    if k > MOST_CLASSES:
        classes = [f"{k:,}: {', '.join(map(shortened, classes[:FEW_CLASSES]))}, ..."]
    return {name: one for name, one in (facts | {"classes": classes}).items() if not _is_counted(name)}


def _is_counted(name: str) -> bool:
    """Whether a fact repeats the numbers of networks or classes that others have."""
    return name in ("members", "n_classes") or name.startswith("members_")


def _shown(name: str, value: Any) -> str:
    """Write a fact for people: floats in six digits, whole numbers in groups of three digits."""
    if isinstance(value, list):
        return ", ".join(map(str, value))
    if isinstance(value, float):
        return f"{value:.6g}"
    is_count = isinstance(value, int) and not isinstance(value, bool) and name != "seed"
    return f"{value:,}" if is_count else str(value)
