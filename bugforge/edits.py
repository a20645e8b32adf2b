"""Changes to whole lines of a program's files: what a bug is, once it has been planted."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass


@dataclass(frozen=True)
class Edit:
    """In the file `name`, the lines `old` that begin at line index `start` become `new`.

    Lines keep their ends; `start` counts from 0 in the pristine file. Either side may be empty.
    """

    name: str
    start: int
    old: tuple[str, ...]
    new: tuple[str, ...]

    @property
    def end(self) -> int:
        """The index of the first pristine line behind the edit."""
        return self.start + len(self.old)


def apply_edits(files: Mapping[str, str], edits: Iterable[Edit]) -> dict[str, str]:
    """Write edits, given in any order and not overlapping, into a copy of the pristine files."""
    lines = {name: text.splitlines(keepends=True) for name, text in files.items()}
    for edit in sorted(edits, key=lambda edit: edit.start, reverse=True):
        lines[edit.name][edit.start : edit.end] = edit.new
    return {name: "".join(rest) for name, rest in lines.items()}


def touch(one: Iterable[Edit], other: Iterable[Edit]) -> bool:
    """Whether two sets of edits overlap or lie side by side, so that they would read as one."""
    others = list(other)
    return any(
        a.name == b.name and a.start <= b.end and b.start <= a.end for a in one for b in others
    )
