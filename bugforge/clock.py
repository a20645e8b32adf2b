"""How a practice stands, worked out from what happened and when. Pure.

The clock runs while the machine is on and awake, and the practice is not paused: within one boot it
is read off the machine's monotonic clock, which no change of the wall clock moves and which stands
still in sleep. From one boot to another it counts what the machine has been on since, and never
more than has passed by the wall clock.
"""

import math
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, replace
from typing import Any, Literal

State = Literal["not started", "running", "paused", "passed", "revealed"]
ENDED: tuple[State, ...] = ("passed", "revealed")


@dataclass(frozen=True)
class Moment:
    """When something was: seconds since 1970 by the wall clock, and seconds that the machine has
    been awake in this boot. boot: its name; None where the system gives none. awake: None where it
    was not read.
    """

    wall: float
    boot: str | None = None
    awake: float | None = None


@dataclass(frozen=True)
class Event:
    """Something that happened in a practice, with whatever else is known of it."""

    name: str
    at: Moment
    fields: Mapping[str, Any] = field(default_factory=dict)


@dataclass(frozen=True)
class Mark:
    """An event, and how many seconds of the practice were used when it happened."""

    event: Event
    seconds: float


@dataclass(frozen=True)
class Standing:
    """How a practice stands. seconds: of it, used. runs: used, checks among them.

    round: how many times it was begun anew after its end, and once more. marks: the events of this
    round, in order. revealed: the numbers of the bugs that were revealed.
    """

    state: State = "not started"
    seconds: float = 0.0
    runs: int = 0
    round: int = 1
    marks: tuple[Mark, ...] = ()
    revealed: frozenset[int] = frozenset()

    @property
    def began(self) -> bool:
        """Whether the clock was ever set going in this round."""
        return any(mark.event.name in ("start", "run") for mark in self.marks)

    @property
    def ended(self) -> bool:
        """Whether there is nothing left to do."""
        return self.state in ENDED

    def left(self, allowed: int) -> float | None:
        """Give the seconds that are left of some minutes, below 0 if there are none; None where
        there is no limit.
        """
        return allowed * 60 - self.seconds if allowed else None

    def runs_left(self, allowed: int) -> int | None:
        """Give the runs that are left of some, below 0 if there are none; None where there is no
        limit.
        """
        return allowed - self.runs if allowed else None


def elapsed(before: Moment, after: Moment) -> float:
    """Give the seconds of practice between two moments, of which neither is trusted; never < 0."""
    wall = max(0.0, after.wall - before.wall)
    if after.awake is None or before.awake is None:
        return wall
    if after.boot == before.boot and after.awake >= before.awake:
        return after.awake - before.awake
    return max(0.0, min(after.awake, wall))


def standing(events: Iterable[Event], now: Moment | None = None) -> Standing:
    """Work out how a practice stands after all events, and at a moment after them."""
    stands, last = Standing(), None
    for event in events:
        stands, last = _passed(stands, last, event.at), event.at
        stands = _after(stands, event)
    return _passed(stands, last, now) if now else stands


def _passed(stands: Standing, last: Moment | None, now: Moment) -> Standing:
    """Let time pass."""
    if last is None or stands.state != "running":
        return stands
    return replace(stands, seconds=stands.seconds + elapsed(last, now))


def _after(stands: Standing, event: Event) -> Standing:
    if event.name == "reset" and stands.ended:
        stands = Standing(round=stands.round + 1)
    stands = replace(stands, marks=(*stands.marks, Mark(event, stands.seconds)))
    if stands.ended:
        return stands
    match event.name, stands.state:
        case ("start", "not started") | ("resume", "paused"):
            return _in(stands, "running")
        case ("pause", "running"):
            return _in(stands, "paused")
        case ("run", _):
            return replace(stands, state="running", runs=stands.runs + 1)
        case ("check", _):
            stands = _checked(stands, event)
        case ("reveal", _):
            stands = _revealed(stands, event)
    return stands


def _checked(stands: Standing, event: Event) -> Standing:
    """A check spends a run of a practice that was begun, and may end it."""
    if stands.state != "not started":
        stands = replace(stands, state="running", runs=stands.runs + 1)
    return _in(stands, "passed") if event.fields.get("verdict") == "passed" else stands


def _revealed(stands: Standing, event: Event) -> Standing:
    """A reveal ends a practice once no bug is left that was not revealed."""
    bugs, of = event.fields.get("bugs"), event.fields.get("of")
    if isinstance(bugs, list):
        numbers = {number for number in bugs if isinstance(number, int)}
        stands = replace(stands, revealed=stands.revealed | numbers)
    if isinstance(of, int) and len(stands.revealed) >= of:
        return _in(stands, "revealed")
    return stands


def _in(stands: Standing, state: State) -> Standing:
    return replace(stands, state=state)


def spoken(seconds: float) -> str:
    """Write a time as on a stopwatch: 4:09, or 1:04:09."""
    minutes, rest = divmod(math.floor(max(0.0, seconds)), 60)
    hours, minutes = divmod(minutes, 60)
    return f"{hours}:{minutes:02}:{rest:02}" if hours else f"{minutes}:{rest:02}"
