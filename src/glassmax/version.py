"""The version of glassmax."""

__version__ = "0.7.0"
