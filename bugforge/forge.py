"""From a seed to a program with bugs in it, and the key to it. Pure: nothing touches a disk."""

import hashlib
import random
from collections.abc import Sequence
from dataclasses import asdict

from bugforge.answers import AnswerKey, Bug
from bugforge.catalogue import Catalogue
from bugforge.choosing import Candidate, Chooser, Request
from bugforge.edits import Edit
from bugforge.marks import mark, unmarked
from bugforge.rewrite import Restructuring
from bugforge.room import Room, placed
from bugforge.sentences import shipped
from bugforge.surgery import parse
from bugforge.track import Track, find_track
from bugforge.variant import Variant, vary, written


def forge(request: Request, track: Track, catalogue: Catalogue, version: str) -> AnswerKey:
    """Choose bugs that fit together, make the track's program over with room for them, plant them.

    The same request, track, catalogue and version give the same key. Raises UsageError for an
    unknown kind, and NoFitError, naming the most that fit, for more bugs than there is room for.
    """
    rng = random.Random(f"bugforge {request.seed}")
    reference = [parse(name, text) for name, text in track.reference().items()]
    wanted = Chooser(request, track, catalogue, reference, rng).choose()
    variant, chosen = _with_room(wanted, track, catalogue, rng)
    pristine = variant.files
    rng.shuffle(chosen)  # numbers say nothing about class or place
    edits = [candidate.edits for candidate in chosen]
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
        pristine=pristine,
        bugs=tuple(
            numbered(number, candidate, planted)
            for number, (candidate, planted) in enumerate(zip(chosen, edits, strict=True), start=1)
        ),
    )


def is_genuine(key: AnswerKey, catalogue: Catalogue) -> bool:
    """Whether a key's correct program is the reference, written in the ways that the key tells of,
    marks aside.

    A verdict hangs on that program and on its sentence, and on nothing else that a key holds.
    """
    reference = find_track(key.track).reference()
    held = {name: unmarked(source) for name, source in key.pristine.items()}
    return key.text in shipped() and held == written(
        reference, catalogue.rewrites.values(), key.text, key.ways
    )


def _with_room(
    wanted: Sequence[Candidate], track: Track, catalogue: Catalogue, rng: random.Random
) -> tuple[Variant, list[Candidate]]:
    """Make the reference over so that bugs chosen for it have places still, and find them.

    Where one has none in the end, or all touch others, the reference keeps its own build.
    """
    reference, rewrites = track.reference(), list(catalogue.rewrites.values())
    names = [rewrite for rewrite in rewrites if not issubclass(rewrite, Restructuring)]
    room = Room.of(wanted, reference)
    for drawn_from in (rewrites, names):
        variant = vary(reference, drawn_from, rng, room.fits)
        sources = [parse(name, source) for name, source in variant.files.items()]
        chosen = placed(wanted, sources, rng)
        if chosen:
            return variant, chosen
    raise AssertionError(wanted)


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
