"""Type hints for the functions of a program. Pure."""

import re
from collections.abc import Mapping

LINE_LENGTH = 88
"""Where a signature is broken: early, since the names in it may become longer ones."""

BETWEEN = re.compile(r", (?![^\[]*\])")
"""What lies between two arguments, and not between two parts of a type."""


def hinted(text: str, hints: Mapping[str, str]) -> str:
    """Write a file with other signatures, by those that it has: all of a line but `def`."""
    return "".join(_hinted(line, hints) for line in text.splitlines(keepends=True))


def _hinted(line: str, hints: Mapping[str, str]) -> str:
    indent, keyword, signature = line.partition("def ")
    new = hints.get(signature.removesuffix(":\n"))
    if new is None or indent.strip():
        return line
    whole = f"{indent}{keyword}{new}:\n"
    if len(whole) <= LINE_LENGTH:
        return whole
    name, arguments = new.split("(", 1)
    arguments, told = arguments.rsplit(")", 1)
    rows = "".join(f"{indent}    {argument},\n" for argument in BETWEEN.split(arguments))
    return f"{indent}{keyword}{name}(\n{rows}{indent}){told}:\n"
