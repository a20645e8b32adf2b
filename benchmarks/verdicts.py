"""Verdicts in bulk: forged programs fail, mended ones pass, and half-mended ones fail.

For each seed: the forged program; the program mended by its key; the program with each single bug
left in; and, of the reference as it stands, the program mended by other hands, each bug that the
corpus of right programs has another fix for being mended in that form. Laws and comparison decide;
`--train N` also trains and samples the mended programs of the first N seeds, as `bugforge check`
does.
"""

import argparse
import random
import time
from collections import Counter
from dataclasses import replace

from hands import by_hand, judged

from bugforge.catalogue import load
from bugforge.choosing import Request
from bugforge.forge import forge
from bugforge.sandbox import Limits, opened
from bugforge.tracks import CLASSIC
from bugforge.verify import Question, Verdict


def main() -> None:
    """Judge, and print every wrong verdict and the counts."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--seeds", type=int, default=100)
    parser.add_argument("--first", type=int, default=0)
    parser.add_argument("--bugs", type=int, default=4)
    parser.add_argument("--train", type=int, default=0)
    asked = parser.parse_args()
    catalogue = load()
    as_it_stands = replace(catalogue, rewrites={})  # what the corpora are written for
    right: Counter[str] = Counter()
    wrong: Counter[str] = Counter()
    forms: Counter[str] = Counter()
    began = time.monotonic()

    def count(what: str, seed: int, verdict: Verdict, *, fine: bool, note: object = "") -> None:
        (right if fine else wrong)[what] += 1
        if not fine:
            laws = [(r.check, r.value) for r in verdict.readings if r.kept is False]
            print(f"WRONG: seed {seed}: {what} {note}: {laws} {verdict.crash or ''}", flush=True)

    with opened(Limits()) as box:
        for seed in range(asked.first, asked.first + asked.seeds):
            request = Request(seed=str(seed), bugs=asked.bugs)
            key = forge(request, CLASSIC, catalogue, "0")
            trained = seed - asked.first < asked.train
            laws_only = Question(random.Random(seed), trains="never")
            in_full = Question(random.Random(seed), trains="when kept")
            verdict = judged(box, key, key.forged, laws_only)
            count("forged fails", seed, verdict, fine=bool(verdict.broken))
            question = in_full if trained else laws_only
            verdict = judged(box, key, key.pristine, question)
            count("mended by the key passes", seed, verdict, fine=_fine(verdict, question))
            for bug in key.bugs:
                verdict = judged(box, key, key.program(frozenset({bug.number})), laws_only)
                broken = bool(verdict.broken)
                count("one bug left fails", seed, verdict, fine=broken, note=bug.kind)
            plain = forge(request, CLASSIC, as_it_stands, "0")
            hands = by_hand(plain, random.Random(seed))
            forms.update(hands.names)
            verdict = judged(box, plain, hands.program(), question)
            fine = _fine(verdict, question)
            count("mended otherwise passes", seed, verdict, fine=fine, note=hands.names)
            if (seed + 1) % 10 == 0:
                print(
                    f"{seed + 1 - asked.first} seeds, {time.monotonic() - began:.0f} s", flush=True
                )
    for what in sorted(right | wrong):
        print(f"{what:28} {right[what]:5} right  {wrong[what]:3} wrong")
    print(f"{forms.total()} bugs were mended in {len(forms)} other forms")


def _fine(verdict: Verdict, question: Question) -> bool:
    return verdict.lawful if question.trains == "never" else verdict.passed


if __name__ == "__main__":
    main()
