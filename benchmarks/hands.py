"""Programs mended as other people would: in forms of the corpus of right programs."""

import random
import sys
import tempfile
from collections.abc import Iterable, Iterator, Mapping
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


def mended_by_hand(
    key: AnswerKey, rng: random.Random, left: frozenset[int] = frozenset(), elsewhere: int = 0
) -> tuple[dict[str, str], list[str]]:
    """Mend all bugs but those left, each in a drawn form of the corpus, if one fits beside the
    others, and else as the key does. Up to `elsewhere` more changes that mean nothing are made, in
    areas where no bug is left that they might mend.

    Returns the program and the names of the forms.
    """
    chosen = [bug.edits for bug in key.bugs if bug.number in left]
    names: list[str] = []

    def draw(forms: Iterable[tuple[str, tuple[Edit, ...]]]) -> None:
        for name, edits in rng.sample(drawn := list(forms), len(drawn)):
            if not any(touch(edits, other) for other in chosen):
                chosen.append(edits)
                names.append(name)
                return

    for bug in key.bugs:
        if bug.number not in left:
            draw((form.name, edits) for form, edits in _forms(key) if touch(edits, bug.edits))
    places = list(chain.from_iterable(bug.edits for bug in key.bugs))
    classes = {bug.bug_class.replace("-", "_") for bug in key.bugs if bug.number in left}
    for _ in range(elsewhere):
        draw(
            (form.name, edits)
            for form, edits in _forms(key)
            if form.area not in classes and not touch(edits, places)
        )
    return apply_edits(key.pristine, chain.from_iterable(chosen)), names


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
