"""What happened in a workspace, one event a line, in a file that is only ever appended to.

A line is written at once, under a lock, and lies on the disk before it counts. A last line that is
torn, by a crash or a full disk, is passed over, and what comes next begins a line of its own.
"""

import errno
import json
import math
import os
import sys
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from bugforge.clock import Event, Moment

if sys.platform != "win32":
    import fcntl

BOOT = Path("/proc/sys/kernel/random/boot_id")
PATIENCE_SECONDS = 2.0
POLL_SECONDS = 0.01

Fields = Mapping[str, Any]
"""An event's name, under `event`, and what is known of it, as JSON holds it."""


@dataclass(frozen=True)
class Journal:
    """The journal at a path; a file that is not there holds no event."""

    path: Path

    def events(self) -> list[Event]:
        """Read every event that is whole, in order. Raises OSError where there is no reading."""
        return [event for line in self._lines() if (event := _read(line))]

    def unreadable(self) -> int:
        """Count the lines that hold no event."""
        return sum(_read(line) is None for line in self._lines())

    def append(self, decide: Callable[[Sequence[Event]], Fields | None]) -> Event | None:
        """Append what `decide` makes of the events so far, and give it; nothing where that is None.

        No other process appends in between. Raises OSError where it cannot be written whole.
        """
        handle = os.open(self.path, os.O_RDWR | os.O_APPEND | os.O_CREAT, 0o666)
        try:
            with locked(handle):
                fields = decide(self.events())
                if fields is None:
                    return None
                at = now()
                line = json.dumps({**_stamp(at), **fields}).encode() + b"\n"
                _write(handle, line if _ends_whole(handle) else b"\n" + line)
                return Event(fields["event"], at, fields)
        finally:
            os.close(handle)

    def _lines(self) -> list[bytes]:
        if not self.path.exists():
            return []
        if not self.path.is_file():
            raise OSError(errno.EINVAL, "it is no file", str(self.path))
        return [line for line in self.path.read_bytes().split(b"\n") if line.strip()]


def now() -> Moment:
    """Read the clocks."""
    boot = None
    with suppress(OSError):
        boot = BOOT.read_text(encoding="ascii").strip()
    return Moment(time.time(), boot, time.monotonic())


def _stamp(at: Moment) -> dict[str, Any]:
    time_ = datetime.fromtimestamp(at.wall, UTC).isoformat(timespec="milliseconds")
    return {"time": time_, "boot": at.boot, "awake": at.awake}


def _read(line: bytes) -> Event | None:
    """Read an event; None where a line holds none."""
    try:
        fields = json.loads(line)
        name = fields["event"]
        wall = datetime.fromisoformat(fields["time"]).timestamp()
    except (ValueError, LookupError, TypeError, OverflowError, OSError, RecursionError):
        return None
    if not isinstance(name, str):
        return None
    boot, awake = fields.get("boot"), fields.get("awake")
    usable = isinstance(awake, int | float) and 0 <= awake < math.inf
    at = Moment(wall, boot if isinstance(boot, str) else None, float(awake) if usable else None)
    return Event(name, at, fields)


def _ends_whole(handle: int) -> bool:
    size = os.fstat(handle).st_size
    if not size:
        return True
    os.lseek(handle, size - 1, os.SEEK_SET)
    return os.read(handle, 1) == b"\n"


def _write(handle: int, data: bytes) -> None:
    written = os.write(handle, data)
    if written < len(data):
        os.write(handle, data[written:])  # which says why, where there is no room
    os.fsync(handle)


@contextmanager
def locked(handle: int) -> Iterator[None]:
    """Hold the file against other processes; without a lock where the system has none to give,
    since a line that is written at once goes to the end of the file even so.
    """
    deadline = time.monotonic() + PATIENCE_SECONDS
    while not _try_lock(handle) and time.monotonic() < deadline:
        time.sleep(POLL_SECONDS)
    yield  # closing the file gives the lock back


def _try_lock(handle: int) -> bool:
    """Take the lock; False where another holds it, True where there is none to be had."""
    if sys.platform != "win32":
        try:
            fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            return False
        except OSError:
            return True
    return True
