"""A matrix product with gradients of its own, and a scan over tiles of it: the whole program."""
