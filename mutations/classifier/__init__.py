"""Bugs of a classifier of tokens."""
