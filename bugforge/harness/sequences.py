"""What a classifier of whole rows does: by the mean of what stands in them, and nothing else."""

from collections.abc import Iterator
from dataclasses import replace
from types import ModuleType
from typing import Any

import torch
from torch import Tensor, nn

from .graphs import watched_for_graphs
from .job import Job, Recording
from .notes import built_models
from .program import Program
from .rows_taken import rows_taken
from .taught import teach
from .weights import LARGE, SPREAD, carry

CLASSES = 4
"""As many as no other axis is long."""

LENGTHS = (11, 7, 3, 1, 9)
"""How many tokens stand in each row of the base input."""

FEW = 3
"""Training steps that show whom they move."""

OTHERS = {"block_size": 13, "batch_size": 7}
"""Fields of a ClassifierConfig other than by default, lest a program go by its own."""

UNSEEN = 400
"""Rows of a kind that a whole training has to learn."""


def sequences(program: Program, job: Job) -> Recording:
    """Logits (B, K) of rows, with a mask and without, filled up otherwise and alone; the losses
    that forward gives, what they should be and whom they teach; what is told of how many rows are
    right; and what training leads to.
    """
    seen = Recording()
    classify = program.rows()
    gpt = program.build(**job.sizes)
    model = program.model.SequenceClassifier(gpt, CLASSES)
    more = [parameter for parameter in model.parameters() if not _is_in(parameter, gpt)]
    seen.facts["more"] = [list(parameter.shape) for parameter in more]
    seen.facts["shared"] = all(_is_in(parameter, model) for parameter in gpt.parameters())
    mask = torch.arange(job.inputs["base"].size(1)) < torch.tensor(LENGTHS)[:, None]  # (B, T)
    for way, scale in (("given", 1.0), ("large", LARGE)):
        _fill(model, gpt, more, job, scale)
        for mode in ("eval", "train"):
            model.train(mode == "train")
            for name, logits in _read(model, job, mask, seen):
                seen.tensors[f"logits/{way}/{mode}/{name}"] = logits
        _losses(model.eval(), job, mask, seen, way)
    _fill(model, gpt, more, job, 1.0)
    _taught(model, gpt, job, mask, seen)
    _accuracies(classify, model, job, mask, seen)
    _trained(classify, job, seen)
    _steps(program, classify, job, seen)
    return seen


def _is_in(parameter: Tensor, module: nn.Module) -> bool:
    return any(parameter is other for other in module.parameters())


def _fill(model: Any, gpt: Any, more: list[nn.Parameter], job: Job, scale: float) -> None:
    """Give the GPT its weights, and what stands behind it some by shape and order."""
    model.eval()
    carry(gpt, job.weights, job.pairing, scale)
    generator = torch.Generator().manual_seed(0)
    with torch.no_grad():
        for parameter in more:
            parameter.copy_(SPREAD * scale * torch.randn(parameter.shape, generator=generator))


def _read(model: Any, job: Job, mask: Tensor, seen: Recording) -> Iterator[tuple[str, Tensor]]:
    idx = job.inputs["base"]
    refilled = torch.where(mask, idx, job.inputs["other"])
    with torch.no_grad():
        given = model(idx.clone(), mask.clone())
        seen.facts["gives"] = len(given)
        yield "masked", given[0]
        yield "refilled", model(refilled, mask.clone())[0]
        yield "whole", model(idx.clone())[0]
        alone = [model(row[:length][None].clone())[0] for row, length in zip(idx, LENGTHS)]  # noqa: B905
        yield "alone", torch.cat(alone)
        rows = zip(idx, mask, strict=True)
        one_by_one = [model(row[None].clone(), kept[None].clone())[0] for row, kept in rows]
        yield "filled up alone", torch.cat(one_by_one)


def _losses(model: Any, job: Job, mask: Tensor, seen: Recording, way: str) -> None:
    idx = job.inputs["base"]
    drawing = torch.Generator().manual_seed(job.seed)
    for name, given in (("masked", (mask,)), ("whole", (None,))):
        labels = torch.randint(CLASSES, (len(idx),), generator=drawing)
        with torch.no_grad():
            logits, nothing = model(idx.clone(), *given)
            loss = model(idx.clone(), *given, labels)[1]
        seen.facts[f"nothing/{way}/{name}"] = nothing is None
        seen.facts[f"loss/{way}/{name}"] = float(loss)
        wanted = nn.functional.cross_entropy(logits, labels)
        seen.facts[f"expected/{way}/{name}"] = wanted.item()


