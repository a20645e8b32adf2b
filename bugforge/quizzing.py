"""A quiz: which questions are asked, and what is made of the answers."""

import secrets
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Protocol

from bugforge.catalogue import refuse_unknown
from bugforge.errors import UsageError
from bugforge.questions import TOPICS, Asked, all_questions, ask, some_of

SEED_BITS = 32


@dataclass(frozen=True)
class Wish:
    """What to ask: of one topic, before one track, one question by its id, or any; how many; and
    what draws them, where that is not to be new.
    """

    topic: str | None
    before: str | None
    question: str | None
    count: int
    seed: str | None


@dataclass(frozen=True)
class Marked:
    """A question with an answer, which is empty where nothing was said."""

    asked: Asked
    answer: str
    right: bool


class Asker(Protocol):
    """Where questions go to and answers come from."""

    def show(self, asked: Asked, number: int, count: int) -> None:
        """Show one of so many questions."""

    def answer(self, asked: Asked) -> str | None:
        """Read an answer; None where nobody answers any more."""

    def refuse(self, why: str) -> None:
        """Say why an answer cannot be marked; another is read."""

    def told(self, marked: Marked) -> None:
        """Tell what became of an answer."""


def asked(wish: Wish) -> list[Asked]:
    """Draw the questions of a wish. Raises UsageError where it names none, or one in two ways."""
    questions = all_questions()
    seed = wish.seed or str(secrets.randbits(SEED_BITS))
    if wish.question and (wish.topic or wish.before):
        raise UsageError(
            "--question names one, and --topic and --before draw some.", "Leave one of them out."
        )
    if wish.question:
        by_id = {question.id: question for question in questions}
        every = f"`bugforge quiz --json --count {len(by_id)}` gives every id."
        refuse_unknown("question", wish.question, by_id, every)
        return [ask(by_id[wish.question], seed)]
    if wish.topic:
        refuse_unknown("topic", wish.topic, TOPICS)
        questions = tuple(question for question in questions if question.topic == wish.topic)
    if wish.before:
        tracks = dict.fromkeys(track for question in questions for track in question.before)
        about = f" on {wish.topic}" if wish.topic else ""
        refuse_unknown(f"track with questions{about}", wish.before, tracks)
        questions = tuple(question for question in questions if wish.before in question.before)
    return some_of(questions, wish.count, seed)


def mark(asked: Sequence[Asked], answer: str) -> Marked:
    """Mark an answer to one question. Raises UsageError where there are several, or where it cannot
    be read.
    """
    if len(asked) != 1:
        raise UsageError(
            "An answer is to one question.",
            "Name it with --question, and its numbers with --seed.",
        )
    try:
        return Marked(asked[0], answer, asked[0].is_right(answer))
    except ValueError as error:
        raise UsageError(f"The answer {answer!r} cannot be read.", str(error)) from error


def held(asked: Sequence[Asked], asker: Asker) -> list[Marked]:
    """Ask all questions, until nobody answers any more. Where an answer cannot be read, another is;
    an empty one shows the worked one.
    """
    marked: list[Marked] = []
    for number, one in enumerate(asked, start=1):
        asker.show(one, number, len(asked))
        while True:
            answer = asker.answer(one)
            if answer is None:
                return marked
            try:
                right = bool(answer.strip()) and one.is_right(answer)
            except ValueError as error:
                asker.refuse(str(error))
                continue
            break
        marked.append(Marked(one, answer.strip(), right))
        asker.told(marked[-1])
    return marked
