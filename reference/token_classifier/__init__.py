"""A GPT that also tells odd tokens from even ones: the changes that make it."""
