"""Functions that a user's own training script defines: how it cuts batches, and its schedule."""

import builtins
import inspect
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from types import FunctionType, ModuleType
from typing import Any

import numpy as np
import torch

from .job import Recording

LENGTH = 200
DRAWN = 200
"""Batches that are looked at: a right one leaves hardly a place out, and one that draws beyond the
end comes to it.
"""
STEPS = {"it", "step", "iter_num", "iteration", "epoch", "iter"}
AT = (*range(0, 100, 7), *(round(10 ** (power / 8)) for power in range(16, 49)))
"""Steps at which a schedule is asked, up to a million."""


def batch(modules: dict[str, ModuleType]) -> Recording:
    """How inputs and targets of many batches lie in data in which every token is its own place:
    their shapes, how far a target lies behind its input, and an input behind the one before; from
    which split they are, and whether they begin at many places, rows and batches at others.

    Which places are drawn is left aside. Raises LookupError where there is no get_batch.
    """
    seen = Recording()
    for module in modules.values():
        function = vars(module).get("get_batch")
        if not isinstance(function, FunctionType) or function.__module__ != module.__name__:
            continue
        with _data_for(function):
            for split in ("train", "val") if inspect.signature(function).parameters else ("",):
                torch.manual_seed(0)
                given = [split] if split else []
                drawn = [[part.long() for part in function(*given)] for _ in range(DRAWN)]
                both: list[Any] = [torch.stack(parts) for parts in zip(*drawn, strict=True)]
                inputs, targets = both
                shapes = [*inputs.shape[1:], *targets.shape[1:]]
                seen.tensors[f"{split}/shapes"] = torch.tensor(shapes)
                seen.tensors[f"{split}/behind"] = (targets - inputs).unique()
                seen.tensors[f"{split}/along"] = (inputs[..., 1:] - inputs[..., :-1]).unique()
                seen.tensors[f"{split}/from"] = (inputs // LENGTH).unique()
                first = inputs[..., 0]
                many = first.unique().numel() > LENGTH / 2
                several = [many, bool(first.diff(dim=0).any()), bool(first.diff().any())]
                seen.tensors[f"{split}/several"] = torch.tensor(several).int()
        return seen
    raise LookupError("it has no get_batch")


def schedule(modules: dict[str, ModuleType]) -> Recording:
    """What each function of a step alone gives, at many steps. Raises LookupError where none is."""
    seen = Recording()
    for file, module in modules.items():
        for name, function in vars(module).items():
            if isinstance(function, FunctionType) and function.__module__ == module.__name__:
                parameters = list(inspect.signature(function).parameters)
                if len(parameters) == 1 and parameters[0] in STEPS:
                    values = [float(function(step)) for step in AT]
                    seen.tensors[f"{file}/{name}"] = torch.tensor(values, dtype=torch.float64)
    if not seen.tensors:
        raise LookupError("it has no schedule")
    return seen


@contextmanager
def _data_for(function: FunctionType) -> Iterator[None]:
    """Give a function the data that it looks for and that is not here."""
    names, given = function.__globals__, function.__code__.co_names
    missing = [n for n in given if "data" in n and n not in names and not hasattr(builtins, n)]
    names.update({name: torch.arange(LENGTH) + _behind(name) for name in missing})
    mapped = np.memmap
    np.memmap = _counted  # type: ignore[assignment,misc]
    try:
        yield
    finally:
        np.memmap = mapped  # type: ignore[misc]
        for name in missing:
            del names[name]


def _counted(filename: Any, *_: Any, **__: Any) -> Any:
    return (np.arange(LENGTH) + _behind(Path(str(filename)).name)).astype(np.uint16)


def _behind(name: str) -> int:
    """Say where the tokens of a split begin, so that no token is of both."""
    return LENGTH if "val" in name else 0


FUNCTIONS: dict[str, Callable[[dict[str, ModuleType]], Recording]] = {
    "batch": batch,
    "schedule": schedule,
}
