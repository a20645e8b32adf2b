"""A program in a single file is the same program, and is judged as it is in several."""

import json
import random
import re
from pathlib import Path

import pytest

from bugforge.catalogue import load
from bugforge.choosing import Request
from bugforge.edits import apply_edits
from bugforge.forge import forge, is_genuine
from bugforge.joining import MAIN, NotJoinableError, join, joined
from bugforge.mutants import mutants
from bugforge.programs import NANO
from bugforge.tracks import CLASSIC
from bugforge.variant import vary
from tests.conftest import Bench
from tests.corpus import Fixture
from tests.corpus.cheats import CHEATS
from tests.corpus.right import RIGHT
from tests.corpus.wrong import WRONG
from tests.test_cli import run

CATALOGUE = load()
SEEDS = 12
DRAWN = 8


def _drawn(fixtures: tuple[Fixture, ...], reference: dict[str, str]) -> list[Fixture]:
    """Draw some that change no more than the program's own files, and judged by laws alone."""
    plain = [f for f in fixtures if not f.needs_training]
    own = [f for f in plain if f.applied(reference).keys() == reference.keys()]
    return random.Random(0).sample(own, DRAWN)


@pytest.mark.parametrize("program", ["gpt", "nano"])
def test_every_variant_can_be_one_file(program: str) -> None:
    """Forged as a single file, a workspace holds the bugs that were asked for, each of which is
    planted and mended there; its key is genuine.
    """
    for seed in range(SEEDS):
        request = Request(seed=str(seed), program=program, single_file=True, marked=seed % 2 == 0)
        key = forge(request, CLASSIC, CATALOGUE, "0")
        assert set(key.forged) == set(key.pristine) == {MAIN}
        assert {edit.name for bug in key.bugs for edit in bug.edits} == {MAIN}
        assert is_genuine(key, CATALOGUE)
        programs = [key.program(frozenset({bug.number})) for bug in key.bugs]
        assert len({program[MAIN] for program in [*programs, key.pristine]}) == len(key.bugs) + 1
        for files in programs:
            compile(files[MAIN], MAIN, "exec")


def test_joining_moves_every_bug() -> None:
    """A bug planted in several files that are then joined is the bug moved into the one file."""
    rng = random.Random(0)
    files = vary(NANO.reference(), CATALOGUE.rewrites_of(NANO), NANO.text(rng), rng).files
    whole = join(files)
    for mutant in mutants(files, CATALOGUE.kinds.values()):
        _, [moved] = joined(files, [mutant.edits])
        there = apply_edits({MAIN: whole.text}, moved)[MAIN]
        assert there == join(apply_edits(files, mutant.edits)).text, mutant.name


def test_what_would_mean_another_thing_is_not_joined() -> None:
    """Names that two files give to different things, and files imported whole, stay apart."""
    for files in (
        {"a.py": "x = 1\n", "b.py": "x = 2\n"},
        {"a.py": "x = 1\n", "b.py": "import a\n\nprint(a.x)\n"},
        {"a.py": "x = 1\n", "b.py": "from a import x as y\n\nprint(y)\n"},
        {"a.py": "from math import pi as p\n", "b.py": "from math import tau as p\n"},
    ):
        with pytest.raises(NotJoinableError):
            join(files)


def test_it_is_judged_as_in_several_files(reference: dict[str, str], bench: Bench) -> None:
    """Right programs keep every law as one file, too, and wrong ones and cheats break one."""
    right, wrong = _drawn(RIGHT, reference), _drawn((*WRONG, *CHEATS), reference)
    for fixture in (*right, *wrong):
        text = join(fixture.applied(reference)).text
        bench.submit(f"in one file, {fixture.name}", {MAIN: text})
    for fixture in (*right, *wrong):
        readings = bench.readings(f"in one file, {fixture.name}").values()
        assert any(r.kept is False for r in readings) is (fixture in wrong), fixture.name
        assert all(r.kept for r in readings) is (fixture in right), fixture.name


def test_from_new_to_a_pass(tmp_path: Path) -> None:
    """A single file is forged, told of as one, run and judged, and passes once it is mended. It has
    no follow-ups, and what needs files of its own is not given as one.
    """
    made = run("new", "w", "--single-file", "--program", "gpt", "--seed", "5", cwd=tmp_path)
    assert made.returncode == 0
    root = tmp_path / "w"
    assert [path.name for path in root.glob("*.py")] == [MAIN]
    told = (root / "PROBLEM.md").read_text(encoding="utf-8")
    assert "python main.py" in told
    assert not re.search(r"(model|train)\.py", told + (root / MAIN).read_text(encoding="utf-8"))
    assert run("check", "w", cwd=tmp_path).returncode == 1
    assert run("reveal", "w", "--apply", cwd=tmp_path).returncode == 0
    assert run("run", "w", cwd=tmp_path).returncode == 0
    passed = run("check", "w", "--json", cwd=tmp_path)
    assert json.loads(passed.stdout)["verdict"] == "passed"
    further = run("extend", "kv-cache", "w", cwd=tmp_path)
    assert further.returncode == 2
    assert "single file" in further.stderr
    for options in (["--track", "kv-cache"], ["--track", "bitwise"]):
        refused = run("new", "v", "--single-file", *options, cwd=tmp_path)
        assert refused.returncode == 2
        assert not (tmp_path / "v").exists()
