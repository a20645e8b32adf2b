"""A round of a practice once it has ended, as history keeps it: worked out from journal and key."""

import hashlib
import math
from bisect import bisect_left
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from itertools import groupby
from typing import Literal

from bugforge.answers import AnswerKey, Bug
from bugforge.clock import Event, Mark, Standing, standing
from bugforge.workspace import MANIFEST, Manifest, Workspace

Fate = Literal["fixed", "revealed"]
End = Literal["passed", "revealed"]


@dataclass(frozen=True)
class Met:
    """What became of one bug: fixed by the learner, or revealed to them.

    seconds: of the practice, that it took; None where it was not fixed, or no clock ran. Where one
    check saw several fall, the time since the fall before is shared among them evenly.
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

    workspace: its id. made, started, ended: seconds since 1970; started is None where the clock was
    never set going. seconds: of the practice, used; None where no clock ran. minutes: allowed, or 0
    for no limit. runs: used, checks among them. score: None where none was given.
    """

    id: str
    workspace: str
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
    stands = workspace.standing()
    if not stands.ended:
        return None
    made = (workspace.hidden / MANIFEST).stat().st_mtime
    return round_of(workspace.manifest, key, [mark.event for mark in stands.marks], made)


def round_of(manifest: Manifest, key: AnswerKey, events: Sequence[Event], made: float) -> Round:
    """Work out a round from its events, of which those after its end do not count."""
    last = bisect_left(
        range(len(events)), 1, key=lambda index: int(standing(events[: index + 1]).ended)
    )
    stands = standing(events[: last + 1])
    begin = next((m.event for m in stands.marks if m.event.name in ("start", "run")), None)
    end = events[last]
    hints = [event.fields.get("bug") for event in events[:last] if event.name == "hint"]
    score = end.fields.get("score")
    return Round(
        id=_identity(manifest, events[0]),
        workspace=manifest.id,
        track=manifest.track,
        program=key.reference,
        made=made,
        started=begin.at.wall if begin else None,
        ended=end.at.wall,
        seconds=round(stands.seconds, 1) if begin else None,
        minutes=manifest.minutes,
        runs=stands.runs,
        hints=len(hints),
        outcome="passed" if stands.state == "passed" else "revealed",
        score=float(score) if isinstance(score, int | float) and math.isfinite(score) else None,
        bugs=tuple(_met(key.bugs, stands, Counter(h for h in hints if isinstance(h, int)))),
    )


def _identity(manifest: Manifest, first: Event) -> str:
    """Tell rounds apart by when they began: workspaces of one seed and options share their id."""
    words = f"{manifest.id} {first.fields.get('time', first.at.wall)}"
    return hashlib.sha256(words.encode()).hexdigest()[:16]


def _met(bugs: Sequence[Bug], stands: Standing, hints: Mapping[int, int]) -> list[Met]:
    fallen = _fallen(bugs, stands)
    seconds = _shared(fallen) if stands.began else {}
    return [
        Met(
            number=bug.number,
            kind=bug.kind,
            form=bug.form,
            bug_class=bug.bug_class,
            stage=bug.stage,
            difficulty=bug.difficulty,
            outcome="fixed" if bug.number in fallen else "revealed",
            seconds=seconds.get(bug.number),
            hints=hints.get(bug.number, 0),
        )
        for bug in bugs
    ]


def _fallen(bugs: Sequence[Bug], stands: Standing) -> dict[int, float]:
    """Give the bugs that the learner fixed, and the seconds at which a check first saw it."""
    fallen: dict[int, float] = {}
    revealed: set[int] = set()
    for mark in stands.marks:
        if mark.event.name == "check":
            for number, fixed in _seen(bugs, mark).items():
                if fixed and number not in revealed:
                    fallen.setdefault(number, mark.seconds)
                elif not fixed:
                    fallen.pop(number, None)
        elif mark.event.name == "reveal":
            shown = mark.event.fields.get("bugs")
            numbers = {n for n in shown if isinstance(n, int)} if isinstance(shown, list) else set()
            revealed |= numbers - set(fallen)
        elif mark.event.name == "reset":
            fallen.clear()
    return fallen


def _seen(bugs: Sequence[Bug], mark: Mark) -> dict[int, bool]:
    """Tell of each bug whether a check saw it fixed, where it could tell."""
    if mark.event.fields.get("verdict") == "passed":
        return {bug.number: True for bug in bugs}
    states = mark.event.fields.get("bugs")
    if not isinstance(states, dict):
        return {}
    told = {bug.number: states.get(str(bug.number)) for bug in bugs}
    return {n: state == "fixed" for n, state in told.items() if state in ("fixed", "remaining")}


def _shared(fallen: Mapping[int, float]) -> dict[int, float]:
    """Share out the time between falls."""
    shared: dict[int, float] = {}
    before = 0.0
    for at, several in groupby(sorted(fallen, key=fallen.__getitem__), key=fallen.__getitem__):
        numbers = list(several)
        shared |= dict.fromkeys(numbers, round((at - before) / len(numbers), 1))
        before = at
    return shared
