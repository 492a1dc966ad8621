"""The signs and words of the formulas that people write: LaTeX commands, Unicode signs, known words."""

from ...calculus.greek import GREEK, VARIANTS

__all__ = ["ABOVE", "ACCENTS", "BELOW", "COMBINING", "COMMANDS", "FILLERS", "FONTS", "FUNCTIONS", "LETTERS", "MARKS"]
__all__ += ["PROSE_WORDS", "SUFFIXES", "UNREADABLE", "WITHOUT_BRACKETS", "WORDS"]

_FUNCTIONS = """
exp log ln sqrt sin cos tan sinh cosh tanh cot arcsin arccos arctan max min abs sign sgn erf
sigmoid logistic softmax logsoftmax softplus relu ReLU LeakyReLU logsumexp lse LSE
diag tr trace det argmax argmin mean norm vec onehot logit
"""
FUNCTIONS = frozenset(_FUNCTIONS.split())
"""Names that are functions wherever a bracket follows."""

_WITHOUT_BRACKETS = """
exp log ln sin cos tan sinh cosh tanh cot arcsin arccos arctan max min tr det sqrt softmax diag
sigmoid relu ReLU argmax argmin
"""
WITHOUT_BRACKETS = frozenset(_WITHOUT_BRACKETS.split())
"""Functions that are also written without brackets: log p_k."""

_SUFFIXES = """
in out total true pred target label loss reg data train test new old batch net model input output hidden correct class
softmax max min opt best init prev next CE MSE BCE NLL KL ce mse bce nll kl avg mean cost hat bar tilde star logits sum
obs fit ref err error gold val norm act pre post left right dec enc mle MLE ols OLS ridge
"""
SUFFIXES = frozenset(_SUFFIXES.split())
"""Words that are part of a name if they stand below it: L_CE, net_out."""

PROSE_WORDS = frozenset({"if", "else", "otherwise", "when", "and", "or", "for", "where", "as", "with", "is"})
"""Words between formulas."""

_WORDS = """
loss Loss cost Cost error Error net Net out Out target Target label logits score scores input output
MSE BCE NLL KL CE SSE RSS MAE mse bce nll mae rss sse ell grad reg bias err pred true hidden data weight weights
yhat xhat phat zhat Yhat ybar xbar abar zbar ytilde xtilde lam lamb lmbda lambd varepsilon vartheta varphi
"""
WORDS = FUNCTIONS | frozenset(GREEK) | frozenset(_WORDS.split())
"""Words that are one name; other words are products of their letters if they are short."""

ACCENTS = {
    **{"hat": "hat", "widehat": "hat", "bar": "bar", "overline": "bar", "tilde": "tilde", "widetilde": "tilde"},
    **{"dot": "dot", "check": "check", "acute": "acute"},
}
COMBINING = {"\u0302": "hat", "\u0304": "bar", "\u0305": "bar", "\u0303": "tilde", "\u0307": "dot", "\u20d7": ""}

_FONTS = """
mathrm text textrm textit textbf texttt textnormal operatorname mathsf mathtt mathbf boldsymbol bm vec mathit mathcal
mathscr mathbb mathds mathfrak pmb underline textsf mbox hbox mathnormal bold symbf
"""
FONTS = frozenset(_FONTS.split())

_FILLERS = """
left right middle big Big bigg Bigg bigl bigr Bigl Bigr biggl biggr Biggl Biggr bigm Bigm quad qquad displaystyle
textstyle scriptstyle limits nolimits nonumber notag rm bf it cal sf tt bfseries normalfont hfill hline enspace
thinspace medspace thickspace space small large strut allowbreak
"""
FILLERS = tuple(_FILLERS.split())
"""Commands that only set the formula."""

