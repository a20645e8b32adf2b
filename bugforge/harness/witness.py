"""What can be seen of a training step from outside: its rows, their next tokens, its gradients."""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import torch
from torch import Tensor, nn
from torch.optim.optimizer import register_optimizer_step_pre_hook

UNKNOWN = -1
"""Stands for a token that nobody can know."""


@contextmanager
def witnessed(model: nn.Module) -> Iterator[list[Tensor]]:
    """Note the tokens (B, T) that every call of the model made logits for.

    A program may hand over windows that hold their targets too, and cut them in forward.
    """
    calls: list[Tensor] = []
    inner = model.forward

    def outer(idx: Tensor, *args: Any, **kwargs: Any) -> Any:
        result = inner(idx, *args, **kwargs)
        calls.append(idx[:, : result[0].size(1)].detach().clone())
        return result

    model.forward = outer
    try:
        yield calls
    finally:
        del model.forward


@contextmanager
def noted_steps() -> Iterator[tuple[list[torch.optim.Optimizer], dict[int, Tensor]]]:
    """Note the optimizer of every step anywhere, and each parameter as its first step found it."""
    optimizers: list[torch.optim.Optimizer] = []
    began: dict[int, Tensor] = {}

    def note(optimizer: torch.optim.Optimizer, *_: object) -> None:
        optimizers.append(optimizer)
        for group in optimizer.param_groups:
            for parameter in group["params"]:
                began.setdefault(id(parameter), parameter.detach().clone())

    hook = register_optimizer_step_pre_hook(note)
    try:
        yield optimizers, began
    finally:
        hook.remove()


def next_tokens(rows: Tensor, data: Tensor) -> Tensor | None:
    """Look the rows (B, T) up in the data (N,) and give the token after each place, (B, T).

    What follows the end of the data is UNKNOWN. None where a row is no run of the data.
    """
    padded = torch.cat((data, torch.tensor([UNKNOWN])))
    windows = padded.unfold(0, rows.size(1) + 1, 1)  # (N + 1 - T, T + 1)
    found = (rows[:, None] == windows[None, :, :-1]).all(-1)  # (B, N + 1 - T)
    if not bool(found.any(-1).all()):
        return None
    return windows[found.int().argmax(-1), 1:]


def handed_gradients(model: nn.Module, optimizer: torch.optim.Optimizer) -> list[dict[str, Tensor]]:
    """Keep, for each step that the optimizer takes, the gradients it was handed, by name."""
    names = {id(parameter): name for name, parameter in model.named_parameters()}
    handed: list[dict[str, Tensor]] = []

    # After the step, since a closure makes its gradients within it.
    def note(stepped: torch.optim.Optimizer, *_: object) -> None:
        handed.append(
            {
                names[id(parameter)]: parameter.grad.detach().clone()
                for group in stepped.param_groups
                for parameter in group["params"]
                if parameter.grad is not None and id(parameter) in names
            }
        )

    optimizer.register_step_post_hook(note)
    return handed
