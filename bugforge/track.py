"""Tracks: what a learner can be given to practise. A track is data."""

from dataclasses import dataclass
from importlib.resources import files

from bugforge.catalogue import refuse_unknown
from bugforge.mutation import BUG_CLASSES


@dataclass(frozen=True)
class Track:
    """One exercise.

    program: the folder of `bugforge.reference` it is forged from, and files: its files.
    bug_classes: the families that its bugs are drawn from, at most one bug of each.
    problem: the template of its PROBLEM.md in `bugforge.templates`.
    """

    name: str
    title: str
    program: str
    files: tuple[str, ...]
    bug_classes: tuple[str, ...]
    problem: str

    def reference(self) -> dict[str, str]:
        """Read the correct program, text by file name."""
        folder = files("bugforge.reference") / self.program
        return {name: (folder / name).read_text(encoding="utf-8") for name in self.files}


CLASSIC = Track(
    name="classic",
    title="Overfit one sentence",
    program="gpt",
    files=("model.py", "train.py"),
    bug_classes=BUG_CLASSES,
    problem="classic.md",
)

TRACKS = (CLASSIC,)


def find_track(name: str) -> Track:
    """Look a track up. Raises UsageError, with the nearest name, where there is none."""
    tracks = {track.name: track for track in TRACKS}
    refuse_unknown("track", name, tracks)
    return tracks[name]
