"""A workspace on disk: written whole or not at all, found again, and read with suspicion."""

import json
import os
import shutil
import stat
import tempfile
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from bugforge.answers import AnswerKey, seal, unseal
from bugforge.errors import AnswerKeyError, WorkspaceError

SCHEMA = 1
HIDDEN = ".bugforge"
MANIFEST = "manifest.json"
KEY = "key"
JOURNAL = "journal.jsonl"
DEFAULT = Path("workspace")


@dataclass(frozen=True)
class Manifest:
    """What a workspace says of itself, none of which gives a bug away.

    minutes: the time asked of the learner. runs: how often they may run or check.
    key_inside: whether the answer key lies in the workspace.
    """

    schema: int
    id: str
    track: str
    version: str
    minutes: int
    runs: int
    key_inside: bool


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
        try:
            text = path.read_text(encoding="ascii")
        except (OSError, UnicodeDecodeError) as error:
            if isinstance(error, UnicodeDecodeError):
                text = ""
            else:
                raise self._no_key(path, key_dir) from error
        key = unseal(text, str(path))
        if key.id != self.manifest.id:
            raise AnswerKeyError(
                f"The answer key {path} belongs to another workspace.",
                "Put this workspace's own key back, or forge it again.",
            )
        return key

    def _no_key(self, path: Path, key_dir: Path | None) -> AnswerKeyError:
        what = f"There is no answer key at {path}."
        if key_dir is None and not self.manifest.key_inside:
            return AnswerKeyError(
                "This workspace's answer key is kept elsewhere.",
                "Name the folder that holds it: --key-dir DIR",
            )
        return AnswerKeyError(what, "Put it back, or forge the workspace again.")

    def note(self, event: Mapping[str, Any]) -> bool:
        """Append an event to the journal; False where the folder does not let itself be written."""
        try:
            with (self.hidden / JOURNAL).open("a", encoding="utf-8") as journal:
                journal.write(json.dumps(event) + "\n")
        except OSError:
            return False
        return True


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
        data = json.loads(path.read_text(encoding="utf-8"))
        schema = int(data["schema"])
        if schema <= SCHEMA:
            return Workspace(root.resolve(), Manifest(**data))
    except OSError as error:
        raise WorkspaceError(
            f"The workspace {root} has lost its manifest, {path}.",
            "Put it back, or forge the workspace again.",
        ) from error
    except (ValueError, KeyError, TypeError) as error:
        raise WorkspaceError(
            f"The manifest {path} is damaged.", "Put it back, or forge the workspace again."
        ) from error
    raise WorkspaceError(
        f"The workspace {root} was made by Bugforge {data.get('version', '?')}, which is newer.",
        "Upgrade: pip install --upgrade bugforge",
    )


@dataclass(frozen=True)
class Place:
    """Where a workspace goes. key_dir: where its key goes instead. force: whether the workspace
    that stands there may be replaced.
    """

    target: Path
    key_dir: Path | None
    force: bool


def write(place: Place, manifest: Manifest, files: Mapping[str, str], key: AnswerKey) -> Workspace:
    """Write a workspace beside its place, then move it there whole.

    Raises WorkspaceError where the place is taken, or cannot be written.
    """
    target, key_dir = place.target, place.key_dir
    replaces = _check_place(target, force=place.force)
    try:
        with _beside(target) as fresh:
            _fill(fresh, manifest, files, None if key_dir else key)
            if key_dir:
                key_dir.mkdir(parents=True, exist_ok=True)
                _write_beside(key_dir / key_name(key.id), seal(key))
            _move(fresh, target, replaces=replaces)
    except OSError as error:
        raise _unwritable(error, target) from error
    return Workspace(target.resolve(), manifest)


def _check_place(target: Path, *, force: bool) -> bool:
    """Tell whether a workspace is to be replaced; refuse whatever else stands there."""
    if not target.exists() and not target.is_symlink():
        return False
    if not target.is_dir():
        raise WorkspaceError(f"{target} is a file.", "Name a folder that does not exist yet.")
    try:
        empty = not any(target.iterdir())
    except OSError as error:
        raise _unwritable(error, target) from error
    if empty:
        return False
    if not (target / HIDDEN / MANIFEST).is_file():
        raise WorkspaceError(
            f"The folder {target} is not empty, and not a Bugforge workspace.",
            "Name a folder that does not exist yet.",
        )
    if not force:
        raise WorkspaceError(
            f"There is a workspace at {target} already.",
            "Name another folder, or replace it with --force.",
        )
    return True


@contextmanager
def _beside(target: Path) -> Iterator[Path]:
    """Lend a new folder on the target's own file system, and take it away again."""
    target.parent.mkdir(parents=True, exist_ok=True)
    folder = Path(tempfile.mkdtemp(prefix=f".{target.name}-", dir=target.resolve().parent))
    try:
        folder.chmod(0o777 & ~_umask())
        yield folder
    finally:
        shutil.rmtree(folder, ignore_errors=True)


def _fill(
    folder: Path, manifest: Manifest, files: Mapping[str, str], key: AnswerKey | None
) -> None:
    (folder / HIDDEN).mkdir()
    for name, text in files.items():
        (folder / name).write_text(text, encoding="utf-8", newline="\n")
    if key:
        (folder / HIDDEN / KEY).write_text(seal(key), encoding="ascii", newline="\n")
    text = json.dumps(asdict(manifest), indent=2) + "\n"
    (folder / HIDDEN / MANIFEST).write_text(text, encoding="utf-8", newline="\n")


def _move(fresh: Path, target: Path, *, replaces: bool) -> None:
    if replaces:
        old = Path(tempfile.mkdtemp(prefix=f".{target.name}-old-", dir=target.resolve().parent))
        aside = old / target.name
        target.rename(aside)
        try:
            fresh.rename(target)
        except BaseException:
            aside.rename(target)
            raise
        finally:
            shutil.rmtree(old, ignore_errors=True)
    elif target.exists():
        # An empty folder may be the one a shell stands in, so it is filled and not replaced;
        # the hidden folder goes last, since it makes the rest a workspace.
        for item in sorted(fresh.iterdir(), key=lambda item: item.name == HIDDEN):
            item.rename(target / item.name)
    else:
        fresh.rename(target)


def _write_beside(path: Path, text: str) -> None:
    """Replace a file's text whole, keeping its permissions, or leave it as it was."""
    mode = stat.S_IMODE(path.stat().st_mode) if path.exists() else 0o666 & ~_umask()
    handle, name = tempfile.mkstemp(prefix=f".{path.name}-", dir=path.parent)
    try:
        with os.fdopen(handle, "w", encoding="utf-8", newline="") as beside:
            beside.write(text)
        Path(name).chmod(mode)
        Path(name).replace(path)
    except BaseException:
        Path(name).unlink(missing_ok=True)
        raise


def replace_files(workspace: Workspace, files: Mapping[str, str]) -> None:
    """Replace files of the learner's, each whole. Raises WorkspaceError where that fails."""
    try:
        for name, text in files.items():
            _write_beside(workspace.root / name, text)
    except OSError as error:
        raise _unwritable(error, workspace.root) from error


def _umask() -> int:
    was = os.umask(0)
    os.umask(was)
    return was


def _unwritable(error: OSError, target: Path) -> WorkspaceError:
    return WorkspaceError(
        f"{error.filename or target} cannot be written: {error.strerror or error}.",
        "Make room or mend its permissions, or name another folder.",
    )
