"""What every program is asked: sizes, inputs, data and seeds, drawn afresh for each check."""

import random
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np

from bugforge.operands import TILED, draw_operands
from bugforge.program import Program, Subject
from bugforge.recordings import Array
from bugforge.rows_of_writes import ASK, CHANGED_FROM, GIVEN, KEYS, LENGTHS, UNSEEN, VALUES, answer

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
"""What records every language model, in order."""
QUICK = {
    "construct",
    "initial",
    "forward",
    "positions",
    "targets",
    "objective",
    "update",
    "beginning",
    "pipeline-data",
    "pipeline-logits",
    "pipeline-half",
    "pipeline-loss",
    "pipeline-stream",
}
"""Instruments that take less than all others together, and tell most pairs apart."""
CHANGED = 6
"""The position whose token is changed to see what moves."""
SHORT = 7
DATA_LENGTH = 60
PIPELINE_SIZES = {"block_size": 20, "n_layer": 2, "n_head": 2, "n_embd": 24}
PIPELINE_FIELDS = {
    "learning_rate": 8e-3,
    "warmup_steps": 4,
    "weight_decay": 0.07,
    "grad_clip": 0.5,
    "token_weight": 0.4,
    "half": False,
}
"""Of a ModelConfig and a TrainConfig: other than by default, lest a program go by its own."""

UNSEEN_LABELS = "unseen labels"

SAMPLINGS: dict[str, dict[str, float | int]] = {
    "cold": {"temperature": 0.5},
    "colder, four kept": {"temperature": 0.3, "top_k": 4},
    "hot": {"temperature": 8.0},
    "hot, three kept": {"temperature": 2.0, "top_k": 3},
    "one kept": {"temperature": 1.0, "top_k": 1},
    "more kept than there are": {"temperature": 1.0, "top_k": 1000},
    "by default": {},
}
"""What generate is given, for each way to draw tokens; the last beyond the context."""
DRAWN_ON: dict[str, float | int] = {"temperature": 1.5, "top_k": 8}
"""What it is given where several tokens are drawn, one behind another."""


@dataclass(frozen=True)
class Probe:
    """One drawing of inputs for a program, by name, and a seed; of a language model, a text, too.

    What a language model is given is tokens (B, T), `data` (N,) among them, and as many tokens that
    are `held out`, where it holds some out.
    """

    program: Program
    inputs: dict[str, Array]
    seed: int
    text: str = ""

    @property
    def given(self) -> dict[str, Array]:
        """All that programs are handed: what the command alone may know is not among it."""
        return {name: value for name, value in self.inputs.items() if name != UNSEEN_LABELS}

    @property
    def sizes(self) -> dict[str, float]:
        """Fields of its GPTConfig, where it has one."""
        sizes = {**SIZES, **self.program.sizes}
        return {name: size for name, size in sizes.items() if name not in self.program.lacks}

    @property
    def instruments(self) -> tuple[str, ...]:
        """All that record it, in order."""
        return instruments_of(self.program)

    def spec(self) -> dict[str, Any]:
        """Give the part of a job's description that is the same for every program."""
        spec = {
            "task": "record",
            "subject": self.program.subject,
            "instruments": list(self.instruments),
            "seed": self.seed,
        }
        if self.program.subject == "matmul":
            return {**spec, "tiled": {name: lengths for name, (*_, lengths) in TILED.items()}}
        if self.program.subject == "pipeline":
            return {**spec, "sizes": PIPELINE_SIZES, "fields": PIPELINE_FIELDS}
        return {
            **spec,
            "sizes": self.sizes,
            "fields": {**FIELDS, **self.program.fields},
            "samplings": SAMPLINGS,
            "drawn_on": DRAWN_ON,
            "text": self.text,
            "rotary": self.program.rotary,
        }


def instruments_of(program: Program) -> tuple[str, ...]:
    """Name all that record a program, in order."""
    every = INSTRUMENTS if program.subject == "language" else ()
    asked = (*every, *program.instruments)
    return tuple(name for name in asked if name not in program.unasked)


def draw(rng: random.Random, program: Program) -> Probe:
    """Draw inputs for a program."""
    inputs = _DRAWN[program.subject](rng, program)
    text = program.unseen(rng) if program.learns_text else ""
    return Probe(program, inputs, rng.getrandbits(31), text)


def _language(rng: random.Random, program: Program) -> dict[str, Array]:
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
    return inputs


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


def _pipeline(rng: random.Random, _: Program) -> dict[str, Array]:
    """Draw rows, no two alike, and rows never seen; logits, and scores of three classes."""
    numbers = np.random.default_rng(rng.getrandbits(32))
    tokens, lengths, labels = _rows_of_writes(rng, GIVEN)
    changed = tokens.copy()
    changed[:6, CHANGED_FROM:] = (tokens[:6, CHANGED_FROM:] + 4) % ASK + 1
    unseen = _rows_of_writes(rng, UNSEEN)
    inputs = {
        "tokens": tokens,
        "lengths": lengths,
        "labels": labels,
        "changed": changed[:6].copy(),
        "stream": numbers.integers(1, ASK, (4, 9)),
        "class logits": numbers.normal(size=(6, VALUES)).astype(np.float32),
        "token logits": numbers.normal(size=(6, tokens.shape[1], ASK + KEYS)).astype(np.float32),
        **dict(zip(("unseen tokens", "unseen lengths", UNSEEN_LABELS), unseen, strict=True)),
    }
    for name in ("one", "other"):
        truth = np.array([0] * 23 + [1] * 11 + [2] * 6)
        scores = numbers.normal(size=(len(truth), VALUES)).astype(np.float32)
        scores[np.arange(len(truth)), truth] += 1.0
        scores[:, 2] -= 9.0 if name == "other" else 0.0  # a class that is never predicted
        inputs |= {f"scores/{name}": scores, f"truth/{name}": truth}
    return inputs


def _rows_of_writes(rng: random.Random, count: int) -> tuple[Array, Array, Array]:
    """Draw rows as PROBLEM.md states, no two alike and without noise: tokens (B, T), filled up with
    0, lengths (B,) and labels (B,).
    """
    rows: dict[tuple[int, ...], None] = {}
    while len(rows) < count:
        writes = [rng.randrange(1, ASK) for _ in range(rng.choice(LENGTHS))]
        rows[*writes, ASK + (rng.choice(writes) - 1) // VALUES] = None
    width = max(LENGTHS) + 1
    tokens = np.array([[*row, *[0] * (width - len(row))] for row in rows])
    labels = np.array([answer(list(row)) for row in rows])
    return tokens, np.array([len(row) for row in rows]), labels


_DRAWN: dict[Subject, Callable[[random.Random, Program], dict[str, Array]]] = {
    "language": _language,
    "matmul": lambda rng, _: draw_operands(rng),
    "pipeline": _pipeline,
}
