"""A program held to laws and comparisons at each change, in a process that has torch loaded.

All is recorded under one drawing of inputs, and the correct program, and with the bugs left in,
once; so that a change costs no more than the attempt's own recordings. The program is not trained
on its sentence, and nothing passes: a check draws afresh.
"""

import random
import shutil
from collections.abc import Iterator
from dataclasses import dataclass, field, replace
from pathlib import Path

from bugforge.answers import AnswerKey, State
from bugforge.attempt import Unusable, copy_attempt
from bugforge.attribution import Attribution, Subset, attribute, subsets
from bugforge.checks import Evidence
from bugforge.errors import LostError
from bugforge.judgement import judge
from bugforge.own_program import OWN
from bugforge.own_verdict import verify_own
from bugforge.pairing import BY_NAME
from bugforge.probe import QUICK, draw
from bugforge.recorder import OTHERWISE, Recorder
from bugforge.recordings import Crash, Recording, first_crash
from bugforge.restoring import to_restore
from bugforge.sandbox import Sandbox, UnwantedError
from bugforge.tracks import find_track
from bugforge.verify import TOOK_DOWN, Question, Verdict


@dataclass(frozen=True)
class Glimpse:
    """What one look at a program found. whole: whether every instrument has been read, and not only
    the quick ones. unusable: whether its text cannot be run at all, such as a file half written.
    """

    verdict: Verdict
    whole: bool
    unusable: bool = False


@dataclass
class Glance:
    """Looks at a learner's program again and again. hidden: folders that it must not look into.
    attribute: whether to find out which bugs are left, too.
    """

    box: Sandbox
    key: AnswerKey
    rng: random.Random
    hidden: tuple[Path, ...] = ()
    attribute: bool = False
    looks: int = 0
    _recorder: Recorder | None = None
    _programs: dict[Subset, Evidence] = field(default_factory=dict)

    def prepare(self) -> None:
        """Load torch, and record the correct program, and with each set of its bugs if they are
        to be told apart. Raises ToolError where the correct one does not run.
        """
        if self.key.track == OWN or self._recorder:
            return
        program = find_track(self.key.track).program(self.key.reference)
        recorder = Recorder(self.box, self.box.room(), draw(self.rng, program), self.hidden)
        self._programs[frozenset()] = recorder.pristine(self.key.pristine)
        left_in = subsets(self._numbers())[1:] if self.attribute else []
        for left in left_in:
            recorder.forged(str(sorted(left)), self.key.program(left))
        for left in left_in:
            self._programs[left] = recorder.recordings(str(sorted(left)))
            recorder.forget(str(sorted(left)))
        self._recorder = recorder

    def look(self, root: Path) -> Iterator[Glimpse]:
        """Judge the files in `root`: first by the quick instruments, then by all.

        Raises UnwantedError where the sandbox is told that nobody waits any more, LostError where
        torch cannot be loaded.
        """
        self.looks += 1
        if self.key.track == OWN:
            yield self._own(root)
            return
        self.prepare()
        assert self._recorder is not None
        name = f"look {self.looks}"
        attempt = self._recorder.room / name
        try:
            copy_attempt(root, attempt, tuple(self.key.pristine))
            yield from self._recorded(self._recorder, name, attempt)
        except Unusable as unusable:
            yield Glimpse(self._crashed(unusable.crash), whole=True, unusable=True)
        except UnwantedError:
            self.box.abandon()
            raise
        except LostError:
            yield Glimpse(self._crashed(TOOK_DOWN), whole=True)
        finally:
            shutil.rmtree(attempt, ignore_errors=True)
            self._recorder.forget_attempts()  # or many looks would fill the disk

    def _recorded(self, recorder: Recorder, name: str, attempt: Path) -> Iterator[Glimpse]:
        pristine = self._programs[frozenset()]
        quick = [each for each in pristine if each in QUICK] or list(pristine)[:1]
        rest = [each for each in pristine if each not in quick]
        some, others = rest[::2], rest[1::2]
        recorder.attempt(name, attempt, instruments=quick)
        recorder.attempt(f"{name}, some", attempt, instruments=some)
        seen: Evidence = recorder.recordings(name, quick)
        # On the core that is free now.
        recorder.attempt(f"{name}, others", attempt, instruments=others)
        seen, pairing = recorder.settled(name, attempt, seen, [pristine])
        if pairing == BY_NAME:
            yield Glimpse(self._verdict(recorder, seen), whole=False)
            seen = {
                **seen,
                **recorder.recordings(f"{name}, some", some),
                **recorder.recordings(f"{name}, others", others),
            }
        verdict = self._verdict(recorder, seen)
        if self.attribute:
            found = self._attribution(recorder, name, attempt, seen)
            verdict = replace(verdict, bugs=found.states, explained=found.explained)
        restore = to_restore(recorder, self.key, seen, pristine, verdict.readings)
        yield Glimpse(replace(verdict, restore=restore), whole=True)

    def _verdict(self, recorder: Recorder, seen: Evidence) -> Verdict:
        pristine = self._programs[frozenset()]
        known = {name: pristine[name] for name in seen}
        return Verdict(
            passed=False,
            readings=tuple(judge(seen, known).values()),
            crash=first_crash(seen.values()),
            limit=recorder.limit(),
            isolation=self.box.isolation,
        )

    def _attribution(
        self, recorder: Recorder, name: str, attempt: Path, seen: Evidence
    ) -> Attribution:
        numbers = self._numbers()
        if all(reading.kept for reading in judge(seen, self._programs[frozenset()]).values()):
            return Attribution(dict.fromkeys(numbers, "fixed"))
        programs = self._programs.values()
        settled, _ = recorder.settled(f"{name}, told", attempt, seen, programs, OTHERWISE)
        return attribute(settled, self._programs, numbers)

    def _crashed(self, crash: Crash) -> Verdict:
        pristine = self._programs[frozenset()]
        seen = dict.fromkeys(pristine, Recording(crash=crash))
        states: dict[int, State] = dict.fromkeys(self._numbers(), "could not tell")
        return Verdict(
            passed=False,
            readings=tuple(judge(seen, pristine).values()),
            crash=crash,
            bugs=states if self.attribute else {},
        )

    def _own(self, root: Path) -> Glimpse:
        """Look at a program of the user's own as a check does, which trains nothing either."""
        question = Question(self.rng, attribute=self.attribute, hidden=self.hidden)
        try:
            verdict = verify_own(self.box, root, self.key, question, lambda _: None)
        except UnwantedError:
            self.box.abandon()
            raise
        return Glimpse(verdict, whole=True)

    def _numbers(self) -> list[int]:
        return [bug.number for bug in self.key.bugs]
