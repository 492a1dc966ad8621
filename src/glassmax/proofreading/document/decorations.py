r"""What LaTeX adds to a formula for the eye goes: colors, boxes, tags, fonts of whole formulas, underbraces, spaces.

Everything that goes is replaced by blanks, so that each character keeps its place and a row its line in the file.
"""

import re

__all__ = ["ROWS", "matching_braces", "undecorated"]

_ROWS = """
    equation align aligned alignedat alignat flalign gather gathered split eqnarray multline multlined displaymath math
    dmath IEEEeqnarray subequations
"""
ROWS = _ROWS.split()
"""Environments whose rows are formulas of their own."""

TOKEN = re.compile(r"\\(?:[A-Za-z]+\*?|.)|[{}]", re.DOTALL)
ROW_MARK = re.compile(rf"\\(?:begin|end)[ \t]*\{{(?:{'|'.join(ROWS)})\*?\}}")
ROW_ARGUMENT = re.compile(r"\\begin\{(?:alignat|alignedat)\*?\}(\{[^{}]*\})|\\begin\{\w+\*?\}(\[[tbc]\])")
BREAK_ARGUMENT = re.compile(r"\\\\(\*?[ \t]*\[[-+.\w\s]*\]|\*)")
BRACE_CASES = re.compile(
    r"(?:\\left[ \t]*)?\\(?:\{|lbrace)\s*"
    r"\\begin\{(array|aligned|matrix|gathered|split|align\*?)\}(?:\{[^{}]*\}|\[\w\])?"
)
ENTITIES = {"&amp;": "&", "&lt;": "<", "&gt;": ">", "&nbsp;": " ", "&quot;": '"', "&#39;": "'"}
ENTITY = re.compile("|".join(map(re.escape, ENTITIES)))

_SPACES = r"""
    , ; : ! > / displaystyle textstyle scriptstyle limits nolimits nonumber notag left right middle hline
    big Big bigg Bigg bigl bigr Bigl Bigr biggl biggr Biggl Biggr bigm allowbreak mathstrut strut
    small large Large boldmath bf rm it sf tt centering noindent hfill hfil break nobreak hskip thinspace
    negthinspace enspace medspace thickspace null rlap llap mathchoice relax protect
"""
SPACES = {*_SPACES.split(), " ", "\n"}
"""Commands without an argument that only set space, size or a mark."""

_ERASED = "tag label ref eqref cite hspace vspace phantom hphantom vphantom require footnote mspace"
ERASED = {**dict.fromkeys(_ERASED.split(), 1), "rule": 2}
"""Commands that go with their arguments, and how many arguments they have."""

_WRAPPERS = """
    boxed fbox bbox cancel bcancel xcancel mathop mathrel mathbin mathord smash underline tcbhighmath
    ensuremath uline underbrace overbrace framebox Aboxed mathclap underbracket overbracket
"""
_LABELED = "color textcolor colorbox cancelto style class cssId href"
WRAPPERS = {**dict.fromkeys(_WRAPPERS.split(), 0), **dict.fromkeys(_LABELED.split(), 1), "fcolorbox": 2}
"""Commands whose last argument stays, and how many arguments stand before it."""

_FONTS = "mathbf boldsymbol bm mathrm mathit mathsf mathcal pmb mathnormal mathtt texttt mathbb mathfrak vb"
FONTS = _FONTS.split()
NAME = re.compile(r"\s*(?:\\?[A-Za-z]+[0-9]*|[0-9]+|')\s*")
CODE_NAME = re.compile(r"\s*[A-Za-z]\w*\s*")
WIDE = re.compile(r"\\hspace\*?\{\s*[0-9.]+\s*(?:in|cm|em)\s*\}")
OPTION = re.compile(r"\s*\[[^\[\]]*\]")
CASE = re.compile(r"\s*[i-n]\s*(?:=|\\neq?(?![a-z]))\s*[i-n]\s*")
SIGN = re.compile(r"\s*(?::?=|\\equiv|\\sim|\\approx)\s*")
DEFINED = re.compile(r"def|triangle|Delta|\bset\b|:")
TWO_GROUPS = re.compile(r"\\(?:[dtc]?frac|binom)\s*$")
TAKES_GROUP = re.compile(
    r"\\(?:[dtc]?frac|sqrt|hat|bar|tilde|vec|dot|ddot|widehat|widetilde|overline|mathbf|mathrm|mathcal|mathbb|mathit|"
    r"boldsymbol|bm|operatorname|text|begin|end|binom|substack)\*?\s*$"
)


