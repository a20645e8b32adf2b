"""Code with blanks: finds code of that shape, and writes other code from what stood in the blanks.

A blank is a name that begins with `any_`; it stands for any expression, and for the same one
wherever it comes again. Layout, brackets and comments count for nothing.
"""

import ast
import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import cache, cached_property, lru_cache
from textwrap import dedent, indent
from typing import Any, NamedTuple

BLANK = "any_"
LOOSE = (ast.BinOp, ast.BoolOp, ast.Compare, ast.IfExp, ast.Lambda, ast.UnaryOp)
"""Expressions that need brackets to be part of a tight one."""
TIGHT = (ast.Attribute, ast.BinOp, ast.Compare, ast.Subscript, ast.UnaryOp)
BLOCKS = (ast.ClassDef, ast.For, ast.FunctionDef, ast.If, ast.While, ast.With)
IDLE = ("ctx", "type_comment", "kind")
"""Fields of a tree that say nothing."""

Pair = tuple[str, str]
"""Code with blanks, and the other code for it: two expressions, or statements on both sides."""
Filling = dict[str, ast.expr]
"""What stands in each blank."""


class Rewritten(NamedTuple):
    """A file written otherwise, and the functions, methods or else classes in which it was."""

    text: str
    scopes: frozenset[str]


def rewritten(text: str, pairs: Sequence[Pair], holder: type[ast.AST] | None) -> Rewritten | None:
    """Write a file otherwise wherever it holds code of the pairs' shapes; None where it does not.

    holder: what must hold code of all of them; the file, where it is None.
    """
    if holder is None:
        return _all_rewritten(text, pairs, None)
    for node in _read(text).of_type(holder):
        found = _all_rewritten(text, pairs, node.lineno)
        if found is not None:
            return found
    return None


def scope_at(text: str, line: int) -> str:
    """Name what lies around a line, which counts from 1: `function`, `Class.method`, or `Class`;
    nothing where none of these does.
    """
    around = [scope.name for scope in scopes(text) if scope.start <= line <= scope.end]
    return max(around, key=len, default="")


def code_of(text: str, name: str) -> str:
    """Give the code of a function, method or class; nothing where there is none of this name."""
    lines = text.splitlines(keepends=True)
    found = (scope for scope in scopes(text) if scope.name == name)
    return dedent("".join("".join(lines[scope.start - 1 : scope.end]) for scope in found))


class Scope(NamedTuple):
    """A function, method or class of a module, and its first and last line, decorators included."""

    name: str
    start: int
    end: int


def scopes(text: str) -> Iterator[Scope]:
    """Find the functions, methods and classes of a file: `function`, `Class.method`, `Class`."""
    for node in _read(text).module.body:
        if isinstance(node, ast.FunctionDef | ast.ClassDef):
            yield _scope(node, node.name)
        if isinstance(node, ast.ClassDef):
            for method in node.body:
                if isinstance(method, ast.FunctionDef):
                    yield _scope(method, f"{node.name}.{method.name}")


def _scope(node: ast.FunctionDef | ast.ClassDef, name: str) -> Scope:
    start = min((node.lineno, *(decorator.lineno for decorator in node.decorator_list)))
    return Scope(name, start, node.end_lineno or node.lineno)


@dataclass(frozen=True)
class _Splice:
    """Bytes [start, end) of a file, what comes in their place, and the line they begin in."""

    start: int
    end: int
    new: bytes
    line: int


def _all_rewritten(text: str, pairs: Sequence[Pair], begin: int | None) -> Rewritten | None:
    """Rewrite each pair in turn, within what begins in a line or everywhere."""
    scopes: set[str] = set()
    for pair in pairs:
        splices = list(_splices(_read(text), begin, pair))
        if not splices:
            return None
        scopes |= {scope_at(text, splice.line) for splice in splices}
        data = text.encode()
        for splice in sorted(splices, key=lambda splice: splice.start, reverse=True):
            data = data[: splice.start] + splice.new + data[splice.end :]
        text = data.decode()
    return Rewritten(text, frozenset(scopes))


class _File:
    """A file that has been read: its bytes and its tree."""

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

    def of_type(self, kind: type[ast.AST]) -> list[Any]:
        return [node for _, node in self.children.get(kind, ())]

    def within(self, begin: int | None) -> tuple[int, int]:
        """Give the first and last line of the class or function that begins in a line."""
        if begin is None:
            return 1, len(self.starts)
        nodes = [*self.of_type(ast.ClassDef), *self.of_type(ast.FunctionDef)]
        return begin, next(node.end_lineno for node in nodes if node.lineno == begin)

    def span(self, node: ast.expr | ast.stmt) -> tuple[int, int]:
        start = self.starts[node.lineno - 1] + node.col_offset
        end = self.starts[(node.end_lineno or node.lineno) - 1] + (node.end_col_offset or 0)
        return start, end

    def code(self, node: ast.expr | ast.stmt) -> str:
        start, end = self.span(node)
        return self.data[start:end].decode()


