"""Bring an expression to its short form, as people would write it.

::

    simplifier             an expression to its short form, with the rule of each line on the way
    term, keys             a product with its sum; which products are alike
    expand                 multiplied out, deltas contracted, terms that are alike combined
    collect                common factors taken out again
    recognise              definitions, assumptions, softmaxes, sigmoids: what has a name or a known sum
    brackets, shorten      keep brackets whole, and use names if the result is shorter

Every function here returns an expression equal to the one it was given; nothing is proved here.
"""

from .collect import size
from .expand import combine, expand, simplified
from .keys import key
from .recognise import fold, named_sigmoids, unnamed_softmax, written_sigmoids
from .shorten import namings, weight
from .simplifier import Simplifier

__all__ = ["Simplifier", "combine", "expand", "fold", "key", "named_sigmoids", "namings", "simplified", "size"]
__all__ += ["unnamed_softmax", "weight", "written_sigmoids"]
