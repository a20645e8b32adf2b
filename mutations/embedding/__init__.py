"""Kinds of bug in the stage embedding."""
