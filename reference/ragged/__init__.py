"""What a GPT with caches does otherwise where the rows of a batch are unlike in length."""
