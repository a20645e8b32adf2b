"""A text as tokens: its vocabulary, its two parts, and batches of windows."""

import torch


class Vocabulary:
    """The characters of a text, in order; a token is a character's place."""

    def __init__(self, text):
        self.chars = sorted(set(text))
        self.index = {char: i for i, char in enumerate(self.chars)}

    def __len__(self):
        return len(self.chars)

    def encode(self, text):
        return torch.tensor([self.index[char] for char in text])

    def decode(self, tokens):
        return "".join(self.chars[token] for token in tokens)


def split(data, share):
    """Give of data (N,) what is learned and what is held out."""
    cut = round(len(data) * (1 - share))
    return data[:cut], data[cut:]


def get_batch(data, config, generator):
    """Draw random windows of data (N,) and cut them into inputs and targets, each (B, T)."""
    span = config.block_size + 1
    last = len(data) - span
    # Starts beyond an edge are moved onto it, else the first and last tokens would be rare.
    starts = torch.randint(-span, last + span, (config.batch_size,), generator=generator)
    starts = starts.clamp(0, last)
    windows = data[starts[:, None] + torch.arange(span)]  # (B, T + 1)
    return windows[:, :-1], windows[:, 1:]