def matching_braces(text: str) -> dict[int, int]:
    r"""Return the place of the closing brace of each opening one; ``\{`` and ``\}`` are no braces of this kind."""
    pairs, opened = {}, []
    for token in TOKEN.finditer(text):
        if token.group() == "{":
            opened.append(token.start())
        elif token.group() == "}" and opened:
            pairs[opened.pop()] = token.start()
    return pairs


def undecorated(text: str) -> str:
    """Return the formula without its decoration, each character that stays at its place."""
    text = ENTITY.sub(lambda match: ENTITIES[match.group()].ljust(len(match.group())), text)
    text = WIDE.sub(lambda match: "\\quad".ljust(len(match.group())), _with_cases(text.replace("\t", " ")))
    page = _Page(text)
    for token in TOKEN.finditer(text):
        page.strip(token)
    return page.text()


def _with_cases(text: str) -> str:
    r"""Write cases that are set as a brace before an array, ``\left\{\begin{array}{ll}``, as cases."""
    text = re.sub(r"\\(begin|end)\{[dr]cases\*?\}", lambda match: rf"\{match[1]}{{cases}}".ljust(len(match[0])), text)
    while match := BRACE_CASES.search(text):
        end = re.compile(rf"\\end\{{{re.escape(match[1])}\}}(?:\s*\\right\s*\.)?").search(text, match.end())
        opening = r"\begin{cases}".ljust(len(match[0]))
        if not end:
            return text
        closing = r"\end{cases}".ljust(len(end[0]))
        text = text[: match.start()] + opening + text[match.end() : end.start()] + closing + text[end.end() :]
    return text


