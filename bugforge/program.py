"""A correct program that workspaces are forged from, and what it is like. A program is data."""

import random
import tomllib
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from importlib.resources import files

from bugforge.sentences import passage, shipped, unseen

REFERENCE = "bugforge.reference"
FORWARD = "idx, targets=None"
"""What forward takes where no extension lets it take more."""
CONFTEST = "conftest.py"
"""What pytest finds a program by, beside its tests."""


@dataclass(frozen=True)
class Extension:
    """What a follow-up, or a track, makes of a program.

    name: its own. folder: in `bugforge.reference`, where its new files lie, and `changes.toml`:
    texts that stand once in a program's file, and others to stand there. files: the new ones, which
    a learner is given. problem: the template of its PROBLEM.md, and task: of what that asks for,
    where there is something to write and where there are bugs to mend. forward: what forward takes.
    instruments: what records what it adds. tests: the file of tests that a learner is to write; the
    folder has right ones by its name, and what they begin with as `stub.py`.
    """

    name: str
    folder: str
    files: tuple[str, ...]
    problem: str
    task: tuple[str, str] | None = None
    forward: str = FORWARD
    instruments: tuple[str, ...] = ()
    tests: str = ""

    def given(self) -> dict[str, str]:
        """Read the new files, text by file name."""
        return {name: self._read(name) for name in self.files}

    def begun(self) -> dict[str, str]:
        """Read the new files, and what a learner's tests begin with, if they are to write some."""
        if not self.tests:
            return self.given()
        stub = {f"tests/{self.tests}": self._read("stub.py"), CONFTEST: self._read(CONFTEST)}
        return {**self.given(), **stub}

    def tests_written(self) -> dict[str, str]:
        """Read right tests, text by file name."""
        return {f"tests/{self.tests}": self._read(self.tests)} if self.tests else {}

    def _read(self, name: str) -> str:
        return (files(REFERENCE) / self.folder / name).read_text(encoding="utf-8")

    def extend(self, program: Mapping[str, str]) -> dict[str, str]:
        """Change a program and add the new files. Raises ValueError where a text to be changed does
        not stand in its file exactly once.
        """
        extended = {**program, **self.given()}
        for change in tomllib.loads(self._read("changes.toml"))["change"]:
            name, old, new = change["file"], change["old"], change["new"]
            if extended[name].count(old) != 1:
                message = f"{self.name}: {name} holds this {extended[name].count(old)} times: {old}"
                raise ValueError(message)
            extended[name] = extended[name].replace(old, new)
        return extended


@dataclass(frozen=True)
class Program:
    """A correct program that bugs are planted in.

    name: its own. folder: in `bugforge.reference`, and files: what lies there.
    extension: what is made of that. problem: the template of its PROBLEM.md in
    `bugforge.templates`, and contract: of that page's words on what must stay.
    passage: the least length of the text that it learns, in characters; 1 means one sentence.
    held_out: the share at the end of its text that it must not learn.
    highest: the greatest loss that it may end with, as a share of the least possible one.
    unsuited: ids of rewrites that are not for it.
    sizes, fields: what is set in its GPTConfig and TrainConfig while it is recorded, beside what
    every program has. instruments: what records it, beside what records every program.
    """

    name: str
    folder: str
    files: tuple[str, ...]
    problem: str
    contract: str
    passage: int = 1
    held_out: float = 0.0
    highest: float = 3.0
    unsuited: tuple[str, ...] = ()
    sizes: Mapping[str, float] = field(default_factory=dict, hash=False)
    fields: Mapping[str, float] = field(default_factory=dict, hash=False)
    instruments: tuple[str, ...] = ()
    extension: Extension | None = None

    @property
    def forward(self) -> str:
        """Write what its model's forward takes."""
        return self.extension.forward if self.extension else FORWARD

    @property
    def recorded_as(self) -> tuple[str, str]:
        """Tell programs apart by what records them: one of other sizes is recorded at the same."""
        extension = self.extension
        return self.folder, extension.name if extension and extension.instruments else ""

    @property
    def label(self) -> str:
        """Name it, and what is made of it."""
        return f"{self.name}, {self.extension.name}" if self.extension else self.name

    def reference(self) -> dict[str, str]:
        """Read the correct program, text by file name."""
        plain = self.plain()
        return self.extension.extend(plain) if self.extension else plain

    def plain(self) -> dict[str, str]:
        """Read what the program is without its extension, text by file name."""
        folder = files(REFERENCE) / self.folder
        return {name: (folder / name).read_text(encoding="utf-8") for name in self.files}

    def extended(self, extension: Extension) -> "Program":
        """Give the program that a follow-up makes of this one."""
        return replace(
            self,
            problem=extension.problem,
            # Hints know a method by all that it takes, and would be left out of some.
            unsuited=tuple(dict.fromkeys((*self.unsuited, "hints"))),
            instruments=(*self.instruments, *extension.instruments),
            extension=extension,
        )

    def text(self, rng: random.Random) -> str:
        """Draw a text of shipped sentences for it to learn."""
        return passage(lambda: rng.choice(shipped()), self.passage, self.held_out)

    def unseen(self, rng: random.Random) -> str:
        """Draw a text that is not shipped, so that no answer can have been kept."""
        return passage(lambda: unseen(rng), self.passage, self.held_out)

    def learned(self, text: str) -> str:
        """Give the part of a text that the program learns."""
        return text[: round(len(text) * (1 - self.held_out))]
