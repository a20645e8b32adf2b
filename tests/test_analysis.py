"""A learner's ANALYSIS.md is read forgivingly, and held against the key."""

import json
import random
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bugforge.analysis import fitted
from bugforge.answers import AnswerKey
from bugforge.catalogue import load
from bugforge.choosing import Request
from bugforge.claims import ANALYSIS, claims_in
from bugforge.documents import Allowance, documents
from bugforge.forge import forge
from bugforge.mend import forged_start
from bugforge.tracks import CLASSIC
from tests.test_cli import run

CATALOGUE = load()


def _key(seed: int) -> AnswerKey:
    return forge(Request(seed=str(seed), bugs=4), CLASSIC, CATALOGUE, "0")


@given(st.text())
def test_any_text_can_be_read(text: str) -> None:
    """Whatever stands in the file, it is read without an error."""
    claims = claims_in(text)
    assert [claim.number for claim in claims] == list(range(1, len(claims) + 1))


def test_what_is_not_filled_in_claims_nothing() -> None:
    """The form as it is given holds no claim, and one that is half filled in holds one."""
    form = documents(_key(0), Allowance(60, 4))[ANALYSIS]
    assert claims_in(form) == ()
    assert len(claims_in(form.replace("- Class:", "- Class: mask"))) == 1


@pytest.mark.parametrize("seed", range(6))
def test_claims_of_the_key_fit(seed: int) -> None:
    """What names each bug's line, as forged or as it has moved since, and its class, fits it."""
    key, rng = _key(seed), random.Random(seed)
    above = rng.randrange(1, 40)
    moved = {name: "# mine\n" * above + text for name, text in key.forged.items()}
    for shift, current in ((0, key.forged), (above, moved)):
        text = "".join(
            f"## {bug.number}\n- Where: {edit.name}, line {forged_start(key, edit) + 1 + shift}\n"
            f"- Class: {bug.bug_class}\n"
            for bug in rng.sample(key.bugs, len(key.bugs))
            for edit in bug.edits[:1]
        )
        analysis = fitted(claims_in(text), key, current)
        assert analysis.fitting == len(key.bugs)
        assert not analysis.unclaimed


def test_other_ways_to_say_it() -> None:
    """A place may be a name, and a class may be said in other words; without a form, too."""
    key = forge(Request(seed="1", bugs=1, kinds=("mask-fill-zero",)), CLASSIC, CATALOGUE, "0")
    (edit,) = key.bugs[0].edits
    for words in (
        f"1. The causal mask is filled with 0, in `forward` of {edit.name}.",
        f"### Future tokens\nWhere: {edit.name}:{forged_start(key, edit) + 2}\n",
        f"**Where:** src/{edit.name} L{forged_start(key, edit) + 1}\n**Class:** causal masking\n",
    ):
        analysis = fitted(claims_in(words), key, key.forged)
        assert analysis.fitting == 1, words


LAYOUTS = {
    "numbers below a heading": ("# Analysis\n\n## Bugs\n\n", "{n}. {file}, line {line}: {cls}\n"),
    "bullets": ("# Analysis\n\nWhat I found:\n\n", "- `{file}:{line}`: {cls}\n  It was wrong.\n"),
    "bullets below a heading": ("# Mine\n## Findings\n", "* **{cls}** in {file}, line {line}\n"),
    "a table": (
        "# A\n\n| # | File | Line | Class | Fix |\n|---|:--|---|---|---|\n",
        "| {n} | `{file}` | {line} | {cls} | done |\n",
    ),
    "paragraphs": ("", "**Bug {n}:** {file} Line {line}. {cls}\n\n"),
    "headings with a number": (
        "# A\n",
        "### Bug {n} ({file})\n- line {line} is wrong\n- {cls}\n\n",
    ),
    "fields": (
        "",
        "Bug {n}\nFile: {file}\nLine: {line}\nClass: {cls}\nCause: a slip\nFix: undone\n\n",
    ),
    "lines of a file": ("I looked at it.\n\n", "{file}:{line} - {cls}\n"),
    "names of places": (
        "",
        "## {n}\n- **File**: {file}\n- **Lines**: {line}-{line}\n- Class: {cls}\n",
    ),
}


