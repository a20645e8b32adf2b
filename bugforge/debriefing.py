"""Looking back on a practice that has ended: open journal and key, and find out the rest."""

import random
import secrets
from collections.abc import Sequence
from pathlib import Path

from bugforge.analysis import analysed
from bugforge.answers import AnswerKey
from bugforge.catalogue import load
from bugforge.checking import hidden_from, hold_genuine
from bugforge.courses import Program, account, last_round
from bugforge.debrief import Debrief, advice
from bugforge.errors import BugforgeError, UsageError
from bugforge.journal import now
from bugforge.keeping import keep
from bugforge.retraced import RETRACED, Found, digest, remember, remembered
from bugforge.retracing import Retracer
from bugforge.sandbox import Limits, opened
from bugforge.scoring import score
from bugforge.verify import Progress
from bugforge.workspace import Workspace


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
    played = last_round(workspace.events(), now())
    found, untold = _find_out(workspace, key, played.held, key_dir, seconds, progress)
    told = keep(workspace, key)  # once more: it is known now what was mended
    went = account(played, key, found)
    shown = [bug for bug in key.bugs if number in (None, bug.number)]
    analysis = analysed(workspace.root, key)
    whole = number is None
    next_ = advice(key, workspace.manifest, went.stands, went.courses, analysis) if whole else ()
    return Debrief(
        manifest=workspace.manifest,
        key=key,
        stands=went.stands,
        moments=went.moments,
        courses=tuple(course for course in went.courses if course.bug in shown),
        whole=whole,
        score=score(went.stands, workspace.manifest.minutes, workspace.manifest.runs),
        analysis=analysis,
        found=found,
        untold=untold,
        told=told,
        advice=next_,
    )


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
