"""The version of glassmax."""

__version__ = "0.3.0"
