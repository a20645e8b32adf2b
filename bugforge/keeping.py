"""The learner's history: a round kept once it has ended, and rounds taken away again."""

from collections.abc import Callable
from datetime import date, datetime
from pathlib import Path

from bugforge.answers import AnswerKey
from bugforge.errors import HistoryError, UsageError, WorkspaceError
from bugforge.files import write_whole
from bugforge.history import History
from bugforge.rounds import SHORT_ID, Round, ended_round
from bugforge.userdata import data_folder
from bugforge.workspace import Workspace, open_workspace

SHORTEST_ID = 4
"""Of an id that is asked for, at least so much is to be said."""


def keep(workspace: Workspace, key: AnswerKey) -> tuple[str, ...]:
    """Keep the round of a practice, if it has ended. Nothing that can happen here stops a command:
    give what there is to tell of it, a line each.
    """
    said: list[str] = []
    try:
        if round_ := ended_round(workspace, key):
            History(data_folder(), said.append).note(round_)
    except (HistoryError, WorkspaceError) as error:
        said.append(f"The result was not kept. {error.what} {error.mend}")
    except OSError as error:
        said.append(f"The result was not kept: {error}.")
    return tuple(said)


def chosen(
    rounds: list[Round], workspace: str | None, before: str | None
) -> Callable[[Round], bool]:
    """Tell which rounds are meant: those of a workspace, those that ended before a day, or all.

    workspace: its folder, or the name of that as it was, or how its id begins. before: as
    YYYY-MM-DD, by the local clock. Raises UsageError where either is nothing that is known, or may
    be several.
    """
    id_ = None if workspace is None else _id(rounds, workspace)
    end = None if before is None else _midnight(before)
    return lambda round_: id_ in (None, round_.workspace) and (end is None or round_.ended < end)


def _id(rounds: list[Round], workspace: str) -> str:
    try:
        return open_workspace(Path(workspace)).manifest.id
    except WorkspaceError:
        named = {r.workspace for r in rounds if r.folder == workspace}
        begun = {r.workspace for r in rounds if r.workspace.startswith(workspace)}
        ids = sorted(named or (begun if len(workspace) >= SHORTEST_ID else ()))
    if len(ids) > 1:
        raise UsageError(
            f"{workspace} may be each of {len(ids)} workspaces.",
            f"Say how its id begins: {', '.join(known[:SHORT_ID] for known in ids)}.",
        )
    if not ids:
        raise UsageError(
            f"{workspace} is no workspace, and no folder or id of one that anything is kept of.",
            "`bugforge history` shows the folders, and with --json the ids.",
        )
    return ids[0]


def _midnight(day: str) -> float:
    try:
        return datetime.combine(date.fromisoformat(day), datetime.min.time()).timestamp()
    except (ValueError, OverflowError, OSError) as error:
        raise UsageError(f"{day} is no day.", "Name one as YYYY-MM-DD.") from error


def write_export(path: Path, text: str, *, force: bool) -> None:
    """Write what is exported. Raises UsageError for a file that is there, or cannot be written."""
    if path.exists() and not force:
        raise UsageError(f"{path} is there already.", "Name another file, or say --force.")
    try:
        write_whole(path, text)
    except OSError as error:
        raise UsageError(
            f"{path} cannot be written: {error.strerror or error}.", "Name another file."
        ) from error
