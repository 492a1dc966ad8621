"""A checked derivation as Markdown, with formulas in LaTeX between dollars."""

from collections.abc import Sequence

from ..checked import WRONG, CheckedLine
from .wording import shown, summary, verdict_in_words

__all__ = ["as_markdown"]


def as_markdown(lines: Sequence[CheckedLine], missing: Sequence[str], notes: Sequence[str]) -> str:
    """Write each line as an item of a list, then what is missing to the goal, how the text was read, and the count."""
    items = [item for line in lines for item in _item(line)]
    if missing:
        items += ["", "Missing:", "", *(f"- `{line}`" for line in missing)]
    if notes:
        items += ["", *(f"Read as: {_safe(note)}." for note in notes)]
    return "\n".join([*items, "", summary(lines)])


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
