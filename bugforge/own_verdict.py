"""The verdict on a user's own program: nothing that can be compared differs, or something does."""

from collections.abc import Iterable
from dataclasses import dataclass
from functools import partial
from pathlib import Path

from bugforge.answers import AnswerKey
from bugforge.attempt import Unusable, copy_attempt
from bugforge.attribution import Attribution, attributed, subsets
from bugforge.checks import Evidence, Reading
from bugforge.errors import LostError, ToolError
from bugforge.own_likeness import compare
from bugforge.own_recorder import QUICK, OwnRecorder
from bugforge.pairing import BY_MAKING, BY_NAME, BY_USE, Pairing
from bugforge.recordings import Crash, Recording, first_crash
from bugforge.sandbox import Outcome, Sandbox
from bugforge.verify import TOOK_DOWN, Progress, Question, Verdict

PAIRINGS = (BY_NAME, BY_USE[0], BY_MAKING[0])
"""How weights find their places in an attempt, tried in turn: each is a renaming at most."""


@dataclass(frozen=True)
class OwnVerdict(Verdict):
    """A verdict whose readings are comparisons with the correct program, and no laws.

    models: what was judged. unjudged: sentences on what was not, and why.
    """

    models: tuple[str, ...] = ()
    unjudged: tuple[str, ...] = ()


def verify_own(
    box: Sandbox, root: Path, key: AnswerKey, question: Question, progress: Progress
) -> OwnVerdict:
    """Judge the files in `root` against the key's correct program."""
    progress("Looking at the correct program")
    recorder = OwnRecorder.set_up(box, key.pristine, question.rng, question.hidden)
    missing = sorted(set(key.options.get("judged", ())) - set(recorder.reach.instruments))
    if missing:
        raise ToolError(
            f"The correct program does less here than where it was forged: {', '.join(missing)}.",
            "Use the versions of Python and torch that `bugforge new` was run with.",
        )
    check = _OwnCheck(recorder, key, question, progress)
    attempt = box.room() / "attempt"
    try:
        copy_attempt(root, attempt, tuple(key.pristine))
        return check.judge(attempt)
    except Unusable as unusable:
        return check.not_run(unusable.crash)
    except LostError:
        if not box.ready:
            raise
        return check.not_run(TOOK_DOWN)


@dataclass
class _OwnCheck:
    """One check under way."""

    recorder: OwnRecorder
    key: AnswerKey
    question: Question
    progress: Progress

    def judge(self, attempt: Path) -> OwnVerdict:
        """Record the attempt, its weights paired in the way that fits, by name if none does."""
        self.progress("Comparing under given weights")
        pairing = next(filter(partial(self._fits, attempt), PAIRINGS), BY_NAME)
        self.recorder.submit("attempt", attempt, pairing)
        seen = self.recorder.recordings("attempt")
        readings = self._compared(seen, self.recorder.correct)
        return self._verdict(seen, readings, self.recorder.limit("attempt"))

    def _fits(self, attempt: Path, pairing: Pairing) -> bool:
        """Whether an attempt gives what it should with its weights paired in this way."""
        name = f"attempt {PAIRINGS.index(pairing)}"
        self.recorder.submit(name, attempt, pairing, QUICK)
        seen = self.recorder.recordings(name, QUICK)
        judged = [each for each in self.recorder.reach.instruments if each in seen]
        models = self.recorder.reach.models
        return not _broken(compare(seen, self.recorder.correct, models, judged))

    def not_run(self, crash: Crash) -> OwnVerdict:
        """Tell of an attempt that cannot be run at all."""
        seen = dict.fromkeys(self.recorder.reach.instruments, Recording(crash=crash))
        return self._verdict(seen, self._compared(seen, self.recorder.correct), None)

    def _compared(self, seen: Evidence, other: Evidence) -> list[Reading]:
        reach = self.recorder.reach
        return compare(seen, other, reach.models, reach.instruments)

    def _verdict(
        self, seen: Evidence, readings: list[Reading], limit: Outcome | None
    ) -> OwnVerdict:
        judged = self.recorder.reach.instruments
        passed = limit is None and not _broken(readings)
        found = Attribution({})
        if self.question.attribute:
            found = self._attribution(seen, passed=passed)
        return OwnVerdict(
            passed=passed,
            readings=tuple(readings),
            crash=first_crash(seen[name] for name in judged),
            limit=limit,
            bugs=found.states,
            explained=found.explained,
            isolation=self.recorder.box.isolation,
            models=self.recorder.reach.models,
            unjudged=self.recorder.reach.unjudged,
        )

    def _attribution(self, seen: Evidence, *, passed: bool) -> Attribution:
        """Tell which bugs are left: each instrument names the sets that may be."""
        numbers = [bug.number for bug in self.key.bugs]
        if passed:
            return Attribution(dict.fromkeys(numbers, "fixed"))
        self.progress("Finding out which bugs are left")
        sets = subsets(numbers)
        for left in sets:
            name = f"with {' '.join(map(str, sorted(left)))}"
            self.recorder.submit(name, self.recorder.write(name, self.key.program(left)))
        programs = {
            left: self.recorder.recordings(f"with {' '.join(map(str, sorted(left)))}")
            for left in sets
        }
        named = [
            {left for left in sets if self._alike(name, seen, programs[left])}
            for name in self.recorder.reach.instruments
        ]
        return attributed(named, sets, numbers)

    def _alike(self, name: str, seen: Evidence, other: Evidence) -> bool:
        mine, theirs = seen[name].crash, other[name].crash
        if mine or theirs:
            return bool(mine and theirs and mine.type == theirs.type)
        return bool(compare(seen, other, self.recorder.reach.models, [name])[0].kept)


def _broken(readings: Iterable[Reading]) -> list[Reading]:
    return [reading for reading in readings if not reading.kept]
