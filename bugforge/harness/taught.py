"""Whom a loss teaches."""

from typing import Any

import torch
from torch import Tensor

from .job import Job, Recording
from .weights import by_given_name, in_thirds


def teach(model: Any, loss: Tensor, job: Job, seen: Recording) -> None:
    """Record the gradients that a loss leads to in a model, by the names that are ours;
    what was given no weight is left out.
    """
    names = by_given_name(model, job.weights, job.pairing)
    learned = {name: p for name, p in model.named_parameters() if p.requires_grad}
    gradients = torch.autograd.grad(loss, list(learned.values()), allow_unused=True)
    handed = {n: g for n, g in zip(learned, gradients, strict=True) if g is not None}
    for name, gradient in in_thirds(handed, job.pairing.width).items():
        place = names[name]
        if place.name in job.weights:
            seen.tensors[f"taught/{place.name}"] = place.read(gradient)
