"""What a GPT does otherwise that turns queries and keys by their positions, in grouped heads."""
