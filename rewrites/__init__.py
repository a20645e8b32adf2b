"""The built-in rewrites: ways to write the reference that mean the same."""
