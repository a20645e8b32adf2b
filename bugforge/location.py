"""Where a planted bug lies: in the file as it was forged, and in what a learner made of it."""

from collections.abc import Iterator
from dataclasses import dataclass
from difflib import SequenceMatcher

from bugforge.answers import AnswerKey
from bugforge.edits import Edit
from bugforge.mend import forged_start
from bugforge.parts import scope_at


@dataclass(frozen=True)
class Location:
    """A place of a bug in the learner's files. scope: `function`, `Class.method` or `Class`, or
    nothing at the top level. first, last: its lines, from 1. code: what stands there. missing:
    whether the bug is that something is not there, before `first`. changed: whether the learner
    has written there since it was forged. gone: whether the file is, so that all is as forged.
    """

    name: str
    scope: str
    first: int
    last: int
    code: str
    missing: bool
    changed: bool
    gone: bool


def located(key: AnswerKey, edit: Edit, current: str) -> Location:
    """Find the place of an edit in the learner's file; empty where that is gone."""
    forged = key.forged[edit.name]
    rows = forged_rows(key, edit)
    gone = not current.strip()
    text = forged if gone else current
    lines = text.splitlines()
    now = sorted(min(row, len(lines)) for row in moved(forged, text, rows)) or [len(lines)]
    first, last = now[0], now[-1]
    code = lines[first - 1 : last]
    return Location(
        name=edit.name,
        scope=_scope(text, first) or _scope(forged, rows[0]),
        first=first,
        last=last,
        code="\n".join(code),
        missing=not edit.new,
        changed=code != forged.splitlines()[rows[0] - 1 : rows[-1]],
        gone=gone,
    )


def forged_rows(key: AnswerKey, edit: Edit) -> range:
    """Give the lines of an edit in the forged file, from 1; where it took lines out, the next."""
    start = forged_start(key, edit) + 1
    return range(start, start + max(len(edit.new), 1))


def moved(forged: str, current: str, rows: range) -> Iterator[int]:
    """Give the lines, from 1, that lines of the forged file have come to be."""
    matcher = SequenceMatcher(None, forged.splitlines(), current.splitlines(), autojunk=False)
    for kind, low, high, start, end in matcher.get_opcodes():
        for row in rows:
            if low <= row - 1 < high:
                yield start + row - low if kind == "equal" else start + 1
                if kind == "replace":
                    yield end


def _scope(text: str, row: int) -> str:
    try:
        return scope_at(text, row)
    except (SyntaxError, ValueError, RecursionError):
        return ""
