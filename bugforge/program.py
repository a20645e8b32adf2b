"""A correct program that workspaces are forged from, and what it is like. A program is data."""

import random
from collections.abc import Mapping
from dataclasses import dataclass, field
from importlib.resources import files

from bugforge.sentences import passage, shipped, unseen


@dataclass(frozen=True)
class Program:
    """A correct program that bugs are planted in.

    name: its folder in `bugforge.reference`, and files: what lies there. problem: the template of
    its PROBLEM.md in `bugforge.templates`.
    passage: the least length of the text that it learns, in characters; 1 means one sentence.
    held_out: the share at the end of its text that it must not learn.
    highest: the greatest loss that it may end with, as a share of the least possible one.
    unsuited: ids of rewrites that are not for it.
    sizes, fields: what is set in its GPTConfig and TrainConfig while it is recorded, beside what
    every program has. instruments: what records it, beside what records every program.
    """

    name: str
    files: tuple[str, ...]
    problem: str
    passage: int = 1
    held_out: float = 0.0
    highest: float = 3.0
    unsuited: tuple[str, ...] = ()
    sizes: Mapping[str, float] = field(default_factory=dict, hash=False)
    fields: Mapping[str, float] = field(default_factory=dict, hash=False)
    instruments: tuple[str, ...] = ()

    def reference(self) -> dict[str, str]:
        """Read the correct program, text by file name."""
        folder = files("bugforge.reference") / self.name
        return {name: (folder / name).read_text(encoding="utf-8") for name in self.files}

    def text(self, rng: random.Random) -> str:
        """Draw a text of shipped sentences for it to learn."""
        return passage(lambda: rng.choice(shipped()), self.passage, self.held_out)

    def unseen(self, rng: random.Random) -> str:
        """Draw a text that is not shipped, so that no answer can have been kept."""
        return passage(lambda: unseen(rng), self.passage, self.held_out)

    def learned(self, text: str) -> str:
        """Give the part of a text that the program learns."""
        return text[: round(len(text) * (1 - self.held_out))]
