"""The clock of a practice set going and stopped, and what has happened in it, a line an event."""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from bugforge.clock import Event, Standing, State, standing
from bugforge.errors import UsageError
from bugforge.journal import Fields, now
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
