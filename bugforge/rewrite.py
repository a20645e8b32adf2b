"""What a rewrite is: the API of plugins that say the same thing in other code.

Before bugs go in, the reference is made over by rewrites, so that no two workspaces read alike. A
rewrite is a class; its docstring says in one sentence what it makes otherwise. Each of its ways is
one choice beside leaving the code as it stands, and none may change what the program computes.
"""

import ast
import inspect
import re
from collections.abc import Mapping
from dataclasses import dataclass
from textwrap import indent
from typing import ClassVar, Literal

from bugforge.program import Subject
from bugforge.template import BLANK, Pair

__all__ = [
    "Hinting",
    "IncompleteRewriteError",
    "Renaming",
    "Reordering",
    "Restructuring",
    "Retelling",
    "Rewrite",
    "Way",
    "way",
]

ID_SHAPE = re.compile(r"[a-z0-9]+(-[a-z0-9]+)*")

Named = Literal["attribute", "definition", "local"]


class IncompleteRewriteError(TypeError):
    """A rewrite class that lacks something; the message names it and the mend."""


@dataclass(frozen=True)
class Way:
    """One way to write something.

    pairs: code with blanks and the other code for it, see `bugforge.template`.
    holder: what must hold code of every pair, where that is not the file: a class, a function.
    before, after: a module before and after, exactly; the example is the spec and the test.
    exact: whether the program gives the same bits; else it gives the same but for rounding, or
        draws its first weights otherwise.
    decoy: why it is right, in one sentence, if it is a way that looks like a bug.
    """

    name: str
    pairs: tuple[Pair, ...]
    before: str
    after: str
    holder: type[ast.AST] | None
    exact: bool
    decoy: str


def way(
    name: str,
    *pairs: Pair,
    example: tuple[str, str] | None = None,
    holder: type[ast.AST] = ast.ClassDef,
    exact: bool = True,
    decoy: str = "",
) -> Way:
    """Make a way; one pair is its own example, and needs no holder."""
    if example is None:
        [(old, new)] = pairs
        old, new = (code.replace(BLANK, "").rstrip() for code in (old, new))
        if "\n" in old + new:
            old, new = (f"def do():\n{indent(code, '    ')}" for code in (old, new))
        example = f"{old}\n", f"{new}\n"
    return Way(
        name=name,
        pairs=pairs,
        before=example[0],
        after=example[1],
        holder=holder if len(pairs) > 1 else None,
        exact=exact,
        decoy=decoy,
    )


class Rewrite:
    """Something that can be written in several ways. Subclass one of those below.

    subjects: of what programs are that may be written so.
    """

    id: ClassVar[str]
    subjects: ClassVar[tuple[Subject, ...]] = ("language",)

    @classmethod
    def choices(cls) -> tuple[str, ...]:
        """Name the ways, beside the one in which the reference has it."""
        raise NotImplementedError

    @classmethod
    def title(cls) -> str:
        """Say what it makes otherwise."""
        return " ".join(inspect.cleandoc(cls.__doc__ or "").split())

    def __init_subclass__(cls) -> None:
        super().__init_subclass__()
        if cls.__module__ == __name__:
            return
        where = f"{cls.__module__}.{cls.__qualname__}"
        if not ID_SHAPE.fullmatch(getattr(cls, "id", "")):
            raise IncompleteRewriteError(f"{where} has no id: give it one of words and hyphens.")
        if not cls.title():
            raise IncompleteRewriteError(f"{where} has no docstring: say what it makes otherwise.")
        try:
            choices = cls.choices()
        except AttributeError as error:
            raise IncompleteRewriteError(f"{where} has no {error.name}: set it.") from error
        if not choices or len(set(choices)) != len(choices):
            raise IncompleteRewriteError(f"{where} needs ways, each of a name of its own.")


