"""Telling when a learner saves a file, on whatever file system it lies."""

from collections.abc import Callable, Collection, Iterator
from contextlib import suppress
from pathlib import Path
from threading import Event

import watchfiles

from bugforge.workspace import plain_files

STEP_MILLISECONDS = 50
"""So long nothing more must change until a save counts: editors write beside, and rename."""
DEBOUNCE_MILLISECONDS = 400
"""What changes all the time counts after so long."""
LOOK_MILLISECONDS = 300
"""So often the files are looked at where the system tells of nothing."""


def follow(root: Path, tell: Callable[[], None], done: Event) -> None:
    """Call `tell` once at the beginning and after each save under a folder, until `done` is set.

    The system tells of most saves at once. It tells of none that come from another machine, or
    before it was asked: what it is silent about is found by looking at the files now and then.
    """
    seen = None
    for told in _moments(root, done):
        found = _stamps(root)
        if told or found != seen:
            tell()
        seen = found


def _moments(root: Path, done: Event) -> Iterator[Collection[object]]:
    """Give what the system tells of at each change, and nothing now and then."""
    try:
        yield from watchfiles.watch(
            root,
            watch_filter=None,
            debounce=DEBOUNCE_MILLISECONDS,
            step=STEP_MILLISECONDS,
            stop_event=done,
            rust_timeout=LOOK_MILLISECONDS,
            yield_on_timeout=True,
            raise_interrupt=False,
            ignore_permission_denied=True,
        )
    except (OSError, RuntimeError):  # no room for one more who is to be told
        while not done.wait(LOOK_MILLISECONDS / 1000):
            yield ()


def _stamps(root: Path) -> dict[Path, tuple[int, int, int]]:
    """Tell two states of the files apart, without reading them."""
    stamps = {}
    for path in plain_files(root):
        with suppress(OSError):
            found = path.stat()
            stamps[path] = (found.st_mtime_ns, found.st_size, found.st_ino)
    return stamps
