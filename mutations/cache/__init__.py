"""Kinds of bug in the stage cache."""
