"""The version, in a file of its own: a leaf that every room may read."""

__version__ = "0.1.0"
