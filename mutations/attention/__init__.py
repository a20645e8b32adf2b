"""Kinds of bug in the stage attention."""
