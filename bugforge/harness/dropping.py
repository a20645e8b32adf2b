"""What dropout drops and what it keeps, number by number, read off gradients."""

from typing import Any

import torch
from torch import Tensor

from .job import Job, Recording
from .program import Program
from .weights import (
    Dropping,
    Place,
    by_given_name,
    carry,
    evenly_weighed,
    in_thirds,
    where_dropped,
    with_faint_queries,
)

SHARE = 0.25
"""Share that dropout drops: less than a half, lest what is kept be taken for what is dropped."""

LOOKS = 32
"""Passes over which it is watched what is dropped."""

ROWS, SPAN = 2, 3
"""Rows that are read then, and how many tokens of each."""

PAIR = 2
"""Tokens of a row whose queries are looked at: a lone one is not weighed."""


class _Taught:
    """A model that drops, and what a number that is made of one logit's place teaches it."""

    def __init__(self, program: Program, job: Job, weights: dict[str, Tensor]) -> None:
        self.width = job.sizes["n_embd"]
        self.model: Any = program.build(**{**job.sizes, "dropout": SHARE})
        carry(self.model, weights, job.pairing)
        self.names: dict[str, Place] = by_given_name(self.model, job.weights, job.pairing)
        generator = torch.Generator().manual_seed(job.seed)
        self.direction = torch.randn(job.sizes["vocab_size"], generator=generator)

    def gradients(self, logits: Tensor) -> dict[str, Tensor]:
        """Give the gradients that the logits (V,) of one place lead to, by given name."""
        self.model.zero_grad()
        torch.autograd.backward(logits @ self.direction, retain_graph=True)
        found = {
            name: torch.zeros_like(parameter) if parameter.grad is None else parameter.grad
            for name, parameter in self.model.named_parameters()
        }
        split = in_thirds(found, self.width)
        return {self.names[name].name: self.names[name].read(g) for name, g in split.items()}


def dropping(program: Program, job: Job) -> Recording:
    """What a model in train mode makes of its numbers, over LOOKS passes, in a state in which all
    of its sublayers add nothing and all positions are alike to them.

    Records for each place of the stream that dropout is stated for how many times its value
    without dropout each number is, (LOOKS, ROWS, SPAN, blocks, n); for each head how many whole
    weights of attention, divided by what is kept, it hears; and how far the numbers that an MLP
    hides lie from those without dropout, as a share of the greatest. Of a program whose weights are
    not those of a GPT nothing is known.

    Then, behind two tokens, for each number of a query whether it was taught nothing, and for each
    that it is made of whether nothing was taught by it, (LOOKS, blocks, n).
    """
    seen = Recording()
    places = where_dropped(job.weights, job.sizes["block_size"])
    taught = _Taught(program, job, evenly_weighed(job.weights))
    shapes = {name: tuple(weight.shape) for name, weight in job.weights.items()}
    known = {p.name for p in taught.names.values() if tuple(p.shape) == shapes.get(p.name)}
    if not known.issuperset(places.all):
        return seen  # which parameters are missing is told elsewhere
    idx = job.inputs["base"][:ROWS, :SPAN]
    taught.model.eval()
    plain = _read(taught, places, idx)
    taught.model.train()
    torch.manual_seed(job.seed)
    looks = [_read(taught, places, idx) for _ in range(LOOKS)]
    drawn = {place: torch.stack([look[place] for look in looks]) for place in plain}
    for place in ("embeddings", "heard", "thought"):
        seen.tensors[f"drawn/{place}"] = drawn[place] / plain[place]
    whole = plain["weights"]
    whole = whole.view(*whole.shape[:-1], job.sizes["n_head"], -1)
    heard = (drawn["weights"].view(LOOKS, *whole.shape) * whole).sum(-1) / whole.square().sum(-1)
    count = torch.arange(1, SPAN + 1).view(SPAN, 1, 1)
    seen.tensors["drawn/weights"] = heard * count * (1 - SHARE)
    moved = (drawn["hidden"] - plain["hidden"]).abs()
    seen.tensors["hidden"] = moved / plain["hidden"].abs().max()
    _queried(program, job, places, seen)
    return seen


def _read(taught: _Taught, places: Dropping, idx: Tensor) -> dict[str, Tensor]:
    """Read off gradients what stands at each place, (ROWS, SPAN, blocks, n): of what is added and
    of embeddings what they count for, of what a matrix takes the numbers themselves.
    """
    logits = taught.model(idx.clone())[0]
    found: dict[str, list[Tensor]] = {}
    for row in range(idx.size(0)):
        for place in range(idx.size(1)):
            gradients = taught.gradients(logits[row, place])
            for name, values in (
                ("embeddings", [gradients[table][place] for table in places.tables]),
                ("weights", [_taken(gradients, *layer) for layer in places.heard]),
                ("heard", [gradients[bias] for _, bias in places.heard]),
                ("hidden", [_taken(gradients, *layer) for layer in places.thought]),
                ("thought", [gradients[bias] for _, bias in places.thought]),
            ):
                found.setdefault(name, []).append(torch.stack(values))
    stacked = {name: torch.stack(values) for name, values in found.items()}
    return {name: values.view(*idx.shape, *values.shape[1:]) for name, values in stacked.items()}


def _taken(gradients: dict[str, Tensor], matrix: str, bias: str) -> Tensor:
    """Give what a layer takes (n,): the gradient of its matrix is that, times that of its bias. It
    is NaN where all that the layer adds is dropped.
    """
    added = gradients[bias]
    loudest = int(added.abs().argmax())
    return gradients[matrix][loudest] / added[loudest]


def _queried(program: Program, job: Job, places: Dropping, seen: Recording) -> None:
    taught = _Taught(program, job, with_faint_queries(job.weights))
    taught.model.train()
    torch.manual_seed(job.seed)
    made, read = [], []
    for _ in range(LOOKS):
        gradients = taught.gradients(taught.model(job.inputs["base"][:1, :PAIR].clone())[0][0, -1])
        made.append(torch.stack([gradients[bias] == 0 for _, bias in places.queries]))
        read.append(torch.stack([(gradients[m] == 0).all(dim=0) for m, _ in places.queries]))
    seen.tensors["untaught/made"] = torch.stack(made)
    seen.tensors["untaught/read"] = torch.stack(read)
