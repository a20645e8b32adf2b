"""From a workspace to a verdict: record, judge, train, sample; and say which bugs are left."""

import random
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Literal

from safetensors.numpy import save_file

from bugforge.answers import AnswerKey
from bugforge.attempt import Unusable, copy_attempt
from bugforge.attribution import State, Subset, attribute, subsets
from bugforge.checks import Evidence, Reading
from bugforge.errors import LostError, ToolError
from bugforge.judgement import INSTRUMENTS, judge
from bugforge.probe import Probe, draw
from bugforge.recordings import Crash, Recording, read_recording
from bugforge.sandbox import Outcome, Sandbox
from bugforge.sentences import PROMPT_LENGTH, unseen
from bugforge.training import Run, judge_run, not_judged

RETRIES = 2
"""How often a run whose sample misses, while all else holds, is trained again on a new seed."""

BOTH = 2
"""Trainings that a pass takes: on the sentence given, and on one never shown."""

NOT_TRAINED = "it was not trained"
TOOK_DOWN = Crash("Killed", "the program took down the process that was running it", None)

Trains = Literal["always", "when kept", "never"]
Progress = Callable[[str], None]


@dataclass(frozen=True)
class Verdict:
    """What a check found.

    readings: every law and comparison, in order. crash: how the program ended, if it did not
    run; limit: the bound it was stopped at. bugs: what is known of each, where it was asked.
    """

    passed: bool
    readings: tuple[Reading, ...]
    runs: tuple[Run, ...] = ()
    crash: Crash | None = None
    limit: Outcome | None = None
    bugs: dict[int, State] = field(default_factory=dict)

    @property
    def broken(self) -> tuple[Reading, ...]:
        """The laws that the program breaks."""
        return tuple(reading for reading in self.readings if reading.kept is False)

    @property
    def lawful(self) -> bool:
        """Whether every law and comparison is kept, training aside where there was none."""
        return all(reading.kept or reading.why == NOT_TRAINED for reading in self.readings)

    @property
    def untold(self) -> tuple[Reading, ...]:
        """The laws that could not be judged."""
        return tuple(reading for reading in self.readings if reading.kept is None)


@dataclass(frozen=True)
class Question:
    """How a check is to be made.

    attribute: whether to find out which bugs are left. trains: always, so that the learner sees
    a curve; only when laws and comparison are kept, and the verdict hangs on it; or never, which
    passes nothing. rng: draws inputs, seeds and the sentence never shown.
    """

    rng: random.Random
    attribute: bool = False
    trains: Trains = "always"


def verify(
    box: Sandbox,
    root: Path,
    key: AnswerKey,
    question: Question,
    progress: Progress = lambda _: None,
) -> Verdict:
    """Judge the files in `root` against the key's pristine program."""
    room = box.room()
    try:
        copy_attempt(root, room / "attempt", tuple(key.pristine))
    except Unusable as unusable:
        return _not_run(unusable.crash, key, question)
    check = _Check(box, room, key, question, progress, draw(question.rng))
    try:
        return check.judge()
    except LostError:
        if not box.ready:
            raise
        return _not_run(TOOK_DOWN, key, question)


def _not_run(crash: Crash, key: AnswerKey, question: Question) -> Verdict:
    recordings = {name: Recording(crash=crash) for name in INSTRUMENTS}
    readings = (*judge(recordings, recordings).values(), *_training_readings(()))
    states: dict[int, State] = {bug.number: "could not tell" for bug in key.bugs}
    return Verdict(
        passed=False, readings=readings, crash=crash, bugs=states if question.attribute else {}
    )


