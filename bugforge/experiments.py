"""Short experiments that expose bugs: code that can be typed, and what a right program shows.

They are written down in `experiments.toml`.
"""

import math
import tomllib
from collections.abc import Sequence
from dataclasses import dataclass
from importlib.resources import files
from typing import Literal

from bugforge.mutation import Form, Mutation
from bugforge.program import Subject
from bugforge.recordings import Crash, Recording
from bugforge.tracks import subject_of

Shows = Literal["number", "curve"]

TELLING = 0.05
"""How far two curves lie apart, at some step, that are told apart: a share of the highest value."""

ROUNDING = 1e-3
"""What is allowed of a number that would be 0 without rounding is no more."""

INNER = "Its names are those of the program in `demo`; your workspace may have others."
"""What is said of an experiment that uses inner names."""


@dataclass(frozen=True)
class Shown:
    """What an experiment showed of one program: a number, a curve, or the crash it ended in."""

    number: float | None = None
    curve: tuple[float, ...] = ()
    crash: Crash | None = None


@dataclass(frozen=True)
class Experiment:
    """A few lines of code that end by printing what they measured.

    see: what to look at, in a sentence. at_most, at_least: what a right program's number keeps.
    unit: of a curve. kinds: those that it is the experiment of, by id, or one form of theirs as
    `id/form`; checks: and others, of programs of this subject, that any of these kills. inner:
    whether it uses names that another way to write the program changes.
    """

    id: str
    title: str
    shows: Shows
    see: str
    code: str
    kinds: tuple[str, ...] = ()
    checks: tuple[str, ...] = ()
    at_most: float | None = None
    at_least: float | None = None
    unit: str = ""
    inner: bool = False
    subject: Subject = "language"

    def keeps(self, shown: Shown) -> bool:
        """Whether a number is one that a right program shows."""
        if shown.number is None or math.isnan(shown.number):
            return False
        low = -math.inf if self.at_least is None else self.at_least
        high = math.inf if self.at_most is None else self.at_most
        return low <= shown.number <= high

    def is_rounding(self, number: float) -> bool:
        """Whether a number is no more than what rounding leaves where 0 is meant."""
        most = self.at_most if self.at_least is None and self.at_most is not None else 0.0
        return most <= ROUNDING and 0 < abs(number) <= most

    def tells(self, right: Shown, wrong: Shown) -> bool:
        """Whether what was shown tells a wrong program from a right one."""
        if right.crash is not None:
            return False
        if wrong.crash is not None:
            return True
        if self.shows == "curve":
            return _apart(right.curve, wrong.curve)
        return self.keeps(right) and not self.keeps(wrong)


def _apart(one: Sequence[float], other: Sequence[float]) -> bool:
    if len(one) != len(other):
        return True
    farthest = max((abs(a - b) for a, b in zip(one, other, strict=True)), default=0.0)
    return not farthest <= TELLING * max(map(abs, one), default=0.0)


def read_shown(recording: Recording) -> Shown:
    """Read what an experiment printed."""
    if recording.crash is not None:
        return Shown(crash=recording.crash)
    printed = recording.facts["printed"]
    return Shown(curve=tuple(printed)) if isinstance(printed, list) else Shown(number=printed)


def experiments() -> tuple[Experiment, ...]:
    """Read all experiments, in their order."""
    text = (files("bugforge.templates") / "experiments.toml").read_text(encoding="utf-8")
    return tuple(
        Experiment(
            **{
                **entry,
                "code": entry["code"].strip() + "\n",
                "kinds": tuple(entry.get("kinds", ())),
                "checks": tuple(entry.get("checks", ())),
            }
        )
        for entry in tomllib.loads(text)["experiments"]
    )


def experiment_of(
    kind: type[Mutation], known: Sequence[Experiment], form: Form | None = None
) -> Experiment | None:
    """Give the experiment that exposes a kind: its own, or else that of a check that kills it.

    form: the one that is to be exposed, which may have an experiment of its own.
    """
    by_form = (one for one in known if form and f"{kind.id}/{form.name}" in one.kinds)
    own = (one for one in known if kind.id in one.kinds)
    subject = subject_of(kind)
    by_check = (one for one in known if one.subject == subject and kind.killed_by & {*one.checks})
    return next(by_form, None) or next(own, None) or next(by_check, None)
