"""What the words around a formula say of it: a definition, an assumption, a case, the end of a case."""

import re

__all__ = [
    "ASSUME_ANYWHERE",
    "EQUAL_INDICES",
    "HOLE",
    "LIMITS",
    "OTHERWISE",
    "SENTENCE_END",
    "UNEQUAL_INDICES",
    "asks_condition",
    "begins_anew",
    "cue_of",
]
__all__ += ["ends_cases", "gives_condition", "is_connecting", "is_list", "told_comparison", "unformal_case"]

HOLE = "□"
"""Stands for a formula inside a sentence."""

SENTENCE_END = re.compile(r"[.!?](?=\s|$)(?<!e\.g\.)(?<!i\.e\.)(?<!w\.r\.t\.)(?<!Eq\.)(?<!eq\.)(?<!cf\.)(?<!resp\.)")
DEFINE = re.compile(
    r"\b(?:where|defin(?:e|ed|es|ing|ition)|denot(?:e|ed|es|ing)|abbreviat\w+|let(?!\s+us\b(?!\s+(?:define|denote|write))|'s|’s))\b"
    r"|\b(?:with|wherein|given by|call)\s*:?$",
    re.IGNORECASE,
)
ANEW = re.compile(r"\b(?:now|next),?\s+(?:let|define|consider|suppose|take|use)\b|\binstead\b", re.IGNORECASE)
LIMITS = re.compile(r"\s*(?:if|when|for|whenever|where)?\s*")
VERBS = re.compile(r"\b(?:defin(?:e|ed|es|ing)|denot(?:e|ed|es|ing))\b", re.IGNORECASE)
ASSUME_ANYWHERE = re.compile(
    r"\b(?:assum(?:e|es|ed|ing|ption)|suppos(?:e|ed|ing)|provided|hypothesis)\b|∵|\\because", re.IGNORECASE
)
ASSUME_BESIDE = re.compile(
    r"(?:\b(?:since|as|because|given|using|noting|recalling|if)(?:\s+(?:that|the|we|have|know|of|one-hot|fact|sum|always)){0,4}"
    r"|\b(?:note|notice|recall|remember|know|observe|fact|so)(?:\s+(?:again|also|here|now|first))?\s+that(?:\s+\w+){0,3}"
    r"|\b(?:note|recall|remember|because|since))\s*[:,]?$",
    re.IGNORECASE,
)
NO_ASSUMPTION = re.compile(r"\bso\s+that$", re.IGNORECASE)
CASE = re.compile(
    r"\b(?:if|when|whenever|for|(?<!which )cases?|unless|for all|(?:if|when|for) the \w+)\s*[:(]?$", re.IGNORECASE
)
BRACKETED = re.compile(r"^\W*(?:if|when|for|case|in)\b[^□]*\($", re.IGNORECASE)
WHERE = re.compile(r"\b(?:where|with|while|and|provided|as long as)\s*[:(]?$", re.IGNORECASE)
ENDS = re.compile(
    r"\b(?:both (?:together|cases)|together|combin(?:e|ed|ing)|altogether|overall|in general|unif(?:y|ied|ying)|"
    r"two cases (?:are|can|may|in)|merg(?:e|ed|ing)|in either case|in short|summari[sz]\w+|"
    r"in one (?:line|formula|expression))\b",
    re.IGNORECASE,
)
OTHERWISE = re.compile(r"\b(?:otherwise|else|in the other case|in all other cases)\b", re.IGNORECASE)
_CONNECTING = """
    and so hence thus then therefore this which that we gives give get have is means makes the it yields yield follows
    becomes simplifies to finally also obtain implies now leads be can written rewritten as further equals
"""
CONNECTING = {*_CONNECTING.split()}
EQUAL_INDICES, UNEQUAL_INDICES = "the indices are equal", "the indices differ"
TOLD_CASES = {
    UNEQUAL_INDICES: r"(?:are|is) (?:different|distinct|not equal|unequal|not the same)|differ|different ind\w+"
    r"|off[- ](?:the )?diagonal",
    EQUAL_INDICES: r"(?:are|is) (?:both )?(?:equal|the same|identical)|coincide|(?:same|equal) ind\w+|diagonal",
    "": r"(?:correct|true|right|wrong|other|incorrect|remaining) (?:class|label)\w*",
}
OPENING = r"^\W*(?:(?:so|and|but|now|or|in)\W+)?(?:(?:if|when|case|for|on)\b(?:\W+\w+){0,6}?\W+(?:%s)|(?:%s))\b"
UNFORMAL = {
    told: re.compile(OPENING % (text, text if told else "(?!)"), re.IGNORECASE) for told, text in TOLD_CASES.items()
}


INDEX = r"(?<![\\\w])([i-nqrs]|y_\{?[a-z]\}?)"
TOLD = re.compile(
    rf"{INDEX} (?P<not>is not|isn't|differs from|is different from|is not equal to|≠)? ?"
    rf"(?P<is>equals|equal to|is equal to|is the same as|coincides with)? ?{INDEX}(?!\w)"
    rf"|{INDEX} and {INDEX} are (?P<both>the same|equal|identical|"
    r"(?P<unlike>different|distinct|not equal|not the same|unequal))\b"
)


def cue_of(clause: str) -> str:
    """Return "define", "assume" or "" for the formula that comes after a clause; earlier formulas are a □ in it."""
    clause = " ".join(clause.split())
    if VERBS.search(clause):
        return "define"
    beside = ASSUME_BESIDE.search(clause)
    if ASSUME_ANYWHERE.search(clause) or (beside and not NO_ASSUMPTION.search(clause)):
        return "assume"
    return "define" if DEFINE.search(clause) else ""


def asks_condition(clause: str) -> bool:
    """Return whether a comparison after the clause is a case: ``if``, ``for``, ``when``."""
    return bool(CASE.search(clause.rstrip()) or BRACKETED.search(clause.rstrip()))


def gives_condition(clause: str) -> bool:
    """Return whether an inequality after the clause is a case: ``where``, ``with``."""
    return bool(WHERE.search(clause.rstrip()))


def ends_cases(words: str) -> bool:
    """Return whether the words take the cases together again."""
    return bool(ENDS.search(words))


def is_connecting(words: str) -> bool:
    """Return whether the words only lead on: so, hence, which gives."""
    return CONNECTING.issuperset(re.findall(r"[^\s,.:;*•-]+", words.lower()))


def is_list(words: str) -> bool:
    """Return whether the words only join formulas: and, or, also."""
    return {"and", "or", "also", HOLE}.issuperset(re.findall(r"[^\s,;:]+", words.lower()))


def told_comparison(text: str) -> str:
    """Return the comparison that words and letters tell, ``i = j`` for "i equals j"; "" if they tell none."""
    match = TOLD.search(" ".join(text.split()))
    if match is None or not (match["not"] or match["is"] or match["both"]):
        return ""
    first, second = [match[i] for i in (1, 4, 5, 6) if match[i]]
    return rf"{first} \ne {second}" if match["not"] or match["unlike"] else f"{first} = {second}"


def begins_anew(words: str) -> bool:
    """Return whether definitions after the words may replace those before: ``now let``, ``instead``."""
    return bool(ANEW.search(words))


def unformal_case(clause: str) -> str:
    """Return the case that words tell without a formula: one of the two of indices, or the words themselves."""
    clause = " ".join(clause.split(HOLE)[0].split())
    found = ((told, match) for told, pattern in UNFORMAL.items() if (match := pattern.search(clause)))
    for told, match in found:
        return told or match[0]
    return ""
