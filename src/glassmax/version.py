"""The version of glassmax."""

__version__ = "0.2.0"
