"""Many programs judged and trained beside one pristine program, with no core left idle."""

import random
from collections import deque
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import TypeVar

from bugforge.attribution import Behaviour, behaviour
from bugforge.checks import Evidence
from bugforge.probe import draw
from bugforge.recorder import Recorder
from bugforge.sandbox import Sandbox
from bugforge.training import Run

T = TypeVar("T")
Files = Mapping[str, str]
"""A program: text by file name."""

AHEAD = 8
"""Jobs handed over before the one that is waited for."""


@dataclass(frozen=True)
class Bench:
    """One drawing of inputs, and what the pristine program did with it. Programs go by names."""

    recorder: Recorder
    pristine: Evidence

    @classmethod
    def set_up(cls, box: Sandbox, pristine: Files, rng: random.Random) -> "Bench":
        """Draw inputs, and record the pristine program."""
        recorder = Recorder(box, box.room(), draw(rng))
        return cls(recorder, recorder.pristine(pristine))

    def judged(self, programs: Mapping[str, Files]) -> Iterator[tuple[str, Behaviour]]:
        """Judge programs as a check would judge them, training aside."""
        folders = {name: self.recorder.write(name, files) for name, files in programs.items()}
        for name in ahead(programs, lambda name: self.recorder.attempt(name, folders[name])):
            seen, _ = self.recorder.settled(name, folders[name], self.pristine)
            yield name, behaviour(seen, self.pristine)
            self.recorder.forget(name)

    def glimpsed(
        self, programs: Mapping[str, tuple[Files, tuple[str, ...]]]
    ) -> Iterator[tuple[str, Behaviour]]:
        """Record programs by the instruments that stand beside each, and judge what those show."""
        for name in ahead(programs, lambda name: self.recorder.forged(name, *programs[name])):
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

        for name in ahead(programs, train):
            recording = self.recorder.trained(f"train {name}")
            run = Run(text, unseen=False, recording=recording)
            yield name, run


def ahead(items: Iterable[T], submit: Callable[[T], None]) -> Iterator[T]:
    """Give items in order, each when a few of those behind it have been submitted, too."""
    waiting: deque[T] = deque()
    for item in items:
        submit(item)
        waiting.append(item)
        if len(waiting) > AHEAD:
            yield waiting.popleft()
    yield from waiting
