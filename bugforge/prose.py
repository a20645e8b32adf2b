"""Sentences for people, wrapped: at most 100 columns wide, and readable in plain ASCII."""

import textwrap
from typing import TYPE_CHECKING

from rich.console import Console
from rich.text import Text

if TYPE_CHECKING:
    from rich.table import Table

WIDEST = 100
NARROWEST = 80
"""Columns that a table has at least: of what a console then breaks nothing is lost."""


def many(count: int, word: str) -> str:
    """Write a count with its word, in the plural where that is right."""
    return f"{count} {word}{'' if count == 1 else 's'}"


def show_paragraph(
    console: Console, words: str, begin: str, style: str = "", styled: int | None = None
) -> None:
    """Print a paragraph, indented as far as its beginning is long. style: of the first word, or of
    the first so many characters (styled).
    """
    width = min(console.width, WIDEST)
    lines = textwrap.wrap(words, width, initial_indent=begin, subsequent_indent=" " * len(begin))
    for number, line in enumerate(lines):
        text = Text(line)
        if number == 0 and style:
            text.stylize(style, 0, len(line.split(" ", 1)[0]) if styled is None else styled)
        console.print(text, no_wrap=True)


def show_table(console: Console, table: "Table") -> None:
    """Print a table, without the blanks that its last column is filled up with."""
    options = console.options.update(width=max(console.width, NARROWEST))
    for line in console.render_lines(table, options, pad=False):
        text = Text.assemble(*((part.text, part.style or "") for part in line))
        text.rstrip()
        console.print(text, soft_wrap=True)