@pytest.mark.parametrize("layout", LAYOUTS)
def test_claims_are_read_in_any_layout(layout: str) -> None:
    """Claims in a list, a table, paragraphs or sections are as many as the bugs, and fit them."""
    key = _key(3)
    before, each = LAYOUTS[layout]
    claims = [
        each.format(
            n=bug.number, file=edit.name, line=forged_start(key, edit) + 1, cls=bug.bug_class
        )
        for bug in key.bugs
        for edit in bug.edits[:1]
    ]
    analysis = fitted(claims_in(before + "".join(claims)), key, key.forged)
    assert [fit.whole for fit in analysis.fits] == [True] * len(key.bugs)


def test_sections_by_file() -> None:
    """Below the heading of a file, each item is a claim of a place in it."""
    key = _key(3)
    by_file: dict[str, str] = {}
    for bug in key.bugs:
        edit = bug.edits[0]
        line = forged_start(key, edit) + 1
        item = f"- line {line}: {bug.bug_class}, see below\n"
        by_file[edit.name] = by_file.get(edit.name, f"## {edit.name}\n\n") + item
    text = "# Analysis\n\n## Analysis\n\n" + "\n".join(by_file.values())
    analysis = fitted(claims_in(text), key, key.forged)
    assert [fit.whole for fit in analysis.fits] == [True] * len(key.bugs)
    assert {name for fit in analysis.fits for name in fit.claim.files} == set(by_file)


def test_what_is_invented_fits_nothing() -> None:
    """Another file, or a class and a place of which there is no bug, fits none; and of two claims
    of one bug only one fits it.
    """
    key = forge(Request(seed="1", bugs=1, kinds=("mask-fill-zero",)), CLASSIC, CATALOGUE, "0")
    (edit,) = key.bugs[0].edits
    line = forged_start(key, edit) + 1
    text = (
        "## 1\n- Where: train.py, `get_batch`\n- Class: label shift\n"
        f"## 2\n- Where: train.py, line {line}\n- Class: mask\n"
        f"## 3\n- Where: model.py, line {line}\n- Class: mask\n"
        f"## 4\n- Where: model.py, line {line}\n- Class: mask\n"
    )
    analysis = fitted(claims_in(text), key, key.forged)
    assert [fit.bug for fit in analysis.fits] == [None, None, 1, None]
    assert len(analysis.others) == 3


def test_a_check_tells_no_more_than_it_may(tmp_path: Path) -> None:
    """While something is wrong, claims are counted; what fits is told by more feedback, and
    `reveal` shows the learner's words beside the bug.
    """
    run("new", "w", "--kind", "mask-fill-zero", "--program", "gpt", "--seed", "1", cwd=tmp_path)
    root = tmp_path / "w"
    (root / ANALYSIS).write_text("## 1\n- Where: model.py, `forward`\n- Class: mask\n")
    model = (root / "model.py").read_text(encoding="utf-8")
    (root / "model.py").write_text(model + "(", encoding="utf-8")  # which ends it at once
    told = {
        feedback: json.loads(
            run("check", "w", "--feedback", feedback, "--json", cwd=tmp_path).stdout
        )
        for feedback in ("verdict", "component", "full")
    }
    assert told["verdict"]["analysis"] == {"claims": 1}
    assert told["component"]["analysis"] == {"claims": 1, "fitting": 1}
    assert told["full"]["analysis"]["fits"] == [
        {"claim": 1, "bug": 1, "in_place": True, "in_class": True}
    ]
    shown = run("check", "w", cwd=tmp_path).stdout
    assert "1 claim read" in shown
    revealed = run("reveal", "w", cwd=tmp_path).stdout
    assert "What you wrote" in revealed
    assert "Where: model.py" in revealed
