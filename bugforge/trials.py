"""Programs that a learner's own tests are tried on: right ones, and others with a single bug."""

import random
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from operator import itemgetter

from bugforge.answers import AnswerKey
from bugforge.catalogue import BUILT_IN, Catalogue
from bugforge.edits import apply_edits
from bugforge.mutation import RUNS, Form, Mutation, Stage
from bugforge.program import Extension
from bugforge.surgery import Site, Source, parse, sites
from bugforge.track import Track
from bugforge.tracks import find_track, kinds_of
from bugforge.variant import vary, written

OTHERS = 6
"""Right programs that are written in ways that are drawn, beside the key's own, the plain one and
its other forms.
"""

MOST = 40
"""Wrong programs, where there is room for more."""

SEEN = {RUNS, "cached", "cache-length", "caches-apart", "greedy"}
"""Checks of what a parity test can see: not what a token costs."""

Files = Mapping[str, str]
Kind = type[Mutation]


@dataclass(frozen=True)
class Wrong:
    """A program with a single bug: its kind, and the form that it takes."""

    kind: Kind
    form: Form
    files: Files


@dataclass(frozen=True)
class Trials:
    """Programs to try tests on. tests: the file they lie in. stage: what they are about, in the
    main. share: how many of the wrong ones, at least, they must fail on.
    """

    tests: str
    stage: Stage
    share: float
    right: tuple[Files, ...]
    wrong: tuple[Wrong, ...]


def trials_of(key: AnswerKey, catalogue: Catalogue) -> Trials | None:
    """Make the programs that a learner's tests are to be tried on, where they are to write some.

    Wrong ones are written in the same ways as right ones, so that nothing but the bug tells them
    apart. What is installed beside Bugforge brings none.
    """
    if not key.tests:
        return None
    track = find_track(key.track)
    program, rng = track.program(key.reference), random.Random(key.id)
    extension = program.extension
    assert extension, program.name
    reference, rewrites = program.reference(), catalogue.rewrites_of(program)
    plain = written(reference, (), key.text, ())
    others = [vary(reference, rewrites, key.text, rng).files for _ in range(OTHERS)]
    right = (plain, key.pristine, *others, *extension.formed(plain))
    forms = [
        (kind, form)
        for kind in kinds_of(catalogue, program)
        for form in kind.forms
        if catalogue.origins[kind.id] == BUILT_IN and _asks(track, extension, kind, form)
    ]
    wrong = tuple(_planted(forms, right, rng))
    stages = Counter(each.kind.stage for each in wrong)
    return Trials(next(iter(key.tests)), stages.most_common(1)[0][0], extension.share, right, wrong)


def _asks(track: Track, extension: Extension, kind: Kind, form: Form) -> bool:
    """Whether tests of an extension must fail on a program with such a bug."""
    named = kind.id in extension.tried or kind.stage in extension.tried_stages
    return named or (track.plants(kind) and bool(kind.killers(form) & SEEN))


def _planted(
    forms: Sequence[tuple[Kind, Form]], right: Sequence[Files], rng: random.Random
) -> Iterator[Wrong]:
    """Plant every kind that has a place in the first program, and then further forms if there is
    room, each in a program that is drawn of those with a place for it.
    """
    programs = [(files, [parse(name, text) for name, text in files.items()]) for files in right]
    turns: Counter[Kind] = Counter()
    ranked = []
    for kind, form in rng.sample(forms, len(forms)):
        if next(_sites(programs[0][1], form), None):
            ranked.append((turns[kind], kind, form))
            turns[kind] += 1
    for _, kind, form in sorted(ranked, key=itemgetter(0))[:MOST]:
        for files, sources in rng.sample(programs, len(programs)):
            found = list(_sites(sources, form))
            if found:
                yield Wrong(kind, form, apply_edits(files, rng.choice(found).plant()))
                break


def _sites(sources: Iterable[Source], form: Form) -> Iterator[Site]:
    return (site for source in sources for site in sites(source, form))
