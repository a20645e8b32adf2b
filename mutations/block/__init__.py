"""Kinds of bug in the stage block."""
