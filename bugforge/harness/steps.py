"""Instruments of learning: what training steps hand the optimizer, and where they lead."""

import copy
from dataclasses import dataclass
from typing import Any

import torch
from torch import Tensor, nn

from .job import Job, Recording
from .program import Program
from .weights import by_given_name, carry
from .witness import UNKNOWN, handed_gradients, next_tokens, noted_steps, witnessed

STEPS = 3
"""Training steps in a row: the first moves, the second shows what was left over, the third
what an optimizer remembers."""


LOOP_STEPS = 6
LOOP_WINDOW = 29
LOOP_SAMPLE = 12
EPS = 1e-3
BETAS = (0.9, 0.999)
WIDE, TIGHT = 1e9, 0.05
"""Norms to clip gradients to: one that never clips, and one that always does."""


def objective(program: Program, job: Job) -> Recording:
    """Training steps on long data, against what the model's own logits say they should learn.

    Records for each step the loss it reported and the gradients its optimizer was handed; and
    the mean cross-entropy of the next token, with its gradients, worked out here from the
    logits for the rows (B, T) that the model was shown: over all T positions, and over all but
    the last.
    """
    seen = Recording()
    model, optimizer, config = _trainer(program, job, job.fields["block_size"], WIDE)
    handed = handed_gradients(model, optimizer)
    generator = torch.Generator().manual_seed(job.seed)
    for step in (1, 2):
        before = copy.deepcopy(model.state_dict())
        batch = program.train.get_batch(job.data, config, generator)
        handed.clear()
        with witnessed(model) as calls:
            reported = program.train.train_step(model, optimizer, batch, config)
        seen.facts[f"{step}/loss"] = float(reported)
        seen.facts[f"{step}/steps taken"] = len(handed)
        seen.facts[f"{step}/calls"] = len(calls)
        for name, gradient in (handed[0] if handed else {}).items():
            seen.tensors[f"{step}/handed/{name}"] = gradient
        for name, parameter in model.named_parameters():
            moved = (parameter.detach() - before[name]).abs().max()
            seen.facts[f"{step}/moved/{name}"] = float(moved)
        if calls:
            twin = program.build(**job.sizes)
            twin.load_state_dict(before)
            _expect(twin, torch.cat(calls), job.data, seen, step)
    return seen


def _expect(model: nn.Module, rows: Tensor, data: Tensor, seen: Recording, step: int) -> None:
    """Record what a step on these rows (B, T) should have reported and handed on."""
    following = next_tokens(rows, data)
    seen.tensors[f"{step}/rows"] = rows
    seen.facts[f"{step}/rows are windows"] = following is not None
    if following is None:
        return
    for label, positions in (("all", rows.size(1)), ("but the last", rows.size(1) - 1)):
        model.zero_grad(set_to_none=True)
        logits = model(rows)[0][:, :positions]
        wanted = following[:, :positions].flatten()
        loss = nn.functional.cross_entropy(logits.flatten(0, 1), wanted, ignore_index=UNKNOWN)
        seen.facts[f"{step}/expected loss/{label}"] = loss.item()
        if loss.requires_grad:
            torch.autograd.backward(loss)
        for name, parameter in model.named_parameters():
            if parameter.grad is not None:
                seen.tensors[f"{step}/expected/{label}/{name}"] = parameter.grad.clone()


def update(program: Program, job: Job) -> Recording:
    """Three training steps on the only window of short data: gradients and parameters.

    A program that shifts in its loss may draw windows one token shorter, of which the short
    data holds two; it is given data that holds only one.
    """
    seen = Recording()
    size = job.fields["block_size"]
    for data in (job.data[: size + 1], job.data[:size]):
        seen = Recording()
        _steps(program, job, _Course("whole", data, size), seen)
        _steps(program, job, _Course("clipped", data, size, 1, TIGHT), seen)
        if len(seen.facts.get("rows seen", [])) <= 1:
            break
    return seen


def update_by_segment(program: Program, job: Job) -> Recording:
    """As update, for each run of tokens that a right program may choose to learn from.

    A program that shifts in its loss learns one target fewer per window, the last or the first.
    """
    seen = update(program, job)
    size = job.fields["block_size"]
    for name, segment in (("head", job.data[:size]), ("tail", job.data[1 : size + 1])):
        _steps(program, job, _Course(name, segment, size - 1), seen)
        _steps(program, job, _Course(f"{name}-clipped", segment, size - 1, 1, TIGHT), seen)
    return seen


