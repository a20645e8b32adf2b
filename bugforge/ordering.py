"""Definitions of a program in another order. Pure."""

from collections.abc import Sequence

from bugforge.parts import scopes
from bugforge.template import Rewritten


def reordered(text: str, holder: str, order: Sequence[str]) -> Rewritten | None:
    """Write a file with some definitions in one another's places, so that they come in an order;
    None where one is missing, or they do so already.

    holder: the class whose methods they are; empty for the functions and classes of the file.
    """
    found = {scope.name: (scope.start - 1, scope.end) for scope in scopes(text)}
    names = [f"{holder}.{name}" if holder else name for name in order]
    if not found.keys() >= set(names):
        return None
    lines = text.splitlines(keepends=True)
    places = sorted((found[name] for name in names), reverse=True)
    moved = lines.copy()
    for (start, end), name in zip(places, reversed(names), strict=True):
        first, behind = found[name]
        moved[start:end] = lines[first:behind]
    new = "".join(moved)
    return None if new == text else Rewritten(new, frozenset(filter(None, (holder,))))
