"""The contract that every installed rewrite keeps, and what they make of the reference together."""

import ast
import math
import random
from collections import Counter
from collections.abc import Iterator, Mapping
from dataclasses import replace
from functools import cache

import pytest

from bugforge import contract
from bugforge.catalogue import load
from bugforge.choosing import Request
from bugforge.edits import apply_edits
from bugforge.forge import forge, is_genuine
from bugforge.linter import Linter
from bugforge.mutants import mutants
from bugforge.programs import GPT
from bugforge.rewrite import (
    Hinting,
    IncompleteRewriteError,
    Renaming,
    Reordering,
    Restructuring,
    Retelling,
    Way,
    way,
)
from bugforge.sentences import shipped
from bugforge.tracks import CLASSIC, kinds_of
from bugforge.variant import Variant, vary, written
from tests.conftest import Bench

CATALOGUE = load()
REWRITES = tuple(CATALOGUE.rewrites_of(GPT))
WAYS = [
    (rewrite, way)
    for rewrite in REWRITES
    if issubclass(rewrite, Restructuring)
    for way in rewrite.ways
]
CHOICES = [f"{rewrite.id}/{choice}" for rewrite in REWRITES for choice in rewrite.choices()]
LEAST_REWRITES = 25
LEAST_BITS = 40
SEEDS = 40
MUTANTS = 12

each_way = pytest.mark.parametrize(
    ("rewrite", "way"), WAYS, ids=[f"{rewrite.id}/{way.name}" for rewrite, way in WAYS]
)


def _written(*ways: str) -> dict[str, str]:
    return written(GPT.reference(), REWRITES, shipped()[0], ways)


@cache
def _varied(seed: int) -> Variant:
    rng = random.Random(seed)
    return vary(GPT.reference(), REWRITES, GPT.text(rng), rng)


def _covering() -> Iterator[list[str]]:
    """Give lists of ways, of which each is in one at least: every rewrite's first, second, ..."""
    most = max(len(rewrite.choices()) for rewrite in REWRITES)
    for number in range(most):
        yield [
            f"{rewrite.id}/{rewrite.choices()[number]}"
            for rewrite in REWRITES
            if number < len(rewrite.choices())
        ]


def test_there_are_many() -> None:
    """No built-in rewrite is broken, and there are many, independent of one another."""
    assert CATALOGUE.broken == ()
    assert len(REWRITES) >= LEAST_REWRITES
    assert sum(issubclass(rewrite, Restructuring) for rewrite in REWRITES) >= LEAST_REWRITES


@each_way
def test_examples_are_rewritten_as_they_say(rewrite: type[Restructuring], way: Way) -> None:
    """A way turns its example into the other, to the letter."""
    assert not contract.example_rewritten(way), rewrite.id


@pytest.mark.parametrize("choice", CHOICES)
def test_every_way_finds_a_place(choice: str, reference: dict[str, str]) -> None:
    """Each way alone changes the reference, into code that compiles and has no line too long."""
    assert not contract.place_found(choice, _written(choice), reference)


def test_an_order_moves_whole_definitions() -> None:
    """Another order has the same lines, and the definitions come as it says."""
    plain = _written()
    for rewrite in REWRITES:
        if not issubclass(rewrite, Reordering):
            continue
        for choice in rewrite.choices():
            order = rewrite.order(choice)
            files = _written(f"{rewrite.id}/{choice}")
            defined = [_defined(text, rewrite.of) for text in files.values()]
            assert list(order) in [[name for name in names if name in order] for names in defined]
            for name, text in plain.items():
                assert sorted(files[name].splitlines()) == sorted(text.splitlines())


def _defined(text: str, holder: str) -> list[str]:
    """Name what a file defines, or one of its classes."""
    nodes = [n for n in ast.parse(text).body if isinstance(n, ast.ClassDef | ast.FunctionDef)]
    if holder:
        nodes = [n for owner in nodes if owner.name == holder for n in owner.body]
    return [node.name for node in nodes if isinstance(node, ast.ClassDef | ast.FunctionDef)]


