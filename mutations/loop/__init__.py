"""Kinds of bug in the stage loop."""
