"""Kinds of bug in the stage loss."""
