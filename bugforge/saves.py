"""Telling when a learner saves a file, on whatever file system it lies."""

from collections.abc import Callable
from pathlib import Path
from threading import Event

import psutil
import watchfiles

from bugforge.attempt import LEFT_OUT

STEP_MILLISECONDS = 50
"""So long nothing more must change until a save counts: editors write beside, and rename."""
DEBOUNCE_MILLISECONDS = 400
"""What changes all the time counts after so long."""
POLL_MILLISECONDS = 300
WAKE_MILLISECONDS = 500

NETWORK = frozenset(
    {"9p", "afs", "ceph", "cifs", "davfs", "drvfs", "glusterfs", "lustre", "ncpfs", "nfs", "nfs4",
     "prl_fs", "smb2", "smb3", "smbfs", "vboxsf", "virtiofs", "vmhgfs"}
)  # fmt: skip
"""File systems that tell nothing of what is written from elsewhere."""


def follow(root: Path, tell: Callable[[], None], done: Event, *, poll: bool) -> None:
    """Call `tell` after each save under a folder, until `done` is set.

    poll: look at the files again and again, and not wait to be told by the system; that is also
    done where the system tells nothing, or has no room for one more who is to be told.
    """
    polling = poll or is_networked(root)
    try:
        _follow(root, tell, done, poll=polling)
    except (OSError, RuntimeError):
        if polling:
            raise
        _follow(root, tell, done, poll=True)


def _follow(root: Path, tell: Callable[[], None], done: Event, *, poll: bool) -> None:
    for _ in watchfiles.watch(
        root,
        watch_filter=watchfiles.DefaultFilter(
            ignore_dirs=(*watchfiles.DefaultFilter.ignore_dirs, *LEFT_OUT)
        ),
        debounce=DEBOUNCE_MILLISECONDS,
        step=STEP_MILLISECONDS,
        stop_event=done,
        rust_timeout=WAKE_MILLISECONDS,
        force_polling=poll or None,
        poll_delay_ms=POLL_MILLISECONDS,
        raise_interrupt=False,
        ignore_permission_denied=True,
    ):
        tell()


def is_networked(path: Path) -> bool:
    """Whether a path lies on a file system of another machine, as far as the system says."""
    try:
        mounts = {Path(part.mountpoint): part.fstype for part in psutil.disk_partitions(all=True)}
    except (OSError, psutil.Error):
        return False
    resolved = path.resolve()
    around = (folder for folder in (resolved, *resolved.parents) if folder in mounts)
    kind = mounts.get(next(around, Path()), "")
    return kind in NETWORK or kind.startswith("fuse.")
