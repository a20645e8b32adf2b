"""A correct program that workspaces are forged from, and what it is like. A program is data."""

import random
import tomllib
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from importlib.resources import files
from typing import Literal

from bugforge.sentences import passage, shipped, unseen

REFERENCE = "bugforge.reference"
FORWARD = "idx, targets=None"
"""What forward takes where no extension lets it take more."""
Subject = Literal["language", "matmul", "pipeline"]
"""What a program does: models a language, multiplies matrices, or is a whole training pipeline."""

CONFTEST = "conftest.py"
"""What pytest finds a program by, beside its tests."""


@dataclass(frozen=True)
class Extension:
    """What a follow-up, or a track, makes of a program.

    name: its own. folder: in `bugforge.reference`, where its files lie. changes: files there, each
    with its folder: texts that stand once in a program's file, and others to stand in their place.
    files: the new ones, which a learner is given. unwritten: those of them that are to be written.
    problem: the template of its PROBLEM.md, and task: of what that asks for, where there is
    something to write and where there are bugs to mend.
    contract: of that page's words on what must stay, where they are others.
    takes: what forward takes, beside what it took. stays: the template of what must stay of it
    where something else is added. instruments: what records what it adds. unasked:
    what else has no answer to give. lacks: fields of GPTConfig that it takes away; sizes: those
    that are set while it is recorded. rotary: whether positions turn queries and keys.
    unsuited: ids of rewrites that are not for what it makes. tests: the file of tests that a
    learner is to write. The folder has right ones by its name, and what these and unwritten files
    begin with as `stub_` with the name. tried: ids of kinds that they must fail on, beside those of
    the track. tried_stages: stages of a program of which the same is asked; share: of how many of
    these programs it is asked at least. forms: files of changes, in the folder, each of which
    writes the program in another right form, on which they must pass.
    harness: files of tests that a learner is given; they are never the verdict. expects: whether
    the tensors lie there, too, that the program must make. derivation: the templates of what a
    learner is to work out on paper, where there is such a thing, and of how it is worked out.
    """

    name: str
    folder: str
    changes: tuple[str, ...]
    files: tuple[str, ...]
    problem: str
    contract: str = ""
    task: tuple[str, str] | None = None
    unwritten: tuple[str, ...] = ()
    takes: str = ""
    stays: str = ""
    instruments: tuple[str, ...] = ()
    lacks: tuple[str, ...] = ()
    sizes: Mapping[str, float] = field(default_factory=dict, hash=False)
    unasked: tuple[str, ...] = ()
    rotary: bool = False
    unsuited: tuple[str, ...] = ()
    tests: str = ""
    tried: tuple[str, ...] = ()
    tried_stages: tuple[str, ...] = ()
    share: float = 1.0
    forms: tuple[str, ...] = ()
    harness: tuple[str, ...] = ()
    expects: bool = False
    derivation: tuple[str, str] | None = None

    def given(self) -> dict[str, str]:
        """Read the new files, text by file name."""
        return {name: self._read(name) for name in self.files}

    def begun(self, extended: Mapping[str, str]) -> dict[str, str]:
        """Give the new files of an extended program, and what those begin with that a learner is to
        write.
        """
        begun = {name: extended[name] for name in self.files}
        begun |= {name: self._read(f"stub_{name}") for name in self.unwritten}
        if self.tests:
            begun[f"tests/{self.tests}"] = self._read(f"stub_{self.tests}")
            begun[CONFTEST] = _read(CONFTEST)
        return begun

    def harnessed(self) -> dict[str, str]:
        """Read the tests that a learner is given, text by file name."""
        return _harnessed(self.folder, self.harness)

    def tests_written(self) -> dict[str, str]:
        """Read right tests, text by file name."""
        return {f"tests/{self.tests}": self._read(self.tests)} if self.tests else {}

    def _read(self, name: str) -> str:
        return _read(self.folder, name)

    def extend(self, program: Mapping[str, str]) -> dict[str, str]:
        """Change a program and add the new files. Raises ValueError where a text to be changed does
        not stand in its file exactly once.
        """
        extended = {**program, **self.given()}
        for path in self.changes:
            extended = self._changed(extended, *path.split("/"))
        return extended

    def formed(self, program: Mapping[str, str]) -> tuple[dict[str, str], ...]:
        """Give a program in its other forms. Raises ValueError as `extend` does."""
        return tuple(self._changed(program, self.folder, name) for name in self.forms)

    def _changed(self, program: Mapping[str, str], *path: str) -> dict[str, str]:
        changed = dict(program)
        for change in tomllib.loads(_read(*path))["change"]:
            name, old, new = change["file"], change["old"], change["new"]
            count = changed[name].count(old)
            if count != 1:
                message = f"{self.name}: {name} holds this {count} times: {old}"
                raise ValueError(message)
            changed[name] = changed[name].replace(old, new)
        return changed


