"""Is the same attempt judged the same, however often? Counts of verdicts over fresh checks.

The attempts at one workspace: mended by other hands; as forged; and with each single bug left in.
Each is checked many times, inputs and seeds drawn afresh, those that keep every law with training
and samples. `--load` keeps every core busy with other work meanwhile.
"""

import argparse
import os
import random
import subprocess
import sys
import time
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace

from hands import by_hand, judged

from bugforge.catalogue import load
from bugforge.choosing import Request
from bugforge.forge import forge
from bugforge.report import outcome
from bugforge.sandbox import Limits, opened
from bugforge.tracks import CLASSIC
from bugforge.verify import Question

BUSY = "while True: sum(range(10_000))"


def main() -> None:
    """Check, and print for each attempt how often it got which verdict."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--checks", type=int, default=200)
    parser.add_argument("--seed", default="0", help="of the workspace")
    parser.add_argument("--bugs", type=int, default=2)
    parser.add_argument("--load", action="store_true")
    asked = parser.parse_args()
    request = Request(seed=asked.seed, bugs=asked.bugs)
    key = forge(request, CLASSIC, replace(load(), rewrites={}), "0")
    hands = by_hand(key, random.Random(asked.seed))
    attempts = {
        f"mended by {', '.join(hands.names)}": hands.program(),
        "as forged": key.forged,
        **{f"{b.kind} left in": key.program(frozenset({b.number})) for b in key.bugs},
    }
    with busy(os.cpu_count() if asked.load else 0), opened(Limits()) as box:
        for name, files in attempts.items():
            began = time.monotonic()
            told: Counter[tuple[str, tuple[str, ...]]] = Counter()
            trainings = 0
            for number in range(asked.checks):
                question = Question(random.Random(f"{name} {number}"), trains="when kept")
                verdict = judged(box, key, files, question)
                told[outcome(verdict), tuple(r.check for r in verdict.broken)] += 1
                trainings += sum(run.attempts - 1 for run in verdict.runs)
            print(f"{name} ({time.monotonic() - began:.0f} s, {trainings} trained again):")
            for (verdict_word, broken), times in told.most_common():
                print(f"  {times:4} {verdict_word}: {', '.join(broken)}", flush=True)


@contextmanager
def busy(processes: int | None) -> Iterator[None]:
    """Keep as many cores at work as are named."""
    working = [subprocess.Popen([sys.executable, "-c", BUSY]) for _ in range(processes or 0)]
    try:
        yield
    finally:
        for process in working:
            process.kill()


if __name__ == "__main__":
    main()
