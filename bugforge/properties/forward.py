"""Laws of the logits, under given weights: what a position may see, must see and ignores."""

import numpy as np

from bugforge.checks import Evidence, Law, tensors
from bugforge.distance import apart
from bugforge.probe import BATCH, BLOCK, CHANGED, SHORT, VOCAB
from bugforge.recordings import Array

FAINT, FAINTEST = 6e-5, 5e-6
"""What moves logits, and what rounding does: over 50 draws each right program moved them by .077 or
more; no mutant that moves them at all by less than 3e-3, but for what comes to a position from
before it, 4e-5; and rounding by 1.1e-6 at the most, there by 4e-7."""

WAYS = ("given/eval/", "given/train/", "large/eval/", "large/train/")
TILTED = tuple(
    f"{tilt}/{mode}/"
    for tilt in ("low", "far apart", "far apart, turned")
    for mode in ("eval", "train")
)


def _ways(seen: Evidence, ways: tuple[str, ...] = WAYS) -> list[dict[str, Array]]:
    """Logits (B, T, V) by input, for either size of the weights and either mode."""
    return [tensors(seen, "forward", way) for way in ways]


def wrong_shape(seen: Evidence) -> float:
    """Count inputs whose logits are not (B, T, V)."""
    shapes = {
        "base": (BATCH, BLOCK, VOCAB),
        "short": (BATCH, SHORT, VOCAB),
        "one": (BATCH, 1, VOCAB),
        "alone": (1, BLOCK, VOCAB),
    }
    return sum(way[name].shape != shape for way in _ways(seen) for name, shape in shapes.items())


def not_finite(seen: Evidence) -> float:
    """Share of logits that are NaN or infinite."""
    return float(np.mean([1 - np.isfinite(x).mean() for way in _ways(seen) for x in way.values()]))


def foresight(seen: Evidence) -> float:
    """How far a changed token moves the logits before it."""
    return max(
        max(
            apart(way["changed"][:, :CHANGED], way["base"][:, :CHANGED]),
            apart(way["changed last"][:, :-1], way["base"][:, :-1]),
        )
        for way in _ways(seen, WAYS + TILTED)
    )


def memory(seen: Evidence) -> float:
    """How far the first token moves the logits of each later position, at the least."""
    return min(
        _moved(way, "changed first", position) for way in _ways(seen) for position in (1, -1)
    )


def self_sight(seen: Evidence) -> float:
    """How far a token moves the logits at its own position, at the least."""
    return min(
        min(_moved(way, "changed", CHANGED), _moved(way, "changed last", -1)) for way in _ways(seen)
    )


def order(seen: Evidence) -> float:
    """How far exchanging the first two tokens moves the last position's logits."""
    return min(
        _spread(way["exchanged"][:, -1] - way["swapped"][:, -1], way["base"]) for way in _ways(seen)
    )


def position(seen: Evidence) -> float:
    """How far the positions of one token repeated differ from each other, at the least."""
    repeated = tensors(seen, "positions")
    return min(
        _spread(np.diff(repeated[way.rstrip("/")], axis=1), logits["base"])
        for way, logits in zip(WAYS, _ways(seen), strict=True)
    )


def neighbours(seen: Evidence) -> float:
    """How far a row's logits depend on the other rows of its batch."""
    return max(apart(way["alone"], way["base"][2:3]) for way in _ways(seen))


def suffix(seen: Evidence) -> float:
    """How far the logits of a beginning depend on how much follows."""
    return max(
        max(
            apart(way["short"], way["base"][:, :SHORT]),
            apart(way["one"], way["base"][:, :1]),
        )
        for way in _ways(seen)
    )


def restless(seen: Evidence) -> float:
    """How far two evaluations of the same input differ."""
    recording = seen["forward"].tensors
    return apart(recording["again"], recording["large/eval/base"])


def _moved(way: dict[str, Array], name: str, position: int) -> float:
    return _spread(way[name][:, position] - way["base"][:, position], way["base"])


def _spread(difference: Array, base: Array) -> float:
    return float(np.abs(difference).mean() / max(float(base.std()), 1e-12))


_SOUND = ("shape", "finite")

FORWARD = (
    Law(
        "shape",
        "head",
        "The model gives a logit for every token of the vocabulary, at every position.",
        ("forward",),
        wrong_shape,
        at_most=0.0,
    ),
    Law(
        "finite",
        "attention",
        "Every logit is a finite number.",
        ("forward",),
        not_finite,
        at_most=0.0,
    ),
    Law(
        "causality",
        "attention",
        "Changing a later token moves no earlier prediction.",
        ("forward",),
        foresight,
        at_most=1e-4,
        after=_SOUND,
    ),
    Law(
        "sees-past",
        "attention",
        "Changing an early token moves later predictions.",
        ("forward",),
        memory,
        at_least=FAINTEST,
        after=_SOUND,
    ),
    Law(
        "sees-itself",
        "attention",
        "Changing a token moves the prediction made at its own position.",
        ("forward",),
        self_sight,
        at_least=FAINT,
        after=_SOUND,
    ),
    Law(
        "order",
        "embedding",
        "Exchanging two early tokens moves later predictions.",
        ("forward",),
        order,
        at_least=FAINT,
        after=_SOUND,
    ),
    Law(
        "position",
        "embedding",
        "The same token again, one place later, is not the same to the model.",
        ("forward", "positions"),
        position,
        at_least=FAINT,
        after=_SOUND,
    ),
    Law(
        "batch-independence",
        "attention",
        "What a row predicts does not depend on the other rows of its batch.",
        ("forward",),
        neighbours,
        at_most=1e-3,
        after=_SOUND,
    ),
    Law(
        "prefix-consistency",
        "attention",
        "What is predicted after a beginning does not depend on how much follows it.",
        ("forward",),
        suffix,
        at_most=1e-3,
        after=_SOUND,
    ),
    Law(
        "eval-deterministic",
        "eval",
        "Asked twice in evaluation mode, the model answers the same.",
        ("forward",),
        restless,
        at_most=1e-3,
        after=_SOUND,
    ),
)
