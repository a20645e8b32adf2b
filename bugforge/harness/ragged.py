"""What a program does with rows of unlike length, padded on the left, beside each row alone."""

from functools import partial
from typing import Any

import torch
from torch import Tensor
from torch.nn import functional

from .chunks import counted, fresh_caches, in_chunks
from .greedy import greedy
from .job import Job, Recording
from .program import Program
from .weights import LARGE, carry

BATCHES = {
    "rows": (0, 3, 10, 6, 1),
    "all padded": (2, 3, 10, 6, 5),
    "none": (0,) * 5,
    "one row": (4,),
}
"""Tokens of padding in each row of 11: none, and all but one, among them; none that is whole, and
none that is padded.
"""

PROMPTS = {
    "rows": ("prompt", (0, 3, 6)),
    "all padded": ("prompt", (4, 2, 5)),
    "one row": ("prompt", (4,)),
    "none": ("prompt", (0, 0, 0)),
    "beyond": ("prompt beyond the context", (0, 7)),
    "all padded, beyond": ("prompt beyond the context", (9, 6)),
}
"""Tokens of padding in each row of a prompt, of 7 tokens and of 15."""

CHUNKS = {"one by one": [1] * 11, "in chunks": [4, 1, 3, 3], "all but one": [10, 1]}
"""How many tokens are read at a time, behind caches."""

NEW = 9
"""Tokens asked for behind each prompt: they outgrow the context."""

FILLS = 2
"""Ways to fill the padding, which is to count for nothing."""

NO_TOKEN = -1
"""What stands for padding where rows are compared."""


def ragged(program: Program, job: Job) -> Recording:
    """Logits (N, V) of the tokens of padded rows, read at once and in chunks, one row behind the
    other; and those of each row read alone. Greedy tokens behind padded prompts, asked for twice,
    and behind each row alone, with how clear the choice was; and the operations of generating with
    padding, without, and of each row alone.
    """
    seen = Recording()
    model = program.build(**job.sizes)
    weights = {"given": (job.weights, 1.0), "large": (job.weights, LARGE)}
    weights |= {tilt: (tilted, 1.0) for tilt, tilted in job.tilts().items()}
    for way, (values, scale) in weights.items():
        carry(model.eval(), values, job.pairing, scale)
        for batch in BATCHES if way == "given" else ("rows",):
            label = f"{way}, {batch}"
            seen.tensors[f"alone/{label}"], told = _read(program, job, model, batch)
            seen.tensors |= {f"ragged/{label}/{how}": logits for how, logits in told.items()}
    for scale in (1.0, -LARGE):
        carry(model.eval(), job.weights, job.pairing, scale)
        for name in PROMPTS:
            _generated(model, job, seen, name, f"{scale}")
    for name, (given, before) in PROMPTS.items():
        if job.inputs[given].size(1) + NEW // 2 <= job.sizes["block_size"]:
            seen.facts[f"operations/{name}"] = _operations(model, job, given, before)
    return seen


@torch.no_grad()
def _read(program: Program, job: Job, model: Any, batch: str) -> tuple[Tensor, dict[str, Tensor]]:
    """Give the logits (N, V) of a batch's rows, each read alone, and those of all that are padded,
    by how they are read.
    """
    padding = torch.tensor(BATCHES[batch])
    idx = job.inputs["base"][: len(padding)]
    rows = zip(idx, BATCHES[batch], strict=True)
    alone = torch.cat([model(row[None, before:])[0][0] for row, before in rows])
    fills = [_filled(idx, padding, number, job) for number in range(FILLS)]
    told = {
        f"{number}": _told(model(given.clone(), padding=padding.clone())[0], padding)
        for number, given in enumerate(fills)
    }
    for pattern, sizes in CHUNKS.items():
        caches = fresh_caches(program, job)
        logits, _ = in_chunks(model, fills[-1], sizes, caches, padding=padding)
        told[pattern] = _told(logits, padding)
    return alone, told


def _filled(idx: Tensor, padding: Tensor, fill: int, job: Job) -> Tensor:
    """Put tokens (B, T) that are drawn in the place of each row's padding."""
    drawing = torch.Generator().manual_seed(job.seed + fill)
    drawn = torch.randint(job.sizes["vocab_size"], idx.shape, generator=drawing)
    return torch.where(torch.arange(idx.size(1)) < padding[:, None], drawn, idx)


def _told(logits: Tensor, padding: Tensor) -> Tensor:
    """Give the logits (N, V) of the tokens that are no padding."""
    return logits[torch.arange(logits.size(1)) >= padding[:, None]]


def _generated(model: Any, job: Job, seen: Recording, name: str, scale: str) -> None:
    """Record what is generated behind padded prompts, and what each row alone leads to.

    The same tensors are given twice: what is changed in them leads elsewhere.
    """
    given, before = PROMPTS[name]
    padding = torch.tensor(before)
    idx = _filled(job.inputs[given][: len(before)], padding, 0, job)
    alone = [
        greedy(model, row[None, start:], NEW, job.sizes["block_size"])
        for row, start in zip(idx, before, strict=True)
    ]
    for label in (f"{name}/{scale}", f"{name}/{scale}, again"):
        grown = model.generate(idx, NEW, temperature=0, padding=padding)
        text = torch.arange(grown.size(1)) >= torch.tensor(before)[:, None]
        seen.tensors[f"grown/{label}"] = grown.where(text, NO_TOKEN)
        seen.tensors[f"expected/{label}"] = torch.cat(
            [
                functional.pad(row, (start, 0), value=NO_TOKEN)
                for (row, _), start in zip(alone, before, strict=True)
            ]
        )
        seen.tensors[f"clear/{label}"] = torch.cat([clear for _, clear in alone])


def _operations(model: Any, job: Job, given: str, before: tuple[int, ...]) -> dict[str, int]:
    """Count the operations of generating behind a padded prompt, behind one as long that is none,
    and behind the text of each of its rows.
    """
    idx, new = job.inputs[given][: len(before)], NEW // 2
    padding = torch.tensor(before)
    return {
        "padded": counted(lambda: model.generate(idx.clone(), new, temperature=0, padding=padding)),
        "without": counted(lambda: model.generate(idx.clone(), new, temperature=0)),
        "alone": sum(
            counted(partial(model.generate, row[None, start:].clone(), new, temperature=0))
            for row, start in zip(idx, before, strict=True)
        ),
    }
