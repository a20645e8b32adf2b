"""The ladder of hints and the score: what is told of which bug, what it costs, and what is never
told.
"""

import json
import random
from collections.abc import Iterable
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from bugforge.answers import AnswerKey, Bug, unseal
from bugforge.catalogue import Catalogue, load
from bugforge.clock import Event, Moment, Standing, standing
from bugforge.ladder import RUNGS, Hint, fitting, hint, law_of, next_rung
from bugforge.location import located
from bugforge.mend import forged_start, mend
from bugforge.mutation import VISIBILITIES
from bugforge.own_program import OWN
from bugforge.scoring import RUNG_SHARES, rung_cost, score
from tests.test_cli import run

CRASH, LEAK = "window-off-by-one", "mask-fill-zero"
ANY_PACE = settings(deadline=None)
TAKEN = st.dictionaries(st.integers(1, 3), st.integers(1, len(RUNGS)), max_size=3)


@pytest.fixture(scope="module")
def kinds() -> Catalogue:
    """All that is installed."""
    return load()


@pytest.fixture(scope="module")
def key(tmp_path_factory: pytest.TempPathFactory) -> AnswerKey:
    """The key of a workspace with three bugs."""
    folder = tmp_path_factory.mktemp("three")
    kinds = ("--kind", CRASH, "--kind", LEAK, "--kind", "zero-grad-after-backward")
    assert run("new", *kinds, "--bugs", "3", "--seed", "5", cwd=folder).returncode == 0
    return key_of(folder / "workspace")


def key_of(workspace: Path) -> AnswerKey:
    """Open the key that lies in a workspace."""
    return unseal((workspace / ".bugforge" / "key").read_text(), "key")


def named(key: AnswerKey, kind: str) -> Bug:
    """Find the bug of a kind."""
    return next(bug for bug in key.bugs if bug.kind == kind)


def hinted(workspace: Path, *options: str) -> dict[str, Any]:
    """Ask for a hint, or for those there were."""
    ran = run("hint", "--json", *options, cwd=workspace)
    assert ran.returncode == 0, ran.stderr
    document: dict[str, Any] = json.loads(ran.stdout)
    return document


def mended(workspace: Path, bugs: Iterable[Bug]) -> None:
    """Take bugs out of a workspace, as a learner would."""
    key = key_of(workspace)
    files = {name: (workspace / name).read_text() for name in key.pristine}
    for name, text in mend(key, files, tuple(bugs)).files.items():
        (workspace / name).write_text(text)


def test_the_ladder_of_a_practice(tmp_path: Path) -> None:
    """The crash comes first, rung by rung, each at its cost, which is told before; what is mended
    gets no hint any more; a fault of the learner's own is told for nothing; and once it passed, or
    was revealed, there are no hints.
    """
    kinds = ("--kind", CRASH, "--kind", LEAK)
    made = run("new", *kinds, "--bugs", "2", "--program", "gpt", "--seed", "3", cwd=tmp_path)
    assert made.returncode == 0, made.stderr
    workspace = tmp_path / "workspace"
    key = key_of(workspace)
    crash, leak = named(key, CRASH), named(key, LEAK)

    listed = run("hint", "--list", cwd=workspace)
    assert "The 4 hints of a bug cost 4, 8, 12 and 16 points." in listed.stdout
    before = hinted(workspace, "--list")
    assert (before["taken"], before["score"]["points"]) == ([], 100)

    told = [hinted(workspace) for _ in range(4)]
    assert [(one["hint"]["bug"], one["hint"]["rung"]) for one in told] == [
        (crash.number, rung) for rung in (1, 2, 3, 4)
    ]
    assert [one["hint"]["cost"] for one in told] == before["costs"] == [4, 8, 12, 16]
    assert [one["next_cost"] for one in told] == [8, 12, 16, 4]
    assert [one["next_bug"] for one in told] == [*[crash.number] * 3, leak.number]
    assert [one["score"]["points"] for one in told] == [96, 88, 76, 60]
    lines = {edit.name: forged_start(key, edit) + 1 for edit in crash.edits}
    assert {(p["file"], p["line"]) for p in told[-1]["hint"]["places"]} == set(lines.items())
    assert told[-1]["taken"] == [one["hint"] for one in told[:3]]

    mended(workspace, [crash])
    following = hinted(workspace)
    assert (following["hint"]["bug"], following["hint"]["rung"]) == (leak.number, 1)
    assert leak.symptom in [words["text"] for words in following["hint"]["words"]]
    assert hinted(workspace, "--list")["taken"] == [*following["taken"], following["hint"]]
    status = run("status", cwd=workspace)
    assert f"bug {leak.number}, rung 1 of 4" in status.stdout
    assert "Score: 56 of 100, less 44 for 5 hints." in status.stdout

    mended(workspace, [leak])
    assert "every law holds" in hinted(workspace)["why_none"]
    (workspace / "model.py").write_text("def broken(:\n")
    fault = hinted(workspace)
    assert fault["hint"] is None
    assert "SyntaxError" in fault["why_none"]
    assert fault["score"] == following["score"]

    assert run("reveal", cwd=workspace).returncode == 0
    ended = run("hint", cwd=workspace)
    assert ended.returncode == 2
    assert "bugforge reset" in ended.stderr


