"""What every command prints where a console has neither UTF-8 nor colour, nor is one at all."""

import os
import re
import shutil
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import typer

from bugforge.cli import UNREAD, app
from tests.test_cli import TRACEBACK, run

WIDTH = 80
PLAIN = {
    "PYTHONIOENCODING": "ascii",
    "PYTHONUTF8": "0",
    "LC_ALL": "C",
    "COLUMNS": str(WIDTH),
    "TERM": "xterm-256color",
}


def _printed(*arguments: str, cwd: Path) -> tuple[str, int]:
    """Run a command in a pipe; give what it printed, which must be plain, and its exit code."""
    ran = subprocess.run(
        [sys.executable, "-m", "bugforge", *arguments],
        cwd=cwd,
        env={**os.environ, **PLAIN},
        stdin=subprocess.DEVNULL,
        capture_output=True,
        check=False,
    )
    text = (ran.stdout + ran.stderr).decode("ascii")
    assert TRACEBACK not in text
    assert "\x1b" not in text
    assert not re.search(r"\\[ux][0-9a-f]{2}", text), text
    return text, ran.returncode


@pytest.fixture(scope="module")
def forged(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A workspace that ends in an error, so that its check is quick; not to be changed."""
    folder = tmp_path_factory.mktemp("forged")
    assert run("new", "--seed", "4", cwd=folder).returncode == 0
    (folder / "workspace" / "model.py").write_text("", encoding="utf-8")
    return folder / "workspace"


def _commands(group: Any, *names: str) -> Iterator[tuple[str, ...]]:
    """Name every command, those of groups too."""
    yield names
    for name, command in getattr(group, "commands", {}).items():
        yield from _commands(command, *names, name)


@pytest.mark.parametrize("words", list(_commands(typer.main.get_command(app))), ids=" ".join)
def test_help_is_plain(words: tuple[str, ...], tmp_path: Path) -> None:
    """The help of every command is ASCII without colours, and no line is wider than the console."""
    text, code = _printed(*words, "--help", cwd=tmp_path)
    assert code == 0
    assert "Usage:" in text
    assert max(map(len, text.splitlines())) <= WIDTH


@pytest.mark.parametrize(
    ("words", "code"),
    [
        ("", 0),
        ("new ../other --seed 1", 0),
        ("new ../own --seed 1 --from nowhere", 2),
        ("extend kv-cache", 2),
        ("check", 1),
        ("check --feedback full", 1),
        ("check nowhere", 2),
        ("demo mask-fill-zero", 0),
        ("demo lr-sign", 0),
        ("doctor", 0),
        ("lesson eval", 0),
        ("list", 0),
        ("list --rewrites", 0),
        ("list --stage nowhere", 2),
        ("quiz --seed 1", 0),
        ("quiz --seed 1 --question scale --answer 8", None),
        ("reveal", 0),
        ("reveal --apply", None),
        ("show mask-fill-zero", 0),
        ("show rope-mixed-pairing", 0),
        ("sites train.py", 0),
        ("tracks", 0),
        ("dev new mutation of-mine --to ../plugin", 0),
        ("no-such-command", 2),
    ],
)
def test_what_commands_print_is_plain(
    words: str, code: int | None, forged: Path, tmp_path: Path
) -> None:
    """What a command prints into a pipe is ASCII without colours. No line is wider than the
    console but those that hold code, a path or a command, which stay whole so that they can be
    copied, and errors, which a console wraps itself.
    """
    workspace = Path(shutil.copytree(forged, tmp_path / "workspace"))
    text, ended = _printed(*words.split(), cwd=workspace)
    assert code in (None, ended)
    wide = [line for line in text.splitlines() if len(line) > WIDTH]
    assert all(re.match(r"[-+@ ]|It is one of|.*(/|bugforge |train.py:)", line) for line in wide), (
        wide
    )


@pytest.mark.parametrize(
    "words",
    [("list",), ("show", "mask-missing", "--json"), ("check",), ("status",), ("--version",)],
)
def test_who_reads_no_further_is_no_error(words: tuple[str, ...], forged: Path) -> None:
    """Where nobody reads what is printed, a command ends in silence, and with neither the code of a
    pass nor that of a failure: nothing was told.
    """
    reading, writing = os.pipe()
    os.close(reading)
    ran = subprocess.run(
        [sys.executable, "-m", "bugforge", *words],
        cwd=forged,
        stdout=writing,
        stderr=subprocess.PIPE,
        text=True,
        check=False,
    )
    os.close(writing)
    assert ran.returncode == UNREAD
    assert "Traceback" not in ran.stderr
    assert "Broken" not in ran.stderr


def test_a_name_that_cannot_be_written_is_escaped(tmp_path: Path) -> None:
    """A folder's name that the console cannot write takes no command away."""
    ran = subprocess.run(
        [sys.executable, "-m", "bugforge", "new", "\u00fcbung", "--seed", "1"],
        cwd=tmp_path,
        env={**os.environ, **PLAIN, "LC_ALL": "C.UTF-8"},
        capture_output=True,
        check=False,
    )
    assert ran.returncode == 0, ran.stderr
    assert rb"\xfcbung" in ran.stdout
    assert (tmp_path / "\u00fcbung" / "PROBLEM.md").is_file()


def test_colours_are_not_asked_of_a_pipe_or_where_they_are_unwanted(tmp_path: Path) -> None:
    """NO_COLOR, and a pipe, keep colours away in UTF-8, too."""
    for own in ({"NO_COLOR": "1"}, {}):
        ran = subprocess.run(
            [sys.executable, "-m", "bugforge", "show", "mask-fill-zero"],
            cwd=tmp_path,
            env={**os.environ, "PYTHONIOENCODING": "utf-8", **own},
            capture_output=True,
            check=True,
        )
        assert b"\x1b" not in ran.stdout


def test_a_console_of_no_width_is_told_all(tmp_path: Path) -> None:
    """Where COLUMNS says 0, what a command says is there, as on a console of few columns."""
    told = {}
    for columns in ("0", "20"):
        ran = subprocess.run(
            [sys.executable, "-m", "bugforge", "tracks"],
            cwd=tmp_path,
            env={**os.environ, "COLUMNS": columns},
            capture_output=True,
            check=True,
        )
        told[columns] = ran.stdout
    assert told["0"] == told["20"] != b""
