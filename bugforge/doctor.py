"""Finding faults of the set-up: each look gives what it found, and the mend where it is a fault."""

import os
import shutil
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Literal, TextIO

from bugforge.errors import BugforgeError
from bugforge.userdata import FOLDER, data_folder

State = Literal["well", "mind", "fault"]
"""All is well; Bugforge works, but less well than it might; something of it does not work."""

TESTED_PYTHON = (3, 11)
LEAST_PYTHON = (3, 11)
TESTED_TORCH = "2.13.0"
"""As constraints.txt has it."""
LOADING_SECONDS = 120.0

NEEDED = (
    "fsrs",
    "jinja2",
    "libcst",
    "numpy",
    "platformdirs",
    "psutil",
    "pygments",
    "pytest",
    "rich",
    "safetensors",
    "typer",
    "watchfiles",
)
"""Packages that Bugforge loads, each by the name that it is installed by. They are named here, as
what is kept of an installation may be older than the program.
"""
NEEDING_TORCH = ("torchmetrics",)
"""The same, of those that load torch; they are looked at where that can be loaded."""

MB = 1024**2
MEMORY_NEEDED, MEMORY_WANTED = 700 * MB, 2048 * MB
"""What torch and two small programs need; and what one program may use."""
ROOM_NEEDED, ROOM_WANTED = 64 * MB, 512 * MB
SYNCED = 1 * MB
SMALL_FILES = 100
SLOW_SECONDS = 1.0
"""For either of the two measurements of a disk; a usual one takes a hundredth of it."""


@dataclass(frozen=True)
class Finding:
    """What one look found. about: what was looked at. mend: what to do, empty where all is well."""

    about: str
    state: State
    what: str
    mend: str = ""


@dataclass(frozen=True)
class Setting:
    """What is looked at: the folder that the command was given in, and where its output goes."""

    folder: Path
    output: TextIO


Look = Callable[[Setting], Iterator[Finding]]


def examine(setting: Setting) -> Iterator[Finding]:
    """Look at everything, one thing after another; a look that fails is a finding, too."""
    for about, look in LOOKS.items():
        try:
            yield from look(setting)
        except Exception as error:  # noqa: BLE001  # whatever is broken here is what to tell
            what = f"cannot be looked at: {type(error).__name__}: {error}"
            yield Finding(about, "fault", what, "Install Bugforge again, or report this.")


def is_well(findings: list[Finding]) -> bool:
    """Whether nothing has to be mended."""
    return all(finding.state != "fault" for finding in findings)


def python(_: Setting) -> Iterator[Finding]:
    """Look at the version of Python."""
    found = sys.version_info[:2]
    words = f"{found[0]}.{found[1]}, at {sys.executable}"
    if found < LEAST_PYTHON:
        yield Finding("Python", "fault", words, "Use Python 3.11 or newer, in a new environment.")
    elif found != TESTED_PYTHON:
        yield Finding("Python", "mind", words, "Bugforge was tested with Python 3.11.")
    else:
        yield Finding("Python", "well", words)


def packages(_: Setting) -> Iterator[Finding]:
    """Load each package that Bugforge needs, in a process of its own; torch, and what needs it, are
    looked at by themselves.
    """
    broken = list(_broken(NEEDED))
    yield from broken
    if not broken:
        yield Finding("packages", "well", f"all {len(NEEDED)} can be loaded")


def _broken(names: Iterable[str]) -> Iterator[Finding]:
    """Tell which packages cannot be loaded: all that are missing, then each broken one."""
    missing, faults = [], []
    for name in names:
        # -P: whatever lies in this folder is no package of Bugforge's.
        command = [sys.executable, "-P", "-c", f"import {name}"]
        try:
            ended = subprocess.run(
                command, capture_output=True, text=True, timeout=LOADING_SECONDS, check=False
            )
        except subprocess.TimeoutExpired:
            faults.append((name, f"is not loaded within {LOADING_SECONDS:.0f} s"))
            continue
        if not ended.returncode:
            continue
        last = (ended.stderr.strip().splitlines() or [f"exit code {ended.returncode}"])[-1]
        if last == f"ModuleNotFoundError: No module named '{name}'":
            missing.append(name)
        else:
            faults.append((name, f"cannot be loaded: {last}"))
    install = "pip install --constraint constraints.txt"
    if missing:
        words, mend = f"not installed: {', '.join(missing)}", f"{install} {' '.join(missing)}"
        yield Finding("packages", "fault", words, mend)
    for name, words in faults:
        mend = f"{install} --force-reinstall {name}"
        yield Finding("packages", "fault", f"{name} {words}", mend)


def fork(_: Setting) -> Iterator[Finding]:
    """Look whether processes can be forked, which running programs needs."""
    if hasattr(os, "fork"):
        yield Finding("processes", "well", "can be forked")
    else:
        mend = "Use Linux or macOS; on Windows, the Windows Subsystem for Linux."
        yield Finding("processes", "fault", "cannot be forked on this system", mend)


