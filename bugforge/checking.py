"""Checking a workspace: open it, judge it, note it in its journal."""

import random
import secrets
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

from bugforge import __version__
from bugforge.answers import AnswerKey
from bugforge.catalogue import load, nearest
from bugforge.errors import AnswerKeyError, UsageError
from bugforge.forge import is_genuine
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
        if key_dir is None:
            _hold_genuine(key)  # torch is being loaded meanwhile
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


def _hold_genuine(key: AnswerKey) -> None:
    """Refuse a key that is not what its own seed gives, since it lies within a learner's reach.

    Raises AnswerKeyError.
    """
    if key.version != __version__:
        raise AnswerKeyError(
            f"The workspace was made by Bugforge {key.version}, and this is {__version__}.",
            f"Install that version to check it, or forge another: bugforge new --seed {key.seed}",
        )
    if not is_genuine(key, load(), __version__):
        raise AnswerKeyError(
            "The workspace's answer key is not the one that was forged for it.",
            "Forge the workspace again, with the same plugins installed as then.",
        )
