"""Other words in a program's comments and docstrings. Pure."""

import ast
import inspect
import io
import tokenize
from collections.abc import Mapping

from bugforge.layout import LINE_LENGTH

Words = Mapping[str, str]
"""What is said instead, by the text of a comment or docstring."""


def retold(text: str, words: Words) -> str:
    """Write a file with other comments and docstrings, by the text of each; an empty one goes."""
    return _comments_retold(_docstrings_retold(text, words), words)


def _comments_retold(text: str, words: Words) -> str:
    lines = text.splitlines(keepends=True)
    for token in reversed(list(tokenize.generate_tokens(io.StringIO(text).readline))):
        said = token.string.removeprefix("# ")
        if token.type != tokenize.COMMENT or said not in words:
            continue
        line, column = token.start[0] - 1, token.start[1]
        code = lines[line][:column].rstrip()
        new = f"# {words[said]}" if words[said] else ""
        if code:
            new = f"{code}  {new}".rstrip()
        elif new:
            new = lines[line][:column] + new
        if len(new) <= LINE_LENGTH:
            lines[line] = f"{new}\n" if new else ""
    return "".join(lines)


def _docstrings_retold(text: str, words: Words) -> str:
    lines = text.splitlines(keepends=True)
    module = ast.parse(text)
    holders = [
        node
        for node in ast.walk(module)
        if isinstance(node, ast.Module | ast.ClassDef | ast.FunctionDef) and ast.get_docstring(node)
    ]
    for holder in sorted(holders, key=lambda node: node.body[0].lineno, reverse=True):
        told = holder.body[0]
        new = words.get(inspect.cleandoc(ast.get_docstring(holder) or ""))
        if new is None:
            continue
        start, end = told.lineno - 1, told.end_lineno or told.lineno
        if not new and not lines[end : end + 1][0].strip():
            end += 1  # the empty line that set it off
        lines[start:end] = _docstring(new, " " * told.col_offset) if new else []
    return "".join(lines)


def _docstring(said: str, indent: str) -> list[str]:
    first, *rest = said.split("\n")
    if not rest:
        return [f'{indent}"""{first}"""\n']
    body = [f"{indent}{line}".rstrip() + "\n" for line in rest]
    return [f'{indent}"""{first}\n', *body, f'{indent}"""\n']
