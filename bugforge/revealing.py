"""Opening the answer key, and taking bugs out of a workspace by it."""

from dataclasses import dataclass
from pathlib import Path

from bugforge.answers import AnswerKey, Bug
from bugforge.errors import UsageError, WorkspaceError
from bugforge.mend import Mended, mend
from bugforge.workspace import Workspace, find, replace_files


@dataclass(frozen=True)
class Revealed:
    """The bugs that were asked about. mended: what `--apply` did, where it was asked."""

    workspace: Workspace
    key: AnswerKey
    bugs: tuple[Bug, ...]
    mended: Mended | None


def reveal(
    given: Path | None, number: int | None, key_dir: Path | None, *, apply: bool
) -> Revealed:
    """Open the key of a workspace, and mend the bugs asked about where `apply` says so.

    Raises UsageError for a bug of no such number, WorkspaceError or AnswerKeyError where the
    workspace, its key or its files cannot be used.
    """
    workspace = find(given)
    key = workspace.answer_key(key_dir)
    bugs = tuple(bug for bug in key.bugs if number in (None, bug.number))
    if not bugs:
        raise UsageError(
            f"There is no bug {number} here.", f"They are numbered from 1 to {len(key.bugs)}."
        )
    mended = None
    if apply:
        before = {name: _read(workspace.root / name) for name in key.pristine}
        mended = mend(key, before, bugs)
        changed = {name: text for name, text in mended.files.items() if text != before[name]}
        replace_files(workspace, changed)
    return Revealed(workspace, key, bugs, mended)


def _read(path: Path) -> str:
    try:
        with path.open(encoding="utf-8", newline="") as file:
            return file.read()
    except FileNotFoundError:
        return ""  # a bug whose file is gone has had its place changed
    except (OSError, UnicodeDecodeError) as error:
        raise WorkspaceError(
            f"{path} cannot be read as UTF-8 text.", "Mend the file first, then apply."
        ) from error
