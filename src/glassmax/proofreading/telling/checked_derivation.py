"""`Checked`: a whole derivation with its verdicts, and what a learner reads of it.

The derivation is only shown here, not judged.
"""

import json
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

from ...errors import DataError
from ...files import write_whole
from ..checked import GIVEN, NOT_READ, WRONG, CheckedLine
from .html import as_fragment, as_html
from .markdown import as_markdown
from .ours import our_derivations
from .plain_data import plain_line
from .text import WIDTH, as_text
from .wording import summary

if TYPE_CHECKING:
    from ..numbers import Context

__all__ = ["Checked"]


@dataclass(frozen=True, repr=False)
class Checked:
    """A derivation whose lines were checked, as returned by `check_derivation`.

    At the prompt and in a notebook it shows every formula with its verdict.

    Attributes
    ----------
    lines : tuple of CheckedLine
        Every formula of the text, in order, with its verdict: ``number``, ``formula``, ``verdict``, ``cause``,
        ``says``, ``write``, ``proved``.
    notes : tuple of str
        How the text was read where it could be read in several ways: column vectors or row vectors, what is known
        about a name that the text does not define.
    missing : tuple of CheckedLine
        The lines between the derivation and the goal, in the author's notation; empty without a goal.
    goal : str
        A sentence about the goal: the line that states it, or how many lines are missing.
    source : str
        The text that was checked.
    context : Context or None
        The reading of the text under which it was checked; a page derives from it.
    """

    lines: tuple[CheckedLine, ...]
    notes: tuple[str, ...] = ()
    missing: tuple[CheckedLine, ...] = ()
    goal: str = ""
    source: str = ""
    context: "Context | None" = field(default=None, compare=False)

    @property
    def correct(self) -> bool:
        """Whether at least one line was judged and none is wrong."""
        judged = any(line.verdict not in (NOT_READ, GIVEN) for line in self.lines)
        return judged and not self.wrong

    @property
    def wrong(self) -> tuple[CheckedLine, ...]:
        """The lines that are wrong, in order."""
        return tuple(line for line in self.lines if line.verdict == WRONG)

    @property
    def causes(self) -> tuple[str, ...]:
        """The causes of the wrong lines, in order."""
        return tuple(line.cause for line in self.wrong)

    @property
    def summary(self) -> str:
        """How many formulas have which verdict, in a sentence."""
        return summary(self.lines)

    def text(self, *, width: int = WIDTH) -> str:
        """Return every line with its verdict as text of at most `width` columns."""
        return as_text(self, width)

    def to_markdown(self) -> str:
        """Return every line as Markdown, with the corrected lines in LaTeX between dollars."""
        return as_markdown(self)

    def to_dict(self) -> dict[str, Any]:
        """Return everything as plain data: ``correct``, ``summary``, ``lines``, ``notes``, ``goal``, ``missing``."""
        return {
            "correct": self.correct,
            "summary": self.summary,
            "lines": [plain_line(line) for line in self.lines],
            "notes": list(self.notes),
            "goal": self.goal,
            "missing": [plain_line(line) for line in self.missing],
        }

    def to_json(self) -> str:
        """Return `to_dict` as JSON."""
        return json.dumps(self.to_dict(), allow_nan=False)

    def to_html(self, path: str | Path) -> None:
        """Write the derivation as a page: each line typeset and marked, with its reason and our derivation to open.

        Parameters
        ----------
        path : str or Path
            The file, in an existing folder; replaced if it exists, and written completely or not at all. The page opens
            from disk, runs no script and asks the network for nothing.

        Raises
        ------
        DataError
            If the folder is missing or can't be written to, or the disk is full. An existing file stays.
        """
        content = as_html(self._with_derivations()).encode()
        try:
            write_whole(path, content)
        except OSError as error:
            raise DataError(f"{path} can't be written: {error.strerror}. Nothing has changed.") from None

    def _with_derivations(self) -> "Checked":
        """Return the same with the derivation by glassmax of each line."""
        ours = our_derivations(self.lines, self.context)
        return replace(self, lines=tuple(replace(line, ours=html) for line, html in zip(self.lines, ours, strict=True)))

    def __repr__(self) -> str:
        return self.text()

    def _repr_html_(self) -> str:
        return as_fragment(self._with_derivations())
