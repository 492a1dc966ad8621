r"""The names of NumPy that a formula sets as text, ``\text{np.sum}(dZ, \text{axis}=1)``, without the commands."""

import re

__all__ = ["without_text"]

NAMED = re.compile(
    r"\\(?:text|mathrm|texttt|textit|mathtt|operatorname)\s*\{\s*"
    r"((?:np|numpy)\.[a-z]+|axis|keepdims|True|False|axis\s*=\s*\d|keepdims\s*=\s*(?:True|False))\s*\}"
)


def without_text(page: str) -> str:
    r"""Return a page with plain names of NumPy, each character that stays on its line.

    Examples
    --------
    >>> without_text(r"\text{np.sum}(dZ, \text{axis}=1)").replace(" ", "")
    'np.sum(dZ,axis=1)'
    """
    return NAMED.sub(lambda match: match[1].rjust(len(match[0])), page) if "np." in page or "numpy." in page else page
