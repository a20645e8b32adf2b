"""The installed command, run as a user runs it: words, exit codes and what it leaves on disk."""

import base64
import hashlib
import json
import os
import shutil
import signal
import subprocess
import sys
import time
import zlib
from collections.abc import Iterable
from dataclasses import replace
from pathlib import Path

import pytest

from bugforge.answers import SCHEMA, seal, unseal

COMMAND = [sys.executable, "-m", "bugforge"]
SEED = "4"
TRACEBACK = "Traceback (most recent call last)"


def run(
    *arguments: str, cwd: Path, installed: Iterable[Path] = (), seconds: float = 300
) -> "subprocess.CompletedProcess[str]":
    """Run a command; whatever happens, it shows no traceback.

    installed: folders that plugins are installed in.
    """
    ran = subprocess.run(
        [*COMMAND, *arguments],
        cwd=cwd,
        env={**os.environ, "PYTHONPATH": os.pathsep.join(map(str, installed))},
        capture_output=True,
        text=True,
        check=False,
        timeout=seconds,
    )
    assert TRACEBACK not in ran.stdout + ran.stderr
    return ran


@pytest.fixture(scope="module")
def forged(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A workspace with four bugs, to be copied and not to be changed."""
    folder = tmp_path_factory.mktemp("forged")
    assert run("new", "--seed", SEED, cwd=folder).returncode == 0
    return folder / "workspace"


@pytest.fixture
def workspace(forged: Path, tmp_path: Path) -> Path:
    """A copy of that workspace."""
    return Path(shutil.copytree(forged, tmp_path / "workspace"))


def everything(folder: Path) -> dict[str, bytes]:
    """Every file under a folder, by its path, the journal aside."""
    return {
        str(path.relative_to(folder)): path.read_bytes()
        for path in sorted(folder.rglob("*"))
        if path.is_file() and path.name != "journal.jsonl"
    }


def test_the_way_of_one_learner(workspace: Path) -> None:
    """Forged, a workspace fails; mended by its key, it passes; and checking changes no file."""
    before = everything(workspace)
    failing = run("check", "--feedback", "full", cwd=workspace)
    assert failing.returncode == 1, failing.stderr
    assert everything(workspace) == before
    revealed = run("reveal", "--apply", cwd=workspace)
    assert revealed.returncode == 0, revealed.stderr
    passing = run("check", "--json", cwd=workspace)
    assert passing.returncode == 0, passing.stdout
    document = json.loads(passing.stdout)
    assert document["schema_version"] == 1
    assert document["verdict"] == "passed"
    assert all(training["exact"] for training in document["runs"])
    journal = (workspace / ".bugforge" / "journal.jsonl").read_text().splitlines()
    events = [json.loads(line) for line in journal]
    assert [event["event"] for event in events] == ["check", "reveal", "check"]
    assert [events[0]["verdict"], events[2]["verdict"]] == ["failed", "passed"]


def test_feedback_says_no_more_than_asked(workspace: Path) -> None:
    """Each level of feedback adds its own to the document, and the lower ones lack it."""
    (workspace / "model.py").write_text("", encoding="utf-8")  # nothing to train: quick
    told = {}
    for feedback in ("verdict", "symptom", "component", "full"):
        ran = run("check", "--json", "--feedback", feedback, cwd=workspace)
        assert ran.returncode == 1
        told[feedback] = json.loads(ran.stdout)
    assert "broken" not in told["verdict"]
    assert set(told["symptom"]["broken"][0]) == {"law"}
    assert "stage" in told["component"]["broken"][0]
    assert "bugs" not in told["component"]
    assert [bug["number"] for bug in told["full"]["bugs"]] == [1, 2, 3, 4]
    assert {bug["state"] for bug in told["full"]["bugs"]} == {"could not tell"}


def test_the_same_seed_gives_the_same_workspace(forged: Path, tmp_path: Path) -> None:
    """Seed, options and version determine every byte."""
    assert run("new", "again", "--seed", SEED, cwd=tmp_path).returncode == 0
    assert everything(tmp_path / "again") == everything(forged)


def test_nothing_readable_gives_a_bug_away(forged: Path) -> None:
    """No file of a workspace names a kind, a class, or a line that is not in the program."""
    key = unseal((forged / ".bugforge" / "key").read_text(), "key")
    hidden = {
        name: data for name, data in everything(forged).items() if name.startswith(".bugforge")
    }
    for bug in key.bugs:
        assert not any(bug.kind.encode() in data for data in everything(forged).values())
        for edit in bug.edits:
            lines = [line.strip().encode() for line in (*edit.old, *edit.new) if line.strip()]
            assert not any(line in data for line in lines for data in hidden.values())


def test_a_key_kept_elsewhere(tmp_path: Path) -> None:
    """With --key-dir neither key nor seed is in the workspace, and check asks for the key."""
    made = run("new", "--seed", "secret", "--key-dir", "keys", "--json", cwd=tmp_path)
    document = json.loads(made.stdout)
    assert Path(document["key"]).is_file()
    files = everything(tmp_path / "workspace")
    assert not any(b"secret" in data for data in files.values())
    assert ".bugforge/key" not in files
    missing = run("check", cwd=tmp_path)
    assert missing.returncode == 2
    assert "--key-dir" in missing.stderr
    assert run("reveal", "--key-dir", "keys", cwd=tmp_path).returncode == 0


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (["check", "nowhere"], "There is no workspace"),
        (["check", "."], "not a Bugforge workspace"),
        (["reveal", "nowhere"], "There is no workspace"),
        (["show", "mask-fil-zero"], "Did you mean mask-fill-zero?"),
        (["show", "Mask-Fill-Zero"], "Did you mean mask-fill-zero?"),
        (["quiz", "--question", "Why-cash"], "Did you mean why-cache?"),
        (["new", "--kind", "mask-fil-zero"], "Did you mean mask-fill-zero?"),
        (["new", "--stage", "atention"], "Did you mean attention?"),
        (["new", "--stage", "cache"], "--track kv-cache"),
        (["new", "--stage", "classifier"], "--track token-classifier"),
        (["new", "--track", "kv-cache", "--stage", "data"], "has no bugs of the stage data"),
        (["new", "--difficulty", "hrd"], "Did you mean hard?"),
        (["new", "--track", "clasic"], "Did you mean classic?"),
        (["list", "--stage", "atention"], "Did you mean attention?"),
        (["list", "--shows", "leek"], "Did you mean leak?"),
        (["list", "--origin", "nobody"], "It is one of bugforge"),
        (["list", "--rewrites", "--stage", "data"], "Leave one of them out"),
        (["list", "--docs"], "`bugforge list --help`"),
        (["quiz", "--question", "scale", "--topic", "caches"], "Leave one of them out"),
        (["quiz", "--topic", "caches", "--before", "matmul"], "on caches"),
        (["quiz", "--question", "scale", "--answer", "1e999"], "Answer with a number"),
        (["new", "--bugs", "7"], "--bugs"),
        (["new", "--stage", "optim", "--bugs", "3"], "Ask for --bugs 1"),
        (["new", "--kind", "shift-none", "--kind", "shift-double"], "cannot stand together"),
        (["nwe"], "nwe"),
        (["check", "--time-limit", "nan"], "no time that ends"),
        (["new", ""], "An argument is empty"),
        (["list", "--docs", ""], "An argument is empty"),
        (["check", "--feedback", "ful"], "Did you mean full?"),
    ],
    ids=" ".join,
)
def test_wrong_usage_is_named_and_mended(arguments: list[str], words: str, tmp_path: Path) -> None:
    """Wrong usage exits 2 with at most three lines that hold the mend, and makes nothing."""
    ran = run(*arguments, cwd=tmp_path)
    assert ran.returncode == 2
    assert words in ran.stderr
    assert len(ran.stderr.splitlines()) <= 3
    assert list(tmp_path.iterdir()) == []


def test_a_group_of_commands_shows_its_help(tmp_path: Path) -> None:
    """`dev` alone is answered by its help, and by no error that says nothing."""
    ran = run("dev", cwd=tmp_path)
    assert "Scaffold a plugin" in ran.stdout
    assert ran.stderr == ""


@pytest.mark.parametrize("arguments", [[], ["new"], ["check"], ["status", "--json"]], ids=" ".join)
def test_a_folder_that_is_gone_is_told(arguments: list[str], tmp_path: Path) -> None:
    """In a folder that was taken away, the mend is said, and it is no fault of Bugforge's."""
    gone = tmp_path / "gone"
    gone.mkdir()
    script = (
        f"rmdir {gone}; exec {Path(sys.executable).with_name('bugforge')} {' '.join(arguments)}"
    )
    ran = subprocess.run(
        ["bash", "-c", script], cwd=gone, capture_output=True, text=True, check=False
    )
    assert TRACEBACK not in ran.stderr
    assert ran.returncode == 2, ran.stderr
    assert "cd FOLDER" in ran.stderr or "There is no workspace" in ran.stderr


def test_new_replaces_nothing_but_a_workspace(workspace: Path) -> None:
    """A folder with something in it is refused, and one named that is free; --force replaces only a
    workspace, whole, and keeps the learner's files, but nothing that was hidden.
    """
    parent = workspace.parent
    (workspace / "mine.txt").write_text("mine", encoding="utf-8")
    refused = run("new", cwd=parent)
    assert refused.returncode == 2
    assert "workspace-2" in refused.stderr
    other = parent / "other"
    other.mkdir()
    (other / "mine.txt").write_text("mine", encoding="utf-8")
    assert run("new", "other", "--force", cwd=parent).returncode == 2
    assert run("new", "other/mine.txt", cwd=parent).returncode == 2
    assert everything(other) == {"mine.txt": b"mine"}
    forced = run("new", "--force", cwd=parent)
    assert forced.returncode == 0
    assert not (workspace / "mine.txt").exists()
    assert sorted(path.name for path in parent.iterdir()) == ["other", "workspace"]
    kept = workspace / ".bugforge" / "attempts" / "1"
    assert str(kept.relative_to(parent)) in forced.stdout
    assert (kept / "mine.txt").read_text(encoding="utf-8") == "mine"
    assert not (kept / ".bugforge").exists()


def test_a_link_to_a_workspace_stays_one(workspace: Path) -> None:
    """--force through a link replaces the workspace that it leads to, and not the link."""
    link = workspace.parent / "link"
    link.symlink_to(workspace)
    assert run("new", "link", "--force", "--seed", "other", cwd=workspace.parent).returncode == 0
    assert link.is_symlink()
    manifest = json.loads((workspace / ".bugforge" / "manifest.json").read_text())
    assert manifest == json.loads((link / ".bugforge" / "manifest.json").read_text())
    assert sorted(path.name for path in workspace.parent.iterdir()) == ["link", "workspace"]


def test_new_inside_a_workspace_needs_a_place_outside(workspace: Path) -> None:
    """Inside a workspace, `new` wants an explicit path, and not one inside."""
    assert run("new", cwd=workspace).returncode == 2
    assert run("new", "inner", cwd=workspace).returncode == 2
    assert run("new", "../another", cwd=workspace).returncode == 0


def test_new_fills_an_empty_folder(tmp_path: Path) -> None:
    """An empty folder, even the one a shell stands in, becomes the workspace."""
    empty = tmp_path / "empty"
    empty.mkdir()
    assert run("new", ".", cwd=empty).returncode == 0
    assert (empty / ".bugforge" / "manifest.json").is_file()
    assert list(tmp_path.iterdir()) == [empty]


def _spoilt_manifest(text: str, how: str) -> str | None:
    """Spoil a manifest; None where it is to be gone."""
    return {
        "no manifest": None,
        "spoilt manifest": "{",
        "newer": json.dumps({**json.loads(text), "schema": 99, "version": "99.1"}),
    }.get(how, text)


def _spoilt_key(text: str, how: str) -> str | None:
    """Spoil an answer key; None where it is to be gone."""
    packed = zlib.compress(json.dumps({"bugs": [{"luck": 1}]}).encode())
    body, digest = base64.b85encode(packed).decode(), hashlib.sha256(packed).hexdigest()
    return {
        "no key": None,
        "key cut short": text[:500],
        "key altered": text.replace("a", "b", 1),
        "key of other fields": f"bugforge-key {SCHEMA} {digest}\n{body}\n",
        "newer key": text.replace(f"key {SCHEMA}", "key 99", 1),
        "older key": text.replace(f"key {SCHEMA}", "key 1", 1),
        "key of binary": "\xff\x00",
        "another key": seal(replace(unseal(text, "key"), id="another")),
    }.get(how, text)


def _broken(workspace: Path, how: str) -> None:
    for name, spoilt in (("manifest.json", _spoilt_manifest), ("key", _spoilt_key)):
        path = workspace / ".bugforge" / name
        text = spoilt(path.read_text(), how)
        if text is None:
            path.unlink()
        else:
            path.write_text(text, encoding="latin-1")


@pytest.mark.parametrize(
    ("how", "words"),
    [
        ("no manifest", "lost its manifest"),
        ("spoilt manifest", "damaged"),
        ("newer", "99.1"),
        ("no key", "no answer key"),
        ("key cut short", "damaged"),
        ("key altered", "damaged"),
        ("key of other fields", "damaged"),
        ("newer key", "newer Bugforge"),
        ("older key", "older Bugforge"),
        ("key of binary", "damaged"),
        ("another key", "another workspace"),
    ],
)
def test_an_unusable_workspace_is_refused(workspace: Path, how: str, words: str) -> None:
    """What is missing or spoilt of Bugforge's own is named, with exit code 2."""
    _broken(workspace, how)
    for command in ("check", "reveal"):
        ran = run(command, str(workspace), cwd=workspace.parent)
        assert ran.returncode == 2, ran.stderr
        assert words in ran.stderr


def _tampered(workspace: Path, other: Path, how: str) -> None:
    """Change what Bugforge keeps in a workspace so that a program with bugs might pass."""
    hidden = workspace / ".bugforge"
    manifest, key = hidden / "manifest.json", hidden / "key"
    held = unseal(key.read_text(), "key")
    match how:
        case "bugs called correct":
            key.write_text(seal(replace(held, pristine=held.forged)))
        case "no bugs":
            key.write_text(seal(replace(held, pristine=held.forged, bugs=())))
        case "another seed":
            key.write_text(seal(replace(held, seed="5", options={**held.options, "seed": "5"})))
        case "other ways":
            key.write_text(seal(replace(held, pristine=held.forged, ways=())))
        case "ways from elsewhere":
            key.write_text(seal(replace(held, pristine=held.forged, ways=("nobodys/way",))))
        case "track of no forge":
            key.write_text(seal(replace(held, track="luck")))
        case "another version":
            key.write_text(seal(replace(held, pristine=held.forged, version="0.0.1")))
        case "another's key":
            key.write_text((other / ".bugforge" / "key").read_text())
        case "another's manifest and key":
            key.write_text((other / ".bugforge" / "key").read_text())
            manifest.write_text((other / ".bugforge" / "manifest.json").read_text())


@pytest.mark.parametrize(
    ("how", "code"),
    [
        ("bugs called correct", 2),
        ("no bugs", 2),
        ("another seed", 1),
        ("other ways", 2),
        ("ways from elsewhere", 2),
        ("track of no forge", 2),
        ("another version", 2),
        ("another's key", 2),
        ("another's manifest and key", 1),
    ],
)
def test_no_edit_of_what_is_hidden_passes(
    workspace: Path, tmp_path: Path, how: str, code: int
) -> None:
    """A program with bugs passes by no change of manifest or key: a key's program must be a correct
    one, written in the ways that it names, and the bugs are then found.
    """
    other = tmp_path / "other"
    assert run("new", str(other), "--bugs", "1", "--seed", "9", cwd=tmp_path).returncode == 0
    _tampered(workspace, other, how)
    assert run("check", str(workspace), cwd=tmp_path).returncode == code


@pytest.mark.skipif(
    not Path("/proc/self").exists(), reason="needs a folder that even root can't write"
)
def test_a_folder_that_cannot_be_written(tmp_path: Path) -> None:
    """Where nothing can be written, `new` says so and exits 2."""
    for options in ([], ["--key-dir", "/proc/keys"]):
        target = str(tmp_path / "workspace") if options else "/proc/workspace"
        ran = run("new", target, *options, cwd=tmp_path)
        assert ran.returncode == 2
        assert "cannot be written" in ran.stderr
        assert list(tmp_path.iterdir()) == []


def test_a_full_disk_leaves_nothing_half_written(tmp_path: Path) -> None:
    """Where a file cannot be written to its end, `new` says so, exits 2 and leaves nothing."""
    ran = subprocess.run(
        ["bash", "-c", 'ulimit -f 2; exec "$@"', "bash", *COMMAND, "new"],
        cwd=tmp_path,
        capture_output=True,
        text=True,
        check=False,
    )
    assert ran.returncode == 2, ran.stderr
    assert TRACEBACK not in ran.stderr
    assert list(tmp_path.iterdir()) == []


def test_an_interrupted_check_leaves_nothing(workspace: Path) -> None:
    """Ctrl-C exits 130, ends every process, and leaves the workspace as it was."""
    before = everything(workspace)
    process = subprocess.Popen(
        [*COMMAND, "check", str(workspace)],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        start_new_session=True,
        # Whoever runs the tests in the background has had interrupts ignored, and passes it on.
        preexec_fn=lambda: signal.signal(signal.SIGINT, signal.SIG_DFL),  # noqa: PLW1509
    )
    assert process.stderr is not None
    assert process.stderr.readline()  # it has begun
    time.sleep(0.5)
    children = subprocess.run(
        ["ps", "-o", "pid=", "--ppid", str(process.pid)],
        capture_output=True,
        text=True,
        check=False,
    ).stdout.split()
    os.killpg(process.pid, signal.SIGINT)
    out, err = process.communicate(timeout=30)
    assert process.returncode == 130, err
    assert TRACEBACK not in out + err
    assert everything(workspace) == before
    assert not [pid for pid in children if Path(f"/proc/{pid}").exists()]


def test_an_interrupt_while_loading_is_told(tmp_path: Path) -> None:
    """Ctrl-C before anything is loaded ends the command with 130, and no traceback."""
    (tmp_path / "typer.py").write_text("raise KeyboardInterrupt", encoding="utf-8")
    ran = run("list", cwd=tmp_path)
    assert ran.returncode == 130
    assert "Interrupted" in ran.stderr


def test_no_command_imports_torch(workspace: Path) -> None:
    """Nothing in the command's own process loads torch, whatever it is asked."""
    program = (
        "import sys, bugforge.cli as cli\n"
        "try:\n    cli.main()\nexcept SystemExit: pass\n"
        "assert 'torch' not in sys.modules\nprint('without torch')"
    )
    for arguments in (["new", "../w"], ["list"], ["show", "mask-fill-zero"], ["reveal"]):
        ran = subprocess.run(
            [sys.executable, "-c", program, *arguments],
            cwd=workspace,
            capture_output=True,
            text=True,
            check=True,
        )
        assert ran.stdout.endswith("without torch\n")


def test_reveal_tells_of_one_bug(workspace: Path) -> None:
    """`reveal --bug K` tells of that bug alone; a number that is not there is refused."""
    ran = run("reveal", "--bug", "2", "--json", cwd=workspace)
    assert [bug["number"] for bug in json.loads(ran.stdout)["bugs"]] == [2]
    assert run("reveal", "--bug", "9", cwd=workspace).returncode == 2


def test_apply_leaves_a_changed_place_alone(workspace: Path) -> None:
    """Where the learner has rewritten a bug's place, --apply says so, exits 1 and leaves it."""
    (workspace / "model.py").write_text("x = 1\n", encoding="utf-8")
    (workspace / "train.py").write_text("y = 1\n", encoding="utf-8")
    before = everything(workspace)
    ran = run("reveal", "--apply", cwd=workspace)
    assert ran.returncode == 1
    assert "Left alone" in ran.stdout
    assert everything(workspace) == before


def test_list_and_show_read_well(tmp_path: Path) -> None:
    """`list` names every kind within 80 columns; `show` has each section of the page."""
    listed = run("list", cwd=tmp_path)
    assert all(len(line) <= 80 for line in listed.stdout.splitlines())
    kinds = json.loads(run("list", "--json", cwd=tmp_path).stdout)["kinds"]
    assert all(kind["id"] in listed.stdout for kind in kinds)
    shown = run("show", "mask-fill-zero", cwd=tmp_path).stdout
    for section in ("What it does", "Why it is wrong", "How it shows", "How to find it"):
        assert section in shown
    assert shown.isascii()


def test_show_of_one_form(tmp_path: Path) -> None:
    """`show KIND/FORM` has that form, no other, and the experiment that exposes it; a form that is
    not there is answered with those that are.
    """
    told = {
        name: json.loads(run("show", f"xy-misaligned{name}", "--json", cwd=tmp_path).stdout)
        for name in ("", "/drawn-twice")
    }
    forms = [form["name"] for form in told[""]["forms"]]
    assert [form["name"] for form in told["/drawn-twice"]["forms"]] == ["drawn-twice"]
    assert told[""]["experiment"] != told["/drawn-twice"]["experiment"]
    page = run("show", "xy-misaligned/drawn-twice", cwd=tmp_path).stdout
    assert [name for name in forms if f"Form: {name}\n" in page] == ["drawn-twice"]
    assert "bugforge demo xy-misaligned --form drawn-twice" in page
    wrong = run("show", "xy-misaligned/drawn-thrice", cwd=tmp_path)
    assert wrong.returncode == 2
    assert "Did you mean drawn-twice?" in wrong.stderr


def test_list_of_some(tmp_path: Path) -> None:
    """`list` with qualities names the kinds that have all of them, and no other."""
    every = json.loads(run("list", "--json", cwd=tmp_path).stdout)["kinds"]
    some = run("list", "--stage", "attention", "--shows", "leak", "--json", cwd=tmp_path)
    wanted = [k for k in every if (k["stage"], k["visibility"]) == ("attention", "leak")]
    assert json.loads(some.stdout)["kinds"] == wanted != []
    hard = run("list", "--difficulty", "hard", "--origin", "bugforge", cwd=tmp_path).stdout
    assert all((k["id"] in hard.split()) == (k["difficulty"] == "hard") for k in every)
    nothing = run("list", "--stage", "head", "--shows", "leak", cwd=tmp_path)
    assert "No kind is all of that." in nothing.stdout


def test_errors_obey_json(tmp_path: Path) -> None:
    """With --json an error is a document, too."""
    ran = run("check", "nowhere", "--json", cwd=tmp_path)
    document = json.loads(ran.stdout)
    assert document["exit_code"] == ran.returncode == 2
    assert document["mend"]


def test_version(tmp_path: Path) -> None:
    """--version says the version and nothing else."""
    assert run("--version", cwd=tmp_path).stdout.startswith("bugforge ")
