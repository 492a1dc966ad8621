"""Names of a program for the letters of the formulas around it: lam for λ, lr for η, batch_size for N."""

from collections.abc import Sequence

from ..formula import tree
from ..formula.tree import Name
from .definitions import Equation
from .names import names_of, walk

__all__ = ["letters_of_code"]

LAMBDA = ("lam", "lamb", "lambd", "lambda_", "lamda", "lmbda", "lmbd")
PENALTIES = ("reg", "l2", "reg_lambda", "lambda_reg", "l2_reg", "weight_decay", "wd")
RATES = ("lr", "learning_rate", "step_size", "eta", "alpha")
COUNTS = ("N", "n", "m", "M", "B", "batch_size", "num_examples", "num_train", "num_samples", "n_samples")


def letters_of_code(equations: Sequence[Equation]) -> dict[str, str]:
    """Return each name of a program that stands for a letter of the formulas, with that letter.

    Only a name that the program does not assign, and only if one letter of the formulas can be meant.
    """
    text = {name.base for one in equations if not one.code for name in names_of(one.nodes)}
    code = {name.base for one in equations if one.code for name in names_of(one.nodes)}
    assigned = {left.base for one in equations if isinstance(left := one.sides[0], Name)}
    free = code - text - assigned
    found = {name: "lambda" for name in LAMBDA if name in (text | code) - assigned}
    penalties = free & {*PENALTIES}
    if "lambda" in text and not found and len(penalties) == 1:
        found |= dict.fromkeys(penalties, "lambda")
    for names, letters in ((RATES, text & {"eta", "alpha"}), (COUNTS, _counts(equations) - assigned)):
        meant = free & {*names}
        if len(letters) == len(meant) == 1 and not letters & code:
            found |= dict.fromkeys(meant, *letters)
    return found


def _counts(equations: Sequence[Equation]) -> set[str]:
    """The letters that formulas divide by, or that a sum ends at."""
    found: set[str] = set()
    for part in (part for one in equations if not one.code for node in one.nodes for part in walk(node)):
        if isinstance(part, tree.Summation) and isinstance(part.high, Name):
            found.add(part.high.base)
        elif isinstance(part, tree.Quotient):
            found |= {name.base for name in names_of([part.below]) if not name.below}
    return found & {"N", "n", "m", "M"}
