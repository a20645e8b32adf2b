"""What a program makes of its first training steps: bits that another run must make again."""

import inspect
from typing import Any

import torch

from .job import Recording
from .program import Program


def expected(program: Program, spec: dict[str, Any]) -> Recording:
    """Train on a text for as many steps as are asked for, each time anew; record after each the
    parameters in order, the losses (K,), in nats, of all its steps, and the logits (1, T, V) of
    tokens in a row; and what forward takes.
    """
    seen = Recording()
    for steps in spec["steps"]:
        config = program.config(steps=steps)
        model, _, losses, *_ = program.train.train(spec["text"], config, spec["seed"])
        idx = torch.arange(int(config.block_size))[None] % len(set(spec["text"]))
        with torch.no_grad():
            seen.tensors[f"{steps} steps/logits"] = model(idx)[0]
        told = [float(loss) for loss in losses]
        seen.tensors[f"{steps} steps/losses"] = torch.tensor(told, dtype=torch.float64)
        for number, (name, parameter) in enumerate(model.named_parameters()):
            seen.tensors[f"{steps} steps/parameters/{number:02d} {name}"] = parameter
    forward = inspect.signature(program.model.GPT.forward).parameters.values()
    seen.facts["forward"] = [[p.name, str(p.kind), p.default is not p.empty] for p in forward]
    return seen
