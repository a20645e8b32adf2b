"""A practice through the command: its clock, its runs, what was changed, and beginning anew."""

import json
import os
import shutil
import signal
import subprocess
import sys
import time
from contextlib import suppress
from pathlib import Path
from typing import Any

import psutil
import pytest
from hypothesis import given
from hypothesis import strategies as st

from bugforge.bundle import DamagedError, bundled, unbundled
from bugforge.journal import Journal
from bugforge.output import Output, by_step
from bugforge.snapshot import programs
from tests.test_cli import COMMAND, TRACEBACK, everything, run
from tests.test_clock import ANY_PACE

QUICK = """import sys
print("step    0  loss 3.5000")
print("step  100: loss 0.2500", file=sys.stderr)
print("wanted: a loss of 7")
print("sample: Fog came up")
"""


@pytest.fixture(scope="module")
def forged(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A workspace to be copied and not to be changed."""
    folder = tmp_path_factory.mktemp("forged")
    assert run("new", "--seed", "4", "--runs", "2", cwd=folder).returncode == 0
    return folder / "workspace"


@pytest.fixture
def workspace(forged: Path, tmp_path: Path) -> Path:
    """A copy of that workspace, whose program is another, which ends at once."""
    copied = Path(shutil.copytree(forged, tmp_path / "workspace"))
    (copied / "train.py").write_text(QUICK, encoding="utf-8")
    return copied


def told(*arguments: str, cwd: Path, code: int = 0) -> dict[str, Any]:
    """Run a command, and read its document."""
    ran = run(*arguments, "--json", cwd=cwd)
    assert ran.returncode == code, ran.stderr
    document: dict[str, Any] = json.loads(ran.stdout)
    assert document["schema_version"] == 1
    return document


def test_new_starts_nothing(workspace: Path) -> None:
    """No time passes until the clock is started; then it does, and starting again does nothing."""
    assert told("status", cwd=workspace)["state"] == "not started"
    assert run("pause", cwd=workspace).returncode == 2
    assert told("start", cwd=workspace)["changed"] is True
    again = told("start", cwd=workspace)
    assert (again["state"], again["changed"]) == ("running", False)
    assert again["seconds_used"] > 0
    assert again["seconds_left"] < 3600


def test_a_pause_stops_the_clock(workspace: Path) -> None:
    """Between pause and resume no time is used; pausing twice is no error, and says so."""
    assert told("start", cwd=workspace)["runs_left"] == 2
    paused = told("pause", cwd=workspace)
    assert "already" in run("pause", cwd=workspace).stdout
    assert run("start", cwd=workspace).returncode == 2
    assert told("status", cwd=workspace)["seconds_used"] == paused["seconds_used"]
    assert told("resume", cwd=workspace)["state"] == "running"
    assert told("status", cwd=workspace)["seconds_used"] > paused["seconds_used"]


def test_a_run_is_counted_and_kept(workspace: Path) -> None:
    """The first run starts the clock; a run shows what the program writes, and the journal keeps
    its losses, its sample and the program; more runs than allowed are said, and not refused.
    """
    ran = run("run", cwd=workspace)
    assert ran.returncode == 0, ran.stderr
    assert "sample: Fog came up" in ran.stdout
    assert "step  100: loss 0.2500" in ran.stderr
    assert "1 of 2 used, 1 left" in ran.stdout
    document = told("run", cwd=workspace)
    assert sorted(point["loss"] for point in document["losses"]) == [0.25, 3.5]
    assert document["sample"] == "Fog came up"
    assert "1 over" in run("run", cwd=workspace).stdout
    status = told("status", cwd=workspace)
    assert (status["runs_used"], status["runs_left"]) == (3, -1)
    events = Journal(workspace / ".bugforge" / "journal.jsonl").events()
    assert [event.name for event in events] == ["run", "ran"] * 3
    assert all(program["train.py"] == QUICK.encode() for program in programs(events) if program)
    assert sum("program" in event.fields and bool(event.fields["program"]) for event in events) == 1


def test_a_run_is_what_the_learner_runs(workspace: Path) -> None:
    """The program runs in its own folder, as the main one, on the learner's input; what it leaves
    there stays; and where it fails, so does the run, with 1.
    """
    text = (
        "import os, sys\nopen('left', 'w').write(__name__ + os.getcwd() + input())\nsys.exit(3)\n"
    )
    (workspace / "train.py").write_text(text, encoding="utf-8")
    ran = subprocess.run(
        [*COMMAND, "run", str(workspace)],
        cwd=workspace.parent,
        input="typed\n",
        capture_output=True,
        text=True,
        check=False,
    )
    assert ran.returncode == 1, ran.stderr
    assert "exit code 3" in ran.stdout
    assert (workspace / "left").read_text() == f"__main__{workspace.resolve()}typed"


def test_nothing_to_run_is_told(workspace: Path) -> None:
    """Where there is no train.py the run says what there is, counts nothing, and takes a name."""
    (workspace / "train.py").rename(workspace / "other.py")
    ran = run("run", cwd=workspace)
    assert ran.returncode == 2
    assert "--script FILE" in ran.stderr
    assert "other.py" in ran.stderr
    assert run("run", "--script", "../outside.py", cwd=workspace).returncode == 2
    assert told("status", cwd=workspace)["runs_used"] == 0
    assert told("run", "--script", "other.py", cwd=workspace)["script"] == "other.py"


def test_an_interrupted_run_counts(workspace: Path) -> None:
    """Ctrl-C reaches the program, exits 130, and what was written until then is kept."""
    text = "import time\nprint('step 1 loss 2.5', flush=True)\ntime.sleep(600)\n"
    (workspace / "train.py").write_text(text, encoding="utf-8")
    process = subprocess.Popen(
        [*COMMAND, "run"],
        cwd=workspace,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        start_new_session=True,
        preexec_fn=lambda: signal.signal(signal.SIGINT, signal.SIG_DFL),  # noqa: PLW1509
    )
    assert process.stdout is not None
    assert process.stdout.readline() == "step 1 loss 2.5\n"
    os.killpg(process.pid, signal.SIGINT)
    out, _ = process.communicate(timeout=60)
    assert process.returncode == 130
    assert "the run counts" in out
    event = told("status", cwd=workspace)["events"][-1]
    assert (event["run"], event["result"], event["final_loss"]) == (1, "interrupted", 2.5)


@pytest.mark.parametrize(
    ("number", "code"),
    [(signal.SIGTERM, 128 + signal.SIGTERM), (signal.SIGKILL, -signal.SIGKILL)],
)
def test_a_run_that_is_cut_off_counts(workspace: Path, number: int, code: int) -> None:
    """Where the command itself is ended, or killed, the program does, too, and the run counts."""
    text = "import os, time\nprint(os.getpid(), flush=True)\ntime.sleep(600)\n"
    (workspace / "train.py").write_text(text, encoding="utf-8")
    process = subprocess.Popen([*COMMAND, "run"], cwd=workspace, stdout=subprocess.PIPE, text=True)
    assert process.stdout is not None
    program = int(process.stdout.readline())
    process.send_signal(number)
    assert process.wait(timeout=60) == code
    process.stdout.close()
    for _ in range(100):
        if not _runs(program):
            break
        time.sleep(0.1)
    assert not _runs(program)
    assert told("status", cwd=workspace)["events"][-1]["result"] == "begun"


def _runs(pid: int) -> bool:
    """Whether a process has not ended; one that nobody has asked after yet has."""
    with suppress(psutil.NoSuchProcess):
        return psutil.Process(pid).status() != psutil.STATUS_ZOMBIE
    return False


def test_what_a_program_leaves_running_holds_nothing_up(workspace: Path) -> None:
    """A run ends with its program, even where a process that it started still holds its output."""
    text = "import os\nif os.fork():\n    print('loss 1.0')\nelse:\n    os.system('sleep 20')\n"
    (workspace / "train.py").write_text(text, encoding="utf-8")
    ran = told("run", cwd=workspace)
    assert ran["losses"] == [{"step": 0, "loss": 1.0}]
    assert ran["seconds"] < 20


def test_a_slow_workspace_waits(tmp_path: Path) -> None:
    """With --slow a run says that it waits, and does; no limits are said to be none."""
    made = told("new", "--slow", "1", "--minutes", "0", "--runs", "0", cwd=tmp_path)
    assert (made["slow"], made["minutes"], made["runs"]) == (1, 0, 0)
    workspace = tmp_path / "workspace"
    assert "0 minutes" not in (workspace / "PROBLEM.md").read_text()
    (workspace / "train.py").write_text("", encoding="utf-8")
    ran = run("run", cwd=workspace)
    assert "Waiting 1 second" in ran.stderr
    assert ran.stdout.count("there is no limit") == 2
    status = told("status", cwd=workspace)
    assert (status["seconds_left"], status["runs_left"]) == (None, None)
    assert status["events"][1]["seconds_used"] >= 1


def test_a_reset_keeps_the_attempt_aside(forged: Path, workspace: Path) -> None:
    """Put back, a workspace is as it was forged, byte for byte; all that lay there lies aside, each
    attempt in a folder of its own; and the journal goes on.
    """
    (workspace / "notes").mkdir()
    (workspace / "notes" / "mine.bin").write_bytes(b"\0mine")
    (workspace / "model.py").unlink()
    (workspace / "model.py").symlink_to(workspace / "train.py")
    told("start", cwd=workspace)
    done = told("reset", cwd=workspace)
    aside = Path(done["aside"])
    kept = everything(aside)
    assert kept["notes/mine.bin"] == b"\0mine"
    assert kept["train.py"] == kept["model.py"] == QUICK.encode()
    assert aside.is_relative_to(workspace / ".bugforge")
    shutil.copytree(aside.parent, workspace.parent / "attempts")
    shutil.rmtree(aside.parent)
    assert everything(workspace) == everything(forged)
    assert not (workspace / "model.py").is_symlink()
    assert not (workspace / "notes").exists()
    shutil.move(workspace.parent / "attempts", aside.parent)
    assert told("reset", cwd=workspace)["aside"] is None
    (workspace / "train.py").write_text("again", encoding="utf-8")
    assert Path(told("reset", cwd=workspace)["aside"]) == aside.with_name("2")
    assert everything(aside) == kept
    names = [event["event"] for event in told("status", cwd=workspace)["events"]]
    assert names == ["start", "reset", "reset"]


def test_a_reset_of_nothing_changes_nothing(forged: Path, tmp_path: Path) -> None:
    """A workspace that is as it was forged stays so, byte for byte, with its journal, and that is
    said; only a practice that has ended begins anew, once.
    """
    workspace = Path(shutil.copytree(forged, tmp_path / "workspace"))
    journal = workspace / ".bugforge" / "journal.jsonl"
    assert "nothing to put back" in run("reset", cwd=workspace).stdout
    assert not journal.exists()
    told("start", cwd=workspace)
    before = journal.read_bytes()
    assert told("reset", cwd=workspace)["state"] == "running"
    assert journal.read_bytes() == before
    told("reveal", cwd=workspace)
    assert "begins anew" in run("reset", cwd=workspace).stdout
    before = journal.read_bytes()
    assert "nothing to put back" in run("reset", cwd=workspace).stdout
    assert (told("status", cwd=workspace)["round"], journal.read_bytes()) == (2, before)
    assert everything(workspace) == everything(forged)


def test_a_reveal_ends_a_practice_and_a_reset_begins_anew(workspace: Path) -> None:
    """One bug revealed of several leaves the clock running; all of them stop it; a reset sets time
    and runs to nothing, and the next run counts as the first.
    """
    told("run", cwd=workspace)
    told("reveal", "--bug", "1", cwd=workspace)
    assert told("status", cwd=workspace)["state"] == "running"
    told("reveal", cwd=workspace)
    ended = told("status", cwd=workspace)
    assert ended["state"] == "revealed"
    assert told("run", cwd=workspace)["seconds_used"] == ended["seconds_used"]
    assert run("resume", cwd=workspace).returncode == 2
    again = told("reset", cwd=workspace)
    assert (again["state"], again["round"], again["seconds_used"]) == ("not started", 2, 0)
    (workspace / "train.py").write_text(QUICK, encoding="utf-8")
    assert told("run", cwd=workspace)["runs_used"] == 1


def test_a_check_spends_a_run(workspace: Path) -> None:
    """Once the clock runs, a check is counted, and says what is left; before, it is not."""
    (workspace / "model.py").write_text("", encoding="utf-8")  # nothing to train: quick
    assert "Runs:" not in run("check", cwd=workspace).stdout
    told("start", cwd=workspace)
    assert "1 of 2 used, 1 left" in run("check", cwd=workspace).stdout
    events = told("status", cwd=workspace)["events"]
    assert [(event["event"], event["run"]) for event in events] == [
        ("check", None),
        ("start", None),
        ("check", 1),
    ]


def test_a_diff_makes_the_change_again(forged: Path, workspace: Path, tmp_path: Path) -> None:
    """What `diff` prints into a pipe turns, by `patch`, what was forged into what lies there."""
    (workspace / "added.py").write_text("without an end", encoding="utf-8")
    (workspace / "ANALYSIS.md").write_bytes(b"other\r\nends\x0c of lines\n")
    (workspace / "model.py").unlink()
    ran = run("diff", cwd=workspace)
    assert ran.returncode == 0
    assert "\x1b" not in ran.stdout
    files = {change["file"]: change["status"] for change in told("diff", cwd=workspace)["files"]}
    assert files == {
        "ANALYSIS.md": "changed",
        "added.py": "added",
        "model.py": "removed",
        "train.py": "changed",
    }
    if shutil.which("git"):
        copied = Path(shutil.copytree(forged, tmp_path / "again"))
        raw = subprocess.run(
            [*COMMAND, "diff"], cwd=workspace, capture_output=True, check=True
        ).stdout
        environment = {**os.environ, "GIT_CEILING_DIRECTORIES": str(tmp_path)}
        command = ["git", "apply", "-"]
        subprocess.run(command, cwd=copied, input=raw, check=True, env=environment)
        assert everything(copied) == everything(workspace)


def test_nothing_changed_is_an_empty_diff(forged: Path) -> None:
    """An untouched workspace has no difference to show."""
    assert run("diff", cwd=forged).stdout == ""
    assert "Nothing is changed yet" in run("status", cwd=forged).stdout


@pytest.mark.parametrize("how", ["gone", "cut", "outside"])
def test_a_lost_original_is_told(workspace: Path, how: str) -> None:
    """Without what was forged, diff and reset say so and change nothing; status still tells."""
    original = workspace / ".bugforge" / "forged.zip"
    match how:
        case "gone":
            original.unlink()
        case "cut":
            original.write_bytes(original.read_bytes()[:-9])
        case "outside":
            original.write_bytes(bundled({"../outside.py": "x"}))
    before = everything(workspace)
    for command in ("diff", "reset"):
        ran = run(command, cwd=workspace)
        assert ran.returncode == 2
        assert "forged.zip" in ran.stderr
    assert told("status", cwd=workspace)["changed"] is None
    assert everything(workspace) == before
    assert not (workspace.parent / "outside.py").exists()


def test_a_torn_journal_is_no_obstacle(workspace: Path) -> None:
    """A line that a crash has cut short is passed over, and told; nothing else is lost."""
    told("start", cwd=workspace)
    with (workspace / ".bugforge" / "journal.jsonl").open("ab") as journal:
        journal.write(b'{"event": "pau')
    assert told("run", cwd=workspace)["runs_used"] == 1
    status = told("status", cwd=workspace)
    assert (status["state"], status["unreadable"]) == ("running", 1)


def test_a_missing_workspace_is_told(tmp_path: Path) -> None:
    """Every command of a practice tells of a missing workspace as others do."""
    for command in ("start", "run", "status", "pause", "resume", "diff", "reset"):
        ran = run(command, "nowhere", cwd=tmp_path)
        assert ran.returncode == 2
        assert "There is no workspace" in ran.stderr
        assert TRACEBACK not in ran.stderr


@pytest.mark.parametrize(
    ("line", "losses"),
    [
        ("step  450  loss 0.0074  held out 2.3", [(450, 0.0074)]),
        ("iter 10: loss=nan", None),
        ("train_loss: 1e-3 val_loss 3.0", [(0, 0.001)]),
        ("val loss 1.0", []),
        ("Loss (train) 1.25", [(0, 1.25)]),
        ("epoch 3/10, loss: tensor(0.5, grad_fn=<X>)", [(3, 0.5)]),
        ("\x1b[1mloss\x1b[0m 2", [(0, 2.0)]),
        ("wanted: a loss of 3 pens, a loss 4", []),
        ("lossless 3", []),
        ("loss 3.2.1", []),
    ],
)
def test_losses_are_read_however_they_are_written(
    line: str, losses: list[tuple[int, float]] | None
) -> None:
    """The first number behind "loss" is one, unless it is of held-out data; "nan" is one, too."""
    output = Output()
    output.read(line[:7])
    output.read(line[7:])
    output.end()
    if losses is None:
        assert [(step, str(loss)) for step, loss in output.losses] == [(10, "nan")]
    else:
        assert output.losses == losses


@ANY_PACE
@given(st.text(), st.integers(0, 100))
def test_any_output_can_be_read(text: str, cut: int) -> None:
    """Whatever a program writes, and wherever it is cut, it is read to the same end."""
    whole, parts = Output(), Output()
    whole.read(text)
    parts.read(text[:cut])
    parts.read(text[cut:])
    whole.end()
    parts.end()
    assert repr(whole) == repr(parts)


@ANY_PACE
@given(st.lists(st.tuples(st.integers(0, 300), st.floats(0, 9)), max_size=8))
def test_a_curve_ends_where_the_losses_do(points: list[tuple[int, float]]) -> None:
    """Drawn by step, a curve has every step once and ends at the last loss."""
    steps = [step for step, _ in points]
    drawn = by_step(points)
    assert drawn[-1:] == [loss for _, loss in points[-1:]]
    if steps and steps == sorted(set(steps)):
        assert len(drawn) == max(steps[-1], len(steps))
    else:
        assert drawn == [loss for _, loss in points]


@ANY_PACE
@given(st.dictionaries(st.from_regex(r"[a-z]{1,5}(/[a-z]{1,5})?\.py", fullmatch=True), st.binary()))
def test_a_bundle_gives_back_what_it_was_given(files: dict[str, bytes]) -> None:
    """Files come out of a bundle as they went in, and the same files make the same bundle."""
    data = bundled(files)
    assert unbundled(data) == files
    assert bundled(dict(reversed(files.items()))) == data


@ANY_PACE
@given(st.binary(max_size=200))
def test_noise_is_no_bundle(data: bytes) -> None:
    """Bytes that are no bundle are refused, and nothing else happens."""
    with pytest.raises(DamagedError):
        unbundled(data)


def test_a_run_takes_the_python_of_the_command(workspace: Path) -> None:
    """The program runs under the Python that runs Bugforge, which has torch."""
    (workspace / "train.py").write_text("import sys\nprint('sample:', sys.executable)\n")
    assert told("run", cwd=workspace)["sample"] == sys.executable
