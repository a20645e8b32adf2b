"""The clock of a practice set going and stopped, and what has happened in it, a line an event."""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from bugforge.clock import Event, Standing, State, standing
from bugforge.errors import UsageError
from bugforge.journal import Fields, now
from bugforge.output import by_step, noted_losses
from bugforge.scoring import RUNG_SHARES, rung_of
from bugforge.workspace import Workspace, find

REFUSALS: dict[State, tuple[str, str]] = {
    "not started": ("the clock was not started yet.", "Start it: bugforge start"),
    "paused": ("the clock is paused.", "Let it go on: bugforge resume"),
    "passed": ("it has passed, and the clock has stopped.", "Begin anew: bugforge reset"),
    "revealed": (
        "its bugs were revealed, and the clock has stopped.",
        "Begin anew: bugforge reset",
    ),
}
"""By state: why a deed on the clock is refused, and what to do instead."""


@dataclass(frozen=True)
class Clocked:
    """A practice after a deed on its clock. changed: whether that changed anything."""

    workspace: Workspace
    stands: Standing
    changed: bool


@dataclass(frozen=True)
class Line:
    """A run, a check or another event of a practice, as its status tells it.

    seconds: of the practice, used until then. number: of a run or check, counted from 1; None of
    what spends none. result: `ended`, `failed`, `interrupted` or `begun` of a run, the verdict of a
    check, bug and rung of a hint. losses: nats per token, by step.
    """

    name: str
    seconds: float
    time: str
    number: int | None
    result: str | None
    losses: tuple[float, ...]


def start(given: Path | None) -> Clocked:
    """Start the clock; nothing changes where it runs. Raises UsageError where it was paused or has
    ended.
    """
    return _clocked(given, "start", "not started", {"running"})


def pause(given: Path | None) -> Clocked:
    """Stop the clock for a while; nothing changes where it stands. Raises UsageError where it has
    ended or never ran.
    """
    return _clocked(given, "pause", "running", {"paused"})


def resume(given: Path | None) -> Clocked:
    """Let the clock go on; nothing changes where it runs. Raises UsageError where it has ended or
    never ran.
    """
    return _clocked(given, "resume", "paused", {"running"})


def _clocked(given: Path | None, name: str, needed: State, done: set[State]) -> Clocked:
    workspace = find(given)
    seen: list[Standing] = []

    def decide(events: Sequence[Event]) -> Fields | None:
        seen.append(standing(events, now()))
        return {"event": name} if seen[-1].state == needed else None

    changed = workspace.record(decide) is not None
    state = seen[-1].state
    if not changed and state not in done:
        what, mend = REFUSALS[state]
        raise UsageError(f"{workspace.root}: {what}", mend)
    return Clocked(workspace, workspace.standing(), changed)


def timeline(stands: Standing) -> list[Line]:
    """Tell what happened in a practice, a line an event, a run with how it ended."""
    ends = {m.event.fields.get("run"): m.event for m in stands.marks if m.event.name == "ran"}
    lines: list[Line] = []
    spent = 0
    clocked = False
    for mark in stands.marks:
        event = mark.event
        if event.name == "ran":
            continue
        clocked = clocked or event.name in ("start", "run")
        result, points = event.fields.get("verdict"), noted_losses(event.fields)
        if told := rung_of(event):
            result = f"bug {told[0]}, rung {told[1]} of {len(RUNG_SHARES)}"
        if event.name == "run":
            ended = ends.get(event.fields.get("run"))
            result = _ended(ended)
            points = noted_losses(ended.fields) if ended else []
        spends = event.name in ("run", "check") and clocked
        spent += spends
        lines.append(
            Line(
                event.name,
                mark.seconds,
                str(event.fields.get("time", "")),
                spent if spends else None,
                result if isinstance(result, str) else None,
                tuple(by_step(points)),
            )
        )
    return lines


def _ended(event: Event | None) -> str:
    if event is None:
        return "begun"
    if event.fields.get("interrupted"):
        return "interrupted"
    return "failed" if event.fields.get("exit_code") else "ended"
