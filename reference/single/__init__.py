"""A GPT of one head: the changes that make it, and tests of what it must compute."""
