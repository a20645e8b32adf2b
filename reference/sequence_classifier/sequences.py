"""Rows of tokens of many lengths, each with a token that it holds more often than others."""

import torch

CLASSES = 3
VOCABULARY = 9
PADDING = 0


def draw_rows(count, length, generator):
    """Draw rows (B, T) of up to T tokens, filled up behind their ends with padding.

    Give them with a mask (B, T), True where a token stands, and the class of each row (B,): the
    token that it holds more often is one more than its class.
    """
    labels = torch.randint(CLASSES, (count,), generator=generator)
    idx = torch.randint(1, VOCABULARY, (count, length), generator=generator)
    often = torch.rand(count, length, generator=generator) < 0.5
    idx = torch.where(often, labels[:, None] + 1, idx)
    lengths = torch.randint(length // 2, length + 1, (count, 1), generator=generator)
    mask = torch.arange(length) < lengths
    return idx.masked_fill(~mask, PADDING), mask, labels
