"""Finding out afterwards, from programs that were kept, which bugs each still held; and what the
correct program does that the learner's can be seen beside. Both are found out once, and kept.
"""

import random
from collections.abc import Mapping
from dataclasses import dataclass, replace
from pathlib import Path

from bugforge.answers import AnswerKey
from bugforge.attempt import Unusable, copy_attempt
from bugforge.attribution import attribute
from bugforge.checks import Evidence
from bugforge.files import write_files
from bugforge.judgement import judge
from bugforge.own_program import OWN
from bugforge.own_verdict import verify_own
from bugforge.probe import draw
from bugforge.recorder import OTHERWISE, Recorder
from bugforge.recordings import Recording
from bugforge.retraced import NO_BUG, Found, Grid, States
from bugforge.sandbox import Sandbox
from bugforge.tracks import find_track
from bugforge.training import Run
from bugforge.verify import Progress, Question, with_bugs_left

INFLUENCE = "influence"


@dataclass(frozen=True)
class Retracer:
    """Finds out. hidden: folders that no program of a learner's may look into."""

    box: Sandbox
    key: AnswerKey
    hidden: tuple[Path, ...]
    rng: random.Random
    progress: Progress

    def retrace(self, programs: Mapping[str, Mapping[str, bytes]], known: Found) -> Found:
        """Find out what is not known yet of programs, files by name, by their digests."""
        wanted = {name: files for name, files in programs.items() if name not in known.states}
        if self.key.track == OWN:
            states = {name: self._judged(files) for name, files in wanted.items()}
            return replace(known, states={**known.states, **states}, seen=True)
        program = find_track(self.key.track).program(self.key.reference)
        room = self.box.room()
        recorder = Recorder(self.box, room, draw(self.rng, program), self.hidden)
        self.progress("Recording the correct program")
        pristine = recorder.pristine(self.key.pristine)
        if not known.seen:
            self.progress("Training the correct program, to draw its loss beside yours")
            losses, influence = self._beside(recorder)
            known = replace(known, losses=losses, influence=influence, seen=True)
        if wanted and self.key.bugs:
            states = self._told_apart(recorder, room, pristine, wanted)
            known = replace(known, states={**known.states, **states})
        return known

    def _judged(self, files: Mapping[str, bytes]) -> States:
        """Tell the bugs of a user's own program apart."""
        folder = self.box.room() / "then"
        write_files(folder, files)
        question = Question(self.rng, attribute=True, trains="never", hidden=self.hidden)
        return verify_own(self.box, folder, self.key, question, self.progress).bugs

    def _beside(self, recorder: Recorder) -> tuple[tuple[float, ...], Mapping[int, Grid]]:
        """Train the correct program on its sentence; record what reaches what, without bugs and
        with each.
        """
        folder = recorder.write("to train", self.key.pristine)
        recorder.train("correct", folder, self.key.text, self.rng.getrandbits(31))
        alone = {bug.number: frozenset({bug.number}) for bug in self.key.bugs}
        programs = {
            number: self.key.program(left)
            for number, left in {NO_BUG: frozenset[int](), **alone}.items()
        }
        for number, files in programs.items():
            recorder.forged(f"influence {number}", files, [INFLUENCE])
        grids = {
            number: _grid(recorder.recordings(f"influence {number}", [INFLUENCE])[INFLUENCE])
            for number in programs
        }
        run = Run(
            recorder.probe.program,
            self.key.text,
            unseen=False,
            recording=recorder.trained("correct"),
        )
        return tuple(run.losses), {number: grid for number, grid in grids.items() if grid}

    def _told_apart(
        self,
        recorder: Recorder,
        room: Path,
        pristine: Evidence,
        wanted: Mapping[str, Mapping[str, bytes]],
    ) -> dict[str, States]:
        """Tell for each program which of the bugs are left in it."""
        numbers = [bug.number for bug in self.key.bugs]
        self.progress("Recording the program with every set of its bugs")
        others = with_bugs_left(recorder, self.key, pristine)
        found: dict[str, States] = {}
        for at, (name, files) in enumerate(wanted.items(), start=1):
            self.progress(f"Finding out which bugs were left, {at} of {len(wanted)}")
            folder = room / f"then {at}"
            write_files(folder, files)
            try:
                copy_attempt(folder, room / f"attempt {at}", tuple(self.key.pristine))
            except Unusable:
                found[name] = dict.fromkeys(numbers, "could not tell")
                continue
            recorder.attempt(f"attempt {at}", room / f"attempt {at}")
            seen, _ = recorder.settled(
                f"attempt {at}",
                room / f"attempt {at}",
                recorder.recordings(f"attempt {at}"),
                others.values(),
                OTHERWISE,
            )
            kept = all(reading.kept for reading in judge(seen, pristine).values())
            found[name] = (
                dict.fromkeys(numbers, "fixed") if kept else attribute(seen, others, numbers).states
            )
        return found


def _grid(recording: Recording) -> Grid | None:
    """Read what reaches what; None where that program ends in an error, or makes other logits."""
    moved = recording.tensors.get("moved")
    if recording.crash or moved is None or moved.ndim != 2 or not len(moved):  # noqa: PLR2004
        return None
    return tuple(tuple(float(value) for value in row) for row in moved)
