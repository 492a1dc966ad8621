"""The version of glassmax."""

__version__ = "0.1.0"
