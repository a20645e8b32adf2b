"""Watching: what is done at saves and keys, what one look finds, and a session in a terminal."""

import os
import pty
import queue
import random
import select
import sys
import termios
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from functools import partial
from pathlib import Path
from typing import Any

import pytest
import watchfiles
from conftest import key_to
from hypothesis import given
from hypothesis import strategies as st
from rich.console import Console

from bugforge.display import show_crash
from bugforge.errors import LostError
from bugforge.glance import Glance
from bugforge.glimpsing import show_glimpse
from bugforge.recordings import Crash
from bugforge.sandbox import Limits, Sandbox, UnwantedError, opened
from bugforge.saves import follow
from bugforge.snapshot import digest
from bugforge.watching import KEYS, Pressed, Saved, watch
from bugforge.workspace import open_workspace
from tests.corpus.rewritten import HEADS_APART
from tests.test_cli import COMMAND, run

PATIENCE_SECONDS = 120
EVENTS = st.lists(
    st.builds(Saved, st.sampled_from("abc")) | st.builds(Pressed, st.sampled_from("hrcs?xHQq")),
    max_size=12,
)


class Given:
    """Events in their order, of which some come in later."""

    def __init__(self, events: list[Saved | Pressed]) -> None:
        self.events, self.taken = list(events), []

    def take(self) -> Saved | Pressed | None:
        """Give the next."""
        self.taken += self.events[:1]
        return self.events.pop(0) if self.events else None

    def waits(self) -> bool:
        """Whether there is one."""
        return bool(self.events)

    @property
    def program(self) -> str:
        """What was saved last, of what was taken."""
        return ["a", *(event.program for event in self.taken if isinstance(event, Saved))][-1]


@given(EVENTS, EVENTS)
def test_the_loop_of_a_watch(before: list[Saved | Pressed], during: list[Saved | Pressed]) -> None:
    """Keys are answered in order until one quits; a look is given up for whatever comes in, and
    begun anew; what was looked at to its end is not looked at again, but behind a look that was
    given up; and at last what lies there was.
    """
    inbox, coming = Given(before), list(during)
    done: list[str] = []
    ended: list[str] = []
    given_up: list[bool] = []

    def look(unwanted: Callable[[], bool]) -> bool:
        assert not unwanted()
        assert given_up or ended[-1:] != [inbox.program]
        inbox.events += coming[:1]
        del coming[:1]
        if not unwanted():
            ended.append(inbox.program)
        given_up[:] = [True] if unwanted() else []
        return not unwanted()

    watch(inbox, "a", look, {name: partial(done.append, name) for name in KEYS.values()})
    keys = [event.key.lower() for event in inbox.taken if isinstance(event, Pressed)]
    if "q" in keys:
        assert keys.index("q") == len(keys) - 1
        assert inbox.taken[-1] in (Pressed("q"), Pressed("Q"))
    else:
        assert not inbox.events
        assert ended[-1] == inbox.program
    assert done == [KEYS.get(key, "keys") for key in keys if key != "q"]


def test_the_same_program_is_looked_at_once() -> None:
    """A save that changes nothing is passed over, and one that undoes another is not."""
    seen: list[int] = []
    saves = [Saved("b"), Saved("b"), Saved("a"), Saved("a")]

    class OneByOne(Given):
        def waits(self) -> bool:
            return False

    def look(_: Callable[[], bool]) -> bool:
        seen.append(1)
        return True

    watch(OneByOne(list(saves)), "a", look, {})
    assert len(seen) == 3


@contextmanager
def following(root: Path) -> Iterator[Callable[[], bool]]:
    """Follow a folder; lend what waits until it was told of what lies there now."""
    told: queue.SimpleQueue[str] = queue.SimpleQueue()
    done = threading.Event()
    watcher = threading.Thread(target=follow, args=(root, lambda: told.put(digest(root)), done))
    watcher.start()

    def wait() -> bool:
        while told.get(timeout=PATIENCE_SECONDS) != digest(root):
            pass
        return True

    try:
        yield wait
    finally:
        done.set()
        watcher.join()


def _silent(*_: object, **asked: Any) -> Iterator[frozenset[object]]:
    """Tell of nothing, as the system does where files are written from elsewhere."""
    while not asked["stop_event"].wait(0.05):
        yield frozenset()


def _full(*_: object, **__: object) -> Iterator[frozenset[object]]:
    """Refuse to tell of anything, as the system does where too many are to be told."""
    raise OSError(28, "no space left on device")


