"""The contract that every installed mutation keeps."""

import json
import subprocess
import sys
from collections import Counter
from collections.abc import Mapping
from functools import cache
from pathlib import Path

import pytest

from bugforge.catalogue import load
from bugforge.edits import apply_edits
from bugforge.mutation import Form, IncompleteMutationError, Mutation
from bugforge.surgery import Site, parse, sites
from bugforge.track import CLASSIC
from tests.conftest import Bench, Judge

ROOT = Path(__file__).parent.parent
KINDS = tuple(load().kinds.values())
FORMS = [(kind, form) for kind in KINDS for form in kind.forms]
MOST_LINES = 8
parsed = cache(parse)  # the reference is asked for its sites by every form

each_form = pytest.mark.parametrize(
    ("kind", "form"), FORMS, ids=[f"{kind.id}/{form.name}" for kind, form in FORMS]
)


def _first(text: str, form: Form) -> str | None:
    """Plant a form at its first site in a module, if it has one."""
    source = parse("example.py", text)
    found = next(iter(sites(source, form)), None)
    return found and apply_edits({"example.py": text}, found.plant())["example.py"]


def _sites(files: Mapping[str, str], form: Form) -> list[Site]:
    return [site for name, text in files.items() for site in sites(parsed(name, text), form)]


def test_the_catalogue_is_whole() -> None:
    """No built-in plugin is broken, and six classes have four forms and more in all."""
    assert load().broken == ()
    assert {kind.bug_class for kind in KINDS} == set(CLASSIC.bug_classes)
    assert len(FORMS) >= 24


def test_every_difficulty_fills_a_workspace() -> None:
    """At every difficulty at least four classes have a kind, so that four bugs fit."""
    for difficulty in ("easy", "medium", "hard"):
        classes = {kind.bug_class for kind in KINDS if kind.difficulty == difficulty}
        assert len(classes) >= 4, difficulty


@each_form
def test_examples_mutate_as_written(kind: type[Mutation], form: Form) -> None:
    """A form turns its correct example into its buggy one, to the letter."""
    assert _first(form.correct, form) == form.buggy, kind.id


@each_form
def test_lookalikes_are_left_alone(kind: type[Mutation], form: Form) -> None:
    """A form finds no site in what its kind says must stay untouched."""
    for text in kind.untouched:
        assert _first(text, form) is None


@each_form
def test_it_finds_a_site(kind: type[Mutation], form: Form, reference: dict[str, str]) -> None:
    """A form has a site in the reference, and is a small change of whole lines there."""
    found = _sites(reference, form)
    assert found, kind.id
    for site in found:
        edits = site.plant()
        assert edits
        assert sum(len(edit.old) + len(edit.new) for edit in edits) <= MOST_LINES
        for text in apply_edits(reference, edits).values():
            compile(text, "mutant", "exec")


def test_no_linter_gives_a_bug_away(reference: dict[str, str], tmp_path: Path) -> None:
    """A mutant has no finding of ruff, all rules on, that the reference has not; and its
    formatting is as clean.
    """
    mutants = {"reference": reference}
    for kind, form in FORMS:
        for index, site in enumerate(_sites(reference, form)):
            name = f"{kind.id}_{form.name}_{index}".replace("-", "_").replace(" ", "_")
            mutants[name] = apply_edits(reference, site.plant())
    for name, files in mutants.items():
        folder = tmp_path / name
        folder.mkdir()
        for file, text in files.items():
            (folder / file).write_text(text, encoding="utf-8")
    findings = _ruff_findings(tmp_path)
    expected = findings.pop("reference")
    told = {name: found - expected for name, found in findings.items() if found - expected}
    assert not told
    formatted = _ruff("format", "--check", "--isolated", "--line-length=100", str(tmp_path))
    assert formatted.returncode == 0, formatted.stdout


def _ruff(*arguments: str) -> "subprocess.CompletedProcess[str]":
    return subprocess.run(
        [sys.executable, "-m", "ruff", *arguments], capture_output=True, text=True, check=False
    )


def _ruff_findings(folder: Path) -> dict[str, Counter[str]]:
    ran = _ruff(
        "check",
        "--isolated",
        "--select=ALL",
        "--preview",
        "--line-length=100",
        "--target-version=py311",
        "--output-format=json",
        str(folder),
    )
    counts: dict[str, Counter[str]] = {path.name: Counter() for path in folder.iterdir()}
    for finding in json.loads(ran.stdout):
        path = Path(finding["filename"])
        counts[path.parent.name][f"{path.name} {finding['code']}"] += 1
    return counts


@pytest.fixture(scope="module")
def recorded(bench: Bench, reference: dict[str, str]) -> Bench:
    """Every mutant of every form, recorded or waiting to be."""
    for kind, form in FORMS:
        for index, site in enumerate(_sites(reference, form)):
            files = apply_edits(reference, site.plant())
            bench.submit(f"{kind.id} {form.name} {index}", files)
    return bench


@each_form
def test_the_checks_it_names_kill_it(
    kind: type[Mutation], form: Form, reference: dict[str, str], recorded: Bench
) -> None:
    """Planted alone, a form breaks exactly the checks that its kind names, at every site."""
    for index, _ in enumerate(_sites(reference, form)):
        readings = recorded.readings(f"{kind.id} {form.name} {index}").values()
        broken = frozenset(reading.check for reading in readings if reading.kept is False)
        assert broken == kind.killers(form)


def test_the_reference_keeps_every_law(reference: dict[str, str], judge: Judge) -> None:
    """The correct program survives every law and comparison, whatever the inputs drawn."""
    for seed in range(3):
        verdict = judge(reference, seed=seed)
        assert verdict.lawful, [reading for reading in verdict.readings if not reading.kept]


def test_an_incomplete_mutation_is_refused() -> None:
    """A mutation that lacks a field is refused where it is defined, with the mend."""
    with pytest.raises(IncompleteMutationError, match="set id"):
        type("Empty", (Mutation,), {"__doc__": "A title."})


def test_a_mutation_without_a_page_is_refused() -> None:
    """A mutation whose docstring lacks a section is refused, and the section is named."""
    body = {name: getattr(KINDS[0], name) for name in Mutation.__annotations__ if name != "page"}
    with pytest.raises(IncompleteMutationError, match="What it does"):
        type("Pageless", (Mutation,), {**body, "__doc__": "A title."})
