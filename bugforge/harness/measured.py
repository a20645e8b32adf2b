"""How a program reads its model where it measures."""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass

import torch
from torch import nn
from torch.nn.modules.module import register_module_forward_pre_hook


@dataclass
class Measuring:
    """Whether all that was computed meanwhile was so in eval mode, and without gradients."""

    is_plain: bool = True


@contextmanager
def measuring() -> Iterator[Measuring]:
    """Watch every module that is called."""
    seen = Measuring()

    def note(module: nn.Module, _: object) -> None:
        seen.is_plain &= not module.training and not torch.is_grad_enabled()

    hook = register_module_forward_pre_hook(note)
    try:
        yield seen
    finally:
        hook.remove()
