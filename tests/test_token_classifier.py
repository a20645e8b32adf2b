"""A classifier of tokens: it goes from new to reveal, and its bugs are told."""

import json
import random
from pathlib import Path

import pytest

from bugforge.bench import Bench
from bugforge.catalogue import load
from bugforge.choosing import Request
from bugforge.exactness import begin, compared
from bugforge.forge import forge, is_genuine
from bugforge.mutation import RUNS
from bugforge.probe import draw
from bugforge.program import Program
from bugforge.recorder import Recorder
from bugforge.sandbox import Sandbox
from bugforge.tracks import TOKENS_CLASSIFIED
from bugforge.workspace import open_workspace
from tests.test_cli import run

CATALOGUE = load()
PROGRAM = TOKENS_CLASSIFIED.programs[0]


@pytest.mark.parametrize("program", TOKENS_CLASSIFIED.programs, ids=lambda program: program.name)
def test_bugs_of_classifiers_stand_together(program: Program, box: Sandbox) -> None:
    """A workspace of buggy classifiers has at most one bug of each class, and none of a loss that
    hides one of labels; all are refused together, and each of them alone.
    """
    request = Request(seed="1", bugs=3, program=program.name)
    key = forge(request, TOKENS_CLASSIFIED, CATALOGUE, "0")
    classes = {bug.bug_class for bug in key.bugs}
    assert len(classes) == len(key.bugs)
    assert classes < {*TOKENS_CLASSIFIED.bug_classes}
    assert not classes >= {"class-labels", "class-loss"}
    bench = Bench.set_up(box, program, key.pristine, random.Random(0))
    assert not bench.let_through(key)


def test_from_nothing_to_a_solution(tmp_path: Path) -> None:
    """What is not written yet fails; the solution is written over it, and passes."""
    made = run("new", "w", "--track", "token-classifier", "--program", "single", cwd=tmp_path)
    assert "extend the program" in made.stdout
    failed = run("check", "w", "--json", cwd=tmp_path)
    assert failed.returncode == 1
    assert "n_classes" in json.loads(failed.stdout)["crash"]["message"]
    assert run("reveal", "w", "--apply", cwd=tmp_path).returncode == 0
    assert run("check", "w", cwd=tmp_path).returncode == 0


@pytest.mark.parametrize("name", ["single", "rotary"])
def test_follow_ups_go_on_from_each_other(name: str, tmp_path: Path, box: Sandbox) -> None:
    """A classifier is added to a program with caches, and the solution has both."""
    run("new", "w", "--track", "kv-cache", "--program", name, "--seed", "3", cwd=tmp_path)
    run("reveal", "w", "--apply", cwd=tmp_path)
    workspace = open_workspace(tmp_path / "w")
    workspace.note({"event": "check", "verdict": "passed"})
    assert run("extend", "token-classifier", "w", cwd=tmp_path).returncode == 0
    further = open_workspace(tmp_path / "w-token-classifier")
    told = (further.root / "PROBLEM.md").read_text(encoding="utf-8")
    assert "labels=None, caches=None" in told
    assert "a list of `KVCache`" in told
    key = further.answer_key(None)
    program = TOKENS_CLASSIFIED.program(key.reference)
    assert {"caching", "classifying"} <= set(program.instruments)
    assert is_genuine(key, CATALOGUE)
    bench = Bench.set_up(box, program, key.pristine, random.Random(0))
    given = {name: key.given[name] for name in key.pristine}
    seen = dict(bench.judged({"solution": key.solution, "given": given}))
    assert not seen["solution"].broken
    assert seen["given"].broken == {RUNS}


def test_what_cannot_be_added_is_refused(tmp_path: Path) -> None:
    """Where a follow-up cannot be added to a program, that is said, and nothing is made."""
    run("new", "n", "--program", "nano", cwd=tmp_path)
    open_workspace(tmp_path / "n").note({"event": "check", "verdict": "passed"})
    refused = run("extend", "token-classifier", "n", cwd=tmp_path)
    assert refused.returncode == 2
    assert "cannot be added to this program (nano)" in refused.stderr
    assert not (tmp_path / "n-token-classifier").exists()


def test_going_on_keeps_the_bits_of_the_learners_own(tmp_path: Path, box: Sandbox) -> None:
    """What passed is gone on with as the learner left it. What must stay bit for bit is what their
    program computes, and not what ours would.
    """
    run("new", "w", "--seed", "5", "--program", "gpt", cwd=tmp_path)
    run("reveal", "w", "--apply", cwd=tmp_path)
    workspace = open_workspace(tmp_path / "w")
    train = workspace.root / "train.py"
    text = train.read_text(encoding="utf-8")
    own = text.replace("weight_decay: float = 0.01", "weight_decay: float = DECAY")
    own = own.replace("import torch\n", "import torch\nfrom helper import DECAY\n", 1)
    train.write_text(own, encoding="utf-8")
    (workspace.root / "helper.py").write_text("DECAY = 0.02\n", encoding="utf-8")
    workspace.note({"event": "check", "verdict": "passed"})
    assert run("extend", "token-classifier", "w", cwd=tmp_path).returncode == 0
    further = open_workspace(tmp_path / "w-token-classifier")
    key = further.answer_key(None)
    assert key.given["train.py"] == own
    other = own.replace("float = DECAY", "float = DECAY / 2")
    assert len({text, own, other}) == 3
    for changed, kept in ((own, True), (other, False)):
        (further.root / "train.py").write_text(changed, encoding="utf-8")
        recorder = Recorder(box, box.room(), draw(random.Random(0), PROGRAM))
        begin(recorder, key, further.root, 99)
        readings, _ = compared(recorder, key)
        assert len(readings) == 3
        assert all(reading.kept for reading in readings) is kept
