"""A workspace on disk: found again, and read with suspicion."""

import json
import os
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from bugforge.answers import AnswerKey, unseal
from bugforge.bundle import DamagedError, unbundled
from bugforge.clock import Event, Standing, standing
from bugforge.errors import AnswerKeyError, WorkspaceError
from bugforge.files import unwritable, write_whole
from bugforge.journal import Fields, Journal, now
from bugforge.prose import many

SCHEMA = 1
HIDDEN = ".bugforge"
MANIFEST = "manifest.json"
KEY = "key"
JOURNAL = "journal.jsonl"
FORGED = "forged.zip"
"""What the workspace held when it was made."""
ATTEMPTS = "attempts"
"""Where attempts are kept that were put aside."""
DEFAULT = Path("workspace")
LEFT_OUT = {HIDDEN, "__pycache__", ".git", ".venv", "venv", "node_modules"}


@dataclass(frozen=True)
class Manifest:
    """What a workspace says of itself, none of which gives a bug away.

    minutes: the time asked of the learner, or 0 for no limit. runs: how often they may run or
    check, or 0. key_inside: whether the answer key lies in the workspace. slow: the seconds that a
    run waits before it begins.
    """

    schema: int
    id: str
    track: str
    version: str
    minutes: int
    runs: int
    key_inside: bool
    slow: int = 0


@dataclass(frozen=True)
class Workspace:
    """A folder that Bugforge wrote."""

    root: Path
    manifest: Manifest

    @property
    def hidden(self) -> Path:
        """The folder that is not the learner's."""
        return self.root / HIDDEN

    def answer_key(self, key_dir: Path | None) -> AnswerKey:
        """Read the key, from key_dir or from within.

        Raises AnswerKeyError where it is missing, damaged or another workspace's.
        """
        path = key_dir / key_name(self.manifest.id) if key_dir else self.hidden / KEY
        if not path.is_file():  # not a pipe either, which would never be read to its end
            raise self._no_key(path, key_dir)
        try:
            text = path.read_text(encoding="ascii", errors="replace")
        except OSError as error:
            raise self._no_key(path, key_dir) from error
        key = unseal(text, str(path))
        if key.id != self.manifest.id:
            raise AnswerKeyError(
                f"The answer key {path} belongs to another workspace.",
                "Put this workspace's own key back, or forge it again.",
            )
        return key

    @property
    def journal(self) -> Journal:
        """What happened here."""
        return Journal(self.hidden / JOURNAL)

    def events(self) -> list[Event]:
        """Read what happened here. Raises WorkspaceError where the journal is shut."""
        try:
            return self.journal.events()
        except OSError as error:
            raise unwritable(error, self.journal.path) from error

    def standing(self) -> Standing:
        """Tell how the practice stands now. Raises WorkspaceError where the journal is shut."""
        return standing(self.events(), now())

    def lost(self) -> str:
        """Say how much of the journal cannot be read; nothing where all of it can."""
        lost = self.journal.unreadable()
        lines = f"{many(lost, 'line')} of {HIDDEN}/{JOURNAL} cannot be read"
        return f"{lines}; what happened then is lost." if lost else ""

    def last_digest(self) -> str | None:
        """Tell the digest of the files that the last check was of; None where that is not known."""
        checks = [mark.event for mark in self.standing().marks if mark.event.name == "check"]
        told = checks[-1].fields.get("digest") if checks else None
        return told if isinstance(told, str) else None

    def last_verdict(self) -> str | None:
        """Tell what the last check said of what lies here; None where there was none."""
        told = None
        for mark in self.standing().marks:
            if mark.event.name in ("check", "reset"):
                told = mark.event.fields.get("verdict")
        return told

    def forged(self) -> dict[str, bytes]:
        """Give what the workspace held when it was made, contents by file name.

        Raises WorkspaceError where that was lost.
        """
        path = self.hidden / FORGED
        try:
            return unbundled(path.read_bytes())
        except (OSError, DamagedError) as error:
            raise WorkspaceError(
                f"What was forged is not to be read any more: {path}.",
                "Put it back; `bugforge new` with the same seed and options makes it again.",
            ) from error

    def _no_key(self, path: Path, key_dir: Path | None) -> AnswerKeyError:
        what = f"There is no answer key at {path}."
        if key_dir is None and not self.manifest.key_inside:
            return AnswerKeyError(
                "This workspace's answer key is kept elsewhere.",
                "Name the folder that holds it: --key-dir DIR",
            )
        return AnswerKeyError(what, "Put it back, or forge the workspace again.")

    def record(self, decide: Callable[[Sequence[Event]], Fields | None]) -> Event | None:
        """Append to the journal what `decide` makes of the events so far, if anything.

        Raises WorkspaceError where it cannot be written, or this is no more the workspace.
        """
        if open_workspace(self.root).manifest != self.manifest:
            raise WorkspaceError(
                f"There is another workspace at {self.root} now.", "Give the command again."
            )
        try:
            return self.journal.append(decide)
        except OSError as error:
            raise unwritable(error, self.journal.path) from error

    def note(self, event: Mapping[str, object]) -> bool:
        """Append an event to the journal, if it can be written and this is still the workspace."""
        try:
            self.record(lambda _: event)
        except WorkspaceError:
            return False
        return True


