"""The version of glassmax."""

__version__ = "0.8.0"