class _Page:
    """The characters of a formula, some of which are blanked out."""

    def __init__(self, text: str) -> None:
        self.source = text
        self.characters = list(text)
        self.braces = matching_braces(text)
        self.openings = {closing: opening for opening, closing in self.braces.items()}
        self._clear_rows()

    def text(self) -> str:
        return "".join(self.characters)

    def clear(self, start: int, end: int) -> None:
        for place in range(start, end):
            if self.characters[place] != "\n":
                self.characters[place] = " "

    def _clear_rows(self) -> None:
        """Blank out the marks of environments of rows, the braces around them, and the arguments of line breaks."""
        marks = [*ROW_MARK.finditer(self.source)]
        for pattern in (ROW_ARGUMENT, BREAK_ARGUMENT):
            for match in pattern.finditer(self.source):
                group = match.lastindex or 1
                self.clear(match.start(group), match.end(group))
        starts = [mark.start() for mark in marks]
        inside = 0
        for opening, closing in sorted(self.braces.items()):
            while inside < len(starts) and starts[inside] < opening:
                inside += 1
            if inside < len(starts) and starts[inside] < closing and not self._owned(opening):
                self.clear(opening, opening + 1)
                self.clear(closing, closing + 1)
        for mark in marks:
            self.clear(mark.start(), mark.end())

    def _owned(self, opening: int) -> bool:
        return bool(re.search(r"\\(?:begin|end)\s*$", self.source[max(0, opening - 12) : opening]))

    def group(self, place: int) -> tuple[int, int] | None:
        """Return the places of the braces of the group that comes next, if one comes next."""
        while place < len(self.source) and self.source[place].isspace():
            place += 1
        return (place, self.braces[place]) if place in self.braces else None

    def strip(self, token: re.Match[str]) -> None:
        """Blank out the command if it is one of decoration, and what goes with it."""
        name = token.group()[1:].rstrip("*")
        if token.group() in "{}" or self.characters[token.start()] == " ":
            return
        if name in SPACES:
            self.clear(*token.span())
            if name in ("left", "right") and self.source[token.end() : token.end() + 1] == ".":
                self.clear(token.end(), token.end() + 1)
        elif name in ERASED:
            self._take(token, ERASED[name])
        elif name in WRAPPERS:
            self._unwrap(token, WRAPPERS[name])
        elif name in FONTS:
            group = self.group(token.end())
            single = CODE_NAME if name.endswith("tt") else NAME
            if group and not single.fullmatch(self.source, group[0] + 1, group[1]):
                self._unwrap(token, 0)
        elif name in ("stackrel", "overset", "underset"):
            self._over_sign(token)
        elif name in ("dfrac", "tfrac", "cfrac"):
            self.characters[token.start() : token.end()] = "\\frac "

    def _take(self, token: re.Match[str], count: int) -> int:
        """Blank out a command with its options and `count` arguments; return where they end."""
        place = token.end()
        while option := OPTION.match(self.source, place):
            place = option.end()
        for _ in range(count):
            if (group := self.group(place)) is None:
                break
            place = group[1] + 1
        self.clear(token.start(), place)
        return place

    def _unwrap(self, token: re.Match[str], labels: int) -> None:
        """Blank out a command and its labels, and the braces of its last argument unless they bind it."""
        place = self._take(token, labels)
        if (group := self.group(place)) is None:
            return
        inner = self.source[group[0] + 1 : group[1]]
        name = token.group()[1:]
        if name.startswith(("under", "over")):
            after = re.compile(r"\s*[_^]\s*").match(self.source, group[1] + 1)
            if after and (label := self.group(after.end())):
                case = "=" in inner and CASE.fullmatch(self.source, label[0] + 1, label[1])
                self.clear(group[1] + 1, label[0] + 1 if case else label[1] + 1)
                if case:
                    self.characters[label[0]], self.characters[label[1]] = ",", ","
        before = self.text_before(token.start())
        binds = before.endswith(("^", "_", "]")) or bool(TAKES_GROUP.search(before)) or self._second(token.start())
        sums = name.startswith(("under", "over")) and re.search(r"[+\-−]", inner)
        if inner.strip() == "'" or not (binds or sums):
            self.clear(group[0], group[0] + 1)
            self.clear(group[1], group[1] + 1)

    def _second(self, place: int) -> bool:
        """Return whether the group before a place is the first argument of a fraction."""
        while place and self.source[place - 1] == " ":
            place -= 1
        opening = self.openings.get(place - 1)
        return opening is not None and bool(TWO_GROUPS.search(self.source[max(0, opening - 12) : opening]))

    def text_before(self, place: int) -> str:
        """Return the last twenty characters before a place that are no blanks at its end."""
        first = max(0, place - 400)
        while place > first and self.characters[place - 1].isspace():
            place -= 1
        return "".join(self.characters[max(0, place - 20) : place])

    def _over_sign(self, token: re.Match[str]) -> None:
        r"""Take what stands over an equals sign, as in ``\stackrel{def}{=}``."""
        over = self.group(token.end())
        sign = over and self.group(over[1] + 1)
        if not over or not sign or not SIGN.fullmatch(self.source, sign[0] + 1, sign[1]):
            return
        self.clear(token.start(), over[1] + 1)
        self.clear(sign[1], sign[1] + 1)
        if DEFINED.search(self.source[over[0] : over[1]]) and self.source[sign[0] + 1] == "=":
            self.characters[sign[0]] = ":"
        else:
            self.clear(sign[0], sign[0] + 1)
