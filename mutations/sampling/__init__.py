"""Kinds of bug in the stage sampling."""
