"""The corpora of right and of wrong programs get the verdicts that they are known to deserve.

Laws and comparison judge all of them. A seeded tenth is trained as well: of the right ones whose
training is easily misjudged, of the other right ones, and of the wrong ones that only training
shows. BUGFORGE_CORPORA=all trains every one.
"""

from collections import Counter
from collections.abc import Iterable

import pytest
from _pytest.mark import ParameterSet

from bugforge.training import Run, not_judged
from bugforge.verify import Verdict
from tests.conftest import Bench, Judge
from tests.corpus import Fixture, some
from tests.corpus.cheats import CHEATS
from tests.corpus.right import RIGHT
from tests.corpus.wrong import WRONG

REFUSED = (*WRONG, *CHEATS)
AREAS = ("label_shift", "positions", "mask", "projection", "training_step", "typo", "elsewhere")
LEAST = 80
OF_TRAINING = {law.check for unseen in (False, True) for law in not_judged(unseen=unseen, why="")}


def _named(fixture: Fixture) -> str:
    return f"{fixture.area}-{fixture.name}"


def _said(verdict: Verdict) -> str:
    lines = [f"{r.check}: {r.value} against {r.bound}" for r in verdict.broken]
    lines += [f"{r.check}: {r.why}" for r in verdict.untold if r.check not in OF_TRAINING]
    lines += [_run(run) for run in verdict.runs]
    return "\n".join([*lines, str(verdict.crash or "")])


def _run(run: Run) -> str:
    if run.recording.crash is not None:
        return str(run.recording.crash)
    return f"loss {run.final_loss:.3f} over {run.floor:.3f}: {run.sample!r}"


EITHER = pytest.mark.parametrize("fixture", [*RIGHT, *REFUSED], ids=_named)


@EITHER
def test_a_fixture_is_another_program(fixture: Fixture, reference: dict[str, str]) -> None:
    """Every change finds its place, and the program that results is not the reference."""
    assert fixture.applied(reference) != reference


@EITHER
def test_a_fixture_says_what_it_is(fixture: Fixture) -> None:
    """A fixture names a known area, and says why in one sentence."""
    assert fixture.area in (*AREAS, "cheat")
    assert fixture.why.endswith(".")


def test_names_are_unique() -> None:
    """No two fixtures of a corpus have the same name."""
    for corpus in (RIGHT, WRONG, CHEATS):
        assert max(Counter(fixture.name for fixture in corpus).values()) == 1


def test_no_program_is_in_both(reference: dict[str, str]) -> None:
    """What is right is not wrong, and no program stands in a corpus twice."""
    programs = Counter(tuple(sorted(f.applied(reference).items())) for f in (*RIGHT, *REFUSED))
    assert max(programs.values()) == 1


@pytest.mark.parametrize("corpus", [RIGHT, WRONG], ids=["right", "wrong"])
def test_a_corpus_is_large_and_broad(corpus: tuple[Fixture, ...]) -> None:
    """Each corpus holds many programs, and some of every area."""
    assert len(corpus) >= LEAST
    assert {fixture.area for fixture in corpus} == set(AREAS)


@pytest.fixture(scope="module")
def recorded(bench: Bench, reference: dict[str, str]) -> Bench:
    """All programs of both corpora, recorded or waiting to be."""
    for fixture in RIGHT:
        bench.submit(_named(fixture), fixture.applied(reference))
    for fixture in REFUSED:
        if not fixture.needs_training:
            bench.glimpse(_named(fixture), fixture.applied(reference))
    return bench


def _cases(fixtures: Iterable[Fixture]) -> list[ParameterSet]:
    return [pytest.param(fixture, id=_named(fixture)) for fixture in fixtures]


@pytest.mark.parametrize("fixture", _cases(RIGHT))
def test_a_right_program_keeps_all_laws(fixture: Fixture, recorded: Bench) -> None:
    """A right program keeps every law and comparison, and each of them can be judged."""
    readings = recorded.readings(_named(fixture)).values()
    failed = [(r.check, r.value, r.bound, r.why) for r in readings if not r.kept]
    assert not failed


@pytest.mark.parametrize("fixture", _cases(f for f in REFUSED if not f.needs_training))
def test_a_wrong_program_breaks_a_law(fixture: Fixture, recorded: Bench) -> None:
    """A wrong program or a cheat breaks a law or a comparison: it is not merely left unjudged."""
    assert recorded.broken(_named(fixture))


TRICKY = tuple(fixture for fixture in RIGHT if fixture.needs_training)
PLAIN = tuple(fixture for fixture in RIGHT if not fixture.needs_training)


@pytest.mark.parametrize("fixture", _cases((*some(TRICKY), *some(PLAIN))))
def test_a_right_program_passes(fixture: Fixture, reference: dict[str, str], judge: Judge) -> None:
    """A right program passes, its training and its samples included."""
    verdict = judge(fixture.applied(reference), trains="when kept")
    assert verdict.passed, _said(verdict)


@pytest.mark.parametrize("fixture", _cases(some(tuple(f for f in REFUSED if f.needs_training))))
def test_a_wrong_program_that_only_training_shows(
    fixture: Fixture, reference: dict[str, str], judge: Judge
) -> None:
    """A wrong program that keeps all laws does not pass, for what its training or sample shows."""
    verdict = judge(fixture.applied(reference), trains="when kept")
    assert not verdict.passed
    assert verdict.broken or verdict.crash