class Restructuring(Rewrite):
    """A rewrite of the tree. ways: each is written wherever there is a place for it."""

    ways: ClassVar[tuple[Way, ...]]

    def __init_subclass__(cls) -> None:
        super().__init_subclass__()
        for old, new in (pair for way in cls.ways for pair in way.pairs):
            try:
                blanks, filled = _blanks(old), _blanks(new)
            except SyntaxError as error:
                raise IncompleteRewriteError(
                    f"{cls.__module__}.{cls.__qualname__} has code that is not Python: "
                    f"{error.text or new!r}: write whole expressions, or statements."
                ) from error
            if not filled <= blanks:
                raise IncompleteRewriteError(
                    f"{cls.__module__}.{cls.__qualname__} has a blank that nothing fills, "
                    f"{min(filled - blanks)}: name it in the code that is looked for, too."
                )

    @classmethod
    def choices(cls) -> tuple[str, ...]:
        """Name the ways."""
        return tuple(way.name for way in cls.ways)

    @classmethod
    def chosen(cls, name: str) -> Way:
        """Look a way up by its name."""
        return next(way for way in cls.ways if way.name == name)


def _blanks(code: str) -> set[str]:
    names = (node.id for node in ast.walk(ast.parse(code)) if isinstance(node, ast.Name))
    return {name for name in names if name.startswith(BLANK)}


class Reordering(Rewrite):
    """Functions, methods or classes in another order.

    of: the class whose methods they are; empty for what a file defines.
    orders: rows of names, which need not be all there are; the first row is the reference's.
    """

    of: ClassVar[str]
    orders: ClassVar[tuple[tuple[str, ...], ...]]

    @classmethod
    def choices(cls) -> tuple[str, ...]:
        """Name each other row by its names."""
        return _joined(cls.orders)

    @classmethod
    def order(cls, choice: str) -> tuple[str, ...]:
        """Look an order up."""
        return cls.orders[1 + cls.choices().index(choice)]


class Hinting(Rewrite):
    """Type hints for functions.

    hands: by the name of whoever writes so, the signatures with hints, by those in the reference:
    all that stands between `def` and the colon.
    """

    hands: ClassVar[Mapping[str, Mapping[str, str]]]

    @classmethod
    def choices(cls) -> tuple[str, ...]:
        """Name the hands."""
        return tuple(cls.hands)


class Renaming(Rewrite):
    """Other names for things of the reference that belong together.

    of: whether they are attributes of objects (what a class keeps as `self.name`, and its methods),
        classes and functions of a module, or names inside functions.
    names: rows of names for the same things; the first row is the reference's.
    """

    of: ClassVar[Named]
    names: ClassVar[tuple[tuple[str, ...], ...]]

    def __init_subclass__(cls) -> None:
        super().__init_subclass__()
        if len({len(row) for row in cls.names}) > 1:
            raise IncompleteRewriteError(
                f"{cls.__module__}.{cls.__qualname__} has rows of names that differ in length: "
                "give each thing a name in each row."
            )

    @classmethod
    def choices(cls) -> tuple[str, ...]:
        """Name each other row by its names."""
        return _joined(cls.names)

    @classmethod
    def renamed(cls, choice: str) -> dict[str, str]:
        """Give the new name of each, by its name in the reference."""
        row = cls.names[1 + cls.choices().index(choice)]
        return dict(zip(cls.names[0], row, strict=True))


class Retelling(Rewrite):
    """Other words in comments and docstrings.

    hands: by the name of whoever writes so, what they say instead, by the text of the reference's
    comment or docstring; nothing where they leave it out. What is not named stays.
    """

    hands: ClassVar[Mapping[str, Mapping[str, str]]]

    @classmethod
    def choices(cls) -> tuple[str, ...]:
        """Name the hands."""
        return tuple(cls.hands)


def _joined(rows: tuple[tuple[str, ...], ...]) -> tuple[str, ...]:
    """Name all rows but the reference's by what stands in them."""
    return tuple("-".join(row) for row in rows[1:])
