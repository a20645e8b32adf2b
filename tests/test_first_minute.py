"""The first minute: what to do next, what is wrong with the set-up, and what a shell completes."""

import io
import json
import os
import subprocess
import sys
import tomllib
import venv
from pathlib import Path

import pytest

from bugforge import doctor
from bugforge.errors import ToolError
from bugforge.nextstep import NEXT
from bugforge.tracks import TRACKS
from bugforge.workspace import open_workspace
from tests.test_cli import TRACEBACK, run

ROOT = Path(__file__).parent.parent
SCRIPT = Path(sys.executable).with_name("bugforge")


@pytest.fixture(scope="module")
def forged(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder that holds a workspace."""
    folder = tmp_path_factory.mktemp("forged")
    assert run("new", "--seed", "4", cwd=folder).returncode == 0
    return folder


def _journal(workspace: Path, *events: dict[str, object]) -> None:
    journal = workspace / ".bugforge" / "journal.jsonl"
    journal.unlink(missing_ok=True)
    for event in events:
        open_workspace(workspace).note(event)


FAILED = {"event": "check", "verdict": "failed"}
PASSED = {"event": "check", "verdict": "passed"}
REVEALED = {"event": "reveal", "bugs": [1, 2, 3, 4], "of": 4}
STARTED = {"event": "start"}


@pytest.mark.parametrize(
    ("events", "words", "offered"),
    [
        ([], "has not been checked yet", "bugforge check"),
        ([STARTED], "have not checked it", "bugforge status"),
        ([STARTED, {"event": "pause"}], "paused", "bugforge resume"),
        ([FAILED], "did not pass", "bugforge reveal"),
        ([FAILED, {"event": "reveal", "bugs": [2], "of": 4}], "did not pass", "bugforge hint"),
        ([PASSED], "has passed", "bugforge report"),
        ([PASSED, {"event": "check", "verdict": "could not tell"}], "did not pass", "symptom"),
        ([FAILED, PASSED], "has passed", "bugforge extend kv-cache"),
        ([FAILED, REVEALED], "have been revealed", "bugforge new FOLDER"),
        ([REVEALED, PASSED], "has passed", "bugforge new FOLDER"),
        ([FAILED, {"event": "something new"}], "did not pass", "bugforge reveal"),
    ],
    ids=str,
)
def test_alone_it_says_what_to_do_next(
    forged: Path, events: list[dict[str, object]], words: str, offered: str
) -> None:
    """What happened last, in the journal, decides what is said, inside a workspace or beside it,
    and what is offered; that one bug of several was revealed does not.
    """
    _journal(forged / "workspace", *events)
    for folder in (forged, forged / "workspace"):
        ran = run(cwd=folder)
        assert ran.returncode == 0
        assert words in ran.stdout
        assert offered in ran.stdout


def test_a_follow_up_that_is_there_is_not_offered(tmp_path: Path) -> None:
    """Behind a pass, what was gone on with already is offered no more; the next follow-up is."""
    for name in ("workspace", "workspace-kv-cache"):
        run("new", name, "--seed", "4", cwd=tmp_path)
    _journal(tmp_path / "workspace", PASSED)
    offered = run(cwd=tmp_path / "workspace").stdout
    assert "bugforge extend" in offered
    assert "extend kv-cache" not in offered


def test_where_there_is_no_workspace_it_says_how_to_forge_one(tmp_path: Path) -> None:
    """Elsewhere, it offers `new`, `tracks` and `quiz`; --help still helps, and changes nothing."""
    told = run(cwd=tmp_path).stdout
    assert all(f"bugforge {command}" in told for command in ("new", "tracks", "quiz"))
    assert "Usage:" in run("--help", cwd=tmp_path).stdout
    assert list(tmp_path.iterdir()) == []


def test_workspaces_of_other_names_are_found(tmp_path: Path) -> None:
    """A workspace beside which one stands is named where a command needs its name; what is lost of
    a damaged journal is told, and a damaged manifest with its mend.
    """
    run("new", "exercise", cwd=tmp_path)
    (tmp_path / "exercise" / ".bugforge" / "journal.jsonl").write_bytes(b"\xff{\n[1]\n")
    ran = run(cwd=tmp_path)
    assert "bugforge check exercise" in ran.stdout
    assert "not been checked" in ran.stdout
    assert "2 lines of .bugforge/journal.jsonl cannot be read" in ran.stdout
    assert "2 lines" in run("status", "exercise", cwd=tmp_path).stdout
    journal = tmp_path / "exercise" / ".bugforge" / "journal.jsonl"
    journal.unlink()
    journal.mkdir()
    assert "no file" in run("status", "exercise", cwd=tmp_path).stderr
    (tmp_path / "exercise" / ".bugforge" / "manifest.json").write_text("{", encoding="utf-8")
    ran = run(cwd=tmp_path)
    assert ran.returncode == 0
    assert "damaged" in ran.stdout


def test_what_a_command_needs_is_named(tmp_path: Path) -> None:
    """A name that a shell would divide is quoted; a key that is kept elsewhere is asked for."""
    run("new", "my exercise", "--key-dir", "keys", cwd=tmp_path)
    assert "bugforge check 'my exercise' --key-dir DIR" in run(cwd=tmp_path).stdout
    assert "bugforge start 'my exercise'  " in run(cwd=tmp_path).stdout


@pytest.mark.parametrize("name", ["workspace", "of-two-words", "of-very-many-words-" * 3])
@pytest.mark.parametrize("where", ["inside", "--key-dir"])
def test_what_is_offered_is_laid_out(name: str, where: str, tmp_path: Path) -> None:
    """At 80 columns what a command does stands beside it or below it, and no word begins a line of
    its own at the margin; a command stays in one line.
    """
    run("new", name, *(["--key-dir", "keys"] if where == "--key-dir" else []), cwd=tmp_path)
    _journal(tmp_path / name, PASSED)
    lines = run(cwd=tmp_path).stdout.splitlines()
    begin, end = lines.index(""), len(lines) - 1 - lines[::-1].index("")
    offered = lines[begin + 1 : end]
    assert sum("bugforge report" in line for line in offered) == 1
    assert all(line.startswith("  ") for line in offered)
    for line in offered:
        assert len(line) <= 80 or line.split("--key-dir")[0].split()[-1].strip("'") == name


def test_what_is_offered_exists(tmp_path: Path) -> None:
    """Every command that is offered in some state is one that Bugforge has, and is told where the
    answer key lies if it can be.
    """
    steps = {step for offered in NEXT.values() for step in offered if step.takes_workspace}
    keyed = {step.command.split()[1] for step in steps if step.takes_key}
    commands = {step.command.split()[1] for offered in NEXT.values() for step in offered}
    workspaces = {step.command.split()[1] for step in steps}
    for command in commands:
        helped = run(command, "--help", cwd=tmp_path)
        assert helped.returncode == 0, command
        assert ("--key-dir" in helped.stdout) == (command in keyed) or command not in workspaces


def test_doctor_finds_all_well_here(tmp_path: Path) -> None:
    """Where tests run, nothing has to be mended; the document and the exit code say so, and
    nothing is left in the folder.
    """
    ran = run("doctor", "--json", cwd=tmp_path)
    document = json.loads(ran.stdout)
    assert ran.returncode == 0, ran.stderr
    assert document["well"] is True
    assert {"torch", "plugins", "this folder"} <= {one["about"] for one in document["findings"]}
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize(
    ("torch", "words"),
    [
        ("raise ImportError('libtorch_cpu.so: cannot open')", "libtorch_cpu.so"),
        ("import os\nos._exit(7)", "ended before its work was done"),
        ("__version__ = '1.0'", "ended before its work was done"),
        ("1 +", "SyntaxError"),
    ],
    ids=["no library", "dies", "is another package", "is damaged"],
)
def test_doctor_tells_of_a_broken_torch(torch: str, words: str, tmp_path: Path) -> None:
    """Whatever is wrong with torch is told with a mend, exit code 1 and no traceback; what else
    can be looked at is looked at.
    """
    venv.create(tmp_path / "env", with_pip=False)
    python = tmp_path / "env" / "bin" / "python"
    (packages,) = (tmp_path / "env").glob("lib/python*/site-packages")
    fake = packages / "torch"
    fake.mkdir()
    (fake / "__init__.py").write_text(torch, encoding="utf-8")
    paths = [path for path in sys.path if path.endswith("site-packages")]
    # Metadata of an editable install is found by the finder that its own .pth file sets up.
    lines = [f"import site; site.addsitedir({path!r})" for path in paths]
    (packages / "all.pth").write_text("\n".join([*lines, str(ROOT)]), encoding="utf-8")
    ran = subprocess.run(
        [python, "-m", "bugforge", "doctor"],
        cwd=tmp_path,
        capture_output=True,
        text=True,
        check=False,
        env={**os.environ, "PYTHONIOENCODING": "ascii", "NO_COLOR": "1"},
    )
    assert TRACEBACK not in ran.stdout + ran.stderr
    assert ran.returncode == 1, ran.stdout + ran.stderr
    told = " ".join(ran.stdout.split())
    assert words in told
    assert f"pip install torch=={doctor.TESTED_TORCH}" in told
    assert "kinds of bugs" in told


@pytest.mark.parametrize(
    ("package", "command"),
    [("libcst", "new"), ("numpy", "check"), ("safetensors", "check")],
)
def test_a_broken_package_is_named(package: str, command: str, tmp_path: Path) -> None:
    """Whatever package cannot be loaded, alone Bugforge says what to do next and doctor looks at
    everything; a command that needs it says so, and sends to doctor.
    """
    fake = tmp_path / "fake"
    fake.mkdir()
    (fake / f"{package}.py").write_text("raise ImportError('is broken')", encoding="utf-8")
    alone = run(cwd=tmp_path, installed=[fake])
    assert (alone.returncode, alone.stderr) == (0, "")
    told = json.loads(run("doctor", "--json", cwd=tmp_path, installed=[fake]).stdout)
    assert {"torch", "console"} <= {one["about"] for one in told["findings"]}
    if command == "check":
        run("new", "workspace", cwd=tmp_path)
    ran = run(command, "workspace", "--json", cwd=tmp_path, installed=[fake])
    assert ran.returncode == ToolError.exit_code
    assert "is broken" in json.loads(ran.stdout)["error"]
    assert "bugforge doctor" in ran.stderr


@pytest.mark.parametrize(
    ("package", "text", "words"),
    [
        ("fsrs", "raise ModuleNotFoundError(\"No module named 'fsrs'\")", "not installed: fsrs"),
        ("watchfiles", "import os\nos._exit(7)", "watchfiles cannot be loaded: exit code 7"),
        ("torchmetrics", "1 +", "torchmetrics cannot be loaded: SyntaxError"),
    ],
    ids=["missing", "dies", "damaged, and needs torch"],
)
def test_doctor_loads_what_it_judges(package: str, text: str, words: str, tmp_path: Path) -> None:
    """A package that cannot be loaded is a fault, whatever is kept of its installation; its mend
    names it, and torch is not blamed. A file beside the learner is no package.
    """
    fake = tmp_path / "fake"
    fake.mkdir()
    (fake / f"{package}.py").write_text(text, encoding="utf-8")
    ran = run("doctor", "--json", cwd=tmp_path, installed=[fake])
    told = json.loads(ran.stdout)["findings"]
    (fault,) = [finding for finding in told if finding["state"] == "fault"]
    assert ran.returncode == 1
    assert words in fault["what"]
    assert fault["mend"].split()[-1] == package
    assert "well" in [one["state"] for one in told if one["about"] == "torch"]
    (tmp_path / "jinja2.py").write_text("1 +", encoding="utf-8")
    ran = subprocess.run([SCRIPT, "doctor"], cwd=tmp_path, capture_output=True, check=False)
    assert ran.returncode == 0, ran.stdout


def test_doctor_looks_at_all_that_is_needed() -> None:
    """The packages that doctor loads, and torch, are those that an installation takes."""
    needed = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))
    names = [words.split(">=")[0] for words in needed["project"]["dependencies"]]
    assert sorted([*doctor.NEEDED, *doctor.NEEDING_TORCH, "torch"]) == sorted(names)


def test_a_folder_that_cannot_be_written_is_a_fault() -> None:
    """A folder without room for a file is named, with what to do."""
    found = doctor.disk("temporary folder", Path("/proc"), "Set TMPDIR to a folder")
    assert found.state == "fault"
    assert "/proc" in found.what
    assert found.mend == "Set TMPDIR to a folder that you may write."


def test_doctor_looks_at_everything_whatever_fails(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    """A look that raises is a fault of its own, and those behind it are made."""
    setting = doctor.Setting(tmp_path, io.TextIOWrapper(io.BytesIO(), encoding="ascii"))

    def broken(_: object) -> None:
        message = "no such library"
        raise OSError(message)

    looks = {"first": broken, "console": doctor.console}
    monkeypatch.setattr(doctor, "LOOKS", looks)
    first, second = doctor.examine(setting)
    assert (first.state, second.state) == ("fault", "mind")
    assert "no such library" in first.what


def test_the_tested_versions_are_those_of_the_constraints() -> None:
    """What doctor calls tested is what constraints.txt names."""
    text = (ROOT / "constraints.txt").read_text(encoding="utf-8")
    assert f"torch=={doctor.TESTED_TORCH}\n" in text


def _completed(words: str, cwd: Path) -> list[str]:
    ran = subprocess.run(
        [SCRIPT],
        cwd=cwd,
        capture_output=True,
        text=True,
        check=False,
        env={
            **os.environ,
            "_BUGFORGE_COMPLETE": "complete_bash",
            "COMP_WORDS": words,
            "COMP_CWORD": str(len(words.split(" ")) - 1),
        },
    )
    assert TRACEBACK not in ran.stdout + ran.stderr
    return ran.stdout.split()


@pytest.mark.parametrize(
    ("words", "expected"),
    [
        ("bugforge show mask-fill-z", ["mask-fill-zero", "mask-fill-zero/zero"]),
        ("bugforge demo mask-fill-zero --form z", ["zero"]),
        ("bugforge demo no-such --form ", []),
        ("bugforge new --kind mask-fill-zero/", ["mask-fill-zero/zero"]),
        ("bugforge new --track kv", ["kv-cache"]),
        ("bugforge new --program na", ["nano"]),
        ("bugforge list --stage emb", ["embedding"]),
        ("bugforge check --feedback fu", ["full"]),
        ("bugforge extend rag", ["ragged"]),
        ("bugforge check exer", ["exercise"]),
        ("bugforge new --track ", [track.name for track in TRACKS]),
        ("bugforge show no-such", []),
    ],
)
def test_a_shell_completes_names(words: str, expected: list[str], tmp_path: Path) -> None:
    """Behind a Tab stand the names that begin as what was typed does, of what there is here; none
    that a shell would divide.
    """
    for name in ("exercise", "exercise two"):
        hidden = tmp_path / name / ".bugforge"
        hidden.mkdir(parents=True)
        (hidden / "manifest.json").write_text("{}", encoding="utf-8")
    assert _completed(words, tmp_path) == expected
