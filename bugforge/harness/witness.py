"""What can be seen of a training from outside: its models, its rows, and each optimizer step."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any

from torch import Tensor, nn
from torch.optim import Optimizer
from torch.optim.optimizer import (
    register_optimizer_step_post_hook,
    register_optimizer_step_pre_hook,
)

from .lookups import reads
from .notes import built_models
from .program import Program


@dataclass(frozen=True)
class Taken:
    """One step of an optimizer: what was read for it, and what it was handed and made of it.

    rows: tokens (B, T) that were embedded, gradients being kept, since the last step. before,
    gradients, after: by the name of the parameter; gradients only where there were any.
    """

    optimizer: Optimizer | None
    rows: list[Tensor]
    before: dict[str, Tensor]
    gradients: dict[str, Tensor]
    after: dict[str, Tensor]


@dataclass
class Training:
    """A training as it was witnessed.

    model: the program's own, the first that an optimizer was made for. steps: in order.
    unspent: tokens (B, T) that were embedded after the last step.
    """

    model: nn.Module | None = None
    steps: list[Taken] = field(default_factory=list)
    unspent: list[Tensor] = field(default_factory=list)


@contextmanager
def witnessed(
    program: Program, sizes: dict[str, int], vocab: int, begin: Callable[[nn.Module], None]
) -> Iterator[Training]:
    """Watch a training of the program on `vocab` tokens, its models being of these sizes.

    begin is called once, when an optimizer has been made for one of the program's models.
    """
    seen = Training()
    befores: list[dict[str, Tensor]] = []

    def made(optimizer: Optimizer) -> None:
        if seen.model is None:
            held = {id(p) for group in optimizer.param_groups for p in group["params"]}
            for model, _ in built:
                if any(id(parameter) in held for parameter in model.parameters()):
                    seen.model = model
                    begin(model)
                    read.drained()  # what finding places for weights took
                    return

    def before_step(*_: object) -> None:
        befores.append(_copied(seen.model))

    # The gradients are read after the step, since a closure makes them within it.
    def after_step(optimizer: Optimizer, *_: object) -> None:
        gradients = {
            name: parameter.grad.detach().clone()
            for name, parameter in (seen.model.named_parameters() if seen.model else ())
            if parameter.grad is not None
        }
        rows = read.drained()
        seen.steps.append(Taken(optimizer, rows, befores.pop(), gradients, _copied(seen.model)))

    hooks = (
        register_optimizer_step_pre_hook(before_step),
        register_optimizer_step_post_hook(after_step),
    )
    try:
        with (
            built_models(program, sizes) as built,
            _made_optimizers(made),
            reads(program, vocab, learning=True) as read,
        ):
            yield seen
            seen.unspent += read.drained()
    finally:
        for hook in hooks:
            hook.remove()


@contextmanager
def _made_optimizers(made: Callable[[Optimizer], None]) -> Iterator[None]:
    """Call `made` with each optimizer, once its parameters are known."""
    inner = Optimizer.__init__

    def outer(self: Optimizer, *args: Any, **kwargs: Any) -> None:
        inner(self, *args, **kwargs)
        made(self)

    Optimizer.__init__ = outer  # type: ignore[method-assign]
    try:
        yield
    finally:
        Optimizer.__init__ = inner  # type: ignore[method-assign]


def _copied(model: nn.Module | None) -> dict[str, Tensor]:
    parameters = model.named_parameters() if model else ()
    return {name: parameter.detach().clone() for name, parameter in parameters}
