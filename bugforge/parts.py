"""A file as its parts: each function and class at its top, and what stands between them.

Many rewrites look at a file, and most change one part of it: the others need not be read again.
"""

import ast
import io
from collections.abc import Iterator
from functools import cached_property, lru_cache
from textwrap import dedent
from typing import Any, NamedTuple

BEGINNINGS = ("@", "class ", "def ", "async def ")
"""How a part that is a function or a class begins."""
BLOCKS = (ast.ClassDef, ast.For, ast.FunctionDef, ast.If, ast.While, ast.With)


class Scope(NamedTuple):
    """A function, method or class of a module, and its first and last line, decorators included."""

    name: str
    start: int
    end: int


def scope_at(text: str, line: int) -> str:
    """Name what lies around a line, which counts from 1: `function`, `Class.method`, or `Class`;
    nothing where none of these does.
    """
    around = [scope.name for scope in scopes(text) if scope.start <= line <= scope.end]
    return max(around, key=len, default="")


def code_of(text: str, name: str) -> str:
    """Give the code of a function, method or class; nothing where there is none of this name."""
    return dedent(
        "".join(
            part.lines(scope.start, scope.end)
            for part in map(read, divided(text))
            for scope in part.scopes
            if scope.name == name
        )
    )


def scopes(text: str) -> Iterator[Scope]:
    """Find the functions, methods and classes of a file: `function`, `Class.method`, `Class`."""
    before = 0
    for part in map(read, divided(text)):
        for scope in part.scopes:
            yield Scope(scope.name, before + scope.start, before + scope.end)
        before += len(part.starts) - 1


@lru_cache(maxsize=16)
def divided(text: str) -> tuple[str, ...]:
    """Divide a file, line by line, into parts. Raises SyntaxError where it is not Python.

    A string or a bracket of several lines may have one that only looks like a beginning. No part
    that ends inside it can be read; the file is a single part then.
    """
    parts: list[list[str]] = [[]]
    is_block = is_decorated = False
    for line in io.StringIO(text):
        begins = line.startswith(BEGINNINGS)
        if (begins and not is_decorated) or (is_block and not begins and line[0].isidentifier()):
            parts.append([])
            is_block = begins
        is_decorated = line.startswith("@") or (is_decorated and not begins)
        parts[-1].append(line)
    found = tuple("".join(lines) for lines in parts if lines)
    try:
        for part in found:
            read(part)
    except SyntaxError:
        read(text)
        return (text,)
    return found


class Part:
    """A part of a file that has been read: its bytes and its tree. Lines count from 1 in it."""

    def __init__(self, text: str) -> None:
        self.data = text.encode()
        self.starts = [0]
        for line in self.data.splitlines(keepends=True):
            self.starts.append(self.starts[-1] + len(line))
        self.module = ast.parse(text)

    @cached_property
    def children(self) -> dict[type[ast.AST], list[tuple[ast.AST, ast.AST]]]:
        """The nodes by type, each behind its parent."""
        found: dict[type[ast.AST], list[tuple[ast.AST, ast.AST]]] = {}
        waiting: list[ast.AST] = [self.module]
        while waiting:
            parent = waiting.pop()
            for field in parent._fields:  # quicker by far than what `ast` has for it
                value = getattr(parent, field)
                for node in value if isinstance(value, list) else (value,):
                    if isinstance(node, ast.AST) and node._fields:
                        found.setdefault(type(node), []).append((parent, node))
                        waiting.append(node)
        return found

    @cached_property
    def bodies(self) -> list[list[ast.stmt]]:
        """The runs of statements."""
        nodes = (node for kind in BLOCKS for node in self.of_type(kind))
        return [
            body
            for node in (self.module, *nodes)
            for body in (node.body, getattr(node, "orelse", []))
        ]

    @cached_property
    def scopes(self) -> tuple[Scope, ...]:
        """The functions and classes at its top, and their methods."""
        found = []
        for node in self.module.body:
            if isinstance(node, ast.FunctionDef | ast.ClassDef):
                found.append(_scope(node, node.name))
            if isinstance(node, ast.ClassDef):
                found += [
                    _scope(method, f"{node.name}.{method.name}")
                    for method in node.body
                    if isinstance(method, ast.FunctionDef)
                ]
        return tuple(found)

    def of_type(self, kind: type[ast.AST]) -> list[Any]:
        """Give the nodes of a type."""
        return [node for _, node in self.children.get(kind, ())]

    def within(self, begin: int | None) -> tuple[int, int]:
        """Give the first and last line of the class or function that begins in a line."""
        if begin is None:
            return 1, len(self.starts)
        nodes = [*self.of_type(ast.ClassDef), *self.of_type(ast.FunctionDef)]
        return begin, next(node.end_lineno for node in nodes if node.lineno == begin)

    def span(self, node: ast.expr | ast.stmt) -> tuple[int, int]:
        """Give the first byte of a node and the one behind its last."""
        start = self.starts[node.lineno - 1] + node.col_offset
        end = self.starts[(node.end_lineno or node.lineno) - 1] + (node.end_col_offset or 0)
        return start, end

    def lines(self, first: int, last: int) -> str:
        """Give the text from a line to another, both included."""
        return self.data[self.starts[first - 1] : self.starts[last]].decode()

    def code(self, node: ast.expr | ast.stmt) -> str:
        """Give a node as it is written."""
        start, end = self.span(node)
        return self.data[start:end].decode()


@lru_cache(maxsize=64)
def read(text: str) -> Part:
    """Read a part, which many rewrites ask for before one changes it."""
    return Part(text)


def _scope(node: ast.FunctionDef | ast.ClassDef, name: str) -> Scope:
    start = min((node.lineno, *(decorator.lineno for decorator in node.decorator_list)))
    return Scope(name, start, node.end_lineno or node.lineno)
