"""From a seed to a program with bugs in it, and the key to it. Pure: nothing touches a disk."""

import hashlib
import random
from collections.abc import Callable, Iterable, Sequence
from dataclasses import asdict, dataclass
from functools import cache
from typing import TypeVar

from bugforge.answers import AnswerKey, Bug
from bugforge.catalogue import Catalogue
from bugforge.edits import Edit, touch
from bugforge.errors import NoFitError
from bugforge.marks import mark
from bugforge.mutation import Form, Mutation
from bugforge.surgery import Source, parse, sites
from bugforge.track import Track
from bugforge.variant import choose_sentence, with_sentence

T = TypeVar("T")


@dataclass(frozen=True)
class Request:
    """What a workspace is asked to hold.

    bugs: how many. kinds: ids that must be among them. stages, difficulty: what the others are
    drawn from, all where empty. marked: whether regions with bugs are marked by comments.
    """

    seed: str
    bugs: int = 4
    kinds: tuple[str, ...] = ()
    stages: tuple[str, ...] = ()
    difficulty: str | None = None
    marked: bool = False


@dataclass(frozen=True)
class Candidate:
    """A kind with the form and the place it would be planted in."""

    kind: type[Mutation]
    form: Form
    edits: tuple[Edit, ...]


def forge(request: Request, track: Track, catalogue: Catalogue, version: str) -> AnswerKey:
    """Make a variant of the track's program, choose bugs that fit together, and plant them.

    The same request, track, catalogue and version give the same key. Raises UsageError for an
    unknown kind, and NoFitError, naming the most that fit, for more bugs than there is room for.
    """
    rng = random.Random(f"bugforge {request.seed}")
    text, prompt = choose_sentence(rng)
    pristine = track.reference()
    pristine["train.py"] = with_sentence(pristine["train.py"], text)
    sources = [parse(name, source) for name, source in pristine.items()]
    chosen = _choose(request, track, catalogue, sources, rng)
    chosen = _shuffled(chosen, rng)  # numbers say nothing about class or place
    edits = [candidate.edits for candidate in chosen]
    if request.marked:
        pristine, edits = mark(pristine, edits)
    return AnswerKey(
        id=_identity(request, track),
        track=track.name,
        version=version,
        seed=request.seed,
        options=asdict(request),
        text=text,
        prompt=prompt,
        pristine=pristine,
        bugs=tuple(
            _bug(number, candidate, planted)
            for number, (candidate, planted) in enumerate(zip(chosen, edits, strict=True), start=1)
        ),
    )


def _choose(
    request: Request,
    track: Track,
    catalogue: Catalogue,
    sources: Sequence[Source],
    rng: random.Random,
) -> list[Candidate]:
    """Choose as many bugs as asked for, one a class, none that hides another or crowds it."""
    asked = [_one_of(catalogue.kind(id_), sources, rng) for id_ in dict.fromkeys(request.kinds)]
    missing = [id_ for id_, found in zip(request.kinds, asked, strict=False) if found is None]
    if missing:
        raise NoFitError(
            f"The kind {missing[0]} finds no place in the track {track.name}.",
            f"`bugforge show {missing[0]}` says what it needs.",
        )
    wanted = [candidate for candidate in asked if candidate]
    taken = {candidate.kind.bug_class for candidate in wanted}
    for index, candidate in enumerate(wanted):
        for earlier in wanted[:index]:
            clash = _clash(earlier, candidate)
            if clash:
                raise NoFitError(
                    f"{earlier.kind.id} and {candidate.kind.id} cannot stand together: {clash}.",
                    "Ask for one of them.",
                )
    groups: dict[str, list[type[Mutation]]] = {}
    for kind in _shuffled(catalogue.kinds.values(), rng):
        if kind.bug_class not in taken and _eligible(kind, request, track):
            groups.setdefault(kind.bug_class, []).append(kind)
    order = _shuffled(sorted(groups), rng)
    # Looking for sites is slow, so it waits until a kind's turn comes, and is done once.
    draw = cache(lambda kind: _one_of(kind, sources, rng))
    for count in range(min(request.bugs, len(wanted) + len(order)), 0, -1):
        chosen = _grow(wanted, [groups[name] for name in order], count, draw)
        if chosen is None:
            continue
        if count == request.bugs:
            return chosen
        raise NoFitError(
            f"{request.bugs} bugs do not fit: with these options {count} can stand together.",
            f"Ask for --bugs {count}, or for other kinds, stages or difficulty.",
        )
    raise NoFitError(
        "No bug fits: no kind of this stage and difficulty finds a place in the program.",
        "Ask for other stages or another difficulty; `bugforge list` shows what there is.",
    )


def _grow(
    chosen: list[Candidate],
    groups: Sequence[Sequence[type[Mutation]]],
    count: int,
    draw: Callable[[type[Mutation]], Candidate | None],
) -> list[Candidate] | None:
    """Extend the choice to `count` bugs, at most one of each group, or give None."""
    if len(chosen) == count:
        return chosen
    for index, group in enumerate(groups):
        if len(chosen) + len(groups) - index < count:
            return None
        for kind in group:
            if any(_at_odds(other.kind, kind) for other in chosen):
                continue
            candidate = draw(kind)
            if candidate and not any(_clash(other, candidate) for other in chosen):
                grown = _grow([*chosen, candidate], groups[index + 1 :], count, draw)
                if grown:
                    return grown
    return None


def _eligible(kind: type[Mutation], request: Request, track: Track) -> bool:
    return (
        kind.bug_class in track.bug_classes
        and (not request.stages or kind.stage in request.stages)
        and (request.difficulty is None or kind.difficulty == request.difficulty)
    )


def _one_of(
    kind: type[Mutation], sources: Sequence[Source], rng: random.Random
) -> Candidate | None:
    """Draw a form of the kind that finds a site, and one of its sites."""
    for form in _shuffled(kind.forms, rng):
        found = [site for source in sources for site in sites(source, form)]
        if found:
            return Candidate(kind, form, rng.choice(found).plant())
    return None


def _clash(one: Candidate, other: Candidate) -> str:
    """Say why two bugs cannot stand together, or nothing."""
    if touch(one.edits, other.edits):
        return "they change the same lines"
    return _at_odds(one.kind, other.kind)


def _at_odds(one: type[Mutation], other: type[Mutation]) -> str:
    """Say why bugs of two kinds cannot stand together, wherever they are, or nothing."""
    if one.bug_class == other.bug_class:
        return f"both are of the class {one.bug_class}"
    if other.id in one.hides or one.id in other.hides:
        return "one hides the other from every check"
    if one.visibility == other.visibility == "crash":
        return "both crash the program"
    return ""


def _shuffled(items: Iterable[T], rng: random.Random) -> list[T]:
    shuffled = list(items)
    rng.shuffle(shuffled)
    return shuffled


def _identity(request: Request, track: Track) -> str:
    words = f"{track.name} {sorted(asdict(request).items())}"
    return hashlib.sha256(words.encode()).hexdigest()[:16]


def _bug(number: int, candidate: Candidate, edits: tuple[Edit, ...]) -> Bug:
    kind, page = candidate.kind, candidate.kind.page
    return Bug(
        number=number,
        kind=kind.id,
        form=candidate.form.name,
        bug_class=kind.bug_class,
        stage=kind.stage,
        difficulty=kind.difficulty,
        title=page.title,
        what=page.what,
        why=page.why,
        symptom=page.symptom,
        find=page.find,
        other_fixes=page.other_fixes,
        hints=kind.hints,
        provenance=kind.provenance,
        edits=edits,
    )
