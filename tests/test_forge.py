"""Laws of forging: the same seed gives the same program, and every bug is where the key says."""

import ast
import random

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from bugforge.answers import AnswerKey, seal, unseal
from bugforge.catalogue import Catalogue, load
from bugforge.choosing import Request, at_odds
from bugforge.edits import Edit, apply_edits, touch
from bugforge.errors import AnswerKeyError, NoFitError, UsageError
from bugforge.forge import forge
from bugforge.marks import BEGIN, END
from bugforge.mend import forged_start, mend
from bugforge.mutants import sited
from bugforge.surgery import line_edits
from bugforge.tracks import CLASSIC, TRACKS

SEEDS = st.integers(0, 10**9).map(str)
few = settings(max_examples=6, deadline=None)


@pytest.fixture(scope="module")
def catalogue() -> Catalogue:
    """The installed kinds."""
    return load()


def _forged(catalogue: Catalogue, **asked: object) -> AnswerKey:
    return forge(Request(**asked), CLASSIC, catalogue, "0")  # type: ignore[arg-type]


@few
@given(seed=SEEDS, bugs=st.integers(1, 6), marked=st.booleans())
def test_the_same_request_gives_the_same_key(
    catalogue: Catalogue, seed: str, bugs: int, *, marked: bool
) -> None:
    """Forging is a function of its request."""
    asked = {"seed": seed, "bugs": bugs, "marked": marked}
    assert _forged(catalogue, **asked) == _forged(catalogue, **asked)


@few
@given(seed=SEEDS, bugs=st.integers(1, 6))
def test_bugs_stand_together(catalogue: Catalogue, seed: str, bugs: int) -> None:
    """A workspace holds as many bugs as asked, numbered from 1, of different classes, none at
    odds with another, none on lines that another touches.
    """
    key = _forged(catalogue, seed=seed, bugs=bugs)
    assert [bug.number for bug in key.bugs] == list(range(1, bugs + 1))
    assert len({bug.bug_class for bug in key.bugs}) == bugs
    for one in key.bugs:
        for other in key.bugs[one.number :]:
            assert not at_odds(catalogue.kinds[one.kind], catalogue.kinds[other.kind])
            assert not touch(one.edits, other.edits)


@few
@given(seed=SEEDS, bugs=st.integers(1, 6), marked=st.booleans())
def test_every_subset_is_a_program(
    catalogue: Catalogue, seed: str, bugs: int, *, marked: bool
) -> None:
    """Whatever bugs are left in, the program parses, and the more the further from pristine."""
    key = _forged(catalogue, seed=seed, bugs=bugs, marked=marked)
    assert key.program(frozenset()) == key.pristine
    for bug in key.bugs:
        program = key.program(frozenset({bug.number}))
        assert program != key.pristine
        for text in program.values():
            ast.parse(text)


@few
@given(seed=SEEDS, bugs=st.integers(1, 6))
def test_marks_can_be_trusted(catalogue: Catalogue, seed: str, bugs: int) -> None:
    """Every marked region holds a bug, every bug lies in one, and without the marks the program
    is the one that is forged unmarked.
    """
    key = _forged(catalogue, seed=seed, bugs=bugs, marked=True)
    regions = {name: _regions(text) for name, text in key.forged.items()}
    places = [
        (edit.name, forged_start(key, edit), forged_start(key, edit) + len(edit.new))
        for bug in key.bugs
        for edit in bug.edits
    ]
    for name, start, end in places:
        assert any(low < start and end <= high for low, high in regions[name])
    for name, found in regions.items():
        for low, high in found:
            assert any(n == name and low < start and end <= high for n, start, end in places)
    plain = _forged(catalogue, seed=seed, bugs=bugs)
    unmarked = {name: _without_marks(text) for name, text in key.forged.items()}
    assert unmarked == plain.forged


def _regions(text: str) -> list[tuple[int, int]]:
    """Line indexes of each begin and end; they must alternate."""
    lines = [line.strip() for line in text.splitlines()]
    begins = [index for index, line in enumerate(lines) if line == BEGIN]
    ends = [index for index, line in enumerate(lines) if line == END]
    regions = list(zip(begins, ends, strict=True))
    assert sorted([*begins, *ends]) == [index for region in regions for index in region]
    return regions


def _without_marks(text: str) -> str:
    lines = text.splitlines(keepends=True)
    return "".join(line for line in lines if line.strip() not in (BEGIN, END))


