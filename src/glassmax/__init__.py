"""glassmax: the softmax classifier you can see through."""

from . import functional
