"""A classifier of rows: it goes from new to reveal, and its bugs are told."""

import json
import random
from pathlib import Path

from bugforge.bench import Bench
from bugforge.catalogue import load
from bugforge.choosing import Request
from bugforge.forge import forge
from bugforge.sandbox import Sandbox
from bugforge.tracks import ROWS_CLASSIFIED
from tests.test_bitwise import outcome_of_tests
from tests.test_cli import run

CATALOGUE = load()
PROGRAM = ROWS_CLASSIFIED.programs[0]


def test_from_nothing_to_a_solution(tmp_path: Path) -> None:
    """What is not written yet fails, by the tests that lie there, too; the solution passes both."""
    made = run("new", "w", "--track", "sequence-classifier", "--program", "single", cwd=tmp_path)
    assert "extend the program" in made.stdout
    failed = run("check", "w", "--json", cwd=tmp_path)
    assert failed.returncode == 1
    assert "SequenceClassifier" in json.loads(failed.stdout)["crash"]["message"]
    assert outcome_of_tests(tmp_path / "w") != 0
    assert run("reveal", "w", "--apply", cwd=tmp_path).returncode == 0
    assert run("check", "w", cwd=tmp_path).returncode == 0
    assert outcome_of_tests(tmp_path / "w") == 0


def test_bugs_of_classifiers_stand_together(box: Sandbox) -> None:
    """A workspace of buggy classifiers has one bug of each class; all are refused together, and
    each of them alone.
    """
    key = forge(Request(seed="2", bugs=3), ROWS_CLASSIFIED, CATALOGUE, "0")
    assert sorted(bug.bug_class for bug in key.bugs) == sorted(ROWS_CLASSIFIED.bug_classes)
    bench = Bench.set_up(box, PROGRAM, key.pristine, random.Random(0))
    assert not bench.let_through(key)
