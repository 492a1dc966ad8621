"""`check_derivation`: the text of a derivation in, `Checked` out."""

from ..errors import ExpressionError, OptionError, one_of
from .derivation_file import KINDS, LONGEST, kind_of
from .document import statements_of
from .judging import judge
from .judging.goal import Missing, missing_lines
from .telling import Checked

__all__ = ["check_derivation"]


def check_derivation(text: str, *, goal: str | None = None, kind: str | None = None) -> Checked:
    r"""Check a written derivation line by line: which line does not follow, why, and how it should read.

    The definitions in the text say what is differentiated. A line whose left side is a derivative is compared with the
    exact derivative on random numbers of several sizes; a line that begins with an equals sign is also compared with
    the line before it. A formula that can't be read is shown as not read; nothing is guessed.

    Parameters
    ----------
    text : str
        The derivation as people write it, at most 200,000 characters: definitions, formulas, words between them.
    goal : str, optional
        The derivative that the derivation should end with, such as ``"dL/dW_1"``. The lines between the last line and
        the goal are then shown in the notation of the text.
    kind : {"markdown", "tex", "text"}, optional
        Markdown with formulas between dollars or in blocks, a LaTeX document, or plain text with a formula on each
        line. By default, a text with ``\documentclass`` or ``\begin{document}`` is a LaTeX document, any other text
        with a dollar, ``\[``, ``\(``, ``\begin{`` or a code fence is Markdown, and the rest is plain text.

    Returns
    -------
    Checked
        Every formula with its verdict.

    Raises
    ------
    ExpressionError
        If the text is too long, or has no formula or more than 500.
    OptionError
        If `text` is no text, `kind` is none of the three, or `goal` is no derivative of quantities of the text.

    Examples
    --------
    >>> check_derivation('''
    ... p_i = exp(z_i) / sum_k exp(z_k)
    ... dp_i/dz_j = p_i (delta_ij + p_j)
    ... ''')
    line 2  p_i = exp(z_i)/(Σ_k exp(z_k))  given
    line 3  dp_i/dz_j = p_i (δ_ij + p_j)   wrong: the minus sign in front of p_j is missing
            write  dp_i/dz_j = p_i (δ_ij - p_j)                                                 (proved)
    <BLANKLINE>
    read as  vectors p, z
    <BLANKLINE>
    2 formulas: 1 is given, 1 is wrong. The first wrong formula is in line 3.
    """
    if not isinstance(text, str):
        raise OptionError(
            parameter="text", came=f"of the type {type(text).__name__}", expected="the text of a derivation"
        )
    one_of("kind", kind := kind_of(text) if kind is None else kind, KINDS)
    if len(text) > LONGEST:
        raise ExpressionError(f"The text has more than {LONGEST:,} characters, expected fewer. Check it in parts.")
    statements = statements_of(text, kind)
    if not statements:
        raise ExpressionError(f"The text has no formula that could be read as {NAMED[kind]}. {EXAMPLES[kind]}")
    if len(statements) > MOST_FORMULAS:
        came = f"The text has {len(statements):,} formulas"
        raise ExpressionError(f"{came}, expected at most {MOST_FORMULAS:,}. Check it in parts.")
    judgement = judge(statements)
    missing = Missing() if goal is None else missing_lines(goal, judgement.lines, judgement.context)
    lines, notes, context = tuple(judgement.lines), judgement.notes, judgement.context
    return Checked(lines, notes, missing.lines, missing.says, source=text, context=context)


MOST_FORMULAS = 500
NAMED = {"markdown": "Markdown", "tex": "LaTeX", "text": "plain text"}
EXAMPLES = {
    "markdown": "Put formulas between dollars: $$ \\frac{\\partial L}{\\partial z_i} = p_i - y_i $$",
    "tex": "Put formulas into an environment: \\begin{align} ... \\end{align}",
    "text": "Put each formula on a line of its own: dL/dz_i = p_i - y_i",
}
