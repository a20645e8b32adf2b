"""Checking a workspace: open it, judge it, note it in its journal."""

import math
import random
import secrets
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

from bugforge import __version__
from bugforge.analysis import Analysis, analysed
from bugforge.answers import AnswerKey
from bugforge.bench import most_at_once
from bugforge.catalogue import Catalogue, load, refuse_unknown
from bugforge.errors import AnswerKeyError, WorkspaceError
from bugforge.exactness import EXPECTED
from bugforge.forge import is_genuine
from bugforge.keeping import keep
from bugforge.own_forge import is_own_genuine
from bugforge.own_program import OWN
from bugforge.own_verdict import verify_own
from bugforge.report import FEEDBACKS, exit_code, outcome
from bugforge.sandbox import Lend, Sandbox
from bugforge.snapshot import digest, snapshot
from bugforge.trials import trials_of
from bugforge.verify import Progress, Question, Verdict, verify
from bugforge.workspace import Workspace, find, replace_files


@dataclass(frozen=True)
class Checked:
    """A workspace and the verdict on it. renewed: whether the tensors that are expected of it were
    not those of this machine, and were written anew. analysis: what its ANALYSIS.md claims, if
    anything. told: what there is to tell of keeping the result, a line each.
    """

    workspace: Workspace
    verdict: Verdict
    renewed: bool
    analysis: Analysis | None
    told: tuple[str, ...]


def check(
    given: Path | None,
    feedback: str,
    key_dir: Path | None,
    lend: Lend,
    progress: Progress,
) -> Checked:
    """Judge a workspace, in a sandbox that `lend` gives.

    Raises UsageError where it, its key or the feedback cannot be used.
    """
    refuse_unknown("feedback", feedback, FEEDBACKS)
    workspace = find(given)
    key = workspace.answer_key(key_dir)
    with lend() as box:
        if key.tests:  # they are tried on many programs, and so on as many cores as there are
            box.at_once = most_at_once()
        catalogue = load()  # while the box loads torch
        hold_genuine(key, key_dir, catalogue)
        question = Question(
            rng=random.Random(secrets.randbits(128)),
            attribute=feedback == "full",
            hidden=hidden_from(workspace, key_dir),
            trials=trials_of(key, catalogue),
        )
        program = digest(workspace.root)
        verdict = judged(box, workspace, key, question, progress)
    _note(workspace, verdict, program)
    renewed = _renewed(workspace, verdict.expected)
    told = keep(workspace, key)
    return Checked(workspace, verdict, renewed, analysed(workspace.root, key), told)


def hidden_from(workspace: Workspace, key_dir: Path | None) -> tuple[Path, ...]:
    """Name the folders that a program must not look into."""
    return (workspace.hidden, *((key_dir.resolve(),) if key_dir else ()))


def judged(
    box: Sandbox, workspace: Workspace, key: AnswerKey, question: Question, progress: Progress
) -> Verdict:
    """Judge a workspace as programs of its kind are judged."""
    judge = verify_own if key.track == OWN else verify
    return judge(box, workspace.root, key, question, progress)


def fault(verdict: Verdict) -> str | None:
    """Say how a program ends that does not run through; None of one that does."""
    if verdict.limit:
        return f"it used more {verdict.limit.limit} than it may"
    return str(verdict.crash) if verdict.crash else None


def _note(workspace: Workspace, verdict: Verdict, program: str) -> None:
    """Note a check in the journal, with what the learner saw of it, if that can be written."""
    shown = next((run for run in verdict.runs if not run.unseen), None)
    event = {
        "event": "check",
        "verdict": outcome(verdict),
        "exit_code": exit_code(verdict),
        "broken": len(verdict.broken),
        "digest": program,
        "fault": fault(verdict),
        "bugs": {str(number): state for number, state in sorted(verdict.bugs.items())},
        "losses": [
            [step, round(loss, 4) if math.isfinite(loss) else None]
            for step, loss in enumerate(shown.losses if shown else ())
        ],
        "sample": shown.sample if shown else None,
    }
    with suppress(WorkspaceError):
        workspace.record(lambda events: {**event, "program": snapshot(workspace.root, events)})


def _renewed(workspace: Workspace, expected: bytes) -> bool:
    """Write what is expected where something else lies, and tell whether it did."""
    path = workspace.root / EXPECTED
    with suppress(OSError):
        if not expected or path.read_bytes() == expected:
            return False
    with suppress(WorkspaceError):  # a place that cannot be written takes no verdict away
        replace_files(workspace, {EXPECTED: expected})
        return True
    return False


def hold_genuine(key: AnswerKey, key_dir: Path | None, catalogue: Catalogue) -> None:
    """Refuse a key whose correct program is none that forging gives.

    That of another version cannot be known here, and is trusted only where it was kept away from
    the learner. Raises AnswerKeyError.
    """
    if key.version != __version__:
        if key_dir is None:
            raise AnswerKeyError(
                f"The workspace was made by Bugforge {key.version}, and this is {__version__}.",
                f"To check it, install that version: pip install bugforge=={key.version}",
            )
        return
    if key.track == OWN:
        if not is_own_genuine(key):
            raise _changed(key)
        return
    known = {f"{r.id}/{choice}" for r in catalogue.rewrites.values() for choice in r.choices()}
    lacking = [way for way in key.ways if way not in known]
    if lacking:
        plugins = " ".join(key.plugins) or "the plugins that bring them"
        raise AnswerKeyError(
            f"The workspace was forged with rewrites that are not installed: {', '.join(lacking)}.",
            f"Install {plugins} as it was then; `bugforge list` says if a plugin is broken.",
        )
    if not is_genuine(key, catalogue):
        raise _changed(key)


def _changed(key: AnswerKey) -> AnswerKeyError:
    plugins = " ".join(key.plugins)
    return AnswerKeyError(
        "The workspace's answer key has been changed since it was forged"
        + (f", or {plugins} has." if plugins else "."),
        "Put the original back; `bugforge new` with the same seed and options makes it again.",
    )
