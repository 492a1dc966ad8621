"""glassmax: the softmax classifier you can see through."""

from . import functional as functional
from . import gradcheck as gradcheck
from .network import Network as Network
