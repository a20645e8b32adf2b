"""Making a workspace: an order checked, a program forged, a folder written."""

import random
import secrets
from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import Any

from bugforge import __version__
from bugforge.answers import AnswerKey
from bugforge.catalogue import Catalogue, refuse_unknown
from bugforge.choosing import Request
from bugforge.documents import Allowance, documents
from bugforge.errors import UsageError, WorkspaceError
from bugforge.forge import forge, preferring
from bugforge.mutants import sited
from bugforge.mutation import DIFFICULTIES, STAGES, Form
from bugforge.own_program import OWN
from bugforge.place import Place, first_attempt, write
from bugforge.rounds import Past
from bugforge.track import Track
from bugforge.tracks import TRACKS, find_track
from bugforge.workspace import DEFAULT, SCHEMA, Manifest, around, key_name

Wanted = Mapping[str, Sequence[str]]
"""Kinds by id, each with names of its forms, the first wanted most."""

SEED_BITS = 128
"""A drawn seed is too long to be tried out."""


@dataclass(frozen=True)
class Order:
    """What `bugforge new` was asked for; what is None is drawn, or taken by default.

    source: where the user's own program lies, if bugs are to go into one. past: what the learner
    has met, where bugs are to be chosen by it.
    """

    target: Path | None = None
    source: tuple[Path, ...] = ()
    track: str = "classic"
    seed: str | None = None
    bugs: int | None = None
    kinds: tuple[str, ...] = ()
    stages: tuple[str, ...] = ()
    difficulty: str | None = None
    program: str | None = None
    marked: bool = False
    single_file: bool = False
    minutes: int = 60
    runs: int = 4
    slow: int = 0
    key_dir: Path | None = None
    force: bool = False
    past: Past | None = None


@dataclass(frozen=True)
class Made:
    """A workspace that was made. key_path: where its answer key lies, if elsewhere. aside: where
    the files lie of the workspace that it replaced, if it did. by_history:
    whether its bugs were chosen by what the learner has met. told: what there is to mind, a line
    each.
    """

    target: Path
    manifest: Manifest
    bugs: int
    seed: str
    key_path: Path | None
    aside: Path | None
    by_history: bool = False
    told: tuple[str, ...] = ()

    @property
    def deed(self) -> str:
        """Say what its learner is to do with the program."""
        if self.bugs:
            return "mend"
        return "test" if find_track(self.manifest.track).only_tests else "extend"

    def document(self, command: str) -> dict[str, Any]:
        """Describe it for `--json` of the command that made it."""
        return {
            "command": command,
            "workspace": str(self.target.resolve()),
            "bugs": self.bugs,
            "seed": self.seed,
            "key": self.key_path and str(self.key_path.resolve()),
            "aside": self.aside and str(self.aside.resolve()),
            "by_history": self.by_history,
            **{k: v for k, v in asdict(self.manifest).items() if k not in ("schema", "key_inside")},
        }


def make(
    order: Order, catalogue: Catalogue, progress: Callable[[str], None] = lambda _: None
) -> Made:
    """Forge a workspace from a catalogue and write it whole, or not at all.

    Raises UsageError for words that are not known, NoFitError for bugs that do not fit, and
    WorkspaceError for a place that is taken or cannot be written.
    """
    place = Place(_target(order), order.key_dir, order.force)
    track = find_track(order.track)
    wanted = _wanted(order, catalogue)
    asked = _request(order, track, catalogue, wanted)
    request = preferring(asked, track, catalogue, wanted) if wanted else asked
    if order.single_file:
        _refuse_files(order, track, request.program)
    if order.source:
        from bugforge.own_making import make_key  # noqa: PLC0415  # it loads what others do without

        key = make_key(order.source, request, catalogue, progress)
    else:
        key = forge(request, track, catalogue, __version__)
    others: dict[str, str | bytes] = dict(track.given.given()) if track.given else {}
    if not order.source and track.program(key.reference).expects:
        from bugforge.exactness import EXPECTED, made_here  # noqa: PLC0415  # as above

        progress("Making the tensors that are expected")
        others[EXPECTED] = made_here(key)
    made = settle(place, key, Allowance(order.minutes, order.runs, order.slow), others)
    return replace(made, by_history=request != asked)


