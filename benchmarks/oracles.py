"""Why a verdict needs more than "the loss goes down": what each oracle alone would have said.

Every mutant of the catalogue, every wrong program and cheat of the corpora and every right one is
judged and trained. For each oracle the table counts the wrong programs that it passes and the
right ones that it refuses.
"""

import argparse
import random
import time
from collections.abc import Collection, Mapping
from dataclasses import dataclass, field
from functools import partial

from hands import judged

from bugforge.answers import AnswerKey
from bugforge.attribution import Behaviour
from bugforge.bench import Bench
from bugforge.catalogue import load
from bugforge.checks import Law, Reading, measured
from bugforge.edits import apply_edits
from bugforge.judgement import checks
from bugforge.mutants import mutants
from bugforge.programs import GPT
from bugforge.sandbox import Limits, opened
from bugforge.sentences import shipped
from bugforge.tracks import kinds_of
from bugforge.training import LAST, LOWEST, Run
from bugforge.variant import with_sentence
from bugforge.verify import Question
from tests.corpus.cheats import CHEATS
from tests.corpus.right import RIGHT
from tests.corpus.wrong import WRONG

HALVED = 0.5
KEPT = Reading("", "loop", "", kept=True)


def main() -> None:
    """Judge and train everything, and print the table."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--share", type=float, default=1.0, help="of the programs, drawn")
    asked = parser.parse_args()
    rng = random.Random(0)
    text = shipped()[0]
    pristine = GPT.reference()
    pristine["train.py"] = with_sentence(pristine["train.py"], text)
    wrong = {
        **{
            m.name: apply_edits(pristine, m.edits) for m in mutants(pristine, kinds_of(load(), GPT))
        },
        **{f"wrong {f.area} {f.name}": f.applied(pristine) for f in (*WRONG, *CHEATS)},
    }
    right = {f"right {f.area} {f.name}": f.applied(pristine) for f in RIGHT}
    programs = {
        name: files for name, files in {**wrong, **right}.items() if rng.random() < asked.share
    }
    table = Table(programs.keys() & wrong.keys(), programs.keys() & right.keys())
    began = time.monotonic()
    with opened(Limits()) as box:
        bench = Bench.set_up(box, GPT, pristine, rng)
        lawful: set[str] = set()
        for name, seen in bench.judged(programs):
            table.note(name, _judged(seen, bench))
            lawful.update({name} if all(r.kept for r in seen.readings.values()) else ())
        print(f"judged {len(programs)} in {time.monotonic() - began:.0f} s")
        table.show()
        for name, run in bench.trained(programs, text, seed=0):
            table.note(name, _looked_at(run))
        print(f"trained them in {time.monotonic() - began:.0f} s")
        table.show()
        key = AnswerKey("", "classic", "", "", {}, text, pristine, ())
        question = Question(rng, trains="when kept")
        for name, files in programs.items():
            passes = name in lawful and judged(box, key, files, question).passed
            table.note(name, {"all: `bugforge check`": passes})
    table.show()


@dataclass
class Table:
    """What each oracle passed, of programs that are wrong and of others that are right, by name."""

    wrong: Collection[str]
    right: Collection[str]
    passed: dict[str, set[str]] = field(default_factory=dict)

    def note(self, name: str, said: Mapping[str, bool]) -> None:
        """Note which oracles pass a program."""
        for oracle, passes in said.items():
            self.passed.setdefault(oracle, set()).update({name} if passes else ())

    def show(self) -> None:
        """Print what is known: a run takes hours, and each part of it says something."""
        wrong, right = len(self.wrong), len(self.right)
        print(f"| oracle | wrong programs passed, of {wrong} | right refused, of {right} |")
        print("| --- | --- | --- |")
        for oracle, names in self.passed.items():
            missed = len(names.intersection(self.wrong))
            print(f"| {oracle} | {missed} | {right - len(names.intersection(self.right))} |")
        print(flush=True)


def _looked_at(run: Run) -> dict[str, bool]:
    """What one who watches training and looks at the sample says of a program."""
    start = run.losses[:LAST]
    share = measured(lambda: run.final_loss / run.floor)
    halved = bool(start) and run.final_loss <= HALVED * sum(start) / len(start)
    return {
        "the sample is right": run.exact,
        "the loss is halved": halved,
        "the loss is halved and the sample right": halved and run.exact,
        "the loss ends between two bounds and the sample is right": (
            LOWEST <= share <= run.program.highest and run.exact
        ),
    }


def _judged(seen: Behaviour, bench: Bench) -> dict[str, bool]:
    """What laws alone, and comparison alone, say of a program."""
    known = checks(bench.pristine)
    comparisons = [check for check in known if not isinstance(check, Law)]
    return {
        "properties": all(_holds(law, seen) for law in known if isinstance(law, Law)),
        "comparison": all(
            measured(partial(comparison.read, seen.seen, bench.pristine)) <= comparison.at_most
            for comparison in comparisons
        ),
    }


def _holds(law: Law, seen: Behaviour) -> bool:
    """Whether a law holds, whatever others say."""
    reading = law.judge(seen.seen, dict.fromkeys(law.after, KEPT))
    return bool(reading.kept)


if __name__ == "__main__":
    main()
