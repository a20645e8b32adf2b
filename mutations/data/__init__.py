"""Kinds of bug in the stage data."""
