"""Starts, bounds and ends the processes that run programs; hands back where they wrote."""

import json
import os
import selectors
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager, suppress
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path
from typing import Any, Literal

import psutil

from bugforge.errors import LostError, UsageError

POLL_SECONDS = 0.1
COMPLAINTS = "warm.log"
FEWEST_CORES = 2
"""What the smallest machine has; a job has one thread."""

WALLS = ("processes", "network", "keys", "files")
"""What a program is kept from where the system gives the means; ARCHITECTURE.md has more."""

Limit = Literal["time", "memory", "processes", "output"]


class UnwantedError(Exception):
    """What was waited for is not wanted any more."""


@dataclass(frozen=True)
class Limits:
    """What one job may use: wall-clock seconds, bytes of memory, processes, bytes per file."""

    seconds: float = 120.0
    memory_bytes: int = 2 * 1024**3
    processes: int = 32
    file_bytes: int = 64 * 1024**2


@dataclass(frozen=True)
class Outcome:
    """How a job ended: by itself with an exit code, or stopped at a limit."""

    name: str
    out: Path
    exit_code: int
    limit: Limit | None
    used: str
    allowed: str


@dataclass
class _Running:
    name: str
    out: Path
    log: Path
    began: float
    seconds: float
    process: psutil.Process | None = None
    limit: Limit | None = None
    used: str = ""
    allowed: str = ""


@dataclass
class Sandbox:
    """A warm process and the jobs it runs. Use `opened`, which ends every one of them."""

    warm: "subprocess.Popen[bytes]"
    limits: Limits
    folder: Path
    waiting: list[tuple[str, dict[str, Any], float]] = field(default_factory=list)
    running: dict[str, _Running] = field(default_factory=dict)
    ended: dict[str, Outcome] = field(default_factory=dict)
    buffered: bytes = b""
    rooms: int = 0
    at_once: int = FEWEST_CORES
    """Jobs that run side by side."""
    isolation: tuple[str, ...] = ()
    """The walls around a program that hold on this system."""
    ready: bool = False
    """Whether torch is loaded, so that what goes wrong from here on is the program's doing."""
    torch: str = ""
    """Its version, once it is loaded."""
    unwanted: Callable[[], bool] = lambda: False
    """Whether what is waited for is not wanted any more."""

    @property
    def alive(self) -> bool:
        """Whether the warm process is there."""
        return self.warm.poll() is None

    def room(self) -> Path:
        """Make a folder of its own for one check; its name may begin the names of its jobs."""
        self.rooms += 1
        room = self.folder / str(self.rooms)
        room.mkdir()
        return room

    def submit(self, name: str, spec: dict[str, Any], share: float = 1.0) -> None:
        """Start a job under a name of its own, when a core is free; it writes into `out/name`.

        share: how much of the time that a job may take is this one's.
        """
        self.waiting.append((name, spec, share * self.limits.seconds))
        self._start_some()

    def _start_some(self) -> None:
        while self.waiting and len(self.running) < self.at_once:
            self._start(*self.waiting.pop(0))

    def _start(self, name: str, spec: dict[str, Any], seconds: float) -> None:
        out = self.folder / "out" / name
        out.mkdir(parents=True)
        log = out / "output.log"
        job = {
            **spec,
            "name": name,
            "out": str(out),
            "log": str(log),
            "file_bytes": self.limits.file_bytes,
        }
        assert self.warm.stdin is not None
        try:
            self.warm.stdin.write(json.dumps(job).encode() + b"\n")
            self.warm.stdin.flush()
        except OSError as error:
            raise self._lost() from error
        self.running[name] = _Running(name, out, log, time.monotonic(), seconds)

    def load(self, seconds: float) -> None:
        """Wait until torch is loaded. Raises LostError where it cannot be, or takes longer."""
        end = time.monotonic() + seconds
        while not self.ready:
            if time.monotonic() > end:
                raise LostError(
                    f"torch was not loaded after {seconds:.0f} seconds.",
                    "Is the disk slow, or the machine busy? Try: python -c 'import torch'.",
                )
            self._listen()

    def wait(self, name: str) -> Outcome:
        """Wait until a job has ended, holding every running job to its limits meanwhile.

        Raises UnwantedError once that is not wanted any more, and LostError where it cannot end.
        """
        while name not in self.ended:
            if self.unwanted():
                raise UnwantedError
            self._listen()
            self._start_some()
            for job in list(self.running.values()):
                self._hold(job)
        return self.ended[name]

    def abandon(self) -> None:
        """End every job that waits or runs."""
        self.waiting.clear()
        while self.running:
            self._listen()
            for job in self.running.values():
                if job.process is not None:
                    _kill(partial(_tree, job.process))

    def _listen(self) -> None:
        """Take what the warm process says, waiting one poll at most."""
        assert self.warm.stdout is not None
        with selectors.DefaultSelector() as selector:
            selector.register(self.warm.stdout, selectors.EVENT_READ)
            if not selector.select(POLL_SECONDS):
                return
        chunk = os.read(self.warm.stdout.fileno(), 65536)
        if not chunk:
            raise self._lost()
        *lines, self.buffered = (self.buffered + chunk).split(b"\n")
        for line in lines:
            message = json.loads(line)
            self.ready = True
            self.isolation = tuple(message.get("isolation", self.isolation))
            self.torch = message.get("torch", self.torch)
            if "started" in message:
                job = self.running[message["started"]]
                job.began = time.monotonic()
                with suppress(psutil.NoSuchProcess):
                    job.process = psutil.Process(message["pid"])
            if "ended" in message:
                self._end(self.running.pop(message["ended"]), message["exit"])

    def _lost(self) -> LostError:
        with suppress(subprocess.TimeoutExpired):
            self.warm.wait(POLL_SECONDS)  # its pipes close a moment before it is known to be gone
        said = (self.folder / COMPLAINTS).read_text(encoding="utf-8", errors="replace").split("\n")
        last = next((line for line in reversed(said) if line.strip()), "it said nothing")
        return LostError(
            f"The process that runs programs ended before its work was done: {last}",
            "Is torch installed in this environment? Try: python -c 'import torch'.",
        )

    def _end(self, job: _Running, exit_code: int) -> None:
        if job.limit is None and _size(job.log) >= self.limits.file_bytes:
            job.limit = "output"
            job.used = job.allowed = _megabytes(self.limits.file_bytes)
        self.ended[job.name] = Outcome(
            job.name, job.out, exit_code, job.limit, job.used, job.allowed
        )

    def _hold(self, job: _Running) -> None:
        """Stop a job that has gone over a limit."""
        if job.process is None or job.limit is not None:
            return
        seconds = time.monotonic() - job.began
        tree = _tree(job.process)
        # What is resident counts shared pages in each process, but is quick to read; the exact
        # figure is slow, and is only asked for where it could matter.
        memory = sum(map(_resident, tree))
        if memory > self.limits.memory_bytes:
            memory = sum(map(_proportional, tree))
        if seconds > job.seconds:
            job.limit, job.used = "time", f"{seconds:.0f} s"
            job.allowed = f"{job.seconds:.0f} s"
        elif memory > self.limits.memory_bytes:
            job.limit, job.used = "memory", _megabytes(memory)
            job.allowed = _megabytes(self.limits.memory_bytes)
        elif len(tree) > self.limits.processes:
            job.limit, job.used = "processes", str(len(tree))
            job.allowed = str(self.limits.processes)
        if job.limit is not None:
            _kill(partial(_tree, job.process))


