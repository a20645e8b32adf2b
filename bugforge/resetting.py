"""What a learner has changed since a workspace was forged, and the workspace put back."""

import shutil
from collections.abc import Sequence
from dataclasses import dataclass
from difflib import unified_diff
from pathlib import Path

from bugforge.clock import Standing
from bugforge.errors import WorkspaceError
from bugforge.files import beside, unwritable, write_whole
from bugforge.workspace import ATTEMPTS, Workspace, find, plain_files

LARGEST_TEXT = 1024**2
"""Bytes; a larger file is only said to differ."""


@dataclass(frozen=True)
class Reset:
    """A workspace put back. written, removed: names of the files that were. aside: where the
    attempt lies now, or None where nothing of it was other than forged. is_anew: whether the
    practice had ended, so that another round begins.
    """

    workspace: Workspace
    written: tuple[str, ...]
    removed: tuple[str, ...]
    aside: Path | None
    is_anew: bool
    stands: Standing


@dataclass(frozen=True)
class Change:
    """A file that is not as it was forged. status: `changed`, `added` or `removed`. diff: unified,
    as `patch -p1` takes it; a sentence where one of the two is no text.
    """

    name: str
    status: str
    diff: str


def reset(given: Path | None) -> Reset:
    """Put a workspace back as it was forged, and keep what lay there aside.

    All of it is copied before any of it is changed. Where there is nothing to put back, and no
    practice that has ended, nothing is done. Raises WorkspaceError where what was forged was
    lost, or something cannot be read or written.
    """
    workspace = find(given)
    root, forged = workspace.root, workspace.forged()
    try:
        lying = {path.relative_to(root).as_posix(): path for path in plain_files(root)}
        links = {name: root / name for name in forged if (root / name).is_symlink()}
        other = [
            name
            for name in forged
            if name in links or name not in lying or lying[name].read_bytes() != forged[name]
        ]
        added = sorted(set(lying) - set(forged))
        aside = None
        if other or added:
            held = {name: path for name, path in links.items() if path.is_file()}
            aside = _keep(workspace, {**lying, **held})
        for name in other:
            (root / name).parent.mkdir(parents=True, exist_ok=True)
            write_whole(root / name, forged[name])
        for name in added:
            (root / name).unlink()
    except OSError as error:
        raise unwritable(error, root) from error
    _tidy(root, added)
    event = {"event": "reset", "aside": aside and aside.relative_to(root).as_posix()}
    is_anew = workspace.standing().ended
    if aside or is_anew:
        workspace.record(lambda _: event)
    return Reset(
        workspace, tuple(sorted(other)), tuple(added), aside, is_anew, workspace.standing()
    )


def _keep(workspace: Workspace, files: dict[str, Path]) -> Path:
    """Copy files into a folder of their own, whole or not at all, and give it."""
    folder = workspace.hidden / ATTEMPTS
    folder.mkdir(exist_ok=True)
    with beside(folder / "new") as fresh:
        for name, path in files.items():
            (fresh / name).parent.mkdir(parents=True, exist_ok=True)
            shutil.copy2(path, fresh / name)
        taken = {int(path.name) for path in folder.iterdir() if path.name.isdecimal()}
        kept = folder / str(max(taken, default=0) + 1)
        fresh.rename(kept)
    return kept


def _tidy(root: Path, removed: Sequence[str]) -> None:
    """Take away folders that nothing lies in any more."""
    folders = {parent for name in removed for parent in (root / name).parents}
    for folder in sorted(folders, key=lambda path: len(path.parts), reverse=True):
        if folder.is_relative_to(root) and folder != root and not any(folder.iterdir()):
            folder.rmdir()


def changes(workspace: Workspace) -> list[Change]:
    """Tell what is not as it was forged, by file name.

    Raises WorkspaceError where what was forged was lost, or a file cannot be read.
    """
    root, forged = workspace.root, workspace.forged()
    names = {path.relative_to(root).as_posix() for path in plain_files(root)}
    names |= {name for name in forged if (root / name).is_file()}
    found = []
    for name in sorted(names | set(forged)):
        before, after = forged.get(name), _read(root / name) if name in names else None
        if before != after:
            status = "added" if before is None else "removed" if after is None else "changed"
            found.append(Change(name, status, _diff(name, before, after)))
    return found


def known_changes(workspace: Workspace) -> list[Change] | None:
    """Tell what is not as it was forged; None where that is not to be known."""
    try:
        return changes(workspace)
    except WorkspaceError:
        return None


def _read(path: Path) -> bytes:
    try:
        return path.read_bytes()
    except OSError as error:
        raise WorkspaceError(
            f"{path} cannot be read: {error.strerror or error}.",
            "Mend its permissions, or move it.",
        ) from error


def _diff(name: str, before: bytes | None, after: bytes | None) -> str:
    old, new = _lines(before), _lines(after)
    if old is None or new is None:
        return f"{name} differs, and is not shown, being no text or too large.\n"
    labels = (
        "/dev/null" if before is None else f"a/{name}",
        "/dev/null" if after is None else f"b/{name}",
    )
    return "".join(
        line if line.endswith("\n") else f"{line}\n\\ No newline at end of file\n"
        for line in unified_diff(old, new, *labels)
    )


def _lines(data: bytes | None) -> list[str] | None:
    """Divide a text at its line feeds alone, as `patch` does; None where it is none."""
    if data is None:
        return []
    try:
        text = data.decode() if len(data) <= LARGEST_TEXT and b"\0" not in data else None
    except UnicodeDecodeError:
        text = None
    if text is None:
        return None
    lines = text.split("\n")
    return [f"{line}\n" for line in lines[:-1]] + ([lines[-1]] if lines[-1] else [])
