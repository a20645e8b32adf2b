"""A cache of keys and values, and what a GPT that decodes with one does otherwise."""
