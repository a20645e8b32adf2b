"""What a track is: one exercise that a learner can be given to practise. It is data."""

from dataclasses import dataclass

from bugforge.catalogue import refuse_unknown
from bugforge.mutation import STAGES, VISIBILITIES, BugClass, Mutation
from bugforge.program import Extension, Program


@dataclass(frozen=True)
class Slot:
    """A bug that a track always holds: what it is called, and the kinds it may be of, by id, or
    else by class and stage, in which case it shows in one of these ways.
    """

    name: str
    kinds: tuple[str, ...] = ()
    bug_class: BugClass | None = None
    stages: tuple[str, ...] = STAGES
    shows: tuple[str, ...] = VISIBILITIES

    def takes(self, kind: type[Mutation]) -> bool:
        """Whether a kind is such a bug."""
        if self.kinds:
            return kind.id in self.kinds
        return (
            self.bug_class in (None, kind.bug_class)
            and kind.stage in self.stages
            and kind.visibility in self.shows
        )


@dataclass(frozen=True)
class Track:
    """One exercise.

    programs: those it may be forged from, the simplest first. on_request: names of those that no
    seed decides on. further: those that it may make of a
    workspace's program beside these.
    bug_classes: the families that its bugs are drawn from, at most one bug of each. crashes:
    whether any of them may end the program, whatever it is given. slots: those it always holds.
    problem: the template of its PROBLEM.md, where it is not its program's. given: what lies in the
    workspace from the start though no program of the track uses it.
    unwritten: whether its programs' extension is the learner's to write, where no bugs are asked
    for. filled: whether it holds the bugs of its slots and no others. exact: whether the first
    training steps must be those of the correct program bit for bit.
    only_tests: whether a learner's tests are all that is judged of it. bugs: how many, where nobody
    says.
    trains: what it trains, in a sentence. seconds: how long `python train.py` about takes; 0 where
    there is nothing to be trained.
    """

    name: str
    title: str
    programs: tuple[Program, ...]
    bug_classes: tuple[str, ...]
    trains: str
    seconds: int
    on_request: tuple[str, ...] = ()
    further: tuple[Program, ...] = ()
    crashes: bool = True
    slots: tuple[Slot, ...] = ()
    problem: str = ""
    given: Extension | None = None
    unwritten: bool = False
    filled: bool = False
    exact: bool = False
    only_tests: bool = False
    bugs: int = 4

    def plants(self, kind: type[Mutation]) -> bool:
        """Whether a kind is one of its bugs."""
        has_slot = not self.filled or any(slot.takes(kind) for slot in self.slots)
        return kind.bug_class in self.bug_classes and has_slot

    @property
    def all_programs(self) -> tuple[Program, ...]:
        """Those that it may be forged from, and those that it may make."""
        return *self.programs, *self.further

    @property
    def follows_up(self) -> bool:
        """Whether what it asks for is to be written into a program that is there already."""
        is_begun = any(program.begun_with for program in self.programs)
        return self.unwritten and is_begun and not self.only_tests

    def program(self, name: str) -> Program:
        """Look a program up. Raises UsageError, with the nearest name, where there is none."""
        programs = {program.name: program for program in self.all_programs}
        refuse_unknown("program", name, programs)
        return programs[name]
