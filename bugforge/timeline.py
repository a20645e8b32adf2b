"""What has happened in a practice, a line an event. Pure."""

from dataclasses import dataclass

from bugforge.clock import Event, Standing
from bugforge.output import by_step, noted_losses
from bugforge.scoring import RUNG_SHARES, rung_of


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
