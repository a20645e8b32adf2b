"""Bit for bit: whether a program's first training steps are those of the correct one."""

import random
from collections.abc import Sequence
from itertools import zip_longest
from pathlib import Path

import numpy as np

from bugforge.answers import AnswerKey
from bugforge.checks import NOT_RUN, Reading
from bugforge.distance import apart
from bugforge.mutation import Stage
from bugforge.probe import draw
from bugforge.recorder import Course, Recorder, runs_nowhere
from bugforge.recordings import Array, Recording, first_crash
from bugforge.sandbox import Limits, opened
from bugforge.tracks import find_track

EXPECTED = "expected.safetensors"
"""What a workspace calls the tensors that its program must make."""

SEED = 1337
"""What `main` trains with."""

FIRST = (0, 1, 2, 3, 9)
"""Steps that are taken where it is told that they are: all while the rate rises, since how it falls
is the program's choice.
"""

LATER = (40,)
"""Steps that any program takes that trains by the hundred, and warms up."""

SAME: tuple[tuple[str, str, Stage, str], ...] = (
    (
        "logits",
        "expected-logits",
        "head",
        "The logits before the first steps and after each are the expected ones, bit for bit.",
    ),
    (
        "losses",
        "expected-losses",
        "loss",
        "The losses of the first steps are the expected ones, bit for bit.",
    ),
    (
        "parameters",
        "expected-parameters",
        "optim",
        "The parameters before the first steps and after each are the expected ones, bit for bit.",
    ),
)
SIGNATURE: tuple[str, Stage, str] = ("signature", "head", "`forward` takes what it took.")
WAYS = ("given", "drawn")
"""Which seed the steps are taken with: that of `main`, and another."""

Pair = tuple[Recording, Recording]
"""What an attempt made, and what it should have made."""


def begin(recorder: Recorder, key: AnswerKey, attempt: Path, drawn: int) -> None:
    """Have the correct program, or the one that is to be extended, and an attempt take their first
    steps. drawn: another seed.
    """
    model = recorder.write("exact", key.given or key.pristine)
    steps = LATER if key.given else FIRST
    for way, seed in zip(WAYS, (SEED, drawn), strict=True):
        course = Course(steps, key.text, seed)
        recorder.expect(f"expected, {way} seed", model, course, own=bool(key.given))
        recorder.expect(f"made, {way} seed", attempt, course, own=True)


def compared(recorder: Recorder, key: AnswerKey) -> tuple[list[Reading], bytes]:
    """Wait for those steps, and compare them; give the file of what is expected here, too.

    What forward takes must stay where nothing is to be added to it. A learner's own program that
    could not be run for so few steps says nothing of what is made of it.
    """
    jobs = [(f"made, {way} seed", f"expected, {way} seed") for way in WAYS]
    pairs = [(recorder.expected(made), recorder.expected(wanted)) for made, wanted in jobs]
    readings = [_same(*words, pairs) for words in SAME]
    if key.given:
        return ([] if any(wanted.crash for _, wanted in pairs) else readings), b""
    fault = first_crash(wanted for _, wanted in pairs)
    if fault:
        raise runs_nowhere(fault)
    return [*readings, _signature(pairs)], _file(recorder, jobs[0][1])


def _file(recorder: Recorder, name: str) -> bytes:
    return (recorder.wait(name).out / "expected.safetensors").read_bytes()


def unread(key: AnswerKey, why: str) -> list[Reading]:
    """Say of each of these laws that it could not be judged, and why."""
    laws = [(check, stage, sentence) for _, check, stage, sentence in SAME]
    laws += [] if key.given else [SIGNATURE]
    return [Reading(*law, None, why=why) for law in laws]


def _same(part: str, check: str, stage: Stage, sentence: str, pairs: Sequence[Pair]) -> Reading:
    if any(made.crash for made, _ in pairs):
        return Reading(check, stage, sentence, None, why=NOT_RUN)
    differing = [(d, words) for pair in pairs for d, words in _differences(part, *pair) if d > 0]
    farthest = max((distance for distance, _ in differing), default=0.0)
    first = f" They first differ {differing[0][1]}." if differing else ""
    return Reading(check, stage, f"{sentence}{first}", not differing, farthest, 0.0)


def _differences(part: str, made: Recording, wanted: Recording) -> list[tuple[float, str]]:
    """How far each tensor of a part lies from the one expected, and where they first differ."""
    some, others = ([n for n in r.tensors if f"/{part}" in n] for r in (made, wanted))
    found = []
    for mine, name in zip_longest(sorted(some), sorted(others)):
        if mine is None or name is None:
            found.append((float("inf"), f"in number: {len(some)} and not {len(others)}"))
            continue
        got, expected = made.tensors[mine], wanted.tensors[name]
        steps, _, which = name.partition("/")
        found.append((apart(got, expected), f"{_where(got, expected)} of {which}, after {steps}"))
    return found


def _where(got: Array, expected: Array) -> str:
    """Say where two tensors first differ, and by how much, if they do."""
    if got.shape != expected.shape:
        return f"in shape, which is {got.shape} and not {expected.shape}"
    differing = np.argwhere((got != expected) & ~(np.isnan(got) & np.isnan(expected)))
    if not differing.size:
        return ""
    place = tuple(map(int, differing[0]))
    return f"at {list(place)}, by {abs(float(got[place]) - float(expected[place])):.1e},"


def _signature(pairs: Sequence[Pair]) -> Reading:
    if any(made.crash for made, _ in pairs):
        return Reading(*SIGNATURE, None, why=NOT_RUN)
    changed = sum(made.facts.get("forward") != wanted.facts["forward"] for made, wanted in pairs)
    return Reading(*SIGNATURE, not changed, float(changed), 0.0)


def made_here(key: AnswerKey) -> bytes:
    """Make the file of what is expected of a key's program, on this machine.

    Raises ToolError where torch cannot be loaded, or the program does not run.
    """
    program = find_track(key.track).program(key.reference)
    with opened(Limits()) as box:
        recorder = Recorder(box, box.room(), draw(random.Random(key.id), program))
        correct = recorder.write("exact", key.pristine)
        recorder.expect("expected", correct, Course(FIRST, key.text, SEED))
        fault = recorder.expected("expected").crash
        if fault:
            raise runs_nowhere(fault)
        return _file(recorder, "expected")
