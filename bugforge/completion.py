"""What a shell offers behind a Tab: names of kinds, tracks, programs, stages and workspaces.

Each function gives the words that begin as what was typed does. None may fail: a shell that waits
for words would show its traceback.
"""

from collections.abc import Callable, Iterable
from functools import wraps
from typing import Any, Protocol

Complete = Callable[[str], list[str]]


class Begun(Protocol):
    """What the parser has made of a command line so far."""

    params: dict[str, Any]
    args: list[str]


def _quietly(words: Callable[[], Iterable[str]]) -> Complete:
    @wraps(words)
    def complete(incomplete: str) -> list[str]:
        try:
            return [word for word in words() if word.startswith(incomplete)]
        except Exception:  # noqa: BLE001  # no words are better than a traceback in the prompt
            return []

    complete.__annotations__ = {"incomplete": str}  # what the parser asks a completion for
    del complete.__wrapped__  # it would show the other parameters
    return complete


@_quietly
def kinds() -> Iterable[str]:
    """Every kind of bug, by id."""
    from bugforge import catalogue  # noqa: PLC0415

    return catalogue.load().kinds


@_quietly
def forms() -> Iterable[str]:
    """Every kind of bug, by id, and each of its forms, as KIND/FORM."""
    from bugforge import catalogue  # noqa: PLC0415

    known = catalogue.load().kinds
    return [*known, *(f"{id_}/{form.name}" for id_, kind in known.items() for form in kind.forms)]


def forms_of(ctx: Begun, incomplete: str) -> list[str]:
    """Every form of the kind that the command line names. The parser knows `ctx` by its name."""
    words = [ctx.params.get("kind"), *ctx.args]  # those behind an option without its value
    begun = f"{next(filter(None, words), '')}/"
    return [name.removeprefix(begun) for name in forms(f"{begun}{incomplete}")]


@_quietly
def plugins() -> Iterable[str]:
    """Every kind and every rewrite, by id."""
    from bugforge import catalogue  # noqa: PLC0415

    known = catalogue.load()
    return [*known.kinds, *known.rewrites]


@_quietly
def origins() -> Iterable[str]:
    """Every distribution that brings kinds or rewrites."""
    from bugforge import catalogue  # noqa: PLC0415

    known = catalogue.load()
    return sorted({*known.origins.values(), *known.rewrite_origins.values()})


@_quietly
def tracks() -> Iterable[str]:
    """Every track."""
    from bugforge.tracks import TRACKS  # noqa: PLC0415

    return [track.name for track in TRACKS]


@_quietly
def follow_ups() -> Iterable[str]:
    """Every track that can go on from a program."""
    from bugforge.tracks import TRACKS  # noqa: PLC0415

    return [track.name for track in TRACKS if track.unwritten]


@_quietly
def programs() -> Iterable[str]:
    """Every program of a track."""
    from bugforge.tracks import PROGRAMS  # noqa: PLC0415

    return sorted({program.name for program in PROGRAMS})


@_quietly
def stages() -> Iterable[str]:
    """Every stage of a program."""
    from bugforge.mutation import STAGES  # noqa: PLC0415

    return STAGES


@_quietly
def difficulties() -> Iterable[str]:
    """How hard a bug may be."""
    from bugforge.mutation import DIFFICULTIES  # noqa: PLC0415

    return DIFFICULTIES


@_quietly
def visibilities() -> Iterable[str]:
    """How a bug may show."""
    from bugforge.mutation import VISIBILITIES  # noqa: PLC0415

    return VISIBILITIES


@_quietly
def feedbacks() -> Iterable[str]:
    """How much a check may tell."""
    from bugforge.report import FEEDBACKS  # noqa: PLC0415

    return FEEDBACKS


@_quietly
def topics() -> Iterable[str]:
    """Every topic of the quiz."""
    from bugforge.questions import TOPICS  # noqa: PLC0415

    return TOPICS


@_quietly
def questions() -> Iterable[str]:
    """Every question of the quiz, by id."""
    from bugforge.questions import all_questions  # noqa: PLC0415

    return [question.id for question in all_questions()]


@_quietly
def remembered() -> Iterable[str]:
    """The workspaces of the history: their folders, whose names a shell takes as they are, and how
    their ids begin.
    """
    import shlex  # noqa: PLC0415

    from bugforge.history import History  # noqa: PLC0415
    from bugforge.rounds import SHORT_ID  # noqa: PLC0415
    from bugforge.userdata import data_folder  # noqa: PLC0415

    kept = History(data_folder(), lambda _: None).rounds()
    folders = {round_.folder for round_ in kept}
    ids = {round_.workspace[:SHORT_ID] for round_ in kept}
    return [*sorted(name for name in folders if shlex.quote(name) == name), *sorted(ids)]


@_quietly
def workspaces() -> Iterable[str]:
    """The workspaces in this folder whose names a shell takes as they are: to others, whose spaces
    it would not quote here, it leads as to any file.
    """
    import shlex  # noqa: PLC0415
    from pathlib import Path  # noqa: PLC0415

    from bugforge.nextstep import inside  # noqa: PLC0415

    names = [path.name for path in inside(Path.cwd())]
    return [name for name in names if shlex.quote(name) == name]
