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

UNSHOWN = 4
"""Further ones of which it is not told how tests fail on them: what could be told of each right
program is enough to know it again, and to fail on all others.
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
    main. share: how many of the wrong ones, at least, they must fail on. unshown: right ones, too,
    of which it is not told how tests fail on them.
    """

    tests: str
    stage: Stage
    share: float
    right: tuple[Files, ...]
    unshown: tuple[Files, ...]
    wrong: tuple[Wrong, ...]

    @property
    def all_right(self) -> tuple[Files, ...]:
        """All programs that tests must pass on."""
        return (*self.right, *self.unshown)


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
    others = [vary(reference, rewrites, key.text, rng).files for _ in range(OTHERS + UNSHOWN)]
    right = (plain, key.pristine, *others[UNSHOWN:], *extension.formed(plain))
    unshown = tuple(others[:UNSHOWN])
    forms = [
        (kind, form)
        for kind in kinds_of(catalogue, program)
        for form in kind.forms
        if catalogue.origins[kind.id] == BUILT_IN and _asks(track, extension, kind, form)
    ]
    wrong = tuple(_planted(forms, (*right, *unshown), rng))
    (stage, _), *_ = Counter(each.kind.stage for each in wrong).most_common(1)
    return Trials(next(iter(key.tests)), stage, extension.share, right, unshown, wrong)


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
