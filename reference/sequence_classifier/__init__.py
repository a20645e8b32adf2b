"""A GPT that also classifies whole rows: the changes and the program that make it."""
