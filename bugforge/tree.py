"""Walking and rebuilding syntax trees, many times faster than visitors do: whitespace and
brackets, which make up most of a tree and hold nothing that a mutation looks for, are left out.
"""

from collections.abc import Iterator, Sequence
from dataclasses import fields
from functools import cache
from typing import NamedTuple

import libcst as cst


class Step(NamedTuple):
    """The way from a parent to its child: the field, and the place where that is a sequence."""

    parent: cst.CSTNode
    field: str
    place: int | None

    def rebuilt(self, child: cst.CSTNode | cst.RemovalSentinel) -> cst.CSTNode:
        """Give the parent with another child, or without it, in the child's place."""
        removed = isinstance(child, cst.RemovalSentinel)
        if self.place is None:
            return self.parent.with_changes(**{self.field: None if removed else child})
        items: Sequence[cst.CSTNode] = getattr(self.parent, self.field)
        between = [] if isinstance(child, cst.RemovalSentinel) else [child]
        changed = [*items[: self.place], *between, *items[self.place + 1 :]]
        return self.parent.with_changes(**{self.field: changed})


def steps(node: cst.CSTNode) -> Iterator[tuple[Step, cst.CSTNode]]:
    """Give every child of a node with the way to it, in the order of the text."""
    for name in _meaningful(type(node)):
        value = getattr(node, name)
        if isinstance(value, cst.CSTNode):
            yield Step(node, name, None), value
        elif isinstance(value, list | tuple):
            for index, item in enumerate(value):
                if isinstance(item, cst.CSTNode):
                    yield Step(node, name, index), item


def descendants(node: cst.CSTNode) -> Iterator[cst.CSTNode]:
    """Give a node and all that lies under it, in the order of the text."""
    yield node
    for _, child in steps(node):
        yield from descendants(child)


def exchanged(node: cst.CSTNode, old: cst.CSTNode, new: cst.CSTNode) -> cst.CSTNode:
    """Give a node with a part of it exchanged; the other parts stay the very same nodes."""
    if node is old:
        return new
    for way, child in steps(node):
        changed = exchanged(child, old, new)
        if changed is not child:
            return way.rebuilt(changed)
    return node


@cache
def _meaningful(kind: type[cst.CSTNode]) -> tuple[str, ...]:
    left_out = ("whitespace", "lpar", "rpar", "leading_lines", "trailing_whitespace")
    return tuple(field.name for field in fields(kind) if not field.name.startswith(left_out))
