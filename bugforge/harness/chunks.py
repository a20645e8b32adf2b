"""Reading tokens in chunks, behind caches of keys and values, and what that costs."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any
from unittest.mock import patch

import torch
from torch import Tensor
from torch.nn.attention.bias import CausalBias
from torch.utils._python_dispatch import TorchDispatchMode, _disable_current_modes
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
    with FlopCounterMode(display=False) as counter, _biases_made():
        deed()
    return int(counter.get_total_flops())


def calls(deed: Callable[[], object]) -> int:
    """Count the calls of torch's operators by something that is done, however much each does."""
    counter = _Calls()
    with counter, _biases_made():
        deed()
    return counter.count


@contextmanager
def _biases_made() -> Iterator[None]:
    """Let torch make its own biases of attention: while operators are watched it cannot."""

    def made(kind: type[CausalBias], *sizes: int) -> CausalBias:
        with _disable_current_modes():
            return Tensor.__new__(kind, *sizes)

    with patch.object(CausalBias, "__new__", made):
        yield


class _Calls(TorchDispatchMode):  # type: ignore[no-untyped-call]
    def __init__(self) -> None:
        super().__init__()  # type: ignore[no-untyped-call]
        self.count = 0

    def __torch_dispatch__(
        self,
        func: Any,
        types: Any,
        args: tuple[Any, ...] = (),
        kwargs: dict[str, Any] | None = None,
    ) -> Any:
        self.count += 1
        return func(*args, **(kwargs or {}))
