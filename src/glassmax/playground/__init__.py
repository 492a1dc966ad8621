"""The playground: one HTML file with the native engine inside, compiled to WebAssembly.

``engine.wasm`` is what ``make wasm`` compiles native/wasm/exports.cpp to; it is part of the package, so that nobody
needs a compiler for it. ``scripts`` are the page's ES modules.
"""

__all__: list[str] = []