def runs_programs(order: Order) -> bool:
    """Whether making a workspace takes running programs, and so as long as torch takes to load."""
    programs = find_track(order.track).programs
    return bool(order.source) or any(program.expects for program in programs)


def settle(
    place: Place, key: AnswerKey, allowance: Allowance, others: Mapping[str, str | bytes]
) -> Made:
    """Write the workspace of a key: what a learner begins with, other files beside that, its pages.

    Raises WorkspaceError for a place that is taken or cannot be written.
    """
    manifest = Manifest(
        schema=SCHEMA,
        id=key.id,
        track=key.track,
        version=key.version,
        minutes=allowance.minutes,
        runs=allowance.runs,
        key_inside=place.key_dir is None,
        slow=allowance.slow,
    )
    write(place, manifest, {**others, **key.forged, **documents(key, allowance)}, key)
    key_path = place.key_dir / key_name(key.id) if place.key_dir else None
    aside = first_attempt(place.target)
    kept = aside if aside.is_dir() else None
    return Made(place.target, manifest, len(key.bugs), key.seed, key_path, kept)


def _target(order: Order) -> Path:
    inside = around(Path.cwd())
    if order.target is None:
        if inside is not None:
            raise WorkspaceError(
                f"You are inside the workspace {inside}.",
                "Leave it, or name a folder outside it: bugforge new ../another",
            )
        return DEFAULT
    holder = around(order.target.parent)
    if holder is not None or (inside and order.target.resolve() == inside):
        raise WorkspaceError(
            f"{order.target} lies inside the workspace {holder or inside}.",
            "Name a folder outside it.",
        )
    return order.target


def _wanted(order: Order, catalogue: Catalogue) -> Wanted:
    """Tell which kinds and forms the learner needs most; none where that is not asked or known."""
    if order.past is None:
        return {}
    if order.source:
        raise UsageError(
            "--weak chooses bugs for the programs that Bugforge brings, and --from names another.",
            "Leave one of them out.",
        )
    from bugforge.spacing import wanted  # noqa: PLC0415  # its scheduler takes its time to load

    return wanted(order.past, catalogue.kinds.values())


def _request(order: Order, track: Track, catalogue: Catalogue, wanted: Wanted) -> Request:
    for stage in order.stages:
        refuse_unknown("stage", stage, STAGES)
    if order.difficulty is not None:
        refuse_unknown("difficulty", order.difficulty, DIFFICULTIES)
    kinds = tuple(dict.fromkeys(order.kinds))
    bugs = order.bugs
    if bugs is None:
        which = order.stages or order.difficulty or order.marked or order.past
        bugs = track.bugs if which or not track.unwritten else 0
        bugs = len(track.slots if track.filled else kinds) or bugs
    if bugs < len(kinds):
        raise UsageError(
            f"--bugs {bugs} is fewer than the {len(kinds)} kinds asked for.",
            "Leave --bugs out, or name fewer kinds.",
        )
    if order.past and bugs == len(kinds):
        raise UsageError(
            "--weak chooses bugs, and here --kind names them all.",
            "Leave one of the two out, or ask for more with --bugs.",
        )
    seed = order.seed if order.seed is not None else str(secrets.randbits(SEED_BITS))
    _refuse_two_programs(order)
    _refuse_count(track, bugs)
    asked = [catalogue.forms(named) for named in kinds]
    for kind, _ in asked:
        if not order.source and not track.plants(kind):
            homes = " or ".join(t.name for t in TRACKS if t.plants(kind))
            raise UsageError(
                f"The kind {kind.id} is no bug of the track {track.name}.",
                f"Name its own with it: --track {homes}",
            )
    if order.source:
        program = OWN
    else:
        _refuse_stages(order, track, catalogue)
        first = _first(track, catalogue, wanted, bugs)
        forms = [forms for _, forms in asked]
        program = track.program(order.program or _drawn(order, track, forms, first, seed)).name
    return Request(
        seed=seed,
        bugs=bugs,
        program=program,
        kinds=kinds,
        stages=tuple(dict.fromkeys(order.stages)),
        difficulty=order.difficulty,
        marked=order.marked,
        single_file=order.single_file,
    )


