"""Notes taken while a program's own code runs: what it builds, and which steps it takes."""

import dataclasses
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any, NamedTuple

from torch import nn
from torch.optim import Optimizer
from torch.optim.optimizer import register_optimizer_step_pre_hook

from .program import Program


class Built(NamedTuple):
    """A model of the program's, and the configuration it was built with."""

    model: nn.Module
    config: Any


@contextmanager
def built_models(program: Program, sizes: dict[str, int]) -> Iterator[list[Built]]:
    """Note each model that the program builds, and give it these sizes instead of its own."""
    built: list[Built] = []
    model_class = program.model.GPT
    inner = model_class.__init__

    def outer(self: nn.Module, config: Any, *args: Any, **kwargs: Any) -> None:
        config = dataclasses.replace(config, **sizes)
        inner(self, config, *args, **kwargs)
        built.append(Built(self, config))

    model_class.__init__ = outer
    try:
        yield built
    finally:
        model_class.__init__ = inner


@dataclass
class Count:
    """The steps of a whole training: how many, by how many optimizers, and how often one of these
    had forgotten all that it learned before.
    """

    steps: int = 0
    optimizers: list[Optimizer] = field(default_factory=list)
    forgotten: int = 0


@contextmanager
def counted_steps() -> Iterator[Count]:
    """Count the steps of every optimizer there is, at next to no cost."""
    count = Count()

    def note(optimizer: Optimizer, *_: object) -> None:
        count.steps += 1
        if not any(optimizer is known for known in count.optimizers):
            count.optimizers.append(optimizer)
        elif not optimizer.state:
            count.forgotten += 1

    hook = register_optimizer_step_pre_hook(note)
    try:
        yield count
    finally:
        hook.remove()
