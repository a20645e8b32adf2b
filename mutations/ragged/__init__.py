"""Bugs of rows of unlike length, padded on the left."""
