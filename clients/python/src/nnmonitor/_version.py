"""The version of the package, where the build reads it without importing the rest."""

__version__ = "0.1.0"
