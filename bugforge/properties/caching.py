"""Laws of caches: with them a program must compute what it computes without, and less."""

import numpy as np

from bugforge.checks import Evidence, Law, facts, tensors
from bugforge.distance import apart
from bugforge.probe import SIZES


def cached_apart(seen: Evidence) -> float:
    """How far the logits of tokens read in chunks lie from those of the same read at once."""
    whole = tensors(seen, "caching", "whole/")
    return max(
        apart(cached, whole[name.rpartition("/")[0]])
        for name, cached in tensors(seen, "caching", "cached/").items()
    )


def mixed(seen: Evidence) -> float:
    """How far logits lie from what they should be where texts are read in turn."""
    whole, got = tensors(seen, "caching", "whole in turn/"), tensors(seen, "caching", "in turn/")
    return max(apart(got[name], whole[name]) for name in whole)


def wrong_lengths(seen: Evidence) -> float:
    """Count the caches that are not as long as what was read, after each chunk."""
    told = facts(seen, "caching")
    return float(
        sum(
            length != read
            for lengths, read in zip(told["lengths"], told["read"], strict=True)
            for length in lengths
        )
    )


def cost_of_a_token(seen: Evidence) -> float:
    """How many times more, or less, a token behind the first costs than it must: the operations of
    one token alone, and two of attention for every number of each key and value before it. What
    costs less was not counted: it was done where operations are not seen.
    """
    told = facts(seen, "caching")
    steps = np.diff(np.array(told["operations"], dtype=np.float64))[1:]
    # The last token that is given needs no reading: behind n new ones, n + 1 have been read.
    read = np.arange(len(steps)) + 2
    attention = 2 * 2 * SIZES["n_layer"] * SIZES["n_embd"] * read
    share = steps / (told["operations alone"] + attention)
    return float(np.maximum(share, 1 / share).max())


def held_beyond_need(seen: Evidence) -> float:
    """How many times more numbers were written into caches than keys and values have, of heads that
    others share. Those of every head are, at the sizes of the probe, three times as many.
    """
    told = facts(seen, "grouped")
    return float(told["held"] / told["needed"])


CACHING = (
    Law(
        "cached",
        "cache",
        "Tokens read in chunks, behind caches, get the logits that they get when read at once.",
        ("caching",),
        cached_apart,
        at_most=1e-4,
        after=("shape", "finite", "causality"),
    ),
    Law(
        "cache-length",
        "cache",
        "Each layer's cache is as long as what has been read.",
        ("caching",),
        wrong_lengths,
        at_most=0.0,
    ),
    Law(
        "caches-apart",
        "cache",
        "Texts that are read in turn, each behind caches of its own, leave each other alone.",
        ("caching",),
        mixed,
        at_most=1e-4,
        after=("cached",),
    ),
    Law(
        "cached-cost",
        "cache",
        "A token that is generated costs one token's work, and attention to what was read.",
        ("caching",),
        cost_of_a_token,
        at_most=1.5,
    ),
    Law(
        "cached-once",
        "cache",
        "Caches hold keys and values once for all the heads that share them.",
        ("grouped",),
        held_beyond_need,
        at_most=2.5,
        after=("cache-length",),
    ),
)
