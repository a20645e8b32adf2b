"""Programs with a known verdict: right ones that must pass, wrong ones and cheats that must not.

Each is the reference with some of its text exchanged.
"""

import os
import random
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TypeVar

WHOLE = os.environ.get("BUGFORGE_CORPORA") == "all"
"""Whether nothing is left to a drawing: all is judged, and all that trains is trained."""

SHARE = 10
SEED = 3

Item = TypeVar("Item")


def some(items: Sequence[Item], share: int = SHARE) -> tuple[Item, ...]:
    """Draw one of so many items, the same ones each time; all of them where that is asked for."""
    if WHOLE:
        return tuple(items)
    return tuple(random.Random(SEED).sample(items, -(-len(items) // share)))


@dataclass(frozen=True)
class Fixture:
    """A program, as changes of the reference: (file, text that stands there once, new text).

    An empty text to be found stands for a whole file. area: the class of bug whose place it
    rewrites, or `elsewhere`. why: one sentence that says why it is right, or what is wrong with
    it. needs_training: nothing but training and sampling shows that it is wrong, or would be
    thought to show so of a right one. relies_on: classes of bugs beside which a right program would
    not be right any more.
    """

    name: str
    area: str
    why: str
    changes: tuple[tuple[str, str, str], ...]
    needs_training: bool = False
    relies_on: frozenset[str] = frozenset()

    def applied(self, files: Mapping[str, str]) -> dict[str, str]:
        """Make the changes. Raises ValueError where a text does not stand there exactly once."""
        changed = dict(files)
        for name, old, new in self.changes:
            if not old:
                changed[name] = new
                continue
            found = changed.get(name, "").count(old)
            if found != 1:
                message = f"{self.name}: {found} times in {name}: {old!r}"
                raise ValueError(message)
            changed[name] = changed[name].replace(old, new)
        return changed
