"""What a practice came to: when bugs fell, what they took, the score, and what to do next. Pure."""

import inspect
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

from bugforge import scoring
from bugforge.analysis import Analysis
from bugforge.answers import AnswerKey, Bug
from bugforge.clock import Standing
from bugforge.courses import Course, End, Moment
from bugforge.own_program import OWN
from bugforge.retraced import Found
from bugforge.scoring import Score
from bugforge.tracks import TRACKS
from bugforge.workspace import Manifest

ENDS: Mapping[End, str] = {
    "fixed": "mended",
    "revealed": "revealed",
    "remaining": "left in",
    "could not tell": "could not be told",
}
"""What became of a bug, in words."""

SLOW = 1.5
"""How many times the mean a bug must have taken to be called slow."""


@dataclass(frozen=True)
class Advice:
    """Something to practise next, and commands for it, if there are any."""

    words: str
    commands: tuple[str, ...] = ()


@dataclass(frozen=True)
class Debrief:
    """All of it. stands: as it ended. courses: of the bugs that may be shown, by number. whole:
    whether these are all. untold: why it was not found out when bugs fell, or None.
    told: what there is to tell of keeping the result, a line each.
    """

    manifest: Manifest
    key: AnswerKey
    stands: Standing
    moments: tuple[Moment, ...]
    courses: tuple[Course, ...]
    whole: bool
    score: Score
    analysis: Analysis | None
    found: Found
    untold: str | None
    told: tuple[str, ...]
    advice: tuple[Advice, ...]

    def fell(self, number: int) -> list[int]:
        """Give the numbers of the bugs that were first seen fixed at the moment of this number."""
        return [
            course.bug.number
            for course in self.courses
            if course.end == "fixed" and course.closed == number
        ]

    @property
    def runs(self) -> list[Moment]:
        """Give what ran the program: the runs and the checks."""
        return [moment for moment in self.moments if moment.line.name in ("run", "check")]


HOW_TIME_IS_SHARED = (
    "Time is what passed since the bug before was done with; bugs that fell at once share it."
)


def formula() -> str:
    """Give the formula of the score, in words."""
    return inspect.cleandoc(scoring.__doc__ or "").partition("\n\n")[2]


def advice(
    key: AnswerKey,
    manifest: Manifest,
    stands: Standing,
    went: Sequence[Course],
    analysis: Analysis | None,
) -> tuple[Advice, ...]:
    """Say what to practise next: what was not found first, then what took help, then what took
    long, then what was left out; where there is none of it, something harder.
    """
    found = [*_on_bugs(key, went), *_on_the_way(key, manifest, stands, analysis)]
    if found:
        return tuple(found)
    bugs = len(key.bugs)
    if not bugs and stands.state == "revealed":
        words = "A solution was opened. Write it yourself, from what was given."
        return (Advice(words, ("bugforge reset",)),)
    if key.track == OWN or not bugs:
        return (Advice("All of it held. Take another exercise.", ("bugforge tracks",)),)
    if any(bug.difficulty != "hard" for bug in key.bugs):
        words = "All found, without help and in time. Take harder bugs."
        return (Advice(words, (f"bugforge new FOLDER --difficulty hard --bugs {bugs}",)),)
    return (Advice("All found, and they were hard. Take another exercise.", ("bugforge tracks",)),)


def _on_bugs(key: AnswerKey, went: Sequence[Course]) -> Iterator[Advice]:
    told: set[str] = set()
    mended = [course.spent for course in went if course.end == "fixed"]
    mean = sum(mended) / len(mended) if mended else 0.0
    missed = [course for course in went if course.end in ("revealed", "remaining")]
    helped = [course for course in went if course.hints and course not in missed]
    slow = [
        course
        for course in went
        if len(mended) > 1
        and course.end == "fixed"
        and course.spent > SLOW * mean
        and course not in helped
    ]
    groups = (
        (missed, "was not found"),
        (helped, "took hints"),
        (slow, "took longer than the others"),
    )
    for some, what in groups:
        for course in some:
            bug = course.bug
            words = f"Bug {bug.number} ({bug.bug_class}, in {bug.stage}) {what}."
            page = f"bugforge show {bug.kind}"
            again = () if bug.stage in told else (_drill(key, bug),)
            told.add(bug.stage)
            yield Advice(words, (page, *again))


def _drill(key: AnswerKey, bug: Bug) -> str:
    """Give the command for a workspace with one bug, of a stage."""
    if key.track == OWN:
        return f"bugforge new FOLDER --from PATH --bugs 1 --stage {bug.stage}"
    # Tracks may hold several bugs at least; the default one holds those that it knows alone, too.
    track = "" if bug.bug_class in TRACKS[0].bug_classes else f" --track {key.track}"
    return f"bugforge new FOLDER{track} --bugs 1 --stage {bug.stage}"


def _on_the_way(
    key: AnswerKey, manifest: Manifest, stands: Standing, analysis: Analysis | None
) -> Iterator[Advice]:
    left, runs_left = stands.left(manifest.minutes), stands.runs_left(manifest.runs)
    if key.bugs and analysis is None:
        yield Advice("ANALYSIS.md was left empty. Say what was wrong, and why: it is asked for.")
    elif analysis and analysis.unclaimed and stands.state == "passed":
        bugs = ", ".join(map(str, analysis.unclaimed))
        yield Advice(f"ANALYSIS.md names no place for what was mended as bug {bugs}.")
    if runs_left is not None and runs_left < 0:
        yield Advice("More runs than given. Before each, say what its loss should look like.")
    if left is not None and left < 0:
        yield Advice("It took longer than given. Read all of the program once, before any run.")
