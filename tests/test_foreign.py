"""A program of another make than ours: right ways to write it are alike, and wrong ones are not."""

import random
from collections import Counter

import pytest

from bugforge.own_likeness import compare
from bugforge.own_recorder import OwnRecorder
from bugforge.sandbox import Sandbox
from tests.corpus import Fixture
from tests.corpus.foreign import PROGRAM, RIGHT, WRONG


@pytest.fixture(scope="module")
def recorder(box: Sandbox) -> OwnRecorder:
    """The program, and each way to write it, recorded or waiting to be."""
    recorder = OwnRecorder.set_up(box, PROGRAM, random.Random(0))
    for way in (*RIGHT, *WRONG):
        recorder.submit(way.name, recorder.write(way.name, way.applied(PROGRAM)))
    return recorder


def _unlike(recorder: OwnRecorder, way: Fixture) -> list[str]:
    """Say in which respects a way is not like the program."""
    seen, reach = recorder.recordings(way.name), recorder.reach
    readings = compare(seen, recorder.correct, reach.models, reach.instruments)
    return [f"{r.check}: {r.value} of {r.bound}" for r in readings if not r.kept]


def test_no_way_comes_twice() -> None:
    """No two ways have the same name, or are the same program."""
    ways = (*RIGHT, *WRONG)
    programs = [way.applied(PROGRAM)["model.py"] for way in ways]
    assert max(Counter(way.name for way in ways).values()) == 1
    assert max(Counter(programs).values()) == 1


@pytest.mark.parametrize("way", RIGHT, ids=lambda way: way.name)
def test_a_right_way_is_alike(way: Fixture, recorder: OwnRecorder) -> None:
    """A program that does the same, however it is written, is not told from the one that was."""
    assert not _unlike(recorder, way)


@pytest.mark.parametrize("way", WRONG, ids=lambda way: way.name)
def test_a_wrong_way_is_not_alike(way: Fixture, recorder: OwnRecorder) -> None:
    """A program that does something else is told from the one that was."""
    assert _unlike(recorder, way)
