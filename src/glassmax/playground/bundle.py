"""ES modules as one script: each module becomes a function of its own, in the order of their imports."""

import re
from collections.abc import Mapping

__all__ = ["bundled"]

IMPORT = re.compile(r'^import \{([^}]*)\} from "\./([a-z_]+\.js)";\n', re.MULTILINE)
EXPORT = re.compile(r"^export (?=(?:async function|function|class|const) (\w+))", re.MULTILINE)
EXPORT_LIST = re.compile(r"^export \{([^}]*)\};\n?", re.MULTILINE)


def bundled(modules: Mapping[str, str], main: str) -> str:
    """Join the modules that `main` needs into one script, which may stand inside a function.

    Parameters
    ----------
    modules : mapping of str to str
        Source text by file name. A module imports by ``import { a, b as c } from "./name.js";`` and exports with its
        declarations or by ``export { a };``.
    main : str
        The module that is run.

    Returns
    -------
    str
        ``const $name = (() => {...})();`` for each module, those that a module imports before it.
    """
    done: dict[str, str] = {}
    _add(main, modules, done, ())
    return "\n".join(done.values())


def _add(name: str, modules: Mapping[str, str], done: dict[str, str], above: tuple[str, ...]) -> None:
    if name in above:
        raise ValueError(f"The modules {' and '.join([*above, name])} import each other in a circle.")
    if name in done:
        return
    text = modules[name]
    for _, other in IMPORT.findall(text):
        _add(other, modules, done, (*above, name))
    exports = EXPORT.findall(text)
    for names in EXPORT_LIST.findall(text):
        exports += [each.strip() for each in names.split(",") if each.strip()]
    text = EXPORT_LIST.sub("", EXPORT.sub("", IMPORT.sub(_constant, text)))
    text = re.sub(r"^\s*//.*\n", "", text, flags=re.MULTILINE)
    done[name] = f"const {_scope(name)} = (() => {{\n{text}return {{ {', '.join(exports)} }};\n}})();"


def _constant(found: "re.Match[str]") -> str:
    names = re.sub(r"(\w+) as (\w+)", r"\1: \2", found[1])
    return f"const {{{names}}} = {_scope(found[2])};\n"


def _scope(name: str) -> str:
    return f"${name.removesuffix('.js')}"