Lend = Callable[[], AbstractContextManager[Sandbox]]
"""Lends a sandbox, one that is opened for it or one that is there already."""


@contextmanager
def opened(limits: Limits, at_once: int = FEWEST_CORES) -> Iterator[Sandbox]:
    """Load torch into a warm process, lend a sandbox on it, and end all that it started.

    Raises UsageError where the system cannot fork.
    """
    if not hasattr(os, "fork"):
        raise UsageError(
            "This system cannot fork processes, and programs are run in forked ones.",
            "Use Linux or macOS; on Windows, the Windows Subsystem for Linux.",
        )
    with tempfile.TemporaryDirectory(prefix="bugforge-", ignore_cleanup_errors=True) as folder:
        with Path(folder, COMPLAINTS).open("wb") as complaints:
            warm = subprocess.Popen(
                [sys.executable, "-I", str(Path(__file__).with_name("warm.py"))],
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                stderr=complaints,
                cwd=folder,
                env=_environment(folder),
                start_new_session=True,
            )
        try:
            yield Sandbox(warm, limits, Path(folder), at_once=at_once)
        finally:
            _end_all(warm)
            for pipe in (warm.stdin, warm.stdout):
                assert pipe is not None
                with suppress(OSError):
                    pipe.close()


def _environment(folder: str) -> dict[str, str]:
    """Nothing of the user's but what finds programs and words; one thread; no GPU."""
    kept = ("PATH", "LANG", "LC_ALL", "SYSTEMROOT", "LD_LIBRARY_PATH")
    return {
        **{name: os.environ[name] for name in kept if name in os.environ},
        "HOME": folder,
        "TMPDIR": folder,
        "OMP_NUM_THREADS": "1",
        "MKL_NUM_THREADS": "1",
        "CUDA_VISIBLE_DEVICES": "",
        "PYTHONDONTWRITEBYTECODE": "1",
    }


def _tree(process: psutil.Process) -> list[psutil.Process]:
    try:
        return [process, *process.children(recursive=True)]
    except psutil.NoSuchProcess:
        return []


def _resident(process: psutil.Process) -> int:
    """Bytes of memory in use, all that is shared included."""
    try:
        return int(process.memory_info().rss)
    except psutil.Error:
        return 0


def _proportional(process: psutil.Process) -> int:
    """Bytes of memory in use, what is shared counted in parts where the system can tell."""
    try:
        full = process.memory_full_info()
        return int(getattr(full, "pss", full.rss))
    except psutil.Error:
        return 0


def _end_all(warm: "subprocess.Popen[bytes]") -> None:
    # What the warm process has adopted is lost from sight once it is gone, so it goes last.
    with suppress(psutil.NoSuchProcess):
        process = psutil.Process(warm.pid)
        _kill(lambda: _tree(process)[1:])
    warm.kill()
    warm.wait()


def _kill(members: Callable[[], list[psutil.Process]]) -> None:
    """End processes until none is left, those that they start meanwhile too."""
    while alive := [member for member in members() if _alive(member)]:
        for member in alive:
            with suppress(psutil.NoSuchProcess):
                member.kill()
        psutil.wait_procs(alive, timeout=0.05)


def _alive(process: psutil.Process) -> bool:
    try:
        return bool(process.status() != psutil.STATUS_ZOMBIE)
    except psutil.NoSuchProcess:
        return False


def _size(path: Path) -> int:
    try:
        return path.stat().st_size
    except OSError:
        return 0


def _megabytes(size: int) -> str:
    return f"{size / 1024**2:.0f} MB"
