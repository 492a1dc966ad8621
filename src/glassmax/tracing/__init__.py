"""The glass box: one batch, every array, its equation, its shape and the reason for it.

::

    batch_trace    `trace` and `Trace`: the ledger of a batch
    batch          what was handed in (network, classifier, model; arrays, tables) as rows for a network
    encoded_names  the columns of an encoded table by name
    arrays         every array of the two passes, as the network computes it
    equations      the equation of an array, read or derived by the calculus, with the names of its layer
    ledger         which array has which equation, in the order of the computation
    reasons        the sentence to each array
    entry          one array with its equations, its value and its reason
    cells          one cell as the sum of its products
    naive          the usual wrong ways, beside the right one
    nudges         one number changed: the predicted loss and the measured one
    updates        the step that an optimizer makes
    recipes        an equation as a tree of plain data, for programs in other languages
    toy            the 4-10-3 network on five rows
    formats/       text, Markdown, LaTeX, JSON and plain data

Nothing is trained here. The values are those of `glassmax.network`; equations, rules and their printing are those of
`glassmax.calculus`.
"""

from .batch_trace import Trace, trace
from .cells import Cell
from .entry import Entry
from .naive import NaiveView
from .nudges import Nudge
from .toy import toy

__all__ = ["Cell", "Entry", "NaiveView", "Nudge", "Trace", "toy", "trace"]


def __dir__() -> list[str]:
    return __all__
