"""Hints for a workspace: find out which bugs are left, if that is not known, and give a rung."""

import random
import secrets
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from bugforge.answers import AnswerKey
from bugforge.catalogue import Catalogue, load
from bugforge.checking import fault, hidden_from, hold_genuine, judged
from bugforge.clock import ENDED, Event, Standing, standing
from bugforge.courses import last_round
from bugforge.errors import UsageError
from bugforge.journal import Fields, now
from bugforge.ladder import RUNGS, Hint, hint, may_crash, next_rung
from bugforge.sandbox import Lend
from bugforge.scoring import rung_cost, rung_of, rungs_taken
from bugforge.snapshot import digest, snapshot
from bugforge.verify import Progress, Question, Verdict
from bugforge.workspace import Workspace, find


@dataclass(frozen=True)
class Known:
    """What is known of a program: the numbers of the bugs that remain, and of those of which it
    could not be told. fault: how it ends, where it does not run through. broken: sentences of the
    laws that it breaks, where it was judged just now.
    """

    remaining: tuple[int, ...]
    untold: tuple[int, ...]
    fault: str | None = None
    broken: tuple[str, ...] = ()


@dataclass(frozen=True)
class Coached:
    """What came of asking for a hint. hint: the new one, or None where there is none to give, and
    known says why. taken: all of this round until now, as they read when they were given.
    costs: of the rungs of one bug, from the first, in points. next_bug, next_cost: which bug the
    next one is for, and its points; None where none is left.
    """

    workspace: Workspace
    stands: Standing
    taken: tuple[Hint, ...]
    costs: tuple[float, ...]
    hint: Hint | None = None
    next_bug: int | None = None
    next_cost: float | None = None
    known: Known | None = None


def coach(given: Path | None, key_dir: Path | None, lend: Lend, progress: Progress) -> Coached:
    """Give the next hint of a workspace, and note it in the journal.

    lend: gives the sandbox that its program runs in, where it has to.

    Raises UsageError where the practice has ended, or there are no bugs to find; WorkspaceError or
    AnswerKeyError where the workspace, its journal or its key cannot be used.
    """
    workspace, key = _with_bugs(given, key_dir)
    _refuse_ended(workspace, workspace.standing())
    catalogue = load()
    program = digest(workspace.root)
    known = _last_known(workspace, program)
    if known is None:
        known = _found_out(workspace, key, key_dir, catalogue, lend, progress)
    return _given(workspace, key, catalogue, known, program)


def taken(given: Path | None, key_dir: Path | None) -> Coached:
    """Give the hints that were taken in this round, and none besides. Raises as `coach` does."""
    workspace, key = _with_bugs(given, key_dir)
    stands = workspace.standing()
    return Coached(workspace, stands, _taken(workspace, key, load(), stands), costs(key))


def _with_bugs(given: Path | None, key_dir: Path | None) -> tuple[Workspace, AnswerKey]:
    workspace = find(given)
    key = workspace.answer_key(key_dir)
    if not key.bugs:
        raise UsageError(
            f"{workspace.root} holds no bugs, so there are no hints.",
            "PROBLEM.md says what to add; `bugforge check --feedback symptom` names laws not kept.",
        )
    return workspace, key


def _refuse_ended(workspace: Workspace, stands: Standing) -> None:
    if stands.state in ENDED:
        raise UsageError(
            f"{workspace.root}: the practice has ended ({stands.state}), and hints with it.",
            "`bugforge reveal` explains each bug; `bugforge reset` begins anew.",
        )


def _last_known(workspace: Workspace, program: str) -> Known | None:
    """Recall what a check or a hint last found out of this very program; None where none did."""
    for mark in reversed(workspace.standing().marks):
        fields = mark.event.fields
        if fields.get("digest") != program:
            continue
        states = fields.get("bugs")
        if isinstance(states, dict) and "remaining" in states.values():
            ends = fields.get("fault")
            return Known(
                _numbers(states, "remaining"),
                _numbers(states, "could not tell"),
                fault=ends if isinstance(ends, str) else None,
            )
    return None


def _numbers(states: Mapping[str, object], wanted: str) -> tuple[int, ...]:
    return tuple(int(n) for n, state in states.items() if state == wanted and n.isdecimal())


