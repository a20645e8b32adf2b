"""From a user's own program to the key of a workspace: read, tried out, and planted with bugs."""

from collections.abc import Callable, Sequence
from pathlib import Path

from bugforge import __version__
from bugforge.answers import AnswerKey
from bugforge.catalogue import Catalogue
from bugforge.choosing import Request
from bugforge.own_forge import Prover, forge_own
from bugforge.own_program import read_own
from bugforge.sandbox import Limits, opened

SECONDS = 600.0
"""How long one look at the program, or at it with bugs, may take."""


def make_key(
    source: Sequence[Path],
    request: Request,
    catalogue: Catalogue,
    progress: Callable[[str], None],
) -> AnswerKey:
    """Plant bugs in the program at `source`, each of which a check was seen to tell.

    Raises UsageError where it cannot be read, or nothing of it can be judged, and NoFitError where
    the bugs do not fit.
    """
    program = read_own(source)
    with opened(Limits(seconds=SECONDS)) as box:
        progress("Looking at the program")
        prover = Prover.set_up(box, program.files, request.seed)
        progress("Choosing bugs that a check tells")
        return forge_own(request, program, catalogue, __version__, prover)