def further(root: Path, name: str) -> Path:
    """Name the folder that a follow-up of a workspace is made in, unless another is asked for."""
    return root.with_name(f"{root.name}-{name}")


def key_name(id_: str) -> str:
    """Name a key that is kept outside its workspace."""
    return f"{id_}.key"


def find(given: Path | None) -> Workspace:
    """Open the workspace given, or else the one around the current folder, or ./workspace."""
    if given is not None:
        return open_workspace(given)
    return open_workspace(around(Path.cwd()) or DEFAULT)


def around(folder: Path) -> Path | None:
    """Give the workspace that a folder lies in."""
    resolved = folder.resolve()
    for parent in (resolved, *resolved.parents):
        if (parent / HIDDEN / MANIFEST).is_file():
            return parent
    return None


def open_workspace(root: Path) -> Workspace:
    """Read a workspace's manifest. Raises WorkspaceError where it cannot be used."""
    if not root.exists():
        raise WorkspaceError(
            f"There is no workspace at {root}.", "Make one: bugforge new, or name its folder."
        )
    path = root / HIDDEN / MANIFEST
    if not (root / HIDDEN).is_dir():
        raise WorkspaceError(
            f"{root} is not a Bugforge workspace.", "Make one: bugforge new, or name its folder."
        )
    try:
        if not path.is_file():
            raise FileNotFoundError(path)
        data = json.loads(path.read_text(encoding="utf-8"))
        schema = int(data["schema"])
        if schema <= SCHEMA:
            return Workspace(root.resolve(), Manifest(**data))
    except OSError as error:
        raise WorkspaceError(
            f"The workspace {root} has lost its manifest, {path}.",
            "Put it back, or forge the workspace again.",
        ) from error
    except (ValueError, LookupError, TypeError, OverflowError, RecursionError) as error:
        raise WorkspaceError(
            f"The manifest {path} is damaged.", "Put it back, or forge the workspace again."
        ) from error
    raise WorkspaceError(
        f"The workspace {root} was made by Bugforge {data.get('version', '?')}, which is newer.",
        "Upgrade: pip install --upgrade bugforge",
    )


def plain_files(root: Path) -> Iterator[Path]:
    """Give the plain files of a workspace, in order, but for what is not the learner's program."""
    for folder, folders, names in os.walk(root):
        folders[:] = sorted(set(folders) - LEFT_OUT)
        for name in sorted(names):
            path = Path(folder) / name
            if path.is_file() and not path.is_symlink():
                yield path


def replace_files(workspace: Workspace, files: Mapping[str, str | bytes]) -> None:
    """Replace files of a workspace, each whole. Raises WorkspaceError where that fails."""
    try:
        for name, content in files.items():
            write_whole(workspace.root / name, content)
    except OSError as error:
        raise unwritable(error, workspace.root) from error
