"""How long after a save `bugforge watch` answers, as a ratio to a bare `import torch`.

A watch is run in a terminal of its own, and a file of its workspace is saved again and again, each
time with one more comment; between two saves torch is imported in a process of its own. The times
are those from the save until the count of broken laws is shown, by the quick instruments first and
then by all; the median ratio of each is given.
"""

import argparse
import os
import pty
import re
import select
import statistics
import subprocess
import sys
import tempfile
import time
from dataclasses import dataclass
from pathlib import Path

BUGFORGE = [sys.executable, "-m", "bugforge"]
FIRST = re.compile(r"so far, of \d+")
WHOLE = re.compile(r"(Not yet|Could not tell)\.|none is broken")
PATIENCE_SECONDS = 600


@dataclass
class Shown:
    """What a terminal shows."""

    fd: int
    text: str = ""

    def seconds_until(self, words: re.Pattern[str]) -> float:
        """Wait until some words are shown, and forget them and what stands before."""
        began = time.perf_counter()
        while not (found := words.search(self.text)):
            if time.perf_counter() - began > PATIENCE_SECONDS:
                raise SystemExit(f"No answer: {self.text}")
            if select.select([self.fd], [], [], 1)[0]:
                self.text += os.read(self.fd, 4096).decode(errors="replace")
        self.text = self.text[found.end() :]
        return time.perf_counter() - began


def import_torch() -> float:
    """Import torch in a new process, start to end."""
    began = time.perf_counter()
    subprocess.run([sys.executable, "-c", "import torch"], check=True)
    return time.perf_counter() - began


def main() -> None:
    """Print the table."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--runs", type=int, default=7)
    parser.add_argument("--program", default="nano")
    options = parser.parse_args()
    with tempfile.TemporaryDirectory() as name:
        workspace = Path(name) / "workspace"
        new = [*BUGFORGE, "new", str(workspace), "--seed", "1", "--program", options.program]
        subprocess.run(new, check=True, stdout=subprocess.DEVNULL)
        pid, fd = pty.fork()
        if not pid:
            os.execv(sys.executable, [*BUGFORGE, "watch", str(workspace)])  # noqa: S606
        shown = Shown(fd)
        shown.seconds_until(WHOLE)
        times = []
        for number in range(options.runs):
            bare = import_torch()
            with (workspace / "model.py").open("a", encoding="utf-8") as model:
                model.write(f"# {number}\n")
            first = shown.seconds_until(FIRST)
            times.append((bare, first, first + shown.seconds_until(WHOLE)))
        os.write(fd, b"q")
        os.waitpid(pid, 0)
    bare, *_ = (statistics.median(column) for column in zip(*times, strict=True))
    print(f"{'import torch':24} {bare:6.2f} s")
    for place, label in ((1, "the first count"), (2, "every law")):
        seconds = statistics.median(row[place] for row in times)
        ratio = statistics.median(row[place] / row[0] for row in times)
        print(f"{label:24} {seconds:6.2f} s  ratio {ratio:5.2f}")


if __name__ == "__main__":
    main()
