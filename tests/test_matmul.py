"""A product of one's own: it goes from new to reveal, and its bugs are told."""

import json
import random
from pathlib import Path

import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st

from bugforge import contract
from bugforge.bench import Bench
from bugforge.catalogue import load
from bugforge.choosing import Request
from bugforge.edits import apply_edits
from bugforge.forge import forge, is_genuine
from bugforge.linter import Linter
from bugforge.mutants import mutants
from bugforge.programs import MATMUL
from bugforge.properties.multiplying import passed_back
from bugforge.properties.scanning import windows
from bugforge.rewrite import Restructuring
from bugforge.sandbox import Sandbox
from bugforge.tracks import PRODUCT
from bugforge.variant import vary, written
from tests.test_bitwise import outcome_of_tests
from tests.test_cli import run

CATALOGUE = load()
KINDS = [kind for kind in CATALOGUE.kinds.values() if PRODUCT.plants(kind)]
REWRITES = CATALOGUE.rewrites_of(MATMUL)
WAYS = [f"{rewrite.id}/{choice}" for rewrite in REWRITES for choice in rewrite.choices()]
TREES = [rewrite for rewrite in REWRITES if issubclass(rewrite, Restructuring)]
DRAWN = 6
MUTANTS = 12
SIZES = st.integers(1, 3)


def _programs() -> dict[str, dict[str, str]]:
    """Write the program in each way alone, and in some that are drawn."""
    alone = {way: written(MATMUL.reference(), REWRITES, "", (way,)) for way in WAYS}
    drawn = {
        f"seed {seed}": vary(MATMUL.reference(), REWRITES, "", random.Random(seed)).files
        for seed in range(DRAWN)
    }
    return alone | drawn


def test_from_nothing_to_a_solution(tmp_path: Path) -> None:
    """What is not written yet fails in clear words, by the tests that lie there, too; the solution
    passes both; and a derivation is shown beside the key's once there is one.
    """
    run("new", "w", "--track", "matmul", cwd=tmp_path)
    failed = run("check", "w", "--json", cwd=tmp_path)
    assert failed.returncode == 1
    assert json.loads(failed.stdout)["crash"]["message"] == "MatMul.forward is not written yet"
    assert outcome_of_tests(tmp_path / "w") != 0
    told = json.loads(run("reveal", "w", "--json", cwd=tmp_path).stdout)
    assert told["derivation"]["own"] == ""
    assert "dL/dA = G B^T" in told["derivation"]["right"]
    (tmp_path / "w" / "DERIVATION.md").write_text("1. C_mn = A_mk B_kn, summed over k.\n")
    revealed = run("reveal", "w", "--apply", cwd=tmp_path)
    assert revealed.returncode == 0
    assert "1. C_mn = A_mk B_kn, summed over k." in revealed.stdout
    passed = run("check", "w", cwd=tmp_path)
    assert passed.returncode == 0
    assert "laws hold. Well done." in passed.stdout
    assert outcome_of_tests(tmp_path / "w") == 0


def test_it_is_no_follow_up(tmp_path: Path) -> None:
    """A program of which nothing is given cannot be added to another."""
    run("new", "w", "--track", "matmul", cwd=tmp_path)
    refused = run("extend", "matmul", "w", cwd=tmp_path)
    assert refused.returncode == 2
    assert "no follow-up called 'matmul'" in refused.stderr


def test_bugs_of_products_stand_together(box: Sandbox) -> None:
    """A workspace of buggy products has one bug of each class; all are refused together, and each
    of them alone; and its key is genuine.
    """
    key = forge(Request(seed="1", bugs=5, program="matmul"), PRODUCT, CATALOGUE, "0")
    assert sorted(bug.bug_class for bug in key.bugs) == sorted(PRODUCT.bug_classes)
    assert is_genuine(key, CATALOGUE)
    bench = Bench.set_up(box, MATMUL, key.pristine, random.Random(0))
    assert not bench.let_through(key)


def test_workspaces_differ() -> None:
    """Of some programs that are drawn no two are alike, and each can be written again."""
    variants = [vary(MATMUL.reference(), REWRITES, "", random.Random(n)) for n in range(20)]
    assert len({tuple(variant.files.items()) for variant in variants}) == 20
    for variant in variants:
        assert not contract.written_again(variant, MATMUL.reference(), REWRITES)


