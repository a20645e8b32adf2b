"""Which bugs are left: it is told by what the program does, whatever the learner has renamed."""

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
from tests.corpus.right import RIGHT
from tests.corpus.wrong import WRONG

SPLIT, MULTIPLIED, UNCLEARED = "heads-split-no-transpose", "pe-multiplied", "missing-zero-grad"
IDLE, SHARED = "out-proj-missing", "ln-shared"


@pytest.mark.parametrize(
    ("renamed", "left", "mended"),
    [
        ("query_and_key_exchange_names", {SPLIT, MULTIPLIED, UNCLEARED}, set()),
        ("layers_renamed_output_first", {SPLIT, UNCLEARED}, {MULTIPLIED}),
        ("layers_in_turn", {MULTIPLIED}, {SPLIT, UNCLEARED}),
        ("blocks_backwards", {SPLIT}, {MULTIPLIED, UNCLEARED}),
        ("query_and_key_exchange_names", {IDLE, UNCLEARED}, {MULTIPLIED}),
        ("layer_norm_by_hand", {SHARED}, {MULTIPLIED, UNCLEARED}),
    ],
)
def test_what_is_left_is_told_under_other_names(
    renamed: str, left: set[str], mended: set[str], box: Sandbox, tmp_path: Path
) -> None:
    """Each bug is told as fixed or remaining, though layers have exchanged names or places, and
    though a bug leaves some of them idle.
    """
    as_it_stands = replace(load(), rewrites={})
    kinds = tuple(sorted(left | mended))
    key = forge(Request(seed="1", bugs=3, kinds=kinds), CLASSIC, as_it_stands, "0")
    numbers = {bug.kind: bug.number for bug in key.bugs}
    [form] = (fixture for fixture in RIGHT if fixture.name == renamed)
    files = key.program(frozenset(numbers[kind] for kind in left))
    for name, text in form.applied(files).items():
        (tmp_path / name).write_text(text, encoding="utf-8")
    question = Question(random.Random(1), attribute=True, trains="never")
    verdict = verify(box, tmp_path, key, question)
    assert {kind: verdict.bugs[numbers[kind]] for kind in kinds} == {
        kind: "remaining" if kind in left else "fixed" for kind in kinds
    }
    assert not verdict.changed_elsewhere


@pytest.mark.parametrize("wrong", ["added_to_the_heads", "computed_and_dropped"])
@pytest.mark.parametrize("left", [set(), {UNCLEARED}])
def test_what_no_bug_accounts_for_is_said_to_be_there(
    wrong: str, left: set[str], box: Sandbox, tmp_path: Path
) -> None:
    """Where another mistake is made beside the planted bugs, none is told as remaining that is
    mended, or as fixed that is left, and it is said that something else was changed.
    """
    as_it_stands = replace(load(), rewrites={})
    key = forge(
        Request(seed="1", bugs=2, kinds=(MULTIPLIED, UNCLEARED)), CLASSIC, as_it_stands, "0"
    )
    numbers = {bug.kind: bug.number for bug in key.bugs}
    [mistake] = (fixture for fixture in WRONG if fixture.name == wrong)
    files = mistake.applied(key.program(frozenset(numbers[kind] for kind in left)))
    for name, text in files.items():
        (tmp_path / name).write_text(text, encoding="utf-8")
    question = Question(random.Random(1), attribute=True, trains="never")
    verdict = verify(box, tmp_path, key, question)
    for kind, number in numbers.items():
        assert verdict.bugs[number] != ("fixed" if kind in left else "remaining")
    assert verdict.changed_elsewhere