def test_who_writes_type_hints_writes_them_everywhere() -> None:
    """With type hints, each function tells the type of all that it takes and gives."""
    for text in _written("hints/all").values():
        for node in ast.walk(ast.parse(text)):
            if isinstance(node, ast.FunctionDef):
                taken = [a for a in node.args.args if a.arg != "self"]
                assert node.returns is not None, node.name
                assert all(argument.annotation for argument in taken), node.name


def test_names_that_learners_rely_on_stay() -> None:
    """Whatever is renamed, what PROBLEM.md promises to be there is there."""
    for seed in range(SEEDS):
        assert not contract.promised_names_stay(f"seed {seed}", _varied(seed).files)


def test_variants_differ() -> None:
    """A default workspace, bugs aside, is one of 2**40 and more.

    The bits of the whole are the sum of those of each rewrite's draw, given what was drawn before.
    """
    text = math.log2(len(shipped()))
    assert text + sum(_bits(_varied(seed)) for seed in range(SEEDS)) / SEEDS >= LEAST_BITS


def _bits(variant: Variant) -> float:
    """Give the information in the draws that led to a variant, at the least.

    A rewrite that was taken was one choice of those it has, or, of a tree, one that was not left
    out: the way may have been the only one with a place. Where none was taken, nothing is counted.
    """
    taken = {way.split("/")[0] for way in variant.ways}
    return sum(
        math.log2(1 + 1 / count if issubclass(rewrite, Restructuring) else 1 + count)
        for rewrite in REWRITES
        if rewrite.id in taken
        for count in (len(rewrite.choices()),)
    )


def test_a_variant_is_written_again_from_its_ways() -> None:
    """The ways that a variant names lead to the same program."""
    for seed in range(SEEDS):
        assert not contract.written_again(_varied(seed), GPT.reference(), REWRITES)


def test_no_linter_tells_a_variant_from_a_program_by_hand() -> None:
    """A variant has no unused name, no undefined one, and the layout that ruff would give it."""
    linter = Linter.found()
    assert linter
    assert not contract.tidy(linter, {f"seed {n}": _varied(n).files for n in range(SEEDS)})


@pytest.fixture(scope="module")
def programs() -> dict[str, dict[str, str]]:
    """Programs in which every way is taken that has a place, and some that were drawn."""
    covering = {f"ways {number}": _written(*ways) for number, ways in enumerate(_covering())}
    return covering | {f"seed {seed}": _varied(seed).files for seed in range(3)}


def test_a_rewrite_changes_nothing(programs: Mapping[str, Mapping[str, str]], bench: Bench) -> None:
    """Whatever ways are taken, the program keeps every law, and compares with the reference."""
    for name, files in programs.items():
        bench.submit(name, files)
    for name in programs:
        assert not contract.laws_kept(name, bench.readings(name))


def test_exact_ways_change_no_bit(bench: Bench) -> None:
    """Ways whose arithmetic is the reference's give the same logits, to the bit."""
    exact = {f"{rewrite.id}/{way.name}" for rewrite, way in WAYS if way.exact}
    others = {choice for choice in CHOICES if choice.split("/")[0] not in {r.id for r, _ in WAYS}}
    for number, ways in enumerate(_covering()):
        name = f"exact {number}"
        bench.submit(name, _written(*(way for way in ways if way in exact | others)))
    for number, _ in enumerate(_covering()):
        name = f"exact {number}"
        assert not contract.bits_stay(name, bench.seen(name), bench.pristine)


