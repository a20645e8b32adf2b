"""The contract that every installed rewrite keeps, and what they make of the reference together."""

import ast
import math
import random
import subprocess
import sys
from collections import Counter
from collections.abc import Iterator, Mapping
from dataclasses import replace
from functools import cache
from pathlib import Path

import numpy as np
import pytest

from bugforge.catalogue import load
from bugforge.choosing import Request
from bugforge.edits import apply_edits
from bugforge.forge import forge, is_genuine
from bugforge.mutants import mutants
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
from bugforge.template import rewritten
from bugforge.track import CLASSIC
from bugforge.variant import Variant, vary, written
from tests.conftest import Bench

CATALOGUE = load()
REWRITES = tuple(CATALOGUE.rewrites.values())
WAYS = [
    (rewrite, way)
    for rewrite in REWRITES
    if issubclass(rewrite, Restructuring)
    for way in rewrite.ways
]
CHOICES = [f"{rewrite.id}/{choice}" for rewrite in REWRITES for choice in rewrite.choices()]
LEAST_REWRITES = 25
LEAST_BITS = 40
WIDEST = 100
SEEDS = 40
MUTANTS = 30

each_way = pytest.mark.parametrize(
    ("rewrite", "way"), WAYS, ids=[f"{rewrite.id}/{way.name}" for rewrite, way in WAYS]
)


def _written(*ways: str) -> dict[str, str]:
    return written(CLASSIC.reference(), REWRITES, shipped()[0], ways)


@cache
def _varied(seed: int) -> Variant:
    return vary(CLASSIC.reference(), REWRITES, random.Random(seed))


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
    found = rewritten(way.before, way.pairs, way.holder)
    assert found is not None, rewrite.id
    assert found.text == way.after


@pytest.mark.parametrize("choice", CHOICES)
def test_every_way_finds_a_place(choice: str, reference: dict[str, str]) -> None:
    """Each way alone changes the reference, into code that compiles and has no line too long."""
    files = _written(choice)
    assert files != reference
    for name, text in files.items():
        compile(text, name, "exec")
        assert all(len(line) <= WIDEST for line in text.splitlines())


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
        files = _varied(seed).files
        model, train = (ast.parse(files[name]) for name in ("model.py", "train.py"))
        [gpt] = [node for node in model.body if getattr(node, "name", "") == "GPT"]
        assert isinstance(gpt, ast.ClassDef)
        arguments = {
            node.name: [argument.arg for argument in node.args.args]
            for node in (*gpt.body, *train.body)
            if isinstance(node, ast.FunctionDef)
        }
        assert arguments["forward"] == ["self", "idx", "targets"]
        wanted = ["self", "idx", "max_new_tokens", "temperature", "top_k"]
        assert arguments["generate"] == wanted
        assert arguments["train"] == ["text", "config", "seed"]
        assert arguments["sample"] == ["model", "vocabulary", "prompt", "max_new_tokens"]
        assert arguments["main"] == []


def test_variants_differ() -> None:
    """A default workspace, bugs aside, is one of 2**40 and more.

    Given what was drawn before, each rewrite's draw is uniform over its ways that have a place,
    the others leaving the code as it stands; the bits of the whole are the sum of theirs.
    """
    text = math.log2(len(shipped()))
    assert text + sum(_bits(_varied(seed)) for seed in range(SEEDS)) / SEEDS >= LEAST_BITS


def _bits(variant: Variant) -> float:
    """Give the information in the draws that led to a variant, at the least.

    A rewrite that was taken was one choice of those it has; where none was, nothing is counted.
    """
    taken = {way.split("/")[0] for way in variant.ways}
    return sum(math.log2(1 + len(rewrite.choices())) for rewrite in REWRITES if rewrite.id in taken)


def test_a_variant_is_written_again_from_its_ways() -> None:
    """The ways that a variant names lead to the same program."""
    for seed in range(SEEDS):
        variant = _varied(seed)
        again = written(CLASSIC.reference(), REWRITES, variant.text, variant.ways)
        assert again == variant.files


def test_no_linter_tells_a_variant_from_a_program_by_hand(tmp_path: Path) -> None:
    """A variant has no unused name, no undefined one, and the layout that ruff would give it."""
    for seed in range(SEEDS):
        folder = tmp_path / f"{seed}"
        folder.mkdir()
        for name, text in _varied(seed).files.items():
            (folder / name).write_text(text, encoding="utf-8")
    plain = ("--isolated", "--line-length=100")
    select = "--select=F,E,W,B007,ARG,RUF059,ERA"
    ran = _ruff("check", *plain, "--preview", select, "--output-format=concise", tmp_path)
    assert ran.returncode == 0, ran.stdout
    formatted = _ruff("format", "--diff", *plain, tmp_path)
    assert formatted.returncode == 0, formatted.stdout


def _ruff(*arguments: object) -> "subprocess.CompletedProcess[str]":
    return subprocess.run(
        [sys.executable, "-m", "ruff", *map(str, arguments)],
        capture_output=True,
        text=True,
        check=False,
    )


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
        readings = bench.readings(name).values()
        assert not [(r.check, r.value, r.bound, r.why) for r in readings if not r.kept], name


def test_exact_ways_change_no_bit(bench: Bench) -> None:
    """Ways whose arithmetic is the reference's give the same logits, to the bit."""
    exact = {f"{rewrite.id}/{way.name}" for rewrite, way in WAYS if way.exact}
    others = {choice for choice in CHOICES if choice.split("/")[0] not in {r.id for r, _ in WAYS}}
    for number, ways in enumerate(_covering()):
        name = f"exact {number}"
        bench.submit(name, _written(*(way for way in ways if way in exact | others)))
    for number, _ in enumerate(_covering()):
        seen = bench.seen(f"exact {number}")
        wanted = bench.pristine["forward"].tensors
        for name, logits in seen["forward"].tensors.items():
            if name.startswith(("given", "large")):
                assert np.array_equal(logits, wanted[name]), (number, name)


def test_bugs_are_the_same_in_every_variant(bench: Bench) -> None:
    """A form breaks exactly the checks that its kind names, in whatever variant it is planted."""
    rng = random.Random(0)
    planted = {}
    for seed in range(6):
        files = _varied(seed).files
        for mutant in mutants(files, CATALOGUE.kinds.values()):
            planted[f"{seed} {mutant.name}"] = mutant, apply_edits(files, mutant.edits)
    drawn = dict(rng.sample(list(planted.items()), MUTANTS))
    for name, (_, files) in drawn.items():
        bench.submit(name, files)
    for name, (mutant, _) in drawn.items():
        readings = bench.readings(name).values()
        broken = frozenset(reading.check for reading in readings if reading.kept is False)
        assert broken == mutant.killers, name


def test_names_and_words_hide_no_bug(reference: dict[str, str]) -> None:
    """Whatever things are called, every form finds as many places as in the reference."""
    plain = {rewrite.id for rewrite in REWRITES if not issubclass(rewrite, Restructuring)}
    wanted = Counter(mutant.name for mutant in mutants(reference, CATALOGUE.kinds.values()))
    for ways in _covering():
        files = _written(*(way for way in ways if way.split("/")[0] in plain))
        assert Counter(m.name for m in mutants(files, CATALOGUE.kinds.values())) == wanted


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
