"""The learner's program as it is at one moment, small enough for a line of the journal."""

import base64
import hashlib
from collections.abc import Sequence
from contextlib import suppress
from pathlib import Path

from bugforge.bundle import DamagedError, bundled, unbundled
from bugforge.claims import ANALYSIS
from bugforge.clock import Event
from bugforge.workspace import plain_files

MAX_BYTES = 1024**2
MAX_FILES = 200


def snapshot(root: Path, events: Sequence[Event]) -> str | None:
    """Bundle the Python files of a workspace; None where the last events have them already, or
    where they are too many to keep.
    """
    files: dict[str, bytes] = {}
    size = 0
    for path in plain_files(root):
        if path.suffix == ".py":
            with suppress(OSError):
                size += path.stat().st_size
                if size > MAX_BYTES or len(files) == MAX_FILES:
                    return None
                files[path.relative_to(root).as_posix()] = path.read_bytes()
    text = base64.b85encode(bundled(files)).decode("ascii")
    last = (event.fields["program"] for event in reversed(events) if event.fields.get("program"))
    return text if text != next(last, None) else None


def programs(events: Sequence[Event]) -> list[dict[str, bytes] | None]:
    """Give the program as it was at each event, contents by file name; None where it is unknown."""
    found: list[dict[str, bytes] | None] = []
    held = None
    for event in events:
        told = event.fields.get("program")
        if isinstance(told, str):
            with suppress(DamagedError, ValueError):
                held = unbundled(base64.b85decode(told))
        found.append(held)
    return found


def digest(root: Path) -> str:
    """Tell two states of a workspace's program apart: a digest of its plain files but ANALYSIS.md,
    which is not run. A file that cannot be read counts by its name.
    """
    told = hashlib.sha256()
    for path in plain_files(root):
        name = path.relative_to(root).as_posix()
        if name != ANALYSIS:
            told.update(f"{name}\0".encode(errors="surrogateescape"))
            with suppress(OSError):
                told.update(hashlib.sha256(path.read_bytes()).digest())
    return told.hexdigest()
