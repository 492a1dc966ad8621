"""One self-contained HTML file with its content-security policy, and fragments for notebooks."""

import json
import re
from base64 import b64encode
from collections.abc import Mapping, Sequence
from functools import cache
from hashlib import sha256
from html import escape
from importlib.resources import files
from typing import Any

__all__ = ["escape", "fragment", "packaged", "page"]

COMMENT_LINE = re.compile(r"^[ \t]*(?://.*|/\*\*.*\*/[ \t]*)\n", re.MULTILINE)


def page(
    title: str,
    body: str,
    *,
    style: str = "",
    scripts: Sequence[str] = (),
    data: Mapping[str, Any] | None = None,
    wasm: bool = False,
) -> str:
    """Build a whole HTML file that opens from disk and asks the network for nothing.

    The content-security policy forbids every connection and every script but those given here, which it names by their
    hashes: a script that came in with data would not run.

    Parameters
    ----------
    title : str
        The title of the window; escaped here.
    body : str
        HTML, usually ``<header>``, ``<main>`` and ``<footer>``. Escape what came from data.
    style : str
        CSS after the shared style sheets.
    scripts : sequence of str
        JavaScript, for example from `packaged`. The scripts are joined in order after ``look.js``, inside one function
        in strict mode, and share their top-level names. They run when the body has been read.
    data : mapping of str to JSON values, optional
        Each value is embedded as JSON; a script reads it with ``embedded(name)``.
    wasm : bool
        Whether the scripts may compile WebAssembly, and start workers from blobs.

    Returns
    -------
    str
        The file; write it as UTF-8.
    """
    code = _wrapped([packaged(__package__, "script/look.js"), *scripts]) if scripts else ""
    sheets = "\n".join(filter(None, [packaged(__package__, "style/look.css", "style/page.css"), style]))
    blocks = [_embedded(name, value) for name, value in (data or {}).items()]
    if code:
        blocks.append(f"<script>{code}</script>")
    return "\n".join(
        [
            "<!doctype html>",
            '<html lang="en">',
            "<head>",
            '<meta charset="utf-8">',
            f'<meta http-equiv="Content-Security-Policy" content="{_policy(code, wasm)}">',
            '<meta name="viewport" content="width=device-width, initial-scale=1">',
            '<meta name="referrer" content="no-referrer">',
            f"<title>{escape(title)}</title>",
            '<link rel="icon" href="data:,">',
            f"<style>{_end_safe(_smaller(sheets), 'style')}</style>",
            "</head>",
            '<body class="glassmax">',
            body,
            *blocks,
            "</body>",
            "</html>",
            "",
        ]
    )


def fragment(body: str, *, style: str = "") -> str:
    """Wrap HTML for a notebook, in the look of the pages, light or dark as the notebook is.

    Parameters
    ----------
    body : str
        HTML. Escape what came from data.
    style : str
        CSS after the shared style sheet.

    Returns
    -------
    str
        One ``<div>`` with its style; it needs no script.
    """
    sheets = packaged(__package__, "style/look.css") + style
    return f'<div class="glassmax"><style>{_end_safe(_smaller(sheets), "style")}</style>{body}</div>'


@cache
def packaged(package: str, *names: str) -> str:
    """Return the text of files that lie beside the modules of a package, joined.

    Parameters
    ----------
    package : str
        The package: ``__package__`` of the caller.
    *names : str
        Paths inside the package: ``"script/chain.js"``.

    Returns
    -------
    str
    """
    folder = files(package)
    return "\n".join(folder.joinpath(*name.split("/")).read_text(encoding="utf-8") for name in names)


def _wrapped(scripts: Sequence[str]) -> str:
    """Join scripts into one whose names nobody else sees; lines that are comments are left out."""
    joined = COMMENT_LINE.sub("", "\n".join(scripts))
    return _end_safe(f'(() => {{\n"use strict";\n{joined}\n}})();', "script")


def _policy(code: str, wasm: bool) -> str:
    allowed = ["'none'"]
    if code:
        allowed = [f"'sha256-{b64encode(sha256(code.encode()).digest()).decode()}'"]
        allowed += ["'wasm-unsafe-eval'"] if wasm else []
    return "; ".join(
        [
            "default-src 'none'",
            f"script-src {' '.join(allowed)}",
            "style-src 'unsafe-inline'",
            "img-src data: blob:",
            *(["worker-src blob:"] if wasm else []),
            "base-uri 'none'",
            "form-action 'none'",
        ]
    )


def _embedded(name: str, value: Any) -> str:
    """Write data as JSON in which no character could end the element."""
    text = json.dumps(value, ensure_ascii=False, separators=(",", ":"), allow_nan=False)
    for sign in "<>&\u2028\u2029":
        text = text.replace(sign, f"\\u{ord(sign):04x}")
    return f'<script type="application/json" id="{escape(name)}">{text}</script>'


def _end_safe(text: str, tag: str) -> str:
    """Refuse a style sheet or a script that would end its own element."""
    if re.search(rf"</{tag}|<!--", text, re.IGNORECASE):
        raise ValueError(
            f"The {tag} contains '</{tag}' or '<!--', expected neither. In a string, write '<\\/{tag}' or '<\\!--'."
        )
    return text


@cache
def _smaller(css: str) -> str:
    """Leave out the comments and line breaks of a style sheet."""
    return re.sub(r"\s*\n\s*", " ", re.sub(r"/\*.*?\*/", "", css, flags=re.DOTALL)).strip()
