"""The instruments: each records one behaviour of a program, under given weights and inputs.

Every instrument takes the program and the job and gives a recording: tensors by name, and
plain facts (JSON) by name. Sizes are chosen so that no two axes are equally long.
"""

import copy
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any

import torch
from torch import Tensor, nn
from torch.optim.optimizer import register_optimizer_step_post_hook

from .program import Program
from .weights import by_given_name, carry

Facts = dict[str, Any]

STEPS = 3
"""Training steps in a row: the first moves, the second shows what was left over, the third
what an optimizer remembers."""

UNKNOWN = -1
"""Stands for a token that nobody can know."""

ROUNDS = 3
"""Fresh models whose beginnings are looked at."""


@dataclass(frozen=True)
class Job:
    """What an instrument is given.

    sizes: fields of GPTConfig. weights: of the pristine model, by name. inputs: tokens (B, T)
    by name. data: tokens (N,) longer than a window. text: to train on. samplings: temperature
    and top_k by name. seed: for what the program itself draws.
    """

    sizes: dict[str, int]
    fields: dict[str, Any]
    weights: dict[str, Tensor]
    inputs: dict[str, Tensor]
    data: Tensor
    text: str
    samplings: dict[str, tuple[float, int | None]]
    seed: int


@dataclass
class Recording:
    """What an instrument saw."""

    tensors: dict[str, Tensor] = field(default_factory=dict)
    facts: Facts = field(default_factory=dict)


def construct(program: Program, job: Job) -> Recording:
    """Build the model while fresh memory is poisoned with NaN; record what it starts with."""
    seen = Recording()
    with poisoned_memory():
        torch.manual_seed(job.seed)
        model = program.build(**job.sizes)
    seen.facts["trainable"] = {n: p.requires_grad for n, p in model.named_parameters()}
    for name, parameter in model.named_parameters():
        seen.tensors[name] = parameter.detach().clone()
    return seen


def initial(program: Program, job: Job) -> Recording:
    """Logits (B, T, V) of models as they are built, for tokens and for other tokens there."""
    seen = Recording()
    for round_ in range(ROUNDS):
        torch.manual_seed(job.seed + round_)
        model = program.build(**job.sizes)
        model.eval()
        for name in ("base", "other", "constant"):
            with torch.no_grad():
                seen.tensors[f"{name}/{round_}"] = model(job.inputs[name].clone())[0]
    return seen


def forward(program: Program, job: Job) -> Recording:
    """Logits (B, T, V) for every input, in both modes, under given and under larger weights."""
    seen = Recording()
    model = program.build(**job.sizes)
    for size, scale in (("given", 1.0), ("large", 3.0)):
        seen.facts["unplaced"] = carry(model, job.weights, scale)
        for mode in ("eval", "train"):
            model.train(mode == "train")
            for name, idx in job.inputs.items():
                if idx.size(1) > job.sizes["block_size"]:
                    continue  # a prompt for decoding: forward need not take it
                with torch.no_grad():
                    seen.tensors[f"{size}/{mode}/{name}"] = model(idx.clone())[0]
    model.eval()
    with torch.no_grad():
        seen.tensors["again"] = model(job.inputs["base"].clone())[0]
    return seen


def objective(program: Program, job: Job) -> Recording:
    """Training steps on long data, against what the model's own logits say they should learn.

    Records for each step the loss it reported and the gradients its optimizer was handed; and
    the mean cross-entropy of the next token, with its gradients, worked out here from the
    logits for the rows (B, T) that the model was shown: over all T positions, and over all but
    the last.
    """
    seen = Recording()
    model, optimizer, config = _trainer(program, job, job.data, grad_clip=1e9)
    handed = _handed_gradients(model, optimizer)
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
        _steps(program, job, data, seen, "whole", steps=STEPS, grad_clip=1e9)
        _steps(program, job, data, seen, "clipped", steps=1, grad_clip=0.05)
        if seen.facts.get("whole/rows alike", True):
            break
    return seen


def update_by_segment(program: Program, job: Job) -> Recording:
    """As update, for each run of tokens that a right program may choose to learn from.

    A program that shifts in its loss learns one target fewer per window, the last or the first.
    """
    seen = update(program, job)
    size = job.fields["block_size"]
    for name, segment in (("head", job.data[:size]), ("tail", job.data[1 : size + 1])):
        _steps(program, job, segment, seen, name, steps=STEPS, grad_clip=1e9)
        _steps(program, job, segment, seen, f"{name}-clipped", steps=1, grad_clip=0.05)
    return seen


def loop(program: Program, job: Job) -> Recording:
    """A short training from scratch: how many steps are taken, and by how many optimizers."""
    seen = Recording()
    optimizers = []

    def note(optimizer: torch.optim.Optimizer, *_: object) -> None:
        optimizers.append(optimizer)

    config = program.config(steps=LOOP_STEPS)
    hook = register_optimizer_step_post_hook(note)
    try:
        program.train.train(job.text, config, job.seed)
    finally:
        hook.remove()
    seen.facts["asked"] = LOOP_STEPS
    seen.facts["taken"] = len(optimizers)
    # Kept alive above, so that no two can have the same id.
    seen.facts["optimizers"] = len({id(optimizer) for optimizer in optimizers})
    return seen


LOOP_STEPS = 6


