"""Running the experiment of a kind of bug on a small program, with the bug and without."""

from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from functools import partial

from bugforge.catalogue import Catalogue, refuse_unknown
from bugforge.edits import apply_edits
from bugforge.errors import ToolError, UsageError
from bugforge.experiments import Experiment, Shown, experiment_of, experiments, read_shown
from bugforge.files import write_files
from bugforge.mutants import Mutant, home, mutants
from bugforge.mutation import DIFFICULTIES, STAGES, Form, Mutation
from bugforge.program import Program
from bugforge.programs import GPT
from bugforge.recordings import read_recording
from bugforge.sandbox import Limits, Sandbox, opened
from bugforge.tracks import TRACKS

SEED = 0
LESSON = 5
"""Experiments of one lesson."""


@dataclass(frozen=True)
class Planned:
    """An experiment to be run, the program that it is run on, and the bug that one of two holds."""

    mutant: Mutant
    program: Program
    experiment: Experiment


@dataclass(frozen=True)
class Demonstration:
    """What an experiment showed of a program without and with a bug."""

    planned: Planned
    right: Shown
    wrong: Shown

    @property
    def tells(self) -> bool:
        """Whether it tells the two apart."""
        return self.planned.experiment.tells(self.right, self.wrong)


def planned(kind: type[Mutation], form: Form | None = None) -> Planned:
    """Plan a kind's experiment, with one of its forms, or the first that has a place in a program
    of a track. Raises UsageError where it has no experiment, or no place.
    """
    known = experiments()
    programs = [p for track in TRACKS if track.plants(kind) for p in track.all_programs]
    for one in [form] if form else kind.forms:
        experiment = experiment_of(kind, known, one)
        if experiment is None:
            raise UsageError(
                f"There is no experiment that exposes {kind.id}.",
                f"Its page says how to find it: bugforge show {kind.id}",
            )
        program = home(programs, one) if programs else GPT
        for mutant in mutants(program.reference(), [kind]):
            if mutant.form == one:
                return Planned(mutant, program, experiment)
    raise UsageError(
        f"No program of a track has a place for {kind.id}.",
        "`bugforge dev test` says why a plugin finds none.",
    )


def form_of(kind: type[Mutation], name: str) -> Form:
    """Look up a form of a kind. Raises UsageError, with the nearest, where there is none."""
    forms = {form.name: form for form in kind.forms}
    refuse_unknown(f"form of {kind.id}", name, forms)
    return forms[name]


@contextmanager
def demonstrating(seconds: float) -> Iterator[Callable[[Planned], Demonstration]]:
    """Lend what runs experiments, with torch being loaded meanwhile. seconds: how long one takes.

    Raises UsageError where the system cannot fork.
    """
    with opened(Limits(seconds=seconds)) as box:
        yield partial(demonstrate, box)


def demonstrate(box: Sandbox, plan: Planned) -> Demonstration:
    """Run an experiment on both programs, side by side. Raises ToolError where one was stopped at a
    limit, or the right one does not come to its end.
    """
    right = plan.program.reference()
    wrong = apply_edits(right, plan.mutant.edits)
    names = [begin(box, plan, files) for files in (right, wrong)]
    shown = [ended(box, name) for name in names]
    if shown[0].crash:
        raise ToolError(
            f"The experiment does not run on the correct program: {shown[0].crash}",
            "Is torch of a tested version? `bugforge doctor` says.",
        )
    return Demonstration(plan, *shown)


def begin(box: Sandbox, plan: Planned, files: Mapping[str, str]) -> str:
    """Begin an experiment on a program like that of its plan, text by file name; name its job."""
    folder = box.room()
    write_files(folder, files)
    box.submit(
        folder.name,
        {
            "task": "experiment",
            "subject": plan.program.subject,
            "program": str(folder),
            "code": plan.experiment.code,
            "seed": SEED,
            "walls": [],
        },
    )
    return folder.name


def ended(box: Sandbox, name: str) -> Shown:
    """Wait for an experiment, by the name of its job, and give what it showed. Raises ToolError
    where it was stopped at a limit.
    """
    outcome = box.wait(name)
    if outcome.limit:
        raise ToolError(
            f"The experiment used more {outcome.limit} than it may: {outcome.used} of "
            f"{outcome.allowed}.",
            "Is the machine busy? Give it more with --time-limit.",
        )
    imported = read_recording(outcome.out, "import")
    return read_shown(imported if imported.crash else read_recording(outcome.out, "experiment"))


def lesson(stage: str, catalogue: Catalogue) -> list[type[Mutation]]:
    """Choose the kinds of a stage's lesson, the easiest first: as many different experiments as
    there are. Raises UsageError for a stage that is not known, or has no experiment.
    """
    refuse_unknown("stage", stage, STAGES)
    known = experiments()
    exposed = [
        (kind, experiment)
        for kind in catalogue.kinds.values()
        if kind.stage == stage and (experiment := experiment_of(kind, known))
    ]
    if not exposed:
        raise UsageError(
            f"No kind of the stage {stage} has an experiment.",
            "`bugforge list` shows every kind with its stage.",
        )
    return sorted(_varied(exposed)[:LESSON], key=_hardness)


def _varied(exposed: Iterable[tuple[type[Mutation], Experiment]]) -> list[type[Mutation]]:
    """Order kinds so that experiments and difficulties take turns."""
    met: Counter[tuple[str, str]] = Counter()
    turns: dict[str, int] = {}
    kinds = []
    for kind, experiment in exposed:
        which = experiment.id, kind.difficulty
        met[which] += 1
        turns[kind.id] = met[which]
        kinds.append(kind)
    return sorted(kinds, key=lambda kind: (turns[kind.id], _hardness(kind)))


def _hardness(kind: type[Mutation]) -> int:
    return DIFFICULTIES.index(kind.difficulty)
