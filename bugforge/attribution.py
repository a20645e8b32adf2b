"""Which bugs are fixed: the subset of them whose program behaves as the attempt does."""

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from functools import partial
from itertools import combinations

import numpy as np

from bugforge.answers import State
from bugforge.checks import Evidence, Law, Reading, facts, measured, tensors
from bugforge.comparison import logits_apart, parameter_shapes, update_distances
from bugforge.distance import apart
from bugforge.judgement import checks, judge
from bugforge.properties.pipeline_metrics import predictions_apart, told_alike

Subset = frozenset[int]

BY_THEIR_CHECKS = (
    "pipeline-data",
    "pipeline-logits",
    "pipeline-half",
    "pipeline-loss",
    "pipeline-steps",
    "pipeline-training",
    "pipeline-resuming",
    "pipeline-resuming-half",
    "pipeline-run",
)

KEPT_TOLD = ("kept/", "told/")
"""What is told of an evaluation, beside its logits: modes, metrics."""

ALIKE = 1e-3
"""Two recordings of numbers nearer than this, as a share of their spread, are the same."""


def subsets(numbers: Iterable[int]) -> list[Subset]:
    """Every set of bugs that may have been left in, the smallest first."""
    known = sorted(numbers)
    return [frozenset(some) for size in range(len(known) + 1) for some in combinations(known, size)]


@dataclass(frozen=True)
class Attribution:
    """What is known of each bug, by its number. explained: whether whatever was seen of the program
    is what some set of them, left in, makes it do.
    """

    states: dict[int, State]
    explained: bool = True


def attribute(
    attempt: Evidence, programs: Mapping[Subset, Evidence], numbers: Iterable[int]
) -> Attribution:
    """Tell for each bug whether it is fixed.

    programs: recordings of the pristine program with each subset of the bugs left in. Each
    instrument names the subsets that it cannot tell from the attempt; what all of those that
    every instrument names agree on is known. An instrument that names none has seen a change
    that is no bug of ours, and says nothing.
    """
    pristine = programs[frozenset()]
    found = behaviour(attempt, pristine)
    known = {left: behaviour(program, pristine) for left, program in programs.items()}
    named = [
        {left for left, program in known.items() if alike(instrument, found, program)}
        for instrument in pristine
    ]
    return attributed(named, programs, numbers)


def attributed(
    named: Iterable[set[Subset]], every: Iterable[Subset], numbers: Iterable[int]
) -> Attribution:
    """Conclude from the sets that each instrument names what is known of each bug."""
    named = list(named)
    possible = set(every).intersection(*filter(None, named))
    states = {number: _state_of(number, possible) for number in numbers}
    return Attribution(states, explained=bool(possible) and all(named))


@dataclass(frozen=True)
class Behaviour:
    """What a program was seen to do, and what every check says of it."""

    seen: Evidence
    readings: Mapping[str, Reading]

    @property
    def broken(self) -> frozenset[str]:
        """Name the checks that do not hold."""
        return frozenset(name for name, reading in self.readings.items() if reading.kept is False)


def behaviour(seen: Evidence, pristine: Evidence) -> Behaviour:
    """Judge recordings, and keep them beside what was found."""
    return Behaviour(seen, judge(seen, pristine))


def alike(instrument: str, one: Behaviour, other: Behaviour) -> bool:
    """Whether an instrument cannot tell two programs apart, nor any law that reads it alone."""
    return _recorded_alike(instrument, one.seen, other.seen) and _agree(
        _outcomes(instrument, one.readings), _outcomes(instrument, other.readings)
    )


def _state_of(number: int, possible: set[Subset]) -> State:
    """Tell what is known of a bug, by the sets of bugs that may have been left in."""
    if not possible:
        return "could not tell"
    inside = {number in left for left in possible}
    if len(inside) > 1:
        return "could not tell"
    return "remaining" if inside.pop() else "fixed"


def _recorded_alike(instrument: str, one: Evidence, other: Evidence) -> bool:
    a, b = one[instrument], other[instrument]
    if a.crash is not None or b.crash is not None:
        return a.crash is not None and b.crash is not None and a.crash.type == b.crash.type
    compare = _COMPARED.get(instrument)
    try:
        return compare is None or compare(one, other)
    except (LookupError, TypeError, ValueError):  # recordings that no honest program leaves
        return False


def _outcomes(instrument: str, readings: Mapping[str, Reading]) -> list[bool | None]:
    """What the laws that read nothing but this instrument found."""
    own = [check for check in checks([instrument]) if isinstance(check, Law)]
    return [readings[law.name].kept for law in own]


