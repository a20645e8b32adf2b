"""Programs mended as other people would: in forms of the corpus of right programs."""

import random
import sys
import tempfile
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from itertools import chain
from pathlib import Path

ROOT = Path(__file__).parent.parent
sys.path.insert(0, str(ROOT))

from bugforge.answers import AnswerKey  # noqa: E402
from bugforge.edits import Edit, apply_edits, touch  # noqa: E402
from bugforge.sandbox import Sandbox  # noqa: E402
from bugforge.surgery import line_edits  # noqa: E402
from bugforge.verify import Question, Verdict, verify  # noqa: E402
from tests.corpus import Fixture  # noqa: E402
from tests.corpus.right import RIGHT  # noqa: E402


def judged(box: Sandbox, key: AnswerKey, files: Mapping[str, str], question: Question) -> Verdict:
    """Judge a program as an attempt at a key's workspace."""
    with tempfile.TemporaryDirectory() as name:
        for file, text in files.items():
            (Path(name) / file).write_text(text, encoding="utf-8")
        return verify(box, Path(name), key, question)


@dataclass(frozen=True)
class Hands:
    """Changes that other people made to a key's program, and the names of their forms."""

    key: AnswerKey
    changes: tuple[tuple[Edit, ...], ...]
    names: tuple[str, ...]

    def program(self, left: frozenset[int] = frozenset()) -> dict[str, str]:
        """Make the program that these hands leave, with some of the bugs left in."""
        bugs = (bug.edits for bug in self.key.bugs if bug.number in left)
        return apply_edits(self.key.pristine, chain.from_iterable((*bugs, *self.changes)))


def by_hand(
    key: AnswerKey, rng: random.Random, left: frozenset[int] = frozenset(), elsewhere: int = 0
) -> Hands:
    """Mend all bugs but those left, each in a drawn form of the corpus, if one fits beside the
    others, and else as the key does. Up to `elsewhere` more changes that mean nothing are made, in
    areas where no bug is left that they might mend.
    """
    taken = [bug.edits for bug in key.bugs if bug.number in left]
    classes = {bug.bug_class for bug in key.bugs if bug.number in left}
    drawn: dict[str, tuple[Edit, ...]] = {}

    def draw(forms: Iterable[tuple[Fixture, tuple[Edit, ...]]]) -> None:
        for form, edits in rng.sample(some := list(forms), len(some)):
            if form.relies_on.isdisjoint(classes) and not any(
                touch(edits, other) for other in (*taken, *drawn.values())
            ):
                drawn[form.name] = edits
                return

    for bug in key.bugs:
        if bug.number not in left:
            draw((form, edits) for form, edits in _forms(key) if touch(edits, bug.edits))
    places = list(chain.from_iterable(bug.edits for bug in key.bugs))
    areas = {name.replace("-", "_") for name in classes}
    for _ in range(elsewhere):
        draw(
            (form, edits)
            for form, edits in _forms(key)
            if form.area not in areas and not touch(edits, places)
        )
    return Hands(key, tuple(drawn.values()), tuple(drawn))


def _forms(key: AnswerKey) -> Iterator[tuple[Fixture, tuple[Edit, ...]]]:
    for fixture in RIGHT:
        edits = _edits_of(key, fixture)
        if edits:
            yield fixture, edits


def _edits_of(key: AnswerKey, fixture: Fixture) -> tuple[Edit, ...]:
    """Give a right program's changes as edits of the pristine one; none where it adds a file."""
    changed = fixture.applied(key.pristine)
    if set(changed) != set(key.pristine):
        return ()
    return tuple(
        chain.from_iterable(line_edits(n, key.pristine[n], changed[n]) for n in key.pristine)
    )
