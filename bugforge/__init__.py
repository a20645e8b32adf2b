"""Forge practice variants of "debug this transformer", and judge them by behaviour."""

__version__ = "0.1.0"
