"""Of every track that asks for more than mending a GPT: right ways to write its program keep all
laws, and wrong ones break one.
"""

from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass, replace
from functools import cache
from types import ModuleType

import pytest

from bugforge.exactness import begin, compared
from bugforge.mutation import RUNS
from bugforge.program import Program
from bugforge.programs import GPT
from bugforge.sandbox import Sandbox
from bugforge.sentences import shipped
from bugforge.track import Track
from bugforge.tracks import (
    CACHED,
    CLASSIC,
    PRODUCT,
    RAGGED,
    ROWS_CLASSIFIED,
    TOKENS_CLASSIFIED,
    TRAINING_PIPELINE,
)
from bugforge.variant import with_sentence
from tests.conftest import Bench, bench_of, key_to
from tests.corpus import (
    Fixture,
    cached,
    multiplied,
    odd_or_even,
    padded,
    pipelines,
    regularised,
    rotated,
    rows,
    some,
)


@dataclass(frozen=True)
class Corpus:
    """Right and wrong ways to write one of a track's programs."""

    track: Track
    program: Program
    ways: ModuleType

    @property
    def right(self) -> tuple[Fixture, ...]:
        """Ways that keep every law."""
        ways: tuple[Fixture, ...] = self.ways.RIGHT
        return ways

    @property
    def wrong(self) -> tuple[Fixture, ...]:
        """Ways that break one."""
        ways: tuple[Fixture, ...] = self.ways.WRONG
        return ways

    def reference(self) -> dict[str, str]:
        """Read the program that all of them change."""
        return _reference(self.program)


def _reference(program: Program) -> dict[str, str]:
    files = program.reference()
    if program.learns_text:
        files["train.py"] = with_sentence(files["train.py"], shipped()[0])
    return files


CORPORA = tuple(
    Corpus(track, track.program(name) if name else track.programs[0], ways)
    for track, name, ways in (
        (CLASSIC, "nano", regularised),
        (CACHED, "gpt", cached),
        (CACHED, "rotary", rotated),
        (RAGGED, "", padded),
        (TOKENS_CLASSIFIED, "", odd_or_even),
        (ROWS_CLASSIFIED, "", rows),
        (PRODUCT, "", multiplied),
        (TRAINING_PIPELINE, "", pipelines),
    )
)
RIGHT = [(corpus, way) for corpus in CORPORA for way in corpus.right]
WRONG = [(corpus, way) for corpus in CORPORA for way in corpus.wrong]


@pytest.fixture(scope="module")
def bench_of_all(
    box: Sandbox, tmp_path_factory: pytest.TempPathFactory
) -> Callable[[Corpus], Bench]:
    """Gives all of a corpus, recorded or waiting to be."""

    @cache
    def prepared(corpus: Corpus) -> Bench:
        files = corpus.reference()
        bench = bench_of(box, corpus.program, files, tmp_path_factory.mktemp(corpus.program.name))
        for way in corpus.right:
            bench.submit(way.name, way.applied(files))
        for way in corpus.wrong:
            bench.glimpse(way.name, way.applied(files))
        return bench

    return prepared


def _label(value: object) -> str:
    if isinstance(value, Corpus):
        return f"{value.track.name}-{value.program.name}"
    assert isinstance(value, Fixture)
    return value.name


def bits_changed(corpus: Corpus, name: str, bench: Bench) -> bool:
    """Whether a way breaks a law of bits: what a track adds must leave the program of before as it
    was where it is not asked for.
    """
    if not corpus.track.exact:
        return False
    recorder = replace(bench.recorder, room=bench.recorder.box.room())
    key = replace(key_to(corpus.reference()), track=corpus.track.name, given=_reference(GPT))
    begin(recorder, key, bench.folder / name, 99)
    return any(not reading.kept for reading in compared(recorder, key)[0])


@pytest.mark.parametrize("track", {corpus.track.name: corpus.track for corpus in CORPORA})
def test_a_corpus_is_large(track: str) -> None:
    """Each track has fifteen right ways and more, and twenty-five wrong ones."""
    corpora = [corpus for corpus in CORPORA if corpus.track.name == track]
    assert sum(len(corpus.right) for corpus in corpora) >= 15
    assert sum(len(corpus.wrong) for corpus in corpora) >= 25


@pytest.mark.parametrize("corpus", CORPORA, ids=_label)
def test_no_way_comes_twice(corpus: Corpus) -> None:
    """No two ways of a corpus have the same name, or are the same program."""
    ways, reference = (*corpus.right, *corpus.wrong), corpus.reference()
    programs = [way.applied(reference) for way in ways]
    for told in (
        Counter(way.name for way in ways),
        Counter(tuple(sorted(program.items())) for program in programs),
    ):
        assert max(told.values()) == 1


@pytest.mark.parametrize(("corpus", "way"), RIGHT, ids=_label)
def test_a_right_way_keeps_all_laws(
    corpus: Corpus, way: Fixture, bench_of_all: Callable[[Corpus], Bench]
) -> None:
    """A right way keeps every law and comparison, and each of them can be judged; laws of bits are
    asked of a seeded share.
    """
    bench = bench_of_all(corpus)
    readings = bench.readings(way.name).values()
    assert not [(r.check, r.value, r.bound, r.why) for r in readings if not r.kept]
    if way in some(corpus.right):
        assert not bits_changed(corpus, way.name, bench)


@pytest.mark.parametrize(("corpus", "way"), WRONG, ids=_label)
def test_a_wrong_way_breaks_a_law(
    corpus: Corpus, way: Fixture, bench_of_all: Callable[[Corpus], Bench]
) -> None:
    """A wrong way breaks a law: it is not merely left unjudged."""
    bench = bench_of_all(corpus)
    assert bench.broken(way.name) or bits_changed(corpus, way.name, bench)


@pytest.mark.parametrize("corpus", CORPORA, ids=_label)
def test_wrong_ways_are_told_by_what_they_compute(
    corpus: Corpus, bench_of_all: Callable[[Corpus], Bench]
) -> None:
    """Of five wrong ways four run through, and are told by a law of what they compute."""
    bench = bench_of_all(corpus)
    told = [way for way in corpus.wrong if RUNS not in bench.broken(way.name)]
    assert len(told) >= 0.8 * len(corpus.wrong)
