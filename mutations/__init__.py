"""The built-in kinds of bug: one small file per family, grouped by the stage they sit in."""
