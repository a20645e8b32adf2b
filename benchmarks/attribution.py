"""Which bugs are left: is it told right for programs that other people mended in part?

For each seed: a workspace of 2 to 5 bugs of which a drawn set is left in. Each of the others is
mended in a drawn form of the corpus of right programs, where one fits, and up to two changes that
mean nothing are made elsewhere. Every call of `--feedback full` is then held against the truth:
`fixed` and `remaining` must be right; where it could not tell, a crash or a law that hides others
must stand in the way. A bug that is left in but that a change goes round is fixed: with it alone,
the program passes. The workspaces are of the reference as it stands, which is what the corpora
are written for; `--rewritten` asks about those that `bugforge new` makes, mended by their keys.
"""

import argparse
import random
import time
from collections import Counter
from dataclasses import replace

from hands import Hands, by_hand, judged

from bugforge.catalogue import load
from bugforge.choosing import Request
from bugforge.forge import forge
from bugforge.sandbox import Limits, opened
from bugforge.tracks import CLASSIC
from bugforge.verify import Question

ELSEWHERE = 2


def main() -> None:
    """Ask, and print every call that is not right, and the counts."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--seeds", type=int, default=300)
    parser.add_argument("--first", type=int, default=0)
    parser.add_argument("--rewritten", action="store_true")
    asked = parser.parse_args()
    catalogue = load() if asked.rewritten else replace(load(), rewrites={})
    calls: Counter[str] = Counter()
    began = time.monotonic()
    with opened(Limits()) as box:
        for seed in range(asked.first, asked.first + asked.seeds):
            rng = random.Random(seed)
            count = rng.randint(2, 5)
            key = forge(Request(seed=str(seed), bugs=count), CLASSIC, catalogue, "0")
            left = frozenset(b.number for b in key.bugs if rng.random() < 0.5)  # noqa: PLR2004
            hands = Hands(key, (), ("as the key does",))
            if not asked.rewritten:
                hands = by_hand(key, rng, left, ELSEWHERE)
            question = Question(rng, attribute=True, trains="never")
            verdict = judged(box, key, hands.program(left), question)
            for bug in key.bugs:
                truth = "remaining" if bug.number in left else "fixed"
                told = verdict.bugs[bug.number]
                if told == "fixed" and bug.number in left:
                    # Another hand's change may go round it; then nothing is wrong without others.
                    alone = hands.program(frozenset({bug.number}))
                    if judged(box, key, alone, Question(rng, trains="when kept")).passed:
                        truth = "fixed"
                if told == truth:
                    calls["right"] += 1
                    continue
                calls[f"{truth}, told: {told}"] += 1
                others = [b.kind for b in key.bugs if b.number in left and b is not bug]
                told_of = f"{bug.kind} is {truth}, told: {told}"
                print(f"seed {seed}: {told_of}; left: {others}; forms: {hands.names}", flush=True)
                if verdict.crash:
                    print(f"  {verdict.crash}", flush=True)
            if (seed + 1) % 10 == 0:
                print(f"{seed + 1} seeds, {time.monotonic() - began:.0f} s", flush=True)
    for what, times in calls.most_common():
        print(f"{times:5} {what}")


if __name__ == "__main__":
    main()
