"""Whether two recordings of a user's own program are alike: what differs, and by how much."""

import math
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from functools import partial

import numpy as np

from bugforge.checks import Evidence, Reading, measured
from bugforge.distance import apart, apart_by_name
from bugforge.mutation import Stage
from bugforge.recordings import Array, Recording

CLEARLY = 2.5
"""A bug is planted only where it lies this many times beyond a bound, so that other inputs cannot
bring it within."""


@dataclass(frozen=True)
class Likeness:
    """How one instrument's recordings are compared: what it says of a program, and the bound."""

    instrument: str
    stage: Stage
    sentence: str
    read: Callable[[Recording, Recording], float]
    at_most: float


def beginnings_apart(seen: Recording, pristine: Recording) -> float:
    """By how many standard errors means and spreads of fresh parameters differ, at the most."""
    if seen.facts != pristine.facts or seen.tensors.keys() != pristine.tensors.keys():
        return float("inf")
    return max(
        _errors(seen.tensors[name], drawn, float(pristine.facts[f"size/{name}"]))
        for name, drawn in pristine.tensors.items()
    )


def _errors(mine: Array, theirs: Array, size: float) -> float:
    drawn = math.sqrt(size * ROUNDS)
    spread = max(float(theirs[1]), float(mine[1]))
    if spread < FLAT:
        return float(abs(mine[0] - theirs[0])) / FLAT
    return float(np.abs(mine - theirs).max()) / spread * drawn


def outputs_apart(seen: Recording, pristine: Recording) -> float:
    """How far what the model gives lies apart, over every input and mode."""
    if seen.tensors.keys() != pristine.tensors.keys():
        return float("inf")
    return max(
        _output_apart(seen.tensors[name], theirs) for name, theirs in pristine.tensors.items()
    )


def _output_apart(mine: Array, theirs: Array) -> float:
    if mine.shape != theirs.shape:
        return float("inf")
    spread, size = float(theirs.std()), float(np.abs(theirs).max(initial=0))
    if not spread < FLAT * size < float("inf"):
        return apart(mine, theirs)
    # A single number, such as a loss, has no spread: its last digit is held to its own size.
    return float(np.abs(mine.astype(float) - theirs.astype(float)).max()) / size


def parameters_apart(seen: Recording, pristine: Recording) -> float:
    """How far what belongs to parameters lies apart, by their names."""
    return apart_by_name(seen.tensors, pristine.tensors, 1e-9)


def drawing_apart(seen: Recording, pristine: Recording) -> float:
    """How far drawn tokens are spread otherwise; or the share of greedy rows that are others."""
    if seen.facts != pristine.facts or seen.tensors.keys() != pristine.tensors.keys():
        return float("inf")
    return max(
        _spread_apart(seen.tensors[name], theirs)
        if name.startswith("counts/")
        else _rows_apart(seen.tensors[name], theirs)
        for name, theirs in pristine.tensors.items()
    )


def _spread_apart(mine: Array, theirs: Array) -> float:
    if mine.shape != theirs.shape:
        return float("inf")
    return float(np.abs(mine / mine.sum() - theirs / theirs.sum()).sum()) / 2


def _rows_apart(mine: Array, theirs: Array) -> float:
    if mine.shape != theirs.shape:
        return float("inf")
    # One row may go another way where two tokens are as likely to the last digit.
    others = (mine != theirs).any(axis=1).sum()
    return max(0.0, float(others) - 1) / len(theirs)


ROUNDS = 6
"""Fresh models that the instrument looks at."""
FLAT = 1e-6
"""Parameters that lie nearer together than this are all the same."""

LIKENESSES = (
    Likeness(
        "construct",
        "embedding",
        "A fresh model's parameters have the shapes, the means and the spreads that they had.",
        beginnings_apart,
        at_most=10.0,
    ),
    Likeness(
        "forward",
        "attention",
        "Given weights and inputs lead to the outputs that they led to.",
        outputs_apart,
        at_most=1e-4,
    ),
    Likeness(
        "targets",
        "loss",
        "Given weights, tokens and targets lead to the loss that they led to.",
        outputs_apart,
        at_most=1e-4,
    ),
    Likeness(
        "gradient",
        "loop",
        "The loss teaches every parameter what it taught it.",
        parameters_apart,
        at_most=1e-3,
    ),
    Likeness(
        "optimizer",
        "optim",
        "The optimizer moves every parameter as it did.",
        parameters_apart,
        at_most=1e-4,
    ),
    Likeness(
        "decode",
        "sampling",
        "Generating continues prompts as it did, as often and in the mode that it did.",
        drawing_apart,
        at_most=0.125,
    ),
    Likeness(
        "batch",
        "data",
        "Batches hold inputs and targets as they did.",
        outputs_apart,
        at_most=0.0,
    ),
    Likeness(
        "schedule",
        "optim",
        "The learning rate follows the steps as it did.",
        outputs_apart,
        at_most=1e-6,
    ),
)


def compare(
    seen: Evidence, pristine: Evidence, models: Sequence[str], judged: Sequence[str]
) -> list[Reading]:
    """Hold a program's recordings against the correct one's, instrument by instrument.

    judged: the names of the recordings that count.
    """
    return [_read(name, seen, pristine, models) for name in judged]


def told_apart(readings: Sequence[Reading]) -> bool:
    """Whether two programs are clearly not alike."""
    return any(
        reading.kept is False and not (reading.value or 0.0) <= CLEARLY * (reading.bound or 0.0)
        for reading in readings
    )


def _read(name: str, seen: Evidence, pristine: Evidence, models: Sequence[str]) -> Reading:
    way, _, rest = name.rpartition("/")
    number, _, instrument = rest.partition(" ")
    likeness = _BY_INSTRUMENT[instrument]
    where = models[int(number)] + (", where torch has no attention of its own" if way else "")
    sentence = f"{where}: {likeness.sentence[0].lower()}{likeness.sentence[1:]}"
    mine = seen[name]
    if mine.crash is not None:
        return Reading(name, likeness.stage, sentence, kept=False, value=float("inf"), bound=0.0)
    value = measured(partial(likeness.read, mine, pristine[name]))
    kept = bool(value <= likeness.at_most)
    return Reading(name, likeness.stage, sentence, kept, value, likeness.at_most)


_BY_INSTRUMENT: Mapping[str, Likeness] = {each.instrument: each for each in LIKENESSES}
