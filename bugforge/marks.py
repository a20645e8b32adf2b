"""Region comments for `--marked`: each marked region holds a bug, and each bug lies in one."""

import ast
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace

from bugforge.edits import Edit

BEGIN = "# --- a bug lies between here ---"
END = "# --- and here ---"


@dataclass(frozen=True)
class Region:
    """Lines [start, end) of a pristine file, by index from 0, and their indentation."""

    name: str
    start: int
    end: int
    indent: str


def mark(
    pristine: Mapping[str, str], bugs: Sequence[tuple[Edit, ...]]
) -> tuple[dict[str, str], list[tuple[Edit, ...]]]:
    """Put comments around the bodies of the functions that bugs lie in.

    Gives the marked pristine program, and the same edits where they now stand.
    """
    regions = _outermost({_region(pristine, edit) for edits in bugs for edit in edits})
    marked = dict(pristine)
    for region in sorted(regions, key=lambda region: region.start, reverse=True):
        lines = marked[region.name].splitlines(keepends=True)
        lines.insert(region.end, f"{region.indent}{END}\n")
        lines.insert(region.start, f"{region.indent}{BEGIN}\n")
        marked[region.name] = "".join(lines)
    moved = [tuple(_moved(edit, regions) for edit in edits) for edits in bugs]
    return marked, moved


def unmarked(text: str) -> str:
    """Take the comments out again."""
    lines = text.splitlines(keepends=True)
    return "".join(line for line in lines if line.strip() not in {BEGIN, END})


def _region(pristine: Mapping[str, str], edit: Edit) -> Region:
    """Give the body of the innermost function around an edit, or else the statement."""
    text = pristine[edit.name]
    lines = text.splitlines()
    best: ast.stmt | None = None
    scope: Sequence[ast.stmt] = ast.parse(text).body
    while True:
        inner = next((node for node in scope if _covers(node, edit)), None)
        if inner is None:
            break
        best = inner
        if isinstance(inner, ast.FunctionDef) or not isinstance(inner, ast.ClassDef):
            break
        scope = inner.body
    if isinstance(best, ast.FunctionDef | ast.ClassDef):
        body = best.body
        first = body[1] if ast.get_docstring(best) and len(body) > 1 else body[0]
        start, end = first.lineno - 1, best.end_lineno or first.lineno
        if start <= edit.start and edit.end <= end:
            return Region(edit.name, start, end, " " * first.col_offset)
    start, end = edit.start, max(edit.end, edit.start)
    line = lines[start] if start < len(lines) else ""
    return Region(edit.name, start, end, line[: len(line) - len(line.lstrip())])


def _covers(node: ast.stmt, edit: Edit) -> bool:
    return node.lineno - 1 <= edit.start and edit.end <= (node.end_lineno or node.lineno)


def _outermost(regions: Iterable[Region]) -> list[Region]:
    found = list(regions)
    return [
        region
        for region in found
        if not any(
            other != region
            and other.name == region.name
            and other.start <= region.start
            and region.end <= other.end
            for other in found
        )
    ]


def _moved(edit: Edit, regions: Iterable[Region]) -> Edit:
    here = [region for region in regions if region.name == edit.name]
    above = sum(region.start <= edit.start for region in here)
    above += sum(region.end <= edit.start and region.start < edit.start for region in here)
    return replace(edit, start=edit.start + above)
