"""What a program makes of its first training steps: bits that another run must make again."""

import inspect
from collections.abc import Iterator
from typing import Any

import torch
from torch import Tensor

from .job import Recording
from .program import Program


def expected(program: Program, spec: dict[str, Any]) -> Recording:
    """Train on a text for as many steps as are asked for, each time anew; record after each the
    parameters in order, the losses (K,), in nats, of all its steps, and the logits (1, T, V) of
    tokens in a row, as training leaves the model; those (2, N, V) of two rows, whole and half as
    long, in both modes; and what forward takes.
    """
    seen = Recording()
    for steps in spec["steps"]:
        config = program.config(steps=steps)
        model, _, losses, *_ = program.train.train(spec["text"], config, spec["seed"])
        idx = torch.arange(int(config.block_size))[None] % len(set(spec["text"]))
        with torch.no_grad():
            seen.tensors[f"{steps} steps/logits"] = model(idx)[0]
            for name, logits in _of_rows(model, idx):
                seen.tensors[f"{steps} steps/logits of {name}"] = logits
        told = [float(loss) for loss in losses]
        seen.tensors[f"{steps} steps/losses"] = torch.tensor(told, dtype=torch.float64)
        for number, (name, parameter) in enumerate(model.named_parameters()):
            seen.tensors[f"{steps} steps/parameters/{number:02d} {name}"] = parameter
    forward = inspect.signature(program.model.GPT.forward).parameters.values()
    seen.facts["forward"] = [[p.name, str(p.kind), repr(p.default)] for p in forward]
    return seen


def _of_rows(model: Any, idx: Tensor) -> Iterator[tuple[str, Tensor]]:
    """Give logits (2, N, V) of tokens (1, T) and of these turned round, whole and half as long, in
    both modes; and leave the model in the mode it was in.
    """
    was_training = model.training
    rows = torch.cat((idx, idx.flip(1)))
    for length in (idx.size(1), idx.size(1) // 2):
        for mode in ("train", "eval"):
            model.train(mode == "train")
            yield f"{length} tokens, {mode}", model(rows[:, :length])[0]
    model.train(was_training)
