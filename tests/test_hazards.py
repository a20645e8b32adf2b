"""What a learner's program may do to the sandbox, and what must come of it."""

import os
import random
import socket
from collections.abc import Callable, Iterator
from io import StringIO
from pathlib import Path

import psutil
import pytest
from rich.console import Console

from bugforge.display import show_verdict
from bugforge.errors import UsageError
from bugforge.programs import GPT
from bugforge.recordings import Recording
from bugforge.report import exit_code
from bugforge.sandbox import Limits, Sandbox, opened
from bugforge.training import Run
from bugforge.verify import Question, Verdict, verify
from tests.conftest import key_to

Check = Callable[[Sandbox, Path], Verdict]


@pytest.fixture(scope="module")
def narrow() -> Iterator[Sandbox]:
    """A sandbox with little time and memory."""
    with opened(Limits(seconds=6, memory_bytes=1024**3, processes=8)) as box:
        yield box


@pytest.fixture
def root(reference: dict[str, str], tmp_path: Path) -> Path:
    """A folder with the correct program."""
    folder = tmp_path / "program"
    folder.mkdir()
    for name, text in reference.items():
        (folder / name).write_text(text, encoding="utf-8")
    return folder


@pytest.fixture
def check(reference: dict[str, str]) -> Check:
    """Judge a folder without training it."""
    key = key_to(reference)

    def checked(box: Sandbox, folder: Path) -> Verdict:
        return verify(box, folder, key, Question(random.Random(0), trains="never"))

    return checked


def _put(root: Path, code: str) -> None:
    """Let model.py begin with some code."""
    model = root / "model.py"
    model.write_text(code + model.read_text(encoding="utf-8"), encoding="utf-8")


CRASHES = {
    "raises": ("raise ValueError('boom')\n", "ValueError"),
    "exits": ("import sys; sys.exit(0)\n", "SystemExit"),
    "exits at once": ("import os; os._exit(0)\n", "SystemExit"),
    "reads its input": ("input()\n", "EOFError"),
    "deletes its files": (
        "import os\nfor name in os.listdir('.'):\n    os.remove(name)\n",
        "ContractError",
    ),
    "raises without words": (
        "class E(BaseException):\n    def __str__(self): raise self\nraise E\n",
        "E",
    ),
    "raises half a character": ("raise ValueError('\\ud800')\n", "ValueError"),
    "imports the judge": ("import bugforge.verify\n", "ModuleNotFoundError"),
}


@pytest.mark.parametrize("hazard", CRASHES)
def test_a_crash_is_the_attempts_own(hazard: str, root: Path, box: Sandbox, check: Check) -> None:
    """Whatever ends the program, the attempt fails with exit code 1, and the crash is named."""
    code, error = CRASHES[hazard]
    _put(root, code)
    verdict = check(box, root)
    assert exit_code(verdict) == 1
    assert verdict.crash is not None
    assert verdict.crash.type == error
    assert str(verdict.crash).isprintable()


LIMITS = {
    "loops for ever": ("while True: pass\n", "time"),
    "stops itself": ("import os, signal; os.kill(os.getpid(), signal.SIGSTOP)\n", "time"),
    "allocates without end": ("x = []\nwhile True: x.append(bytearray(10**7))\n", "memory"),
    "prints a gigabyte": ("for _ in range(1000): print('x' * 10**6)\n", "output"),
    "starts processes": (
        "import os, time\nfor _ in range(20):\n    if os.fork() == 0: break\ntime.sleep(100)\n",
        "processes",
    ),
}


@pytest.mark.parametrize("hazard", LIMITS)
def test_limits_are_kept_and_named(hazard: str, root: Path, narrow: Sandbox, check: Check) -> None:
    """A program that uses too much is stopped, with exit code 4, and told what and how much."""
    code, limit = LIMITS[hazard]
    _put(root, code)
    verdict = check(narrow, root)
    assert exit_code(verdict) == 4
    assert verdict.limit is not None
    assert verdict.limit.limit == limit
    assert verdict.limit.used
    assert verdict.limit.allowed


def _becomes_a_link(model: Path) -> None:
    model.rename(model.with_name("elsewhere.py"))
    model.symlink_to(model.with_name("elsewhere.py"))


def _becomes_endless(model: Path) -> None:
    model.unlink()
    model.symlink_to("/dev/zero")


def _becomes_a_folder(model: Path) -> None:
    model.unlink()
    model.mkdir()


FILES: dict[str, Callable[[Path], object]] = {
    "missing": Path.unlink,
    "empty": lambda model: model.write_text(""),
    "not UTF-8": lambda model: model.write_bytes(b"\xff\xfe\x00"),
    "not Python": lambda model: model.write_text("def f(:\n"),
    "with a null byte": lambda model: model.write_text("x = 1\0\n"),
    "too deep": lambda model: model.write_text("(" * 10**4 + ")" * 10**4),
    "huge": lambda model: model.write_text("#" * 2 * 1024**2),
    "a link": _becomes_a_link,
    "a link to what has no end": _becomes_endless,
    "a folder": _becomes_a_folder,
}