def decode(program: Program, job: Job) -> Recording:
    """Greedy tokens from each prompt, the spread of sampled ones, and the mode it leaves.

    Beside the greedy tokens stand those worked out here from the model's own logits, and beside
    the counts of sampled tokens the logits (V,) that they were drawn from.
    """
    seen = Recording()
    model = program.build(**job.sizes)
    carry(model, job.weights, 1.0)
    prompts = {name: idx for name, idx in job.inputs.items() if name.startswith("prompt")}
    for was_training in (True, False):
        model.train(was_training)
        for name, idx in prompts.items():
            seen.tensors[f"greedy/{name}"] = model.generate(idx.clone(), NEW, temperature=0)
        seen.facts[f"restored/{was_training}"] = bool(model.training == was_training)
    model.eval()
    for name, idx in prompts.items():
        seen.tensors[f"expected/{name}"] = _greedy(model, idx, job.sizes["block_size"])
    carry(model, job.weights, 0.3)
    crowd = job.inputs["prompt of one"][:1].repeat(SAMPLES, 1)
    with torch.no_grad():
        seen.tensors["logits"] = model(crowd[:1])[0][0, -1]
    for name, (temperature, top_k) in job.samplings.items():
        torch.manual_seed(job.seed)
        drawn = model.generate(crowd, 1, temperature=temperature, top_k=top_k)[:, -1]
        seen.tensors[f"counts/{name}"] = drawn.bincount(minlength=seen.tensors["logits"].numel())
    return seen


@torch.no_grad()
def _greedy(model: nn.Module, idx: Tensor, block_size: int) -> Tensor:
    for _ in range(NEW):
        logits = model(idx[:, -block_size:])[0][:, -1]
        idx = torch.cat((idx, logits.argmax(-1, keepdim=True)), dim=1)
    return idx


NEW = 9
"""Tokens asked for after each prompt."""

SAMPLES = 4000

INSTRUMENTS: dict[str, Callable[[Program, Job], Recording]] = {
    "construct": construct,
    "initial": initial,
    "forward": forward,
    "objective": objective,
    "update": update,
    "loop": loop,
    "decode": decode,
}


@contextmanager
def poisoned_memory() -> Iterator[None]:
    """Fill memory that torch hands out uninitialised with NaN, so that its use shows."""
    was = torch.get_deterministic_debug_mode()
    torch.set_deterministic_debug_mode("warn")
    try:
        yield
    finally:
        torch.set_deterministic_debug_mode(was)


@contextmanager
def witnessed(model: nn.Module) -> Iterator[list[Tensor]]:
    """Note the tokens (B, T) of every call of the model."""
    calls: list[Tensor] = []
    inner = model.forward

    def outer(idx: Tensor, *args: Any, **kwargs: Any) -> Any:
        calls.append(idx.detach().clone())
        return inner(idx, *args, **kwargs)

    model.forward = outer
    try:
        yield calls
    finally:
        del model.forward


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


def _handed_gradients(
    model: nn.Module, optimizer: torch.optim.Optimizer
) -> list[dict[str, Tensor]]:
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


def _trainer(
    program: Program, job: Job, data: Tensor, grad_clip: float
) -> tuple[nn.Module, torch.optim.Optimizer, Any]:
    span = min(job.fields["block_size"], len(data) - 1)
    config = program.config(**{**job.fields, "block_size": span, "grad_clip": grad_clip})
    model = program.build(**job.sizes)
    carry(model, job.weights, 1.0)
    model.train()
    optimizer = program.train.make_optimizer(model, config)
    for group in optimizer.param_groups:
        group["lr"] = config.learning_rate
        if "eps" in group:
            # Adam divides by a gradient's size; a large eps keeps rounding from being a sign.
            group["eps"] = 1e-3
    return model, optimizer, config


def _steps(  # noqa: PLR0913
    program: Program,
    job: Job,
    data: Tensor,
    seen: Recording,
    label: str,
    *,
    steps: int,
    grad_clip: float,
) -> None:
    model, optimizer, config = _trainer(program, job, data, grad_clip)
    names = by_given_name(model, job.weights)
    handed = _handed_gradients(model, optimizer)
    generator = torch.Generator().manual_seed(job.seed)
    losses = []
    for step in range(1, steps + 1):
        batch = program.train.get_batch(data, config, generator)
        with witnessed(model) as calls:
            losses.append(float(program.train.train_step(model, optimizer, batch, config)))
        seen.facts[f"{label}/steps taken {step}"] = len(handed)
        if calls:
            rows = torch.cat(calls)
            at = (job.data.unfold(0, rows.size(1), 1) == rows[0]).all(-1).int().argmax()
            seen.facts[f"{label}/rows alike"] = bool((rows == rows[0]).all())
            seen.facts[f"{label}/first row"] = [int(at), rows.size(1)]
        for name, parameter in model.named_parameters():
            given, shape = names[name]
            after = parameter.detach().clone().reshape(shape)
            seen.tensors[f"{label}/after {step}/{given}"] = after
    for step, gradients in enumerate(handed[: steps + 1], start=1):
        for name, gradient in gradients.items():
            given, shape = names[name]
            seen.tensors[f"{label}/gradient {step}/{given}"] = gradient.reshape(shape)
    seen.facts[f"{label}/losses"] = losses
