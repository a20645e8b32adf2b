"""Rows that write values to keys and ask for one, as PROBLEM.md of the pipeline states them."""

KEYS, VALUES, NOISE = 4, 3, 0.08
"""Keys, values, and the share of labels that are another value."""

LENGTHS = range(4, 11)
"""How many writes a row has."""

ASK = 1 + KEYS * VALUES
"""The first token that is a question; those of writes are below it, and 0 is padding."""

GIVEN, UNSEEN = 23, 1000
"""Rows that a program is given to split and to put into batches, and rows that it never sees."""

CHANGED_FROM = 5
"""The place from which on tokens are changed to see what moves before it."""


def valid(tokens: list[int]) -> bool:
    """Whether tokens are writes and one question, of a key that was written."""
    *writes, question = tokens
    asked = question - ASK
    return (
        len(writes) in LENGTHS
        and all(1 <= write < ASK for write in writes)
        and asked in {(write - 1) // VALUES for write in writes}
    )


def answer(tokens: list[int]) -> int:
    """Give the value that the asked key was given last."""
    *writes, question = tokens
    values = [(write - 1) % VALUES for write in writes if (write - 1) // VALUES == question - ASK]
    return values[-1]
