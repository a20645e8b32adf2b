"""What a program wrote while it ran: its losses, and what it gave back, whatever words it used.

Pure. A forged program prints `step   50  loss 1.5712` every so many steps, `wanted: ...` and
`sample: ...`; learners print as they like. So a loss is the first number behind a word that ends in
"loss", and not behind one that speaks of held-out data; a step is the number behind its word, and
the number of the loss where there is none.
"""

import math
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

TAIL = 4000
"""Characters of the end that are kept."""
MOST_LOSSES = 2000
MOST_STEPS = 100_000
LONGEST_LINE = 10_000

_NUMBER = r"[-+]?(?:\d+\.?\d*(?:e[-+]?\d+)?|\.\d+(?:e[-+]?\d+)?|nan|inf(?:inity)?)(?![\w.]*\w)"
_LOSS = re.compile(
    rf"(?<![a-z])(\w*?)[ _-]?loss(?:es)?(?: ?\((\w+)\))?\W{{0,4}}(?:is |tensor\()?({_NUMBER})",
    re.IGNORECASE,
)
_STEP = re.compile(
    r"(?<![a-z])(?:step|iter|iteration|it|epoch|batch)\W{0,3}(\d{1,9})\b", re.IGNORECASE
)
_HELD_OUT = re.compile(r"val|eval|test|held|dev", re.IGNORECASE)
_SAMPLE = re.compile(
    r"^\s*(?:sample|sampled|generated|output|decoded|got|result)\s*[:=]\s?(.*)", re.IGNORECASE
)
_WANTED = re.compile(r"^\s*(?:wanted|expected|target|text)\s*[:=]", re.IGNORECASE)
_COLOUR = re.compile(r"\x1b\[[0-9;?]*[A-Za-z]")


@dataclass
class Output:
    """Reads what a program writes as it comes, and keeps what matters of it.

    losses: the step and the loss (nats per token), in order. sample: what was given back.
    """

    losses: list[tuple[int, float]] = field(default_factory=list)
    sample: str | None = None
    tail: str = ""
    _begun: dict[bool, str] = field(default_factory=dict)

    def read(self, text: str, *, is_error: bool = False) -> None:
        """Take in what was written next, to standard output or to standard error."""
        self.tail = (self.tail + text)[-TAIL:]
        *lines, begun = re.split(r"[\r\n]", self._begun.get(is_error, "") + text)
        for line in lines:
            self._take(line)
        self._begun[is_error] = begun[-LONGEST_LINE:]

    def end(self) -> None:
        """Take in last lines that were not ended."""
        for line in self._begun.values():
            self._take(line)
        self._begun.clear()

    def _take(self, line: str) -> None:
        line = _COLOUR.sub("", line[:LONGEST_LINE])
        if given := _SAMPLE.match(line):
            self.sample = given[1]
            return
        if _WANTED.match(line):
            return
        every = _LOSS.finditer(line)
        found = next((m for m in every if not _HELD_OUT.match(m[2] or m[1])), None)
        if found and len(self.losses) < MOST_LOSSES:
            step = _STEP.search(line)
            number = int(step[1]) if step else len(self.losses)
            self.losses.append((number, float(found[3])))


def noted_losses(fields: Mapping[str, Any]) -> list[tuple[int, float]]:
    """Read the steps and losses that a journal keeps of a run; none that are not what they should
    be.
    """
    found = []
    for point in fields.get("losses") or ():
        match point:
            case [int(step), int(loss) | float(loss)]:
                found.append((step, float(loss)))
            case [int(step), None]:
                found.append((step, math.nan))
    return found


def by_step(points: Sequence[tuple[int, float]]) -> list[float]:
    """Give a loss for each step, that of the last step told of, and before all that of the first;
    as they came where steps do not rise.
    """
    if not _rise(points):
        return [loss for _, loss in points]
    steps = [step for step, _ in points]
    edges = [0, *steps[1:], max(steps[-1], len(steps))]
    held = [
        loss
        for (_, loss), a, b in zip(points, edges, edges[1:], strict=False)
        for _ in range(b - a)
    ]
    return [*held[: edges[-1] - 1], points[-1][1]]


def at_steps(points: Sequence[tuple[int, float]]) -> list[tuple[int, float]]:
    """Give losses with their steps; counted from 0 where steps do not rise."""
    return list(points) if _rise(points) else list(enumerate(loss for _, loss in points))


def _rise(points: Sequence[tuple[int, float]]) -> bool:
    steps = [step for step, _ in points]
    return bool(steps) and steps == sorted(set(steps)) and 0 <= steps[0] <= steps[-1] <= MOST_STEPS
