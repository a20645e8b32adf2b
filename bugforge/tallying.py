"""What rounds come to: classes by success and time."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from statistics import median

from bugforge.rounds import Met, Round

FEW = 5
"""Bugs that a trend looks back on: fewer jump, more lag."""


@dataclass(frozen=True)
class Tally:
    """How a learner stands with a class of bugs, in the order in which they met them.

    fixed: of each bug, whether they fixed it. seconds: what each fixed bug took, where that is
    known. hints: how many they took.
    """

    bug_class: str
    fixed: tuple[bool, ...]
    seconds: tuple[float, ...]
    hints: int

    @property
    def success(self) -> float:
        """The share that was fixed."""
        return sum(self.fixed) / len(self.fixed)

    @property
    def trend(self) -> list[float]:
        """The share that was fixed of each bug and the few before it."""
        ends = range(1, len(self.fixed) + 1)
        return [sum(part) / len(part) for end in ends if (part := self.fixed[:end][-FEW:])]

    @property
    def usual_seconds(self) -> float | None:
        """The median of what a fixed bug took; None where that is not known of any."""
        return median(self.seconds) if self.seconds else None


@dataclass(frozen=True)
class Stats:
    """What all rounds come to. days: on which a round ended, by the local clock. tallies: of each
    class, the least successful first. due: how many kinds are due.
    """

    rounds: int
    passed: int
    days: int
    seconds: float
    tallies: tuple[Tally, ...]
    due: int


def tallied(rounds: Sequence[Round], due: int) -> Stats:
    """Work out what rounds come to, given in the order in which they ended."""
    classes: dict[str, list[Met]] = {}
    for round_ in rounds:
        for bug in round_.bugs:
            classes.setdefault(bug.bug_class, []).append(bug)
    tallies = [
        Tally(
            bug_class,
            tuple(bug.outcome == "fixed" for bug in bugs),
            tuple(bug.seconds for bug in bugs if bug.seconds is not None),
            sum(bug.hints for bug in bugs),
        )
        for bug_class, bugs in classes.items()
    ]
    return Stats(
        rounds=len(rounds),
        passed=sum(round_.outcome == "passed" for round_ in rounds),
        days=len({datetime.fromtimestamp(r.ended).astimezone().date() for r in rounds}),
        seconds=sum(round_.seconds or 0.0 for round_ in rounds),
        tallies=tuple(sorted(tallies, key=lambda tally: (tally.success, tally.bug_class))),
        due=due,
    )
