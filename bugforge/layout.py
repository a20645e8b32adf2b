"""The layout of code that was written by machine: no line too long. Pure."""

import ast
from collections.abc import Collection

LINE_LENGTH = 100


def narrow(text: str) -> bool:
    """Whether no line of a text is too long."""
    return all(len(line) <= LINE_LENGTH for line in text.splitlines())


def laid_out(text: str, kept: Collection[str] = ()) -> str:
    """Put the arguments of a call with which a line ends on lines of their own, where the line is
    too long.

    Lines that this does not help stay as they are, and so do those that are to be kept.
    """
    if narrow(text):
        return text
    lines = text.splitlines(keepends=True)
    for node in ast.walk(ast.parse(text)):
        if isinstance(node, ast.Assign | ast.Expr | ast.Return) and node.lineno == node.end_lineno:
            call = node.value.elts[-1] if isinstance(node.value, ast.Tuple) else node.value
            line = lines[node.lineno - 1]
            if isinstance(call, ast.Call) and not narrow(line) and line not in kept:
                lines[node.lineno - 1] = _wrapped(line, call, node.col_offset)
    return "".join(lines)


def _wrapped(line: str, call: ast.Call, column: int) -> str:
    data = line.encode()
    arguments: list[ast.expr | ast.keyword] = [*call.args, *call.keywords]
    if any(isinstance(argument, ast.GeneratorExp) for argument in arguments):
        return line  # it may stand without brackets, and would need them
    head = data[: call.func.end_col_offset].decode()
    behind = data[call.end_col_offset :].decode()
    rows = [data[node.col_offset : node.end_col_offset].decode() for node in arguments]
    inner = "".join(f"{' ' * (column + 4)}{row},\n" for row in rows)
    return f"{head}(\n{inner}{' ' * column}){behind}"
