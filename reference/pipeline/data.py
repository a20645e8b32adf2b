"""Rows that write values to keys and then ask for one: drawn, split, and put into batches."""

import torch
from torch import nn

KEYS, VALUES = 4, 3
PAD = 0
WRITE = 1  # a write of value v to key k is the token WRITE + k * VALUES + v
ASK = WRITE + KEYS * VALUES  # and the question for key k is ASK + k
VOCABULARY = ASK + KEYS
SHORTEST, LONGEST = 4, 10
NOISE = 0.08


def draw_rows(count, generator):
    """Draw rows as pairs of tokens (L,) and a label: the value that the asked key was given last.

    The key is that of a write drawn at random. A share NOISE of the labels is another value.
    """
    rows = []
    for _ in range(count):
        length = int(torch.randint(SHORTEST, LONGEST + 1, (1,), generator=generator))
        writes = torch.randint(KEYS * VALUES, (length,), generator=generator)
        keys, values = writes // VALUES, writes % VALUES
        asked = keys[torch.randint(length, (1,), generator=generator)]
        label = values[keys == asked][-1]
        tokens = torch.cat([WRITE + writes, ASK + asked])
        if torch.rand(1, generator=generator) < NOISE:
            label = (label + torch.randint(1, VALUES, (1,), generator=generator)) % VALUES
        rows.append((tokens, int(label)))
    return rows


def split(rows, share, generator):
    """Give the rows to learn from, and a share of all that is held out."""
    order = torch.randperm(len(rows), generator=generator).tolist()
    count = round(len(rows) * share)
    return [rows[i] for i in order[count:]], [rows[i] for i in order[:count]]


def collate(rows):
    """Give tokens (B, T), filled up behind the ends of rows, lengths (B,) and labels (B,)."""
    lengths = torch.tensor([len(tokens) for tokens, _ in rows])
    padded = nn.utils.rnn.pad_sequence(
        [tokens for tokens, _ in rows], batch_first=True, padding_value=PAD
    )
    labels = torch.tensor([label for _, label in rows])
    return padded, lengths, labels


def batches(rows, size, generator):
    """Give the batches of one epoch: each row once, in a new order; the last may be short."""
    order = torch.randperm(len(rows), generator=generator).tolist()
    for start in range(0, len(rows), size):
        yield collate([rows[i] for i in order[start : start + size]])
