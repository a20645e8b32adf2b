"""Rows of unlike length: it goes from new to reveal, and its bugs are told."""

import json
import random
from pathlib import Path

import pytest

from bugforge.bench import Bench
from bugforge.catalogue import load
from bugforge.choosing import Request
from bugforge.forge import forge, is_genuine
from bugforge.program import Program
from bugforge.sandbox import Sandbox
from bugforge.tracks import RAGGED
from bugforge.workspace import open_workspace
from tests.test_cli import run

CATALOGUE = load()


@pytest.mark.parametrize("program", RAGGED.programs, ids=lambda program: program.name)
def test_bugs_of_padding_stand_together(program: Program, box: Sandbox) -> None:
    """A workspace has one bug of each class; all are refused together, and each of them alone."""
    request = Request(seed="1", bugs=3, program=program.name)
    key = forge(request, RAGGED, CATALOGUE, "0")
    assert sorted(bug.bug_class for bug in key.bugs) == sorted(RAGGED.bug_classes)
    bench = Bench.set_up(box, program, key.pristine, random.Random(0))
    assert not bench.let_through(key)


def test_going_on_to_a_solution(tmp_path: Path) -> None:
    """What passed with caches is gone on with; what is not written yet fails; the solution is
    written over it, and passes.
    """
    run("new", "w", "--track", "kv-cache", "--seed", "1", cwd=tmp_path)
    run("reveal", "w", "--apply", cwd=tmp_path)
    open_workspace(tmp_path / "w").note({"event": "check", "verdict": "passed"})
    assert run("extend", "ragged", "w", cwd=tmp_path).returncode == 0
    folder = tmp_path / "w-ragged"
    told = (folder / "PROBLEM.md").read_text(encoding="utf-8")
    assert "padding=None, caches=None" in told
    assert is_genuine(open_workspace(folder).answer_key(None), CATALOGUE)
    failed = run("check", str(folder), "--json", cwd=tmp_path)
    assert failed.returncode == 1
    assert "padding" in json.loads(failed.stdout)["crash"]["message"]
    assert run("reveal", str(folder), "--apply", cwd=tmp_path).returncode == 0
    assert run("check", str(folder), cwd=tmp_path).returncode == 0
