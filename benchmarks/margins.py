"""How far right lies from wrong: each check's number over many draws of inputs.

For each seed every mutant of the catalogue and every program of the corpus of right ones that is
drawn is recorded under inputs drawn afresh. For each check, three numbers stand beside its bound:
the worst of right programs; the worst of mutants that should keep it; and the best of those that
should break it. Mutants that broke other checks than their kinds name are told with the seed.
"""

import argparse
import math
import random
import time
from collections import defaultdict
from collections.abc import Mapping

from hands import ROOT  # noqa: F401  # finds the corpora

from bugforge.bench import Bench
from bugforge.catalogue import load
from bugforge.edits import apply_edits
from bugforge.judgement import checks
from bugforge.mutants import mutants
from bugforge.probe import INSTRUMENTS
from bugforge.programs import GPT
from bugforge.sandbox import Limits, opened
from bugforge.sentences import shipped
from bugforge.tracks import kinds_of
from bugforge.variant import with_sentence
from tests.corpus.right import RIGHT

GROUPS = ("right", "mutants that keep it", "mutants that break it")
AT_MOST = {check.name: check.at_most is not None for check in checks(INSTRUMENTS)}


def main() -> None:
    """Record, and print the separation of each check."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--seeds", type=int, default=50)
    parser.add_argument("--first", type=int, default=0)
    parser.add_argument("--right", type=int, default=10, help="right programs drawn for each seed")
    asked = parser.parse_args()
    pristine = GPT.reference()
    pristine["train.py"] = with_sentence(pristine["train.py"], shipped()[0])
    planted = {m.name: m for m in mutants(pristine, kinds_of(load(), GPT))}
    values: dict[str, dict[str, dict[float, str]]] = defaultdict(lambda: defaultdict(dict))
    bounds: dict[str, float] = {}
    began = time.monotonic()
    with opened(Limits()) as box:
        for seed in range(asked.first, asked.first + asked.seeds):
            rng = random.Random(seed)
            bench = Bench.set_up(box, GPT, pristine, rng)
            right = {f"right {f.name}": f.applied(pristine) for f in rng.sample(RIGHT, asked.right)}
            wrong = {name: apply_edits(pristine, m.edits) for name, m in planted.items()}
            for name, seen in bench.judged({**right, **wrong}):
                killers = planted[name].killers if name in planted else frozenset()
                if seen.broken != killers:
                    print(f"seed {seed}: {name} breaks {sorted(seen.broken ^ killers)} or not")
                for reading in seen.readings.values():
                    if reading.value is None or reading.bound is None:
                        continue
                    group = GROUPS[(reading.check in killers) + 1 if name in planted else 0]
                    values[reading.check][group][reading.value] = name
                    bounds[reading.check] = reading.bound
            print(f"{seed + 1 - asked.first} seeds, {time.monotonic() - began:.0f} s", flush=True)
    print(f"| check | bound | {' | '.join(GROUPS)} |\n|" + " --- |" * (len(GROUPS) + 2))
    for check, groups in values.items():
        upper = AT_MOST.get(check, True)
        nearest = [
            _nearest(groups[group], highest=highest)
            for group, highest in zip(GROUPS, (upper, upper, not upper), strict=True)
        ]
        bound = f"{'at most' if upper else 'at least'} {bounds[check]:.3g}"
        print(f"| `{check}` | {bound} | {' | '.join(nearest)} |")


def _nearest(values: Mapping[float, str], *, highest: bool) -> str:
    """Give the number nearest to the bound, or farthest behind it, and whose it is."""
    numbers = [value for value in values if not math.isnan(value)]  # NaN keeps no bound
    if not numbers:
        return "NaN" if values else ""
    value = max(numbers) if highest else min(numbers)
    return f"{value:.3g} ({values[value]})"


if __name__ == "__main__":
    main()
