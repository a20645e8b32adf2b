"""The score of a practice, and its formula. Pure.

    score = 100 - hints and reveals - time - runs, rounded, and never below 0

hints and reveals: each bug is worth its share of the 100 points, all bugs the same. Of that share
    the four rungs of its hints cost 8 %, 16 %, 24 % and 32 %; so with 4 bugs 2, 4, 6 and 8 points.
    A bug that was revealed costs its whole share, whatever hints were taken before; once the
    debrief has found out that it was mended by then, its hints alone. Where there is something to
    write and no bug, a reveal costs all.
time: each minute over the time costs 1 point, one that has begun as a whole one.
runs: each run over the budget costs 2 points; a check is a run.

Without a limit, time or runs cost nothing.
"""

import math
from collections.abc import Mapping
from dataclasses import dataclass

from bugforge.clock import Event, Standing

FULL = 100.0
RUNG_SHARES = (0.08, 0.16, 0.24, 0.32)
"""What each rung of the hints costs, of what its bug is worth."""
MINUTE_OVER = 1.0
RUN_OVER = 2.0


@dataclass(frozen=True)
class Score:
    """What a practice comes to, in points. hints, reveals, time, runs: what each took off.

    rungs: how many hints were taken.
    """

    rungs: int
    hints: float
    reveals: float
    time: float
    runs: float

    @property
    def points(self) -> int:
        """What is left of 100."""
        return max(0, round(FULL - self.hints - self.reveals - self.time - self.runs))


def rung_cost(rung: int, bugs: int) -> float:
    """Give what a rung, from 1, costs where there are so many bugs."""
    return FULL / bugs * RUNG_SHARES[rung - 1]


def rungs_taken(stands: Standing) -> dict[int, int]:
    """Give the highest rung taken of each bug, by number, the bug whose hint was the last behind
    all others.
    """
    taken: dict[int, int] = {}
    for mark in stands.marks:
        if told := rung_of(mark.event):
            bug, rung = told
            taken[bug] = max(rung, taken.pop(bug, 0))
    return taken


def rung_of(event: Event) -> tuple[int, int] | None:
    """Read the bug and the rung of a hint; None of what is none."""
    match event.name, event.fields.get("bug"), event.fields.get("rung"):
        case "hint", int(bug), int(rung) if 1 <= rung <= len(RUNG_SHARES):
            return bug, rung
    return None


def score(stands: Standing, minutes: int, runs: int) -> Score:
    """Work out the score of a practice that was given so many minutes and runs, 0 for no limit."""
    taken = rungs_taken(stands)
    bugs = max((_of(mark.event.fields) for mark in stands.marks), default=0)
    hints = sum(
        rung_cost(rung, bugs)
        for bug, highest in taken.items()
        if bugs and bug not in stands.revealed
        for rung in range(1, highest + 1)
    )
    if bugs:
        reveals = FULL / bugs * len(stands.revealed)
    else:
        reveals = FULL if stands.state == "revealed" else 0.0
    left, runs_left = stands.left(minutes), stands.runs_left(runs)
    return Score(
        rungs=sum(taken.values()),
        hints=hints,
        reveals=min(FULL, reveals),
        time=MINUTE_OVER * math.ceil(max(0.0, -left) / 60) if left is not None else 0.0,
        runs=RUN_OVER * max(0, -runs_left) if runs_left is not None else 0.0,
    )


def _of(fields: Mapping[str, object]) -> int:
    """Read how many bugs there are, of an event that says so."""
    of = fields.get("of")
    return of if isinstance(of, int) else 0
