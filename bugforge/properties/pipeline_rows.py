"""Laws of the rows of a training pipeline, its halves and its batches."""

from functools import partial

import numpy as np

from bugforge.checks import Evidence, Law, facts
from bugforge.rows_of_writes import ASK, GIVEN, KEYS, LENGTHS, VALUES, answer, valid

NOISY = 0.03, 0.14
"""What a share of 0.08 may be among 600 rows."""

LAST = 0.2, 0.5
"""In what share of rows the key of the last write may be asked for; it is 0.36 of all."""

DRAWN = 600
"""Rows that a program is asked for."""

ALIKE = 5
"""How many of them may have been drawn before: two in a hundred drawings have one such."""

LIKELIEST = 0.55
"""The greatest share of one label among the rows that ask for the same key; it is a third."""

HELD_OUT = 6, 7
"""How many of the given rows may be held out: 6.9, rounded either way."""


def ill_drawn(seen: Evidence) -> float:
    """Count what is not as stated: rows, noise, and whether a label can be had without reading."""
    drawn = facts(seen, "pipeline-data")["drawn"]
    if not drawn or not all(valid(tokens) for tokens, _ in drawn):
        return float("inf")
    noise = np.mean([answer(tokens) != label for tokens, label in drawn])
    last = np.mean([(t[-2] - 1) // VALUES == t[-1] - ASK for t, _ in drawn])
    likeliest = max(
        np.mean([label == value for tokens, label in drawn if tokens[-1] == question])
        for value in range(VALUES)
        for question in range(ASK, ASK + KEYS)
    )
    lengths = {len(tokens) for tokens, _ in drawn}
    odd = (
        not NOISY[0] <= noise <= NOISY[1],
        not LAST[0] <= last <= LAST[1],
        likeliest > LIKELIEST,
        lengths != {length + 1 for length in LENGTHS},
        len(drawn) != DRAWN,
        len(drawn) - len({tuple(tokens) for tokens, _ in drawn}) > ALIKE,
    )
    return float(sum(odd))


def ill_split(seen: Evidence) -> float:
    """Count rows that are in both halves, or in none, or are no rows; and whether the halves are of
    another size than asked for.
    """
    told = facts(seen, "pipeline-data")
    learned, held_out = told["learned"], told["held out"]
    both = [*learned, *held_out]
    twice = len(both) - len(set(both))
    lost = len(set(range(GIVEN)) - set(both))
    return float(twice + lost + (-1 in both) + (len(held_out) not in HELD_OUT))


def halves_alike(seen: Evidence) -> float:
    """Count the seeds, of two, that hold out the same rows as the other."""
    told = facts(seen, "pipeline-data")
    return float(set(told["held out"]) == set(told["held out otherwise"]))


def rows_missed(seen: Evidence) -> float:
    """Count the rows that an epoch leaves out, or gives more than once, or makes up."""
    told = facts(seen, "pipeline-data")
    epochs = [told["epoch 1"], told["epoch 2"]]
    return float(sum(abs(epoch.count(row) - 1) for epoch in epochs for row in range(-1, GIVEN))) - (
        sum(-1 not in epoch for epoch in epochs)
    )


def orders_alike(seen: Evidence) -> float:
    """Count the epochs, of two, in the order of the rows, or in that of the other."""
    told = facts(seen, "pipeline-data")
    one, other = told["epoch 1"], told["epoch 2"]
    return float((one == other) + (one == sorted(one)))


def wrong_in_batches(names: tuple[str, ...], seen: Evidence) -> float:
    """Count rows of batches whose labels, lengths or padding are wrong."""
    wrong = facts(seen, "pipeline-data")["wrong"]
    return float(sum(wrong[name] for name in names))


ROWS = (
    Law(
        "drawn-rows",
        "data",
        "Rows are as PROBLEM.md states, and their labels can be had from nothing but the answer.",
        ("pipeline-data",),
        ill_drawn,
        at_most=0.0,
    ),
    Law(
        "halves",
        "data",
        "No row that is held out is learned, and none is lost.",
        ("pipeline-data",),
        ill_split,
        at_most=0.0,
    ),
    Law(
        "halves-drawn",
        "data",
        "Another seed holds other rows out.",
        ("pipeline-data",),
        halves_alike,
        at_most=0.0,
        after=("halves",),
    ),
    Law(
        "batches-whole",
        "data",
        "An epoch gives each row once.",
        ("pipeline-data",),
        rows_missed,
        at_most=0.0,
    ),
    Law(
        "batches-shuffled",
        "data",
        "Each epoch has an order of its own.",
        ("pipeline-data",),
        orders_alike,
        at_most=0.0,
    ),
    Law(
        "batch-labels",
        "data",
        "In a batch, labels stand beside their rows.",
        ("pipeline-data",),
        partial(wrong_in_batches, ("labels",)),
        at_most=0.0,
    ),
    Law(
        "batch-padding",
        "data",
        "In a batch, rows begin at the left, padding follows, and lengths count none of it.",
        ("pipeline-data",),
        partial(wrong_in_batches, ("lengths", "padding")),
        at_most=0.0,
    ),
)
