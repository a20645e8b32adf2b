"""Going on from a workspace that passed: the learner's own program, and something to add to it."""

import hashlib
import os
from collections.abc import Container
from dataclasses import dataclass, replace
from pathlib import Path

from bugforge import __version__
from bugforge.answers import AnswerKey
from bugforge.catalogue import Catalogue, refuse_unknown
from bugforge.documents import Allowance
from bugforge.errors import UsageError, WorkspaceError
from bugforge.making import Made, settle
from bugforge.own_program import OWN
from bugforge.place import Place
from bugforge.program import Program
from bugforge.snapshot import digest
from bugforge.track import Track
from bugforge.tracks import TRACKS, find_track
from bugforge.variant import written
from bugforge.workspace import Workspace, around, find, further, plain_files

CHANGED = "{root} has changed since it passed, and what is here now was gone on with."


@dataclass(frozen=True)
class Further:
    """What `bugforge extend` was asked for.

    name: the follow-up, which is a track of its own. target: the folder to make; beside the
    workspace where it is None.
    """

    name: str
    workspace: Path | None
    target: Path | None
    allowance: Allowance
    key_dir: Path | None
    force: bool


def extend(order: Further, catalogue: Catalogue) -> Made:
    """Make a workspace of a learner's program that passed, and what a follow-up adds to it.

    The workspace that it is made from stays as it is. Raises UsageError where the follow-up is not
    known, or does not fit, or the workspace has not passed; WorkspaceError where a workspace cannot
    be used or written.
    """
    follow_ups = {track.name: track for track in TRACKS if track.follows_up}
    refuse_unknown("follow-up", order.name, follow_ups)
    workspace = find(order.workspace)
    target = order.target or Path(os.path.relpath(further(workspace.root, order.name)))
    holder = around(target.parent)
    if holder is not None:
        raise WorkspaceError(
            f"{target} lies inside the workspace {holder}.", "Name a folder outside it with --to."
        )
    place = Place(target, order.key_dir, order.force)
    key = workspace.answer_key(order.key_dir)
    track = follow_ups[order.name]
    _refuse_unfit(workspace, key, track)
    own = _program(workspace.root, without=_harness(key))
    allowance = replace(order.allowance, slow=workspace.manifest.slow)
    made = settle(place, _further(key, track, own, catalogue), allowance, own)
    is_same = workspace.last_digest() in (None, digest(workspace.root))
    return made if is_same else replace(made, told=(CHANGED.format(root=workspace.root),))


def _refuse_unfit(workspace: Workspace, key: AnswerKey, track: Track) -> None:
    if key.track == OWN:
        raise UsageError(
            f"{workspace.root} holds a program of your own, which has no follow-ups.",
            f"Begin with one that is given: bugforge new --track {track.name}",
        )
    if key.is_single_file:
        raise UsageError(
            f"{workspace.root} is a single file, which has no follow-ups.",
            f"Begin with files of their own: bugforge new --track {track.name}",
        )
    if key.track == track.name:
        raise UsageError(f"{workspace.root} is that follow-up already.", "Go on with it.")
    if workspace.last_verdict() != "passed":
        raise UsageError(
            f"{workspace.root} has not passed yet.",
            f"Let `bugforge check` pass first, or begin anew: bugforge new --track {track.name}",
        )


def _extended(key: AnswerKey, track: Track) -> Program:
    """Give what a follow-up makes of a workspace's program. Raises UsageError if it is nothing."""
    own = find_track(key.track).program(key.reference)
    found = next((program for program in track.all_programs if program.base == own), None)
    if found is None:
        raise UsageError(
            f"{track.name} cannot be added to this program ({own.label}).",
            f"Begin with one that it can be added to: bugforge new --track {track.name}",
        )
    return found


def _further(key: AnswerKey, track: Track, own: dict[str, str], catalogue: Catalogue) -> AnswerKey:
    """Make the key: the correct program of the workspace, extended, written in the same ways."""
    program = _extended(key, track)
    extension = program.extension
    assert extension, track
    pristine = written(program.reference(), catalogue.rewrites_of(program), key.text, key.ways)
    given = {**extension.begun(pristine), **own}
    words = f"{key.id} {track.name} {sorted(given.items())}"
    return replace(
        key,
        id=hashlib.sha256(words.encode()).hexdigest()[:16],
        track=track.name,
        version=__version__,
        options={"extends": key.id},
        reference=program.name,
        pristine=pristine,
        bugs=(),
        given=given,
        tests=extension.tests_written(),
    )


def _harness(key: AnswerKey) -> dict[str, str]:
    """Give the tests that came with a workspace: they hold for what it asked for, and no more."""
    extension = find_track(key.track).program(key.reference).extension
    return extension.harnessed() if extension else {}


def _program(root: Path, without: Container[str]) -> dict[str, str]:
    """Read a learner's Python files, text by name, but for some.

    Raises WorkspaceError where one is not text.
    """
    found = {}
    for path in plain_files(root):
        name = path.relative_to(root).as_posix()
        if path.suffix == ".py" and name not in without:
            try:
                found[name] = path.read_text(encoding="utf-8")
            except (OSError, UnicodeDecodeError) as error:
                raise WorkspaceError(
                    f"{path} cannot be read as UTF-8 text.", "Mend or move the file first."
                ) from error
    return found
