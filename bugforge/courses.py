"""How it went with each bug of a practice: told from its journal, the key, and what was found out
of the programs that were run. Pure.

A bug fell at the first run or check whose program was without it, if no later one had it again;
what lies between that and the last one that had it cannot be told. The time of a practice is
divided among its bugs in the order in which they were done with: each took what passed since the
one before it, and bugs that fell at once share that.
"""

from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from itertools import groupby
from typing import Literal, cast, get_args

from bugforge.answers import AnswerKey, Bug, State
from bugforge.clock import Event, Mark, Standing, standing
from bugforge.clock import Moment as Instant
from bugforge.output import at_steps, noted_losses
from bugforge.retraced import Found, digest
from bugforge.scoring import rung_of
from bugforge.snapshot import programs
from bugforge.timeline import Line, timeline

Program = Mapping[str, bytes]
End = Literal["fixed", "revealed", "remaining", "could not tell"]


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
class Played:
    """The last round of a journal, until it ended. held: the program as it was at each mark."""

    stands: Standing
    held: Sequence[Program | None]


@dataclass(frozen=True)
class Account:
    """How a round went. stands: as it ended, but for what was mended before all bugs were revealed,
    which counts as never revealed. courses: of all bugs, by number.
    """

    stands: Standing
    moments: tuple[Moment, ...]
    courses: tuple[Course, ...]


def last_round(events: Sequence[Event], now: Instant | None = None) -> Played:
    """Read the last round off a journal; one that has not ended goes on until now."""
    every = standing(events, now)
    stands = _until_its_end(every)
    # Its marks are the last events of the journal, but for those behind its end.
    began = len(events) - len(every.marks)
    return Played(stands, programs(events)[began : began + len(stands.marks)])


def account(played: Played, key: AnswerKey, found: Found) -> Account:
    """Tell how a round went, as far as that is known."""
    moments = tuple(_moments(played, found, key))
    went = courses(key.bugs, moments, played.stands.seconds)
    mended = {course.bug.number for course in went if course.end == "fixed"}
    stands = replace(played.stands, revealed=played.stands.revealed - mended)
    return Account(stands, moments, went)


def _until_its_end(stands: Standing) -> Standing:
    events = [mark.event for mark in stands.marks]
    for count in range(1, len(events) + 1):
        then = standing(events[:count])
        if then.ended:
            return replace(then, round=stands.round)
    return stands


def _moments(played: Played, found: Found, key: AnswerKey) -> Iterator[Moment]:
    marks = played.stands.marks
    ran = {m.event.fields.get("run"): m.event for m in marks if m.event.name == "ran"}
    told = [
        (mark, program)
        for mark, program in zip(marks, played.held, strict=True)
        if mark.event.name != "ran"
    ]
    for line, (mark, program) in zip(timeline(played.stands), told, strict=True):
        event = ran.get(mark.event.fields.get("run")) if line.name == "run" else mark.event
        fields = event.fields if event else {}
        sample, hint = fields.get("sample"), rung_of(mark.event)
        yield Moment(
            line,
            states=_states(mark, program, found, key),
            revealed=_revealed(mark.event),
            hint=hint[0] if hint else None,
            sample=sample if isinstance(sample, str) else None,
            curve=tuple(at_steps(noted_losses(fields))),
        )


def _states(
    mark: Mark, program: Program | None, found: Found, key: AnswerKey
) -> Mapping[int, State]:
    """Tell which bugs a program still held that was run, checked or revealed."""
    event = mark.event
    numbers = [bug.number for bug in key.bugs]
    if event.name == "reset":
        return dict.fromkeys(numbers, "remaining")
    if event.fields.get("verdict") == "passed":
        return dict.fromkeys(numbers, "fixed")
    if event.name not in ("run", "check", "reveal"):
        return {}
    known = found.states.get(digest(program)) if program else None
    return known if known is not None else _told(mark.event, numbers)


def _told(event: Event, numbers: Iterable[int]) -> Mapping[int, State]:
    """Read what a check itself found out, if it was asked to."""
    states = event.fields.get("bugs")
    if event.name != "check" or not isinstance(states, dict):
        return {}
    told = {number: states.get(str(number)) for number in numbers}
    return {n: cast("State", state) for n, state in told.items() if state in get_args(State)}


def _revealed(event: Event) -> tuple[int, ...]:
    bugs = event.fields.get("bugs")
    if event.name != "reveal" or not isinstance(bugs, list):
        return ()
    return tuple(number for number in bugs if isinstance(number, int))


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
