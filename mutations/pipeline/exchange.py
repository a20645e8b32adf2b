"""Forms that exchange code of one shape for other code, both written with blanks."""

from collections.abc import Iterator
from contextlib import suppress
from dataclasses import fields
from typing import cast

import libcst as cst
import libcst.matchers as m

from bugforge.mutation import Form, Rewritten

from ..patterns import render

BLANK = "any_"
"""What the name of a blank begins with: any_x stands for any expression, the same each time."""

HERE = "..."

LAYOUT = ("whitespace", "leading_lines", "trailing", "header", "footer", "indent")
MARKS = frozenset({"lpar", "rpar", "comma", "equal", "dot", "semicolon", "lbracket", "rbracket"})
BRACES = frozenset({"lbrace", "rbrace"})


def exchange(
    name: str,
    before: str,
    after: str,
    *,
    around: str = "",
    inside: m.BaseMatcherNode | None = None,
) -> Form:
    """Make a form that writes `after` where `before` stands; nothing, where it is empty.

    Both are its example, blanks being names; around: the function that this lies in, at HERE.
    """
    shape = _node(before, is_line=not after)

    def mutate(node: cst.CSTNode) -> Rewritten:
        found: dict[str, cst.CSTNode] = {}
        if not all(_filled(found, blank, part) for blank, part in _blanks(shape, node)):
            return None
        if not after:
            return cst.RemoveFromParent()
        filled = _node(after).visit(_Filling(found))
        assert isinstance(filled, cst.CSTNode)
        return filled

    correct, buggy = (_example(code, around) for code in (before, after))
    site = cast("m.BaseMatcherNode", _shaped(shape))
    return Form(name, site, mutate, correct, buggy, inside=inside)


def _example(code: str, around: str) -> str:
    plain = code.replace(BLANK, "")
    lines = (around or f"{HERE}\n").splitlines(keepends=True)
    return "".join(line.replace(HERE, plain) for line in lines if plain or HERE not in line)


def _node(code: str, *, is_line: bool = False) -> cst.CSTNode:
    """Parse an expression, or else, or if it is to be a line, a statement."""
    if not is_line:
        with suppress(cst.ParserSyntaxError):
            return cst.parse_expression(code)
    return cst.parse_module(f"{code}\n").body[0]


def _parts(node: cst.CSTNode) -> Iterator[tuple[str, object]]:
    """Give the fields of a node that say what it does, and not how it is laid out."""
    for field in fields(node):
        if not field.name.startswith(LAYOUT) and field.name not in MARKS | BRACES:
            yield field.name, getattr(node, field.name)


def _is_blank(node: cst.CSTNode) -> bool:
    return isinstance(node, cst.Name) and node.value.startswith(BLANK)


def _shaped(node: object) -> object:
    """Make the matcher of all code that fills the blanks of a node."""
    if isinstance(node, list | tuple):
        return [_shaped(part) for part in node]
    if not isinstance(node, cst.CSTNode):
        return node
    if _is_blank(node):
        return m.DoNotCare()
    known = {n: v for n, v in _parts(node) if not isinstance(v, cst.MaybeSentinel)}
    return getattr(m, type(node).__name__)(**{n: _shaped(v) for n, v in known.items()})


def _blanks(shape: object, node: object) -> Iterator[tuple[str, cst.CSTNode]]:
    """Give each blank with the code that stands in its place."""
    if isinstance(shape, list | tuple) and isinstance(node, list | tuple):
        for one, other in zip(shape, node, strict=True):
            yield from _blanks(one, other)
    elif isinstance(shape, cst.CSTNode):
        assert isinstance(node, cst.CSTNode)
        if isinstance(shape, cst.Name) and _is_blank(shape):
            yield shape.value, node
            return
        for name, part in _parts(shape):
            yield from _blanks(part, getattr(node, name))


def _filled(found: dict[str, cst.CSTNode], blank: str, part: cst.CSTNode) -> bool:
    """Note what fills a blank, and tell whether that is always the same."""
    return render(found.setdefault(blank, part)) == render(part)


class _Filling(cst.CSTTransformer):
    """Puts code in the place of blanks."""

    def __init__(self, found: dict[str, cst.CSTNode]) -> None:
        super().__init__()
        self.found = found

    def leave_Name(  # noqa: N802  # as libcst calls it
        self, original_node: cst.Name, updated_node: cst.Name
    ) -> cst.BaseExpression:
        """Fill a blank."""
        filled = self.found.get(original_node.value, updated_node).deep_clone()
        return cast("cst.BaseExpression", filled)