@dataclass(frozen=True)
class Program:
    """A correct program that bugs are planted in.

    name: its own. folder: in `bugforge.reference`, and files: what lies there. subject: what it
    does, and so what it is asked and who records it.
    base: the program that this one is an extension of. problem: the template of its PROBLEM.md in
    `bugforge.templates`, and contract: of that page's words on what must stay.
    passage: the least length of the text that it learns, in characters; 1 means one sentence, and 0
    that it learns none.
    held_out: the share at the end of its text that it must not learn.
    highest: the greatest loss that it may end with, as a share of the least possible one.
    unsuited: ids of rewrites that are not for it. harness: files of tests that a learner is given;
    they are never the verdict.
    sizes, fields: what is set in its GPTConfig and TrainConfig while it is recorded, beside what
    every program has. lacks: fields of its GPTConfig that others have. instruments: what records
    it, beside what records every program. unasked: what of that has no answer to give. rotary:
    whether positions turn queries and keys.
    """

    name: str
    folder: str
    files: tuple[str, ...]
    problem: str
    contract: str
    subject: Subject = "language"
    passage: int = 1
    held_out: float = 0.0
    highest: float = 3.0
    unsuited: tuple[str, ...] = ()
    harness: tuple[str, ...] = ()
    sizes: Mapping[str, float] = field(default_factory=dict, hash=False)
    fields: Mapping[str, float] = field(default_factory=dict, hash=False)
    lacks: tuple[str, ...] = ()
    instruments: tuple[str, ...] = ()
    unasked: tuple[str, ...] = ()
    rotary: bool = False
    base: "Program | None" = None
    extension: Extension | None = None

    @property
    def forward(self) -> str:
        """Write what its model's forward takes: what was added last comes first."""
        return ", ".join((FORWARD, *self.takes))

    @property
    def takes(self) -> tuple[str, ...]:
        """Name what its extensions let forward take, the last extension's first."""
        if not (self.base and self.extension):
            return ()
        own = (self.extension.takes,) if self.extension.takes else ()
        return (*own, *self.base.takes)

    @property
    def begun_with(self) -> tuple[str, ...]:
        """Name the files that there are before its extension adds any."""
        if not self.base:
            return self.files
        added = self.base.extension.files if self.base.extension else ()
        return (*self.base.begun_with, *added)

    @property
    def expects(self) -> bool:
        """Whether the tensors that it must make lie in its workspaces."""
        return bool(self.extension and self.extension.expects)

    @property
    def recorded_as(self) -> tuple[str, ...]:
        """Tell programs apart by what records them: one of other sizes is recorded at the same."""
        if not (self.base and self.extension):
            return (self.folder,)
        is_new = self.extension.instruments or self.extension.lacks or self.extension.sizes
        return (*self.base.recorded_as, *([self.extension.name] if is_new else []))

    @property
    def label(self) -> str:
        """Name it, and what is made of it."""
        if not (self.base and self.extension):
            return self.name
        return f"{self.base.label}, {self.extension.name}"

    def reference(self) -> dict[str, str]:
        """Read the correct program, text by file name."""
        if self.base and self.extension:
            return self.extension.extend(self.base.reference())
        return {name: _read(self.folder, name) for name in self.files}

    def harnessed(self) -> dict[str, str]:
        """Read the tests that a learner is given, its extension's too, text by file name."""
        given = _harnessed(self.folder, self.harness)
        return {**given, **self.extension.harnessed()} if self.extension else given

    def extended(self, extension: Extension, name: str = "") -> "Program":
        """Give the program that a follow-up makes of this one, of the same name if of no other."""
        return replace(
            self,
            name=name or self.name,
            problem=extension.problem,
            contract=extension.contract or self.contract,
            # Hints know a method by all that it takes, and would be left out of some.
            unsuited=tuple(dict.fromkeys((*self.unsuited, *extension.unsuited, "hints"))),
            lacks=(*self.lacks, *extension.lacks),
            sizes={**self.sizes, **extension.sizes},
            instruments=(*self.instruments, *extension.instruments),
            unasked=(*self.unasked, *extension.unasked),
            rotary=self.rotary or extension.rotary,
            base=self,
            extension=extension,
        )

    @property
    def has_own_files(self) -> bool:
        """Whether it has files that tests or a learner rely on, and so cannot be one file."""
        if self.subject != "language":
            return True
        own = self.extension
        return bool(own and (own.files or own.harness or own.task or own.tests))

    @property
    def learns_text(self) -> bool:
        """Whether it is taught a text, which it then has to give back."""
        return self.passage > 0

    def text(self, rng: random.Random) -> str:
        """Draw a text of shipped sentences for it to learn, or none."""
        if not self.learns_text:
            return ""
        return passage(lambda: rng.choice(shipped()), self.passage, self.held_out)

    def unseen(self, rng: random.Random) -> str:
        """Draw a text that is not shipped, so that no answer can have been kept."""
        return passage(lambda: unseen(rng), self.passage, self.held_out)

    def learned(self, text: str) -> str:
        """Give the part of a text that the program learns."""
        return text[: round(len(text) * (1 - self.held_out))]


def _harnessed(folder: str, names: tuple[str, ...]) -> dict[str, str]:
    given = {f"tests/{name}": _read(folder, name) for name in names}
    return {**given, CONFTEST: _read(CONFTEST)} if given else {}


def _read(*path: str) -> str:
    return files(REFERENCE).joinpath(*path).read_text(encoding="utf-8")