def _found_out(  # noqa: PLR0913, PLR0917
    workspace: Workspace,
    key: AnswerKey,
    key_dir: Path | None,
    catalogue: Catalogue,
    lend: Lend,
    progress: Progress,
) -> Known:
    """Judge a workspace without training it, and tell its bugs apart."""
    with lend() as box:
        hold_genuine(key, key_dir, catalogue)  # while the box loads torch
        question = Question(
            rng=random.Random(secrets.randbits(128)),
            attribute=True,
            trains="never",
            hidden=hidden_from(workspace, key_dir),
        )
        return _known_of(judged(box, workspace, key, question, progress))


def _known_of(verdict: Verdict) -> Known:
    """Read what a verdict that tells the bugs apart makes known."""
    states = {str(number): state for number, state in verdict.bugs.items()}
    return Known(
        _numbers(states, "remaining"),
        _numbers(states, "could not tell"),
        fault=fault(verdict),
        broken=tuple(reading.sentence for reading in verdict.broken),
    )


def _given(
    workspace: Workspace, key: AnswerKey, catalogue: Catalogue, known: Known, program: str
) -> Coached:
    """Choose the next hint by what is in the journal at that moment, and note it there."""
    chosen: list[tuple[Standing, tuple[int, int] | None]] = []

    def decide(events: Sequence[Event]) -> Fields | None:
        stands = standing(events, now())
        remaining = set(known.remaining) - stands.revealed
        found = next_rung(
            key, catalogue, remaining, rungs_taken(stands), crashed=known.fault is not None
        )
        chosen.append((stands, found))
        if found is None:
            return None
        states = dict.fromkeys(known.remaining, "remaining") | dict.fromkeys(
            known.untold, "could not tell"
        )
        return {
            "event": "hint",
            "bug": found[0],
            "rung": found[1],
            "of": len(key.bugs),
            "digest": program,
            "program": snapshot(workspace.root, events),
            "fault": known.fault,
            "bugs": {str(number): states.get(number, "fixed") for number in _all(key)},
        }

    workspace.record(decide)
    stands, found = chosen[-1]
    before = _taken(workspace, key, catalogue, stands)
    if found is None:
        if may_crash(key, catalogue, known.remaining):
            known = replace(known, fault=None)  # it is a planted bug's, whose hints were all taken
        return Coached(workspace, stands, before, costs(key), known=known)
    after = workspace.standing()
    further = next_rung(
        key,
        catalogue,
        set(known.remaining) - after.revealed,
        rungs_taken(after),
        crashed=known.fault is not None,
    )
    return Coached(
        workspace,
        after,
        before,
        costs(key),
        hint(key, catalogue, *found, _texts(workspace, key)),
        next_bug=further[0] if further else None,
        next_cost=costs(key)[further[1] - 1] if further else None,
        known=known,
    )


def _all(key: AnswerKey) -> list[int]:
    return sorted(bug.number for bug in key.bugs)


def costs(key: AnswerKey) -> tuple[float, ...]:
    """Give what the rungs of one bug cost, in points, from the first; nothing without bugs."""
    if not key.bugs:
        return ()
    return tuple(rung_cost(rung, len(key.bugs)) for rung in range(1, len(RUNGS) + 1))


def _taken(
    workspace: Workspace, key: AnswerKey, catalogue: Catalogue, stands: Standing
) -> tuple[Hint, ...]:
    """Give the hints of this round, each as it read with the files as they were then."""
    then = last_round(workspace.events()).held
    texts, numbers = _texts(workspace, key), _all(key)
    told: dict[tuple[int, int], Hint] = {}
    for mark, program in zip(stands.marks, then, strict=False):
        rung = rung_of(mark.event)
        if rung and rung[0] in numbers and rung not in told:
            files = {name: program.get(name, b"") for name in key.pristine} if program else {}
            held = {name: text.decode(errors="replace") for name, text in files.items()}
            told[rung] = hint(key, catalogue, *rung, held or texts)
    return tuple(told.values())


def _texts(workspace: Workspace, key: AnswerKey) -> dict[str, str]:
    """Give the learner's files, text by name; empty for one that cannot be read."""
    return {name: _text(workspace.root / name) for name in key.pristine}


def _text(path: Path) -> str:
    try:
        return path.read_text(encoding="utf-8", errors="replace")
    except OSError:
        return ""
