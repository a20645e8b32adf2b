"""Single keys from a terminal, and saves beside them, for the same one to take."""

import os
import queue
import select
import signal
import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from bugforge.errors import UsageError
from bugforge.saves import follow
from bugforge.snapshot import digest
from bugforge.watching import Pressed, Saved

if sys.platform != "win32":
    import termios
    import tty

ESCAPE = "\x1b"
END = "\x04"
"""What Ctrl-D sends."""


@dataclass
class Terminal:
    """Keys from a terminal and saves of a folder, in the order in which they come. Use `opened`."""

    fd: int
    woken: int
    saves: "queue.SimpleQueue[Saved | OSError]"
    keys: list[str] = field(default_factory=list)
    usual: list[Any] = field(default_factory=list)

    def take(self) -> Saved | Pressed | None:
        """Wait for the next save or key; None where the terminal has gone.

        Raises UsageError where the folder cannot be watched any more.
        """
        while True:
            with suppress(queue.Empty):
                saved = self.saves.get_nowait()
                if isinstance(saved, Saved):
                    return saved
                raise UsageError(
                    f"The workspace cannot be watched: {saved}.",
                    "Use `bugforge check` after each change.",
                ) from saved
            if self.keys:
                key = self.keys.pop(0)
                return None if key == END else Pressed(key)
            if not self._read(None):
                return None

    def waits(self) -> bool:
        """Whether there is something to be taken."""
        return bool(self.keys) or not self.saves.empty() or not self._read(0) or bool(self.keys)

    def _read(self, seconds: float | None) -> bool:
        """Read keys, waiting for one or a save so long; whether the terminal is still there."""
        ready, _, _ = select.select([self.fd, self.woken], [], [], seconds)
        if self.woken in ready:
            os.read(self.woken, 4096)
        if self.fd in ready:
            try:
                typed = os.read(self.fd, 1024).decode(errors="replace")
            except OSError:
                typed = ""
            if not typed:
                self.keys.append(END)
                return False
            if not typed.startswith(ESCAPE):  # an arrow, or another key that is several
                self.keys += [key for key in typed if key not in "\r\n"]
        return True

    @contextmanager
    def as_usual(self) -> Iterator[None]:
        """Give the terminal back meanwhile, to a program that reads lines from it."""
        self.restore()
        try:
            yield
        finally:
            self.key_by_key()

    def key_by_key(self) -> None:
        """Let each key be read as it is pressed, and not shown."""
        with suppress(termios.error, OSError):
            tty.setcbreak(self.fd, termios.TCSANOW)  # what was typed meanwhile is kept

    def restore(self) -> None:
        """Put the terminal back as it was found."""
        with suppress(termios.error, OSError):
            termios.tcsetattr(self.fd, termios.TCSADRAIN, self.usual)


@contextmanager
def opened(root: Path) -> Iterator[Terminal]:
    """Read keys from standard input one by one, and watch a folder; give the terminal back as it
    was, whatever happens.

    Raises UsageError where standard input or output is no terminal.
    """
    if sys.platform == "win32" or not (sys.stdin.isatty() and sys.stdout.isatty()):
        raise UsageError(
            "`bugforge watch` reads single keys, and this is no terminal.",
            "Use `bugforge check` after each change; in a script, `bugforge check --json`.",
        )
    fd = sys.stdin.fileno()
    woken, wake = os.pipe()
    terminal = Terminal(fd, woken, queue.SimpleQueue(), usual=termios.tcgetattr(fd))
    done = threading.Event()

    told: list[str] = []

    def tell() -> None:
        program = digest(root)
        if told[-1:] != [program]:
            told[:] = [program]
            terminal.saves.put(Saved(program))
            os.write(wake, b".")

    def watch() -> None:
        try:
            follow(root, tell, done)
        except OSError as error:
            terminal.saves.put(error)
            os.write(wake, b".")

    watcher = threading.Thread(target=watch, daemon=True)
    # A shell that was given the terminal for a while gives it back as it found it.
    before = signal.signal(signal.SIGCONT, lambda *_: terminal.key_by_key())
    try:
        terminal.key_by_key()
        watcher.start()
        yield terminal
    finally:
        done.set()
        signal.signal(signal.SIGCONT, before)
        terminal.restore()
        watcher.join()
        os.close(woken)
        os.close(wake)
