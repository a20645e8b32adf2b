"""Looking back on a practice that has ended: open journal and key, and find out the rest."""

import random
import secrets
from collections.abc import Mapping, Sequence
from dataclasses import replace
from pathlib import Path

from bugforge.analysis import analysed
from bugforge.answers import AnswerKey
from bugforge.attribution import State
from bugforge.catalogue import load
from bugforge.checking import hidden_from, hold_genuine
from bugforge.clock import Event, Mark, Standing, standing
from bugforge.debrief import Debrief, Moment, advice, courses
from bugforge.errors import BugforgeError, UsageError
from bugforge.files import unwritable
from bugforge.journal import now
from bugforge.output import at_steps, noted_losses
from bugforge.practising import timeline
from bugforge.retracing import RETRACED, Found, Retracer, digest, remember, remembered
from bugforge.sandbox import Limits, opened
from bugforge.scoring import rung_of, score
from bugforge.snapshot import programs
from bugforge.verify import Progress
from bugforge.workspace import Workspace

Program = Mapping[str, bytes]


def debrief(
    workspace: Workspace, key_dir: Path | None, seconds: float, progress: Progress
) -> Debrief:
    """Look back on a practice. Raises UsageError where it has not ended, or its journal or its key
    cannot be used.
    """
    key = workspace.answer_key(key_dir)
    stands = workspace.standing()
    if not stands.ended:
        raise UsageError(
            f"{workspace.root}: the practice has not ended, and a report would tell of its bugs.",
            "Mend what is left, or open the answer key: bugforge reveal",
        )
    return look_back(workspace, key, None, key_dir, seconds, progress)


def look_back(  # noqa: PLR0913, PLR0917
    workspace: Workspace,
    key: AnswerKey,
    number: int | None,
    key_dir: Path | None,
    seconds: float,
    progress: Progress,
) -> Debrief:
    """Look back on a practice of which all may be told, or no more than the bug of this number."""
    try:
        events = workspace.journal.events()
    except OSError as error:
        raise unwritable(error, workspace.journal.path) from error
    every = standing(events, now())
    stands = _until_its_end(every)
    # A round's marks are the last events of the journal, but for those behind its end.
    began = len(events) - len(every.marks)
    held = programs(events)[began : began + len(stands.marks)]
    found, untold = _find_out(workspace, key, held, key_dir, seconds, progress)
    moments = _moments(stands, held, found, key)
    shown = [bug for bug in key.bugs if number in (None, bug.number)]
    went = courses(key.bugs, moments, stands.seconds)
    # What was mended before it was revealed cost nothing but its hints.
    mended = {course.bug.number for course in went if course.end == "fixed"}
    stands = replace(stands, revealed=stands.revealed - mended)
    analysis = analysed(workspace.root, key)
    whole = number is None
    return Debrief(
        manifest=workspace.manifest,
        key=key,
        stands=stands,
        moments=moments,
        courses=tuple(course for course in went if course.bug in shown),
        whole=whole,
        score=score(stands, workspace.manifest.minutes, workspace.manifest.runs),
        analysis=analysis,
        found=found,
        untold=untold,
        advice=advice(key, workspace.manifest, stands, went, analysis) if whole else (),
    )


def _until_its_end(stands: Standing) -> Standing:
    """Leave out what happened once the practice had ended."""
    events = [mark.event for mark in stands.marks]
    for count in range(1, len(events) + 1):
        then = standing(events[:count])
        if then.ended:
            return replace(then, round=stands.round)
    return stands


def _find_out(  # noqa: PLR0913, PLR0917
    workspace: Workspace,
    key: AnswerKey,
    held: Sequence[Program | None],
    key_dir: Path | None,
    seconds: float,
    progress: Progress,
) -> tuple[Found, str | None]:
    """Find out what is not known yet, and keep it; where that is not possible, say why."""
    path = workspace.hidden / RETRACED
    known = remembered(path, key)
    wanted = {digest(program): program for program in held if program} if key.bugs else {}
    if not known.lacks(wanted):
        return known, None
    try:
        with opened(Limits(seconds=seconds)) as box:
            hold_genuine(key, key_dir, load())  # while the box loads torch
            hidden = hidden_from(workspace, key_dir)
            rng = random.Random(secrets.randbits(128))
            found = Retracer(box, key, hidden, rng, progress).retrace(wanted, known)
    except BugforgeError as error:
        return known, error.what
    remember(path, key, found)
    return found, None


def _moments(
    stands: Standing, held: Sequence[Program | None], found: Found, key: AnswerKey
) -> tuple[Moment, ...]:
    ran = {m.event.fields.get("run"): m.event for m in stands.marks if m.event.name == "ran"}
    told = [
        (mark, program)
        for mark, program in zip(stands.marks, held, strict=True)
        if mark.event.name != "ran"
    ]
    moments = []
    for line, (mark, program) in zip(timeline(stands), told, strict=True):
        event = ran.get(mark.event.fields.get("run")) if line.name == "run" else mark.event
        fields = event.fields if event else {}
        sample, hint = fields.get("sample"), rung_of(mark.event)
        moments.append(
            Moment(
                line,
                states=_states(mark, program, found, key),
                revealed=_revealed(mark.event),
                hint=hint[0] if hint else None,
                sample=sample if isinstance(sample, str) else None,
                curve=tuple(at_steps(noted_losses(fields))),
            )
        )
    return tuple(moments)


def _states(
    mark: Mark, program: Program | None, found: Found, key: AnswerKey
) -> Mapping[int, State]:
    """Tell which bugs a program still held that was run, checked or revealed."""
    event = mark.event
    numbers = [bug.number for bug in key.bugs]
    if event.name == "reset":
        return dict.fromkeys(numbers, "remaining")
    if event.fields.get("verdict") == "passed":
        return dict.fromkeys(numbers, "fixed")
    if event.name not in ("run", "check", "reveal") or program is None:
        return {}
    return found.states.get(digest(program), {})


def _revealed(event: Event) -> tuple[int, ...]:
    bugs = event.fields.get("bugs")
    if event.name != "reveal" or not isinstance(bugs, list):
        return ()
    return tuple(number for number in bugs if isinstance(number, int))
