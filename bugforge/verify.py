"""From a workspace to a verdict: record, judge, train, sample; and say which bugs are left."""

import random
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Literal

from bugforge.answers import AnswerKey, State
from bugforge.attempt import Unusable, copy_attempt
from bugforge.attribution import Attribution, Subset, attribute, subsets
from bugforge.checks import NOT_RUN, Evidence, Reading
from bugforge.errors import LostError
from bugforge.exactness import begin, compared, unread
from bugforge.judgement import judge
from bugforge.pairing import Pairing
from bugforge.probe import Probe, draw
from bugforge.recorder import OTHERWISE, Recorder
from bugforge.recordings import Crash, Recording, first_crash
from bugforge.restoring import to_restore
from bugforge.rows_learned import learned, not_learned
from bugforge.sandbox import Outcome, Sandbox
from bugforge.tally import Tally, held, tried, untried
from bugforge.track import Track
from bugforge.tracks import find_track
from bugforge.training import Run, judge_run, not_judged, sentence_law
from bugforge.trials import Trials

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
    isolation: the walls that stood around it. expected: the file of what is expected of it here,
    where it is judged bit for bit. tally: what became of its tests, where they were tried. restore:
    what parameters are to be restored before it can be compared, where no planted bug changed them.
    explained: whether whatever it does some set of its bugs makes it do, where that was asked.
    """

    passed: bool
    readings: tuple[Reading, ...]
    runs: tuple[Run, ...] = ()
    crash: Crash | None = None
    limit: Outcome | None = None
    bugs: dict[int, State] = field(default_factory=dict)
    isolation: tuple[str, ...] = ()
    expected: bytes = b""
    tally: Tally | None = None
    restore: tuple[str, ...] = ()
    explained: bool = True

    @property
    def changed_elsewhere(self) -> bool:
        """Whether laws are broken though no bug is known to be left, or not known of each, and the
        program does what no set of its bugs makes it do.
        """
        states = set(self.bugs.values())
        unclear = states == {"fixed"} or "could not tell" in states
        return bool(self.broken) and unclear and not self.explained

    @property
    def broken(self) -> tuple[Reading, ...]:
        """The laws that the program breaks."""
        return tuple(reading for reading in self.readings if reading.kept is False)

    @property
    def lawful(self) -> bool:
        """Whether every law and comparison is kept, training aside where there was none."""
        return not self.unkept

    @property
    def unkept(self) -> tuple[Reading, ...]:
        """The laws that are broken or could not be judged, training aside where there was none."""
        return tuple(r for r in self.readings if not r.kept and r.why != NOT_TRAINED)

    @property
    def untold(self) -> tuple[Reading, ...]:
        """The laws that could not be judged."""
        return tuple(reading for reading in self.readings if reading.kept is None)


@dataclass(frozen=True)
class Question:
    """How a check is to be made.

    attribute: whether to find out which bugs are left. trains: always, so that the learner sees
    a curve; only when laws and comparison are kept, and the verdict hangs on it; or never, which
    passes nothing that is taught a text. rng: draws inputs, seeds and the sentence never shown.
    hidden: folders that the program must not look into, such as the answer key's. trials: what its
    tests are tried on.
    """

    rng: random.Random
    attribute: bool = False
    trains: Trains = "always"
    hidden: tuple[Path, ...] = ()
    trials: Trials | None = None


def verify(
    box: Sandbox,
    root: Path,
    key: AnswerKey,
    question: Question,
    progress: Progress = lambda _: None,
) -> Verdict:
    """Judge the files in `root` against the key's pristine program."""
    room = box.room()
    track = find_track(key.track)
    program = track.program(key.reference)
    probe = draw(question.rng, program)
    if question.trials and track.only_tests:
        recorder = Recorder(box, room, probe, question.hidden)
        return _of_tests(recorder, root, question, question.trials, progress)
    try:
        copy_attempt(root, room / "attempt", tuple(key.pristine))
    except Unusable as unusable:
        return _not_run(unusable.crash, probe, key, question)
    recorder = Recorder(box, room, probe, question.hidden)
    check = _Check(recorder, track, key, question, progress, room / "attempt")
    try:
        return check.judge()
    except LostError:
        if not box.ready:
            raise
        return _not_run(TOOK_DOWN, probe, key, question)


