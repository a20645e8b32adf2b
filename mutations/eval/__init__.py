"""Kinds of bug in the stage eval."""
