"""Train the correct program on many sentences and seeds: does every one come back exactly?

Run `python benchmarks/reference_seeds.py --sentences unseen --count 50 --seeds 10 --jobs 1`.
It prints how many samples were exact, the spread of the final loss (the mean of the last 50
steps), its ratio to the floor, the training time on one thread, and the failures if any.
"""

import argparse
import importlib.util
import random
import sys
import time
from collections.abc import Iterable, Iterator
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass
from functools import cache
from itertools import product
from multiprocessing import get_context
from pathlib import Path
from types import ModuleType

import torch

ROOT = Path(__file__).resolve().parents[1]
FINAL_STEPS = 50
PROGRESS = 100
SHARES = {"min": 0.0, "5%": 0.05, "median": 0.5, "95%": 0.95, "max": 1.0}


@dataclass(frozen=True)
class Run:
    """One training of the reference: what was taught, what came back, and what it took."""

    sentence: str
    seed: int
    sample: str
    final_loss: float
    floor: float
    seconds: float

    @property
    def exact(self) -> bool:
        """Whether the sample is the sentence."""
        return self.sample == self.sentence


@cache
def load(path: Path) -> ModuleType:
    """Import a file by its path, once per process."""
    spec = importlib.util.spec_from_file_location(path.stem, path)
    if spec is None or spec.loader is None:
        raise ImportError(f"{path} is no Python file: run this script from a whole checkout.")
    module = importlib.util.module_from_spec(spec)
    sys.modules[path.stem] = module  # train.py finds model.py here
    spec.loader.exec_module(module)
    return module


def sentences_of(kind: str, count: int) -> list[str]:
    """The sentences to teach: all that are shipped, or `count` fresh ones, always the same."""
    if kind == "shipped":
        return (ROOT / "reference" / "sentences.txt").read_text(encoding="ascii").splitlines()
    rng = random.Random(0)
    return [load(ROOT / "bugforge" / "sentences.py").unseen(rng) for _ in range(count)]


def run(sentence: str, seed: int) -> Run:
    """Train the reference on one thread and ask the sentence back."""
    torch.set_num_threads(1)
    sentences = load(ROOT / "bugforge" / "sentences.py")
    load(ROOT / "reference" / "gpt" / "model.py")
    program = load(ROOT / "reference" / "gpt" / "train.py")
    config = program.TrainConfig()
    prompt = sentence[: sentences.PROMPT_LENGTH]
    start = time.perf_counter()
    model, vocabulary, losses = program.train(sentence, config, seed)
    seconds = time.perf_counter() - start
    return Run(
        sentence,
        seed,
        program.sample(model, vocabulary, prompt, len(sentence) - len(prompt)),
        sum(losses[-FINAL_STEPS:]) / FINAL_STEPS,
        sentences.loss_floor(sentence, config.block_size),
        seconds,
    )


def spread(values: Iterable[float]) -> str:
    """The least, the greatest and three quantiles between."""
    ranked = sorted(values)
    return "  ".join(
        f"{name} {ranked[round(share * (len(ranked) - 1))]:.4f}" for name, share in SHARES.items()
    )


def report(runs: list[Run]) -> Iterator[str]:
    """The lines that sum up some runs."""
    yield f"exact         {sum(run.exact for run in runs)} / {len(runs)}"
    yield f"final loss    {spread(run.final_loss for run in runs)}"
    yield f"over floor    {spread(run.final_loss / run.floor for run in runs)}"
    yield f"seconds       {spread(run.seconds for run in runs)}"
    for failed in (run for run in runs if not run.exact):
        yield f"failed        seed {failed.seed}: wanted {failed.sentence!r}"
        yield f"              {'':>{len(str(failed.seed))}}  sampled {failed.sample!r}"


def main() -> None:
    """Read the command line, train, and print."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else None)
    parser.add_argument("--seeds", type=int, default=50, help="seeds per sentence")
    parser.add_argument("--first", type=int, default=0, help="the first of the seeds")
    parser.add_argument("--sentences", choices=("shipped", "unseen"), default="shipped")
    parser.add_argument("--count", type=int, default=50, help="how many unseen sentences")
    parser.add_argument("--jobs", type=int, default=2, help="processes, of one thread each")
    args = parser.parse_args()
    sentences = sentences_of(args.sentences, args.count)
    print(
        f"{len(sentences)} {args.sentences} sentences x {args.seeds} seeds from {args.first}",
        flush=True,
    )
    # Seeds vary slowest, so that whatever has been done so far covers every sentence.
    seeds, taught = zip(
        *product(range(args.first, args.first + args.seeds), sentences), strict=True
    )
    runs: list[Run] = []
    with ProcessPoolExecutor(args.jobs, mp_context=get_context("spawn")) as pool:
        for result in pool.map(run, taught, seeds):
            runs.append(result)
            if len(runs) % PROGRESS == 0:
                exact = sum(run.exact for run in runs)
                print(f"{exact} / {len(runs)} exact so far", file=sys.stderr, flush=True)
    print("\n".join(report(runs)))


if __name__ == "__main__":
    main()
