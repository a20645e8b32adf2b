"""The learner's files, copied out of reach before anything of theirs runs."""

import shutil
from dataclasses import dataclass
from pathlib import Path

from bugforge.recordings import Crash
from bugforge.workspace import plain_files

MAX_SOURCE_BYTES = 1024**2
MAX_FILES = 2000
MAX_BYTES = 64 * 1024**2


@dataclass(frozen=True)
class Unusable(Exception):  # noqa: N818  # it is a finding about the attempt, not a fault
    """Why an attempt cannot be run at all, in the form of the crash it would end in."""

    crash: Crash


def copy_attempt(root: Path, target: Path, sources: tuple[str, ...]) -> None:
    """Copy a workspace's plain files, its hidden folder aside; links are left behind.

    Raises Unusable where one of the program's sources cannot be what runs.
    """
    for name in sources:
        _check_source(root / name)
    target.mkdir(parents=True)
    files = total = 0
    for path in plain_files(root):
        size = path.stat().st_size
        files, total = files + 1, total + size
        if files > MAX_FILES or total > MAX_BYTES:
            allowed = f"{MAX_FILES} files and {MAX_BYTES // 1024**2} MB"
            raise _unusable("the workspace holds more than " + allowed)
        copied = target / path.relative_to(root)
        copied.parent.mkdir(parents=True, exist_ok=True)
        shutil.copyfile(path, copied)


def _check_source(path: Path) -> None:
    name = path.name
    if path.is_symlink():
        raise _unusable(f"{name} is a link; a plain file is needed")
    if not path.is_file():
        raise _unusable(f"{name} is missing")
    if path.stat().st_size > MAX_SOURCE_BYTES:
        raise _unusable(f"{name} is larger than 1 MB")
    try:
        compile(path.read_bytes(), name, "exec", dont_inherit=True)
    except OSError as error:
        raise _unusable(f"{name} cannot be read: {error.strerror}") from error
    except SyntaxError as error:
        place = (name, error.lineno or 1)
        raise Unusable(Crash(type(error).__name__, error.msg, place)) from error
    except (ValueError, RecursionError, MemoryError) as error:
        raise Unusable(Crash(type(error).__name__, str(error), (name, 1))) from error


def _unusable(message: str) -> Unusable:
    return Unusable(Crash("Unusable", message, None))
