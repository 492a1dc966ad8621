r"""The commands that a document defines itself, ``\newcommand{\R}{\mathbb{R}}``, and their use."""

import re
from dataclasses import dataclass

from .decorations import matching_braces

__all__ = ["Macros", "macros_of"]

DEFINITION = re.compile(
    r"\\(?:(?:re)?newcommand|providecommand|DeclareMathOperator|def|let)\*?\s*\{?\s*(?P<name>\\[A-Za-z]+)\s*\}?\s*"
    r"(?:\[(?P<count>\d)\](?:\[(?P<default>[^\]]*)\])?|(?P<marks>(?:#\d)*))\s*(?=\{)"
)
USE = re.compile(r"\\[A-Za-z]+")
MOST_ROUNDS = 10
MOST_CHARACTERS = 10_000


@dataclass(frozen=True)
class Macro:
    """One command: how many arguments it takes, the default of the first, and what it stands for."""

    count: int
    body: str
    default: str | None = None


PHYSICS = {
    r"\pdv": Macro(2, r"\frac{\partial #1}{\partial #2}"),
    r"\dv": Macro(2, r"\frac{d #1}{d #2}"),
    r"\abs": Macro(1, r"|#1|"),
    r"\norm": Macro(1, r"\lVert #1 \rVert"),
    r"\grad": Macro(0, r"\nabla"),
    r"\qty": Macro(0, ""),
}
"""Commands of the packages physics and derivative that few documents define."""


class Macros:
    """The commands of a document."""

    def __init__(self, macros: dict[str, Macro]) -> None:
        self.macros = macros

    def expanded(self, formula: str) -> str:
        """Return the formula with every command of the document written out."""
        for _ in range(MOST_ROUNDS):
            if len(formula) > MOST_CHARACTERS or not any(name in self.macros for name in USE.findall(formula)):
                break
            formula = self._once(formula)
        return formula

    def _once(self, formula: str) -> str:
        braces = matching_braces(formula)
        done: list[str] = []
        place = 0
        for match in USE.finditer(formula):
            macro = self.macros.get(match[0])
            if macro is None or match.start() < place:
                continue
            arguments, end = _arguments(formula, match.end(), macro, braces)
            done.append(formula[place : match.start()] + _filled(macro.body, arguments))
            place = end
        return "".join(done) + formula[place:]


def macros_of(text: str) -> tuple[Macros, str]:
    """Return the commands that a text defines, and the text without their definitions (blanks in their place)."""
    macros = dict(PHYSICS)
    if not DEFINITION.search(text):
        return Macros(macros), text
    braces = matching_braces(text)
    page = list(text)
    for match in DEFINITION.finditer(text):
        end = braces.get(match.end())
        if end is None:
            continue
        body = text[match.end() + 1 : end]
        if "Operator" in match[0]:
            body = rf"\operatorname{{{body}}}"
        count = int(match["count"] or len(match["marks"] or "") // 2)
        macros[match["name"]] = Macro(count, body.strip(), match["default"])
        page[match.start() : end + 1] = re.sub(r"[^\n]", " ", text[match.start() : end + 1])
    return Macros(macros), "".join(page)


def _arguments(formula: str, place: int, macro: Macro, braces: dict[int, int]) -> tuple[list[str], int]:
    """Return the arguments that stand after a command, and where they end."""
    arguments: list[str] = []
    if macro.default is not None:
        option = re.compile(r"\s*\[([^\]]*)\]").match(formula, place)
        arguments.append(option[1] if option else macro.default)
        place = option.end() if option else place
    while len(arguments) < macro.count:
        token = re.compile(r"\s*(\\[A-Za-z]+|[^\s{}\\]|\{)").match(formula, place)
        if token is None:
            break
        if token[1] == "{":
            end = braces.get(token.end() - 1, len(formula))
            arguments.append(formula[token.end() : end])
            place = min(end + 1, len(formula))
        else:
            arguments.append(token[1])
            place = token.end()
    return arguments, place


def _filled(body: str, arguments: list[str]) -> str:
    """Return the body of a command with its arguments in their places."""
    filled = re.sub(
        r"#(\d)", lambda match: arguments[int(match[1]) - 1] if 0 < int(match[1]) <= len(arguments) else "", body
    )
    return f"{filled} " if re.search(r"\\[A-Za-z]+$", filled) else filled
