"""Walls around a child that the system gives without privileges, where it does (Linux).

A child in namespaces of its own sees no process but its descendants, so it can signal none and
all of them end with it; has no network; sees a read-only file system but for its own folders;
and finds empty folders where answer keys lie. What could not be had is told, not assumed.

Imported by the warm process: standard library only.
"""

import ctypes
import os
import platform
import sys
from pathlib import Path

CLONE_NEWNS = 0x00020000
CLONE_NEWIPC = 0x08000000
CLONE_NEWUSER = 0x10000000
CLONE_NEWPID = 0x20000000
CLONE_NEWNET = 0x40000000

MS_NOSUID = 2
MS_NODEV = 4
MS_BIND = 4096
MS_REC = 16384
MS_PRIVATE = 1 << 18

MOUNT_ATTR_RDONLY = 1
AT_FDCWD = -100
AT_RECURSIVE = 0x8000
SYS_MOUNT_SETATTR = 442


class _MountAttr(ctypes.Structure):
    _fields_ = (
        ("attr_set", ctypes.c_uint64),
        ("attr_clr", ctypes.c_uint64),
        ("propagation", ctypes.c_uint64),
        ("userns_fd", ctypes.c_uint64),
    )


def isolate(writable: list[str], hidden: list[str]) -> list[str]:
    """Put this process, which must have one thread, behind every wall that can be had.

    Returns the names of the walls that hold: processes, network, keys, files. The process goes
    on in a process namespace that ends with it; two others wait, outside and as the first inside,
    and end as it does.
    """
    if sys.platform != "linux":
        return []
    libc = ctypes.CDLL(None, use_errno=True)
    user, group = os.getuid(), os.getgid()
    spaces = CLONE_NEWUSER | CLONE_NEWNS | CLONE_NEWPID | CLONE_NEWNET | CLONE_NEWIPC
    if libc.unshare(spaces) != 0:
        return []
    Path("/proc/self/setgroups").write_text("deny")
    Path("/proc/self/uid_map").write_text(f"{user} {user} 1")
    Path("/proc/self/gid_map").write_text(f"{group} {group} 1")
    _go_on_in_a_child()  # the first process of the namespace, which most signals do not reach
    _go_on_in_a_child()  # an ordinary one
    held = ["processes", "network"]
    if _mount(libc, None, "/", None, MS_REC | MS_PRIVATE):
        if all(_mount(libc, "none", path, "tmpfs", MS_NOSUID | MS_NODEV) for path in hidden):
            held.append("keys")
        if _only_writable(libc, writable):
            held.append("files")
    return held


def _go_on_in_a_child() -> None:
    """Fork, and wait in the parent to end as the child does."""
    child = os.fork()
    if not child:
        return
    while True:
        pid, status = os.wait()  # orphans of the namespace come to its first process
        if pid == child:
            code = os.waitstatus_to_exitcode(status)
            os._exit(code if code >= 0 else 128 - code)


def _only_writable(libc: ctypes.CDLL, writable: list[str]) -> bool:
    for path in writable:
        if not _mount(libc, path, path, None, MS_BIND):
            return False
    read_only = _MountAttr(attr_set=MOUNT_ATTR_RDONLY)
    if not _set_attributes(libc, "/", AT_RECURSIVE, read_only):
        return False
    again = _MountAttr(attr_clr=MOUNT_ATTR_RDONLY)
    return all(_set_attributes(libc, path, 0, again) for path in writable)


def _mount(
    libc: ctypes.CDLL, source: str | None, target: str, kind: str | None, flags: int
) -> bool:
    encoded = [word and os.fsencode(word) for word in (source, target, kind)]
    return bool(libc.mount(*encoded, flags, None) == 0)


def _set_attributes(libc: ctypes.CDLL, path: str, flags: int, attributes: _MountAttr) -> bool:
    if platform.machine() not in ("x86_64", "aarch64"):
        return False
    size = ctypes.sizeof(attributes)
    result = libc.syscall(
        SYS_MOUNT_SETATTR, AT_FDCWD, os.fsencode(path), flags, ctypes.byref(attributes), size
    )
    return bool(result == 0)
