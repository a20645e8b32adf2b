"""Opening the answer key, and by it taking bugs out of a workspace or writing a solution there."""

from contextlib import suppress
from dataclasses import dataclass, replace
from pathlib import Path

from bugforge.analysis import Analysis, analysed
from bugforge.answers import AnswerKey, Bug
from bugforge.documents import Derivation, derivation
from bugforge.errors import UsageError, WorkspaceError
from bugforge.keeping import keep
from bugforge.mend import Mended, mend
from bugforge.snapshot import snapshot
from bugforge.workspace import Workspace, find, replace_files


@dataclass(frozen=True)
class Revealed:
    """The bugs that were asked about. mended: what `--apply` did, where it was asked; aside: where
    the learner's own files lie that a solution was written over. analysis: what the learner says of
    the bugs, if anything. derivation: what was to be worked out on paper, if anything was.
    told: what there is to tell of keeping the result, a line each.
    """

    workspace: Workspace
    key: AnswerKey
    bugs: tuple[Bug, ...]
    mended: Mended | None
    aside: tuple[Path, ...] = ()
    analysis: Analysis | None = None
    derivation: Derivation | None = None
    told: tuple[str, ...] = ()


def reveal(
    given: Path | None, number: int | None, key_dir: Path | None, *, apply: bool
) -> Revealed:
    """Open the key of a workspace, mend the bugs asked about where `apply` says so, and note it.

    Where the learner was to write something, it is the solution that is opened, and written whole:
    what they have written is put aside. Raises UsageError for a bug of no such number,
    WorkspaceError or AnswerKeyError where the workspace, its key or its files cannot be used.
    """
    workspace = find(given)
    key = workspace.answer_key(key_dir)
    program = _program(workspace)
    revealed = _revealed(workspace, key, number, apply=apply)
    shown = [bug.number for bug in revealed.bugs]
    event = {"event": "reveal", "bugs": shown, "of": len(key.bugs), "applied": apply}
    workspace.note({**event, "program": program})
    return replace(revealed, told=keep(workspace, key))


def _program(workspace: Workspace) -> str | None:
    """Keep the learner's program as it was before anything of it was mended."""
    with suppress(OSError):
        return snapshot(workspace.root, workspace.journal.events())
    return None


def _revealed(workspace: Workspace, key: AnswerKey, number: int | None, *, apply: bool) -> Revealed:
    if key.given and number is None:
        return _solve(workspace, key, apply=apply)
    bugs = tuple(bug for bug in key.bugs if number in (None, bug.number))
    if not bugs:
        raise UsageError(
            f"There is no bug {number} here.",
            f"They are numbered from 1 to {len(key.bugs)}." if key.bugs else "Leave --bug out.",
        )
    analysis = analysed(workspace.root, key)
    mended = None
    if apply:
        before = {name: _read(workspace.root / name) for name in key.pristine}
        mended = mend(key, before, bugs)
        changed = {name: text for name, text in mended.files.items() if text != before[name]}
        replace_files(workspace, changed)
    derived = derivation(workspace.root, key) if number is None else None
    return Revealed(workspace, key, bugs, mended, analysis=analysis, derivation=derived)


def _solve(workspace: Workspace, key: AnswerKey, *, apply: bool) -> Revealed:
    derived = derivation(workspace.root, key)
    if not apply:
        return Revealed(workspace, key, (), None, derivation=derived)
    before = {name: _read(workspace.root / name) for name in key.solution}
    changed = {name: text for name, text in key.solution.items() if text != before[name]}
    own = {
        _aside(workspace.root / name): before[name]
        for name in changed
        if before[name] not in ("", key.given.get(name))
    }
    aside = {path.relative_to(workspace.root).as_posix(): text for path, text in own.items()}
    replace_files(workspace, aside | changed)
    mended = Mended(changed, (), ())
    return Revealed(workspace, key, (), mended, tuple(own), derivation=derived)


def _aside(path: Path) -> Path:
    """Name a file beside another, that is not there yet, for what stands in it now."""
    names = (path.with_name(f"{path.name}.yours{number}") for number in ("", *range(2, 1000)))
    return next(name for name in names if not name.exists())


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
