"""Running a learner's program as they would, counted, and what came of it kept in the journal."""

import codecs
import ctypes
import math
import os
import selectors
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path
from types import FrameType
from typing import IO

import psutil

from bugforge.clock import Standing, standing
from bugforge.errors import UsageError
from bugforge.output import Output
from bugforge.snapshot import snapshot
from bugforge.workspace import Workspace, find

SCRIPTS = ("train.py", "main.py")
"""What is run where nothing is named: the first that is there."""
POLL_SECONDS = 0.05
GRACE_SECONDS = 5.0
"""How long after a Ctrl-C a program may take until it is sent one, as it may have come to this
process alone; and as long until the next.
"""
PR_SET_PDEATHSIG = 1
PATIENCE = 3
"""Ctrl-Cs, given or sent, until a program is killed."""

Show = Callable[[bytes, bool], None]
"""Shows what a program has just written; whether to standard error."""


@dataclass(frozen=True)
class Ran:
    """A run that has ended. number: how many there were with it. exit_code: below 0 the signal that
    ended the program. seconds: how long it ran, the wait before it aside. stands: how the practice
    stands after it.
    """

    workspace: Workspace
    number: int
    script: str
    exit_code: int
    interrupted: bool
    seconds: float
    output: Output
    stands: Standing


def run(
    given: Path | None,
    script: str | None,
    show: Show,
    wait: Callable[[int], None] = time.sleep,
) -> Ran:
    """Run a script of a workspace in its folder, with this Python, and show what it writes.

    wait: lets the seconds pass that a run waits in a slow workspace. Raises UsageError where there
    is no such script, WorkspaceError where the workspace or its journal cannot be used.
    """
    workspace = find(given)
    path = _script(workspace.root, script)
    name = path.relative_to(workspace.root).as_posix()
    if workspace.manifest.slow:
        workspace.record(lambda events: None if standing(events).began else {"event": "start"})
        wait(workspace.manifest.slow)
    begun = workspace.record(
        lambda events: {
            "event": "run",
            "run": 1 + sum(event.name == "run" for event in events),
            "script": name,
            "program": snapshot(workspace.root, events),
        }
    )
    assert begun is not None
    number = int(begun.fields["run"])
    output = Output()
    began = time.monotonic()
    code, interrupted = _run([sys.executable, name], workspace.root, output, show)
    seconds = time.monotonic() - began
    event = {
        "event": "ran",
        "run": number,
        "exit_code": code,
        "interrupted": interrupted,
        "seconds": round(seconds, 3),
        "losses": [[step, loss if math.isfinite(loss) else None] for step, loss in output.losses],
        "sample": output.sample,
        "tail": output.tail,
    }
    workspace.record(lambda _: event)
    return Ran(workspace, number, name, code, interrupted, seconds, output, workspace.standing())


def _script(root: Path, asked: str | None) -> Path:
    """Find what to run. Raises UsageError where there is nothing, or it lies elsewhere."""
    usual = next((name for name in SCRIPTS if (root / name).is_file()), SCRIPTS[0])
    path = (root / (asked or usual)).resolve()
    if not path.is_relative_to(root):
        raise UsageError(f"{asked} does not lie in {root}.", "Name a file of the workspace.")
    if path.is_file():
        return path
    others = sorted(other.name for other in root.glob("*.py") if other.name != "conftest.py")
    which = ", ".join(others)
    raise UsageError(
        f"There is no {asked or ' or '.join(SCRIPTS)} in {root}.",
        f"Name what to run: --script FILE, of {which}." if others else "There is nothing to run.",
    )


@dataclass
class _Interrupts:
    """The Ctrl-Cs that came while a program ran."""

    times: list[float] = field(default_factory=list)

    def __call__(self, _number: int, _frame: FrameType | None) -> None:
        self.times.append(time.monotonic())


def _run(command: list[str], folder: Path, output: Output, show: Show) -> tuple[int, bool]:
    """Run a program to its end; give its exit code, and whether it was interrupted.

    It has this process's input and terminal, so that a debugger works and a Ctrl-C reaches it.
    """
    environment = {**os.environ, "PYTHONUNBUFFERED": "1"}
    with (
        _counted_interrupts() as interrupts,
        subprocess.Popen(
            command,
            cwd=folder,
            env=environment,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            preexec_fn=_ending_with_this(),  # noqa: PLW1509  # no other thread runs here
        ) as process,
    ):
        try:
            assert process.stdout is not None
            assert process.stderr is not None
            _follow(process, (process.stdout, process.stderr), interrupts, output, show)
        finally:
            _end(process)
    output.end()
    return process.returncode, bool(interrupts.times)


def _ending_with_this() -> Callable[[], object] | None:
    """Give what a process does at its beginning so that it ends with this one, even where that is
    killed; None where the system has no way.
    """
    if sys.platform != "linux":
        return None
    return partial(ctypes.CDLL(None).prctl, PR_SET_PDEATHSIG, signal.SIGKILL)


def _follow(
    process: "subprocess.Popen[bytes]",
    streams: tuple[IO[bytes], IO[bytes]],
    interrupts: _Interrupts,
    output: Output,
    show: Show,
) -> None:
    """Show what a program writes until it has ended, whoever else still holds its output."""
    decoders = [codecs.getincrementaldecoder("utf-8")("replace") for _ in streams]
    sent = 0
    with selectors.DefaultSelector() as selector:
        for is_error, stream in enumerate(streams):
            selector.register(stream, selectors.EVENT_READ, bool(is_error))
        while True:
            ended = process.poll() is not None
            ready = selector.select(0 if ended else POLL_SECONDS) if selector.get_map() else []
            if not selector.get_map() and not ended:
                time.sleep(POLL_SECONDS)
            for key, _ in ready:
                chunk = os.read(key.fd, 65536)
                if not chunk:
                    selector.unregister(key.fileobj)
                    continue
                show(chunk, key.data)
                output.read(decoders[key.data].decode(chunk), is_error=key.data)
            if ended and not ready:
                return
            sent = _pass_on(process, interrupts, sent)


def _pass_on(process: "subprocess.Popen[bytes]", interrupts: _Interrupts, sent: int) -> int:
    """End a program that a Ctrl-C did not end, or did not reach; give how often that was tried."""
    if not interrupts.times:
        return sent
    if len(interrupts.times) >= PATIENCE or sent >= PATIENCE:
        _end(process)
    elif time.monotonic() > interrupts.times[0] + GRACE_SECONDS * (sent + 1):
        process.send_signal(signal.SIGINT)
        return sent + 1
    return sent


@contextmanager
def _counted_interrupts() -> Iterator[_Interrupts]:
    interrupts = _Interrupts()
    before = signal.signal(signal.SIGINT, interrupts)
    try:
        yield interrupts
    finally:
        signal.signal(signal.SIGINT, before)


def _end(process: "subprocess.Popen[bytes]") -> None:
    """End a program and what it started, where it has not ended."""
    if process.poll() is not None:
        return
    with suppress(psutil.Error):
        own = psutil.Process(process.pid)
        for one in (*own.children(recursive=True), own):
            with suppress(psutil.Error):
                one.kill()
    process.wait()
