"""The playground: one HTML file in which the native engine trains, and every array of a batch can be seen.

::

    page         `build`: the file as text
    bundle       `bundled`: the ES modules of `scripts` as one script
    engine.wasm  the native engine, as `make wasm` compiles native/wasm/exports.cpp; nobody else needs a compiler
    scripts/     the page's modules; `functional.js` and `backward.js` are the twin of the mathematics in Python
    body.html, playground.css

The page asks the network for nothing, and a table that is dropped into it stays in the browser.
"""

from .page import build

__all__ = ["build"]


def __dir__() -> list[str]:
    return __all__
