"""What a check is: a sentence, a number read from recordings, and the bound it must keep."""

import warnings
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np

from bugforge.mutation import Stage
from bugforge.recordings import Array, Recording

NOT_RUN = "the program did not run that far"

Evidence = Mapping[str, Recording]
"""Recordings by the name of their instrument."""


@dataclass(frozen=True)
class Reading:
    """What one check found. kept is None where it could not tell, and why says what hid it."""

    check: str
    stage: Stage
    sentence: str
    kept: bool | None
    value: float | None = None
    bound: float | None = None
    why: str = ""


@dataclass(frozen=True)
class Law:
    """A check that needs nothing but the program's own recordings.

    sentence: what any correct program does, in words that name behaviour and no place.
    needs: the instruments it reads; where one crashed, the law cannot tell.
    after: laws that must be kept before this one means anything.
    read: gives one number, which is at most `at_most`, or at least `at_least`, when kept.
    """

    name: str
    stage: Stage
    sentence: str
    needs: tuple[str, ...]
    read: Callable[[Evidence], float]
    at_most: float | None = None
    at_least: float | None = None
    after: tuple[str, ...] = ()

    def judge(self, seen: Evidence, before: Mapping[str, Reading]) -> Reading:
        """Read the number and hold it to its bound."""
        hidden = hidden_by(self.needs, self.after, seen, before)
        if hidden:
            return Reading(self.name, self.stage, self.sentence, None, why=hidden)
        value = measured(lambda: self.read(seen))
        bound = self.at_most if self.at_most is not None else self._least()
        return Reading(self.name, self.stage, self.sentence, self._within(value), value, bound)

    def holds(self, seen: Evidence) -> bool:
        """Whether the number keeps its bound, whatever other laws say."""
        return self._within(measured(lambda: self.read(seen)))

    def _within(self, value: float) -> bool:
        # A comparison with NaN is false, so NaN keeps no law.
        return value <= self.at_most if self.at_most is not None else value >= self._least()

    def _least(self) -> float:
        assert self.at_least is not None
        return self.at_least


def hidden_by(
    needs: Iterable[str], after: Iterable[str], seen: Evidence, before: Mapping[str, Reading]
) -> str:
    """Say what keeps a check from telling: an instrument that crashed, a law that is broken."""
    if any(name not in seen or seen[name].crash is not None for name in needs):
        return NOT_RUN
    broken = next((before[name] for name in after if not before[name].kept), None)
    return f"it means nothing while this does not hold: {broken.sentence}" if broken else ""


def measured(read: Callable[[], float]) -> float:
    """Read a number; NaN where the recordings are not what any honest program leaves."""
    try:
        with np.errstate(all="ignore"), warnings.catch_warnings():
            warnings.simplefilter("ignore", RuntimeWarning)  # numpy's, of means of nothing
            return float(read())
    except (ArithmeticError, AttributeError, LookupError, TypeError, ValueError):
        return float("nan")


def tensors(seen: Evidence, instrument: str, prefix: str = "") -> dict[str, Array]:
    """Give the tensors of one recording whose names begin with prefix, without it."""
    return {
        name.removeprefix(prefix): value
        for name, value in seen[instrument].tensors.items()
        if name.startswith(prefix)
    }


def facts(seen: Evidence, instrument: str, prefix: str = "") -> dict[str, Any]:
    """Give the facts of one recording whose names begin with prefix, without it."""
    return {
        name.removeprefix(prefix): value
        for name, value in seen[instrument].facts.items()
        if name.startswith(prefix)
    }