@pytest.mark.parametrize("system", [None, _silent, _full])
def test_saves_are_told_however_an_editor_writes(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, system: object
) -> None:
    """A file written in place, one written beside and renamed, and two that were saved in one
    second are all told of, whether the system tells of them or not.
    """
    if system:
        monkeypatch.setattr(watchfiles, "watch", system)
    model = tmp_path / "model.py"
    model.write_text("one")
    with following(tmp_path) as told:
        assert told()
        (tmp_path / "beside").write_text("two and more")
        (tmp_path / "beside").replace(model)
        assert told()
        for text in ("abc", "xyz"):
            found = model.stat()
            model.write_text(text)
            os.utime(model, ns=(found.st_atime_ns, found.st_mtime_ns + 1))
            assert told()


def test_what_a_program_holds_is_told_apart(tmp_path: Path) -> None:
    """Any file of the program changes the digest, and neither notes, the hidden folder nor a file
    written anew as it was do.
    """
    (tmp_path / "model.py").write_text("one")
    first = digest(tmp_path)
    (tmp_path / "ANALYSIS.md").write_text("a claim")
    (tmp_path / ".bugforge").mkdir()
    (tmp_path / ".bugforge" / "journal.jsonl").write_text("{}")
    (tmp_path / "model.py").write_text("one")
    assert digest(tmp_path) == first
    (tmp_path / "data.txt").write_text("more")
    assert digest(tmp_path) != first


def _written(folder: Path, files: dict[str, str]) -> Path:
    folder.mkdir(exist_ok=True)
    for name, text in files.items():
        (folder / name).write_text(text, encoding="utf-8")
    return folder


def _files(folder: Path) -> set[Path]:
    return {path for path in folder.rglob("*") if path.is_file()}


def test_looks_at_a_program(box: Sandbox, reference: dict[str, str], tmp_path: Path) -> None:
    """A right program breaks no law, and a wrong one is seen to break some; a text that is none is
    said to be; a look that nobody waits for is given up, and the next is as ever; and nothing is
    left behind.
    """
    glance = Glance(box, key_to(reference), random.Random(0))
    glance.prepare()
    before = _files(box.folder)
    folder = _written(tmp_path / "right", reference)
    first, whole = glance.look(folder)
    assert (first.whole, whole.whole) == (False, True)
    assert len(first.verdict.readings) < len(whole.verdict.readings)
    assert whole.verdict.lawful
    assert not whole.verdict.passed
    assert not whole.verdict.runs

    _written(folder, {"model.py": "def half(:\n"})
    (half,) = glance.look(folder)
    assert half.unusable
    assert "SyntaxError" in str(half.verdict.crash)

    _written(folder, {"model.py": f"{reference['model.py']}\nwhile True:\n    pass\n"})
    box.unwanted = lambda: bool(box.running)
    try:
        with pytest.raises(UnwantedError):
            list(glance.look(folder))
    finally:
        box.unwanted = lambda: False
    assert not box.running

    wrong = reference["model.py"].replace("~self.mask[:T, :T]", "self.mask[:T, :T]")
    assert wrong != reference["model.py"]
    _written(folder, {"model.py": wrong})
    broken = list(glance.look(folder))[-1]
    assert broken.verdict.broken
    assert _files(box.folder) == before


def test_a_look_says_what_to_restore(
    box: Sandbox, reference: dict[str, str], tmp_path: Path
) -> None:
    """Where parameters have no counterparts, a look says as a check does which to restore, and
    leaves nothing behind.
    """
    glance = Glance(box, key_to(reference), random.Random(0))
    glance.prepare()
    before = _files(box.folder)
    program = HEADS_APART.applied(reference)
    *_, whole = glance.look(_written(tmp_path / "apart", program))
    assert any("(C, C / n_head)" in words for words in whole.verdict.restore)
    console = Console(width=80)
    with console.capture() as said:
        show_glimpse(console, whole, feedback="verdict")
    assert said.get().count("to restore:") == len(whole.verdict.restore)
    assert _files(box.folder) == before


def test_a_crash_is_told_in_whole_words() -> None:
    """How a program ends is wrapped at the console's width, and no word of it is broken."""
    message = "probability tensor contains either `inf`, `nan` or element < 0"
    crash = Crash("RuntimeError", message, ("model.py", 73))
    console = Console(width=40)
    with console.capture() as said:
        show_crash(console, crash)
    lines = said.get().splitlines()
    assert max(map(len, lines)) <= console.width
    assert " ".join(said.get().split()) == f"It does not run through: {crash}"


def test_a_program_that_ends_the_process_is_told(reference: dict[str, str], tmp_path: Path) -> None:
    """Where the process with torch goes while a program runs, that is the program's crash."""
    with opened(Limits()) as box:
        glance = Glance(box, key_to(reference), random.Random(0))
        glance.prepare()
        box.unwanted = lambda: bool(box.warm.kill())  # None: what is waited for stays wanted
        (seen,) = glance.look(_written(tmp_path / "right", reference))
        assert seen.verdict.crash
        assert not box.alive
        with suppress(LostError):
            box.abandon()


