"""Likeness: what a diff against another program gives away of the bugs.

For each seed a default workspace is forged and compared, in whole lines, with the one before it,
with the reference, with the programs in the folders given with `--public` (nanoGPT's model.py and
train.py, say), and with all correct programs of the other seeds together. Of the lines that each
comparison marks, so many are of bugs: the share, beside that among all lines, which is what
guessing would give. That a buggy line stands in no correct program is so by nature: who installs
Bugforge can forge correct programs without end, and no rewrite hides a bug from that.

A rewrite near a bug is left out where the bug would find no place any more, so that functions with
a bug keep more of the reference. The second table tells how much more: how often a function that
could be rewritten was, with a bug in it and without, and how often of two programs, with a bug in
a function and without, the one that holds it is told by fewer rewrites there (chance is 0.5).
"""

import argparse
import re
from collections import Counter, defaultdict
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from difflib import SequenceMatcher
from pathlib import Path

from bugforge.answers import AnswerKey
from bugforge.catalogue import Catalogue, load
from bugforge.choosing import Request
from bugforge.forge import forge
from bugforge.mend import forged_start
from bugforge.parts import scope_at
from bugforge.programs import GPT
from bugforge.rewrite import Renaming, Restructuring
from bugforge.sentences import shipped
from bugforge.tracks import CLASSIC
from bugforge.variant import written

Lines = set[tuple[str, int]]
"""Lines of a program, by file and index."""


@dataclass
class Share:
    """Of the lines that something marks, those of bugs; of the bugs, those that it finds."""

    marked: int = 0
    right: int = 0
    bugs: int = 0
    found: int = 0

    def add(self, key: AnswerKey, marked: Lines) -> None:
        """Count what was marked in a key's forged program."""
        by_bug = list(bug_lines(key))
        self.marked += len(marked)
        self.right += len(marked & set().union(*by_bug))
        self.bugs += len(by_bug)
        self.found += sum(bool(lines & marked) for lines in by_bug)

    def told(self) -> str:
        """Say it in a few words."""
        return (
            f"{self.marked:7} lines, {self.right / max(1, self.marked):6.1%} of them of bugs; "
            f"{self.found / max(1, self.bugs):6.1%} of the bugs among them"
        )


def main() -> None:
    """Forge, compare, and print both tables."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--seeds", type=int, default=200)
    parser.add_argument("--first", type=int, default=0)
    parser.add_argument("--public", type=Path, action="append", default=[])
    asked = parser.parse_args()
    catalogue = load()
    seeds = range(asked.first, asked.first + asked.seeds)
    keys = [forge(Request(seed=str(seed)), CLASSIC, catalogue, "0") for seed in seeds]
    compare(keys, catalogue, asked.public)
    rewriting(keys, catalogue)


def compare(keys: Sequence[AnswerKey], catalogue: Catalogue, public: Iterable[Path]) -> None:
    """Print what each comparison marks."""
    shares: dict[str, Share] = defaultdict(Share)
    names = plain_names(catalogue)
    own = [set(_lines(key.pristine).values()) for key in keys]
    own_plain = [{plain(line, names) for line in lines} for lines in own]
    known = Counter(line for lines in own for line in lines)
    known_plain = Counter(line for lines in own_plain for line in lines)
    folders = {folder.name: _texts(folder) for folder in public}
    reference = GPT.reference()
    earlier: AnswerKey | None = None
    for key, lines, lines_plain in zip(keys, own, own_plain, strict=True):
        forged = key.forged
        shares["all lines"].add(key, set(_lines(forged)))
        if earlier is not None:
            shares["unlike an earlier workspace"].add(key, unlike(forged, earlier.forged))
        shares["unlike the reference"].add(key, unlike(forged, reference))
        same = set(_lines(forged)) - unlike(forged, reference)
        shares["like the reference"].add(key, same)
        for name, texts in folders.items():
            nearest = {file: _nearest(file, text, texts) for file, text in forged.items()}
            shares[f"unlike {name}"].add(key, unlike(forged, nearest))
        written_so = _lines(forged)
        unknown = _unseen(written_so, known, lines)
        shares["in no correct program of others"].add(key, unknown)
        plainly = {place: plain(line, names) for place, line in written_so.items()}
        unknown = _unseen(plainly, known_plain, lines_plain)
        shares["the same, names and comments aside"].add(key, unknown)
        earlier = key
    for name, share in shares.items():
        print(f"{name:36} {share.told()}")


def rewriting(keys: Sequence[AnswerKey], catalogue: Catalogue) -> None:
    """Print how often functions are rewritten that hold a bug, and that hold none."""
    places = _places(catalogue)
    taken: dict[str, dict[bool, list[int]]] = defaultdict(lambda: {True: [], False: []})
    for key in keys:
        ways = set(key.ways)
        buggy = _buggy_scopes(key, catalogue)
        for scope, rewrites in places.items():
            number = sum(bool(ways & choices) for choices in rewrites)
            taken[scope][scope in buggy].append(number)
    both = {scope: counts for scope, counts in taken.items() if counts[True] and counts[False]}
    weights = {scope: len(counts[True]) for scope, counts in both.items()}
    total = sum(weights.values())

    def mean(values: Mapping[str, float]) -> float:
        return sum(weights[scope] * values[scope] for scope in both) / total

    for scope, counts in sorted(both.items()):
        print(
            f"  {scope:32} {len(counts[True]):4} bugs, {len(places[scope]):2} rewrites: rewritten "
            f"{_rate(counts[True]):6.1%} with, {_rate(counts[False]):6.1%} without; told "
            f"{_told(counts[True], counts[False]):.3f}"
        )
    print(
        "functions, by their bugs: rewritten "
        f"{mean({s: _rate(c[True]) for s, c in both.items()}):.1%} with a bug, "
        f"{mean({s: _rate(c[False]) for s, c in both.items()}):.1%} without; told by fewer "
        f"rewrites {mean({s: _told(c[True], c[False]) for s, c in both.items()}):.3f}"
    )


def bug_lines(key: AnswerKey) -> Iterator[Lines]:
    """Give the lines of each bug; of one that only takes lines away, the line behind them."""
    for bug in key.bugs:
        lines: Lines = set()
        for edit in bug.edits:
            start = forged_start(key, edit)
            lines |= {(edit.name, start + number) for number in range(len(edit.new))}
        if not lines:
            lines = {(edit.name, forged_start(key, edit)) for edit in bug.edits}
        yield lines


def unlike(files: Mapping[str, str], others: Mapping[str, str]) -> Lines:
    """Give the lines of a program that a diff from another marks."""
    marked: Lines = set()
    for file, text in files.items():
        matcher = SequenceMatcher(
            None, others[file].splitlines(), text.splitlines(), autojunk=False
        )
        for tag, _, _, start, end in matcher.get_opcodes():
            if tag != "equal":
                marked |= {(file, line) for line in range(start, end)}
            if tag == "delete":
                marked.add((file, start))
    return marked


def plain_names(catalogue: Catalogue) -> dict[str, str]:
    """Give the reference's name for each that a renaming gives."""
    return {
        new: old
        for rewrite in catalogue.rewrites.values()
        if issubclass(rewrite, Renaming)
        for choice in rewrite.choices()
        for old, new in rewrite.renamed(choice).items()
    }


