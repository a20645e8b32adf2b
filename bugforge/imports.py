"""Imports that a program has no use for. Pure."""

import ast


def without_idle_imports(text: str) -> str:
    """Write a file without the imports at its top that bind one name which nothing reads."""
    module = ast.parse(text)
    used = {node.id for node in ast.walk(module) if isinstance(node, ast.Name)}
    lines = text.splitlines(keepends=True)
    for statement in reversed(module.body):
        match statement:
            case ast.Import([alias]) | ast.ImportFrom(_, [alias]):
                bound = (alias.asname or alias.name).split(".")[0]
                if bound not in used:
                    del lines[statement.lineno - 1 : statement.end_lineno]
    return "".join(lines)
