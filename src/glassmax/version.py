"""The version of glassmax."""

__version__ = "0.5.0"
