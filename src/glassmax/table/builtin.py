"""The built-in examples: two CSV files shipped here, three data sets that scikit-learn ships.

digits, iris, wine
    From scikit-learn: Alpaydin & Kaynak (1998); Fisher (1936); Forina (1991).
penguins
    344 penguins of three species, with missing cells. Horst, Hill & Gorman (2020), palmerpenguins, CC0.
toy
    Five rows, four features, three classes: small enough for pencil and paper.
"""

from dataclasses import dataclass
from importlib.resources import files

import numpy as np

from ..functional.arrays import Array

__all__ = ["BUILTIN", "Example", "load"]


@dataclass(frozen=True)
class Example:
    """A built-in table.

    Attributes
    ----------
    target : str
        The column to predict.
    file : str or None
        CSV file of the example in this package; None if the data come from scikit-learn.
    hidden : tuple of int
        Hidden layers that suit it.
    """

    target: str
    file: str | None
    hidden: tuple[int, ...] = (100,)

    def text(self) -> str:
        """Return the CSV file's text."""
        return files(__package__).joinpath("data", str(self.file)).read_text(encoding="utf-8")


BUILTIN = {
    "digits": Example("digit", None),
    "penguins": Example("species", "penguins.csv"),
    "iris": Example("species", None),
    "wine": Example("cultivar", None),
    "toy": Example("class", "toy.csv", hidden=(10,)),
}


def load(name: str) -> tuple[dict[str, Array] | None, str]:
    """Return the columns of a built-in example (None if it is a CSV file to be read) and the target."""
    example = BUILTIN[name]
    if example.file is not None:
        return None, example.target
    from sklearn import datasets  # late: `glassmax --help` does without

    bunch = getattr(datasets, f"load_{name}")()
    columns = {
        _plain(feature): np.asarray(values, np.float64)
        for feature, values in zip(bunch.feature_names, bunch.data.T, strict=True)
    }
    names = bunch.target_names
    labels = [str(names[index]) if names.dtype.kind == "U" else str(index) for index in bunch.target]
    return {**columns, example.target: np.array(labels, dtype=object)}, example.target


def _plain(feature: str) -> str:
    return feature.replace(" (cm)", "_cm").replace(" ", "_").replace("/", "_per_")
