"""Tracks: what a learner can be given to practise. A track is data."""

from dataclasses import dataclass

from bugforge.catalogue import refuse_unknown
from bugforge.mutation import BUG_CLASSES
from bugforge.program import Program


@dataclass(frozen=True)
class Track:
    """One exercise.

    programs: those it may be forged from, the simplest first.
    bug_classes: the families that its bugs are drawn from, at most one bug of each.
    """

    name: str
    title: str
    programs: tuple[Program, ...]
    bug_classes: tuple[str, ...]

    def program(self, name: str) -> Program:
        """Look a program up. Raises UsageError, with the nearest name, where there is none."""
        programs = {program.name: program for program in self.programs}
        refuse_unknown("program", name, programs)
        return programs[name]


GPT = Program(
    name="gpt",
    files=("model.py", "train.py"),
    problem="classic.md",
)
NANO = Program(
    name="nano",
    files=("model.py", "data.py", "train.py"),
    problem="nano.md",
    passage=160,
    held_out=0.2,
    unsuited=("hints", "size-model", "size-window"),
    sizes={"dropout": 0.0},
    fields={"dropout": 0.0, "accumulate": 3, "held_out": 0.5, "eval_every": 1000},
    instruments=("beginning", "dropout", "evaluation"),
)

CLASSIC = Track(
    name="classic",
    title="Overfit one sentence",
    programs=(GPT, NANO),
    bug_classes=BUG_CLASSES,
)

TRACKS = (CLASSIC,)


def find_track(name: str) -> Track:
    """Look a track up. Raises UsageError, with the nearest name, where there is none."""
    tracks = {track.name: track for track in TRACKS}
    refuse_unknown("track", name, tracks)
    return tracks[name]
