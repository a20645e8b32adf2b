"""Bugs of a matrix product with gradients of its own, and of a scan over its tiles."""
