"""Other names in a program, wherever they stand for the same things. Pure."""

import ast
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass

from bugforge.rewrite import Named

Names = Mapping[tuple[Named, str], str]
"""The new name by what the old one names, and by the old one."""


@dataclass(frozen=True, order=True)
class _Place:
    """Where a name stands: its line, counted from 1, and its first byte there."""

    line: int
    column: int
    old: str
    new: str


def renamed(text: str, names: Names) -> str:
    """Write a file with other names."""
    lines = [line.encode() for line in text.splitlines(keepends=True)]
    for place in sorted(set(_places(ast.parse(text), names, lines)), reverse=True):
        line = lines[place.line - 1]
        before, behind = line[: place.column], line[place.column + len(place.old) :]
        lines[place.line - 1] = before + place.new.encode() + behind
    return b"".join(lines).decode()


def identifiers(text: str) -> set[str]:
    """Give every word of a file that names something."""
    found = set()
    for node in ast.walk(ast.parse(text)):
        for field in ("id", "attr", "arg", "name", "asname"):
            word = getattr(node, field, None)
            if isinstance(word, str):
                found.add(word)
    return found


def _places(module: ast.Module, names: Names, lines: list[bytes]) -> Iterator[_Place]:
    by_kind: dict[Named, dict[str, str]] = {"attribute": {}, "definition": {}, "local": {}}
    for (kind, old), new in names.items():
        by_kind[kind][old] = new
    nodes = list(ast.walk(module))
    yield from _attributes(nodes, by_kind["attribute"], lines)
    yield from _definitions(module, nodes, by_kind["definition"], lines)
    for node in nodes:
        if isinstance(node, ast.FunctionDef):
            within = list(ast.walk(node))
            bound = _bound(within) - _optional(node)
            own = {old: new for old, new in by_kind["local"].items() if old in bound}
            yield from _locals(within, own)


def _attributes(
    nodes: Iterable[ast.AST], names: Mapping[str, str], lines: list[bytes]
) -> Iterator[_Place]:
    for node in nodes:
        match node:
            case ast.Attribute(value=ast.Name("self"), attr=old, end_lineno=int(line)):
                if old in names:
                    column = (node.end_col_offset or 0) - len(old)
                    yield _Place(line, column, old, names[old])
            case ast.ClassDef(body=body):
                for method in body:
                    if isinstance(method, ast.FunctionDef) and method.name in names:
                        yield _defined(method, names[method.name], lines)
            case ast.Call(
                func=ast.Attribute(attr="register_buffer"),
                args=[ast.Constant(str(old)) as told, *_],
            ) if old in names:
                yield _Place(told.lineno, told.col_offset + 1, old, names[old])
            case ast.Constant(str(path)) if (old := _layer(path)) in names:
                yield _Place(node.lineno, node.col_offset + 1, old, names[old])


def _layer(path: str) -> str:
    """Give the name in what looks like "name.weight": how a program asks for a parameter."""
    name, _, parameter = path.rpartition(".")
    return name if parameter in ("weight", "bias") else ""


def _definitions(
    module: ast.Module, nodes: Iterable[ast.AST], names: Mapping[str, str], lines: list[bytes]
) -> Iterator[_Place]:
    for statement in module.body:
        if isinstance(statement, ast.FunctionDef | ast.ClassDef) and statement.name in names:
            yield _defined(statement, names[statement.name], lines)
    for node in nodes:
        match node:
            case ast.Name(old, ctx=ast.Load()) if old in names:
                yield _Place(node.lineno, node.col_offset, old, names[old])
            case ast.alias(old) if old in names:
                yield _Place(node.lineno, node.col_offset, old, names[old])


def _locals(nodes: Iterable[ast.AST], names: Mapping[str, str]) -> Iterator[_Place]:
    for node in nodes:
        match node:
            case ast.Name(old) | ast.arg(old) if old in names:
                yield _Place(node.lineno, node.col_offset, old, names[old])


def _bound(nodes: Iterable[ast.AST]) -> set[str]:
    """Name what a function of these nodes binds: its arguments, and what it assigns to."""
    bound = set()
    for node in nodes:
        match node:
            case ast.arg(name) | ast.Name(name, ctx=ast.Store()):
                bound.add(name)
    return bound


def _optional(function: ast.FunctionDef) -> set[str]:
    """Name the arguments that may be left out: who gives them does so by name."""
    arguments = function.args.args[len(function.args.args) - len(function.args.defaults) :]
    return {argument.arg for argument in arguments}


def _defined(node: ast.FunctionDef | ast.ClassDef, new: str, lines: list[bytes]) -> _Place:
    line = lines[node.lineno - 1]
    column = line.index(node.name.encode(), node.col_offset + len("def "))
    return _Place(node.lineno, column, node.name, new)
