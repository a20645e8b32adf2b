"""The contract that every installed mutation keeps."""

import random
from collections.abc import Iterator, Sequence
from functools import cache

import pytest

from bugforge import contract
from bugforge.catalogue import load
from bugforge.edits import apply_edits
from bugforge.linter import Linter
from bugforge.mutants import Mutant, home
from bugforge.mutation import BUG_CLASSES, Form, IncompleteMutationError, Mutation
from bugforge.program import Program
from bugforge.programs import MATMUL, PIPELINE
from bugforge.sandbox import Sandbox
from bugforge.surgery import sites
from bugforge.tracks import CACHED, CLASSIC, RAGGED, ROWS_CLASSIFIED, TOKENS_CLASSIFIED, subject_of
from bugforge.variant import vary
from tests.conftest import Bench, Judge, bench_of
from tests.corpus import some

KINDS = tuple(load().kinds.values())
FORMS = [(kind, form) for kind in KINDS for form in kind.forms]
JUDGED = some(FORMS, share=4)
"""Forms that are planted and judged; the audit does so with all of them, too."""


def _each(forms: Sequence[tuple[type[Mutation], Form]]) -> pytest.MarkDecorator:
    ids = [f"{kind.id}/{form.name}" for kind, form in forms]
    return pytest.mark.parametrize(("kind", "form"), forms, ids=ids)


each_form = _each(FORMS)


HOMES = (
    *CLASSIC.programs,
    CACHED.programs[0],
    CACHED.program("rotary"),
    RAGGED.programs[0],
    TOKENS_CLASSIFIED.programs[0],
    ROWS_CLASSIFIED.programs[0],
    MATMUL,
    PIPELINE,
)
"""Programs of which every form finds a place in one."""


@cache
def _home(kind: type[Mutation], form: Form) -> Program:
    """Give the first program, of those that the kind is for, that has a site for a form."""
    return home([p for p in HOMES if p.subject == subject_of(kind)], form)


@cache
def _pristine(program: Program) -> dict[str, str]:
    rng = random.Random(0)
    return vary(program.reference(), (), program.text(rng), rng).files


def _mutants(kind: type[Mutation], form: Form) -> Iterator[Mutant]:
    """Plant a form at each site of the first program that has one for it."""
    sources = [contract.parsed(name, text) for name, text in _pristine(_home(kind, form)).items()]
    found = (site for source in sources for site in sites(source, form))
    for number, site in enumerate(found, start=1):
        yield Mutant(kind, form, number, site.plant())


def test_the_catalogue_is_whole() -> None:
    """No built-in plugin is broken, and every class has kinds."""
    assert load().broken == ()
    assert {kind.bug_class for kind in KINDS} == set(BUG_CLASSES)
    assert len(FORMS) >= 24


def test_every_difficulty_fills_a_workspace() -> None:
    """At every difficulty at least four classes have a kind, so that four bugs fit."""
    for difficulty in ("easy", "medium", "hard"):
        classes = {kind.bug_class for kind in KINDS if kind.difficulty == difficulty}
        assert len(classes & set(CLASSIC.bug_classes)) >= 4, difficulty


@each_form
def test_examples_mutate_as_written(kind: type[Mutation], form: Form) -> None:
    """A form turns its correct example into its buggy one, to the letter."""
    assert not contract.example_mutates(form), kind.id


@each_form
def test_lookalikes_are_left_alone(kind: type[Mutation], form: Form) -> None:
    """A form finds no site in what its kind says must stay untouched."""
    assert not contract.lookalikes_stay(kind, form)


@each_form
def test_it_finds_a_site(kind: type[Mutation], form: Form) -> None:
    """A form has a site in a reference, and is a small change of whole lines there."""
    assert not contract.site_found(form, _pristine(_home(kind, form))), kind.id


@pytest.mark.parametrize("program", HOMES, ids=lambda program: program.label)
def test_no_linter_gives_a_bug_away(program: Program) -> None:
    """A mutant has no finding of ruff, all rules on, that its reference has not; and its
    formatting is as clean.
    """
    pristine = _pristine(program)
    forms = [(kind, form) for kind, form in FORMS if _home(kind, form) == program]
    bugs = {
        mutant.name: apply_edits(pristine, mutant.edits)
        for kind, form in forms
        for mutant in _mutants(kind, form)
    }
    linter = Linter.found()
    assert linter
    assert len(bugs) >= len(forms) > 0
    assert not contract.unseen_by_linters(linter, pristine, bugs)


@pytest.fixture(scope="module")
def recorded(box: Sandbox, tmp_path_factory: pytest.TempPathFactory) -> dict[str, Bench]:
    """Every mutant of the forms to judge, recorded or waiting to be, by its program's name."""
    benches = {
        program.label: bench_of(
            box, program, _pristine(program), tmp_path_factory.mktemp(program.name)
        )
        for program in HOMES
    }
    for kind, form in JUDGED:
        program = _home(kind, form)
        for mutant in _mutants(kind, form):
            files = apply_edits(_pristine(program), mutant.edits)
            benches[program.label].submit(mutant.name, files)
    return benches


@_each(JUDGED)
def test_the_checks_it_names_kill_it(
    kind: type[Mutation], form: Form, recorded: dict[str, Bench]
) -> None:
    """Planted alone, a form breaks exactly the checks that its kind names, at every site."""
    bench = recorded[_home(kind, form).label]
    for mutant in _mutants(kind, form):
        assert not contract.named_checks_break(mutant, _broken(bench, mutant.name))


def _broken(bench: Bench, name: str) -> frozenset[str]:
    readings = bench.readings(name).values()
    return frozenset(reading.check for reading in readings if reading.kept is False)


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
