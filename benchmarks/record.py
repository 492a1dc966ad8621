"""Where and with what a benchmark ran, its table on the screen, and its figures in ``results/NAME.json``."""

import importlib.metadata
import json
import os
import platform
import textwrap
from pathlib import Path

HERE = Path(__file__).resolve().parent
RESULTS = HERE / "results"


def machine():
    """Return what the figures depend on: the processor, its cores, the system."""
    cpu = platform.processor() or platform.machine()
    info = Path("/proc/cpuinfo")
    if info.exists():
        models = [line.split(":", 1)[1].strip() for line in info.read_text().splitlines() if "model name" in line]
        cpu = models[0] if models else cpu
    return {"cpu": cpu, "cores": os.cpu_count(), "system": platform.system(), "python": platform.python_version()}


def write(name, libraries, figures):
    """Write the figures beside the machine and the versions of the libraries that took part."""
    versions = {library: importlib.metadata.version(library) for library in ("glassmax", "numpy", *libraries)}
    record = {
        "benchmark": name,
        "command": f"python benchmarks/{name}.py",
        "machine": machine(),
        "versions": versions,
        "figures": figures,
    }
    RESULTS.mkdir(exist_ok=True)
    path = RESULTS / f"{name}.json"
    path.write_text(json.dumps(record, indent=2) + "\n", encoding="utf-8")
    print(f"\nwritten: benchmarks/results/{path.name}")


def result(name):
    """Return what a benchmark has written."""
    return json.loads((RESULTS / f"{name}.json").read_text(encoding="utf-8"))


def table(title, header, rows):
    """Print rows of text under a header, the first column to the left, the others to the right."""
    cells = [header, *[[str(cell) for cell in row] for row in rows]]
    widths = [max(map(len, column)) for column in zip(*cells, strict=True)]
    print(f"\n{title}")
    for number, (first, *others) in enumerate(cells):
        columns = [first.ljust(widths[0]), *(cell.rjust(w) for cell, w in zip(others, widths[1:], strict=True))]
        print("  " + "   ".join(columns))
        if number == 0:
            print("  " + "-" * (sum(widths) + 3 * len(others)))


def where(records):
    """Return the line that says on what machine and with which versions."""
    machine, versions = records[0]["machine"], {}
    for record in records:
        versions |= record["versions"]
    libraries = ", ".join(f"{library} {version}" for library, version in versions.items() if library != "glassmax")
    return f"On {machine['cpu']}, {machine['cores']} cores, Python {machine['python']}; {libraries}."


def wrapped(text, indent="", opening=""):
    """Return a paragraph in lines of at most 120 columns."""
    return textwrap.fill(
        text, 120, initial_indent=opening, subsequent_indent=indent, break_long_words=False, break_on_hyphens=False
    )
