"""Code with blanks: finds code of that shape, and writes other code from what stood in the blanks.

A blank is a name that begins with `any_`; it stands for any expression, and for the same one
wherever it comes again. Layout, brackets and comments count for nothing.
"""

import ast
import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import cache
from textwrap import indent
from typing import Any, NamedTuple

from bugforge.parts import Part, divided, read, scope_at

BLANK = "any_"
LOOSE = (ast.BinOp, ast.BoolOp, ast.Compare, ast.IfExp, ast.Lambda, ast.UnaryOp)
"""Expressions that need brackets to be part of a tight one."""
TIGHT = (ast.Attribute, ast.BinOp, ast.Compare, ast.Subscript, ast.UnaryOp)
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
    parts = divided(text)
    if holder is None:
        return _all_rewritten(parts, pairs, None)
    for place, part in enumerate(parts):
        for node in read(part).of_type(holder):
            found = _all_rewritten([part], pairs, node.lineno)
            if found is not None:
                whole = (*parts[:place], found.text, *parts[place + 1 :])
                return found._replace(text="".join(whole))
    return None


@dataclass(frozen=True)
class _Splice:
    """Bytes [start, end) of a file, what comes in their place, and the line they begin in."""

    start: int
    end: int
    new: bytes
    line: int


def _all_rewritten(
    parts: Sequence[str], pairs: Sequence[Pair], begin: int | None
) -> Rewritten | None:
    """Rewrite each pair in turn, within what begins in a line of a part or everywhere."""
    scopes: set[str] = set()
    for pair in pairs:
        found = [list(_splices(read(part), begin, pair)) for part in parts]
        if not any(found):
            return None
        scopes |= {
            scope_at(part, splice.line)
            for part, splices in zip(parts, found, strict=True)
            for splice in splices
        }
        parts = [
            _spliced(part, splices) if splices else part
            for part, splices in zip(parts, found, strict=True)
        ]
    return Rewritten("".join(parts), frozenset(scopes))


def _spliced(text: str, splices: Sequence[_Splice]) -> str:
    data = text.encode()
    for splice in sorted(splices, key=lambda splice: splice.start, reverse=True):
        data = data[: splice.start] + splice.new + data[splice.end :]
    return data.decode()


def _splices(part: Part, begin: int | None, pair: Pair) -> Iterator[_Splice]:
    old = _compiled(pair)
    first, last = part.within(begin)
    if isinstance(old, ast.expr):
        for parent, node in part.children.get(type(old), ()):
            filling: Filling = {}
            is_within = isinstance(node, ast.expr) and first <= node.lineno <= last
            if is_within and _fits(old, node, filling):
                yield _for_expression(part, parent, node, pair[1], filling)
        return
    for body in part.bodies:
        for start in range(len(body) - len(old) + 1):
            lines = body[start : start + len(old)]
            filling = {}
            if first <= lines[0].lineno <= last and all(
                _fits(shape, line, filling) for shape, line in zip(old, lines, strict=True)
            ):
                yield _for_lines(part, lines, _filled(pair[1], filling, part))
                break


def _for_expression(part: Part, parent: ast.AST, node: Any, new: str, filling: Filling) -> _Splice:
    """Put a new expression in place of an old one, in the brackets that it needs."""
    start, end = part.span(node)
    code = _filled(new, filling, part)
    bracketed = part.data[start - 1 : start] == b"(" and part.data[end : end + 1] == b")"
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


def _for_lines(part: Part, old: Sequence[ast.stmt], new: str) -> _Splice:
    """Put new lines in place of old ones; where there are as many, comments are kept."""
    first, last = old[0], old[-1]
    start = part.starts[first.lineno - 1]
    end = part.starts[last.end_lineno or last.lineno]
    rows = new.splitlines()
    if len(rows) == len(old) == (last.end_lineno or 0) - first.lineno + 1:
        for index, statement in enumerate(old):
            _, behind = part.span(statement)
            kept = part.data[behind : part.starts[statement.lineno]].decode().rstrip()
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


def _filled(code: str, filling: Filling, part: Part) -> str:
    """Write code with its blanks filled in."""
    tight = _tight_names(code)

    def fill(blank: "re.Match[str]") -> str:
        node = filling[blank[0]]
        within = part.code(node)
        return f"({within})" if blank[0] in tight and isinstance(node, LOOSE) else within

    return re.sub(rf"\b{BLANK}\w+", fill, code)


@cache
def _tight_names(code: str) -> frozenset[str]:
    """Name what needs brackets in this code if it is a loose expression."""
    return frozenset(
        child.id
        for parent in ast.walk(ast.parse(code))
        for child in ast.iter_child_nodes(parent)
        if isinstance(child, ast.Name) and _is_tight(parent, child)
    )


def _fits(shape: ast.AST, node: ast.AST, filling: Filling) -> bool:
    """Whether a node has a shape; notes what stands in the blanks."""
    if isinstance(shape, ast.Name) and shape.id.startswith(BLANK):
        if not isinstance(node, ast.expr):
            return False
        first = filling.setdefault(shape.id, node)
        return first is node or ast.dump(first) == ast.dump(node)
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