def _agree(one: list[bool | None], other: list[bool | None]) -> bool:
    """Whether no law was kept by one and broken by the other; what could not tell says nothing."""
    return all(a is None or b is None or a == b for a, b in zip(one, other, strict=True))


def _same_shapes(one: Evidence, other: Evidence) -> bool:
    return parameter_shapes(one) == parameter_shapes(other)


def _same_logits(one: Evidence, other: Evidence) -> bool:
    return logits_apart(one, other) <= ALIKE


def _same_updates(one: Evidence, other: Evidence) -> bool:
    return all(distance <= ALIKE for distance in update_distances(one, other))


def _same_tokens(one: Evidence, other: Evidence) -> bool:
    mine, theirs = tensors(one, "decode", "greedy/"), tensors(other, "decode", "greedy/")
    return all(np.array_equal(mine[name], theirs[name]) for name in theirs)


def _same_caching(one: Evidence, other: Evidence) -> bool:
    mine, theirs = tensors(one, "caching"), tensors(other, "caching")
    lengths = [facts(evidence, "caching")["lengths"] for evidence in (one, other)]
    return lengths[0] == lengths[1] and all(apart(mine[n], theirs[n]) <= ALIKE for n in theirs)


def _same_rows(one: Evidence, other: Evidence) -> bool:
    mine, theirs = tensors(one, "ragged"), tensors(other, "ragged")
    told = [n for n in theirs if n.startswith(("ragged/", "grown/"))]
    return all(apart(mine[n], theirs[n]) <= ALIKE for n in told)


def _same_classifier(instrument: str, one: Evidence, other: Evidence) -> bool:
    mine, theirs = tensors(one, instrument), tensors(other, instrument)
    told, others = facts(one, instrument), facts(other, instrument)
    numbers = [n for n in others if n.startswith(("told", "loss/", "restored/", "unmoved"))]
    # Gradients that are handed on go by the program's own names.
    ours = [name for name in theirs if name.startswith(("logits/", "classes/", "taught/"))]
    return all(abs(told[n] - others[n]) <= ALIKE for n in numbers) and all(
        apart(mine[n], theirs[n]) <= ALIKE for n in ours
    )


def _same_metrics(one: Evidence, other: Evidence) -> bool:
    kept, told = ([facts(e, "pipeline-evaluation", p) for e in (one, other)] for p in KEPT_TOLD)
    near = measured(partial(predictions_apart, one, other)) <= ALIKE
    return near and kept[0] == kept[1] and told_alike(*told)


def _same_streams(one: Evidence, other: Evidence) -> bool:
    mine, theirs = (tensors(evidence, "pipeline-stream") for evidence in (one, other))
    return all(apart(mine[n], theirs[n]) <= ALIKE for n in theirs)


def _same_by_its_checks(instrument: str, one: Evidence, other: Evidence) -> bool:
    """Whether each law that reads this instrument alone says the same of both, even where another
    keeps it from meaning anything of itself; and no comparison tells one from the other.
    """
    for check in checks([instrument]):
        if isinstance(check, Law):
            if check.holds(one) != check.holds(other):
                return False
        elif not measured(partial(check.read, one, other)) <= check.at_most:
            return False
    return True


def _same_product(instrument: str, one: Evidence, other: Evidence) -> bool:
    """Whether two products, or scans, gave the same and told the same, all else aside."""
    mine, theirs = tensors(one, instrument), tensors(other, instrument)
    return facts(one, instrument) == facts(other, instrument) and (
        mine.keys() == theirs.keys() and all(apart(mine[n], theirs[n]) <= ALIKE for n in theirs)
    )


_COMPARED: dict[str, Callable[[Evidence, Evidence], bool]] = {
    "construct": _same_shapes,
    "forward": _same_logits,
    "update": _same_updates,
    "decode": _same_tokens,
    "beginning": partial(_same_by_its_checks, "beginning"),
    "dropout": partial(_same_by_its_checks, "dropout"),
    "dropping": partial(_same_by_its_checks, "dropping"),
    "evaluation": partial(_same_by_its_checks, "evaluation"),
    "accumulation": partial(_same_by_its_checks, "accumulation"),
    "caching": _same_caching,
    "ragged": _same_rows,
    "classifying": partial(_same_classifier, "classifying"),
    "sequences": partial(_same_classifier, "sequences"),
    **{
        name: partial(_same_product, name)
        for name in ("products", "backward", "gradients", "gradcheck", "saved", "scan", "tiled")
    },
    "pipeline-evaluation": _same_metrics,
    "pipeline-stream": _same_streams,
    **{name: partial(_same_by_its_checks, name) for name in BY_THEIR_CHECKS},
}
