"""Nothing gives a bug away: no linter, no comment, and nothing in the files' metadata.

`benchmarks/tells.py` holds the same over hundreds of seeds, and asks pyright.
"""

import json
import re
import stat
import subprocess
import sys
from collections import Counter
from collections.abc import Iterable, Iterator
from pathlib import Path

from bugforge.catalogue import load
from bugforge.choosing import Request
from bugforge.forge import forge
from bugforge.making import Order, make
from bugforge.mutants import mutants
from bugforge.programs import GPT
from bugforge.sentences import shipped
from bugforge.tracks import CLASSIC, kinds_of
from bugforge.variant import written
from bugforge.workspace import HIDDEN, KEY, MANIFEST

CATALOGUE = load()
SEEDS = 10
LAST_READERS = ("gen-no-crop", "typo-q-for-k")
"""Kinds that, in some ways to write the program, change the one place where a name is read."""
HANDS = tuple(CATALOGUE.rewrites["words"].choices())
SHAPE = re.compile(r"# \([\w+* ,]+\)")
RULES = ("--isolated", "--line-length=100", "--target-version=py311")


def test_no_linter_tells_a_forged_program_from_its_pristine_one(tmp_path: Path) -> None:
    """With all rules on, ruff finds nothing in a forged program that it does not find as often in
    the pristine one, and both have the layout of its formatter.
    """
    asked = [Request(seed=f"tells {seed}") for seed in range(SEEDS)]
    asked += [
        Request(seed=f"tells {seed}", bugs=1, kinds=(kind,))
        for kind in LAST_READERS
        for seed in range(SEEDS)
    ]
    for seed, request in enumerate(asked):
        key = forge(request, CLASSIC, CATALOGUE, "0")
        for program, files in (("pristine", key.pristine), ("forged", key.forged)):
            folder = tmp_path / f"{seed} {program}"
            folder.mkdir()
            for name, text in files.items():
                (folder / name).write_text(text, encoding="utf-8")
    rules = ("--select=ALL", "--preview", "--no-cache", "--output-format=json-lines")
    counts: Counter[tuple[str, str, str]] = Counter()
    for line in _ruff("check", *RULES, *rules, str(tmp_path)).stdout.splitlines():
        said = json.loads(line)
        path = Path(said["filename"])
        counts[path.parent.name, path.name, said["code"]] += 1
    assert counts
    for (program, name, code), count in counts.items():
        assert count <= counts[program.replace("forged", "pristine"), name, code], (program, code)
    formatted = _ruff("format", "--check", *RULES, str(tmp_path))
    assert formatted.returncode == 0, formatted.stdout


def _ruff(*arguments: str) -> "subprocess.CompletedProcess[str]":
    return subprocess.run(
        [sys.executable, "-m", "ruff", *arguments], capture_output=True, text=True, check=False
    )


def test_comments_beside_a_bug_are_neutral() -> None:
    """Whoever wrote the comments, one on a line that a bug changes tells a shape at most, and is
    the one that stood there; so does one on the line above. One on a line of its own may go with
    the code that it is about.
    """
    for hand in (None, *HANDS):
        ways = [f"words/{hand}"] if hand else []
        files = written(GPT.reference(), CATALOGUE.rewrites.values(), shipped()[0], ways)
        for mutant in mutants(files, kinds_of(CATALOGUE, GPT)):
            for edit in mutant.edits:
                above = files[edit.name].splitlines()[max(0, edit.start - 1) : edit.start]
                gone = [row for row in edit.old if row.lstrip().startswith("#")]
                said = list(_comments(row for row in (*above, *edit.old) if row not in gone))
                assert all(SHAPE.fullmatch(words) for words in said), (hand, mutant.name, said)
                assert set(_comments(edit.new)) <= set(_comments(files[edit.name].splitlines()))


def _comments(lines: Iterable[str]) -> Iterator[str]:
    return (f"# {line.split('# ', 1)[1].rstrip()}" for line in lines if "# " in line)


def test_a_workspace_s_files_tell_nothing(tmp_path: Path) -> None:
    """Whatever bugs a workspace holds, it has the same files with the same permissions, written in
    the same order, none of them bytecode, and a manifest that names no bug and no seed.
    """
    told = set()
    for number, difficulty in enumerate(("easy", "hard", "hard")):
        target = tmp_path / f"{number}"
        order = Order(
            target=target,
            seed=f"secret {number}",
            difficulty=difficulty,
            program="gpt",
            key_dir=tmp_path / "keys" if number == 2 else None,
        )
        make(order, CATALOGUE)
        files = [path for path in target.rglob("*") if path.is_file()]
        by_time = sorted(files, key=lambda path: (path.stat().st_mtime_ns, path.name))
        seen = [
            (str(path.relative_to(target)), stat.S_IMODE(path.stat().st_mode))
            for path in by_time
            if path.name != KEY
        ]
        told.add(tuple(seen))
        manifest = json.loads((target / HIDDEN / MANIFEST).read_text(encoding="utf-8"))
        assert "secret" not in str(manifest)
        del manifest["id"], manifest["key_inside"]
        told.add(json.dumps(manifest))
    assert len(told) == 2, told
