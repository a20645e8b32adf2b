"""The reference made over into a program of its own, before any bug goes in."""

import ast
import random
import textwrap
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field

from bugforge.errors import ToolError
from bugforge.hinting import hinted
from bugforge.idle import without_idle_imports
from bugforge.layout import LINE_LENGTH, narrow
from bugforge.ordering import reordered
from bugforge.renaming import Names, identifiers, renamed
from bugforge.retelling import Words, retold
from bugforge.rewrite import Hinting, Renaming, Reordering, Restructuring, Retelling, Rewrite
from bugforge.template import Rewritten, rewritten

Fits = Callable[[str, Rewritten], bool]
"""Tells whether a file, of this name, will do as it was rewritten."""


@dataclass(frozen=True)
class Variant:
    """A correct program: the sentence that it is to learn, and its text by file name.

    ways: how it is written where that is not as in the reference, `rewrite/way`, in order.
    decoys: why what looks like a bug in it is right.
    """

    text: str
    files: dict[str, str]
    ways: tuple[str, ...] = ()
    decoys: tuple[str, ...] = ()


def vary(
    reference: Mapping[str, str],
    rewrites: Iterable[type[Rewrite]],
    text: str,
    rng: random.Random,
    fits: Fits = lambda *_: True,
) -> Variant:
    """Make a reference over to learn a text, each rewrite in a way that is drawn, or not at all.

    Where a way of writing a tree does not fit, another of the same is taken that does, lest places
    with bugs keep more of the reference than others.
    """
    draft = _Draft(_about(reference, text), fits)
    for rewrite in _in_order(rewrites):
        drawn = rng.choice((None, *rewrite.choices()))
        if (
            drawn is not None
            and not draft.take(rewrite, drawn)
            and issubclass(rewrite, Restructuring)
        ):
            others = rng.sample(rewrite.choices(), len(rewrite.choices()))
            any(draft.take(rewrite, other) for other in others)
    return Variant(text, draft.fitted(), tuple(draft.ways), tuple(draft.decoys))


def written(
    reference: Mapping[str, str],
    rewrites: Iterable[type[Rewrite]],
    text: str,
    ways: Iterable[str],
) -> dict[str, str]:
    """Make a reference over in given ways; those that nothing knows are left out."""
    chosen = dict(way.split("/", 1) for way in ways)
    draft = _Draft(_about(reference, text))
    for rewrite in _in_order(rewrites):
        if chosen.get(rewrite.id) in rewrite.choices():
            draft.take(rewrite, chosen[rewrite.id])
    return draft.files()


def _about(reference: Mapping[str, str], text: str) -> dict[str, str]:
    if not text:
        return dict(reference)
    return {**reference, "train.py": with_sentence(reference["train.py"], text)}


def _in_order(rewrites: Iterable[type[Rewrite]]) -> list[type[Rewrite]]:
    """Trees first, which know the reference's names, and so do orders and hints; then names; then
    words.
    """
    kinds = (Restructuring, Reordering, Hinting, Renaming, Retelling)
    return sorted(
        rewrites,
        key=lambda rewrite: ([issubclass(rewrite, kind) for kind in kinds].index(True), rewrite.id),
    )


@dataclass
class _Draft:
    """A program that is being made over.

    ways: those taken; with each the names it gives and the words it writes, which are written last.
    taken: words that name something, by file, once names are being given.
    """

    texts: dict[str, str]
    fits: Fits = lambda *_: True
    ways: dict[str, tuple[Names, Words]] = field(default_factory=dict)
    decoys: list[str] = field(default_factory=list)
    taken: dict[str, set[str]] = field(default_factory=dict)

    def take(self, rewrite: type[Rewrite], choice: str) -> bool:
        """Write something in a way, and tell whether there was a place for it."""
        way = f"{rewrite.id}/{choice}"
        if issubclass(rewrite, Restructuring):
            tree = rewrite.chosen(choice)
            if self._made_over(lambda text: rewritten(text, tree.pairs, tree.holder)):
                self.ways[way] = {}, {}
                self.decoys += [tree.decoy] if tree.decoy else []
        elif issubclass(rewrite, Reordering):
            order = rewrite.order(choice)
            if self._made_over(lambda text: reordered(text, rewrite.of, order)):
                self.ways[way] = {}, {}
        elif issubclass(rewrite, Hinting):
            hints = rewrite.hands[choice]
            self.texts = {name: hinted(text, hints) for name, text in self.texts.items()}
            self.ways[way] = {}, {}
        elif issubclass(rewrite, Renaming):
            new = rewrite.renamed(choice)
            if self._free(new):
                self.ways[way] = {(rewrite.of, old): name for old, name in new.items()}, {}
        elif issubclass(rewrite, Retelling):
            self.ways[way] = {}, rewrite.hands[choice]
        return way in self.ways

    def _made_over(self, make_over: Callable[[str], Rewritten | None]) -> bool:
        """Make over each file that can be, if all of them will do so."""
        found = {name: make_over(text) for name, text in self.texts.items()}
        changed = {name: new for name, new in found.items() if new is not None}
        if not changed or not all(
            narrow(new.text) and self.fits(name, new) for name, new in changed.items()
        ):
            return False
        self.texts.update({name: new.text for name, new in changed.items()})
        return True

    def _free(self, new: Mapping[str, str]) -> bool:
        """Whether the old names are in use and the new ones are not; if so, they are taken."""
        if not self.taken:
            self.taken = {name: identifiers(text) for name, text in self.texts.items()}
        holding = [words for words in self.taken.values() if set(new) <= words]
        fresh = set(new.values()) - set(new)
        if not holding or any(words & fresh for words in holding):
            return False
        for words in holding:
            words.update(fresh)
        return True

    def fitted(self) -> dict[str, str]:
        """Give the program, less names and words that make a line too long."""
        while True:
            files = self.files()
            if all(map(narrow, files.values())):
                return files
            lines = [
                line for text in files.values() for line in text.splitlines() if not narrow(line)
            ]
            names = {
                way
                for way, (given, _) in self.ways.items()
                if any(len(new) > len(old) and new in lines[0] for (_, old), new in given.items())
            }
            words = (way for way, (_, told) in self.ways.items() if told)
            self.ways.pop(max(names) if names else next(words))

    def files(self) -> dict[str, str]:
        """Give the program as it is written now."""
        names = {old: new for given, _ in self.ways.values() for old, new in given.items()}
        words = {old: new for _, told in self.ways.values() for old, new in told.items()}
        return {
            name: retold(renamed(without_idle_imports(text), names), words)
            for name, text in self.texts.items()
        }


def with_sentence(source: str, text: str) -> str:
    """Write the sentence into the one module-level assignment to TEXT."""
    lines = source.splitlines(keepends=True)
    for statement in ast.parse(source).body:
        match statement:
            case ast.Assign(targets=[ast.Name("TEXT")], lineno=first, end_lineno=int(last)):
                return "".join([*lines[: first - 1], _assignment(text), *lines[last:]])
    raise ToolError("The reference has no sentence to replace.", "Reinstall Bugforge.")


def _assignment(text: str) -> str:
    line = f'TEXT = "{text}"'
    if len(line) <= LINE_LENGTH:
        return f"{line}\n"
    pieces = textwrap.wrap(text, LINE_LENGTH - 6, drop_whitespace=False)
    return "TEXT = (\n" + "".join(f'    "{piece}"\n' for piece in pieces) + ")\n"