def torch(_: Setting) -> Iterator[Finding]:
    """Load torch as a check does, in a process of its own; look at its version, and at the walls
    that hold around a program.
    """
    from bugforge.sandbox import WALLS, Limits, opened  # noqa: PLC0415  # needs packages

    try:
        with opened(Limits()) as box:
            box.load(LOADING_SECONDS)
            loaded, walls = box.torch, box.isolation
    except BugforgeError as error:
        mend = f"pip install torch=={TESTED_TORCH}"
        yield Finding("torch", "fault", error.what, f"{error.mend} To install it: {mend}")
        return
    except OSError as error:
        what = f"cannot be tried: {error.strerror or error}"
        yield Finding("torch", "fault", what, "Mend the temporary folder first; see below.")
        return
    tested = TESTED_TORCH.rpartition(".")[0]
    if loaded.startswith(f"{tested}."):
        yield Finding("torch", "well", loaded)
    else:
        mend = f"Bugforge was tested with {TESTED_TORCH}: pip install torch=={TESTED_TORCH}"
        yield Finding("torch", "mind", f"{loaded} is not the tested version", mend)
    behind = list(_broken(NEEDING_TORCH))
    yield from behind or [
        Finding("with torch", "well", f"{', '.join(NEEDING_TORCH)} can be loaded")
    ]
    missing = [wall for wall in WALLS if wall not in walls]
    if missing:
        what = f"around a program, these do not hold here: {', '.join(missing)}"
        mend = "Run only programs that you trust; Linux gives them where user namespaces are on."
        yield Finding("walls", "mind", what, mend)
    else:
        yield Finding("walls", "well", f"hold around a program: {', '.join(walls)}")


def plugins(_: Setting) -> Iterator[Finding]:
    """Look whether every plugin can be loaded."""
    from bugforge import catalogue  # noqa: PLC0415  # needs packages

    known = catalogue.load()
    for broken in known.broken:
        yield Finding("plugins", "fault", f"{broken.origin}: {broken.what}", broken.mend)
    if not known.broken:
        counts = f"{len(known.kinds)} kinds of bugs and {len(known.rewrites)} rewrites"
        yield Finding("plugins", "well", counts)


def memory(_: Setting) -> Iterator[Finding]:
    """Look how much memory can be had."""
    import psutil  # noqa: PLC0415  # a package that may be missing

    free = min(int(psutil.virtual_memory().available), _granted())
    words = f"{free // MB} MB can be had"
    if free < MEMORY_NEEDED:
        yield Finding("memory", "fault", words, f"Free some: {MEMORY_NEEDED // MB} MB are needed.")
    elif free < MEMORY_WANTED:
        mend = f"End other programs if a check is slow; one may use {MEMORY_WANTED // MB} MB."
        yield Finding("memory", "mind", words, mend)
    else:
        yield Finding("memory", "well", words)


def _granted() -> int:
    """Bytes that the container lets its processes use; a great many where there is none."""
    try:
        most = Path("/sys/fs/cgroup/memory.max").read_text(encoding="ascii")
        used = Path("/sys/fs/cgroup/memory.current").read_text(encoding="ascii")
        return int(most) - int(used)
    except (OSError, ValueError):
        return sys.maxsize


def folders(setting: Setting) -> Iterator[Finding]:
    """Look at the folders that are written: the temporary one, this one, and that of the user's
    data.
    """
    try:
        yield disk("temporary folder", Path(tempfile.gettempdir()), "Set TMPDIR to a folder")
    except OSError as error:
        yield Finding("temporary folder", "fault", str(error), "Set TMPDIR to one you may write.")
    yield disk("this folder", setting.folder, "Go to one, or name one to `bugforge new`,")
    data = data_folder()
    there = next((path for path in (data, *data.parents) if path.exists()), data)
    yield disk("data folder", there, f"Set {FOLDER} to a folder")


def disk(about: str, folder: Path, otherwise: str) -> Finding:
    """Write into a folder, and time it: one file that reaches the disk, and many small ones.

    otherwise: how to choose another folder, the beginning of a sentence.
    """
    try:
        room = shutil.disk_usage(folder).free
        with tempfile.TemporaryDirectory(prefix=".bugforge-", dir=folder) as own:
            synced = _timed(lambda: _write_synced(Path(own, "synced")))
            small = _timed(lambda: _write_small(Path(own)))
    except OSError as error:
        what = f"{folder} cannot be written: {error.strerror or error}"
        return Finding(about, "fault", what, f"{otherwise} that you may write.")
    words = (
        f"{folder}: 1 MB to the disk in {synced:.2f} s, {SMALL_FILES} small files in {small:.2f} s"
    )
    if room < ROOM_NEEDED:
        return Finding(about, "fault", f"{folder} has {room // MB} MB left", "Make room there.")
    if room < ROOM_WANTED:
        return Finding(about, "mind", f"{folder} has {room // MB} MB left", "Make room there.")
    if max(synced, small) > SLOW_SECONDS:
        return Finding(about, "mind", f"slow. {words}", f"{otherwise} on a local disk.")
    return Finding(about, "well", words)


def _timed(deed: Callable[[], object]) -> float:
    began = time.perf_counter()
    deed()
    return time.perf_counter() - began


def _write_synced(path: Path) -> None:
    with path.open("wb") as file:
        file.write(bytes(SYNCED))
        file.flush()
        os.fsync(file.fileno())


def _write_small(folder: Path) -> None:
    for number in range(SMALL_FILES):
        (folder / str(number)).write_bytes(b"small")


def console(setting: Setting) -> Iterator[Finding]:
    """Look whether the console can show more than ASCII."""
    encoding = (getattr(setting.output, "encoding", None) or "none").lower()
    if encoding.replace("-", "").startswith("utf"):
        yield Finding("console", "well", encoding)
    else:
        mend = "Loss curves are drawn coarsely. Finer: export PYTHONIOENCODING=utf-8"
        yield Finding("console", "mind", f"writes {encoding}, and no UTF-8", mend)


LOOKS: dict[str, Look] = {
    "Python": python,
    "packages": packages,
    "processes": fork,
    "torch": torch,
    "plugins": plugins,
    "memory": memory,
    "folders": folders,
    "console": console,
}
