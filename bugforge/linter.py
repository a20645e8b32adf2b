"""What ruff, where it is installed, finds in programs and would lay out otherwise."""

import importlib.util
import json
import shutil
import subprocess
import sys
import tempfile
from collections import Counter
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from bugforge.errors import ToolError

EVERYTHING = "ALL"
PLAIN = "F,E,W,B007,ARG,RUF059,ERA"
"""What nobody leaves in a program by hand: names that are not used or not there, dead code."""

WAY = ("--isolated", "--line-length=100", "--target-version=py311")
Programs = Mapping[str, Mapping[str, str]]
"""Programs by name, each text by file name."""


@dataclass(frozen=True)
class Linter:
    """Ruff. command: the words that start it."""

    command: tuple[str, ...]

    @classmethod
    def found(cls) -> "Linter | None":
        """Find ruff beside this Python, or else on the path."""
        if importlib.util.find_spec("ruff"):
            return cls((sys.executable, "-m", "ruff"))
        found = shutil.which("ruff")
        return cls((found,)) if found else None

    def findings(self, programs: Programs, select: str) -> dict[str, Counter[str]]:
        """Count what rules find in each program, by file and rule."""
        counts: dict[str, Counter[str]] = {name: Counter() for name in programs}
        with _on_disk(programs) as folders:
            named = {folder.name: name for name, folder in folders.items()}
            arguments = ("check", *WAY, "--preview", f"--select={select}", "--output-format=json")
            for finding in json.loads(self._said(*arguments, *folders.values())):
                path = Path(finding["filename"])
                counts[named[path.parent.name]][f"{path.name} {finding['code']}"] += 1
        return counts

    def untidy(self, programs: Programs) -> Iterator[tuple[str, str]]:
        """Give each program and file of it that the formatter would change."""
        with _on_disk(programs) as folders:
            self._said("format", "--no-cache", *WAY, *folders.values())
            for name, files in programs.items():
                for file, text in files.items():
                    if (folders[name] / file).read_text(encoding="utf-8") != text:
                        yield name, file

    def _said(self, *arguments: object) -> str:
        ran = subprocess.run(
            [*self.command, *map(str, arguments)], capture_output=True, text=True, check=False
        )
        if ran.returncode not in (0, 1) or (not ran.stdout and ran.stderr.startswith("error")):
            raise ToolError(
                f"ruff failed: {' '.join(ran.stderr.split()) or ran.returncode}.",
                "Upgrade it, or uninstall it to go without: pip install --upgrade ruff",
            )
        return ran.stdout


@contextmanager
def _on_disk(programs: Programs) -> Iterator[dict[str, Path]]:
    with tempfile.TemporaryDirectory(prefix="bugforge-") as root:
        folders = {name: Path(root) / f"{number}" for number, name in enumerate(programs)}
        for name, files in programs.items():
            folders[name].mkdir()
            for file, text in files.items():
                (folders[name] / file).write_text(text, encoding="utf-8")
        yield folders
