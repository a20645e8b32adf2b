"""Which bugs are left: it is told by what the program does, whatever the learner has renamed."""

import random
from pathlib import Path

import pytest

from bugforge.catalogue import load
from bugforge.choosing import Request
from bugforge.forge import forge
from bugforge.sandbox import Sandbox
from bugforge.track import CLASSIC
from bugforge.verify import Question, verify
from tests.corpus.right import RIGHT

KINDS = ("heads-split-no-transpose", "pe-multiplied", "missing-zero-grad")


@pytest.mark.parametrize(
    ("renamed", "left"),
    [
        ("query_and_key_exchange_names", frozenset({1, 2, 3})),
        ("layers_renamed_output_first", frozenset({1, 3})),
        ("layers_in_turn", frozenset({2})),
        ("blocks_backwards", frozenset({1})),
    ],
)
def test_what_is_left_is_told_under_other_names(
    renamed: str, left: frozenset[int], box: Sandbox, tmp_path: Path
) -> None:
    """Each bug is told as fixed or remaining, though layers have exchanged names or places."""
    key = forge(Request(seed="1", bugs=3, kinds=KINDS), CLASSIC, load(), "0")
    [form] = (fixture for fixture in RIGHT if fixture.name == renamed)
    for name, text in form.applied(key.program(left)).items():
        (tmp_path / name).write_text(text, encoding="utf-8")
    question = Question(random.Random(1), attribute=True, trains="never")
    told = verify(box, tmp_path, key, question).bugs
    assert told == {n: "remaining" if n in left else "fixed" for n in (1, 2, 3)}
