"""Bugs for a user's own program: only such as a check is seen to tell, alone and together."""

import hashlib
import random
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import asdict, dataclass, field, replace

from bugforge.answers import AnswerKey
from bugforge.attribution import subsets
from bugforge.catalogue import Catalogue
from bugforge.choosing import Candidate, Chooser, Request
from bugforge.edits import Edit, apply_edits
from bugforge.errors import NoFitError
from bugforge.forge import numbered
from bugforge.marks import mark
from bugforge.mutation import BUG_CLASSES
from bugforge.own_likeness import compare, told_apart
from bugforge.own_program import OWN, OwnProgram
from bugforge.own_recorder import INSTRUMENTS, QUICK, OwnRecorder
from bugforge.sandbox import Sandbox
from bugforge.surgery import sites
from bugforge.track import Track
from bugforge.tracks import PIPELINE_CLASSES

DRAWS = 2
"""Drawings of inputs under each of which a bug must be told."""
Edits = tuple[Edit, ...]


@dataclass
class Prover:
    """Tells which bugs a check of this program would see, by recording it with them in."""

    files: Mapping[str, str]
    recorders: list[OwnRecorder]
    known: dict[frozenset[Edits], bool] = field(default_factory=dict)

    @property
    def judged(self) -> list[str]:
        """Name the recordings by which bugs were told, and a check is to tell them again."""
        return list(self.recorders[0].reach.instruments)

    @classmethod
    def set_up(cls, box: Sandbox, files: Mapping[str, str], seed: str) -> "Prover":
        """Record the correct program. Raises UsageError where nothing of it can be judged."""
        rng = random.Random(f"bugforge {OWN} {seed}")
        return cls(files, [OwnRecorder.set_up(box, files, rng) for _ in range(DRAWS)])

    def unseen(self, bugs: Sequence[Edits]) -> Iterable[frozenset[Edits]]:
        """Give the bugs that would not be told from the correct program; where there are none,
        the sets of them that would not.
        """
        every = [frozenset(bugs[i] for i in some) for some in subsets(range(len(bugs))) if some]
        for sets in (every[: len(bugs)], every):
            self._ask([some for some in sets if some not in self.known])
            unseen = [some for some in sets if not self.known[some]]
            if unseen:
                return unseen
        return ()

    def _ask(self, sets: Sequence[frozenset[Edits]]) -> None:
        waiting = list(sets)
        rest = tuple(name for name in INSTRUMENTS if name not in QUICK)
        for instruments in (QUICK, rest):
            names = {
                some: f"{len(self.known) + i} {instruments[0]}" for i, some in enumerate(waiting)
            }
            for some, name in names.items():
                for recorder in self.recorders:
                    program = apply_edits(self.files, (edit for edits in some for edit in edits))
                    recorder.submit(name, recorder.write(name, program), instruments=instruments)
            told = {
                some
                for some, name in names.items()
                if all(_tells(recorder, name, instruments) for recorder in self.recorders)
            }
            waiting = [some for some in waiting if some not in told]
            self.known |= dict.fromkeys(told, True)
        self.known |= dict.fromkeys(waiting, False)


def _tells(recorder: OwnRecorder, name: str, instruments: Sequence[str]) -> bool:
    seen, reach = recorder.recordings(name, instruments), recorder.reach
    judged = [each for each in reach.instruments if each in seen]
    if recorder.limit(name):
        return False  # a bug that fills the machine, or never ends, teaches nothing
    return told_apart(compare(seen, recorder.correct, reach.models, judged))


def forge_own(
    request: Request, program: OwnProgram, catalogue: Catalogue, version: str, prover: Prover
) -> AnswerKey:
    """Choose bugs that fit together and that a check tells, and plant them in a user's program.

    Raises UsageError for an unknown kind, and NoFitError for more bugs than there is room for.
    """
    # What is told of a pipeline's bugs speaks of its rows and classes.
    classes = tuple(name for name in BUG_CLASSES if name not in PIPELINE_CLASSES)
    track = Track(OWN, "Your own program", (), classes, "", 0)
    rng = random.Random(f"bugforge {request.seed}")
    chosen = _told(Chooser(request, track, catalogue, program.sources, rng), prover)
    rng.shuffle(chosen)  # numbers say nothing about class or place
    pristine, edits = dict(program.files), [candidate.edits for candidate in chosen]
    if request.marked:
        pristine, edits = mark(pristine, edits)
    options = {k: list(v) if isinstance(v, tuple) else v for k, v in asdict(request).items()}
    options["judged"] = prover.judged
    return AnswerKey(
        id=identity(options, pristine),
        track=OWN,
        version=version,
        seed=request.seed,
        options=options,
        text="",
        reference=OWN,
        pristine=pristine,
        bugs=tuple(
            numbered(number, candidate, planted)
            for number, (candidate, planted) in enumerate(zip(chosen, edits, strict=True), start=1)
        ),
    )


def identity(options: Mapping[str, object], pristine: Mapping[str, str]) -> str:
    """Name a workspace by all that its verdict hangs on, so that a key tells whose it is."""
    words = f"{OWN} {sorted(options.items())} {sorted(pristine.items())}"
    return hashlib.sha256(words.encode()).hexdigest()[:16]


def is_own_genuine(key: AnswerKey) -> bool:
    """Whether a key of a user's own program holds the program that it was forged from."""
    return key.id == identity(key.options, key.pristine)


def _told(chooser: Chooser, prover: Prover) -> list[Candidate]:
    """Choose, and choose again without what no check would tell, until all is told."""
    without: set[Edits] = set()
    _hold_asked(chooser, without)
    while True:
        chosen = replace(chooser, without=frozenset(without)).choose()
        unseen = prover.unseen([candidate.edits for candidate in chosen])
        if not unseen:
            return chosen
        for some in unseen:
            without.add(next(c.edits for c in reversed(chosen) if c.edits in some))
        _hold_asked(chooser, without)


def _hold_asked(chooser: Chooser, without: set[Edits]) -> None:
    """Refuse a kind that was asked for and has no place where it would be told."""
    for id_ in chooser.request.kinds:
        _, forms = chooser.catalogue.forms(id_)
        places = {
            site.plant()
            for form in forms
            for source in chooser.sources
            for site in sites(source, form)
        }
        if not places:
            raise NoFitError(
                f"The kind {id_} finds no place in the program.",
                "`bugforge sites` lists the kinds that do.",
            )
        if places <= without:
            raise NoFitError(
                f"The kind {id_} finds a place in the program, but no check of it would tell.",
                "Ask for another; ARCHITECTURE.md says what a check of your own program sees.",
            )