def test_every_way_finds_a_place() -> None:
    """Each way alone changes the program, as its example says where it has one, into tidy code."""
    linter = Linter.found()
    assert linter
    for rewrite in TREES:
        for way in rewrite.ways:
            assert not contract.example_rewritten(way), rewrite.id
    programs = _programs()
    for way in WAYS:
        assert not contract.place_found(way, programs[way], MATMUL.reference())
    assert not contract.tidy(linter, programs)


def test_names_and_words_hide_no_bug() -> None:
    """Whatever things are called, every form finds as many places as in the reference."""
    trees = {rewrite.id for rewrite in TREES}
    wanted = contract.sites_by_form(MATMUL.reference(), KINDS)
    assert {name.split()[0] for name in wanted} == {kind.id for kind in KINDS}
    for way, files in _programs().items():
        if way in WAYS and way.split("/")[0] not in trees:
            assert not contract.sites_stay(way, contract.sites_by_form(files, KINDS), wanted)


def test_a_rewrite_changes_nothing(box: Sandbox) -> None:
    """However it is written, the program keeps every law, to the bit where that is said; and bugs
    in it break the checks that their kinds name.
    """
    programs = _programs()
    planted = {
        f"{name}: {mutant.name}": (mutant, apply_edits(files, mutant.edits))
        for name, files in programs.items()
        for mutant in mutants(files, KINDS)
    }
    drawn = dict(random.Random(0).sample(list(planted.items()), MUTANTS))
    exact = {
        f"{rewrite.id}/{choice}"
        for rewrite in REWRITES
        for choice in rewrite.choices()
        if not issubclass(rewrite, Restructuring) or rewrite.chosen(choice).exact
    }
    bench = Bench.set_up(box, MATMUL, MATMUL.reference(), random.Random(0))
    buggy = {name: files for name, (_, files) in drawn.items()}
    for name, behaviour in bench.judged(programs | buggy):
        if name in drawn:
            assert not contract.bugs_stay(name, drawn[name][0], behaviour.broken)
            continue
        assert not contract.laws_kept(name, behaviour.readings)
        if name in exact:
            assert not contract.bits_stay(name, behaviour.seen, bench.pristine)


@settings(deadline=None)
@given(
    st.lists(st.tuples(SIZES, st.booleans(), st.booleans()), max_size=2),
    st.tuples(SIZES, SIZES, SIZES),
    st.integers(0, 2),
)
def test_gradients_are_worked_out_in_the_shapes_of_the_operands(
    batch: list[tuple[int, bool, bool]], sizes: tuple[int, int, int], fewer: int
) -> None:
    """What gradients are held to has the operands' shapes, and is how a product's sum changes with
    one of them, whatever was broadcast.
    """
    rows, inner, columns = sizes
    a = (*(1 if of_a else size for size, of_a, _ in batch), rows, inner)
    b = (*(1 if of_b else size for size, _, of_b in batch), inner, columns)[
        min(fewer, len(batch)) :
    ]
    drawn = np.random.default_rng(0)
    one, other = drawn.normal(size=a), drawn.normal(size=b)
    grad = drawn.normal(size=(one @ other).shape)
    found = passed_back(grad, one, other)
    assert (found["a"].shape, found["b"].shape) == (a, b)
    # The product is linear in each operand, so that any difference does, however large.
    for what, at, moved in (("a", a, 0), ("b", b, 1)):
        step = drawn.normal(size=at)
        product = (step @ other) if moved == 0 else (one @ step)
        assert np.isclose((grad * product).sum(), (found[what] * step).sum())


@settings(deadline=None)
@given(st.integers(1, 20), st.integers(1, 40))
def test_windows_are_sums(count: int, length: int) -> None:
    """What states are held to are differences of plain sums; windows as long as all are those."""
    tiles = np.random.default_rng(0).normal(size=(count, 2))
    sums = np.concatenate([np.zeros((1, 2)), tiles.cumsum(axis=0)])
    wanted = [sums[end] - sums[max(0, end - length)] for end in range(1, count + 1)]
    assert np.allclose(windows(tiles, length), wanted)
