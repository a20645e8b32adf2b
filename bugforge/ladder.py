"""The ladder of hints: which bug is next, how far its hints went, and what each rung says. Pure.

A rung says more than the one before it, and none says what is right: the symptom to look at, the
law to test, the file and function, the line.
"""

from collections.abc import Collection, Mapping
from dataclasses import dataclass, replace

from bugforge.answers import AnswerKey, Bug
from bugforge.catalogue import Catalogue
from bugforge.checks import Law
from bugforge.experiments import Experiment, experiment_of, experiments
from bugforge.joining import imported_from_one
from bugforge.judgement import checks, runs
from bugforge.location import Location, located
from bugforge.mutation import DIFFICULTIES, RUNS, VISIBILITIES, Form, Mutation
from bugforge.own_program import OWN
from bugforge.probe import instruments_of
from bugforge.scoring import rung_cost
from bugforge.tracks import find_track

RUNGS = ("the symptom", "the law to test", "the file and function", "the line")


@dataclass(frozen=True)
class Hint:
    """A rung of a bug's ladder. rung: from 1. cost: in points. words: what is said, each sentence
    behind its label. places: of the bug, from the third rung on. experiment: beside the law, a few
    lines to type, where there are any that fit the program however it is written.
    """

    bug: int
    rung: int
    cost: float
    words: tuple[tuple[str, str], ...]
    places: tuple[Location, ...] = ()
    experiment: Experiment | None = None

    @property
    def title(self) -> str:
        """What this rung tells."""
        return RUNGS[self.rung - 1]


def next_rung(
    key: AnswerKey,
    catalogue: Catalogue,
    remaining: Collection[int],
    taken: Mapping[int, int],
    *,
    crashed: bool,
) -> tuple[int, int] | None:
    """Choose the bug and the rung of the next hint; None where no bug that remains has one left.

    taken: the highest rung of each bug by number, the bug whose hint was the last behind the
    others. A bug that was begun is gone on with, the last one first; else it is the one that shows
    first: a crash before a loss that is flat, that before one that stalls, and so on; of two that
    show alike the easier one. crashed: whether the program ends in an error: bugs that can be that
    error come before all others, and where none of those remains, it is to be mended first.
    """
    begun = list(taken)

    def order(bug: Bug) -> tuple[int, int, int, int]:
        recent = -begun.index(bug.number) if bug.number in taken else 1
        kind = catalogue.kinds.get(bug.kind)
        shows = VISIBILITIES.index(kind.visibility) if kind else len(VISIBILITIES)
        return recent, shows, DIFFICULTIES.index(bug.difficulty), bug.number

    open_ = [
        bug for bug in key.bugs if bug.number in remaining and taken.get(bug.number, 0) < len(RUNGS)
    ]
    if crashed:
        if not may_crash(key, catalogue, remaining):
            return None
        first = [bug for bug in open_ if may_crash(key, catalogue, [bug.number])]
        open_ = first or open_
    if not open_:
        return None
    number = min(open_, key=order).number
    return number, taken.get(number, 0) + 1


def may_crash(key: AnswerKey, catalogue: Catalogue, numbers: Collection[int]) -> bool:
    """Whether some of these bugs can end a program in an error."""
    kinds = [catalogue.kinds.get(bug.kind) for bug in key.bugs if bug.number in numbers]
    return any(kind is None or kind.crashes() for kind in kinds)


def hint(
    key: AnswerKey, catalogue: Catalogue, number: int, rung: int, current: Mapping[str, str]
) -> Hint:
    """Write a rung of a bug's ladder. current: the learner's files, text by name."""
    bug = next(bug for bug in key.bugs if bug.number == number)
    vague, nearer, exact = bug.hints
    words: list[tuple[str, str]] = []
    places: list[Location] = []
    experiment = None
    if rung >= RUNGS.index("the file and function") + 1:
        places = [located(key, edit, current.get(edit.name, "")) for edit in bug.edits]
    match RUNGS[rung - 1]:
        case "the symptom":
            words = [("It shows", bug.symptom), ("Think", vague)]
        case "the law to test":
            law = law_of(key, catalogue, bug)
            words = [("Law", law)] if law else []
            words += [("Try", bug.find), ("Think", nearer)]
            experiment = fitting(key, catalogue, bug)
        case "the file and function":
            words = [("Place", place) for place in dict.fromkeys(map(_scope, places))]
            words += [("Think", exact)]
        case "the line":
            words = [("Place", line) for line in dict.fromkeys(map(_line, places))]
    cost = rung_cost(rung, len(key.bugs))
    return Hint(number, rung, cost, tuple(words), tuple(places), experiment)


def fitting(key: AnswerKey, catalogue: Catalogue, bug: Bug) -> Experiment | None:
    """Give the experiment that exposes a bug in its workspace's program; None where there is none,
    or it uses names that the program may not have.
    """
    kind, form = _planted(catalogue, bug)
    found = experiment_of(kind, experiments(), form) if kind and key.track != OWN else None
    if found is None or found.inner:
        return None
    if key.is_single_file:
        files = find_track(key.track).program(key.reference).files
        return replace(found, code=imported_from_one(found.code, files))
    return found


def law_of(key: AnswerKey, catalogue: Catalogue, bug: Bug) -> str | None:
    """Give the sentence of the first law that a bug breaks, one that a program alone can be held to
    before a comparison; None where its kind is not installed, or the program has no laws.
    """
    kind, form = _planted(catalogue, bug)
    if kind is None or form is None or key.track == OWN:
        return None
    killers = kind.killers(form)
    known = checks(instruments_of(find_track(key.track).program(key.reference)))
    broken = [check for check in known if check.name in killers]
    for check in sorted(broken, key=lambda check: not isinstance(check, Law)):
        return check.sentence
    return runs({}, {}).sentence if RUNS in killers else None


def _planted(catalogue: Catalogue, bug: Bug) -> tuple[type[Mutation] | None, Form | None]:
    """Look up a bug's kind and form; None where they are not installed."""
    kind = catalogue.kinds.get(bug.kind)
    forms = kind.forms if kind else ()
    return kind, next((form for form in forms if form.name == bug.form), None)


def _scope(place: Location) -> str:
    where = f"in {place.scope}" if place.scope else "outside every function and class"
    return f"{place.name}, {where}."


def _line(place: Location) -> str:
    if place.gone:
        return f"{place.name}, which is gone; as it was forged, line {place.first}."
    if place.missing:
        return f"{place.name}, right before line {place.first}: {place.code.strip()}"
    if place.first == place.last:
        return f"{place.name}, line {place.first}: {place.code.strip()}"
    return f"{place.name}, lines {place.first} to {place.last}."
