"""One layer for queries, keys and values: the same program as one with three, to every check."""

from collections.abc import Mapping

import pytest

from bugforge.catalogue import load
from bugforge.edits import apply_edits
from bugforge.mutants import Mutant, mutants
from bugforge.programs import GPT
from bugforge.sandbox import Sandbox
from bugforge.sentences import shipped
from bugforge.tracks import kinds_of
from bugforge.variant import written
from tests.conftest import Bench, bench_of
from tests.corpus.accept_fused import FUSED
from tests.corpus.accept_typo import TYPO
from tests.corpus.reject_fused import FUSED as WRONGLY_FUSED
from tests.corpus.reject_mask import MASKS

CATALOGUE = load()
WAYS = tuple(f"projections/{way}" for way in CATALOGUE.rewrites["projections"].choices())
WAY = "projections/chunked"
WEAK = ("fill_minus_30", "fill_minus_50", "added_minus_30")
PLANTED = ("typo-", "heads-", "detach-attention", "scale-missing", "mask-fill-")
LEAST = 10


def _written(*ways: str) -> dict[str, str]:
    return written(GPT.reference(), CATALOGUE.rewrites.values(), shipped()[0], ways)


@pytest.fixture(scope="module")
def fused(box: Sandbox, tmp_path_factory: pytest.TempPathFactory) -> Bench:
    """A bench whose pristine program is fused."""
    return bench_of(box, GPT, _written(WAY), tmp_path_factory.mktemp("fused"))


def _unkept(bench: Bench, programs: Mapping[str, Mapping[str, str]]) -> dict[str, list[str]]:
    """Name the checks that each program breaks, or that could not be judged."""
    for name, files in programs.items():
        bench.submit(name, files)
    return {
        name: [check for check, reading in bench.readings(name).items() if not reading.kept]
        for name in programs
    }


def test_the_same_program_however_it_is_divided(fused: Bench, reference: dict[str, str]) -> None:
    """A learner may divide a fused layer into three, or take its thirds in another order."""
    others = (fixture for fixture in TYPO if "layer" in fixture.name)
    right = {fixture.name: fixture.applied(reference) for fixture in (*FUSED, *others)}
    ways = {way.replace("/", " "): _written(way) for way in WAYS}
    unkept = _unkept(fused, {"plain": reference, **ways, **right})
    assert not any(unkept.values()), unkept


def test_a_wrong_program_is_refused_by_a_fused_one(fused: Bench, reference: dict[str, str]) -> None:
    """Wrong programs, masks that nearly hide among them, are refused whatever is fused."""
    weak = [fixture for fixture in MASKS if fixture.name in WEAK]
    wrong = {fixture.name: fixture.applied(reference) for fixture in (*weak, *WRONGLY_FUSED)}
    unkept = _unkept(fused, wrong)
    assert len(weak) == len(WEAK)
    assert all(unkept.values()), unkept


def test_bugs_of_attention_are_the_same_in_a_fused_program(fused: Bench) -> None:
    """A bug planted in a fused program breaks exactly the checks that its kind names."""
    files = _written(WAY)
    planted: dict[str, Mutant] = {
        mutant.name: mutant
        for mutant in mutants(files, kinds_of(CATALOGUE, GPT))
        if mutant.kind.stage == "attention" and mutant.kind.id.startswith(PLANTED)
    }
    assert len(planted) >= LEAST
    assert {"typo-k-for-v", "typo-q-for-k"} <= {mutant.kind.id for mutant in planted.values()}
    for name, mutant in planted.items():
        fused.submit(name, apply_edits(files, mutant.edits))
    for name, mutant in planted.items():
        readings = fused.readings(name).values()
        broken = {reading.check for reading in readings if reading.kept is False}
        assert broken == mutant.killers, name
