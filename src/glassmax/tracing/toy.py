"""The toy system: four features, ten hidden sigmoid units, three classes, and the five rows of the table `toy`.

All sizes differ, so that a lost transpose shows in the shapes. docs/toy.md prints every array of it.
"""

import numpy as np

from ..functional.arrays import Array
from ..network import Network
from ..table import read_table

__all__ = ["toy"]

# fmt: off
W1 = np.array([[-0.2, -0.3, -0.4, 0.2, 0.1, -0.6, 0.2, 0.2, -0.2, -0.2],
               [-0.1, 0.5, -0.5, -0.2, -0.3, 0.3, -0.4, -0.4, 0.6, -0.3],
               [0.1, -0.2, -0.2, -0.1, -0.5, 0.1, 0.4, 0.6, -0.5, -0.6],
               [0.1, -0.2, 0.5, -0.3, 0.4, -0.2, 0.1, 0.3, 0.5, -0.6]])
b1 = np.array([0.3, -0.2, 0.3, 0.1, -0.3, -0.3, -0.1, 0.2, -0.3, -0.3])
W2 = np.array([[-0.6, -0.4, 0.1], [0.4, -0.9, 0.4], [-0.3, -0.6, 0.1], [-0.3, 0.5, 0.2], [-0.8, 0.8, 0.6],
               [-0.1, -0.7, -0.6], [-0.9, -0.7, -0.7], [0.3, 0.4, -0.8], [0.1, -0.8, 0.3], [0.6, -0.6, -0.3]])
b2 = np.array([-0.2, 0.3, -0.1])
# fmt: on


def toy() -> tuple[Network, Array, Array]:
    """Return the network of the toy system, its X, (5, 4), and its y, (5,).

    Examples
    --------
    >>> network, X, y = toy()
    >>> round(network.loss(X, y), 4)
    1.2176
    """
    table = read_table("toy")
    X = np.column_stack([table.column(name) for name in table.names[:-1]])
    y = np.array(["abc".index(label) for label in table.column("class")])
    network = Network.from_parameters({"W1": W1, "b1": b1, "W2": W2, "b2": b2}, activation="sigmoid")
    return network, X, y


def __dir__() -> list[str]:
    return __all__
