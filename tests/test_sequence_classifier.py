"""A classifier of rows: right ways pass, wrong ones don't, and so it goes from new to reveal."""

import json
import random
from operator import attrgetter
from pathlib import Path

import pytest

from bugforge.bench import Bench
from bugforge.catalogue import load
from bugforge.choosing import Request
from bugforge.forge import forge
from bugforge.sandbox import Sandbox
from bugforge.sentences import shipped
from bugforge.tracks import ROWS_CLASSIFIED
from bugforge.variant import with_sentence
from tests.conftest import Bench as Recorded
from tests.conftest import bench_of, bits_changed, key_to
from tests.corpus import Fixture
from tests.corpus.rows import RIGHT, WRONG
from tests.test_bitwise import outcome_of_tests
from tests.test_cli import run
from tests.test_corpora import some

CATALOGUE = load()
PROGRAM = ROWS_CLASSIFIED.programs[0]


@pytest.fixture(scope="module")
def classifier() -> dict[str, str]:
    """The simplest program that classifies rows."""
    files = PROGRAM.reference()
    return {**files, "train.py": with_sentence(files["train.py"], shipped()[0])}


@pytest.fixture(scope="module")
def recorded(
    box: Sandbox, classifier: dict[str, str], tmp_path_factory: pytest.TempPathFactory
) -> Recorded:
    """All of the corpus, recorded or waiting to be."""
    bench = bench_of(box, PROGRAM, classifier, tmp_path_factory.mktemp("classifier"))
    for fixture in (*RIGHT, *WRONG):
        bench.submit(fixture.name, fixture.applied(classifier))
    return bench


def test_the_corpus_is_large() -> None:
    """There are fifteen right ways and more, and twenty-five wrong ones."""
    assert len({fixture.name for fixture in RIGHT}) >= 15
    assert len({fixture.name for fixture in WRONG}) >= 25


@pytest.mark.parametrize("fixture", RIGHT, ids=attrgetter("name"))
def test_a_right_way_keeps_all_laws(
    fixture: Fixture, recorded: Recorded, classifier: dict[str, str]
) -> None:
    """A right way to classify keeps every law and comparison, and each of them can be judged; those
    of bits are asked of a seeded share.
    """
    readings = recorded.readings(fixture.name).values()
    assert not [(r.check, r.value, r.bound, r.why) for r in readings if not r.kept]
    if fixture in some(RIGHT):
        assert not bits_changed(fixture.name, recorded, key_to(classifier), ROWS_CLASSIFIED)


@pytest.mark.parametrize("fixture", WRONG, ids=attrgetter("name"))
def test_a_wrong_way_breaks_a_law(
    fixture: Fixture, recorded: Recorded, classifier: dict[str, str]
) -> None:
    """A wrong way to classify breaks a law."""
    readings = recorded.readings(fixture.name).values()
    broken = [reading for reading in readings if reading.kept is False]
    assert broken or bits_changed(fixture.name, recorded, key_to(classifier), ROWS_CLASSIFIED)


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
