"""Proving the catalogue on this machine: each bug alone, in pairs, and left in among others."""

import random
from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import suppress
from dataclasses import dataclass, replace
from itertools import combinations, islice, product, zip_longest
from typing import TypeVar

from bugforge.answers import AnswerKey
from bugforge.attribution import Behaviour, alike
from bugforge.audit import Audit, Kill, LeftIn, Pair, Rewriting, ToWrite
from bugforge.bench import ALL_BUGS, Bench, Files, opened_wide
from bugforge.catalogue import Catalogue, refuse_unknown
from bugforge.choosing import Request
from bugforge.edits import apply_edits, touch
from bugforge.errors import NoFitError
from bugforge.files import write_files
from bugforge.forge import forge
from bugforge.mutants import Mutant, mutants, placed
from bugforge.mutation import Mutation
from bugforge.probe import QUICK
from bugforge.program import Program
from bugforge.recordings import first_crash
from bugforge.rewrite import Restructuring
from bugforge.sandbox import Limits, Sandbox
from bugforge.symptom import symptom
from bugforge.track import Track
from bugforge.tracks import PROGRAMS, TRACKS
from bugforge.training import Run
from bugforge.trials import trials_of
from bugforge.variant import vary, written
from bugforge.verify import Question, Trains, verify

T = TypeVar("T")
Counted = Callable[[str, int, int], None]
"""Is told what is being done, how much of it is done, and how much there is."""

PRISTINE = "no bug"
WORKSPACES = 8
"""Forged programs, of each correct one, of which each bug is left in alone."""

BUGS = 4


@dataclass(frozen=True)
class Scope:
    """What to audit: these kinds, or all where none is named; quick: no pairs and no training.

    seconds: how long one program may take. program: the one to audit them in, or all.
    """

    kinds: tuple[str, ...] = ()
    quick: bool = False
    seed: str = "0"
    seconds: float = Limits.seconds
    program: str | None = None


def audit(catalogue: Catalogue, scope: Scope, counted: Counted) -> Iterator[Audit]:
    """Audit every track, with those of its programs that none before it has, or what can be forged
    from the others; give each audit when it is done. Raises UsageError for an unknown kind or
    program.
    """
    named = dict.fromkeys(scope.kinds)
    asked = [catalogue.kind(id_) for id_ in named] or list(catalogue.kinds.values())
    if scope.program:
        refuse_unknown("program", scope.program, dict.fromkeys(p.name for p in PROGRAMS))
    known: set[tuple[str, ...]] = set()
    with opened_wide(scope.seconds) as box:
        for track in TRACKS:
            own = _of_track(catalogue, track)
            kinds = [kind for kind in asked if kind.id in own.kinds]
            for program in track.all_programs:
                is_asked = bool(kinds) or (track.only_tests and not scope.kinds)
                if is_asked and scope.program in (None, program.name):
                    auditor = _Auditor(box, track, program, own, catalogue, kinds, scope, counted)
                    yield auditor.forged() if program.recorded_as in known else auditor.audit()
                known.add(program.recorded_as)


def _of_track(catalogue: Catalogue, track: Track) -> Catalogue:
    """Keep the kinds that a track may plant."""
    kinds = {id_: kind for id_, kind in catalogue.kinds.items() if track.plants(kind)}
    return replace(catalogue, kinds=kinds)


