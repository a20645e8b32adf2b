"""What a bug changed, as a unified diff from the buggy program to the right one."""

from collections.abc import Iterator
from difflib import unified_diff

from bugforge.answers import AnswerKey, Bug
from bugforge.edits import Edit
from bugforge.mend import forged_start

CONTEXT = 2


def unified(key: AnswerKey, bug: Bug) -> str:
    """Give the diff that mends a bug; line numbers are those of the forged files."""
    return "".join(line for edit in bug.edits for line in _hunk(key, edit))


def solution(key: AnswerKey) -> str:
    """Give the diff from what the learner was given to a solution of it."""
    return "".join(
        line
        for name, text in key.solution.items()
        for line in unified_diff(
            key.given.get(name, "").splitlines(keepends=True),
            text.splitlines(keepends=True),
            f"{name} as it was given",
            f"{name} as it may be",
            n=CONTEXT,
        )
    )


def _hunk(key: AnswerKey, edit: Edit) -> Iterator[str]:
    forged = key.forged[edit.name].splitlines(keepends=True)
    start = forged_start(key, edit)
    end = start + len(edit.new)
    low, high = max(0, start - CONTEXT), min(len(forged), end + CONTEXT)
    before, after = forged[low:start], forged[end:high]
    size = len(before) + len(after)
    yield f"--- {edit.name} as it is\n"
    yield f"+++ {edit.name} as it should be\n"
    yield f"@@ -{low + 1},{size + len(edit.new)} +{low + 1},{size + len(edit.old)} @@\n"
    for mark, lines in ((" ", before), ("-", edit.new), ("+", edit.old), (" ", after)):
        yield from (mark + line for line in lines)
