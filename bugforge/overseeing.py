"""A workspace under watch: its program looked at in a process that is kept open, and opened again
where a program took it down.
"""

import random
import time
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, ExitStack, contextmanager, nullcontext
from dataclasses import dataclass, field
from pathlib import Path

from bugforge.answers import AnswerKey
from bugforge.catalogue import load
from bugforge.checking import hidden_from, hold_genuine
from bugforge.errors import LostError
from bugforge.glance import Glance, Glimpse
from bugforge.sandbox import Limits, Sandbox, UnwantedError, opened
from bugforge.verify import Progress
from bugforge.workspace import Workspace

PATIENCE_SECONDS = 0.5
POLL_SECONDS = 0.02
DELAY_SECONDS = 3.0
"""So long nothing is said of a look that brings nothing to show."""


@dataclass(frozen=True)
class Watched:
    """What is to be overseen. attribute: whether to tell the bugs apart. limits: for each job."""

    workspace: Workspace
    key_dir: Path | None
    attribute: bool
    limits: Limits


@dataclass
class Overseer:
    """Looks at a workspace's program whenever it is told to, and shows what it sees."""

    watched: Watched
    key: AnswerKey
    progress: Progress
    show: Callable[[Glimpse], None]
    rng: random.Random
    _stack: ExitStack = field(default_factory=ExitStack)
    _glance: Glance | None = None

    def look(self, unwanted: Callable[[], bool]) -> bool:
        """Look at the program as it is now; tell whether that came to an end, as it does unless it
        is unwanted. Raises ToolError where torch or the correct program cannot be run.
        """
        glance = self.ready()
        root = self.watched.workspace.root
        _await_whole([root / name for name, text in self.key.forged.items() if text], unwanted)
        glance.box.unwanted = self._telling_of_delay(unwanted)
        try:
            for glimpse in glance.look(root):
                self.show(glimpse)
        except UnwantedError:
            return False
        except LostError:
            if not glance.box.ready:
                raise
            return False  # it went while its jobs were ended, and is opened again
        finally:
            glance.box.unwanted = lambda: False
        return True

    def _telling_of_delay(self, unwanted: Callable[[], bool]) -> Callable[[], bool]:
        """Wrap what is asked all along while a program runs: once it runs long, that is said."""
        late = time.monotonic() + DELAY_SECONDS
        told = False

        def asked() -> bool:
            nonlocal told
            if not told and time.monotonic() > late:
                told = True
                most = f"{self.watched.limits.seconds:g} s"
                self.progress(f"No answer yet; the program is ended once it ran for {most}")
            return unwanted()

        return asked

    def ready(self) -> Glance:
        """Load torch and record the correct program, where that has not been done."""
        if self._glance and self._glance.box.alive:
            return self._glance
        self._stack.close()
        self.progress("Loading torch")
        box = self._stack.enter_context(opened(self.watched.limits))
        hidden = hidden_from(self.watched.workspace, self.watched.key_dir)
        self._glance = Glance(box, self.key, self.rng, hidden, self.watched.attribute)
        self._glance.prepare()
        return self._glance

    def lend(self) -> AbstractContextManager[Sandbox]:
        """Lend the sandbox that programs are looked at in."""
        return nullcontext(self.ready().box)

    def stop(self) -> None:
        """End whatever runs in the sandbox."""
        if self._glance and self._glance.box.alive:
            self._glance.box.abandon()

    def close(self) -> None:
        """End the sandbox."""
        self._stack.close()


@contextmanager
def overseeing(
    watched: Watched, progress: Progress, show: Callable[[Glimpse], None]
) -> Iterator[Overseer]:
    """Oversee a workspace. Raises AnswerKeyError where its key cannot be used."""
    key = watched.workspace.answer_key(watched.key_dir)
    hold_genuine(key, watched.key_dir, load())
    overseer = Overseer(watched, key, progress, show, random.Random())
    try:
        yield overseer
    finally:
        overseer.close()


def _await_whole(paths: list[Path], unwanted: Callable[[], bool]) -> None:
    """Wait a moment for files that are not there or empty, as while an editor exchanges them."""
    end = time.monotonic() + PATIENCE_SECONDS
    while time.monotonic() < end and not unwanted() and not all(map(_is_whole, paths)):
        time.sleep(POLL_SECONDS)


def _is_whole(path: Path) -> bool:
    try:
        return path.stat().st_size > 0
    except OSError:
        return False
