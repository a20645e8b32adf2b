"""A round of a practice once it has ended, as history keeps it: worked out from journal and key."""

import hashlib
import os
from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Literal

from bugforge.answers import AnswerKey
from bugforge.clock import Event
from bugforge.courses import Course, account, last_round
from bugforge.retraced import RETRACED, Found, remembered
from bugforge.scoring import score
from bugforge.workspace import MANIFEST, Manifest, Workspace

Fate = Literal["fixed", "revealed"]
End = Literal["passed", "revealed"]

SHORT_ID = 8
"""How much is shown of a workspace's id."""


@dataclass(frozen=True)
class Met:
    """What became of one bug: fixed by the learner, or revealed to them.

    seconds: of the practice, that it took; None where it was not fixed, or no clock ran.
    """

    number: int
    kind: str
    form: str
    bug_class: str
    stage: str
    difficulty: str
    outcome: Fate
    seconds: float | None
    hints: int


@dataclass(frozen=True)
class Round:
    """A round that has ended. id: the same however often it is worked out.

    workspace: its id. folder: the name of its folder, empty where that was not kept. made, started,
    ended: seconds since 1970; started is None where the clock was never set going. seconds: of the
    practice, used; None where no clock ran. minutes: allowed, or 0 for no limit. runs: used, checks
    among them. score: points, of 100; None where none was kept.
    """

    id: str
    workspace: str
    folder: str
    track: str
    program: str
    made: float
    started: float | None
    ended: float
    seconds: float | None
    minutes: int
    runs: int
    hints: int
    outcome: End
    score: float | None
    bugs: tuple[Met, ...]

    @property
    def fixed(self) -> int:
        """How many of its bugs the learner fixed."""
        return sum(bug.outcome == "fixed" for bug in self.bugs)


@dataclass(frozen=True)
class Past:
    """What a learner has practised until now, in the order in which rounds ended.

    now: seconds since 1970.
    """

    rounds: Sequence[Round]
    now: float


def ended_round(workspace: Workspace, key: AnswerKey) -> Round | None:
    """Work out the round of a practice that is there now; None where it has not ended.

    Raises WorkspaceError where the journal is shut.
    """
    if not workspace.standing().ended:
        return None
    made = (workspace.hidden / MANIFEST).stat().st_mtime
    found = remembered(workspace.hidden / RETRACED, key)
    last = round_of(workspace.manifest, key, workspace.events(), found, made)
    # What no text can hold is told by a mark.
    return replace(last, folder=os.fsencode(workspace.root.name).decode(errors="replace"))


def round_of(
    manifest: Manifest, key: AnswerKey, events: Sequence[Event], found: Found, made: float
) -> Round:
    """Work out the last round of a journal, of which what comes after its end does not count."""
    went = account(last_round(events), key, found)
    stands = went.stands
    marks = [mark.event for mark in stands.marks]
    begin = next((event for event in marks if event.name in ("start", "run")), None)
    end = marks[-1]
    return Round(
        id=_identity(manifest, marks[0]),
        workspace=manifest.id,
        folder="",
        track=manifest.track,
        program=key.reference,
        made=made,
        started=begin.at.wall if begin else None,
        ended=end.at.wall,
        seconds=round(stands.seconds, 1) if begin else None,
        minutes=manifest.minutes,
        runs=stands.runs,
        hints=sum(event.name == "hint" for event in marks),
        outcome="passed" if stands.state == "passed" else "revealed",
        score=score(stands, manifest.minutes, manifest.runs).points,
        bugs=tuple(_met(course, timed=begin is not None) for course in went.courses),
    )


def _identity(manifest: Manifest, first: Event) -> str:
    """Tell rounds apart by when they began: workspaces of one seed and options share their id."""
    words = f"{manifest.id} {first.fields.get('time', first.at.wall)}"
    return hashlib.sha256(words.encode()).hexdigest()[:16]


def _met(course: Course, *, timed: bool) -> Met:
    bug, fixed = course.bug, course.end == "fixed"
    return Met(
        number=bug.number,
        kind=bug.kind,
        form=bug.form,
        bug_class=bug.bug_class,
        stage=bug.stage,
        difficulty=bug.difficulty,
        outcome="fixed" if fixed else "revealed",
        seconds=round(course.spent, 1) if fixed and timed else None,
        hints=course.hints,
    )