@dataclass(frozen=True)
class _Course:
    """Some steps of training on data (N,), in windows of `span` tokens."""

    label: str
    data: Tensor
    span: int
    steps: int = STEPS
    grad_clip: float = WIDE


def loop(program: Program, job: Job) -> Recording:
    """Short trainings from scratch: steps, optimizers, what moved, and whether seeds count."""
    seen = Recording()
    fields = {"steps": LOOP_STEPS, "warmup_steps": 2, "block_size": LOOP_WINDOW}
    losses = []
    for seed in (job.seed, job.seed, job.seed + 1):
        config = program.config(**fields)
        with noted_steps() as (optimizers, began):
            model, vocabulary, told = program.train.train(job.text, config, seed)
        losses.append([float(loss) for loss in told])
        # Kept alive in the list, so that no two can have the same id.
        seen.facts["optimizers"] = len({id(optimizer) for optimizer in optimizers})
        seen.facts["taken"] = len(optimizers)
        seen.facts["unmoved"] = [
            name
            for name, parameter in model.named_parameters()
            if id(parameter) not in began or torch.equal(parameter, began[id(parameter)])
        ]
    seen.facts["asked"] = LOOP_STEPS
    seen.facts["same seed, same losses"] = losses[0] == losses[1]
    seen.facts["other seed, same losses"] = losses[0] == losses[2]
    samples = []
    for seed in (1, 2):
        torch.manual_seed(seed)
        prompt = job.text[:LOOP_WINDOW]
        samples.append(str(program.train.sample(model, vocabulary, prompt, LOOP_SAMPLE)))
    seen.facts["samples alike"] = samples[0] == samples[1]
    return seen


def _trainer(
    program: Program, job: Job, span: int, grad_clip: float
) -> tuple[nn.Module, torch.optim.Optimizer, Any]:
    config = program.config(**{**job.fields, "block_size": span, "grad_clip": grad_clip})
    model = program.build(**job.sizes)
    carry(model, job.weights, 1.0)
    model.train()
    optimizer = program.train.make_optimizer(model, config)

    def steady(stepping: torch.optim.Optimizer, *_: object) -> None:
        # At each step, since a program may set its rate within a step as well as around it.
        for group in stepping.param_groups:
            group["lr"] = config.learning_rate
            if "betas" in group:
                group["betas"] = BETAS
            if "eps" in group:
                # Adam divides by a gradient's size; a large eps keeps rounding from being a sign.
                group["eps"] = EPS

    optimizer.register_step_pre_hook(steady)
    return model, optimizer, config


def _steps(program: Program, job: Job, course: _Course, seen: Recording) -> None:
    label = course.label
    model, optimizer, config = _trainer(program, job, course.span, course.grad_clip)
    names = by_given_name(model, job.weights)
    handed = handed_gradients(model, optimizer)
    generator = torch.Generator().manual_seed(job.seed)
    for step in range(1, course.steps + 1):
        batch = program.train.get_batch(course.data, config, generator)
        with witnessed(model) as calls:
            program.train.train_step(model, optimizer, batch, config)
        if calls:
            rows = torch.cat(calls)
            at = (job.data.unfold(0, rows.size(1), 1) == rows[0]).all(-1).int().argmax()
            seen.facts[f"{label}/first row"] = [int(at), rows.size(1)]
            # Of every step together: one step's rows may be alike by chance.
            known = {tuple(row) for row in seen.facts.get("rows seen", [])}
            seen.facts["rows seen"] = sorted(known | {tuple(row) for row in rows.tolist()})
        for name, parameter in model.named_parameters():
            given, shape = names[name]
            after = parameter.detach().clone().reshape(shape)
            seen.tensors[f"{label}/after {step}/{given}"] = after
    for step, gradients in enumerate(handed[: course.steps + 1], start=1):
        for name, gradient in gradients.items():
            given, shape = names[name]
            seen.tensors[f"{label}/gradient {step}/{given}"] = gradient.reshape(shape)
