"""Bugs of a training pipeline, by the module of it that they sit in."""
