"""The version of glassmax."""

__version__ = "0.9.0"
