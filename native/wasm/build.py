"""Compile the engine to WebAssembly, the same bytes in any folder and on any machine.

    python native/wasm/build.py            writes src/glassmax/playground/engine.wasm
    python native/wasm/build.py --check    builds it again and compares

The compiler is Clang as the PyPI package ziglang carries it, pinned, in a folder of its own under build/. It takes a
minute or two, most of it for the C library, which the second build finds again.
"""

import os
import subprocess
import sys
import tempfile
from pathlib import Path

COMPILER = "ziglang==0.17.1"
ROOT = Path(__file__).resolve().parents[2]
BUILT = ROOT / "src" / "glassmax" / "playground" / "engine.wasm"
OPTIONS = [
    "-target", "wasm32-wasi", "-O3", "-msimd128", "-std=c++17", "-fno-math-errno", "-fno-trapping-math",
    "-ffp-contract=off", "-fno-exceptions", "-fno-rtti",
    "-Wall", "-Wextra", "-Werror", "-Wno-bitwise-conditional-parentheses",
    "-mexec-model=reactor", "-Wl,--no-entry", "-s",
]  # fmt: skip


def main() -> None:
    """Build, then write the file or compare it."""
    compiler = ROOT / "build" / "ziglang"
    if not (compiler / COMPILER).exists():
        install = [sys.executable, "-m", "pip", "install", "-q", "--no-deps", "--upgrade", "--target", str(compiler)]
        subprocess.run([*install, COMPILER], check=True)
        (compiler / COMPILER).touch()
    with tempfile.TemporaryDirectory() as folder:
        out = Path(folder) / "engine.wasm"
        caches = {"ZIG_GLOBAL_CACHE_DIR": str(compiler / "cache"), "ZIG_LOCAL_CACHE_DIR": folder}
        command = [sys.executable, "-m", "ziglang", "c++", *OPTIONS, "-o", str(out), "exports.cpp"]
        environment = {**os.environ, **caches, "PYTHONPATH": str(compiler)}
        subprocess.run(command, check=True, cwd=Path(__file__).parent, env=environment)
        built = out.read_bytes()
    name = BUILT.relative_to(ROOT)
    if "--check" in sys.argv:
        if not BUILT.exists() or BUILT.read_bytes() != built:
            sys.exit(f"{name} is not what native/ compiles to: run `make wasm` and commit the file.")
        print(f"{name} is what native/ compiles to: {len(built)} bytes.")
    else:
        BUILT.write_bytes(built)
        print(f"Wrote {name}, {len(built)} bytes.")


if __name__ == "__main__":
    main()
