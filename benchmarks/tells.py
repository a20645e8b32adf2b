"""Tells in bulk: what ruff and pyright find in forged programs and not in their pristine ones.

For each seed a workspace is forged: three in five as `bugforge new` does by default, the others
with other numbers of bugs, of one difficulty, or marked. Every program is given to ruff, all rules
on, to its formatter, and to pyright in strict mode, where `basedpyright` or `pyright` is installed
beside this Python (`pip install basedpyright`; it is large, and no dependency of the project).

A finding that the forged program has more often, by file and rule, than the pristine one is a
tell, and told by the kind of bug on whose lines it lies. The few kinds that *are* what a rule looks
for are told apart, with the reason.
"""

import argparse
import json
import subprocess
import sys
import tempfile
import time
from collections import Counter, defaultdict
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path

from bugforge.answers import AnswerKey
from bugforge.catalogue import load
from bugforge.choosing import Request
from bugforge.forge import forge
from bugforge.mend import forged_start
from bugforge.mutation import DIFFICULTIES
from bugforge.tracks import CLASSIC

LINE_LENGTH = 100
RUFF = ("--isolated", f"--line-length={LINE_LENGTH}", "--target-version=py311")
ANNOTATIONS = (
    "reportMissingParameterType",
    "reportMissingTypeArgs",
    "reportUnknownArgumentType",
    "reportUnknownLambdaType",
    "reportUnknownMemberType",
    "reportUnknownParameterType",
    "reportUnknownVariableType",
)
"""Rules that ask for annotations, of which these programs have none."""
STRICT = {
    "typeCheckingMode": "strict",
    "pythonVersion": "3.11",
    **dict.fromkeys(ANNOTATIONS, False),
}
CHECKERS = ("basedpyright", "pyright")

BUFFERS = "pyright takes no buffer for a tensor, and objects to whatever is done with one"
THE_BUG_ITSELF: Mapping[tuple[str, str], str] = {
    **dict.fromkeys(
        (
            ("mask-not-sliced", "reportOperatorIssue"),
            ("mask-not-sliced", "reportCallIssue"),
            ("mask-not-sliced", "reportArgumentType"),
        ),
        f"{BUFFERS}: here ~ or ==, where it was the slice",
    ),
    ("missing-call-parens", "reportArgumentType"): "the method is handed over, and not its result",
    ("pe-frozen-random", "reportIndexIssue"): f"{BUFFERS}, which the table of positions now is",
    ("resid-wrong-tensor", "PLR6104"): "x = x + x is what is wrong, and would be x += x",
    (
        "step-outside-loop",
        "reportPossiblyUnboundVariable",
    ): "the last batch is read behind its loop",
}
"""Why a finding of a rule is the bug and no tell of it, by kind and rule."""


@dataclass(frozen=True)
class Finding:
    """What a tool says of a line, which counts from 1."""

    file: str
    line: int
    rule: str
    words: str


@dataclass
class Tells:
    """Findings that only the forged program has: how often, and one, by kind and rule."""

    counts: Counter[tuple[str, str]] = field(default_factory=Counter)
    examples: dict[tuple[str, str], str] = field(default_factory=dict)

    def add(self, key: AnswerKey, finding: Finding) -> None:
        """Count a finding, under the kind of bug on whose lines it lies."""
        told = _kind_at(key, finding), finding.rule
        self.counts[told] += 1
        lines = key.forged[finding.file].splitlines()
        line = lines[finding.line - 1].strip() if finding.line <= len(lines) else ""
        where = f"seed {key.seed}, {finding.file}:{finding.line}"
        self.examples.setdefault(told, f"{where}: {finding.words}\n      {line}")

    def told(self) -> int:
        """Print them, those that are the bug itself last; give the number of the others."""
        for (kind, rule), count in self.counts.most_common():
            if (kind, rule) not in THE_BUG_ITSELF:
                print(f"  TELL {count:4} {kind} {rule}: {self.examples[kind, rule]}")
        for (kind, rule), count in self.counts.most_common():
            if (kind, rule) in THE_BUG_ITSELF:
                print(f"  the bug itself {count:4} {kind} {rule}: {THE_BUG_ITSELF[kind, rule]}")
        return sum(count for told, count in self.counts.items() if told not in THE_BUG_ITSELF)