def _of_tests(
    recorder: Recorder, root: Path, question: Question, trials: Trials, progress: Progress
) -> Verdict:
    """Judge nothing but the tests that lie in `root`, whatever else lies there."""
    progress("Loading torch")
    try:
        copy_attempt(root, recorder.room / "attempt", (trials.tests,))
    except Unusable as unusable:
        readings = tuple(untried(trials, NOT_RUN))
        return Verdict(passed=False, readings=readings, crash=unusable.crash)
    count = len(trials.all_right) + len(trials.wrong)
    progress(f"Trying your tests on {count} programs, right and wrong")
    tally = tried(recorder, trials, question.rng)
    return Verdict(
        passed=tally.is_enough,
        readings=tuple(held(trials, tally)),
        isolation=recorder.box.isolation,
        tally=tally,
    )


def _not_run(crash: Crash, probe: Probe, key: AnswerKey, question: Question) -> Verdict:
    recordings = {name: Recording(crash=crash) for name in probe.instruments}
    exact = unread(key, NOT_RUN) if find_track(key.track).exact else ()
    tests = untried(question.trials) if question.trials else ()
    whole = (not_learned(NOT_TRAINED),) if probe.program.subject == "pipeline" else ()
    untrained = _training_readings(()) if probe.program.learns_text else ()
    readings = (*judge(recordings, recordings).values(), *exact, *tests, *whole, *untrained)
    states: dict[int, State] = {bug.number: "could not tell" for bug in key.bugs}
    return Verdict(
        passed=False, readings=readings, crash=crash, bugs=states if question.attribute else {}
    )


