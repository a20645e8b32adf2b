"""Rows of unlike length: right ways pass, wrong ones don't, and so it goes from new to reveal."""

import json
import random
from operator import attrgetter
from pathlib import Path

import pytest

from bugforge.bench import Bench
from bugforge.catalogue import load
from bugforge.choosing import Request
from bugforge.forge import forge, is_genuine
from bugforge.mutation import RUNS
from bugforge.program import Program
from bugforge.sandbox import Sandbox
from bugforge.sentences import shipped
from bugforge.tracks import RAGGED
from bugforge.variant import with_sentence
from bugforge.workspace import open_workspace
from tests.conftest import Bench as Recorded
from tests.conftest import bench_of
from tests.corpus import Fixture
from tests.corpus.padded import RIGHT, WRONG
from tests.test_cli import run

CATALOGUE = load()


@pytest.fixture(scope="module")
def recorded(box: Sandbox, tmp_path_factory: pytest.TempPathFactory) -> Recorded:
    """All of the corpus, recorded or waiting to be."""
    files = RAGGED.programs[0].reference()
    files["train.py"] = with_sentence(files["train.py"], shipped()[0])
    bench = bench_of(box, RAGGED.programs[0], files, tmp_path_factory.mktemp("ragged"))
    for fixture in (*RIGHT, *WRONG):
        bench.submit(fixture.name, fixture.applied(files))
    return bench


def test_the_corpus_is_large() -> None:
    """There are fifteen right ways and more, and twenty-five wrong ones."""
    assert len({fixture.name for fixture in RIGHT}) >= 15
    assert len({fixture.name for fixture in WRONG}) >= 25


@pytest.mark.parametrize("fixture", RIGHT, ids=attrgetter("name"))
def test_a_right_way_keeps_all_laws(fixture: Fixture, recorded: Recorded) -> None:
    """A right way to read padded rows keeps every law, and each of them can be judged."""
    readings = recorded.readings(fixture.name).values()
    assert not [(r.check, r.value, r.bound, r.why) for r in readings if not r.kept]


@pytest.mark.parametrize("fixture", WRONG, ids=attrgetter("name"))
def test_a_wrong_way_breaks_a_law(fixture: Fixture, recorded: Recorded) -> None:
    """A wrong way runs through, and breaks a law of what it computes."""
    readings = recorded.readings(fixture.name)
    assert readings.pop(RUNS).kept
    assert [reading for reading in readings.values() if reading.kept is False]


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
