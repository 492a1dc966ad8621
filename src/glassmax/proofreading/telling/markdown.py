"""A checked derivation as Markdown, with formulas in LaTeX between dollars."""

from typing import TYPE_CHECKING

from ..checked import WRONG, CheckedLine
from .wording import shown, verdict_in_words

if TYPE_CHECKING:
    from .checked_derivation import Checked

__all__ = ["as_markdown"]


def as_markdown(checked: "Checked") -> str:
    """Write each line as an item of a list, then what is missing to the goal, how the text was read, and the count."""
    items = [item for line in checked.lines for item in _item(line)]
    if checked.goal:
        items += ["", f"Goal: {_safe(checked.goal)}."]
    if checked.missing:
        items += ["", *(f"- ${line.write_latex}$" for line in checked.missing)]
    if checked.notes:
        items += ["", f"Read as: {_safe('; '.join(checked.notes))}."]
    return "\n".join([*items, "", checked.summary])


def _item(line: CheckedLine) -> list[str]:
    said = verdict_in_words(line)
    strong = "**" if line.verdict == WRONG else ""
    verdict = f"{strong}{line.verdict}{strong}{_safe(said.removeprefix(line.verdict))}"
    item = [f"- line {line.number}: {_code(shown(line))} {verdict}"]
    if line.write:
        written = f"${line.write_latex}$" if line.write_latex else _code(line.write)
        item.append(f"  - write {written}{' (proved)' if line.proved else ''}")
    return item


def _code(text: str) -> str:
    """Write text as code, whatever backticks it has."""
    ticks = "`"
    while ticks in text:
        ticks += "`"
    return f"{ticks} {text} {ticks}" if "`" in text else f"{ticks}{text}{ticks}"


def _safe(words: str) -> str:
    """Let Markdown read no signs in words: an asterisk or an underscore of a formula stays what it is."""
    return "".join(f"\\{sign}" if sign in "\\`*_[]<>|#$" else sign for sign in words)