def test_bugs_are_the_same_in_every_variant(bench: Bench) -> None:
    """A form breaks exactly the checks that its kind names, in whatever variant it is planted."""
    rng = random.Random(0)
    planted = {}
    for seed in range(6):
        files = _varied(seed).files
        for mutant in mutants(files, kinds_of(CATALOGUE, GPT)):
            planted[f"{seed} {mutant.name}"] = mutant, apply_edits(files, mutant.edits)
    drawn = dict(rng.sample(list(planted.items()), MUTANTS))
    for name, (_, files) in drawn.items():
        bench.submit(name, files)
    for name, (mutant, _) in drawn.items():
        readings = bench.readings(name).values()
        broken = frozenset(reading.check for reading in readings if reading.kept is False)
        assert not contract.bugs_stay(name, mutant, broken)


def test_names_and_words_hide_no_bug(reference: dict[str, str]) -> None:
    """Whatever things are called, every form finds as many places as in the reference."""
    plain = {rewrite.id for rewrite in REWRITES if not issubclass(rewrite, Restructuring)}
    wanted = contract.sites_by_form(reference, kinds_of(CATALOGUE, GPT))
    for ways in _covering():
        files = _written(*(way for way in ways if way.split("/")[0] in plain))
        found = contract.sites_by_form(files, kinds_of(CATALOGUE, GPT))
        assert not contract.sites_stay(", ".join(ways), found, wanted)


def test_layouts_of_a_block_and_of_logits_hide_no_bug(reference: dict[str, str]) -> None:
    """However a block adds, its MLP is laid out and logits are made, every form of a bug in the
    block or the head finds as many places as in the reference.
    """
    kinds = [kind for kind in kinds_of(CATALOGUE, GPT) if kind.stage in ("block", "head")]
    wanted = Counter(mutant.name for mutant in mutants(reference, kinds))
    layouts = ("residual", "feedforward", "logits")
    for choice in CHOICES:
        if choice.split("/")[0] in layouts:
            found = Counter(mutant.name for mutant in mutants(_written(choice), kinds))
            assert found == wanted, choice


def test_a_key_is_held_to_its_ways() -> None:
    """A key is genuine as it was forged, and not with another way, sentence or line in it."""
    key = forge(Request(seed="3"), CLASSIC, CATALOGUE, "0")
    assert is_genuine(key, CATALOGUE)
    other = next(text for text in shipped() if text != key.text)
    line = {name: text.replace("dim=-1", "dim=-2") for name, text in key.pristine.items()}
    for changed in ({"ways": key.ways[1:]}, {"text": other}, {"text": "ab"}, {"pristine": line}):
        assert not is_genuine(replace(key, **changed), CATALOGUE)  # type: ignore[arg-type]


def test_an_incomplete_rewrite_is_refused() -> None:
    """A rewrite that lacks something is refused where it is defined, with the mend."""
    with pytest.raises(IncompleteRewriteError, match="no id"):
        type("Nameless", (Restructuring,), {"__doc__": "A title."})
    with pytest.raises(IncompleteRewriteError, match="no docstring"):
        type("Silent", (Restructuring,), {"id": "silent"})
    needed = {
        Restructuring: "ways",
        Reordering: "orders",
        Hinting: "hands",
        Renaming: "names",
        Retelling: "hands",
    }
    for base, missing in needed.items():
        with pytest.raises(IncompleteRewriteError, match=missing):
            type("Empty", (base,), {"__doc__": "A title.", "id": "empty"})
    twice = (way("same", ("a + b", "b + a")), way("same", ("a - b", "-b + a")))
    with pytest.raises(IncompleteRewriteError, match="of a name of its own"):
        type("Twice", (Restructuring,), {"__doc__": "A title.", "id": "twice", "ways": twice})
    for pair, said in ((("a +", "a"), "not Python"), (("a + any_b", "any_c"), "any_c")):
        body = {"__doc__": "A title.", "id": "wrong", "ways": (way("one", pair, example=("", "")),)}
        with pytest.raises(IncompleteRewriteError, match=said):
            type("Wrong", (Restructuring,), body)
    rows = {"__doc__": "A title.", "id": "rows", "of": "local", "names": (("a", "b"), ("c",))}
    with pytest.raises(IncompleteRewriteError, match="differ in length"):
        type("Rows", (Renaming,), rows)
