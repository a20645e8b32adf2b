"""What can be seen of a training on rows from outside: what it reads, and what it hands on."""

import sys
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from types import ModuleType
from typing import Any

import torch
from torch import Tensor, nn
from torch.optim import Optimizer
from torch.optim.optimizer import register_optimizer_step_post_hook

from .program import Program

Row = tuple[int, ...]
"""The tokens of a row without what fills it up, which is 0."""


@dataclass(frozen=True)
class _Learned:
    """Rows that were read at once: how many, the sum of their losses, and what that teaches."""

    count: int
    loss: float
    gradients: dict[int, Tensor]


@dataclass
class RowsTaken:
    """Steps of a training on rows.

    drawn: by the tokens of each row that was drawn, its class. lengths: of rows that were drawn.
    losses: of each step, the mean cross-entropy of the rows that were read for it. read: how many
    these were. apart: how far what was handed to each optimizer lies from their gradient, whatever
    factor is between them; from 0 to 1. strange: rows that were read and never drawn.
    """

    drawn: dict[Row, int] = field(default_factory=dict)
    lengths: set[int] = field(default_factory=set)
    losses: list[float] = field(default_factory=list)
    read: list[int] = field(default_factory=list)
    apart: list[float] = field(default_factory=list)
    strange: int = 0
    _waiting: list[_Learned] = field(default_factory=list)
    _spent: bool = False

    def draw(self, idx: Tensor, labels: Tensor) -> None:
        """Note rows (B, T) that were drawn, and their classes (B,)."""
        self.lengths.add(idx.size(1))
        self.drawn |= zip(map(_row, idx), labels.tolist(), strict=True)

    def learn(self, forward: Callable[..., Any], model: nn.Module, idx: Tensor) -> None:
        """Work out what rows (B, T) that are read teach a model, being what they were drawn as."""
        if self._spent:
            self._waiting.clear()
            self._spent = False
        known = [row for row in idx if _row(row) in self.drawn]
        self.strange += len(idx) - len(known)
        if not known:
            return
        idx = torch.stack(known)
        labels = torch.tensor([self.drawn[_row(row)] for row in idx])
        parameters = [parameter for parameter in model.parameters() if parameter.requires_grad]
        logits = forward(model, idx, idx != 0)[0]
        loss = nn.functional.cross_entropy(logits, labels, reduction="sum")
        found = torch.autograd.grad(loss, parameters, allow_unused=True)
        gradients = {id(p): g for p, g in zip(parameters, found, strict=True) if g is not None}
        self._waiting.append(_Learned(len(idx), loss.item(), gradients))

    def step(self, optimizer: Optimizer, *_: object) -> None:
        """Note a step of an optimizer, which is not always alone."""
        if not self._waiting:
            return
        if not self._spent:
            self.read.append(sum(some.count for some in self._waiting))
            self.losses.append(sum(some.loss for some in self._waiting) / self.read[-1])
        self._spent = True
        self.apart.append(_apart(optimizer, self._waiting))


@contextmanager
def rows_taken(program: Program, classify: ModuleType) -> Iterator[RowsTaken]:
    """Watch trainings on rows. What a classifier does by another way than forward is not seen."""
    seen = RowsTaken()
    sequences, classifier = sys.modules["sequences"], program.model.SequenceClassifier
    draw_rows, forward = sequences.draw_rows, classifier.forward

    def drawing(*args: Any, **kwargs: Any) -> Any:
        idx, mask, labels = draw_rows(*args, **kwargs)
        seen.draw(idx, labels)
        return idx, mask, labels

    def reading(self: nn.Module, *args: Any, **kwargs: Any) -> Any:
        if torch.is_grad_enabled():
            seen.learn(forward, self, args[0] if args else kwargs["idx"])
        return forward(self, *args, **kwargs)

    hook = register_optimizer_step_post_hook(seen.step)
    try:
        with ExitStack() as stack:
            for module in (sequences, classify):
                stack.enter_context(_exchanged(module, draw_rows, drawing))
            stack.enter_context(_exchanged(classifier, forward, reading))
            yield seen
    finally:
        hook.remove()


def _row(tokens: Tensor) -> Row:
    return tuple(token for token in tokens.tolist() if token)


def _apart(optimizer: Optimizer, waiting: list[_Learned]) -> float:
    """Tell how far an optimizer's gradients lie from the sum of those expected, by direction."""
    mine, theirs = [], []
    for parameter in (p for group in optimizer.param_groups for p in group["params"]):
        expected = [some.gradients.get(id(parameter)) for some in waiting]
        wanted = sum((g for g in expected if g is not None), torch.zeros_like(parameter))
        handed = torch.zeros_like(parameter) if parameter.grad is None else parameter.grad
        mine.append(handed.detach().flatten())
        theirs.append(wanted.flatten())
    one, other = torch.cat(mine).double(), torch.cat(theirs).double()
    along = torch.nn.functional.cosine_similarity(one, other, dim=0).clamp(0, 1)
    return float((1 - along**2).clamp(min=0).sqrt())


@contextmanager
def _exchanged(holder: Any, given: object, new: object) -> Iterator[None]:
    """Put something in the place of what a module or a class has, by whatever name."""
    names = [name for name, value in vars(holder).items() if value is given]
    for name in names:
        setattr(holder, name, new)
    try:
        yield
    finally:
        for name in names:
            setattr(holder, name, given)
