"""`check_derivation`: the text of a derivation in, `Checked` out."""

from ..errors import ExpressionError, OptionError, one_of
from .document import statements_of
from .judging import judge
from .telling import Checked

__all__ = ["KINDS", "check_derivation"]

KINDS = ("markdown", "tex", "text")
"""How a text may be written: Markdown with formulas in LaTeX, LaTeX, or plain text with a formula on each line."""
LONGEST = 200_000


def check_derivation(text: str, *, goal: str | None = None, kind: str = "markdown") -> Checked:
    r"""Check a written derivation line by line: which line does not follow, why, and how it should read.

    The definitions of the text say what is differentiated. Each line whose left side is a derivative is compared with
    the exact derivative on random numbers of several sizes; a line that begins with an equals sign is compared with the
    line before it too. A formula that can't be read is shown as not read and is never guessed.

    Parameters
    ----------
    text : str
        The derivation as people write it, at most 200,000 characters: definitions, formulas, words between them.
    goal : str, optional
        The derivative that the derivation should end with, such as ``"dL/dW_1"``. The lines between the last line and
        the goal are then shown in the notation of the text.
    kind : {"markdown", "tex", "text"}, default="markdown"
        Markdown with formulas between dollars or in blocks, a LaTeX document, or plain text.

    Returns
    -------
    Checked
        Every formula with its verdict.

    Raises
    ------
    ExpressionError
        If the text is too long, or holds no formula.
    OptionError
        If `text` is no text, or `kind` is none of the three.

    Examples
    --------
    >>> checked = check_derivation(r'''
    ... $$ p_i = \frac{e^{z_i}}{\sum_k e^{z_k}} $$
    ... $$ \frac{\partial p_i}{\partial z_j} = p_i (\delta_{ij} + p_j) $$
    ... ''')
    >>> checked
    """
    if not isinstance(text, str):
        raise OptionError(parameter="text", came=f"of the type {type(text).__name__}", expected="the text of a derivation")
    one_of("kind", kind, KINDS)
    if len(text) > LONGEST:
        raise ExpressionError(f"The text has {len(text):,} characters, expected at most {LONGEST:,}. Check it in parts.")
    statements = statements_of(text, kind)
    if not statements:
        raise ExpressionError("The text has no formula, expected equations such as $$ L = -\\sum_k y_k \\log p_k $$.")
    return judge(statements, goal=goal)
