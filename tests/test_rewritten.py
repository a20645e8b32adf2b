"""Programs that were thrown away and written anew are judged by what they do, like any others."""

import random
from dataclasses import replace
from pathlib import Path

import pytest

from bugforge.catalogue import load
from bugforge.choosing import Request
from bugforge.forge import forge
from bugforge.sandbox import Sandbox
from bugforge.tracks import CLASSIC
from bugforge.verify import Question, verify
from tests.conftest import Bench, Judge
from tests.corpus import Fixture
from tests.corpus.rewritten import HEADS_APART, RIGHT, WRONG

BY_NAME = {fixture.name: fixture for fixture in (*RIGHT, *WRONG)}
LEAST = 25
AT = "at 3 layers and 3 heads."


@pytest.fixture(scope="module")
def recorded(bench: Bench, reference: dict[str, str]) -> Bench:
    """All programs, recorded or waiting to be."""
    for fixture in RIGHT:
        bench.submit(fixture.name, fixture.applied(reference))
    for fixture in WRONG:
        bench.glimpse(fixture.name, fixture.applied(reference))
    return bench


def test_many_are_wrong() -> None:
    """Programs go by one name each, and many are wrong."""
    assert len(BY_NAME) == len(RIGHT) + len(WRONG)
    assert len(WRONG) >= LEAST


@pytest.mark.parametrize("fixture", RIGHT, ids=lambda fixture: fixture.name)
def test_a_right_one_keeps_all_laws(fixture: Fixture, recorded: Bench) -> None:
    """Nothing of the given program need be left: each law and comparison is judged, and kept."""
    readings = recorded.readings(fixture.name).values()
    assert not [(r.check, r.value, r.bound, r.why) for r in readings if not r.kept]


@pytest.mark.parametrize("fixture", WRONG, ids=lambda fixture: fixture.name)
def test_a_wrong_one_breaks_a_law(fixture: Fixture, recorded: Bench) -> None:
    """A bug is seen in a foreign hand, too."""
    assert recorded.broken(fixture.name)


@pytest.mark.parametrize("name", ["from_the_left", "fused_from_the_left"])
def test_turned_weights_pass(name: str, reference: dict[str, str], judge: Judge) -> None:
    """What a program has learned into matrices that are turned is tried in the correct one, and
    gives the sentence back there.
    """
    verdict = judge(BY_NAME[name].applied(reference), trains="when kept")
    assert verdict.passed, [reading.check for reading in verdict.broken]


def test_what_to_restore_is_said(reference: dict[str, str], judge: Judge) -> None:
    """Where parameters have no counterparts, it is said which shapes are to be restored."""
    verdict = judge(HEADS_APART.applied(reference))
    assert not verdict.passed
    assert verdict.restore == (
        f"12 parameters of shape (C, C), of which your model has 3, {AT}",
        f"no parameters of shape (C, C / n_head), of which your model has 27, {AT}",
    )


def test_a_planted_shape_is_not_told(box: Sandbox, tmp_path: Path) -> None:
    """Where it is a planted bug that took parameters away, nothing says which."""
    request = Request(seed="1", bugs=1, kinds=("out-proj-missing",))
    key = forge(request, CLASSIC, load(), "0")
    for name, text in key.forged.items():
        (tmp_path / name).write_text(text, encoding="utf-8")
    verdict = verify(box, tmp_path, key, Question(random.Random(1), trains="never"))
    assert verdict.broken
    assert not verdict.restore


@pytest.mark.parametrize(
    ("name", "left", "mended"),
    [
        ("left_scaled_by_width", "scale-sqrt-dmodel", ("missing-zero-grad", "shift-none")),
        ("left_values_of_keys", "typo-k-for-v", ("heads-split-no-transpose", "missing-zero-grad")),
        ("left_weights_turned", "attn-weights-transposed", ("mask-fill-tiny", "pe-multiplied")),
        ("left_output_detached", "detach-attention", ("out-proj-missing", "shift-none")),
    ],
)
def test_what_is_left_is_told(
    name: str, left: str, mended: tuple[str, ...], box: Sandbox, tmp_path: Path
) -> None:
    """Each bug is told as fixed or remaining where all else was written anew, from the left; though
    one leaves some parameters idle.
    """
    kinds = tuple(sorted((left, *mended)))
    key = forge(Request(seed="1", bugs=3, kinds=kinds), CLASSIC, replace(load(), rewrites={}), "0")
    for path, text in BY_NAME[name].applied(key.forged).items():
        (tmp_path / path).write_text(text, encoding="utf-8")
    told = verify(
        box, tmp_path, key, Question(random.Random(1), attribute=True, trains="never")
    ).bugs
    assert {bug.kind: told[bug.number] for bug in key.bugs} == {
        kind: "remaining" if kind == left else "fixed" for kind in kinds
    }
