"""Whether a program reads its model with gradients."""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass

import torch
from torch import nn
from torch.nn.modules.module import register_module_forward_pre_hook


@dataclass
class Graphs:
    """found: whether a module was called where torch keeps what gradients need."""

    found: bool = False


@contextmanager
def watched_for_graphs() -> Iterator[Graphs]:
    """Watch every module that is called."""
    seen = Graphs()

    def note(_: nn.Module, __: object) -> None:
        seen.found |= torch.is_grad_enabled()

    hook = register_module_forward_pre_hook(note)
    try:
        yield seen
    finally:
        hook.remove()
