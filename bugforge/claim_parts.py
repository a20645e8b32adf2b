"""Where in ANALYSIS.md one claim ends and the next begins, in whatever layout it is written."""

import re
from collections.abc import Iterator
from itertools import pairwise

HEADING = re.compile(
    r"^(?:#{2,6}\s.*|\d{1,2}[.)](?:\s.*)?"
    r"|#{0,6}\s*[*_]*(?:bug|issue|problem|finding|fix|claim)\s*(?:#|no\.?)?\s*\d{1,2}\b.*)$",
    re.MULTILINE | re.IGNORECASE,
)
"""What a claim begins with: a heading below the first, a number and a dot, or `Bug 1`."""

SECTION = re.compile(
    r"#+\s\D*(?:\.py\b|\b(?:bugs|issues|problems|findings|fixes|errors|changes|analysis)\b)\D*",
    re.IGNORECASE,
)
"""A heading of several claims: of a file, or of what there are some of."""

ITEM = re.compile(r"^(?:[-*+]\s|[*_`]*[\w/]+\.py\b).*$", re.MULTILINE)
"""What an item of a list begins with: a bullet, or the name of a file."""

FIELD = re.compile(
    r"^\s*(?:[-*+]\s*)?[*_]*([A-Za-z][A-Za-z ,]{2,40})[*_]*\s*:[*_]*[ \t]*", re.MULTILINE
)
"""A label of the form, at the beginning of a line: `- Where: `."""

LABEL = re.compile(
    r"(?:after|before|category|cause|class|description|evidence|explanation|file|fix|function|how"
    r"|impact|lines?|location|name|place|proof|reason|root|severity|status|symptom|test|type|what"
    r"|where|why)\b",
    re.IGNORECASE,
)
"""First words of fields that say one thing of a claim, and begin none."""

RULE = re.compile(r"\|?(?:\s*:?-+:?\s*\|)+(?:\s*:?-+:?\s*)?")
"""The line of a table between its head and its rows."""


def parts_of(text: str) -> Iterator[str]:
    """Give the parts of an analysis that each are a claim, filled in or not.

    Each begins with a heading or a number. Below a heading of several, and where there is none at
    all, they are the rows of a table or the items of a list; a text without any of these is one.
    """
    starts = [found.start() for found in HEADING.finditer(text)]
    before = re.sub(r"\A\s*#[^\n]*\n", "", text[: starts[0] if starts else None])
    yield from _items(before) or ([] if starts else [before])
    for part in _cut(text, starts):
        heading, _, body = part.partition("\n")
        if SECTION.fullmatch(heading):
            yield from (f"{heading}\n{item}" for item in _items(body))
        else:
            yield part


def _items(body: str) -> list[str]:
    """Give the rows of a table, each cell behind the head of its column, or else the items of a
    list that are not the labels of a form.
    """
    rows = [[cell.strip() for cell in row.strip("|").split("|")] for row in _table(body)]
    if rows:
        head, *others = rows
        return ["\n".join(map(": ".join, zip(head, row, strict=False))) for row in others]
    return _cut(body, [f.start() for f in ITEM.finditer(body) if not _is_label(f[0])])


def _cut(text: str, starts: list[int]) -> list[str]:
    return [text[start:end] for start, end in pairwise([*starts, len(text)])]


def _table(body: str) -> list[str]:
    """Give the lines of the first table: its head and its rows."""
    lines = [line.strip() for line in body.splitlines()]
    for number, line in enumerate(lines[1:], start=1):
        if "|" in lines[number - 1] and RULE.fullmatch(line):
            rows = lines[number + 1 :]
            end = next((n for n, row in enumerate(rows) if "|" not in row), len(rows))
            return [lines[number - 1], *rows[:end]]
    return []


def _is_label(line: str) -> bool:
    found = FIELD.match(line)
    return bool(found and LABEL.match(found[1]))
