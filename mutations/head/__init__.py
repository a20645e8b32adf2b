"""Kinds of bug in the stage head."""
