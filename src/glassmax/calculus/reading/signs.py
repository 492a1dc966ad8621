"""The signs that people type: LaTeX commands, Unicode signs and marks, and what each of them becomes."""

from ..greek import GREEK, VARIANTS

__all__ = [
    "ACCENTS",
    "CLASS_WORDS",
    "CLOSING",
    "COMMANDS",
    "COMMAND_ADVICE",
    "FONTS",
    "INDICES_ABOVE",
    "MARKS",
    "SINGLE",
    "SUBSCRIPTS",
    "SUPERSCRIPTS",
]

FUNCTION_WORDS = (
    *("exp", "log", "ln", "sqrt", "sin", "cos", "tanh", "max", "min", "sum", "prod", "argmax", "argmin"),
    *("tan", "sinh", "cosh", "arcsin", "arccos", "arctan", "det", "e", "ell", "sigmoid", "erf", "softmax"),
)
COMMANDS = {
    **{word: ("name", word) for word in (*GREEK, *FUNCTION_WORDS)},
    **{"varepsilon": ("name", "epsilon"), "vartheta": ("name", "theta"), "varphi": ("name", "phi")},
    **dict.fromkeys(("frac", "dfrac", "tfrac"), ("name", "\\frac")),
    **dict.fromkeys(("cdot", "times", "odot", "circ", "ast"), ("mark", "*")),
    **dict.fromkeys(("oslash", "div"), ("mark", "/")),
    **dict.fromkeys(("top", "intercal"), ("mark", "ᵀ")),
    **dict.fromkeys(("|", "lVert", "rVert", "Vert"), ("mark", "‖")),
    **dict.fromkeys(("lvert", "rvert", "vert", "mid"), ("mark", "|")),
    **dict.fromkeys(("neq", "ne"), ("mark", "≠")),
    **dict.fromkeys(("leq", "le", "leqslant"), ("mark", "≤")),
    **dict.fromkeys(("geq", "ge", "geqslant"), ("mark", "≥")),
    **{"lt": ("mark", "<"), "gt": ("mark", ">"), "in": ("mark", "∈")},
    **{"langle": ("mark", "⟨"), "rangle": ("mark", "⟩"), "coloneqq": ("mark", "=")},
    **{"{": ("mark", "("), "}": ("mark", ")"), "lbrace": ("mark", "("), "rbrace": ("mark", ")")},
    **{"prime": ("prime", "'")},
}
"""The kind and the text of the token that a LaTeX command becomes."""

COMMAND_ADVICE = {
    "begin": "cases are written with step(x), which is 1 for x > 0, and max(a, b)",
    "forall": "leave it out, because an equation holds for all values of the indices on its left side",
    "infty": "a sum runs over the whole axis of its index, sum_i",
    "arg": "argmax has no derivative",
    **dict.fromkeys(("dots", "ldots", "cdots"), "a sum runs over the whole axis of its index, sum_i"),
    "sim": "an expectation over n samples is 1/n sum_i f(x_i)",
    "nabla": "give the function, and name the variable of the derivative with wrt",
    "otimes": "an outer product is x_i y_j in index notation, x yᵀ in matrix notation",
    **dict.fromkeys(("binom", "int", "lim", "bigcup", "cup"), "it has no index notation"),
    **dict.fromkeys(("lfloor", "lceil"), "it has no derivative"),
}
"""What to write instead of some of the other commands."""

MARKS = {
    **{"**": "^", "^∘": "^", ":=": "=", "≔": "=", "==": "=", "||": "‖", "∥": "‖", "∣": "|", "⊤": "ᵀ"},
    **{"−": "-", "–": "-", "÷": "/", "⊘": "/", "!=": "≠", "<=": "≤", ">=": "≥"},
    **dict.fromkeys("·×⊙⋅∘∗", "*"),
    **{mark: mark for mark in "+-*/^=()[]{},_|@.‖ᵀ<>≠≤≥∈⟨⟩"},
}
SINGLE = {
    **{sign: word for word, sign in GREEK.items()},
    **VARIANTS,
    **{"ŷ": "yhat", "Ŷ": "Yhat", "√": "sqrt", "ℓ": "ell", "∑": "sum", "∏": "prod"},
}
CLOSING = {"(": ")", "[": "]", "{": "}"}
SUBSCRIPTS = dict(zip("ₐₑₕᵢⱼₖₗₘₙₒₚᵣₛₜᵤᵥₓ₀₁₂₃₄₅₆₇₈₉", "aehijklmnoprstuvx0123456789", strict=True))
SUPERSCRIPTS = dict(zip("⁰¹²³⁴⁵⁶⁷⁸⁹⁻", "0123456789-", strict=True))
INDICES_ABOVE = dict(zip("ⁱʲᵏˡᵐⁿᵗ", "ijklmnt", strict=True))

_ACCENTS = {"hat": "hat", "bar": "bar", "tilde": "tilde", "dot": "dot"}
ACCENTS = _ACCENTS | {"widehat": "hat", "overline": "bar", "widetilde": "tilde"}
"""Commands that put an accent over a name; the accent becomes part of the name."""

FONTS = {
    **dict.fromkeys(("mathrm", "text", "textrm", "textit", "textbf", "operatorname", "mathsf", "mathtt"), "upright"),
    **dict.fromkeys(("mathbf", "boldsymbol", "bm", "vec", "bf"), "bold"),
    **{"mathit": "", "mathcal": "script", "mathscr": "script", "mathbb": "blackboard", "mathfrak": "fraktur"},
}
"""Commands that set a name in a font, which is not part of the name."""

CLASS_WORDS = ("class", "correct", "gold", "label", "target", "true")
"""Words that are one index, that of the true class: x[class], p_{true}."""
