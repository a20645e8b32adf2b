"""A small GPT with what large ones are trained with, and the program that trains it."""
