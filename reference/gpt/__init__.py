"""A small GPT and the program that trains it on one sentence."""
