"""What an array of the learner's is, in words: "8 dZ2 = P - Y", "A1 of one sample", "zeros, later dW1"."""

from collections.abc import Set

from ..exact_pass import Pass
from .equations import told_with_equation
from .observed import Observed
from .recognise import Recognised

__all__ = ["Words", "is_on_its_way"]


def is_on_its_way(one: Observed) -> bool:
    """Whether a statement changes the array, and only a later one makes it something."""
    return one.becomes is not None and one.event.in_place


class Words:
    """Words for one learner, whose samples may be columns and whose weights may be (out, in), here `turned`.

    `returned` are the paths that the learner's function returns: of an array that may be several, they are gradients.
    """

    def __init__(self, p: Pass, columns: bool, turned: bool, returned: Set[str] = frozenset()) -> None:
        self.p, self.columns, self.turned, self.returned = p, columns, turned, returned
        self.gradients = {f"d{kind}{layer}" for kind, layer in p.architecture.parameters}
        self._n_is_told = False

    def told(self, one: Observed, short: bool = False) -> str:
        """An array in words; `short` leaves its equation out."""
        recognised, becomes = one.recognised, one.becomes
        if becomes is not None and is_on_its_way(one):
            return f"in the end {self._named(becomes, short)}"
        if recognised is None:
            assert becomes is not None
            return f"not filled yet, later {self._named(becomes, short=True)}"
        if recognised.name == "n":
            return f"n, the number of samples: {self.p.n}"
        if recognised.kind == "constant":
            later = "" if becomes is None else f", later {self._named(becomes, short=True)}"
            return recognised.name + later
        if recognised.kind == "row":
            return f"{self._named(recognised, short=True).removesuffix(' of each sample')} of one sample"
        if recognised.kind == "slice":
            return f"one {'column' if recognised.transposed else 'row'} of {self._named(recognised, short=True)}"
        if recognised.kind == "cell":
            return f"one number of {self._named(recognised, short=True)}"
        if recognised.samples is not None:
            return self._named(recognised, short=True) + self._which(recognised.samples)
        if one.event.path.startswith("return") or (one.event.call == 0 and one.event.path in self.returned):
            recognised = self.as_returned(recognised)
        return self._named(recognised, short) + self._turn(recognised, one)

    def as_returned(self, recognised: Recognised) -> Recognised:
        """Of the names that fit, that of a gradient: of one sample, dZ2 is db2 as well."""
        other = next((name for name in recognised.other if name in self.gradients), None)
        return recognised if other is None or recognised.name in self.gradients else Recognised(other)

    def said(self) -> tuple[str, ...]:
        """What holds for everything that was told."""
        found = []
        if self._n_is_told:
            found.append(f"{self.p.n} is n, the number of samples")
        if self.columns:
            found.append("your samples are columns, the equations have them in rows: your arrays are the transposes")
        elif self.turned:
            found.append("your weights are (out, in), the equations have them (in, out): yours are the transposes")
        return tuple(found)

    def _named(self, recognised: Recognised, short: bool) -> str:
        self._n_is_told = self._n_is_told or recognised.factor.power in (1, -1)
        return recognised.told(self.p.n) if short else told_with_equation(recognised, self.p)

    def _which(self, samples: tuple[int, ...]) -> str:
        if {*samples} == {*range(self.p.n)}:
            return ", samples in another order"
        listed = ", ".join(map(str, samples[:4])) + (", ..." if len(samples) > 4 else "")
        return f" of sample{'s' if len(samples) > 1 else ''} {listed}"

    def _turn(self, recognised: Recognised, one: Observed) -> str:
        """Whether the array is turned, where that is not the learner's usual way."""
        if recognised.flat:
            return ", as one vector"
        if sum(size > 1 for size in one.event.array.shape) < 2:
            return ""
        weights = recognised.name.removeprefix("d").startswith("W")
        usual = self.turned if weights else self.columns
        return "" if recognised.transposed == usual else ", transposed"