def test_where_there_are_no_hints(tmp_path: Path) -> None:
    """A program to be added to has none, and says so; a key that is kept away is asked for."""
    made = run("new", "--track", "kv-cache", "--key-dir", "keys", cwd=tmp_path)
    assert made.returncode == 0, made.stderr
    away = run("hint", cwd=tmp_path)
    assert (away.returncode, "--key-dir" in away.stderr) == (2, True)
    none = run("hint", "--key-dir", "keys", cwd=tmp_path)
    assert none.returncode == 2
    assert "no bugs" in none.stderr
    assert not (tmp_path / "workspace" / ".bugforge" / "journal.jsonl").exists()


def test_no_page_gives_its_fix_away(kinds: Catalogue) -> None:
    """Nothing that hints say of a kind holds a line that mends one of its forms."""
    for id_, kind in kinds.kinds.items():
        told = "\n".join([kind.page.symptom, kind.page.find, *kind.hints])
        for form in kind.forms:
            wrong = {line.strip() for line in form.buggy.splitlines()}
            right = {line.strip() for line in form.correct.splitlines()} - wrong - {""}
            assert not [line for line in right if line in told], (id_, form.name)


def test_no_rung_gives_the_fix_away(key: AnswerKey, kinds: Catalogue) -> None:
    """No hint holds a line of the correct program that the learner has not, nor the kind's name;
    each names more of the place than the one before it.
    """
    for bug in key.bugs:
        ladder = [hint(key, kinds, bug.number, rung + 1, key.forged) for rung in range(4)]
        right = {line.strip() for edit in bug.edits for line in edit.old}
        right = {line for line in right if not any(line in text for text in key.forged.values())}
        for rung in ladder:
            assert not [line for line in right if line in _text(rung)]
            assert bug.kind not in _text(rung)
        assert not any(name in _text(rung) for rung in ladder[:2] for name in key.pristine)
        assert all(edit.name in _text(rung) for rung in ladder[2:] for edit in bug.edits)
        assert "line" in _text(ladder[3])


def _text(rung: Hint) -> str:
    return "\n".join(words for _, words in rung.words)


def test_the_law_comes_with_an_experiment(key: AnswerKey, kinds: Catalogue) -> None:
    """The second rung alone has code to type, which imports from where the program lies, and uses
    no name that another way to write the program takes away.
    """
    leak = named(key, LEAK)
    rungs = [hint(key, kinds, leak.number, rung, key.forged).experiment for rung in (1, 2, 3, 4)]
    assert [rung is not None for rung in rungs] == [False, True, False, False]
    assert rungs[1]
    assert "from model import" in rungs[1].code
    assert not rungs[1].inner
    one = replace(key, options={**key.options, "single_file": True})
    found = fitting(one, kinds, leak)
    assert found
    assert "from main import" in found.code
    assert fitting(replace(key, track=OWN), kinds, leak) is None


def test_the_law_is_one_that_the_kind_breaks(key: AnswerKey, kinds: Catalogue) -> None:
    """The second rung names a law that a program can be held to alone, where its kind breaks one;
    and none of a program of the user's own, nor where the kind is not installed.
    """
    leak = named(key, LEAK)
    law = law_of(key, kinds, leak)
    assert law
    assert "later" in law or "earlier" in law
    assert law_of(replace(key, track=OWN), kinds, leak) is None
    assert law_of(key, Catalogue({}, {}, ()), leak) is None
    assert hint(key, Catalogue({}, {}, ()), leak.number, 2, key.forged).words[0][0] == "Try"


@ANY_PACE
@given(st.tuples(TAKEN, st.sets(st.integers(1, 3)), st.booleans(), st.randoms()))
def test_the_next_rung(
    key: AnswerKey, kinds: Catalogue, drawn: tuple[dict[int, int], set[int], bool, random.Random]
) -> None:
    """The next hint is of a bug that remains, one rung on; it goes on with the one that was begun
    last, and else takes the one that shows first. In a crash it is of one that may crash, as long
    as that has a rung left; and there is none, where none of those that remain may.
    """
    taken, remaining, crashed, rng = drawn
    order = rng.sample(sorted(taken), len(taken))
    taken = {number: taken[number] for number in order}
    crash = named(key, CRASH).number
    open_ = {number for number in remaining if taken.get(number, 0) < len(RUNGS)}
    if crashed:
        open_ = (open_ & {crash} or open_) if crash in remaining else set()
    found = next_rung(key, kinds, remaining, taken, crashed=crashed)
    if not open_:
        assert found is None
        return
    assert found is not None
    begun = [number for number in order if number in open_]
    shows = {bug.number: VISIBILITIES.index(kinds.kinds[bug.kind].visibility) for bug in key.bugs}
    assert found[0] in open_
    assert found[1] == taken.get(found[0], 0) + 1
    if begun:
        assert found[0] == begun[-1]
    else:
        assert shows[found[0]] == min(shows[number] for number in open_)


