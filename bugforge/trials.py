"""A learner's own tests, tried on programs that are right and on others that are not."""

import random
from collections.abc import Mapping
from dataclasses import dataclass

from bugforge.answers import AnswerKey
from bugforge.catalogue import Catalogue
from bugforge.checks import Reading
from bugforge.edits import apply_edits
from bugforge.mutants import mutants
from bugforge.mutation import RUNS, Stage
from bugforge.recorder import Recorder
from bugforge.track import find_track
from bugforge.variant import vary, written

OTHERS = 2
"""Right programs beside the key's own and the plain one, each written in ways that are drawn."""

SEEN = {RUNS, "cached", "cache-length", "caches-apart", "greedy"}
"""Checks of what a parity test can see: not what a token costs."""

HOLD: tuple[str, Stage, str] = (
    "tests-hold",
    "cache",
    "Your own tests pass on programs that are right, however they are written.",
)
TELL: tuple[str, Stage, str] = (
    "tests-tell",
    "cache",
    "Your own tests fail on every program that is wrong.",
)
LATER = "it is looked at once all else holds"
ALARMED = "they fail on programs that are right"


@dataclass(frozen=True)
class Trials:
    """Programs to try tests on. tests: the file they lie in. wrong: by id, kinds of bug."""

    tests: str
    right: tuple[Mapping[str, str], ...]
    wrong: Mapping[str, Mapping[str, str]]
    classes: Mapping[str, str]


def trials_of(key: AnswerKey, catalogue: Catalogue) -> Trials | None:
    """Make the programs that a learner's tests are to be tried on, where they are to write some."""
    if not key.tests:
        return None
    track = find_track(key.track)
    program, rng = track.program(key.reference), random.Random(key.id)
    also = program.extension.tried if program.extension else ()
    reference, rewrites = program.reference(), catalogue.rewrites_of(program)
    others = [vary(reference, rewrites, key.text, rng).files for _ in range(OTHERS)]
    kinds = [
        kind
        for kind in catalogue.kinds.values()
        if kind.id in also or (track.plants(kind) and kind.killed_by & SEEN)
    ]
    wrong = {
        mutant.kind.id: apply_edits(key.pristine, mutant.edits)
        for mutant in mutants(key.pristine, kinds)
    }
    return Trials(
        tests=next(iter(key.tests)),
        right=(key.pristine, written(reference, (), key.text, ()), *others),
        wrong=wrong,
        classes={kind.id: kind.bug_class for kind in kinds},
    )


def tried(recorder: Recorder, trials: Trials) -> list[Reading]:
    """Try the attempt's tests on all programs; count false alarms, and wrong ones that survive."""
    right = {f"right {number}": files for number, files in enumerate(trials.right)}
    for name, files in {**right, **trials.wrong}.items():
        recorder.test(name, files, trials.tests)
    alarms = sum(not recorder.tested(name) for name in right)
    held = Reading(*HOLD, alarms == 0, float(alarms), 0.0)
    if alarms:
        return [held, Reading(*TELL, None, why=ALARMED)]
    missed = [name for name in trials.wrong if recorder.tested(name)]
    words = ", ".join(sorted({trials.classes[name] for name in missed}))
    check, stage, sentence = TELL
    told = f"{sentence} They do not in {len(missed)} of {len(trials.wrong)}: {words}."
    sentence = told if missed else sentence
    return [held, Reading(check, stage, sentence, not missed, float(len(missed)), 0.0)]


def untried() -> list[Reading]:
    """Say that tests were not tried yet."""
    return [Reading(*law, None, why=LATER) for law in (HOLD, TELL)]
