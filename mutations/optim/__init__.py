"""Kinds of bug in the stage optim."""
