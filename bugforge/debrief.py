"""What a practice came to: when each bug fell, what it took, the score, and what to do next. Pure.

A bug fell at the first run or check whose program was without it, if no later one had it again;
what lies between that and the last one that had it cannot be told. The time of a practice is
divided among its bugs in the order in which they were done with: each took what passed since the
one before it, and bugs that fell at once share that.
"""

import inspect
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import groupby
from typing import Literal

from bugforge import scoring
from bugforge.analysis import Analysis
from bugforge.answers import AnswerKey, Bug
from bugforge.attribution import State
from bugforge.clock import Standing
from bugforge.own_program import OWN
from bugforge.practising import Line
from bugforge.retracing import Found
from bugforge.scoring import Score
from bugforge.track import TRACKS
from bugforge.workspace import Manifest

End = Literal["fixed", "revealed", "remaining", "could not tell"]

ENDS: Mapping[End, str] = {
    "fixed": "mended",
    "revealed": "revealed",
    "remaining": "left in",
    "could not tell": "could not be told",
}
"""What became of a bug, in words."""

SLOW = 1.5
"""How many times the mean a bug must have taken to be called slow."""


@dataclass(frozen=True)
class Moment:
    """Something that happened: `line` tells what. states: which bugs its program still held, where
    that is known. revealed: the numbers of bugs that it revealed. hint: the bug that it was for.
    curve: steps and losses (nats per token).
    """

    line: Line
    states: Mapping[int, State]
    revealed: tuple[int, ...] = ()
    hint: int | None = None
    sample: str | None = None
    curve: tuple[tuple[int, float], ...] = ()


@dataclass(frozen=True)
class Course:
    """How it went with a bug. since: seconds of the practice at which it was last seen remaining.
    closed: the number, from 0, of the moment at which it was first seen fixed for good, or
    revealed; None where it was neither. at: seconds of the practice then, or at its end. spent:
    seconds that were its own. hints: how many were taken for it.
    """

    bug: Bug
    end: End
    since: float
    closed: int | None
    at: float
    spent: float
    hints: int


@dataclass(frozen=True)
class Advice:
    """Something to practise next, and commands for it, if there are any."""

    words: str
    commands: tuple[str, ...] = ()


@dataclass(frozen=True)
class Debrief:
    """All of it. stands: as it ended. courses: of the bugs that may be shown, by number. whole:
    whether these are all. untold: why it was not found out when bugs fell, or None.
    """

    manifest: Manifest
    key: AnswerKey
    stands: Standing
    moments: tuple[Moment, ...]
    courses: tuple[Course, ...]
    whole: bool
    score: Score
    analysis: Analysis | None
    found: Found
    untold: str | None
    advice: tuple[Advice, ...]

    def fell(self, number: int) -> list[int]:
        """Give the numbers of the bugs that were first seen fixed at the moment of this number."""
        return [
            course.bug.number
            for course in self.courses
            if course.end == "fixed" and course.closed == number
        ]

    @property
    def runs(self) -> list[Moment]:
        """Give what ran the program: the runs and the checks."""
        return [moment for moment in self.moments if moment.line.name in ("run", "check")]


def formula() -> str:
    """Give the formula of the score, in words."""
    return inspect.cleandoc(scoring.__doc__ or "").partition("\n\n")[2]


def courses(bugs: Iterable[Bug], moments: Sequence[Moment], seconds: float) -> tuple[Course, ...]:
    """Tell how it went with each bug of a practice of so many seconds."""
    ends = [(bug, *_end(bug.number, moments)) for bug in bugs]
    done = {
        bug.number: seconds if closed is None else moments[closed].line.seconds
        for bug, _, _, closed in ends
    }
    spent = dict(_shares(done))
    hints = Counter(moment.hint for moment in moments)
    return tuple(
        Course(bug, end, since, closed, done[bug.number], spent[bug.number], hints[bug.number])
        for bug, end, since, closed in ends
    )


