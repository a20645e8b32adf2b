"""Writing a workspace: beside its place, then moved there whole, or not at all."""

import json
import shutil
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from itertools import count
from pathlib import Path

from bugforge.answers import AnswerKey, seal
from bugforge.bundle import bundled
from bugforge.errors import WorkspaceError
from bugforge.files import beside, unwritable, write_files, write_whole
from bugforge.workspace import (
    ATTEMPTS,
    FORGED,
    HIDDEN,
    KEY,
    MANIFEST,
    Manifest,
    Workspace,
    key_name,
)


@dataclass(frozen=True)
class Place:
    """Where a workspace goes. key_dir: where its key goes instead. force: whether the workspace
    that stands there may be replaced. Raises WorkspaceError where the key would lie inside.
    """

    target: Path
    key_dir: Path | None
    force: bool

    def __post_init__(self) -> None:
        if self.key_dir and self.key_dir.resolve().is_relative_to(self.target.resolve()):
            raise WorkspaceError(
                f"The key folder {self.key_dir} lies inside the workspace {self.target}.",
                "Name a folder outside it.",
            )


def write(
    place: Place, manifest: Manifest, files: Mapping[str, str | bytes], key: AnswerKey
) -> Workspace:
    """Write a workspace beside its place, then move it there whole.

    Raises WorkspaceError where the place is taken, or cannot be written.
    """
    target, key_dir = place.target, place.key_dir
    try:
        replaces = _check_place(target, force=place.force)
        with beside(target) as fresh:
            _fill(fresh, manifest, files, None if key_dir else key)
            if key_dir:
                key_dir.mkdir(parents=True, exist_ok=True)
                write_whole(key_dir / key_name(key.id), seal(key))
            _move(fresh, target, replaces=replaces)
    except OSError as error:
        raise unwritable(error, target) from error
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
        raise unwritable(error, target) from error
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
            f"Name another folder, such as {_free_beside(target)}, or replace it with --force.",
        )
    return True


def first_attempt(root: Path) -> Path:
    """Give the folder in a workspace that holds the files of the one that it replaced."""
    return root / HIDDEN / ATTEMPTS / "1"


def _free_beside(target: Path) -> Path:
    """Name a folder beside a workspace that does not exist yet."""
    names = (target.with_name(f"{target.resolve().name}-{number}") for number in count(2))
    return next(path for path in names if not path.exists())


def _fill(
    folder: Path, manifest: Manifest, files: Mapping[str, str | bytes], key: AnswerKey | None
) -> None:
    (folder / HIDDEN).mkdir()
    write_files(folder, files)
    (folder / HIDDEN / FORGED).write_bytes(bundled(files))
    if key:
        (folder / HIDDEN / KEY).write_text(seal(key), encoding="ascii", newline="\n")
    text = json.dumps(asdict(manifest), indent=2) + "\n"
    (folder / HIDDEN / MANIFEST).write_text(text, encoding="utf-8", newline="\n")


def _move(fresh: Path, target: Path, *, replaces: bool) -> None:
    if replaces:
        real = target.resolve()  # a link to a workspace goes on being one
        aside = first_attempt(fresh)
        aside.parent.mkdir()
        real.rename(aside)
        try:
            fresh.rename(real)
        except BaseException:
            aside.rename(real)
            raise
        shutil.rmtree(first_attempt(real) / HIDDEN, ignore_errors=True)  # a key may be in it
    elif target.exists():
        # An empty folder may be the one a shell stands in, so it is filled and not replaced;
        # the hidden folder goes last, since it makes the rest a workspace.
        for item in sorted(fresh.iterdir(), key=lambda item: item.name == HIDDEN):
            item.rename(target / item.name)
    else:
        fresh.rename(target)