def main() -> int:
    """Forge, look, and print every tell; give 1 if there is one."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--seeds", type=int, default=500)
    parser.add_argument("--first", type=int, default=0)
    asked = parser.parse_args()
    began = time.monotonic()
    keys = dict(forged(range(asked.first, asked.first + asked.seeds)))
    print(f"{len(keys)} workspaces, {sum(len(key.bugs) for key in keys.values())} bugs")
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        write(keys, folder)
        found = sum(
            tells.told()
            for tells in (layout(keys, folder), linted(keys, folder), typed(keys, folder))
        )
    print(f"{found} tells, {time.monotonic() - began:.0f} s")
    return int(found > 0)


def forged(seeds: Iterable[int]) -> Iterator[tuple[int, AnswerKey]]:
    """Forge a workspace for each seed."""
    catalogue = load()
    for seed in seeds:
        yield seed, forge(_request(seed), CLASSIC, catalogue, "0")


def _request(seed: int) -> Request:
    """Ask for a default workspace, or, in two of five, for another."""
    round_, turn = divmod(seed, 5)
    if turn == 3:  # noqa: PLR2004
        return Request(seed=str(seed), bugs=1 + round_ % 6)
    if turn == 4:  # noqa: PLR2004
        difficulty = DIFFICULTIES[round_ % len(DIFFICULTIES)]
        return Request(seed=str(seed), difficulty=difficulty, marked=round_ % 2 == 0)
    return Request(seed=str(seed))


def write(keys: Mapping[int, AnswerKey], folder: Path) -> None:
    """Write each key's pristine and its forged program, into folders SEED/PROGRAM."""
    for seed, key in keys.items():
        for program, files in (("pristine", key.pristine), ("forged", key.forged)):
            place = folder / str(seed) / program
            place.mkdir(parents=True)
            for file, text in files.items():
                (place / file).write_text(text, encoding="utf-8", newline="\n")


def layout(keys: Mapping[int, AnswerKey], folder: Path) -> Tells:
    """Hold every program to the layout that ruff would give it."""
    ran = _run(Path(sys.executable), "-m", "ruff", "format", "--check", *RUFF, folder)
    told = (line.removeprefix("Would reformat: ") for line in ran.splitlines())
    paths = [Path(path) for path in told if path.endswith(".py")]
    print(f"ruff format: {len(paths)} files would be laid out otherwise")
    found = [(path, Finding(path.name, 1, "layout", "laid out otherwise")) for path in paths]
    return _only_forged(keys, found)


def linted(keys: Mapping[int, AnswerKey], folder: Path) -> Tells:
    """Ask ruff, all rules on."""
    rules = ("--select=ALL", "--preview", "--output-format=json-lines", "--no-cache")
    ran = _run(Path(sys.executable), "-m", "ruff", "check", *RUFF, *rules, folder)
    found = []
    for line in ran.splitlines():
        said = json.loads(line)
        path, row = Path(said["filename"]), said["location"]["row"]
        found.append((path, Finding(path.name, row, said["code"], said["message"])))
    print(f"ruff, all rules: {len(found)} findings")
    return _only_forged(keys, found)


def typed(keys: Mapping[int, AnswerKey], folder: Path) -> Tells:
    """Ask pyright, where it is installed."""
    beside = (Path(sys.executable).with_name(name) for name in CHECKERS)
    checker = next((path for path in beside if path.exists()), None)
    if checker is None:
        print("pyright: not asked, neither basedpyright nor pyright is installed")
        return Tells()
    settings = folder / "pyrightconfig.json"
    settings.write_text(json.dumps({"include": ["."], **STRICT}), encoding="utf-8")
    python = f"--pythonpath={sys.executable}"
    ran = json.loads(_run(checker, "--outputjson", python, "--project", settings))
    found = []
    for said in ran["generalDiagnostics"]:
        path, row = Path(said["file"]), said["range"]["start"]["line"] + 1
        words = said["message"].splitlines()[0]
        found.append((path, Finding(path.name, row, said.get("rule", "error"), words)))
    asked, wanted = ran["summary"]["filesAnalyzed"], len(keys) * 4
    print(f"{checker.name}, strict: {len(found)} findings in {asked} files of {wanted}")
    return _only_forged(keys, found)


def _run(*command: object) -> str:
    return subprocess.run(
        list(map(str, command)), capture_output=True, text=True, check=False
    ).stdout


def _only_forged(keys: Mapping[int, AnswerKey], found: Iterable[tuple[Path, Finding]]) -> Tells:
    """Keep what a forged program has more often than its pristine one, by file and rule."""
    by_program: dict[tuple[int, str], dict[tuple[str, str], list[Finding]]] = defaultdict(
        lambda: defaultdict(list)
    )
    for path, finding in found:
        seed, program = int(path.parent.parent.name), path.parent.name
        by_program[seed, program][finding.file, finding.rule].append(finding)
    tells = Tells()
    for seed, key in keys.items():
        before = by_program[seed, "pristine"]
        for rule, findings in by_program[seed, "forged"].items():
            new = len(findings) - len(before[rule])
            nearest = sorted(findings, key=lambda f: _kind_at(key, f) == ELSEWHERE)
            for finding in nearest[: max(0, new)]:
                tells.add(key, finding)
    return tells


ELSEWHERE = "elsewhere"


def _kind_at(key: AnswerKey, finding: Finding) -> str:
    """Name the kind of bug that a finding is, or else on whose lines it lies."""
    for bug in key.bugs:
        if (bug.kind, finding.rule) in THE_BUG_ITSELF:
            return bug.kind
    for bug in key.bugs:
        for edit in bug.edits:
            start = forged_start(key, edit)
            if edit.name == finding.file and start < finding.line <= start + len(edit.new):
                return bug.kind
    return ELSEWHERE


if __name__ == "__main__":
    sys.exit(main())
