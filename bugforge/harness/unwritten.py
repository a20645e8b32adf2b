"""Memory that nothing was written into."""

from collections.abc import Iterator
from contextlib import contextmanager

import torch
from torch import Tensor


@contextmanager
def poisoned_memory() -> Iterator[None]:
    """Fill memory that torch hands out uninitialised with NaN, so that its use shows."""
    was = torch.get_deterministic_debug_mode()
    torch.set_deterministic_debug_mode("warn")
    try:
        yield
    finally:
        torch.set_deterministic_debug_mode(was)


def written(tensor: Tensor) -> int:
    """Count the numbers in all the memory that a tensor looks into, but for zeros and poison: room
    may be made ahead of need.
    """
    memory = torch.empty(0, dtype=tensor.dtype).set_(tensor.untyped_storage())
    return int(((memory != 0) & ~memory.isnan()).sum())
