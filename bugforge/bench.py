"""Many programs judged and trained beside one pristine program, with no core left idle."""

import os
import random
from collections import deque
from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from typing import TypeVar

from bugforge.answers import AnswerKey
from bugforge.attribution import Behaviour, behaviour
from bugforge.checks import Evidence
from bugforge.errors import ToolError
from bugforge.probe import draw
from bugforge.program import Program
from bugforge.recorder import Recorder
from bugforge.sandbox import FEWEST_CORES, Limits, Sandbox, opened
from bugforge.track import Track
from bugforge.training import Run
from bugforge.verify import Question, Verdict, verify

T = TypeVar("T")
Files = Mapping[str, str]
"""A program: text by file name."""

ALL_BUGS = "all bugs"
AHEAD = 8
"""Jobs that wait for a free core, beside those that run."""


@contextmanager
def opened_wide(seconds: float) -> Iterator[Sandbox]:
    """Lend a sandbox that runs as many programs side by side as there are cores.

    seconds: how long one of them may take.
    """
    with opened(Limits(seconds=seconds), at_once=most_at_once()) as box:
        yield box


def most_at_once() -> int:
    """How many programs to run side by side: as many as there are cores."""
    cores = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count()
    return max(cores or 0, FEWEST_CORES)


@dataclass(frozen=True)
class Bench:
    """One drawing of inputs, and what the pristine program did with it. Programs go by names."""

    recorder: Recorder
    pristine: Evidence

    @classmethod
    def set_up(cls, box: Sandbox, program: Program, pristine: Files, rng: random.Random) -> "Bench":
        """Draw inputs, and record the pristine program."""
        recorder = Recorder(box, box.room(), draw(rng, program))
        return cls(recorder, recorder.pristine(pristine))

    def checked(self, track: Track, pristine: Files, text: str, question: Question) -> Verdict:
        """Check the pristine program as an attempt at itself, in full."""
        reference = self.recorder.probe.program.name
        key = AnswerKey("", track.name, "", "", {}, text, dict(pristine), (), reference=reference)
        folder = self.recorder.write("to check", pristine)
        return verify(self.recorder.box, folder, key, question)

    def judged(self, programs: Mapping[str, Files]) -> Iterator[tuple[str, Behaviour]]:
        """Judge programs as a check would judge them, training aside."""
        folders = {name: self.recorder.write(name, files) for name, files in programs.items()}
        for name in self._ahead(programs, lambda name: self.recorder.attempt(name, folders[name])):
            self._hold(name)
            seen, _ = self.recorder.settled(
                name, folders[name], self.recorder.recordings(name), [self.pristine]
            )
            yield name, behaviour(seen, self.pristine)
            self.recorder.forget(name)

    def let_through(self, key: AnswerKey) -> list[str]:
        """Leave a key's bugs in, each alone and all of them, and name what is not refused, training
        aside: kinds, and ALL_BUGS.
        """
        alone = {bug.kind: key.program(frozenset({bug.number})) for bug in key.bugs}
        judged = self.judged({**alone, ALL_BUGS: key.forged})
        return [name for name, seen in judged if not seen.broken]

    def glimpsed(
        self, programs: Mapping[str, tuple[Files, tuple[str, ...]]]
    ) -> Iterator[tuple[str, Behaviour]]:
        """Record programs by the instruments that stand beside each, and judge what those show."""
        for name in self._ahead(programs, lambda name: self.recorder.forged(name, *programs[name])):
            self._hold(name)
            seen = self.recorder.recordings(name, programs[name][1])
            yield name, behaviour(seen, self.pristine)
            self.recorder.forget(name)

    def trained(
        self, programs: Mapping[str, Files], text: str, seed: int
    ) -> Iterator[tuple[str, Run]]:
        """Train programs on a text, as `python train.py` would."""

        def train(name: str) -> None:
            folder = self.recorder.write(f"to train {name}", programs[name])
            self.recorder.train(f"train {name}", folder, text, seed, main=True)

        for name in self._ahead(programs, train):
            self._hold(f"train {name}")
            recording = self.recorder.trained(f"train {name}")
            yield name, Run(self.recorder.probe.program, text, unseen=False, recording=recording)

    def _ahead(self, items: Iterable[T], submit: Callable[[T], None]) -> Iterator[T]:
        """Give items in order, each when some of those behind it have been submitted, too."""
        waiting: deque[T] = deque()
        for item in items:
            submit(item)
            waiting.append(item)
            if len(waiting) > self.recorder.box.at_once + AHEAD:
                yield waiting.popleft()
        yield from waiting

    def _hold(self, name: str) -> None:
        """Wait for a job. Raises ToolError where it was stopped at a limit: it shows nothing."""
        outcome = self.recorder.wait(name)
        if outcome.limit:
            raise ToolError(
                f"{name} used more {outcome.limit} than it may: {outcome.used} of "
                f"{outcome.allowed}.",
                "Is the machine busy? Give it more with --time-limit.",
            )
