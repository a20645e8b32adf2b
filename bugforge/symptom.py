"""What a learner sees of a program before any check: how its loss falls, and what it gives back."""

from dataclasses import dataclass
from math import isfinite, nan

from bugforge.mutation import Visibility
from bugforge.training import LAST, LOWEST, Run

FALLEN = 0.9
"""A loss that ends above this share of its beginning has not fallen."""


@dataclass(frozen=True)
class Symptom:
    """How a training run looks. loss, floor: nats per token, NaN where it did not come to its end.
    given_back: share of the characters behind the prompt that stand where they should.
    """

    shows: Visibility
    loss: float
    floor: float
    given_back: float


def symptom(run: Run) -> Symptom:
    """Name what shows of a run: the first of crash, flat, plateau, leak and decode that does."""
    floor = nan if run.recording.crash else run.floor
    return Symptom(_shows(run), run.final_loss, floor, _given_back(run))


def _shows(run: Run) -> Visibility:
    if run.recording.crash or run.main_crash:
        return "crash"
    start = run.losses[:LAST]
    if not isfinite(run.final_loss) or run.final_loss > FALLEN * max(start):
        return "flat"
    if run.final_loss > run.program.highest * run.floor:
        return "plateau"
    if run.final_loss < LOWEST * run.floor:
        return "leak"
    return "invisible" if run.exact else "decode"


def _given_back(run: Run) -> float:
    wanted = run.text[len(run.prompt) :]
    got = (run.sample or "")[len(run.prompt) :]
    return sum(a == b for a, b in zip(wanted, got, strict=False)) / len(wanted)
