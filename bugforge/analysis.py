"""Holding a learner's claims against the key: which of them fit a planted bug, and which do not."""

import ast
import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from bugforge.answers import AnswerKey, Bug
from bugforge.claims import Claim, read_claims
from bugforge.location import forged_rows, moved

NEAR = 3
"""How many lines beside a bug still count as its place."""

COMMON = frozenset({"self", "torch", "nn", "F", "x", "B", "T", "C", "return", "for", "in", "if"})
"""Names that stand everywhere, and so tell no place."""


@dataclass(frozen=True)
class Fit:
    """What a claim comes to. bug: the number of the one that it is nearest to, if it is near any.

    in_place, in_class: whether it names that bug's place, and its class.
    """

    claim: Claim
    bug: int | None
    in_place: bool = False
    in_class: bool = False

    @property
    def whole(self) -> bool:
        """Whether it fits in place and class."""
        return self.in_place and self.in_class


@dataclass(frozen=True)
class Analysis:
    """A learner's claims, each with what it fits; and the numbers of bugs that none does."""

    fits: tuple[Fit, ...]
    unclaimed: tuple[int, ...]

    @property
    def fitting(self) -> int:
        """How many claims fit a bug in place and class."""
        return sum(fit.whole for fit in self.fits)

    @property
    def others(self) -> tuple[Claim, ...]:
        """Give the claims that are near no bug."""
        return tuple(fit.claim for fit in self.fits if fit.bug is None)

    def of(self, bug: int) -> Claim | None:
        """Give the claim that is nearest to a bug, if there is one."""
        return next((fit.claim for fit in self.fits if fit.bug == bug), None)


def analysed(root: Path, key: AnswerKey) -> Analysis | None:
    """Hold what a workspace's ANALYSIS.md claims against the key; None where nothing is claimed, or
    where no bugs were planted.
    """
    claims = read_claims(root)
    if not claims or not key.bugs:
        return None
    return fitted(claims, key, {name: _text(root / name) for name in key.forged})


def fitted(claims: Sequence[Claim], key: AnswerKey, current: Mapping[str, str]) -> Analysis:
    """Find for each claim the bug that it fits best, none for two.

    current: the learner's files, whose lines the claims may count, text by name.
    """
    places = [_Place.of(bug, key, current) for bug in key.bugs]
    possible = sorted(
        (
            (place.fits(claim), bool(place.called & claim.classes), claim, place.bug)
            for claim in claims
            for place in places
        ),
        key=lambda pair: (-2 * pair[0] - pair[1], pair[2].number, pair[3].number),
    )
    found: dict[int, Fit] = {}
    taken: set[int] = set()
    for in_place, in_class, claim, bug in possible:
        if (in_place or in_class) and claim.number not in found and bug.number not in taken:
            found[claim.number] = Fit(claim, bug.number, in_place, in_class)
            taken.add(bug.number)
    fits = tuple(found.get(claim.number, Fit(claim, None)) for claim in claims)
    claimed = {fit.bug for fit in fits if fit.in_place}
    return Analysis(fits, tuple(bug.number for bug in key.bugs if bug.number not in claimed))


@dataclass(frozen=True)
class _Place:
    """Where a bug is: the lines of its files, as forged and as they are now, from 1; the names of
    the definitions that it lies in, and those on its lines.
    """

    bug: Bug
    files: frozenset[str]
    lines: frozenset[int]
    names: frozenset[str]

    @classmethod
    def of(cls, bug: Bug, key: AnswerKey, current: Mapping[str, str]) -> "_Place":
        lines: set[int] = set()
        names: set[str] = set()
        for edit in bug.edits:
            forged = key.forged[edit.name]
            rows = forged_rows(key, edit)
            now = moved(forged, current.get(edit.name, ""), rows)
            lines |= {row + near for row in (*rows, *now) for near in range(-NEAR, NEAR + 1)}
            names |= set(_enclosing(forged, rows))
            names |= set(re.findall(r"[A-Za-z_]\w*", "".join((*edit.old, *edit.new))))
        files = frozenset(edit.name.rpartition("/")[2] for edit in bug.edits)
        return cls(bug, files, frozenset(lines), frozenset(names - COMMON))

    @property
    def called(self) -> frozenset[str]:
        """What the bug may rightly be called: its class, or its stage."""
        return frozenset({self.bug.bug_class, self.bug.stage})

    def fits(self, claim: Claim) -> bool:
        """Whether a claim names this place: by a line in its file, or by names that stand there."""
        if claim.files and not claim.files & self.files:
            return False
        if claim.lines & self.lines:
            return True
        return any(self._holds(name) for name in claim.names)

    def _holds(self, name: str) -> bool:
        parts = {part for part in name.split(".") if part not in COMMON}
        return bool(parts) and parts <= self.names


def _enclosing(text: str, rows: range) -> Iterator[str]:
    """Name the functions and classes that lines lie in."""
    for node in ast.walk(ast.parse(text)):
        if isinstance(node, ast.ClassDef | ast.FunctionDef) and node.end_lineno:
            begin = min([node.lineno, *(part.lineno for part in node.decorator_list)])
            if any(begin <= row <= node.end_lineno for row in rows):
                yield node.name


def _text(path: Path) -> str:
    try:
        return path.read_text(encoding="utf-8", errors="replace")
    except OSError:
        return ""
