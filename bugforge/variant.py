"""The reference made over into a program of its own, before any bug goes in."""

import ast
import random
import textwrap
from collections.abc import Mapping

from bugforge.errors import ToolError
from bugforge.sentences import shipped

WIDTH = 96
"""Columns for a line of the sentence, its quotes and indentation included."""


def vary(reference: Mapping[str, str], rng: random.Random) -> tuple[str, dict[str, str]]:
    """Make a reference over into a program of its own: the sentence that it is to learn, and its
    text by file name.
    """
    text = rng.choice(shipped())
    return text, {**reference, "train.py": with_sentence(reference["train.py"], text)}


def with_sentence(source: str, text: str) -> str:
    """Write the sentence into the one module-level assignment to TEXT."""
    lines = source.splitlines(keepends=True)
    for statement in ast.parse(source).body:
        match statement:
            case ast.Assign(targets=[ast.Name("TEXT")], lineno=first, end_lineno=int(last)):
                return "".join([*lines[: first - 1], _assignment(text), *lines[last:]])
    raise ToolError("The reference has no sentence to replace.", "Reinstall Bugforge.")


def _assignment(text: str) -> str:
    line = f'TEXT = "{text}"\n'
    if len(line) <= WIDTH:
        return line
    pieces = textwrap.wrap(text, WIDTH - 6, drop_whitespace=False)
    return "TEXT = (\n" + "".join(f'    "{piece}"\n' for piece in pieces) + ")\n"