COMMANDS = {
    **{"cdot": "·", "times": "×", "odot": "⊙", "circ": "∘", "ast": "*", "star": "*", "otimes": "⊗", "bullet": "·"},
    **{"cdotp": "·", "div": "/", "oslash": "/", "top": "ᵀ", "intercal": "ᵀ", "transpose": "ᵀ", "prime": "'"},
    **dict.fromkeys(("|", "lVert", "rVert", "Vert"), "‖"),
    **dict.fromkeys(("lvert", "rvert", "vert", "mid"), "|"),
    **dict.fromkeys(("neq", "ne"), "≠"),
    **dict.fromkeys(("leq", "le", "leqslant"), "≤"),
    **dict.fromkeys(("geq", "ge", "geqslant"), "≥"),
    **{"lt": "<", "gt": ">", "in": "∈", "partial": "∂", "nabla": "∇", "equiv": "="},
    **dict.fromkeys(("lbrace", "{"), "\\{"),
    **dict.fromkeys(("rbrace", "}"), "\\}"),
    **{"lbrack": "[", "rbrack": "]", "lparen": "(", "rparen": ")", "dagger": "†", "infty": "∞", "colon": ":"},
    **{"langle": "⟨", "rangle": "⟩", "land": "∧", "wedge": "∧", "lnot": "¬", "neg": "¬", "forall": "∀"},
    **dict.fromkeys(("dots", "ldots", "cdots", "vdots", "ddots", "dotsc", "dotsb"), "…"),
}
"""The mark that a LaTeX command becomes."""

MARKS = {
    **{"**": "^", ":=": "=", "≔": "=", "==": "=", "≡": "=", "||": "‖", "∥": "‖", "∣": "|", "⊤": "ᵀ"},
    **{"−": "-", "–": "-", "′": "'", "’": "'", "″": "''", "...": "…", "⋯": "…"},
    **{"÷": "/", "⊘": "/", "!=": "≠", "<>": "≠", "<=": "≤", ">=": "≥", "⋅": "·", "∗": "*", "•": "·", "∙": "·"},
    **{"⨂": "⊗", "⨀": "⊙", "∕": "/", "⁄": "/", ".*": "⊙"},
    **{mark: mark for mark in "!+-*/^()[]{},|@.‖ᵀ<>≠≤≥∈⟨⟩·×⊙∘⊗∂∇'=:;…∞∧¬∀†&"},
}

LETTERS = {
    **{sign: word for word, sign in GREEK.items()},
    **VARIANTS,
    **{"ℓ": "ell", "µ": "mu", "∑": "sum", "∏": "prod", "Σ": "sum", "Π": "prod"},
    **{"√": "sqrt", "ℎ": "h", "ℒ": "L", "𝟙": "1", "𝟏": "ones"},
}
"""The word of a sign that is a letter."""

BELOW = dict(zip("ₐₑₕᵢⱼₖₗₘₙₒₚᵣₛₜᵤᵥₓ₀₁₂₃₄₅₆₇₈₉₊₋₌₍₎ᵧ", "aehijklmnoprstuvx0123456789+-=()y", strict=True))
ABOVE = dict(
    zip(
        "⁰¹²³⁴⁵⁶⁷⁸⁹⁻⁺⁽⁾ⁱʲᵏˡᵐⁿᵗᵃᵇᶜᵈᵉˣʸᶻᴸᴺᴷᴹʰᵖʳˢᵘᵛʷ",
        "0123456789-+()ijklmntabcdexyzLNKMhprsuvw",
        strict=True,
    )
)

UNREADABLE = {
    **{"int": "an integral", "iint": "an integral", "oint": "an integral", "lim": "a limit", "mathop": "an operator"},
    **{"binom": "a binomial coefficient", "bigcup": "a union", "cup": "a union", "sim": "a distribution"},
    **{"pm": "two signs in one", "mp": "two signs in one", "propto": "a proportion", "approx": "an approximation"},
    **{"lfloor": "a whole part", "lceil": "a whole part", "to": "an arrow", "rightarrow": "an arrow"},
    **{"leftarrow": "an arrow", "mapsto": "an arrow", "Rightarrow": "an arrow", "implies": "an arrow"},
    **{"subset": "a set", "cap": "an intersection", "setminus": "a set", "exists": "a claim of logic"},
}
"""What some commands are that no derivation of this kind can be read with."""
