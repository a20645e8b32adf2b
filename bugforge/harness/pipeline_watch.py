"""A training of a pipeline watched from outside: its rows, its passes, and its steps."""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from types import ModuleType
from typing import Any

import torch
from torch import Tensor, nn
from torch.nn.modules.module import register_module_forward_hook
from torch.optim.optimizer import register_optimizer_step_pre_hook
from torch.utils._python_dispatch import TorchDispatchMode

METRICS = ("accuracy", "f1", "auc")


class _Types(TorchDispatchMode):  # type: ignore[no-untyped-call]
    def __init__(self, used: set[str]) -> None:
        super().__init__()  # type: ignore[no-untyped-call]
        self.used = used

    def __torch_dispatch__(self, called: Any, _: Any, given: Any = (), named: Any = None) -> Any:
        told = called(*given, **(named or {}))
        if isinstance(told, Tensor):
            self.used.add(str(told.dtype).removeprefix("torch."))
        return told


@dataclass(frozen=True)
class Pass:
    """One pass of the classifier: behind how many steps, in which mode, of what, to what."""

    step: int
    learns: bool
    is_wholly_in_mode: bool
    tokens: Tensor
    logits: tuple[Tensor, Tensor]


@dataclass
class Watch:
    """What is seen of a training.

    drawn: its rows, tokens and label. steps: the groups of the optimizer at each. weights: one of
    the parameters, as it was at the first pass.
    """

    drawn: list[tuple[tuple[int, ...], int]] = field(default_factory=list)
    passes: list[Pass] = field(default_factory=list)
    steps: list[list[dict[str, Any]]] = field(default_factory=list)
    weights: list[Tensor] = field(default_factory=list)

    @property
    def places(self) -> dict[tuple[int, ...], int]:
        """The number of each row among those drawn, by its tokens."""
        return {tokens: number for number, (tokens, _) in enumerate(self.drawn)}

    @property
    def begun(self) -> tuple[Tensor, list[list[int]]]:
        """A parameter as it was at the first pass, and the tokens that this read."""
        return self.weights[0], self.passes[0].tokens.tolist()

    @property
    def steps_out_of_mode(self) -> int:
        """Count the steps before which no pass had all of the model in train mode."""
        in_mode = {one.step for one in self.passes if one.learns and one.is_wholly_in_mode}
        return len(set(range(len(self.steps))) - in_mode)

    def numbers(self, one: Pass) -> list[int]:
        """Give the numbers of the rows of a pass, -1 for one that was not drawn."""
        known = self.places
        return [known.get(tuple(row[row != 0].tolist()), -1) for row in one.tokens]

    def learned(self, start: int, end: int) -> list[int]:
        """Give the numbers of the rows learned in some steps, in order."""
        passes = [one for one in self.passes if one.learns and start <= one.step < end]
        return [number for one in passes for number in self.numbers(one)]

    def judged(self, step: int) -> dict[int, Tensor]:
        """Give what was last said of the rows read behind so many steps, and not to learn: logits
        of classes by their numbers.
        """
        passes = [one for one in self.passes if not one.learns and one.step == step]
        return {
            number: logits
            for one in passes
            for number, logits in zip(self.numbers(one), one.logits[0], strict=True)
        }


@contextmanager
def watched(program: Any) -> Iterator[Watch]:
    """Watch a training. A pass in train mode is one that learns: others drop nothing."""
    watch = Watch()
    own = program.data.draw_rows

    def draw_rows(*given: Any, **named: Any) -> Any:
        rows = own(*given, **named)
        watch.drawn += [(tuple(torch.as_tensor(t).tolist()), int(label)) for t, label in rows]
        return rows

    def passed(model: nn.Module, given: tuple[Any, ...], named: Any, told: Any) -> None:
        if not isinstance(model, program.model.Classifier):
            return
        tokens = given[0] if given else named["tokens"]
        if not watch.passes:
            watch.weights.append(next(model.parameters()).detach().clone())
        watch.passes.append(
            Pass(
                step=len(watch.steps),
                learns=model.training,
                is_wholly_in_mode=all(part.training for part in model.modules()),
                tokens=tokens.detach().clone(),
                logits=(told[0].detach().clone(), told[1].detach().clone()),
            )
        )

    hooks = (
        register_module_forward_hook(passed, with_kwargs=True),
        register_optimizer_step_pre_hook(
            lambda optimizer, *_: watch.steps.append([dict(g) for g in optimizer.param_groups])
        ),
    )
    with _exchanged(program, own, draw_rows):
        try:
            yield watch
        finally:
            for hook in hooks:
                hook.remove()


@contextmanager
def types_used() -> Iterator[set[str]]:
    """Note the types of all tensors that are computed."""
    used: set[str] = set()
    with _Types(used):
        yield used


@contextmanager
def _exchanged(program: Any, own: Any, other: Any) -> Iterator[None]:
    """Have a function stand for another, under whatever name a module has it."""
    modules = [value for value in vars(program).values() if isinstance(value, ModuleType)]
    places = [(m, name) for m in modules for name, value in vars(m).items() if value is own]
    for module, name in places:
        setattr(module, name, other)
    try:
        yield
    finally:
        for module, name in places:
            setattr(module, name, own)
