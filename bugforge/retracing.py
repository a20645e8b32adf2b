"""Finding out afterwards, from programs that were kept, which bugs each still held; and what the
correct program does that the learner's can be seen beside. Both are found out once, and kept.
"""

import base64
import hashlib
import json
import math
import random
import zlib
from collections.abc import Iterable, Mapping
from contextlib import suppress
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, cast, get_args

from bugforge.answers import SPOILT, AnswerKey
from bugforge.attempt import Unusable, copy_attempt
from bugforge.attribution import State, attribute
from bugforge.bundle import bundled
from bugforge.checks import Evidence
from bugforge.files import write_files, write_whole
from bugforge.judgement import judge
from bugforge.own_program import OWN
from bugforge.own_verdict import verify_own
from bugforge.probe import draw
from bugforge.recorder import OTHERWISE, Recorder
from bugforge.recordings import Recording
from bugforge.sandbox import Sandbox
from bugforge.track import find_track
from bugforge.training import Run
from bugforge.verify import Progress, Question, with_bugs_left

RETRACED = "retraced"
SCHEMA = 1
NO_BUG = 0
"""Stands for the correct program among the numbers of bugs."""
INFLUENCE = "influence"

States = Mapping[int, State]
Grid = tuple[tuple[float, ...], ...]
"""How far logits move, by position, then by the token that was changed."""


@dataclass(frozen=True)
class Found:
    """What was found out. states: of each bug, by the digest of a program. losses: of the correct
    program's training, by step. influence: by the number of the one bug that was left in; of
    NO_BUG, of the correct program. seen: whether losses and influence were looked for.
    """

    states: Mapping[str, States]
    losses: tuple[float, ...] = ()
    influence: Mapping[int, Grid] | None = None
    seen: bool = False

    def lacks(self, programs: Iterable[str]) -> bool:
        """Whether there is anything left to find out, these programs among it."""
        return not self.seen or not set(programs) <= set(self.states)


def digest(program: Mapping[str, bytes]) -> str:
    """Name a program by what its files hold."""
    return hashlib.sha256(bundled(program)).hexdigest()


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
                dict.fromkeys(numbers, "fixed") if kept else attribute(seen, others, numbers)
            )
        return found


def _grid(recording: Recording) -> Grid | None:
    """Read what reaches what; None where that program ends in an error, or makes other logits."""
    moved = recording.tensors.get("moved")
    if recording.crash or moved is None or moved.ndim != 2 or not len(moved):  # noqa: PLR2004
        return None
    return tuple(tuple(float(value) for value in row) for row in moved)


def remembered(path: Path, key: AnswerKey) -> Found:
    """Read what was found out before; nothing, where it is not to be read or another key's."""
    try:
        data = json.loads(zlib.decompress(base64.b85decode(path.read_bytes())))
        if (data["schema"], data["id"]) == (SCHEMA, key.id):
            return _found(data)
    except (OSError, *SPOILT):
        pass
    return Found({})


def _found(data: Mapping[str, Any]) -> Found:
    states = {
        str(name): {int(number): _state(state) for number, state in told.items()}
        for name, told in data["states"].items()
    }
    grids = {
        int(number): tuple(tuple(_number(value) for value in row) for row in grid)
        for number, grid in data["influence"].items()
    }
    losses = tuple(_number(loss) for loss in data["losses"])
    return Found(states, losses, grids, seen=bool(data["seen"]))


def _state(told: str) -> State:
    if told not in get_args(State):
        raise ValueError(told)
    return cast("State", told)


def _number(value: float | None) -> float:
    return math.nan if value is None else float(value)


def remember(path: Path, key: AnswerKey, found: Found) -> None:
    """Keep what was found out, if that can be written; as unreadable as the key, since a practice
    of which one bug was revealed goes on.
    """
    data = {
        "schema": SCHEMA,
        "id": key.id,
        "states": {name: dict(told) for name, told in found.states.items()},
        "losses": [_plain(loss) for loss in found.losses],
        "influence": {
            number: [[_plain(value) for value in row] for row in grid]
            for number, grid in (found.influence or {}).items()
        },
        "seen": found.seen,
    }
    with suppress(OSError):
        write_whole(path, base64.b85encode(zlib.compress(json.dumps(data).encode(), 9)))


def _plain(value: float) -> float | None:
    return float(f"{value:.6g}") if math.isfinite(value) else None
