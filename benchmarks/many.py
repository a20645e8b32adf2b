"""How long a workspace takes where one process forges and writes very many.

Each is asked for as `bugforge new` does by default, with a seed of its own. The mean of all is
given, and as a ratio to a bare `import torch`, start to end, which is timed before, in the middle
and behind.
"""

import argparse
import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path

from bugforge.catalogue import load
from bugforge.making import Order, make

CENTILE = 0.99


def import_torch() -> float:
    """Import torch in a new process, and give the seconds that it took."""
    began = time.perf_counter()
    subprocess.run([sys.executable, "-c", "import torch"], check=True)
    return time.perf_counter() - began


def main() -> None:
    """Print how long each took."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--workspaces", type=int, default=1000)
    count = parser.parse_args().workspaces
    catalogue = load()
    bare, times = [import_torch()], []
    with tempfile.TemporaryDirectory() as name:
        for number in range(count):
            if number == count // 2:
                bare.append(import_torch())
            began = time.perf_counter()
            make(Order(target=Path(name) / str(number), seed=str(number)), catalogue)
            times.append(time.perf_counter() - began)
    bare.append(import_torch())
    mean, torch = statistics.mean(times), statistics.median(bare)
    late = sorted(times)[int(CENTILE * (count - 1))]
    print(f"import torch   {torch:6.2f} s")
    print(f"a workspace    {mean:6.3f} s  ratio {mean / torch:.2f}  (mean of {count})")
    print(f"99 of 100 within {late:.3f} s")


if __name__ == "__main__":
    main()
