"""The reference made over into a program of its own, before any bug goes in."""

import random
import textwrap

import libcst as cst
import libcst.matchers as m

from bugforge.errors import ToolError
from bugforge.sentences import PROMPT_LENGTH, shipped

WIDTH = 96
"""Columns for a sentence, its quotes and indentation included."""

TEXT = m.SimpleStatementLine(
    [m.Assign(targets=[m.AssignTarget(m.Name("TEXT"))], value=m.DoNotCare())]
)


def choose_sentence(rng: random.Random) -> tuple[str, str]:
    """Draw the sentence that the program is to learn, and the prompt it must continue."""
    text = rng.choice(shipped())
    return text, text[:PROMPT_LENGTH]


def with_sentence(source: str, text: str) -> str:
    """Write the sentence into the one module-level assignment to TEXT."""
    module = cst.parse_module(source)
    for statement in module.body:
        if m.matches(statement, TEXT):
            changed = module.deep_replace(statement, cst.parse_statement(_assignment(text)))
            assert isinstance(changed, cst.Module)
            return changed.code
    raise ToolError("The reference has no sentence to replace.", "Reinstall Bugforge.")


def _assignment(text: str) -> str:
    line = f"TEXT = {_quoted(text)}"
    if len(line) <= WIDTH:
        return f"{line}\n"
    pieces = textwrap.wrap(text, WIDTH - 6, drop_whitespace=False)
    return "TEXT = (\n" + "".join(f"    {_quoted(piece)}\n" for piece in pieces) + ")\n"


def _quoted(text: str) -> str:
    return f'"{text}"'