def _taught(model: Any, gpt: Any, job: Job, mask: Tensor, seen: Recording) -> None:
    """Record the gradients of the GPT that a loss leads to, by the names that are ours."""
    labels = torch.arange(len(mask)) % CLASSES
    loss = model(job.inputs["base"].clone(), mask.clone(), labels)[1]
    teach(gpt, loss, job, seen)


def _accuracies(classify: ModuleType, model: Any, job: Job, mask: Tensor, seen: Recording) -> None:
    """Record what `accuracy` tells, what it should tell, how it reads the model, and whether it
    leaves the mode.
    """
    idx = job.inputs["base"]
    for number in range(CLASSES):
        model.eval()
        labels = (torch.arange(len(idx)) + number) % CLASSES
        with torch.no_grad():
            right = model(idx.clone(), mask.clone())[0].argmax(-1) == labels
        seen.facts[f"right/{number}"] = right.float().mean().item()
        told = classify.accuracy(model, idx.clone(), mask.clone(), labels.clone())
        seen.facts[f"told/{number}"] = float(told)
    for was_training in (True, False):
        model.train(was_training)
        with watched_for_graphs() as watch:
            classify.accuracy(model, idx.clone(), mask.clone(), labels.clone())
        seen.facts[f"graph/{was_training}"] = watch.found
        seen.facts[f"restored/{was_training}"] = bool(model.training == was_training)


def _trained(classify: ModuleType, job: Job, seen: Recording) -> None:
    """Record whether seeds count, what a few steps move, and what a whole training has learned."""
    config = classify.ClassifierConfig()
    before, _ = classify.train_classifier(replace(config, steps=0), job.seed)
    after, losses = classify.train_classifier(replace(config, steps=FEW), job.seed)
    _, again = classify.train_classifier(replace(config, steps=FEW), job.seed)
    _, others = classify.train_classifier(replace(config, steps=FEW), job.seed + 1)
    elsewhere, _ = classify.train_classifier(replace(config, steps=0), job.seed + 1)
    seen.facts["other seed, same beginning"] = not any(_moved(before, elsewhere))
    seen.facts["told losses"] = len(losses)
    seen.facts["same seed, same losses"] = list(map(float, losses)) == list(map(float, again))
    seen.facts["other seed, same losses"] = list(map(float, losses)) == list(map(float, others))
    seen.facts["unmoved"] = sum(distance == 0 for distance in _moved(before, after))
    model, _ = classify.train_classifier(config, job.seed)
    rows, mask, labels = drawn_rows(UNSEEN, int(config.block_size), job.seed)
    model.eval()
    # By chance alone a model may call three kinds of rows by their names; it is not sure of it.
    with torch.no_grad():
        logits = model(rows, mask)[0]
    seen.facts["unseen"] = nn.functional.cross_entropy(logits, labels).item()


def _moved(before: nn.Module, after: nn.Module) -> list[float]:
    pairs = zip(before.parameters(), after.parameters(), strict=True)
    return [float((one - other).detach().abs().max()) for one, other in pairs]


def _steps(program: Program, classify: ModuleType, job: Job, seen: Recording) -> None:
    """Record what steps read, tell and hand on whose sizes are others than by default."""
    config = replace(classify.ClassifierConfig(), **OTHERS, steps=FEW)
    with built_models(program, {}) as built, rows_taken(program, classify) as taken:
        _, losses = classify.train_classifier(config, job.seed)
    seen.facts["positions"] = [int(one.config.block_size) for one in built]
    seen.facts["lengths"] = sorted(taken.lengths)
    seen.facts["read"] = taken.read
    seen.facts["strange"] = taken.strange
    seen.facts["step losses"] = {"told": list(map(float, losses)), "expected": taken.losses}
    seen.facts["handed apart"] = taken.apart


def drawn_rows(count: int, length: int, seed: int) -> tuple[Tensor, Tensor, Tensor]:
    """Draw rows as PROBLEM.md says they are: tokens (B, T) from 1 to 8, filled up with 0; a mask
    (B, T); and classes (B,) from 0 to 2, of which each row holds the token one higher more often.
    """
    drawing = torch.Generator().manual_seed(seed)
    labels = torch.randint(3, (count,), generator=drawing)
    rows = torch.randint(1, 9, (count, length), generator=drawing)
    often = torch.rand(count, length, generator=drawing) < 0.5  # noqa: PLR2004
    rows = torch.where(often, labels[:, None] + 1, rows)
    lengths = torch.randint(length // 2, length + 1, (count, 1), generator=drawing)
    mask = torch.arange(length) < lengths
    return rows.masked_fill(~mask, 0), mask, labels
