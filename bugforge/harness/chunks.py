"""Reading tokens in chunks, behind caches of keys and values, and what that costs."""

from collections.abc import Callable
from typing import Any

import torch
from torch import Tensor
from torch.utils.flop_counter import FlopCounterMode

from .job import Job
from .program import Program


def fresh_caches(program: Program, job: Job) -> list[Any]:
    """Make a cache for each layer."""
    return [program.cache().KVCache() for _ in range(job.sizes["n_layer"])]


def in_chunks(
    model: Any, idx: Tensor, sizes: list[int], caches: list[Any], **more: Tensor
) -> tuple[Tensor, list[list[int]]]:
    """Read tokens so many at a time; give their logits, and how long each cache is after each.

    more: what else forward is given, each time.
    """
    logits, lengths = [], []
    for chunk in torch.split(idx, sizes, dim=1):
        logits.append(model(chunk.clone(), caches=caches, **more)[0])
        lengths.append([len(cache) for cache in caches])
    return torch.cat(logits, dim=1), lengths


def counted(deed: Callable[[], object]) -> int:
    """Count the operations of something that is done."""
    with FlopCounterMode(display=False) as counter:
        deed()
    return int(counter.get_total_flops())