@few
@given(seed=SEEDS, data=st.data())
def test_a_key_survives_its_seal(catalogue: Catalogue, seed: str, data: st.DataObject) -> None:
    """A sealed key opens to itself, shows no word of its bugs, and shows any damage."""
    key = _forged(catalogue, seed=seed)
    sealed = seal(key)
    assert unseal(sealed, "key") == key
    for bug in key.bugs:
        assert bug.kind not in sealed
    position = data.draw(st.integers(0, len(sealed) - 2))
    with pytest.raises(AnswerKeyError):
        unseal(sealed[:position], "key")


@few
@given(seed=SEEDS, bugs=st.integers(1, 6), order=st.randoms(use_true_random=False))
def test_mending_restores_the_program(
    catalogue: Catalogue, seed: str, bugs: int, order: random.Random
) -> None:
    """Taken out one by one in any order, all bugs gone is the pristine program."""
    key = _forged(catalogue, seed=seed, bugs=bugs)
    files = key.forged
    planted = list(key.bugs)
    order.shuffle(planted)
    for bug in planted:
        mended = mend(key, files, (bug,))
        assert mended.taken_out == (bug.number,)
        files = mended.files
    assert files == key.pristine


@few
@given(seed=SEEDS, line=st.integers(0, 10**6))
def test_mending_keeps_other_edits(catalogue: Catalogue, seed: str, line: int) -> None:
    """A line that the learner adds is still there after mending, and nothing else is changed; a
    bug whose place they changed is left alone.
    """
    key = _forged(catalogue, seed=seed)
    lines = key.forged["model.py"].splitlines(keepends=True)
    at = line % (len(lines) + 1)
    note = "# a note of my own\n"
    files = {**key.forged, "model.py": "".join([*lines[:at], note, *lines[at:]])}
    mended = mend(key, files, key.bugs)
    assert mended.files["model.py"].count(note) == 1
    left = frozenset(mended.changed)
    without = {**mended.files, "model.py": mended.files["model.py"].replace(note, "")}
    assert without == key.program(left)


@given(
    before=st.lists(st.sampled_from("abc"), max_size=8),
    after=st.lists(st.sampled_from("abc"), max_size=8),
)
def test_line_edits_lead_from_one_text_to_the_other(before: list[str], after: list[str]) -> None:
    """The edits between two texts, applied to the first, give the second."""
    old, new = ("".join(f"{word}\n" for word in words) for words in (before, after))
    edits = list(line_edits("x", old, new))
    assert apply_edits({"x": old}, edits) == {"x": new}
    assert all(isinstance(edit, Edit) for edit in edits)


def test_more_bugs_than_fit_names_the_most(catalogue: Catalogue) -> None:
    """An error for too many bugs names a number, and that number does fit."""
    with pytest.raises(NoFitError, match=r"these options 1 can") as caught:
        _forged(catalogue, seed="0", bugs=3, stages=("optim",))
    assert "--bugs 1" in caught.value.mend
    assert len(_forged(catalogue, seed="0", bugs=1, stages=("optim",)).bugs) == 1


def test_kinds_asked_for_are_planted(catalogue: Catalogue) -> None:
    """A kind can be asked for by name, alone, and is what is planted: a seeded tenth of all."""
    asked = random.Random(0).sample(sorted(catalogue.kinds), len(catalogue.kinds) // 10)
    for id_ in asked:
        kind = catalogue.kinds[id_]
        track = next(t for t in TRACKS if kind.bug_class in t.bug_classes)
        program = next(p for p in track.programs if sited(p.reference(), [kind.forms]))
        request = Request(seed="0", bugs=1, kinds=(id_,), program=program.name)
        assert [bug.kind for bug in forge(request, track, catalogue, "0").bugs] == [id_]


def test_an_unknown_kind_suggests_the_nearest(catalogue: Catalogue) -> None:
    """A kind that is almost right is corrected."""
    with pytest.raises(UsageError) as caught:
        _forged(catalogue, seed="0", kinds=("mask-fil-zero",))
    assert "mask-fill-zero" in caught.value.mend


def test_difficulty_and_stage_are_kept(catalogue: Catalogue) -> None:
    """Bugs are drawn from the difficulty and the stages asked for."""
    for difficulty in ("easy", "medium", "hard"):
        key = _forged(catalogue, seed="1", difficulty=difficulty)
        assert {bug.difficulty for bug in key.bugs} == {difficulty}
    key = _forged(catalogue, seed="1", bugs=2, stages=("attention", "embedding"))
    assert {bug.stage for bug in key.bugs} <= {"attention", "embedding"}