@dataclass
class _Check:
    """One check under way."""

    recorder: Recorder
    track: Track
    key: AnswerKey
    question: Question
    progress: Progress
    attempt: Path

    def judge(self) -> Verdict:
        """Record both programs, judge, train, and judge again."""
        self.progress("Loading torch")
        pristine = self.recorder.pristine(self.key.pristine)
        teaches = self.recorder.probe.program.learns_text
        always = teaches and self.question.trains == "always"
        if always:
            self._train("given", self.key.text)
        self.progress("Comparing under given weights" if teaches else "Comparing")
        self.recorder.attempt("attempt", self.attempt)
        seen, pairing = self.recorder.settled(
            "attempt", self.attempt, self.recorder.recordings("attempt"), [pristine]
        )
        readings = judge(seen, pristine)
        exact, expected = self._exact()
        readings |= {reading.check: reading for reading in exact}
        tests, tally = self._tests(readings.values())
        readings |= {reading.check: reading for reading in tests}
        readings |= {reading.check: reading for reading in self._whole(readings.values())}
        kept = all(reading.kept for reading in readings.values())
        runs: list[Run] = []
        if teaches and kept and self.question.trains != "never":
            runs = self._trained(pairing, started=always)
        elif always and self.recorder.limit() is None:
            self.progress("Training on the sentence")
            runs = [replace(self._run("given", self.key.text, is_unseen=False), tried=False)]
        if teaches:
            readings |= {reading.check: reading for reading in _training_readings(runs)}
        limit = self.recorder.limit()
        passed = kept and limit is None and (len(runs) == BOTH or not teaches)
        found = Attribution({})
        if self.question.attribute:
            found = self._attribution(seen, pristine, kept=kept)
        return Verdict(
            passed=passed and all(reading.kept for reading in readings.values()),
            readings=tuple(readings.values()),
            runs=tuple(runs),
            crash=first_crash([*(run.recording for run in runs), *seen.values()])
            or next((run.main_crash for run in runs if run.main_crash), None),
            limit=limit,
            isolation=self.recorder.box.isolation,
            expected=expected,
            tally=tally,
            restore=to_restore(self.recorder, self.key, seen, pristine, readings.values()),
            bugs=found.states,
            explained=found.explained,
        )

    def _exact(self) -> tuple[list[Reading], bytes]:
        """Compare bits, where the track asks for it; give the file of those expected, too."""
        if not self.track.exact:
            return [], b""
        self.progress("Comparing bit for bit")
        begin(self.recorder, self.key, self.attempt, self.question.rng.getrandbits(31))
        readings, made = compared(self.recorder, self.key)
        return readings, made if self.recorder.probe.program.expects else b""

    def _tests(self, readings: Iterable[Reading]) -> tuple[list[Reading], Tally | None]:
        """Try the attempt's own tests, where it has some to write, and all else holds."""
        trials = self.question.trials
        if trials is None:
            return [], None
        if not all(reading.kept for reading in readings):
            return untried(trials), None
        self.progress("Trying your tests on programs that are right and wrong")
        tally = tried(self.recorder, trials, self.question.rng)
        return held(trials, tally), tally

    def _whole(self, readings: Iterable[Reading]) -> list[Reading]:
        """Train a classifier of rows in whole, where all else holds."""
        if self.recorder.probe.program.subject != "pipeline":
            return []
        if self.question.trains == "never" or not all(reading.kept for reading in readings):
            return [not_learned(NOT_TRAINED)]
        self.progress("Training, to ask about rows never seen")
        return [learned(self.recorder, self.question.rng)]

    def _trained(self, pairing: Pairing, *, started: bool) -> list[Run]:
        """Train on the given sentence and on one never shown, side by side."""
        other = self.recorder.probe.program.unseen(self.question.rng)
        if not started:
            self._train("given", self.key.text)
        self._train("unseen", other)
        self.progress("Training on the sentence and on one never seen")
        runs = [
            self._run("given", self.key.text, is_unseen=False),
            self._run("unseen", other, is_unseen=True),
        ]
        return [self._replayed(self._again(run), pairing) for run in runs]

    def _again(self, run: Run) -> Run:
        """Train again where nothing but the sample misses, since one seed may be unlucky."""
        while _unlucky(run) and run.attempts <= RETRIES:
            name = f"{'unseen' if run.unseen else 'given'} {run.attempts + 1}"
            self.progress("The sample missed: training again on another seed")
            self._train(name, run.whole)
            again = self._run(name, run.whole, is_unseen=run.unseen)
            run = replace(again, attempts=run.attempts + 1)
        return run

    def _replayed(self, run: Run, pairing: Pairing) -> Run:
        """Try the trained weights in the correct program, where the sentence came back."""
        recording = run.recording
        sizes = recording.facts.get("sizes")
        is_sized = isinstance(sizes, dict) and sizes.keys() == self.recorder.probe.sizes.keys()
        is_told = "roles" in recording.facts and "tokens" in recording.tensors
        if not (run.exact and is_sized and is_told):
            return run
        name = "unseen" if run.unseen else "given"
        return replace(
            run, replay=self.recorder.replay(self.key.pristine, name, recording, pairing)
        )

    def _train(self, name: str, text: str) -> None:
        seed = self.question.rng.getrandbits(31)
        self.recorder.train(name, self.attempt, text, seed, main=text == self.key.text)

    def _run(self, name: str, text: str, *, is_unseen: bool) -> Run:
        return Run(self.recorder.probe.program, text, is_unseen, self.recorder.trained(name))

    def _attribution(self, seen: Evidence, pristine: Evidence, *, kept: bool) -> Attribution:
        numbers = [bug.number for bug in self.key.bugs]
        if kept:
            return Attribution(dict.fromkeys(numbers, "fixed"))
        self.progress("Finding out which bugs are left")
        programs = with_bugs_left(self.recorder, self.key, pristine)
        seen, _ = self.recorder.settled("attempt", self.attempt, seen, programs.values(), OTHERWISE)
        return attribute(seen, programs, numbers)


def with_bugs_left(
    recorder: Recorder, key: AnswerKey, pristine: Evidence
) -> dict[Subset, Evidence]:
    """Record the program with every set of its bugs left in. pristine: that with none."""
    programs: dict[Subset, Evidence] = {frozenset(): pristine}
    left_in = [left for left in subsets(bug.number for bug in key.bugs) if left]
    for left in left_in:
        recorder.forged(_named(left), key.program(left))
    for left in left_in:
        programs[left] = recorder.recordings(_named(left))
        recorder.forget(_named(left))
    return programs


def _training_readings(runs: Iterable[Run]) -> Iterator[Reading]:
    """Judge the runs there were, on the given sentence and on one never shown."""
    made = {run.unseen: run for run in runs}
    for is_unseen in (False, True):
        if is_unseen in made:
            yield from judge_run(made[is_unseen])
        else:
            yield from not_judged(unseen=is_unseen, why=NOT_TRAINED)


def _unlucky(run: Run) -> bool:
    """Whether a run keeps every law but that its sample misses."""
    broken = [reading.check for reading in judge_run(run) if reading.kept is False]
    return run.recording.crash is None and broken == [sentence_law(unseen=run.unseen)]


def _named(left: Subset) -> str:
    return "with " + " ".join(map(str, sorted(left)))
