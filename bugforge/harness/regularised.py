"""Instruments of programs that are trained as large ones are: how their weights begin, dropout, and
evaluation on a part that is held out.
"""

from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from dataclasses import replace
from itertools import pairwise

import torch
from torch import Tensor, nn
from torch.optim.optimizer import register_optimizer_step_post_hook

from .course import STEPS, TIGHT, course_on, take
from .greedy import greedy
from .job import Job, Recording
from .learning import UNKNOWN, expect, next_tokens
from .lookups import Reads, reads
from .program import Program
from .weights import by_given_name, carry, in_thirds

ROUNDS, HEADS = 48, 8
"""Models whose beginnings are looked at, and the heads of each."""

HALF = 0.5
"""Share that dropout drops."""

DRAWS = 64
"""Forward passes over which dropout is watched."""

NEW = 9
"""Tokens asked for after each prompt."""

SELDOM = 3
"""Steps between evaluations where these are few: one is left over then."""

LOOKED_AT = (1, 3)
"""Steps whose gradients are looked at: before any evaluation, and behind one."""


def beginning(program: Program, job: Job) -> Recording:
    """The parameters of ROUNDS models as they are built, each with a seed of its own, stacked, and
    each as the given weight that it is. They have more heads than layers, lest one be taken for the
    other.
    """
    seen = Recording()
    rounds: dict[str, list[Tensor]] = {}
    for number in range(ROUNDS):
        torch.manual_seed(job.seed + number)
        model = program.build(**{**job.sizes, "n_head": HEADS})
        if not rounds:
            names = by_given_name(model, job.weights, job.pairing)
        for name, value in in_thirds(dict(model.named_parameters()), job.sizes["n_embd"]).items():
            rounds.setdefault(name, []).append(names[name].read(value.detach()))
    # Half precision is enough for what is asked of so many numbers.
    for name, values in rounds.items():
        seen.tensors[names[name].name] = torch.stack(values).half()
    return seen


def dropout(program: Program, job: Job) -> Recording:
    """What a model with dropout gives: logits (B, T, V) in eval mode, and greedy tokens.

    Beside both stands what it gives without any dropout. In train mode, the spread of the logits
    (B, T, V) over many passes.
    """
    seen = Recording()
    torch.manual_seed(job.seed)
    plain = program.build(**job.sizes)
    torch.manual_seed(job.seed)  # what is no parameter begins alike, too
    model = program.build(**{**job.sizes, "dropout": HALF})
    for one in (plain, model):
        carry(one, job.weights, job.pairing)
        one.eval()
    idx, prompt = job.inputs["base"], job.inputs["prompt"]
    with torch.no_grad():
        seen.tensors["without"] = plain(idx.clone())[0]
        for number in (1, 2):
            seen.tensors[f"eval/{number}"] = model(idx.clone())[0]
        model.train()
        torch.manual_seed(job.seed)
        seen.tensors["spread"] = torch.stack([model(idx.clone())[0] for _ in range(DRAWS)]).std(0)
    seen.tensors["expected"], _ = greedy(plain, prompt, NEW, job.sizes["block_size"])
    for mode in ("train", "eval"):
        model.train(mode == "train")
        seen.tensors[f"greedy/{mode}"] = model.generate(prompt.clone(), NEW, temperature=0)
    return seen


def evaluation(program: Program, job: Job) -> Recording:
    """A short training with dropout that evaluates after each step.

    Records what the evaluations told; for all but the last, the mean cross-entropy without dropout
    of the held-out rows (B, T) that were read for it, and how many rows were no such; and for the
    steps LOOKED_AT the gradients that the optimizer was handed, and those without dropout.
    """
    seen = Recording()
    course = course_on(job, job.data, job.fields["block_size"])
    with reads(program, len(course.order), learning=False) as read, _marked(read) as marks:
        trained = take(program, job, course, dropout=HALF, eval_every=1)
    model, steps = trained.training.model, trained.training.steps
    seen.facts["told"] = trained.evaluations
    seen.facts["steps"] = len(steps)
    if model is None:
        return seen
    model.eval()
    learned, held_out = trained.order[job.data], trained.order[job.held_out]
    for number in LOOKED_AT:
        if number <= len(steps) and steps[number - 1].rows:
            for name, gradient in steps[number - 1].gradients.items():
                seen.tensors[f"{number}/handed/{name}"] = gradient
            expect(model, steps[number - 1], learned, seen, number)
    for number, (start, end) in enumerate(pairwise(marks), start=1):
        rows = [call.rows for call in read.calls[start:end] if not call.taught]
        runs = [(some, next_tokens(some, held_out)) for some in rows]
        seen.facts[f"strange/{number}"] = sum(wanted is None for _, wanted in runs)
        seen.facts[f"read/{number}"] = len(runs)
        _set(model, steps[number - 1].after)
        seen.facts[f"expected/{number}"] = _mean_loss(
            model, [(some, wanted) for some, wanted in runs if wanted is not None]
        )
    return seen


def accumulation(program: Program, job: Job) -> Recording:
    """A short training on long data that seldom evaluates, and whose gradients are always clipped.

    Records of each step the rows (N, T) that were read for it, and of the first the gradients that
    the optimizer was handed, and those that the model's own logits lead to, unclipped; and behind
    which steps, the last aside, something was read that was not learned.
    """
    seen = Recording()
    course = replace(course_on(job, job.data, job.fields["block_size"]), grad_clip=TIGHT)
    with reads(program, len(course.order), learning=False) as read, _marked(read) as marks:
        trained = take(program, job, course, eval_every=SELDOM)
    model, steps = trained.training.model, trained.training.steps
    seen.facts["evaluated behind"] = [
        number
        for number, (start, end) in enumerate(pairwise(marks), start=1)
        if not all(call.taught for call in read.calls[start:end])
    ]
    seen.facts["evaluations asked behind"] = [n for n in range(1, STEPS) if n % SELDOM == 0]
    seen.facts["clipped to"] = TIGHT
    seen.facts["batch size"] = job.fields["batch_size"]
    if model is None or not steps or not all(step.rows for step in steps):
        return seen  # that steps are missing is told elsewhere
    for number, step in enumerate(steps, start=1):
        seen.tensors[f"rows/{number}"] = torch.cat(step.rows)
    for name, gradient in steps[0].gradients.items():
        seen.tensors[f"1/handed/{name}"] = gradient
    expect(model, steps[0], trained.order[job.data], seen, 1)
    return seen


@contextmanager
def _marked(read: Reads) -> Iterator[list[int]]:
    """Note at each step how many calls had been read."""
    marks: list[int] = []
    hook = register_optimizer_step_post_hook(lambda *_: marks.append(len(read.calls)))
    try:
        yield marks
    finally:
        hook.remove()


def _set(model: nn.Module, values: dict[str, Tensor]) -> None:
    with torch.no_grad():
        for name, parameter in model.named_parameters():
            parameter.copy_(values[name])


def _mean_loss(model: nn.Module, runs: Iterable[tuple[Tensor, Tensor]]) -> float:
    """Mean cross-entropy, in nats, over all tokens of rows (B, T) of any length."""
    total = count = 0.0
    with torch.no_grad():
        for rows, wanted in runs:
            logits = model(rows)[0].flatten(0, 1)
            known = int((wanted != UNKNOWN).sum())
            loss = nn.functional.cross_entropy(logits, wanted.flatten(), ignore_index=UNKNOWN)
            total, count = total + loss.item() * known, count + known
    return total / count if count else float("nan")
