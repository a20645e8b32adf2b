"""Writing files whole or not at all."""

import os
import shutil
import stat
import tempfile
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path

from bugforge.errors import WorkspaceError


def write_whole(path: Path, content: str | bytes) -> None:
    """Replace what a file holds whole, keeping its permissions, or leave it as it was."""
    mode = stat.S_IMODE(path.stat().st_mode) if path.exists() else 0o666 & ~umask()
    handle, name = tempfile.mkstemp(prefix=f".{path.name}-", dir=path.parent)
    try:
        with os.fdopen(handle, "wb") as beside:
            beside.write(content if isinstance(content, bytes) else content.encode())
        Path(name).chmod(mode)
        Path(name).replace(path)
    except BaseException:
        Path(name).unlink(missing_ok=True)
        raise


def write_files(folder: Path, files: Mapping[str, str | bytes]) -> None:
    """Write files by their names into a folder, and the folders that they lie in."""
    for name, content in files.items():
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).write_bytes(content if isinstance(content, bytes) else content.encode())


@contextmanager
def beside(target: Path) -> Iterator[Path]:
    """Lend a new folder on the target's own file system, and take it away again."""
    target.parent.mkdir(parents=True, exist_ok=True)
    folder = Path(tempfile.mkdtemp(prefix=f".{target.name}-", dir=target.resolve().parent))
    try:
        folder.chmod(0o777 & ~umask())
        yield folder
    finally:
        shutil.rmtree(folder, ignore_errors=True)


def umask() -> int:
    """Give the permissions that new files of this process lack."""
    was = os.umask(0)
    os.umask(was)
    return was


def unwritable(error: OSError, target: Path) -> WorkspaceError:
    """Put into words why a place cannot be written."""
    return WorkspaceError(
        f"{error.filename or target} cannot be written: {error.strerror or error}.",
        "Make room or mend its permissions, or name another folder.",
    )
