"""Bugs of positions that turn queries and keys, and of heads that share keys and values."""