@lru_cache(maxsize=8)
def _read(text: str) -> _File:
    """Read a file, which many rewrites ask for before one changes it."""
    return _File(text)


def _splices(file: _File, begin: int | None, pair: Pair) -> Iterator[_Splice]:
    old = _compiled(pair)
    first, last = file.within(begin)
    if isinstance(old, ast.expr):
        for parent, node in file.children.get(type(old), ()):
            filling: Filling = {}
            is_within = isinstance(node, ast.expr) and first <= node.lineno <= last
            if is_within and _fits(old, node, filling):
                yield _for_expression(file, parent, node, pair[1], filling)
        return
    for body in file.bodies:
        for start in range(len(body) - len(old) + 1):
            lines = body[start : start + len(old)]
            filling = {}
            if first <= lines[0].lineno <= last and all(
                _fits(shape, line, filling) for shape, line in zip(old, lines, strict=True)
            ):
                yield _for_lines(file, lines, _filled(pair[1], filling, file))
                break


def _for_expression(file: _File, parent: ast.AST, node: Any, new: str, filling: Filling) -> _Splice:
    """Put a new expression in place of an old one, in the brackets that it needs."""
    start, end = file.span(node)
    code = _filled(new, filling, file)
    bracketed = file.data[start - 1 : start] == b"(" and file.data[end : end + 1] == b")"
    is_loose = isinstance(_parsed(new), LOOSE)
    if _is_tight(parent, node):
        if bracketed and not is_loose:
            start, end = start - 1, end + 1
        elif is_loose and not bracketed and not isinstance(node, LOOSE):
            code = f"({code})"
    return _Splice(start, end, code.encode(), node.lineno)


def _is_tight(parent: ast.AST, child: ast.AST) -> bool:
    """Whether an expression needs brackets to be this part of another, if it is a loose one."""
    return isinstance(parent, TIGHT) and child is not getattr(parent, "slice", None)


def _for_lines(file: _File, old: Sequence[ast.stmt], new: str) -> _Splice:
    """Put new lines in place of old ones; where there are as many, comments are kept."""
    first, last = old[0], old[-1]
    start = file.starts[first.lineno - 1]
    end = file.starts[last.end_lineno or last.lineno]
    rows = new.splitlines()
    if len(rows) == len(old) == (last.end_lineno or 0) - first.lineno + 1:
        for index, statement in enumerate(old):
            _, behind = file.span(statement)
            kept = file.data[behind : file.starts[statement.lineno]].decode().rstrip()
            rows[index] += kept if "#" not in rows[index] else ""
    code = indent("".join(f"{row}\n" for row in rows), " " * first.col_offset)
    return _Splice(start, end, code.encode(), first.lineno)


@cache
def _parsed(code: str) -> ast.expr | list[ast.stmt]:
    try:
        return ast.parse(code, mode="eval").body
    except SyntaxError:
        return ast.parse(code).body


@cache
def _compiled(pair: Pair) -> ast.expr | list[ast.stmt]:
    """Parse what a pair looks for: an expression, if it is two of them."""
    old, new = pair
    both = isinstance(_parsed(old), ast.expr) and isinstance(_parsed(new), ast.expr)
    return _parsed(old) if both else ast.parse(old).body


def _filled(code: str, filling: Filling, file: _File) -> str:
    """Write code with its blanks filled in."""
    tight = {
        child.id
        for parent in ast.walk(ast.parse(code))
        for child in ast.iter_child_nodes(parent)
        if isinstance(child, ast.Name) and _is_tight(parent, child)
    }

    def fill(blank: "re.Match[str]") -> str:
        node = filling[blank[0]]
        within = file.code(node)
        return f"({within})" if blank[0] in tight and isinstance(node, LOOSE) else within

    return re.sub(rf"\b{BLANK}\w+", fill, code)


def _fits(shape: ast.AST, node: ast.AST, filling: Filling) -> bool:
    """Whether a node has a shape; notes what stands in the blanks."""
    if isinstance(shape, ast.Name) and shape.id.startswith(BLANK):
        if not isinstance(node, ast.expr):
            return False
        return ast.dump(filling.setdefault(shape.id, node)) == ast.dump(node)
    if isinstance(shape, ast.Expr) and isinstance(shape.value, ast.Name):
        return isinstance(node, ast.Expr) and _fits(shape.value, node.value, filling)
    return type(shape) is type(node) and all(
        _alike(getattr(shape, field, None), getattr(node, field, None), filling)
        for field in shape._fields
        if field not in IDLE
    )


def _alike(shape: object, value: object, filling: Filling) -> bool:
    if isinstance(shape, ast.AST) and isinstance(value, ast.AST):
        return _fits(shape, value, filling)
    if isinstance(shape, list) and isinstance(value, list):
        return len(shape) == len(value) and all(
            _alike(a, b, filling) for a, b in zip(shape, value, strict=True)
        )
    return shape == value and type(shape) is type(value)