@pytest.mark.parametrize("how", FILES)
def test_a_file_that_cannot_be_run(how: str, root: Path, box: Sandbox, check: Check) -> None:
    """A source that is not what it should be fails the attempt, and the message names it."""
    FILES[how](root / "model.py")
    verdict = check(box, root)
    assert exit_code(verdict) == 1
    assert "model.py" in str(verdict.crash)


def test_nothing_outlives_a_check(root: Path, check: Check, tmp_path: Path) -> None:
    """Processes that a program starts, however detached, end with the check; so does its copy."""
    mark = str(10**6 + random.Random(str(tmp_path)).randrange(10**6))
    _put(
        root,
        f"import subprocess\nsubprocess.Popen(['sleep', '{mark}'], start_new_session=True)\n",
    )
    with opened(Limits()) as box:
        verdict = check(box, root)
        folder = box.folder
    assert all(reading.kept for reading in verdict.readings if reading.value is not None)
    assert not [p for p in psutil.process_iter(["cmdline"]) if mark in (p.info["cmdline"] or [])]
    assert not folder.exists()


def test_the_learners_files_are_not_touched(root: Path, box: Sandbox, check: Check) -> None:
    """A program that writes, deletes and makes files beside itself changes no original."""
    _put(root, "import os\nopen('new', 'w').write('x')\nos.remove('train.py')\n")
    before = {path.name: path.read_bytes() for path in root.iterdir()}
    check(box, root)
    assert {path.name: path.read_bytes() for path in root.iterdir()} == before


def test_taking_down_the_watcher_is_no_fault_of_ours(root: Path, check: Check) -> None:
    """A program that kills the process which watches it does not pass, nor is it our fault."""
    _put(root, "import os, signal; os.kill(os.getppid(), signal.SIGKILL)\n")
    with opened(Limits()) as box:
        assert exit_code(check(box, root)) == 1


WALLED = {
    "processes": "import os, signal\ntry: os.kill(-1, signal.SIGKILL)\nexcept OSError: pass\n",
    "network": (
        "import socket\n"
        "try: socket.create_connection(('127.0.0.1', PORT), 5); raise SystemExit\n"
        "except OSError: pass\n"
    ),
    "keys": "import os\nif os.listdir(SECRETS): raise SystemExit\n",
    "files": (
        "import os\n"
        "try: open(os.path.join(OUTSIDE, 'x'), 'w'); raise SystemExit\n"
        "except OSError: pass\n"
    ),
}


@pytest.mark.parametrize("wall", WALLED)
def test_walls_hold_where_they_are_said_to(
    wall: str, root: Path, reference: dict[str, str], tmp_path: Path
) -> None:
    """Behind a wall that is said to hold, a program reaches no process but its own, no network,
    no answer key, and no file that it could change; and it still runs.
    """
    secrets, outside = tmp_path / "secrets", tmp_path / "outside"
    for folder in (secrets, outside):
        folder.mkdir()
    (secrets / "key").write_text("key")
    key = key_to(reference)
    with socket.create_server(("127.0.0.1", 0)) as server, opened(Limits()) as box:
        port = server.getsockname()[1]
        names = f"PORT, SECRETS, OUTSIDE = {port}, {str(secrets)!r}, {str(outside)!r}\n"
        _put(root, names + WALLED[wall])
        question = Question(random.Random(0), trains="never", hidden=(secrets,))
        verdict = verify(box, root, key, question)
        if wall not in box.isolation:
            pytest.skip(f"this system gives no wall around {wall}")
    assert verdict.lawful, verdict.crash


def test_a_system_without_fork_is_told_so(monkeypatch: pytest.MonkeyPatch) -> None:
    """Where processes cannot be forked, nothing is started, and the mend is named."""
    monkeypatch.delattr(os, "fork")
    with pytest.raises(UsageError, match="cannot fork") as told, opened(Limits()):
        pass
    assert "Subsystem for Linux" in told.value.mend


@pytest.mark.parametrize(
    ("isolation", "said"),
    [
        (("processes", "network", "keys", "files"), ""),
        (("processes", "network"), "Not walled off on this system: keys, files."),
        ((), "Not walled off on this system: processes, network, keys, files."),
    ],
)
def test_missing_walls_are_named(isolation: tuple[str, ...], said: str) -> None:
    """Who is told of a program that ran is told which walls did not stand around it."""
    run = Run(GPT, "text", unseen=False, recording=Recording(facts={"losses": [1.0]}))
    written = StringIO()
    verdict = Verdict(passed=False, readings=(), runs=(run,), isolation=isolation)
    show_verdict(Console(file=written, width=80), verdict, "verdict")
    assert said in written.getvalue()
    assert ("walled off" in written.getvalue()) == bool(said)
