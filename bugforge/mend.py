"""Taking bugs out of files that the learner may have changed elsewhere."""

from collections.abc import Mapping
from dataclasses import dataclass
from difflib import SequenceMatcher

from bugforge.answers import AnswerKey, Bug
from bugforge.edits import Edit


@dataclass(frozen=True)
class Mended:
    """Files as they should now be, the bugs taken out, and those whose place has changed."""

    files: dict[str, str]
    taken_out: tuple[int, ...]
    changed: tuple[int, ...]


def mend(key: AnswerKey, current: Mapping[str, str], bugs: tuple[Bug, ...]) -> Mended:
    """Take each bug out of the learner's files where its place is as it was forged.

    A bug comes out whole or not at all. One whose place reads as the pristine program does is
    already mended and counts as taken out.
    """
    files = dict(current)
    taken_out: list[int] = []
    changed: list[int] = []
    for bug in bugs:
        mended = _without(key, files, bug)
        if mended is None:
            changed.append(bug.number)
        else:
            files = mended
            taken_out.append(bug.number)
    return Mended(files, tuple(taken_out), tuple(changed))


def _without(key: AnswerKey, files: Mapping[str, str], bug: Bug) -> dict[str, str] | None:
    mended = dict(files)
    for edit in bug.edits:
        text = _undone(key, mended.get(edit.name, ""), edit)
        if text is None:
            return None
        mended[edit.name] = text
    return mended


def _undone(key: AnswerKey, current: str, edit: Edit) -> str | None:
    lines = current.splitlines(keepends=True)
    forged = key.forged[edit.name].splitlines(keepends=True)
    start = forged_start(key, edit)
    place = _find(forged, lines, start, start + len(edit.new))
    if place is not None:
        low, high = place
        return "".join([*lines[:low], *edit.old, *lines[high:]])
    pristine = key.pristine[edit.name].splitlines(keepends=True)
    if _find(pristine, lines, edit.start, edit.end) is not None:
        return current
    return None


def forged_start(key: AnswerKey, edit: Edit) -> int:
    """Give the index, in the forged file, of the line where an edit begins."""
    earlier = (
        other
        for bug in key.bugs
        for other in bug.edits
        if other.name == edit.name and other.start < edit.start
    )
    return edit.start + sum(len(other.new) - len(other.old) for other in earlier)


def _find(known: list[str], lines: list[str], start: int, end: int) -> tuple[int, int] | None:
    """Find where lines [start, end) of a known text stand in another: unchanged, and the only
    ones of their kind, or else with an unchanged neighbour on either side.
    """
    for block in SequenceMatcher(None, known, lines, autojunk=False).get_matching_blocks():
        low, high = block.a, block.a + block.size
        if low <= start and end <= high:
            offset = block.b - block.a
            neighbours = (start == 0 or low < start) and (end == len(known) or end < high)
            if neighbours or _lone(known, lines, start, end):
                return start + offset, end + offset
    return None


def _lone(known: list[str], lines: list[str], start: int, end: int) -> bool:
    wanted = known[start:end]
    size = end - start
    return bool(wanted) and all(
        sum(text[at : at + size] == wanted for at in range(len(text) - size + 1)) == 1
        for text in (known, lines)
    )