@ANY_PACE
@given(st.integers(0, 400), st.integers(1, 9))
def test_a_place_is_found_again(key: AnswerKey, at: int, count: int) -> None:
    """Lines that a learner puts in elsewhere move a place, and change nothing else of it."""
    for bug in key.bugs:
        for edit in bug.edits:
            text = key.forged[edit.name]
            start = forged_start(key, edit)
            lines = text.splitlines(keepends=True)
            before = min(at, start) if at % 2 else min(len(lines), start + len(edit.new) + at)
            added = [f"# mine {number}\n" for number in range(count)]
            now = "".join([*lines[:before], *added, *lines[before:]])
            was, found = located(key, edit, text), located(key, edit, now)
            moved = count if before <= start else 0
            if edit.new or before != start:
                assert found == replace(was, first=was.first + moved, last=was.last + moved) or (
                    before == start + len(edit.new) and not edit.new
                )


def test_a_place_that_was_rewritten_is_still_told(key: AnswerKey) -> None:
    """Where a learner has written, the lines that stand there now are told; a file that is gone is
    said to be; and a text that is no program has lines, too.
    """
    edit = named(key, LEAK).edits[0]
    text = key.forged[edit.name]
    lines = text.splitlines(keepends=True)
    row = forged_start(key, edit)
    other = "".join([*lines[:row], "        x = y = (1\n", *lines[row + len(edit.new) :]])
    found = located(key, edit, other)
    assert (found.first, found.code, found.changed) == (row + 1, "        x = y = (1", True)
    assert found.scope == located(key, edit, text).scope
    gone = located(key, edit, "")
    assert (gone.gone, gone.first) == (True, row + 1)


def _stands(events: list[tuple[str, dict[str, object]]], seconds: float = 0) -> Standing:
    """Let events happen at once, and seconds pass behind them."""
    at = Moment(1e9, "one", 100.0)
    made = [Event(name, at, fields) for name, fields in events]
    return standing(made, replace(at, awake=100.0 + seconds))


def _hints(taken: dict[int, int], bugs: int) -> list[tuple[str, dict[str, object]]]:
    return [
        ("hint", {"bug": bug, "rung": rung, "of": bugs})
        for bug, highest in taken.items()
        for rung in range(1, highest + 1)
    ]


@ANY_PACE
@given(TAKEN, st.integers(3, 6), st.integers(0, 9000), st.integers(0, 9), st.integers(0, 3))
def test_the_score_is_its_formula(
    taken: dict[int, int], bugs: int, seconds: int, runs: int, revealed: int
) -> None:
    """The score is what its formula says: hints and reveals by a bug's share, minutes begun and
    runs over; never below 0; and with no limit, time and runs cost nothing.
    """
    shown = list(range(1, revealed + 1))
    reveals = [("reveal", {"bugs": shown, "of": bugs})] if shown else []
    events = [("start", {}), *[("run", {})] * runs, *_hints(taken, bugs), *reveals]
    stands = _stands(events, seconds)
    share = 100 / bugs
    off = share * revealed + sum(
        share * sum(RUNG_SHARES[:rung]) for bug, rung in taken.items() if bug not in shown
    )
    used = 0 if stands.ended else seconds
    over = max(0, -(-(used - 60) // 60)) + 2 * max(0, runs - 4)
    scored = score(stands, 1, 4)
    assert scored.points == max(0, round(100 - off - over))
    assert score(stands, 0, 0).points == max(0, round(100 - off))
    assert scored.rungs == sum(taken.values())


def test_the_published_points() -> None:
    """With four bugs the rungs cost 2, 4, 6 and 8 points; all that is revealed leaves nothing, with
    bugs and without; and events that are not what they should be cost nothing.
    """
    assert [rung_cost(rung, 4) for rung in (1, 2, 3, 4)] == pytest.approx([2, 4, 6, 8])
    whole = _stands([("reveal", {"bugs": [1, 2], "of": 2})])
    assert score(whole, 60, 4).points == 0
    assert score(_stands([("reveal", {"bugs": [], "of": 0})]), 60, 4).points == 0
    spoilt = [("hint", {"bug": "1", "rung": 9}), ("hint", {"bug": 1, "rung": 7, "of": 4})]
    assert score(_stands([*spoilt, ("reveal", {"bugs": 3, "of": "x"})]), 60, 4).points == 100
