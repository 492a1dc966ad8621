"""What a mistake is made of."""

from dataclasses import dataclass

__all__ = ["Mistake"]


@dataclass(frozen=True)
class Mistake:
    """A wrong version of one step of the backward pass; it is made together with the array that it gives.

    Attributes
    ----------
    cause : str
        The stable name.
    says : str
        What was done, as the end of the sentence "It looks as if ...".
    cost : float, default=1.0
        1 for the most frequent, a little more for the rarer: of two that fit equally well the cheaper comes first.
    any_scale : bool, default=False
        Whether the formula is not linear, so that its factor 1/n may stand in several places: a power of n is forgiven.
    also : tuple of str, default=()
        Other causes that make the same array whatever the data.
    """

    cause: str
    says: str
    cost: float = 1.0
    any_scale: bool = False
    also: tuple[str, ...] = ()