@dataclass
class _Check:
    """One check under way."""

    box: Sandbox
    room: Path
    key: AnswerKey
    question: Question
    progress: Progress
    probe: Probe
    trained: list[str] = field(default_factory=list)

    def judge(self) -> Verdict:
        """Record both programs, judge, train, and judge again."""
        self.progress("Loading torch")
        attempt = self.room / "attempt"
        save_file(self.probe.inputs, self.room / "inputs")
        self._record("pristine", self._written("pristine", self.key.pristine), pristine=True)
        always = self.question.trains == "always"
        if always:
            self._train("given", attempt, self.key.text)
        self._wait("pristine")
        self.progress("Comparing under given weights")
        self._record("attempt", attempt, pristine=False)
        pristine = self._evidence("pristine")
        fault = _first_crash(pristine.values())
        if fault:
            raise ToolError(
                f"The correct program itself does not run here: {fault}",
                "Is torch of a tested version? See constraints.txt; else please report it.",
            )
        seen = self._evidence("attempt")
        readings = judge(seen, pristine)
        kept = all(reading.kept for reading in readings.values())
        limit = self._limit("attempt")
        runs: list[Run] = []
        if kept and self.question.trains != "never":
            runs = self._trained(attempt, started=always)
        elif always and limit is None:
            self.progress("Training on the sentence")
            runs = [self._run("given", self.key.text, is_unseen=False)]
        for reading in _training_readings(runs):
            readings[reading.check] = reading
        crash = _first_crash([*(run.recording for run in runs), *seen.values()])
        limit = limit or next(filter(None, map(self._limit, self.trained)), None)
        states: dict[int, State] = {}
        if self.question.attribute:
            states = self._states(seen, pristine, kept=kept)
        passed = kept and limit is None and len(runs) == BOTH
        passed = passed and all(reading.kept for reading in readings.values())
        return Verdict(passed, tuple(readings.values()), tuple(runs), crash, limit, states)

    def _trained(self, attempt: Path, *, started: bool) -> list[Run]:
        """Train on the given sentence and on one never shown, side by side."""
        other = unseen(self.question.rng)
        if not started:
            self._train("given", attempt, self.key.text)
        self._train("unseen", attempt, other)
        self.progress("Training on the sentence and on one never seen")
        runs = [
            self._run("given", self.key.text, is_unseen=False),
            self._run("unseen", other, is_unseen=True),
        ]
        return [self._again(attempt, run) for run in runs]

    def _again(self, attempt: Path, run: Run) -> Run:
        """Train again where nothing but the sample misses, since one seed may be unlucky."""
        while run.recording.crash is None and not run.exact and run.attempts <= RETRIES:
            name = f"{'unseen' if run.unseen else 'given'} {run.attempts + 1}"
            self.progress("The sample missed: training again on another seed")
            self._train(name, attempt, run.text)
            again = self._run(name, run.text, is_unseen=run.unseen)
            run = Run(run.text, run.prompt, run.unseen, again.recording, run.attempts + 1)
        return run

    def _states(self, seen: Evidence, pristine: Evidence, *, kept: bool) -> dict[int, State]:
        numbers = [bug.number for bug in self.key.bugs]
        if kept:
            return dict.fromkeys(numbers, "fixed")
        self.progress("Finding out which bugs are left")
        programs: dict[Subset, Evidence] = {frozenset(): pristine}
        left_in = [left for left in subsets(numbers) if left]
        for left in left_in:
            folder = self._written(_named(left), self.key.program(left))
            self._record(_named(left), folder, pristine=False, segments=True)
        for left in left_in:
            programs[left] = self._evidence(_named(left))
        return attribute(seen, programs, numbers)

    def _written(self, name: str, files: Mapping[str, str]) -> Path:
        folder = self.room / "programs" / name
        folder.mkdir(parents=True)
        for file, text in files.items():
            (folder / file).write_text(text, encoding="utf-8")
        return folder

    def _record(
        self, name: str, program: Path, *, pristine: bool, segments: bool | None = None
    ) -> None:
        spec: dict[str, Any] = {
            **self.probe.spec(),
            "program": str(program),
            "inputs": str(self.room / "inputs"),
            "weights": str(self.room / "weights"),
            "draw_weights": pristine,
            "segments": pristine if segments is None else segments,
            "instruments": INSTRUMENTS,
        }
        self.box.submit(self._own(name), spec)

    def _train(self, name: str, program: Path, text: str) -> None:
        spec = {
            "task": "train",
            "program": str(program),
            "text": text,
            "prompt": text[:PROMPT_LENGTH],
            "seed": self.question.rng.getrandbits(31),
        }
        self.trained.append(name)
        self.box.submit(self._own(name), spec)

    def _evidence(self, name: str) -> dict[str, Recording]:
        """Wait for a program's recordings; where it cannot be imported, each is that crash."""
        outcome = self._wait(name)
        imported = read_recording(outcome.out, "import")
        return {
            instrument: imported
            if imported.crash is not None
            else read_recording(outcome.out, instrument)
            for instrument in INSTRUMENTS
        }

    def _run(self, name: str, text: str, *, is_unseen: bool) -> Run:
        outcome = self._wait(name)
        imported = read_recording(outcome.out, "import")
        recording = imported if imported.crash else read_recording(outcome.out, "train")
        return Run(text, text[:PROMPT_LENGTH], is_unseen, recording)

    def _wait(self, name: str) -> Outcome:
        return self.box.wait(self._own(name))

    def _own(self, name: str) -> str:
        """Name a job so that no other check's has the name."""
        return f"{self.room.name} {name}"

    def _limit(self, name: str) -> Outcome | None:
        outcome = self.box.ended.get(self._own(name))
        return outcome if outcome and outcome.limit else None


def _training_readings(runs: Iterable[Run]) -> Iterator[Reading]:
    """Judge the runs there were, on the given sentence and on one never shown."""
    made = {run.unseen: run for run in runs}
    for is_unseen in (False, True):
        if is_unseen in made:
            yield from judge_run(made[is_unseen])
        else:
            yield from not_judged(unseen=is_unseen, why=NOT_TRAINED)


def _first_crash(recordings: Iterable[Recording]) -> Crash | None:
    return next((recording.crash for recording in recordings if recording.crash), None)


def _named(left: Subset) -> str:
    return "with " + " ".join(map(str, sorted(left)))
