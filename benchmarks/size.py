"""Add up what an installation of glassmax takes on disk: its own files, the native engine, and everything it needs.

Sizes are those of the files that pip has recorded for each distribution; the wheel is built from this checkout.
"""

import re
import subprocess
import sys
import tempfile
from importlib.metadata import PackageNotFoundError, distribution
from pathlib import Path

from packaging.requirements import Requirement
from record import HERE, table, write


def needed(name, found=None):
    """Return the distributions that `name` needs here, itself first; extras are left out."""
    found = {} if found is None else found
    key = re.sub(r"[-_.]+", "-", name).lower()
    if key not in found:
        found[key] = distribution(name)
        for line in found[key].requires or []:
            requirement = Requirement(line)
            if requirement.marker is None or requirement.marker.evaluate({"extra": ""}):
                needed(requirement.name, found)
    return found


def size_of(dist, only=""):
    """Return the bytes of a distribution's files whose path holds `only`."""
    paths = [Path(dist.locate_file(file)) for file in dist.files or [] if only in str(file)]
    return sum(path.stat().st_size for path in paths if path.is_file())


def wheel_bytes():
    """Return the size of the wheel, built with its native engine."""
    with tempfile.TemporaryDirectory() as folder:
        subprocess.run(
            [sys.executable, "-m", "pip", "wheel", "-q", "--no-deps", "-w", folder, str(HERE.parent)], check=True
        )
        (wheel,) = Path(folder).glob("*.whl")
        return wheel.stat().st_size


def main():
    try:
        found = needed("glassmax")
    except PackageNotFoundError as error:
        sys.exit(f"{error.name} is not installed here. Install glassmax with what it needs: pip install .")
    sizes = {name: size_of(dist) for name, dist in found.items()}
    figures = {
        "wheel_bytes": wheel_bytes(),
        "native_bytes": size_of(found["glassmax"], "_native"),
        "own_bytes": sizes["glassmax"],
        "all_bytes": sum(sizes.values()),
        "bytes": sizes,
    }
    write("size", [], figures)
    rows = [[name, f"{size / 1e6:,.1f}"] for name, size in sorted(sizes.items(), key=lambda pair: -pair[1])]
    table("What an installation takes, MB", ["", "MB"], [*rows, ["all", f"{figures['all_bytes'] / 1e6:,.1f}"]])
    wheel, native = figures["wheel_bytes"] / 1e6, figures["native_bytes"] / 1e6
    print(f"The wheel has {wheel:.2f} MB, the native engine {native:.2f} MB.")


if __name__ == "__main__":
    main()