def _end(number: int, moments: Sequence[Moment]) -> tuple[End, float, int | None]:
    """Tell what became of a bug, when it was last seen, and at which moment it was done with."""
    end: End = "could not tell"
    since, closed = 0.0, None
    for index, moment in enumerate(moments):
        state = moment.states.get(number)
        if state == "remaining":
            end, since, closed = "remaining", moment.line.seconds, None
        elif state == "fixed" and closed is None:
            end, closed = "fixed", index
        elif state == "could not tell" and closed is None:
            end = "could not tell"
        if number in moment.revealed:
            return (end, since, closed) if closed is not None else ("revealed", since, index)
    return end, since, closed


def _shares(closed: Mapping[int, float]) -> Iterator[tuple[int, float]]:
    """Divide the time of a practice among bugs, by when each was done with."""
    before = 0.0
    for at, group in groupby(sorted(closed, key=lambda number: closed[number]), closed.__getitem__):
        numbers = list(group)
        yield from ((number, (at - before) / len(numbers)) for number in numbers)
        before = at


def advice(
    key: AnswerKey,
    manifest: Manifest,
    stands: Standing,
    went: Sequence[Course],
    analysis: Analysis | None,
) -> tuple[Advice, ...]:
    """Say what to practise next: what was not found first, then what took help, then what took
    long, then what was left out; where there is none of it, something harder.
    """
    found = [*_on_bugs(key, went), *_on_the_way(key, manifest, stands, analysis)]
    if found:
        return tuple(found)
    bugs = len(key.bugs)
    if not bugs and stands.state == "revealed":
        words = "A solution was opened. Write it yourself, from what was given."
        return (Advice(words, ("bugforge reset",)),)
    if key.track == OWN or not bugs:
        return (Advice("All of it held. Take another exercise.", ("bugforge tracks",)),)
    if any(bug.difficulty != "hard" for bug in key.bugs):
        words = "All found, without help and in time. Take harder bugs."
        return (Advice(words, (f"bugforge new --difficulty hard --bugs {bugs}",)),)
    return (Advice("All found, and they were hard. Take another exercise.", ("bugforge tracks",)),)


def _on_bugs(key: AnswerKey, went: Sequence[Course]) -> Iterator[Advice]:
    told: set[str] = set()
    mean = sum(course.spent for course in went) / len(went) if went else 0.0
    missed = [course for course in went if course.end in ("revealed", "remaining")]
    helped = [course for course in went if course.hints and course not in missed]
    slow = [
        course
        for course in went
        if len(went) > 1 and course.spent > SLOW * mean and course not in (*missed, *helped)
    ]
    groups = (
        (missed, "was not found"),
        (helped, "took hints"),
        (slow, "took longer than the others"),
    )
    for some, what in groups:
        for course in some:
            bug = course.bug
            words = f"Bug {bug.number} ({bug.bug_class}, in {bug.stage}) {what}."
            page = f"bugforge show {bug.kind}"
            again = () if bug.stage in told else (_drill(key, bug),)
            told.add(bug.stage)
            yield Advice(words, (page, *again))


def _drill(key: AnswerKey, bug: Bug) -> str:
    """Give the command for a workspace with one bug, of a stage."""
    if key.track == OWN:
        return f"bugforge new --from PATH --bugs 1 --stage {bug.stage}"
    # Tracks may hold several bugs at least; the default one holds those that it knows alone, too.
    track = "" if bug.bug_class in TRACKS[0].bug_classes else f" --track {key.track}"
    return f"bugforge new{track} --bugs 1 --stage {bug.stage}"


def _on_the_way(
    key: AnswerKey, manifest: Manifest, stands: Standing, analysis: Analysis | None
) -> Iterator[Advice]:
    left, runs_left = stands.left(manifest.minutes), stands.runs_left(manifest.runs)
    if key.bugs and analysis is None:
        yield Advice("ANALYSIS.md was left empty. Say what was wrong, and why: it is asked for.")
    elif analysis and analysis.unclaimed and stands.state == "passed":
        bugs = ", ".join(map(str, analysis.unclaimed))
        yield Advice(f"ANALYSIS.md names no place for what was mended as bug {bugs}.")
    if runs_left is not None and runs_left < 0:
        yield Advice("More runs than given. Before each, say what its loss should look like.")
    if left is not None and left < 0:
        yield Advice("It took longer than given. Read all of the program once, before any run.")
