"""From a seed to a program with bugs in it, and the key to it. Pure: nothing touches a disk."""

import hashlib
import random
from dataclasses import asdict

from bugforge.answers import AnswerKey, Bug
from bugforge.catalogue import Catalogue
from bugforge.choosing import Candidate, Chooser, Request
from bugforge.edits import Edit
from bugforge.marks import mark, unmarked
from bugforge.surgery import parse
from bugforge.track import Track, find_track
from bugforge.variant import vary


def forge(request: Request, track: Track, catalogue: Catalogue, version: str) -> AnswerKey:
    """Make a variant of the track's program, choose bugs that fit together, and plant them.

    The same request, track, catalogue and version give the same key. Raises UsageError for an
    unknown kind, and NoFitError, naming the most that fit, for more bugs than there is room for.
    """
    rng = _rng(request.seed)
    text, pristine = vary(track.reference(), rng)
    sources = [parse(name, source) for name, source in pristine.items()]
    chosen = Chooser(request, track, catalogue, sources, rng).choose()
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
        text=text,
        pristine=pristine,
        bugs=tuple(
            _bug(number, candidate, planted)
            for number, (candidate, planted) in enumerate(zip(chosen, edits, strict=True), start=1)
        ),
    )


def is_genuine(key: AnswerKey) -> bool:
    """Whether a key's correct program is the one that its seed leads to, marks aside.

    A verdict hangs on that program and on its sentence, and on nothing else that a key holds.
    """
    text, pristine = vary(find_track(key.track).reference(), _rng(key.seed))
    held = {name: unmarked(source) for name, source in key.pristine.items()}
    return (key.text, held) == (text, pristine)


def _rng(seed: str) -> random.Random:
    return random.Random(f"bugforge {seed}")


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
