"""Constants that a fit has found, recognized: 1/n, -1, 2, a learning rate, or a number without a name."""

from collections.abc import Sequence
from dataclasses import dataclass

__all__ = ["ONE", "Constant", "recognise"]

POWERS = (0, 1, -1, -2, 2)
RATES = {m * 10.0**-e: f"{m * 10.0**-e:g}" for e in range(0, 6) for m in (1, 2, 3, 5)}
TOLERANCE = 1e-6


@dataclass(frozen=True)
class Constant:
    """A factor, the same for each probe but for a power of its number of rows: ``multiple * n**power``.

    `values` has one number for each probe. `name` is what a learner would write: "1/n", "-1", "2", "0.01". `cost` says
    how odd the factor is, from 0.
    """

    values: tuple[float, ...]
    power: int
    multiple: float
    name: str
    cost: float

    @property
    def is_one(self) -> bool:
        """Whether it is the factor 1, on every probe."""
        return all(abs(value - 1) < TOLERANCE for value in self.values)

    @property
    def known(self) -> bool:
        """Whether it has a name of its own."""
        return self.cost < 0.5


ONE = Constant((1.0,), 0, 1.0, "1", 0.0)


def recognise(values: Sequence[float], rows: Sequence[int], k: int, tolerance: float = TOLERANCE) -> Constant | None:
    """Return the constant that the factors of several probes share, up to a power of n; None if there is none.

    `rows` has the n of each probe, `k` is the number of outputs, `tolerance` says how nearly the probes must agree.

    Examples
    --------
    >>> recognise([0.2, 0.5], [5, 2], k=3).name
    '1/n'
    >>> recognise([-1.0, -1.0], [5, 2], k=3).name
    '-1'
    >>> recognise([0.3, 0.7], [5, 2], k=3) is None
    True
    """
    found: list[Constant] = []
    for power in POWERS:
        multiples = [value / n**power for value, n in zip(values, rows, strict=True)]
        multiple = multiples[0]
        spread = max(abs(other - multiple) for other in multiples)
        if spread > tolerance * max(abs(multiple), 1e-12):
            continue
        name, cost = _named(multiple, k, max(tolerance, TOLERANCE))
        written, odd = _with_power(name, power)
        found.append(Constant(tuple(values), power, multiple, written, cost + odd))
    return min(found, key=lambda constant: constant.cost, default=None)


def _named(multiple: float, k: int, tolerance: float) -> tuple[str, float]:
    """Name a number that holds no n; the cost says how odd it is."""

    def near(number: float) -> bool:
        return abs(abs(multiple) - number) <= tolerance * number

    sign = "-" if multiple < 0 else ""
    turned = 0.02 if multiple < 0 else 0.0
    if near(1):
        return f"{sign}1", turned
    for number, name in ((2.0, "2"), (0.5, "1/2"), (4.0, "4"), (0.25, "1/4")):
        if near(number):
            return sign + name, turned + 0.05
    if k > 1:
        for number, name in ((float(k), "k"), (1 / k, "1/k"), (2 / k, "2/k"), (k / 2, "k/2"), (1 / (k * k), "1/k^2")):
            if near(number):
                return sign + name, turned + 0.12
    for number, name in RATES.items():
        if near(number):
            return sign + name, turned + 0.2
    return f"{multiple:.6g}", turned + 0.6


def _with_power(name: str, power: int) -> tuple[str, float]:
    """Write the power of n into the name."""
    if power == 0:
        return name, 0.0
    odd = {1: 0.01, -1: 0.01, -2: 0.1, 2: 0.15}[power]
    letters = "n" if abs(power) == 1 else "n^2"
    sign, number = ("-", name[1:]) if name.startswith("-") else ("", name)
    if power > 0:
        return (f"{sign}{letters}" if number == "1" else f"{name} {letters}"), odd
    if number == "1":
        return f"{sign}1/{letters}", odd
    if number.startswith("1/"):
        return f"{sign}1/({number[2:]} {letters})", odd
    return f"{name}/{letters}", odd
