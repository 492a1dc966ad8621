"""Put the figures of ``benchmarks/results`` into the README, between its two marks, each beside its command."""

import json
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
OPEN = "<!-- figures: written by `python benchmarks/readme.py` from benchmarks/results -->\n"
CLOSE = "<!-- end of figures -->"


def result(name):
    return json.loads((ROOT / "benchmarks" / "results" / f"{name}.json").read_text(encoding="utf-8"))


def gradients(record):
    found = record["figures"]
    worst = found["largest_relative_error"]
    return (
        f"gradients of {found['networks']} networks against PyTorch and JAX: largest relative error",
        f"{worst['torch']:.0e} and {worst['jax']:.0e}",
    )


def accuracy(record):
    rows = {(row["dtype"], row["margin"], row["quantity"]): row["error"] for row in record["figures"]["rows"]}
    shown = rows["float32", 17, "cross-entropy"]
    return (
        "loss of a row with a margin of 17 in float32, relative error: glassmax, PyTorch, JAX",
        ", ".join(shown[library] for library in ("glassmax", "torch", "jax")),
    )


def digits(record):
    runs = record["figures"]["runs"]
    return (
        "the same training run as MLPClassifier, our time over theirs (float64, float32; one thread)",
        f"{runs['float64, one thread']['ratio']:.2f}, {runs['float32, one thread']['ratio']:.2f}",
    )


def startup(record):
    found = record["figures"]
    return (
        "`import glassmax` over `import numpy`; `glassmax train penguins`",
        f"{found['imports']['glassmax_over_numpy']:.2f}; {found['commands_seconds']['glassmax train penguins']:.1f} s",
    )


FIGURES = {"gradients": gradients, "accuracy": accuracy, "digits": digits, "startup": startup}


def figures():
    """Return the table, and the machine it comes from."""
    records = {name: result(name) for name in FIGURES}
    lines = ["", "| what | figure | command |", "|---|---|---|"]
    for name, record in records.items():
        what, figure = FIGURES[name](record)
        lines.append(f"| {what} | {figure} | `{record['command']}` |")
    machine, versions = records["digits"]["machine"], {}
    for record in records.values():
        versions |= record["versions"]
    libraries = ", ".join(f"{library} {version}" for library, version in versions.items() if library != "glassmax")
    lines += ["", f"On {machine['cpu']}, {machine['cores']} cores, Python {machine['python']}; {libraries}.", "", ""]
    return "\n".join(lines)


def main():
    path = ROOT / "README.md"
    text = path.read_text(encoding="utf-8")
    before, opened, rest = text.partition(OPEN)
    _, closed, after = rest.partition(CLOSE)
    if not (opened and closed):
        sys.exit(f"README.md has no lines {OPEN.strip()!r} and {CLOSE!r} to write between.")
    path.write_text(before + opened + figures() + closed + after, encoding="utf-8")


if __name__ == "__main__":
    main()
