"""Greek letters: the words that people type, and the signs."""

__all__ = ["GREEK", "VARIANTS"]

_SMALL = (
    "alpha beta gamma delta epsilon zeta eta theta iota kappa lambda mu "
    "nu xi omicron pi rho sigma tau upsilon phi chi psi omega"
)
_CAPITAL = "Gamma Delta Theta Lambda Xi Pi Sigma Upsilon Phi Psi Omega"

GREEK = dict(zip(f"{_SMALL} {_CAPITAL}".split(), "αβγδεζηθικλμνξοπρστυφχψωΓΔΘΛΞΠΣΥΦΨΩ", strict=True))
"""The sign of each word."""

VARIANTS = {"ϵ": "epsilon", "ϑ": "theta", "ϕ": "phi"}
"""Variant forms of Greek letters."""