def _refuse_stages(order: Order, track: Track, catalogue: Catalogue) -> None:
    """Raise UsageError where a track plants nothing in any of the stages that were asked for."""

    def has_one(one: Track) -> bool:
        kinds = [kind for kind in catalogue.kinds.values() if kind.stage in order.stages]
        return any(one.plants(kind) and (one.crashes or not kind.crashes()) for kind in kinds)

    if order.stages and not has_one(track):
        stages = " or ".join(dict.fromkeys(order.stages))
        homes = " or ".join(one.name for one in TRACKS if has_one(one) and not one.only_tests)
        raise UsageError(
            f"The track {track.name} has no bugs of the stage {stages}.",
            f"Name one that has: --track {homes}"
            if homes
            else "Ask for another stage; `bugforge list` shows every kind with its own.",
        )


def _refuse_two_programs(order: Order) -> None:
    """Raise UsageError where a program of the user's own is named, and another."""
    track = order.track if order.track != TRACKS[0].name else None
    for option, named in (("--program", order.program), ("--track", track)):
        if order.source and named:
            raise UsageError(
                f"--from and {option} {named} name two programs.", "Leave one of them out."
            )


def _refuse_files(order: Order, track: Track, program: str) -> None:
    """Raise UsageError where a program has to be several files."""
    if order.source or track.program(program).has_own_files:
        which = "A program of your own" if order.source else f"The track {track.name}"
        raise UsageError(f"{which} is not given as a single file.", "Leave --single-file out.")


def _refuse_count(track: Track, bugs: int) -> None:
    """Raise UsageError where a track does not hold so many bugs."""
    slots = len(track.slots)
    if slots > bugs or (track.filled and slots != bugs):
        raise UsageError(
            f"The track {track.name} holds {slots} bugs{'' if track.filled else ' at least'}.",
            f"Ask for --bugs {slots}{'' if track.filled else ' or more'}, or leave it out.",
        )
    if bugs and track.only_tests:
        raise UsageError(
            f"The track {track.name} has no bugs to plant: its program is right.",
            "Leave out what asks for them.",
        )


def _first(
    track: Track, catalogue: Catalogue, wanted: Wanted, count: int
) -> list[tuple[Form, ...]]:
    """Give the kinds that are wanted most, by their forms: one of each of the first classes."""
    first: dict[str, tuple[Form, ...]] = {}
    for id_ in wanted:
        kind = catalogue.kind(id_)
        if track.plants(kind) and len(first) < count:
            first.setdefault(kind.bug_class, kind.forms)
    return list(first.values())


def _drawn(
    order: Order,
    track: Track,
    kinds: Sequence[Sequence[Form]],
    first: Sequence[Sequence[Form]],
    seed: str,
) -> str:
    """Draw one of the track's programs that have places for all kinds asked for, each given by its
    forms; the simplest, if it is to be easy, or if none has. One that is made on request is drawn
    where no other has. Of several, those have it that have places for most of those wanted first.
    """
    programs = list(track.programs)
    if kinds:
        programs = [p for p in programs if sited(p.reference(), kinds) == len(kinds)]
    usual = [program for program in programs if program.name not in track.on_request]
    programs = usual or programs
    if order.difficulty == "easy" or not programs:
        return (programs or track.programs)[0].name
    if first and len(programs) > 1:
        held = [sited(program.reference(), first) for program in programs]
        programs = [p for p, count in zip(programs, held, strict=True) if count == max(held)]
    return random.Random(f"{seed} program").choice(programs).name
