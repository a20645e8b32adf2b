"""Short trainings by the program's own `train`, from given weights and at a steady rate."""

import string
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass

import torch
from torch import Tensor, nn
from torch.optim.optimizer import register_optimizer_step_pre_hook

from .job import Job
from .lookups import read_tokens
from .program import Program
from .weights import carry
from .witness import Training, witnessed

STEPS, WARM_UP = 4, 2
"""Training steps in a row: the first moves, the second shows what was left over, the third
what an optimizer remembers. One more lets every schedule warm up and decay."""

JOLT = 30.0
"""Factor of the rate at a step behind which the loss is to rise."""

WIDE, TIGHT = 1e9, 0.05
"""Norms to clip gradients to: one that never clips, and one that always does."""

EPS = 1e-3
BETAS = (0.9, 0.999)


@dataclass(frozen=True)
class Course:
    """A training on tokens (N,), in windows of `span`, from given weights.

    held_out: tokens that stand behind, as many, or none; the program is told to hold them out.
    order: the program's own token for each of ours, (V,). sizes: fields of GPTConfig that the
    model gets whatever the program says. jolted: whether the last step but one is so large that
    the loss of the last is higher than any before.
    """

    tokens: Tensor
    held_out: Tensor
    span: int
    order: Tensor
    sizes: dict[str, int]
    grad_clip: float = WIDE
    jolted: bool = False

    @property
    def text(self) -> str:
        """The tokens as letters, in whose alphabetical order they are."""
        return "".join(string.ascii_lowercase[token] for token in (*self.tokens, *self.held_out))


@dataclass
class Trained:
    """A witnessed training with what it returned, and the tokens it gave to the letters."""

    training: Training
    losses: list[float]
    order: Tensor
    evaluations: list[float]


def course_on(job: Job, tokens: Tensor, span: int) -> Course:
    """Give a course on tokens (N,) whose model has the job's depth, heads and width."""
    shape = {
        n: s for n, s in job.sizes.items() if n in ("n_layer", "n_head", "n_kv_head", "n_embd")
    }
    held_out = job.held_out[: len(tokens)]
    return Course(tokens, held_out, span, torch.arange(job.sizes["vocab_size"]), shape)


def take(program: Program, job: Job, course: Course, **fields: float) -> Trained:
    """Have the program train from the given weights, at a steady rate.

    fields: more of TrainConfig.
    """
    config = program.config(
        **{
            **job.fields,
            "steps": STEPS,
            "warmup_steps": WARM_UP,
            "block_size": course.span,
            "grad_clip": course.grad_clip,
            **fields,
        }
    )
    weights = {name: rows_at(w, course.order.argsort()) for name, w in job.weights.items()}

    def begin(model: nn.Module) -> None:
        carry(model, weights, job.pairing)

    rates = [config.learning_rate] * (STEPS - 2)
    rates.append(config.learning_rate * (JOLT if course.jolted else 1))
    with _steady(rates), witnessed(program, course.sizes, len(course.order), begin) as training:
        model, vocabulary, told, *more = program.train.train(course.text, config, job.seed)
    seen = course.text[: course.span]  # it holds every letter
    order = course.order.clone()
    # Where sample itself fails, others see it.
    with suppress(Exception):
        tokens = read_tokens(program, model, vocabulary, [seen], len(order))
        if tokens is not None:
            order[course.tokens[: len(seen)]] = tokens
    evaluations = [float(loss) for loss in (more[0] if more else ())]
    return Trained(training, [float(loss) for loss in told], order, evaluations)


@contextmanager
def _steady(rates: Sequence[float]) -> Iterator[None]:
    """Set what a program is free to choose, at each step of any optimizer.

    rates: of the first steps; those after them go at the first.
    """
    coming = iter(rates)

    def steady(stepping: torch.optim.Optimizer, *_: object) -> None:
        rate = next(coming, rates[0])
        for group in stepping.param_groups:
            group["lr"] = rate
            if "betas" in group:
                group["betas"] = BETAS
            if "eps" in group:
                # Adam divides by a gradient's size; a large eps keeps rounding from being a sign.
                group["eps"] = EPS

    hook = register_optimizer_step_pre_hook(steady)
    try:
        yield
    finally:
        hook.remove()


def rows_at(weight: Tensor, order: Tensor) -> Tensor:
    """Give a weight with a row per token in another order; any other weight as it is."""
    return weight[order] if weight.size(0) == len(order) else weight
