"""What an audit found of one track's catalogue, and what of it does not hold."""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from itertools import chain
from typing import Literal

from bugforge.mutants import Mutant
from bugforge.symptom import Symptom

Told = Literal["told apart", "behind a crash", "masked", "cancelled"]
"""Behind a crash: what would show one of them ends in the other's. Cancelled: together they are no
bug.
"""


@dataclass(frozen=True)
class Kill:
    """What became of a mutant: the checks that it broke, and what showed when it trained."""

    mutant: Mutant
    broken: frozenset[str]
    symptom: Symptom | None


@dataclass(frozen=True)
class Rewriting:
    """Ways to write the program, taken together, and the checks that it then broke."""

    ways: tuple[str, ...]
    broken: frozenset[str]


@dataclass(frozen=True)
class Pair:
    """Two bugs planted together, and whether each could be seen beside the other."""

    one: Mutant
    other: Mutant
    told: Told

    @property
    def declared(self) -> bool:
        """Whether a kind says that it hides the other's, so that no forge joins them."""
        one, other = self.one.kind, self.other.kind
        return other.id in one.hides or one.id in other.hides


@dataclass(frozen=True)
class LeftIn:
    """A forged program by its options of `bugforge new`, its bugs, and what was not refused: bugs
    that were left in alone, or all of them together.
    """

    options: str
    kinds: tuple[str, ...]
    let_through: tuple[str, ...]
    whole_let_through: bool


@dataclass(frozen=True)
class ToWrite:
    """A program that lacks something, by its options of `bugforge new`: whether it passes as a
    learner is given it, and the checks that its solution did not keep.
    """

    options: str
    passes: bool
    broken: tuple[str, ...]


@dataclass(frozen=True)
class Audit:
    """What an audit of one program of a track found.

    broken: the checks, those of training among them, that the pristine program did not keep.
    symptom: what showed when it trained; None where nothing was trained.
    placeless: forms that found no place in the program.
    plugins: what is wrong with those that could not be loaded.
    """

    track: str
    program: str
    broken: tuple[str, ...] = ()
    symptom: Symptom | None = None
    placeless: tuple[str, ...] = ()
    kills: tuple[Kill, ...] = ()
    rewritings: tuple[Rewriting, ...] = ()
    pairs: tuple[Pair, ...] = ()
    left_in: tuple[LeftIn, ...] = ()
    to_write: tuple[ToWrite, ...] = ()
    plugins: tuple[str, ...] = ()

    @property
    def findings(self) -> list[str]:
        """Say what does not hold, a sentence each."""
        return [
            *(f"A plugin is broken: {what}." for what in self.plugins),
            *(f"The pristine program does not keep {check}." for check in self.broken),
            *(f"{form} finds no place in any program." for form in self.placeless),
            *(of_kill(kill) for kill in self.kills if kill.broken != kill.mutant.killers),
            *(_of_rewriting(written) for written in self.rewritings if written.broken),
            *chain.from_iterable(_of_pair(pair) for pair in self.pairs),
            *_needless(self.pairs),
            *chain.from_iterable(_of_left_in(left) for left in self.left_in),
            *chain.from_iterable(_of_to_write(task) for task in self.to_write),
        ]


def of_kill(kill: Kill) -> str:
    """Say which checks a mutant breaks where its kind names others."""
    if not kill.broken:
        return f"{kill.mutant.name} survives every check."
    broken, named = _listed(kill.broken), _listed(kill.mutant.killers)
    return f"{kill.mutant.name} breaks {broken}, where its kind names {named}."


def _of_rewriting(written: Rewriting) -> str:
    ways = ", ".join(written.ways)
    return f"Written in the way {ways}, the program breaks {_listed(written.broken)}."


def _of_pair(pair: Pair) -> Iterator[str]:
    names = f"{pair.one.name} and {pair.other.name}"
    if pair.told == "cancelled":
        yield f"{names} cancel each other."
    if pair.told == "masked" and not pair.declared:
        yield f"Of {names} one hides the other, and neither says so."


def _of_left_in(left: LeftIn) -> Iterator[str]:
    command = f"bugforge new {left.options}"
    if left.whole_let_through:
        yield f"What `{command}` forges breaks no check."
    if left.let_through:
        yield f"What `{command}` forges breaks none with {_listed(left.let_through)} left in alone."


def _of_to_write(task: ToWrite) -> Iterator[str]:
    command = f"bugforge new {task.options}"
    if task.passes:
        yield f"What `{command}` gives passes with nothing written."
    if task.broken:
        yield f"The solution of `{command}` does not keep {_listed(task.broken)}."


def _needless(pairs: Iterable[Pair]) -> Iterator[str]:
    """Name kinds that are said to hide each other though no form of one hides one of the other."""
    told: dict[tuple[str, str], set[Told]] = {}
    for pair in pairs:
        if pair.declared:
            told.setdefault((pair.one.kind.id, pair.other.kind.id), set()).add(pair.told)
    for (one, other), ways in told.items():
        if "masked" not in ways and "told apart" in ways:
            yield f"{one} and {other} are said to hide each other, and do not."


def _listed(names: Iterable[str]) -> str:
    return ", ".join(sorted(names))
