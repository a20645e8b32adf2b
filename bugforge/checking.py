"""Checking a workspace: open it, judge it, note it in its journal."""

import random
import secrets
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

from bugforge.catalogue import nearest
from bugforge.errors import UsageError
from bugforge.report import FEEDBACKS, exit_code, outcome
from bugforge.sandbox import Limits, opened
from bugforge.verify import Progress, Question, Verdict, verify
from bugforge.workspace import Workspace, find


@dataclass(frozen=True)
class Checked:
    """A workspace and the verdict on it."""

    workspace: Workspace
    verdict: Verdict


def check(
    given: Path | None,
    feedback: str,
    key_dir: Path | None,
    seconds: float,
    progress: Progress,
) -> Checked:
    """Judge a workspace. Raises UsageError where it, its key or the feedback cannot be used."""
    if feedback not in FEEDBACKS:
        mend = nearest(feedback, FEEDBACKS, f"It is one of {', '.join(FEEDBACKS)}.")
        raise UsageError(f"There is no feedback called {feedback!r}.", mend)
    workspace = find(given)
    key = workspace.answer_key(key_dir)
    question = Question(
        rng=random.Random(secrets.randbits(128)),
        attribute=feedback == "full",
        hidden=(workspace.hidden, *((key_dir.resolve(),) if key_dir else ())),
    )
    with opened(Limits(seconds=seconds)) as box:
        verdict = verify(box, workspace.root, key, question, progress)
    workspace.note(
        {
            "time": datetime.now(UTC).isoformat(timespec="seconds"),
            "event": "check",
            "verdict": outcome(verdict),
            "exit_code": exit_code(verdict),
        }
    )
    return Checked(workspace, verdict)
