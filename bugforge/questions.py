"""Questions that an interviewer asks: their numbers drawn afresh, and answers held against them."""

import math
import random
import re
import tomllib
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from importlib.resources import files
from string import Template, ascii_lowercase

from bugforge.arithmetic import worked_out

QUESTIONS = "bugforge.templates.questions"
TOPICS = ("attention", "caches", "products", "training")
"""Its files, without their ending."""

TOLERANCE = 0.02
"""How far a number may lie from the right one, as a share of it, where a question says nothing."""

THOUSANDS = ("", "k", "m", "g", "t")
PARTED = re.compile(r"(?<![\d.,])[1-9]\d{0,2}(?:,\d{3})+(?![\d,])")
"""A number whose thousands are parted by commas; any other comma stands before a fraction."""

FRACTION = re.compile(r"(?<=\d),(?=\d)")
REPLY = re.compile(r"(.*?[\d)])\s*([A-Za-z%]*)")
"""A number or an expression, and perhaps a unit behind it."""


@dataclass(frozen=True)
class Question:
    """One question as it is written down.

    ask, solution: with `$names` for what is drawn. draw: values by name. answer: arithmetic over
    these, in unit, if any; tolerance: a share of it. right, wrong: choices, where there is no
    number. track: what trains it, by name. before: tracks before which it is asked first.
    """

    id: str
    topic: str
    ask: str
    solution: str
    track: str = ""
    before: tuple[str, ...] = ()
    draw: Mapping[str, Sequence[float]] = field(default_factory=dict)
    answer: str = ""
    unit: str = ""
    tolerance: float = TOLERANCE
    right: str = ""
    wrong: tuple[str, ...] = ()


@dataclass(frozen=True)
class Asked:
    """A question with its numbers drawn, or its choices in some order. seed: what decided that."""

    question: Question
    seed: str
    values: Mapping[str, float]
    choices: tuple[str, ...]

    @property
    def text(self) -> str:
        """The question, filled in."""
        return self._filled(self.question.ask)

    @property
    def solution(self) -> str:
        """The worked answer, filled in."""
        return self._filled(self.question.solution)

    @property
    def number(self) -> float:
        """The right number, where there is one."""
        return worked_out(self.question.answer, self.values)

    @property
    def expected(self) -> str:
        """The right answer as people write it."""
        if self.choices:
            return f"{self.letter}) {self.question.right}"
        return written(self.number, self.question.unit)

    @property
    def letter(self) -> str:
        """The letter of the right choice, where there are some."""
        return ascii_lowercase[self.choices.index(self.question.right)]

    def is_right(self, reply: str) -> bool:
        """Whether a reply is right: a letter or the words of a choice; or a number, perhaps as
        arithmetic, with or without its unit. Raises ValueError where it is neither.
        """
        given = reply.strip()
        if self.choices:
            words = given.rstrip(").").lower()
            if words not in (*ascii_lowercase[: len(self.choices)], *map(str.lower, self.choices)):
                message = f"Answer with a letter, a to {ascii_lowercase[len(self.choices) - 1]}."
                raise ValueError(message)
            return words in (self.letter, self.question.right.lower())
        right = self.number
        allowed = max(self.question.tolerance * abs(right), 1e-9)
        return any(abs(value - right) <= allowed for value in self._numbers(given))

    def _numbers(self, given: str) -> Iterator[float]:
        """Give what a reply may mean: a prefix of bytes counts 1000 or 1024."""
        whole = PARTED.sub(lambda number: number[0].replace(",", ""), given)
        plain = FRACTION.sub(".", whole)
        for sign, ascii_sign in (("\u00d7", "*"), ("\u2212", "-"), ("^", "**")):
            plain = plain.replace(sign, ascii_sign)
        found = REPLY.fullmatch(plain)
        message = "Answer with a number, such as 12, 1.5e9 or 3 * 2**10."
        if not found:
            raise ValueError(message)
        try:
            value = worked_out(found[1], {})
        except ValueError as error:
            raise ValueError(message) from error
        yield from (value * factor for factor in _factors(found[2].lower(), self.question.unit))

    def _filled(self, words: str) -> str:
        return " ".join(Template(words).substitute(self.values).split())


def _factors(suffix: str, unit: str) -> tuple[float, ...]:
    """What a number is multiplied by for what stands behind it. Raises ValueError for a unit that
    is another.
    """
    if suffix in ("", unit, unit.rstrip("s")):
        return (1.0,)
    if suffix == "%" and not unit:
        return (0.01,)
    if unit == "bytes":
        prefix = suffix.removesuffix("bytes").removesuffix("b")
        power = THOUSANDS.index(prefix.rstrip("i")) if prefix.rstrip("i") in THOUSANDS else -1
        if power >= 0 and suffix != prefix:
            return (1024.0**power,) if prefix.endswith("i") else (1000.0**power, 1024.0**power)
    elif suffix in THOUSANDS:
        return (1000.0 ** THOUSANDS.index(suffix),)
    message = f"Answer in {unit}." if unit else "Answer with a plain number."
    raise ValueError(message)


def written(value: float, unit: str) -> str:
    """Write a number as people do, with its unit: 3,221,225,472 bytes (3 GiB)."""
    whole = math.isclose(value, round(value), rel_tol=1e-12)
    number = f"{round(value):,}" if whole else f"{value:.4g}"
    if unit != "bytes" or value < 1024:  # noqa: PLR2004
        return f"{number} {unit}".strip() if unit != "%" else f"{number}%"
    power = min(int(math.log(value, 1024)), len(THOUSANDS) - 1)
    return f"{number} bytes ({value / 1024**power:.3g} {THOUSANDS[power].upper()}iB)"


def all_questions() -> tuple[Question, ...]:
    """Read all questions, topic by topic."""
    return tuple(_read())


def _read() -> Iterator[Question]:
    for topic in TOPICS:
        text = (files(QUESTIONS) / f"{topic}.toml").read_text(encoding="utf-8")
        for entry in tomllib.loads(text)["questions"]:
            several = {name: tuple(entry[name]) for name in ("before", "wrong") if name in entry}
            yield Question(topic=topic, **{**entry, **several})


def ask(question: Question, seed: str) -> Asked:
    """Draw a question's numbers, or the order of its choices."""
    rng = random.Random(f"{seed} {question.id}")
    values = {name: rng.choice(list(some)) for name, some in question.draw.items()}
    choices = [question.right, *question.wrong] if question.right else []
    rng.shuffle(choices)
    return Asked(question, seed, values, tuple(choices))


def some_of(questions: Sequence[Question], count: int, seed: str) -> list[Asked]:
    """Draw so many questions, or all, in a drawn order."""
    drawn = random.Random(seed).sample(list(questions), min(count, len(questions)))
    return [ask(question, seed) for question in drawn]