@dataclass(frozen=True)
class _Auditor:
    """An audit of one of a track's programs under way. catalogue: what the track may plant; whole:
    all that there is.
    """

    box: Sandbox
    track: Track
    program: Program
    catalogue: Catalogue
    whole: Catalogue
    asked: list[type[Mutation]]
    scope: Scope
    counted: Counted

    def audit(self) -> Audit:
        """Look at each bug alone, then at pairs, then at what is left in of forged programs.

        Forms that have a place in a simpler program of the track are judged in this one, too; what
        shows of them, and how they go together, is looked at there only.
        """
        rng = random.Random(f"audit {self.scope.seed}")
        plain = vary(self.program.reference(), (), self.program.text(rng), rng)
        text, pristine = plain.text, plain.files
        self._count("Checking the program without bugs", 0, 1)
        bench = Bench.set_up(self.box, self.program, pristine, rng)
        trains: Trains = "never" if self.scope.quick else "always"
        checked = bench.checked(self.track, pristine, text, Question(rng, trains=trains))
        self._count("Checking the program without bugs", 1, 1)
        own = list(mutants(pristine, self.asked))
        all_ = own if self.scope.quick else list(mutants(pristine, self.catalogue.kinds.values()))
        alone = {
            PRISTINE: pristine,
            **{mutant.name: apply_edits(pristine, mutant.edits) for mutant in all_},
        }
        judged = dict(self._each("Judging each bug alone", bench.judged(alone), len(alone)))
        runs: dict[str, Run] = {}
        pairs: list[Pair] = []
        if not self.scope.quick:
            programs = self.track.all_programs
            simpler = programs[: programs.index(self.program)]
            elsewhere = self._placed_in(simpler)
            fresh = {m.name for m in own if (m.kind.id, m.form.name) not in elsewhere}
            is_taught = self.program.learns_text
            trained = {name: alone[name] for name in alone if name in fresh and is_taught}
            training = bench.trained(trained, text, rng.getrandbits(31))
            runs = dict(self._each("Training with each bug", training, len(trained)))
            pairs = list(self._pairs(bench, pristine, all_, fresh, judged))
        symptoms = {name: symptom(run) for name, run in runs.items()}
        plugins = () if self.scope.kinds else self.catalogue.broken
        return Audit(
            track=self.track.name,
            program=self.program.name,
            broken=tuple(reading.check for reading in checked.unkept),
            symptom=next((symptom(run) for run in checked.runs), None),
            placeless=tuple(self._placeless()),
            kills=tuple(Kill(m, judged[m.name].broken, symptoms.get(m.name)) for m in own),
            rewritings=() if self.scope.kinds else tuple(self._rewritings(bench, text)),
            pairs=tuple(pairs),
            left_in=tuple(self._left_in(rng)),
            to_write=tuple(self._to_write(rng)),
            plugins=tuple(f"{broken.origin}: {broken.what}" for broken in plugins),
        )

    def forged(self) -> Audit:
        """Look only at what is left in of forged programs, and at what is to be written."""
        rng = random.Random(f"audit {self.scope.seed}")
        left_in, to_write = tuple(self._left_in(rng)), tuple(self._to_write(rng))
        return Audit(self.track.name, self.program.name, left_in=left_in, to_write=to_write)

    def _placed_in(self, programs: Iterable[Program]) -> set[tuple[str, str]]:
        """Name the kinds and forms that have a place in any of some programs."""
        return set().union(*(placed(program.reference(), self.asked) for program in programs))

    def _placeless(self) -> Iterator[str]:
        """Name the forms that find no place in any program."""
        forms = {(kind.id, form.name) for kind in self.asked for form in kind.forms}
        placeless = forms - self._placed_in(self.track.programs)
        if placeless:
            placeless -= self._placed_in(PROGRAMS)
        for id_, name in sorted(placeless):
            yield f"{id_} {name}"

    def _rewritings(self, bench: Bench, text: str) -> Iterator[Rewriting]:
        """Write the program in every way: trees in one at a time, names and words in many."""
        rewrites = self.catalogue.rewrites_of(self.program)
        trees = [rewrite for rewrite in rewrites if issubclass(rewrite, Restructuring)]
        ways: list[tuple[str, ...]] = [
            (f"{rewrite.id}/{choice}",) for rewrite in trees for choice in rewrite.choices()
        ]
        others = [rewrite for rewrite in rewrites if rewrite not in trees]
        rows = zip_longest(*(rewrite.choices() for rewrite in others))
        ways += [
            tuple(f"{r.id}/{choice}" for r, choice in zip(others, row, strict=True) if choice)
            for row in rows
        ]
        reference = self.program.reference()
        programs = {
            f"rewritten {number}": written(reference, rewrites, text, some)
            for number, some in enumerate(ways)
        }
        judged = self._each("Judging each rewrite", bench.judged(programs), len(programs))
        for some, (_, seen) in zip(ways, judged, strict=True):
            yield Rewriting(some, seen.broken)

    def _pairs(
        self,
        bench: Bench,
        pristine: Files,
        all_: list[Mutant],
        fresh: set[str],
        alone: Mapping[str, Behaviour],
    ) -> Iterator[Pair]:
        """Plant forms of different classes two by two, where they have places apart."""
        joined = {f"{one.name} + {other.name}": (one, other) for one, other in _joined(all_, fresh)}
        shows = {
            mutant.name: _first_telling(alone[mutant.name], alone[PRISTINE]) for mutant in all_
        }
        files = {
            name: apply_edits(pristine, [*one.edits, *other.edits])
            for name, (one, other) in joined.items()
        }
        unclear = list(joined)
        looks: list[tuple[str, Callable[[str], tuple[str, ...]]]] = [
            ("Judging bugs in pairs", lambda name: tuple(_shown(joined[name], shows))),
            ("Looking closer", lambda _: tuple(i for i in bench.pristine if i in QUICK)),
        ]
        for words, instruments in looks:
            programs = {f"{name}, {words}": (files[name], instruments(name)) for name in unclear}
            glimpses = self._each(words, bench.glimpsed(programs), len(programs))
            left = []
            for name, (key, seen) in zip(unclear, glimpses, strict=True):
                one, other = joined[name]
                known = alone[one.name], alone[other.name], alone[PRISTINE]
                if _told(seen, programs[key][1], *known):
                    yield Pair(one, other, "told apart")
                elif first_crash(seen.seen.values()):
                    yield Pair(one, other, "behind a crash")
                else:
                    left.append(name)
            unclear = left
        whole = tuple(bench.pristine)
        closest = bench.glimpsed({name: (files[name], whole) for name in unclear})
        for name, seen in self._each("Looking as closely as can be", closest, len(unclear)):
            one, other = joined[name]
            if not _told(seen, whole, alone[PRISTINE]):
                yield Pair(one, other, "cancelled")
            elif _told(seen, whole, alone[one.name], alone[other.name]):
                yield Pair(one, other, "told apart")
            elif first_crash(seen.seen.values()):
                yield Pair(one, other, "behind a crash")
            else:
                yield Pair(one, other, "masked")

    def _left_in(self, rng: random.Random) -> Iterator[LeftIn]:
        """Forge programs, and leave in all bugs, then each one alone."""
        if self.track.only_tests:
            return
        named = [(kind.id,) for kind in self.asked] if self.scope.kinds else [()] * WORKSPACES
        for number, kinds in enumerate(named):
            seed = f"{self.scope.seed}-{number}"
            request = Request(seed=seed, bugs=BUGS, kinds=kinds, program=self.program.name)
            key = self._forged(request)
            if key is None:
                continue  # a kind that finds no place; that is told elsewhere
            self._count("Leaving bugs in", number, len(named))
            bench = Bench.set_up(self.box, self.program, key.pristine, rng)
            let_through = bench.let_through(key)
            which = f"--track {key.track} --program {key.reference}"
            options = [f"{which} --seed {seed} --bugs {len(key.bugs)}"]
            yield LeftIn(
                options=" ".join([*options, *(f"--kind {kind}" for kind in kinds)]),
                kinds=tuple(bug.kind for bug in key.bugs),
                let_through=tuple(kind for kind in let_through if kind != ALL_BUGS),
                whole_let_through=ALL_BUGS in let_through,
            )
        self._count("Leaving bugs in", len(named), len(named))

    def _to_write(self, rng: random.Random) -> Iterator[ToWrite]:
        """Check what a learner is given to extend, and its solution, training aside."""
        if self.scope.kinds or not self.track.unwritten:
            return
        request = Request(seed=self.scope.seed, bugs=0, program=self.program.name)
        key = forge(request, self.track, self.catalogue, "")
        trials = trials_of(key, self.whole)
        checked = {}
        for name, files in (("given", key.forged), ("solution", key.solution)):
            folder = self.box.room()
            write_files(folder, files)
            checked[name] = verify(
                self.box, folder, key, Question(rng, trains="never", trials=trials)
            )
        which = f"--track {key.track} --program {key.reference} --seed {self.scope.seed}"
        broken = tuple(reading.check for reading in checked["solution"].unkept)
        yield ToWrite(which, checked["given"].lawful, broken)

    def _forged(self, request: Request) -> AnswerKey | None:
        """Plant as many bugs as fit, if any do: a catalogue may be small."""
        for bugs in range(request.bugs, 0, -1):
            with suppress(NoFitError):
                return forge(replace(request, bugs=bugs), self.track, self.catalogue, "")
        return None

    def _count(self, words: str, done: int, total: int) -> None:
        """Say what is done, and in which program."""
        self.counted(f"{self.track.name}, {self.program.name}: {words}", done, total)

    def _each(self, words: str, items: Iterable[T], total: int) -> Iterator[T]:
        """Count items as they come."""
        self._count(words, 0, total)
        for done, item in enumerate(items, start=1):
            yield item
            self._count(words, done, total)


