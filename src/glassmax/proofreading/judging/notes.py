"""How a document was read, in sentences: what its names are, how its vectors lie, what is not defined."""

from collections.abc import Iterable, Iterator, Sequence

from ..formula.tree import Call, Name, Node, Summation
from ..formula.walk import nodes_in
from ..formula.write import write
from ..numbers import Context
from ..numbers.functions import ELEMENTWISE, REDUCTIONS
from ..numbers.vocabulary import OPEN_LOSS

__all__ = ["notes_of"]

KINDS = ((2, "matrix", "matrices"), (1, "vector", "vectors"), (0, "number", "numbers"))


def notes_of(formulas: Sequence[Node], context: Context) -> tuple[str, ...]:
    """Return what was decided about a document that it does not say itself."""
    if context.reading.scalars:
        return ("all names without an index are numbers", *_letters(context), *_unspecified(formulas, context))
    ranks = {name: rank for name, rank in context.reading.ranks.items() if "[" not in name}
    letters = set(_index_letters(formulas))
    kinds = []
    for rank, one, several in KINDS:
        names = [_spelled(name) for name, found in ranks.items() if found == rank and name not in letters]
        if names:
            kinds.append(f"{one if len(names) == 1 else several} {', '.join(names)}")
    notes = ["; ".join(kinds)] if kinds else []
    whole = [name for name, rank in ranks.items() if rank and name not in context.indexed]
    if whole and 2 in ranks.values():
        notes.append("vectors are columns, as in W x + b" if context.columns else "vectors are rows, as in X W + b")
    return (*notes, *_samples(context), *_example(context), *_letters(context), *_unspecified(formulas, context))


def _samples(context: Context) -> Iterator[str]:
    """Yield which letters are the samples of which matrices."""
    if samples := context.names.samples:
        lying = "columns" if context.columns else "rows"
        small, large = (
            _listed([_spelled(name) + end for name in names])
            for names, end in ((samples, "^(i)"), (samples.values(), ""))
        )
        yield f"{small} {'is one of the' if len(samples) == 1 else 'are'} {lying} of {large}"


def _example(context: Context) -> Iterator[str]:
    """Yield that a sum over examples is read for one of them."""
    if letter := context.definitions.one_example:
        yield f"for one example: the lines have no index {letter}, so the sum over {letter} is left out"


def _letters(context: Context) -> Iterator[str]:
    """Yield which letters of the formulas the names of a program stand for."""
    for name, letter in context.names.letters.items():
        yield f"{name} is {_spelled(letter)}"


def _unspecified(formulas: Sequence[Node], context: Context) -> Iterator[str]:
    """Yield sentences for the functions that the document uses and does not define."""
    defined = {*ELEMENTWISE, *REDUCTIONS, *context.definitions.functions}
    called = dict.fromkeys(part.function.base for part in _parts(formulas) if isinstance(part, Call))
    unknown = [_spelled(name) for name in called if name not in defined]
    if unknown:
        yield f"{_listed(unknown)} {'is any smooth function' if len(unknown) == 1 else 'are any smooth functions'}"
    for name, function in context.definitions.functions.items():
        if function.equation is None and name in called:
            yield f"{_spelled(name)} is the logistic function, since the text has its derivative"
    for name, arguments in context.open_of.items():
        named = "the loss" if name == OPEN_LOSS else _spelled(name)
        yield f"{named} is any smooth function of {', '.join(map(_spelled, arguments))}"


def _listed(words: Sequence[str]) -> str:
    return " and ".join([", ".join(words[:-1]), words[-1]] if len(words) > 1 else words)


def _index_letters(formulas: Sequence[Node]) -> Iterator[str]:
    for part in _parts(formulas):
        if isinstance(part, Summation):
            yield from part.letters
        elif isinstance(part, Name):
            indices = _parts([*part.below, *part.above])
            yield from (one.base for one in indices if isinstance(one, Name))


def _parts(formulas: Iterable[Node]) -> Iterator[object]:
    for formula in formulas:
        yield from nodes_in(formula)


def _spelled(name: str) -> str:
    base, _, above = name.partition("^")
    return write(Name(base)) + (f"^{above}" if above else "")
