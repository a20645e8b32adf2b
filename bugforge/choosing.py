"""Choosing bugs that can stand together: one a class, none that hides or crowds another."""

import random
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import TypeVar

from bugforge.catalogue import Catalogue
from bugforge.edits import Edit, touch
from bugforge.errors import NoFitError
from bugforge.mutation import Form, Mutation
from bugforge.surgery import Source, sites
from bugforge.track import Track

T = TypeVar("T")
Kind = type[Mutation]


@dataclass(frozen=True)
class Request:
    """What a workspace is asked to hold.

    bugs: how many. kinds: those that must be among them, each by its id, or as `id/form`. stages,
    difficulty: what the others are drawn from, all where empty. marked: whether regions with bugs
    are marked by comments. program: the one of the track's programs that they are planted in.
    single_file: whether that is to be one file.
    """

    seed: str
    bugs: int = 4
    kinds: tuple[str, ...] = ()
    stages: tuple[str, ...] = ()
    difficulty: str | None = None
    marked: bool = False
    program: str = "gpt"
    single_file: bool = False


@dataclass(frozen=True)
class Candidate:
    """A kind with the form it would take, and the edits that would plant it."""

    kind: Kind
    form: Form
    edits: tuple[Edit, ...]

    @property
    def name(self) -> str:
        """Name the file that it would be planted in."""
        return self.edits[0].name