def test_without_a_terminal(tmp_path: Path) -> None:
    """Where no key can be read, what to use instead is said, and nothing is begun."""
    assert run("new", "--bugs", "1", "--seed", "1", cwd=tmp_path).returncode == 0
    ran = run("watch", cwd=tmp_path)
    assert ran.returncode == 2
    assert "bugforge check" in ran.stderr
    assert run("watch", "--feedback", "ful", cwd=tmp_path).returncode == 2


class Session:
    """A watch in a terminal of its own."""

    def __init__(self, folder: Path) -> None:
        self.pid, self.fd = pty.fork()
        if not self.pid:
            os.chdir(folder)
            os.execv(sys.executable, [*COMMAND, "watch", "workspace"])  # noqa: S606
        self.usual = termios.tcgetattr(self.fd)
        self.shown = ""
        self.read = 0

    def until(self, words: str) -> str:
        """Wait until some words are shown, and give what was up to there."""
        end = time.monotonic() + PATIENCE_SECONDS
        while words not in self.shown[self.read :]:
            assert time.monotonic() < end, self.shown
            if select.select([self.fd], [], [], 1)[0]:
                self.shown += os.read(self.fd, 4096).decode(errors="replace")
        before, self.read = self.read, self.shown.index(words, self.read) + len(words)
        return self.shown[before : self.read]

    def press(self, key: str) -> None:
        """Press a key."""
        os.write(self.fd, key.encode())

    def end(self) -> int:
        """Wait for its end, and give its exit code."""
        with suppress(OSError):
            while os.read(self.fd, 4096):
                pass
        return os.waitstatus_to_exitcode(os.waitpid(self.pid, 0)[1])


def test_a_watch_in_a_terminal(tmp_path: Path) -> None:
    """A save is answered by a count of laws, and names none; half a file by its error; a program
    that takes long by words that say so; keys do what they say, while it runs, too; what hints cost
    is said before; nothing of it spends a run; and the terminal is given back as it was.
    """
    made = run("new", "--bugs", "1", "--program", "gpt", "--seed", "1", cwd=tmp_path)
    assert made.returncode == 0, made.stderr
    workspace = tmp_path / "workspace"
    model = workspace / "model.py"
    text = model.read_text()
    session = Session(tmp_path)
    try:
        session.until("q quit")
        session.until("8, 16, 24 and 32 points")
        session.until("so far, of")
        assert "1 law is broken" in session.until("of 4") or "laws are broken" in session.shown
        (workspace / "beside").write_text("def half(:\n")
        (workspace / "beside").replace(model)
        assert "SyntaxError" in session.until("Waiting for the next save")
        model.write_text(f"# mine\n{text}")
        session.until("so far, of")
        session.until("of 4")
        assert "not so:" not in session.shown
        model.write_text(f"{text}\nwhile True:\n    pass\n")
        session.until("No answer yet")
        session.press("s")
        assert "0 of 4 used" in session.until("model.py")
        session.press("x")
        session.until("q quit")
        session.press("q")
        assert session.end() == 0
    finally:
        with suppress(ProcessLookupError, ChildProcessError):
            os.kill(session.pid, 9)
            os.waitpid(session.pid, 0)
    assert "Traceback" not in session.shown
    assert not (workspace / ".bugforge" / "journal.jsonl").exists()


def test_a_hint_in_a_watch(tmp_path: Path) -> None:
    """The key for a hint gives the next rung each time, at its cost, from the process that watches,
    and the journal has them; the watch goes on behind it.
    """
    made = run("new", "--bugs", "1", "--program", "gpt", "--seed", "1", cwd=tmp_path)
    assert made.returncode == 0, made.stderr
    workspace = open_workspace(tmp_path / "workspace")
    session = Session(tmp_path)
    try:
        session.until("so far, of")
        for rung, cost in ((1, "8 points"), (2, "16 points")):
            session.press("h")
            session.until(f"Bug 1, hint {rung} of 4")
            session.until(cost)
            session.until("Score")
        session.press("s")
        session.until("0 of 4 used")
        session.press("q")
        assert session.end() == 0
    finally:
        with suppress(ProcessLookupError, ChildProcessError):
            os.kill(session.pid, 9)
            os.waitpid(session.pid, 0)
    assert "Traceback" not in session.shown
    hints = [event.fields for event in workspace.events() if event.name == "hint"]
    assert [(hint["bug"], hint["rung"]) for hint in hints] == [(1, 1), (1, 2)]
