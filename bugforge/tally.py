"""What becomes of a learner's own tests: what they catch, what they miss, and false alarms."""

import math
import random
from collections import Counter, deque
from dataclasses import dataclass

from bugforge.checks import Reading
from bugforge.recorder import Ending, Recorder
from bugforge.trials import Files, Trials, Wrong

AHEAD = 4
"""Programs that wait for a free core, so that few are tried in vain."""

UNSHOWN = "it is not told how: write no test that knows a program by anything but what it does"
"""Error of tests on a right program of which nothing is told."""

HOLD = "Your own tests pass on programs that are right, however they are written."
TELL = "Your own tests fail on {} that {} wrong."
LATER = "it is looked at once all else holds"
ALARMED = "they fail on programs that are right"


@dataclass(frozen=True)
class Tally:
    """What became of tests. right: how many right programs there were, and wrong: how many others,
    of which they must catch least.
    alarms: how tests ended on those right ones that they failed on. caught, missed: wrong ones that
    they failed on, and that they passed on; that is all of them, where there was no alarm.
    """

    right: int
    wrong: int
    least: int
    alarms: tuple[Ending, ...] = ()
    caught: tuple[Wrong, ...] = ()
    missed: tuple[Wrong, ...] = ()

    @property
    def score(self) -> int:
        """How many of a hundred wrong programs are caught, rounded down; 0 with any alarm."""
        return 0 if self.alarms else 100 * len(self.caught) // self.wrong

    @property
    def is_enough(self) -> bool:
        """Whether there is no alarm, and as many are caught as must be."""
        return not self.alarms and len(self.caught) >= self.least

    def by_class(self) -> dict[str, tuple[int, int]]:
        """Give how many of each class of bug are caught, and of how many."""
        caught = Counter(wrong.kind.bug_class for wrong in self.caught)
        tried = caught + Counter(wrong.kind.bug_class for wrong in self.missed)
        return {name: (caught[name], tried[name]) for name in sorted(tried)}


def tried(recorder: Recorder, trials: Trials, rng: random.Random) -> Tally:
    """Try the attempt's tests on all programs; once one that is right has raised an alarm, only on
    the others that are right.

    They come in a drawn order and go by their place in it: nothing but what it does tells tests
    which program is before them.
    """
    alarms: list[Ending] = []
    caught: list[Wrong] = []
    missed: list[Wrong] = []
    programs: list[tuple[Files, Wrong | None]] = [(files, None) for files in trials.all_right]
    programs += [(wrong.files, wrong) for wrong in trials.wrong]
    rng.shuffle(programs)
    left = deque(enumerate(programs))
    begun: deque[tuple[int, Files, Wrong | None]] = deque()
    while left or begun:
        while left and len(begun) < recorder.box.at_once + AHEAD:
            place, (files, wrong) = left.popleft()
            if not (wrong and alarms):
                recorder.test(f"{place}", files, trials.tests)
                begun.append((place, files, wrong))
        if begun:
            place, files, wrong = begun.popleft()
            ended = recorder.tested(f"{place}")
            recorder.forget_tested(f"{place}")
            if wrong:
                (missed if ended.passed else caught).append(wrong)
            elif not ended.passed:
                untold = Ending(passed=False, error=UNSHOWN)
                alarms.append(untold if files in trials.unshown else ended)
    least = math.ceil(trials.share * len(trials.wrong))
    right, wrongs = len(trials.all_right), len(trials.wrong)
    return Tally(right, wrongs, least, tuple(alarms), tuple(caught), tuple(missed))


def held(trials: Trials, tally: Tally) -> list[Reading]:
    """Say what became of tests as laws: they hold on right programs, and tell wrong ones."""
    alarms, missed = len(tally.alarms), len(tally.missed)
    hold = Reading("tests-hold", trials.stage, HOLD, not alarms, float(alarms), 0.0)
    if alarms:
        return [hold, _untold(trials, ALARMED)]
    sentence = _told(trials)
    if not tally.is_enough:
        words = ", ".join(sorted({wrong.kind.bug_class for wrong in tally.missed}))
        sentence = f"{sentence} They do not in {missed} of {tally.wrong}: {words}."
    most = float(tally.wrong - tally.least)
    tell = Reading("tests-tell", trials.stage, sentence, tally.is_enough, float(missed), most)
    return [hold, tell]


def untried(trials: Trials, why: str = LATER) -> list[Reading]:
    """Say that tests were not tried."""
    return [Reading("tests-hold", trials.stage, HOLD, None, why=why), _untold(trials, why)]


def _untold(trials: Trials, why: str) -> Reading:
    return Reading("tests-tell", trials.stage, _told(trials), None, why=why)


def _told(trials: Trials) -> str:
    if trials.share == 1:
        return TELL.format("every program", "is")
    return TELL.format(f"at least {trials.share:.0%} of the programs", "are")
