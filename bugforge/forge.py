"""From a seed to a program with bugs in it, and the key to it. Pure: nothing touches a disk."""

import hashlib
import random
from collections.abc import Iterable, Mapping, Sequence
from contextlib import suppress
from dataclasses import asdict, replace
from functools import cache

from bugforge.answers import AnswerKey, Bug
from bugforge.catalogue import Catalogue
from bugforge.choosing import Candidate, Chooser, Request
from bugforge.edits import Edit, apply_edits
from bugforge.errors import NoFitError
from bugforge.idle import idle_names
from bugforge.joining import NotJoinableError, joined
from bugforge.marks import mark, unmarked
from bugforge.program import Program
from bugforge.rewrite import Renaming, Retelling, Rewrite
from bugforge.room import Room, placed
from bugforge.sentences import is_passage
from bugforge.surgery import Source, parse
from bugforge.track import Track
from bugforge.tracks import find_track
from bugforge.variant import Variant, vary, written

DRAWS = 4
"""How often the reference is made over, until the bugs chosen for it have places in it."""


def forge(request: Request, track: Track, catalogue: Catalogue, version: str) -> AnswerKey:
    """Choose bugs that fit together, make the track's program over with room for them, plant them.

    The same request, track, catalogue and version give the same key. Raises UsageError for an
    unknown kind, and NoFitError, naming the most that fit, for more bugs than there is room for, or
    where the program cannot be one file.
    """
    rng = _drawing(request)
    program = track.program(request.program)
    wanted = []
    if request.bugs:
        wanted = Chooser(request, track, catalogue, _parsed(program), rng).choose()
    variant, chosen = _with_room(wanted, program, catalogue, rng, request.single_file)
    pristine = variant.files
    rng.shuffle(chosen)  # numbers say nothing about class or place
    edits = [candidate.edits for candidate in chosen]
    if request.single_file:
        pristine, edits = joined(pristine, edits)
    if request.marked:
        pristine, edits = mark(pristine, edits)
    return AnswerKey(
        id=_identity(request, track),
        track=track.name,
        version=version,
        seed=request.seed,
        options={k: list(v) if isinstance(v, tuple) else v for k, v in asdict(request).items()},
        text=variant.text,
        ways=variant.ways,
        decoys=variant.decoys,
        reference=program.name,
        plugins=catalogue.bringing(variant.ways),
        pristine=pristine,
        **({} if chosen else _to_write(program, catalogue, variant)),
        bugs=tuple(
            numbered(number, candidate, planted)
            for number, (candidate, planted) in enumerate(zip(chosen, edits, strict=True), start=1)
        ),
    )


def preferring(
    request: Request, track: Track, catalogue: Catalogue, wanted: Mapping[str, Sequence[str]]
) -> Request:
    """Name in a request the bugs that are wanted most of those that it could hold together.

    wanted: kinds by id, each with names of its forms, the first wanted most. What comes back is
    forged with no knowledge of it; it is the request itself where what was named found no place.
    Raises what forging it would.
    """
    sources = _parsed(track.program(request.program))
    for draw in range(DRAWS):
        rng = random.Random(f"{request.seed} wanted {draw}")
        chosen = Chooser(request, track, catalogue, sources, rng, wanted=wanted).choose()
        kinds = tuple(f"{each.kind.id}/{each.form.name}" for each in chosen)
        named = replace(request, kinds=kinds)
        with suppress(NoFitError):
            Chooser(named, track, catalogue, sources, _drawing(named)).choose()
            return named
    return request


def _drawing(request: Request) -> random.Random:
    return random.Random(f"bugforge {request.seed}")


def _to_write(
    program: Program, catalogue: Catalogue, variant: Variant
) -> dict[str, dict[str, str]]:
    """Give what a key holds where a program's extension is to be written: the program without it,
    but for the files that come with it, and tests.
    """
    extension, base = program.extension, program.base
    assert extension and base, program.name  # noqa: PT018
    plain = written(base.reference(), catalogue.rewrites_of(program), variant.text, variant.ways)
    return {
        "given": {**plain, **extension.begun(variant.files)},
        "tests": extension.tests_written(),
    }


def is_genuine(key: AnswerKey, catalogue: Catalogue) -> bool:
    """Whether a key's correct program is the reference, written in the ways that the key tells of,
    marks aside.

    A verdict hangs on that program and on its sentence, and on nothing else that a key holds.
    """
    program = find_track(key.track).program(key.reference)
    held = {name: unmarked(source) for name, source in key.pristine.items()}
    teaches = is_passage(key.text) if program.learns_text else not key.text
    correct = written(program.reference(), catalogue.rewrites_of(program), key.text, key.ways)
    if key.is_single_file:
        with suppress(NotJoinableError):
            correct, _ = joined(correct, ())
    return teaches and held == correct


def _with_room(
    wanted: Sequence[Candidate],
    program: Program,
    catalogue: Catalogue,
    rng: random.Random,
    single_file: bool,  # noqa: FBT001
) -> tuple[Variant, list[Candidate]]:
    """Make the reference over so that bugs chosen for it have places still, and find them.

    Where one has none in the end, or all touch others, or one would leave a name that nothing
    reads, which a linter finds, or it is to be one file and cannot, it is made over once more; at
    last it keeps its own build, and its own names.
    """
    reference, rewrites = program.reference(), catalogue.rewrites_of(program)
    names: list[type[Rewrite]] = [r for r in rewrites if issubclass(r, Renaming | Retelling)]
    room = Room.of(wanted, reference)
    telling = None
    for drawn_from in (*[rewrites] * DRAWS, names, []):
        variant = vary(reference, drawn_from, program.text(rng), rng, room.fits)
        sources = [parse(name, source) for name, source in variant.files.items()]
        chosen = placed(wanted, sources, rng)
        if chosen is not None and (not single_file or _is_joinable(variant.files, chosen)):
            telling = variant, chosen
            if not _leaves_names_idle(variant.files, chosen):
                return variant, chosen
    if telling is None:
        raise NoFitError("These bugs do not fit into one file.", "Leave --single-file out.")
    return telling


def _is_joinable(files: Mapping[str, str], chosen: Iterable[Candidate]) -> bool:
    with suppress(NotJoinableError):
        joined(files, [candidate.edits for candidate in chosen])
        return True
    return False


def _leaves_names_idle(files: Mapping[str, str], chosen: Iterable[Candidate]) -> bool:
    forged = apply_edits(files, [edit for candidate in chosen for edit in candidate.edits])
    return any(
        idle_names(text) - idle_names(files[name])
        for name, text in forged.items()
        if text != files[name]
    )


@cache
def _parsed(program: Program) -> tuple[Source, ...]:
    """Parse the reference: once, however many workspaces a process forges from it."""
    return tuple(parse(name, text) for name, text in program.reference().items())


def _identity(request: Request, track: Track) -> str:
    words = f"{track.name} {sorted(asdict(request).items())}"
    return hashlib.sha256(words.encode()).hexdigest()[:16]


def numbered(number: int, candidate: Candidate, edits: tuple[Edit, ...]) -> Bug:
    """Give a bug its number and its explanation. edits: as they stand in the program."""
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
