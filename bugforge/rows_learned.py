"""A whole training of a classifier, judged by rows that it cannot have seen."""

import random

from bugforge.checks import NOT_RUN, Reading
from bugforge.mutation import Stage
from bugforge.probe import UNSEEN_LABELS
from bugforge.properties.pipeline_metrics import measures
from bugforge.recorder import Recorder
from bugforge.recordings import Array

WHOLE = "pipeline-whole"
LEAST = 0.9
"""Of accuracy, F1 and ROC-AUC alike: rows never seen have no noise, so that all may be right."""

SEEDS = 3
"""How many are tried at most."""

_STAGE: Stage = "classifier"
LAW = (
    "unseen-rows",
    _STAGE,
    "Behind a whole training, rows never seen are classified nearly as well as can be.",
)


def learned(recorder: Recorder, rng: random.Random) -> Reading:
    """Have the attempt train as `python train.py` does, and hold what it says of rows that were
    drawn here to their labels, which it does not know.

    Since all else holds, a seed that misses may be unlucky, and others are tried.
    """
    reading = not_learned(NOT_RUN)
    for number in range(SEEDS):
        reading = _once(recorder, f"{WHOLE} {number}", rng.getrandbits(31))
        if reading.kept is not False:
            break
    return reading


def _once(recorder: Recorder, name: str, seed: int) -> Reading:
    recorder.whole(name, WHOLE, seed)
    seen = recorder.recordings(name, [WHOLE])[WHOLE]
    logits, labels = seen.tensors.get("logits"), recorder.probe.inputs[UNSEEN_LABELS]
    if seen.crash is not None or logits is None:
        return not_learned(NOT_RUN)
    value = least(logits, labels)
    return Reading(*LAW, value >= LEAST, value, LEAST)


def least(logits: Array, labels: Array) -> float:
    """Give the least of three metrics; nothing where logits are no numbers, or too few."""
    is_whole = logits.ndim == 2 and len(logits) == len(labels)  # noqa: PLR2004  # rows, classes
    return min(measures(logits, labels).values()) if is_whole else 0.0


def not_learned(why: str) -> Reading:
    """Say why nothing was trained."""
    return Reading(*LAW, None, why=why)