@dataclass(frozen=True)
class Chooser:
    """Chooses the bugs of one request, for one variant of a track's program.

    most_crashes: how many bugs may crash the program, if that can be kept. One: behind a crash
    the next is not seen until the first is mended. without: what may not be planted. wanted: kinds
    by id, each with names of its forms; those that come first are taken where they fit.
    """

    request: Request
    track: Track
    catalogue: Catalogue
    sources: Sequence[Source]
    rng: random.Random
    most_crashes: int = 1
    without: frozenset[tuple[Edit, ...]] = frozenset()
    wanted: Mapping[str, Sequence[str]] = field(default_factory=dict)

    def choose(self) -> list[Candidate]:
        """Choose as many bugs as asked for, those asked for by name among them.

        Raises UsageError for an unknown kind, and NoFitError where they do not fit, naming what
        stands in the way or the most that fit.
        """
        asked = [self.catalogue.forms(named)[0] for named in self.request.kinds]
        self._check_asked(asked)
        groups = self._groups(without={kind.bug_class for kind in asked})
        slots = self._slots(asked)
        most = min(self.request.bugs, len(asked) + len(groups))
        for count in range(most, 0, -1):
            needed = [*([kind] for kind in asked), *slots[: count - len(asked)]]
            chosen = self.grow([], needed, groups, count) or replace(self, most_crashes=count).grow(
                [], needed, groups, count
            )
            if chosen and count == self.request.bugs:
                return chosen
            if chosen:
                raise NoFitError(
                    f"{self.request.bugs} bugs do not fit: with these options {count} can stand "
                    "together.",
                    f"Ask for --bugs {count}, or for other kinds, stages or difficulty.",
                )
        raise NoFitError(
            "No such bugs fit into the program together.",
            "Ask for other kinds, stages or difficulty; `bugforge list` shows what there is.",
        )

    def _check_asked(self, asked: Sequence[Kind]) -> None:
        for index, kind in enumerate(asked):
            if next(self._candidates(kind), None) is None:
                raise NoFitError(
                    f"The kind {kind.id} finds no place in the program {self.request.program}.",
                    f"Leave --program out; `bugforge show {kind.id}` says what it needs.",
                )
            for earlier in asked[:index]:
                clash = at_odds(earlier, kind)
                if clash:
                    raise NoFitError(
                        f"{earlier.id} and {kind.id} cannot stand together: {clash}.",
                        "Ask for one of them.",
                    )

    def _groups(self, without: set[str]) -> list[list[Kind]]:
        """Give the kinds that may be drawn, class by class, all in a random order where none is
        wanted more than another.
        """
        groups: dict[str, list[Kind]] = {}
        for kind in self._drawn(self.catalogue.kinds.values()):
            if kind.bug_class not in without and self._eligible(kind):
                groups.setdefault(kind.bug_class, []).append(kind)
        drawn = [groups[name] for name in self._shuffled(sorted(groups))]
        places = self._places
        return sorted(drawn, key=lambda group: places.get(group[0].id, len(places)))

    def _slots(self, asked: Sequence[Kind]) -> list[list[Kind]]:
        """Give the kinds that each of the track's slots may hold, but for those that hold a kind
        that was asked for. Slots and kinds come in a random order.
        """
        slots = []
        for slot in self._shuffled(self.track.slots):
            if not any(slot.takes(kind) for kind in asked):
                kinds = [kind for kind in self.catalogue.kinds.values() if slot.takes(kind)]
                slots.append([kind for kind in self._drawn(kinds) if self._eligible(kind)])
                if not slots[-1]:
                    raise NoFitError(
                        f"No {slot.name} fits, and the track {self.track.name} always has one.",
                        "Ask for other stages or difficulty, or for another track.",
                    )
        return slots

    def _eligible(self, kind: Kind) -> bool:
        request = self.request
        return (
            self.track.plants(kind)
            and (self.track.crashes or not kind.crashes())
            and (not request.stages or kind.stage in request.stages)
            and (request.difficulty is None or kind.difficulty == request.difficulty)
        )

    def grow(
        self,
        chosen: list[Candidate],
        needed: Sequence[Sequence[Kind]],
        groups: Sequence[Sequence[Kind]],
        count: int,
    ) -> list[Candidate] | None:
        """Extend the choice to `count` bugs: one of each needed group, at most one of others."""
        if len(chosen) == count:
            return chosen if not needed else None
        if needed:
            return self._with_one_of(chosen, needed[0], needed[1:], groups, count)
        for index, group in enumerate(groups):
            if len(chosen) + len(groups) - index < count:
                return None
            grown = self._with_one_of(chosen, group, (), groups[index + 1 :], count)
            if grown:
                return grown
        return None

    def _with_one_of(
        self,
        chosen: list[Candidate],
        group: Sequence[Kind],
        needed: Sequence[Sequence[Kind]],
        groups: Sequence[Sequence[Kind]],
        count: int,
    ) -> list[Candidate] | None:
        for kind in group:
            crashes = [other for other in chosen if other.kind.visibility == "crash"]
            if kind.visibility == "crash" and len(crashes) >= self.most_crashes:
                continue
            if any(at_odds(other.kind, kind) for other in chosen):
                continue
            for candidate in self._candidates(kind):
                if not any(touch(other.edits, candidate.edits) for other in chosen):
                    grown = self.grow([*chosen, candidate], needed, groups, count)
                    if grown:
                        return grown
                    break
        return None

    def _candidates(self, kind: Kind) -> Iterator[Candidate]:
        """Plant a kind in each of its forms, those that are wanted first, at each of its sites, in
        a random order.
        """
        first = list(self.wanted.get(kind.id, ()))
        for form in sorted(
            self._shuffled(self._forms(kind)),
            key=lambda form: first.index(form.name) if form.name in first else len(first),
        ):
            found = [site for source in self.sources for site in sites(source, form)]
            for site in self._shuffled(found):
                edits = site.plant()
                if edits not in self.without:
                    yield Candidate(kind, form, edits)

    def _forms(self, kind: Kind) -> Sequence[Form]:
        """Give the forms that a kind may take: all, unless one was asked for."""
        asked = [self.catalogue.forms(named) for named in self.request.kinds]
        return next((forms for each, forms in asked if each is kind), kind.forms)

    def _drawn(self, kinds: Iterable[Kind]) -> list[Kind]:
        """Put kinds into a random order, but for those that are wanted."""
        places = self._places
        return sorted(self._shuffled(kinds), key=lambda kind: places.get(kind.id, len(places)))

    @property
    def _places(self) -> dict[str, int]:
        return {id_: place for place, id_ in enumerate(self.wanted)}

    def _shuffled(self, items: Iterable[T]) -> list[T]:
        shuffled = list(items)
        self.rng.shuffle(shuffled)
        return shuffled


def at_odds(one: Kind, other: Kind) -> str:
    """Say why bugs of two kinds cannot stand together, wherever they are, or nothing."""
    if one.bug_class == other.bug_class:
        return f"both are of the class {one.bug_class}"
    if other.id in one.hides or one.id in other.hides:
        return "one hides the other from every check"
    return ""
