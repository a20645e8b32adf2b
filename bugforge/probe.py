"""What every program is asked: sizes, inputs, data and seeds, drawn afresh for each check."""

import random
from dataclasses import dataclass
from typing import Any

import numpy as np

from bugforge.program import Program
from bugforge.recordings import Array

VOCAB = 10
BLOCK = 11
BATCH = 5
SIZES = {"vocab_size": VOCAB, "block_size": BLOCK, "n_layer": 3, "n_head": 3, "n_embd": 24}
"""No two axes are equally long, so that a mistaken axis shows: 5 rows, 11 positions, 24 wide,
3 heads of 8, 10 tokens."""
FIELDS = {
    "block_size": BLOCK,
    "batch_size": BATCH,
    "learning_rate": 1e-2,
    "weight_decay": 0.1,
    "device": "cpu",
}
INSTRUMENTS = (
    "construct",
    "initial",
    "forward",
    "positions",
    "targets",
    "objective",
    "update",
    "loop",
    "rates",
    "decode",
)
"""What records every program, in order."""
QUICK = {
    "construct",
    "initial",
    "forward",
    "positions",
    "targets",
    "objective",
    "update",
    "beginning",
}
"""Instruments that take less than all others together, and tell most pairs apart."""
CHANGED = 6
"""The position whose token is changed to see what moves."""
SHORT = 7
DATA_LENGTH = 60
SAMPLINGS: dict[str, dict[str, float | int]] = {
    "cold": {"temperature": 0.5},
    "hot, three kept": {"temperature": 2.0, "top_k": 3},
    "one kept": {"temperature": 1.0, "top_k": 1},
    "more kept than there are": {"temperature": 1.0, "top_k": 1000},
    "by default": {},
}
"""What generate is given, for each way to draw tokens; the last beyond the context."""


@dataclass(frozen=True)
class Probe:
    """One drawing of inputs for a program: tokens (B, T) by name, `data` (N,) among them, and as
    many tokens that are `held out`, where it holds some out; a text; a seed.
    """

    program: Program
    inputs: dict[str, Array]
    text: str
    seed: int

    @property
    def sizes(self) -> dict[str, float]:
        """Fields of its GPTConfig."""
        sizes = {**SIZES, **self.program.sizes}
        return {name: size for name, size in sizes.items() if name not in self.program.lacks}

    @property
    def instruments(self) -> tuple[str, ...]:
        """All that record it, in order."""
        return instruments_of(self.program)

    def spec(self) -> dict[str, Any]:
        """Give the part of a job's description that is the same for every program."""
        return {
            "task": "record",
            "sizes": self.sizes,
            "fields": {**FIELDS, **self.program.fields},
            "instruments": list(self.instruments),
            "samplings": SAMPLINGS,
            "text": self.text,
            "seed": self.seed,
            "rotary": self.program.rotary,
        }


def instruments_of(program: Program) -> tuple[str, ...]:
    """Name all that record a program, in order."""
    asked = (*INSTRUMENTS, *program.instruments)
    return tuple(name for name in asked if name not in program.unasked)


def draw(rng: random.Random, program: Program) -> Probe:
    """Draw inputs for a program."""
    base = _tokens(rng, BATCH, BLOCK)
    swapped = base.copy()
    swapped[:, 0] = (base[:, 1] + 1) % VOCAB  # two early tokens that certainly differ
    exchanged = swapped.copy()
    exchanged[:, [0, 1]] = swapped[:, [1, 0]]
    constant = np.repeat(base[:, :1], BLOCK, axis=1)
    inputs = {
        "base": base,
        "other": (base + rng.randrange(1, VOCAB)) % VOCAB,
        "changed": _changed(base, CHANGED),
        "changed first": _changed(base, 0),
        "changed last": _changed(base, BLOCK - 1),
        "swapped": swapped,
        "exchanged": exchanged,
        "constant": constant,
        "alone": base[2:3].copy(),
        "short": base[:, :SHORT].copy(),
        "one": base[:, :1].copy(),
        "prompt": _tokens(rng, 3, SHORT),
        "prompt of one": np.array([[token] for token in rng.sample(range(VOCAB), 4)]),
        "prompt beyond the context": _tokens(rng, 2, BLOCK + 4),
    }
    data = _data(rng, DATA_LENGTH * (2 if program.held_out else 1))
    inputs["data"] = data[:DATA_LENGTH].copy()
    if program.held_out:
        inputs["held out"] = data[DATA_LENGTH:].copy()
    return Probe(
        program,
        inputs=inputs,
        text=program.unseen(rng),
        seed=rng.getrandbits(31),
    )


def _changed(tokens: Array, position: int) -> Array:
    changed: Array = tokens.copy()
    changed[:, position] = (changed[:, position] + 5) % VOCAB
    return changed


def _tokens(rng: random.Random, rows: int, length: int) -> Array:
    drawn: Array = np.array([[rng.randrange(VOCAB) for _ in range(length)] for _ in range(rows)])
    return drawn


def _data(rng: random.Random, length: int) -> Array:
    """Draw data in which every run of four tokens occurs once.

    Its first BLOCK + 1 tokens hold every token there is, and so they do without the first or the
    last: texts cut from them have the same vocabulary.
    """
    while True:
        start = rng.sample(range(VOCAB), VOCAB)
        ends = rng.choice(start[2:]), rng.choice(start[:-2])
        start = [ends[0], *start, ends[1]]
        rest = _tokens(rng, 1, length - len(start))[0]
        data: Array = np.array([*start, *rest])
        runs = np.lib.stride_tricks.sliding_window_view(data, 4)
        if len(np.unique(runs, axis=0)) == len(runs):
            return data