def _joined(all_: Iterable[Mutant], fresh: set[str]) -> Iterator[tuple[Mutant, Mutant]]:
    """Give two of each pair of forms, one of them fresh, that do not touch."""
    forms: dict[tuple[str, str], list[Mutant]] = {}
    for mutant in all_:
        forms.setdefault((mutant.kind.id, mutant.form.name), []).append(mutant)
    for some, others in combinations(forms.values(), 2):
        one, other = some[0], others[0]
        is_asked = one.name in fresh or other.name in fresh
        if one.kind.bug_class != other.kind.bug_class and is_asked:
            apart = (p for p in product(some, others) if not touch(p[0].edits, p[1].edits))
            yield from islice(apart, 1)


def _shown(pair: tuple[Mutant, Mutant], shows: Mapping[str, tuple[str, ...]]) -> set[str]:
    """Name the instruments that show either of two bugs."""
    return {*shows[pair[0].name], *shows[pair[1].name]}


def _first_telling(one: Behaviour, other: Behaviour) -> tuple[str, ...]:
    """Name the first instrument, the quick ones coming first, that tells two programs apart."""
    return tuple(islice((i for i in other.seen if not alike(i, one, other)), 1))


def _told(one: Behaviour, instruments: Iterable[str], *others: Behaviour) -> bool:
    """Whether some of the instruments can tell a program from each of the others."""
    return all(any(not alike(i, one, other) for i in instruments) for other in others)
