"""Verdicts in bulk: forged programs fail, mended ones pass, and half-mended ones fail.

For each seed: the forged program; the program mended by its key; the program with each single bug
left in; and the program mended by other hands, each bug that the corpus of right programs has
another fix for being mended in that form. Laws and comparison decide; `--train N` also trains
and samples the mended programs of the first N seeds, as `bugforge check` does.
"""

import argparse
import random
import sys
import tempfile
import time
from collections import Counter
from collections.abc import Iterator, Mapping
from itertools import chain
from pathlib import Path

ROOT = Path(__file__).parent.parent
sys.path.insert(0, str(ROOT))

from bugforge.answers import AnswerKey, Bug  # noqa: E402
from bugforge.catalogue import load  # noqa: E402
from bugforge.choosing import Request  # noqa: E402
from bugforge.edits import Edit, apply_edits, touch  # noqa: E402
from bugforge.forge import forge  # noqa: E402
from bugforge.sandbox import Limits, Sandbox, opened  # noqa: E402
from bugforge.surgery import line_edits  # noqa: E402
from bugforge.track import CLASSIC  # noqa: E402
from bugforge.verify import Question, Trains, Verdict, verify  # noqa: E402
from tests.corpus import Fixture  # noqa: E402
from tests.corpus.right import RIGHT  # noqa: E402


def judged(
    box: Sandbox, key: AnswerKey, files: Mapping[str, str], seed: int, trains: Trains = "never"
) -> Verdict:
    """Judge a program as an attempt at a key's workspace."""
    with tempfile.TemporaryDirectory() as name:
        for file, text in files.items():
            (Path(name) / file).write_text(text, encoding="utf-8")
        question = Question(random.Random(seed), trains=trains)
        return verify(box, Path(name), key, question)


def edits_of(key: AnswerKey, fixture: Fixture) -> tuple[Edit, ...]:
    """Give a right program's changes as edits of the pristine one; none where it adds a file."""
    changed = fixture.applied(key.pristine)
    if set(changed) != set(key.pristine):
        return ()
    return tuple(
        chain.from_iterable(line_edits(n, key.pristine[n], changed[n]) for n in key.pristine)
    )


def other_fixes(key: AnswerKey, bug: Bug) -> Iterator[tuple[str, tuple[Edit, ...]]]:
    """Give the right programs whose changes cover a bug's place."""
    for fixture in RIGHT:
        edits = edits_of(key, fixture)
        if edits and touch(edits, bug.edits):
            yield fixture.name, edits


def mended_otherwise(key: AnswerKey, rng: random.Random) -> tuple[dict[str, str], list[str]]:
    """Mend each bug in a drawn form of the corpus, if one fits beside the others."""
    chosen: list[tuple[Edit, ...]] = []
    names = []
    for bug in key.bugs:
        fixes = list(other_fixes(key, bug))
        rng.shuffle(fixes)
        for name, edits in fixes:
            if not any(touch(edits, other) for other in chosen):
                chosen.append(edits)
                names.append(name)
                break
    return apply_edits(key.pristine, chain.from_iterable(chosen)), names


def main() -> None:
    """Judge, and print every wrong verdict and the counts."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--seeds", type=int, default=100)
    parser.add_argument("--first", type=int, default=0)
    parser.add_argument("--bugs", type=int, default=4)
    parser.add_argument("--train", type=int, default=0)
    asked = parser.parse_args()
    catalogue = load()
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
            key = forge(Request(seed=str(seed), bugs=asked.bugs), CLASSIC, catalogue, "0")
            verdict = judged(box, key, key.forged, seed)
            count("forged fails", seed, verdict, fine=bool(verdict.broken))
            trains: Trains = "when kept" if seed - asked.first < asked.train else "never"
            verdict = judged(box, key, key.pristine, seed, trains)
            fine = verdict.passed if trains == "when kept" else verdict.lawful
            count("mended by the key passes", seed, verdict, fine=fine)
            files, names = mended_otherwise(key, random.Random(seed))
            forms.update(names)
            verdict = judged(box, key, files, seed, trains)
            fine = verdict.passed if trains == "when kept" else verdict.lawful
            count("mended otherwise passes", seed, verdict, fine=fine, note=names)
            for bug in key.bugs:
                verdict = judged(box, key, key.program(frozenset({bug.number})), seed)
                broken = bool(verdict.broken)
                count("one bug left fails", seed, verdict, fine=broken, note=bug.kind)
            if (seed + 1) % 10 == 0:
                print(
                    f"{seed + 1 - asked.first} seeds, {time.monotonic() - began:.0f} s", flush=True
                )
    for what in sorted(right | wrong):
        print(f"{what:28} {right[what]:5} right  {wrong[what]:3} wrong")
    print(f"{forms.total()} bugs were mended in {len(forms)} other forms")


if __name__ == "__main__":
    main()
