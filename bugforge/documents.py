"""What a workspace tells its learner: PROBLEM.md, filled in, ANALYSIS.md to be filled in, and the
tests that show how far they are.
"""

from dataclasses import dataclass
from importlib.resources import files
from string import Template

from bugforge.answers import AnswerKey
from bugforge.own_program import OWN
from bugforge.program import Program
from bugforge.sentences import PROMPT_LENGTH
from bugforge.track import Track, find_track

OWN_PROBLEM = "own.md"


@dataclass(frozen=True)
class Allowance:
    """What a learner is given to spend: minutes, and runs of the program."""

    minutes: int
    runs: int


def documents(key: AnswerKey, allowance: Allowance) -> dict[str, str]:
    """Write the pages of a workspace, and the tests that it is given, text by file name."""
    words = {
        "text": key.text,
        "files": "\n".join(f"- `{name}`" for name in key.pristine),
        "bugs": "one bug" if len(key.bugs) == 1 else _counted(len(key.bugs), "bug"),
        "minutes": _counted(allowance.minutes, "minute"),
        "runs": _counted(allowance.runs, "run"),
        "prompt_length": str(PROMPT_LENGTH),
    }
    page, harness = _template(OWN_PROBLEM), {}
    if key.track != OWN:
        track = find_track(key.track)
        program = track.program(key.reference)
        page = _inlined(track, program, has_bugs=bool(key.bugs))
        *sources, last = (f"`{name}`" for name in program.begun_with)
        words |= {"forward": program.forward, "sources": f"{', '.join(sources)} and {last}"}
        harness = program.harnessed()
    problem, analysis = Template(page).substitute(words), _template("ANALYSIS.md")
    return {"PROBLEM.md": problem, "ANALYSIS.md": analysis, **harness}


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
