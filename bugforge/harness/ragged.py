"""What a program does with rows of unlike length, padded on the left, beside each row alone."""

from typing import Any

import torch
from torch import Tensor

from .chunks import counted, fresh_caches, in_chunks
from .greedy import greedy
from .job import Job, Recording
from .program import Program
from .weights import LARGE, carry

PADDING = (0, 3, 10, 6, 1)
"""Tokens of padding in each row of 11: none, and all but one, among them."""

PROMPTS = {"prompt": (0, 3, 6), "prompt beyond the context": (0, 7)}
"""Tokens of padding in each row of a prompt, of 7 tokens and of 15."""

CHUNKS = {"one by one": [1] * 11, "in chunks": [4, 1, 3, 3], "all but one": [10, 1]}
"""How many tokens are read at a time, behind caches."""

NEW = 9
"""Tokens asked for behind each prompt: they outgrow the context."""

FILLS = 2
"""Ways to fill the padding, which is to count for nothing."""


def ragged(program: Program, job: Job) -> Recording:
    """Logits (N, V) of the tokens of padded rows, read at once and in chunks, one row behind the
    other; and those of each row read alone. Greedy tokens behind padded prompts and behind each
    alone, with how clear the choice was; and the operations of generating with padding and without.
    """
    seen = Recording()
    model = program.build(**job.sizes)
    weights = {"given": (job.weights, 1.0), "large": (job.weights, LARGE)}
    weights |= {tilt: (tilted, 1.0) for tilt, tilted in job.tilts().items()}
    padding, idx = torch.tensor(PADDING), job.inputs["base"]
    fills = [_filled(idx, padding, number, job) for number in range(FILLS)]
    for way, (values, scale) in weights.items():
        carry(model.eval(), values, job.pairing, scale)
        with torch.no_grad():
            alone = [
                model(row[None, before:])[0][0] for row, before in zip(idx, PADDING, strict=True)
            ]
            seen.tensors[f"alone/{way}"] = torch.cat(alone)
            for number, given in enumerate(fills):
                whole = model(given.clone(), padding=padding.clone())[0]
                seen.tensors[f"ragged/{way}/{number}"] = _told(whole, padding)
            for pattern, sizes in CHUNKS.items():
                caches = fresh_caches(program, job)
                told, _ = in_chunks(model, fills[-1], sizes, caches, padding=padding)
                seen.tensors[f"ragged/{way}/{pattern}"] = _told(told, padding)
    for scale in (1.0, -LARGE):
        carry(model.eval(), job.weights, job.pairing, scale)
        _generated(model, job, seen, f"{scale}")
    prompt, none = job.inputs["prompt"], torch.tensor(PROMPTS["prompt"])
    seen.facts["operations"] = counted(
        lambda: model.generate(prompt.clone(), NEW // 2, temperature=0, padding=none.clone())
    )
    seen.facts["operations without"] = counted(
        lambda: model.generate(prompt.clone(), NEW // 2, temperature=0)
    )
    return seen


def _filled(idx: Tensor, padding: Tensor, fill: int, job: Job) -> Tensor:
    """Put tokens (B, T) that are drawn in the place of each row's padding."""
    drawing = torch.Generator().manual_seed(job.seed + fill)
    drawn = torch.randint(job.sizes["vocab_size"], idx.shape, generator=drawing)
    return torch.where(torch.arange(idx.size(1)) < padding[:, None], drawn, idx)


def _told(logits: Tensor, padding: Tensor) -> Tensor:
    """Give the logits (N, V) of the tokens that are no padding."""
    return logits[torch.arange(logits.size(1)) >= padding[:, None]]


def _generated(model: Any, job: Job, seen: Recording, label: str) -> None:
    """Record what is generated behind padded prompts, and what each row alone leads to."""
    for name, before in PROMPTS.items():
        padding = torch.tensor(before)
        given = _filled(job.inputs[name], padding, 0, job)
        grown = model.generate(given.clone(), NEW, temperature=0, padding=padding)
        alone = [
            greedy(model, row[None, start:], NEW, job.sizes["block_size"])
            for row, start in zip(given, before, strict=True)
        ]
        seen.tensors[f"grown/{name}/{label}"] = grown[:, -NEW:]
        seen.tensors[f"expected/{name}/{label}"] = torch.cat([row[:, -NEW:] for row, _ in alone])
        seen.tensors[f"clear/{name}/{label}"] = torch.cat([clear for _, clear in alone])
