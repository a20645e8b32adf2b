"""How long the commands take, as ratios in one run, and how much memory a check needs.

`--help` and `new` are held against a bare `import torch`, `check` of a mended workspace against
a plain `python train.py` in it, start to end. Each pair is run in turn, so that a machine whose
speed drifts slows both; the median ratio is given.
"""

import argparse
import os
import statistics
import subprocess
import sys
import tempfile
import threading
import time
from pathlib import Path

import psutil

BUGFORGE = [sys.executable, "-m", "bugforge"]
IMPORT_TORCH = [sys.executable, "-c", "import torch"]


def seconds(command: list[str], folder: Path) -> float:
    """Run a command, start to end."""
    began = time.perf_counter()
    subprocess.run(
        command,
        cwd=folder,
        check=True,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
        env={**os.environ, "OMP_NUM_THREADS": "1"},
    )
    return time.perf_counter() - began


def compare(label: str, command: list[str], other: list[str], folder: Path, runs: int) -> None:
    """Time two commands in turn and print the median of each and of their ratios."""
    pairs = [(seconds(command, folder), seconds(other, folder)) for _ in range(runs)]
    ratio = statistics.median(one / two for one, two in pairs)
    mine, theirs = (statistics.median(times) for times in zip(*pairs, strict=True))
    print(f"{label:44} {mine:6.2f} s  {theirs:6.2f} s  {ratio:5.2f}")


def peak_memory(command: list[str], folder: Path) -> float:
    """Run a command and give the most memory that its process tree held at once, in MB of PSS."""
    process = subprocess.Popen(
        command, cwd=folder, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL
    )
    peak = 0.0
    done = threading.Event()

    def watch() -> None:
        nonlocal peak
        while not done.wait(0.05):
            try:
                root = psutil.Process(process.pid)
                tree = [root, *root.children(recursive=True)]
                peak = max(peak, sum(p.memory_full_info().pss for p in tree) / 1024**2)
            except psutil.Error:
                continue

    watcher = threading.Thread(target=watch)
    watcher.start()
    process.wait()
    done.set()
    watcher.join()
    return peak


def main() -> None:
    """Print the table."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--runs", type=int, default=7)
    runs = parser.parse_args().runs
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        os.environ["BUGFORGE_DATA"] = str(folder / "data")  # whoever measures learns nothing by it
        workspace = folder / "mended"
        seconds([*BUGFORGE, "new", str(workspace), "--seed", "1"], folder)
        seconds([*BUGFORGE, "reveal", str(workspace), "--apply"], folder)
        seconds(IMPORT_TORCH, folder)  # from disk, the first time
        print(f"{'':44} {'itself':>8}  {'other':>8}  ratio")
        compare("--help / import torch", [*BUGFORGE, "--help"], IMPORT_TORCH, folder, runs)
        new = [*BUGFORGE, "new", "again", "--force"]
        compare("new / import torch", new, IMPORT_TORCH, folder, runs)
        check, train = [*BUGFORGE, "check"], [sys.executable, "train.py"]
        compare("check / python train.py", check, train, workspace, runs)
        print(f"memory of a check at its peak: {peak_memory(check, workspace):.0f} MB")


if __name__ == "__main__":
    main()
