"""What a workspace tells its learner: PROBLEM.md, filled in, pages to be filled in, and the tests
that show how far they are.
"""

from contextlib import suppress
from dataclasses import dataclass
from importlib.resources import files
from pathlib import Path
from string import Template

from bugforge.answers import AnswerKey
from bugforge.joining import MAIN, in_one_file
from bugforge.own_program import OWN
from bugforge.program import Program
from bugforge.sentences import PROMPT_LENGTH
from bugforge.track import Track
from bugforge.tracks import find_track

OWN_PROBLEM = "own.md"
GIVEN = "## What you are given\n"
ALL_IN_ONE = f"All of the program lies in one file, `{MAIN}`."
NO_TIME = "as long as you like"
NO_RUNS = "as few runs as you need"
DERIVATION = "DERIVATION.md"
"""Where a learner works something out, in tracks that have such a thing."""

MOST_BYTES = 256 * 1024
"""What is read of it."""


@dataclass(frozen=True)
class Allowance:
    """What a learner is given to spend: minutes, and runs of the program; 0 is no limit.

    slow: the seconds that a run waits before it begins.
    """

    minutes: int
    runs: int
    slow: int = 0


def documents(key: AnswerKey, allowance: Allowance) -> dict[str, str]:
    """Write the pages of a workspace, and the tests that it is given, text by file name."""
    words = {
        "text": key.text,
        "files": "\n".join(f"- `{name}`" for name in key.pristine),
        "bugs": "one bug" if len(key.bugs) == 1 else _counted(len(key.bugs), "bug"),
        "minutes": _counted(allowance.minutes, "minute") if allowance.minutes else NO_TIME,
        "runs": _counted(allowance.runs, "run") if allowance.runs else NO_RUNS,
        "prompt_length": str(PROMPT_LENGTH),
        "tests": next(iter(key.tests), ""),
    }
    page, others = _template(OWN_PROBLEM), {}
    if key.track != OWN:
        track = find_track(key.track)
        program = track.program(key.reference)
        page = _inlined(track, program, has_bugs=bool(key.bugs))
        sources = [f"`{name}`" for name in program.begun_with]
        words |= {
            "forward": program.forward,
            "sources": " and ".join(filter(None, (", ".join(sources[:-1]), *sources[-1:]))),
        }
        others = program.harnessed()
        if program.extension and program.extension.derivation:
            others[DERIVATION] = _template(program.extension.derivation[0])
    problem, analysis = Template(page).substitute(words), _template("ANALYSIS.md")
    if key.is_single_file:
        files_ = find_track(key.track).program(key.reference).files
        problem = in_one_file(problem, files_).replace(GIVEN, f"{GIVEN}\n{ALL_IN_ONE}\n", 1)
    return {"PROBLEM.md": problem, "ANALYSIS.md": analysis, **others}


@dataclass(frozen=True)
class Derivation:
    """How something is worked out: by the learner, if they wrote anything, and by the key."""

    own: str
    right: str


def derivation(root: Path, key: AnswerKey) -> Derivation | None:
    """Read what a learner has worked out on paper; None where the track asks for no such thing."""
    if key.track == OWN:
        return None
    extension = find_track(key.track).program(key.reference).extension
    if not extension or not extension.derivation:
        return None
    begun, right = map(_template, extension.derivation)
    own, path = "", root / DERIVATION
    if path.is_file() and not path.is_symlink():
        with suppress(OSError), path.open("rb") as file:
            own = file.read(MOST_BYTES).decode(errors="replace")
    return Derivation("" if own.split() == begun.split() else own.strip(), right.strip())


def _inlined(track: Track, program: Program, *, has_bugs: bool) -> str:
    """Put together a track's page from its own words, its program's and those on its task."""
    task = program.extension.task if program.extension else None
    before = program.base.extension if program.base else None
    return Template(_template(track.problem or program.problem)).safe_substitute(
        contract=_template(program.contract),
        task=_template(task[has_bugs]).strip() if task else "",
        stays=_template(before.stays) if before and before.stays else "",
    )


def _template(name: str) -> str:
    return (files("bugforge.templates") / name).read_text(encoding="utf-8")


def _counted(number: int, word: str) -> str:
    return f"{number} {word}" if number == 1 else f"{number} {word}s"