def plain(line: str, names: Mapping[str, str]) -> str:
    """Write a line without its indentation and comment, in the reference's names."""
    code = line.partition("  #")[0].strip()
    return re.sub(r"\w+", lambda word: names.get(word[0], word[0]), code)


def _unseen(
    lines: Mapping[tuple[str, int], str], seen: Mapping[str, int], own: Collection[str]
) -> Lines:
    """Give the lines that are in none of the programs that were seen, their own aside."""
    return {place for place, line in lines.items() if seen.get(line, 0) <= (line in own)}


def _lines(files: Mapping[str, str]) -> dict[tuple[str, int], str]:
    return {
        (file, index): line
        for file, text in files.items()
        for index, line in enumerate(text.splitlines())
    }


def _texts(folder: Path) -> dict[str, str]:
    return {path.name: path.read_text(encoding="utf-8") for path in folder.glob("*.py")}


def _nearest(file: str, text: str, texts: Mapping[str, str]) -> str:
    """Give the text of the same name, or else the one with the most lines in common."""
    own = set(text.splitlines())
    return texts.get(file) or max(texts.values(), key=lambda t: len(own & set(t.splitlines())))


def _places(catalogue: Catalogue) -> dict[str, list[set[str]]]:
    """Give, by function, the ways of each rewrite that rewrites it in the reference."""
    reference, rewrites = GPT.reference(), list(catalogue.rewrites.values())
    text = shipped()[0]
    plainly = written(reference, rewrites, text, ())
    places: dict[str, list[set[str]]] = defaultdict(list)
    for rewrite in rewrites:
        if not issubclass(rewrite, Restructuring):
            continue
        by_scope: dict[str, set[str]] = defaultdict(set)
        for choice in rewrite.choices():
            way = f"{rewrite.id}/{choice}"
            for file, index in unlike(plainly, written(reference, rewrites, text, [way])):
                by_scope[f"{file} {scope_at(plainly[file], index + 1)}"].add(way)
        for scope, ways in by_scope.items():
            places[scope].append(ways)
    return places


def _buggy_scopes(key: AnswerKey, catalogue: Catalogue) -> Collection[str]:
    """Name the functions that hold bugs, as the reference names them."""
    names = plain_names(catalogue)
    return {
        f"{edit.name} "
        + ".".join(
            names.get(part, part)
            for part in scope_at(key.pristine[edit.name], edit.start + 1).split(".")
        )
        for bug in key.bugs
        for edit in bug.edits
    }


def _rate(numbers: Sequence[int]) -> float:
    return sum(number > 0 for number in numbers) / len(numbers)


def _told(buggy: Sequence[int], others: Sequence[int]) -> float:
    """Give how often fewer rewrites tell the program with the bug from one without."""
    wins = sum((a < b) + 0.5 * (a == b) for a in buggy for b in others)
    return wins / (len(buggy) * len(others))


if __name__ == "__main__":
    main()
