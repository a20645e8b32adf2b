"""Walking and rebuilding syntax trees, many times faster than visitors do: whitespace and
brackets, which make up most of a tree and hold nothing that a mutation looks for, are left out.
"""

from collections.abc import Iterable, Iterator
from dataclasses import fields
from functools import cache, lru_cache

import libcst as cst
import libcst.matchers as m


def children(node: cst.CSTNode) -> list[cst.CSTNode]:
    """Give every child of a node, in the order of the text."""
    found = []
    for name in _meaningful(type(node)):
        value = getattr(node, name)
        if _is_node(value.__class__):
            found.append(value)
        elif isinstance(value, list | tuple):
            found += [item for item in value if _is_node(item.__class__)]
    return found


@lru_cache(maxsize=256)  # a form asks for several shapes in one node, one after the other
def descendants(node: cst.CSTNode) -> tuple[cst.CSTNode, ...]:
    """Give a node and all that lies under it, in the order of the text."""
    found = []
    waiting = [node]
    while waiting:
        node = waiting.pop()
        found.append(node)
        waiting += reversed(children(node))
    return tuple(found)


def having(nodes: Iterable[cst.CSTNode], shape: m.BaseMatcherNode) -> Iterator[cst.CSTNode]:
    """Give those of some nodes that have a shape; others than of its types need no closer look."""
    types = types_of(shape)
    return (
        node
        for node in nodes
        if (types is None or type(node).__name__ in types) and m.matches(node, shape)
    )


def types_of(shape: m.BaseMatcherNode) -> frozenset[str] | None:
    """Name the types of node that can have a shape; None where any can."""
    if isinstance(shape, m.OneOf):
        options = [types_of(option) for option in shape.options]
        return None if None in options else frozenset().union(*filter(None, options))
    # A matcher for one type of node is named after it.
    name = type(shape).__name__
    return frozenset((name,)) if hasattr(cst, name) else None


def rebuilt(
    parent: cst.CSTNode, old: cst.CSTNode, new: cst.CSTNode | cst.RemovalSentinel
) -> cst.CSTNode:
    """Give a node with another child, or without it, in the place of one that it has."""
    between = [] if isinstance(new, cst.RemovalSentinel) else [new]
    for name in _meaningful(type(parent)):
        value = getattr(parent, name)
        if value is old:
            return parent.with_changes(**{name: between[0] if between else None})
        if isinstance(value, list | tuple):
            for place, item in enumerate(value):
                if item is old:
                    changed = [*value[:place], *between, *value[place + 1 :]]
                    return parent.with_changes(**{name: changed})
    raise AssertionError(old)


def exchanged(node: cst.CSTNode, old: cst.CSTNode, new: cst.CSTNode) -> cst.CSTNode:
    """Give a node with a part of it exchanged; the other parts stay the very same nodes."""
    if node is old:
        return new
    for child in children(node):
        changed = exchanged(child, old, new)
        if changed is not child:
            return rebuilt(node, child, changed)
    return node


@cache
def _is_node(kind: type) -> bool:
    return issubclass(kind, cst.CSTNode)  # which asks abc, slowly


@cache
def _meaningful(kind: type[cst.CSTNode]) -> tuple[str, ...]:
    left_out = ("whitespace", "lpar", "rpar", "leading_lines", "trailing_whitespace")
    return tuple(field.name for field in fields(kind) if not field.name.startswith(left_out))
