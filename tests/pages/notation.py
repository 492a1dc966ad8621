"""The index form and the matrix form of the pages, turned into Python and evaluated; the blocks of a page."""

import re
from itertools import product
from pathlib import Path

import numpy as np

from glassmax import functional

ROOT = Path(__file__).resolve().parents[2]
DOCS = ROOT / "docs"
DIGITS = 0.5e-4 + 1e-9  # four decimals are printed


def text_of(page):
    return (DOCS / page).read_text(encoding="utf-8")


def blocks(page, language):
    return re.findall(rf"^```{language}\n(.*?)^```", page, re.S | re.M)


def agree(printed, truth):
    np.testing.assert_allclose(printed, truth, rtol=0, atol=DIGITS)


def with_last_digit_changed(text, number):
    last = number.end() - 1
    return text[:last] + str((int(text[last]) + 1) % 10) + text[last + 1 :]


# the two notations, read by machine


SPELLING = {"{l-1}": "below", "_l": "_here", "f'(": "slope(", "·": "*", "²": "**2", "λ": "penalty", "η": "rate"}


def spelled(text):
    """Turn the names and signs that index form and matrix form share into Python."""
    for written, code in SPELLING.items():
        text = text.replace(written, code)
    return text


def python_of_index_form(text):
    """Turn ``-Σ_c Y[i,c]·log(P[i,c])`` into ``-sum(Y[i,c]*log(P[i,c]) for c in range(size["c"]))``."""
    text = spelled(text)
    text = re.sub(r"\bL_(\w)\b", r"losses[\1]", text)
    text = re.sub(r"\bJ_(\w)\[", r"jacobians[\1,", text)
    text = re.sub(r"δ\[(\w),(\w)\]", r"float(\1 == \2)", text)
    while "Σ_" in text:
        start = text.rindex("Σ_")
        end, depth = start + 3, 0
        while end < len(text) and depth >= 0:
            depth += (text[end] in "([") - (text[end] in ")]")
            if depth < 0 or (depth == 0 and text[end : end + 3] in (" + ", " - ")):
                break
            end += 1
        index, body = text[start + 2], text[start + 3 : end].strip()
        text = f'{text[:start]}sum({body} for {index} in range(size["{index}"])){text[end:]}'
    return text


def python_of_matrix_form(text):
    """Turn ``A_{l-1}ᵀ dZ_l`` into ``A_below.T @ dZ_here``."""
    text = spelled(text).replace("⊙", "*").replace("ᵀ", ".T")
    text = re.sub(r"\bL_i\b", "losses", text)
    return re.sub(r"(?<=[\w)]) (?=[\w(])", " @ ", text)


def rowsum(M):
    return M.sum(axis=1, keepdims=True)


FUNCTIONS = {
    "exp": np.exp,
    "log": np.log,
    "ln": np.log,
    "mean": np.mean,
    "rowsum": rowsum,
    "colsum": lambda M: M.sum(axis=0),
    "column": lambda w: w[:, None],
    "diag": lambda column: np.diag(column[:, 0]),
    "f": functional.sigmoid,
    "sigmoid": functional.sigmoid,
    "slope": lambda Z: functional.sigmoid_vjp(np.ones_like(Z), Z),
}


def by_index_form(left, right, world):
    """Evaluate an index form for every value of its free indices."""
    names = {**FUNCTIONS, **world}
    code = compile(python_of_index_form(right), right, "eval")
    sizes = [world["size"][index] for index in indices_of(left)]
    values = [eval(code, names | dict(zip(indices_of(left), at, strict=True))) for at in product(*map(range, sizes))]
    return np.reshape(values, sizes)


def by_matrix_form(right, world):
    return eval(python_of_matrix_form(right), {**FUNCTIONS, "sum": np.sum, **world})


def indices_of(left):
    """Return the free indices of a left-hand side: ``J_i[c,m]`` -> i, c, m."""
    return re.findall(r"_([a-z])(?![a-z_{\d])", left.replace("_l", "")) + re.findall(r"(?<=[\[,])\w", left)


def name_of(left):
    """Return the array's name in a world: ``dA_{l-1}[i,u]`` -> dA_below, ``L_0`` -> losses."""
    bare = re.sub(r"\[.*", "", left).strip()
    return {"L_": "losses", "J_": "jacobians"}.get(bare[:2], spelled(bare))
