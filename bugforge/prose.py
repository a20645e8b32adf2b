"""Sentences for people, wrapped: at most 100 columns wide, and readable in plain ASCII."""

import textwrap

from rich.console import Console
from rich.text import Text

WIDEST = 100


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
