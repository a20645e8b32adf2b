"""Names in a program that nothing reads. Pure."""

import ast
from collections.abc import Iterator

Function = ast.FunctionDef | ast.AsyncFunctionDef
KEPT = ("self", "cls")


def without_idle_imports(text: str) -> str:
    """Write a file without the imports at its top that bind one name which nothing reads."""
    module = ast.parse(text)
    lines = text.splitlines(keepends=True)
    for statement, _ in reversed([*_idle_imports(module)]):
        del lines[statement.lineno - 1 : statement.end_lineno]
    return "".join(lines)


def idle_names(text: str) -> set[tuple[str, str]]:
    """Give the imports, and by their function the arguments and other names, that nothing reads."""
    module = ast.parse(text)
    idle = {("", name) for _, name in _idle_imports(module)}
    for node in ast.walk(module):
        if isinstance(node, Function):
            idle |= {(node.name, name) for name in _unread(node)}
    return {(where, name) for where, name in idle if not name.startswith("_") and name not in KEPT}


def _idle_imports(module: ast.Module) -> Iterator[tuple[ast.stmt, str]]:
    read = _read(module)
    for statement in module.body:
        match statement:
            case ast.Import([alias]) | ast.ImportFrom(_, [alias]):
                bound = (alias.asname or alias.name).split(".")[0]
                if bound not in read:
                    yield statement, bound


def _unread(function: Function) -> set[str]:
    bound = {node.arg for node in ast.walk(function.args) if isinstance(node, ast.arg)}
    read: set[str] = set()
    for node in ast.walk(function):
        if isinstance(node, ast.Name):
            (read if isinstance(node.ctx, ast.Load) else bound).add(node.id)
    return bound - read


def _read(node: ast.AST) -> set[str]:
    """Give the names that are read; one that is added to in place is not read by that alone."""
    return {
        each.id
        for each in ast.walk(node)
        if isinstance(each, ast.Name) and isinstance(each.ctx, ast.Load)
    }
