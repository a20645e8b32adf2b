"""Instruments of learning: what training hands its optimizer, and what decides how it goes.

They drive the program's own `train` and watch it from outside, so that how it is divided into
functions is its own business.
"""

from collections.abc import Iterable
from dataclasses import replace

import torch
from torch import Tensor, nn
from torch.optim import Optimizer
from torch.optim.optimizer import register_optimizer_step_post_hook

from .course import STEPS, WARM_UP, course_on, take
from .greedy import greedy
from .job import Job, Recording
from .lookups import in_parts, read_tokens
from .notes import built_models
from .program import Program
from .weights import in_thirds, whole_of
from .witness import Taken, witnessed

UNKNOWN = -1
"""Stands for a token that nobody can know."""

FAINT = 1e-6
"""A gradient below which nothing but rounding may be in it: that of the bias of keys, which the
softmax takes out."""

LOOKED_AT = (1, 2, STEPS)
"""Steps that are held against the model's own logits: two in a row, and one of a higher loss."""

LOOP_STEPS = 6
LOOP_WINDOW = 29
LOOP_SAMPLE = 12

RATED, RATED_WARM_UP = 60, 6
"""Steps whose rates are looked at, and those of them that warm up. A decay that begins with the
warm-up has taken little by its end where there are many more steps behind it."""


def objective(program: Program, job: Job) -> Recording:
    """Training steps on long data, against what the model's own logits say they should learn.

    Records for the steps LOOKED_AT the loss they reported and the gradients their optimizer was
    handed; and the mean cross-entropy of the next token, with its gradients, worked out here
    from the logits for the rows (B, T) that were read. Where no step is taken, all that was read
    stands for the first.
    """
    seen = Recording()
    course = course_on(job, job.data, job.fields["block_size"])
    trained = take(program, job, replace(course, jolted=True))
    training = trained.training
    seen.facts["steps taken"] = len(training.steps)
    seen.facts["steps asked"] = STEPS
    seen.facts["rows asked"] = job.fields["batch_size"] * job.fields.get("accumulate", 1)
    if training.model is None:
        return seen
    losses = trained.losses
    steps = dict(enumerate(training.steps, start=1))
    if not steps:
        now = {name: p.detach().clone() for name, p in training.model.named_parameters()}
        steps = {1: Taken(None, training.unspent, now, {}, now)}
        losses = [sum(losses) / max(len(losses), 1)]
    seen.facts["looked at"] = [number for number in LOOKED_AT if number in steps]
    for number in seen.facts["looked at"]:
        step = steps[number]
        seen.facts[f"{number}/loss"] = losses[number - 1] if number <= len(losses) else None
        for name, gradient in step.gradients.items():
            seen.tensors[f"{number}/handed/{name}"] = gradient
        for name, distance in _moved(training.model, step, job.sizes["n_embd"]).items():
            seen.facts[f"{number}/moved/{name}"] = distance
        if step.rows:
            expect(training.model, step, trained.order[job.data], seen, number)
    return seen


def _moved(model: nn.Module, step: Taken, width: int) -> dict[str, float]:
    """Tell how far a step moved each parameter of a model, and each third of a fused one."""
    held = _held(model, step)
    after, gradients = (in_thirds(values, width) for values in (step.after, step.gradients))
    moved = {}
    for name, before in in_thirds(step.before, width).items():
        moved[name] = float((after[name].double() - before.double()).abs().max())
        gradient, is_third = gradients.get(name), name not in step.before
        if gradient is not None and is_third and before.dim() > 1 and not bool(gradient.any()):
            # What nothing is made with decays beside the other thirds: that is no learning.
            moved[name] = 0.0
        elif gradient is not None and whole_of(name) in held and bool(gradient.abs().max() < FAINT):
            # Where nothing decays, a bias whose gradient is but rounding may stay where it is.
            moved[name] = max(moved[name], FAINT)
    return moved


def _held(model: nn.Module, step: Taken) -> set[str]:
    """Name the parameters that a step's optimizer holds."""
    groups = step.optimizer.param_groups if step.optimizer else ()
    ids = {id(parameter) for group in groups for parameter in group["params"]}
    return {name for name, parameter in model.named_parameters() if id(parameter) in ids}


def expect(model: nn.Module, step: Taken, data: Tensor, seen: Recording, number: int) -> None:
    """Record what a step on its rows (B, T) of the data (N,) should have reported and handed on."""
    rows = torch.cat(step.rows)
    following = next_tokens(rows, data)
    seen.tensors[f"{number}/rows"] = rows
    seen.facts[f"{number}/rows are windows"] = following is not None
    if following is None:
        return
    learned = {name: p for name, p in model.named_parameters() if p.requires_grad}
    with torch.no_grad():
        for name, parameter in model.named_parameters():
            parameter.copy_(step.before[name])
    logits = model(rows)[0]
    loss = nn.functional.cross_entropy(
        logits.flatten(0, 1), following.flatten(), ignore_index=UNKNOWN
    )
    seen.facts[f"{number}/expected loss"] = loss.item()
    if loss.requires_grad:
        for name, gradient in zip(learned, _taught(loss, list(learned.values())), strict=True):
            if gradient is not None:
                seen.tensors[f"{number}/expected/{name}"] = gradient


def _taught(loss: Tensor, parameters: list[Tensor]) -> Iterable[Tensor | None]:
    """Give the gradients of a loss."""
    try:
        return torch.autograd.grad(loss, parameters, retain_graph=True, allow_unused=True)
    except RuntimeError:  # what is computed again on the way back may know of backward alone
        for parameter in parameters:
            parameter.grad = None
        torch.autograd.backward(loss)
        return [parameter.grad for parameter in parameters]


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


def loop(program: Program, job: Job) -> Recording:
    """Short trainings from scratch: optimizers, what moved, whether the weights that come of them
    are those that a step led to, and whether seeds count.
    """
    seen = Recording()
    sizes = course_on(job, job.data, LOOP_WINDOW).sizes
    config = program.config(
        **{**job.fields, "steps": LOOP_STEPS, "warmup_steps": WARM_UP, "block_size": LOOP_WINDOW}
    )

    def losses(seed: int) -> list[float]:
        with built_models(program, sizes):
            return [float(loss) for loss in program.train.train(job.text, config, seed)[2]]

    with witnessed(program, sizes, len(set(job.text)), lambda _: None) as training:
        model, vocabulary, told, *_ = program.train.train(job.text, config, job.seed)
    # The steps keep their optimizers alive, so that no two can have the same id.
    seen.facts["optimizers"] = len({id(step.optimizer) for step in training.steps})
    began = training.steps[0].before if training.steps else {}
    seen.facts["unmoved"] = [
        name
        for name, parameter in model.named_parameters()
        if name not in began or torch.equal(parameter, began[name])
    ]
    seen.facts["weights of a step"] = any(_led_to(step, model) for step in training.steps)
    first = [float(loss) for loss in told]
    seen.facts["same seed, same losses"] = losses(job.seed) == first
    seen.facts["other seed, same losses"] = losses(job.seed + 1) == first
    prompt = job.text[:LOOP_WINDOW]
    samples = []
    for seed in (1, 2):
        torch.manual_seed(seed)
        samples.append(str(program.train.sample(model, vocabulary, prompt, LOOP_SAMPLE)))
    seen.facts["samples alike"] = samples[0] == samples[1]
    seen.facts["sample"] = samples[0]
    parts = in_parts(job.text, LOOP_WINDOW)
    tokens = read_tokens(program, model, vocabulary, parts, len(set(job.text)))
    if tokens is not None:
        characters = dict(zip(tokens.tolist(), job.text, strict=True))
        model.eval()  # as sampling does, whatever mode training leaves
        grown, _ = greedy(model, tokens[None, :LOOP_WINDOW], LOOP_SAMPLE, LOOP_WINDOW)
        seen.facts["expected sample"] = "".join(characters.get(t, "") for t in grown[0].tolist())
    return seen


def _led_to(step: Taken, model: nn.Module) -> bool:
    """Whether a model's parameters are those that a step left."""
    own = dict(model.named_parameters())
    return own.keys() == step.after.keys() and all(
        torch.equal(own[name].nan_to_num(), value.nan_to_num())
        for name, value in step.after.items()
    )


def rates(program: Program, job: Job) -> Recording:
    """The highest and the lowest rate of any group of parameters, (steps, 2), in a training."""
    seen = Recording()
    course = course_on(job, job.data, job.fields["block_size"])
    config = program.config(**{**job.fields, "steps": RATED, "warmup_steps": RATED_WARM_UP})
    set_: list[tuple[float, float]] = []

    def note(optimizer: Optimizer, *_: object) -> None:
        rates = [float(group["lr"]) for group in optimizer.param_groups]
        set_.append((max(rates), min(rates)))

    hook = register_optimizer_step_post_hook(note)
    try:
        with built_models(program, {**course.sizes, "n_layer": 1}):
            program.train.train(course.text, config, job.seed)
    finally:
        hook.remove()
    seen.facts["asked"] = float(config.learning_rate)
    seen.facts["warm-up"] = RATED_WARM_UP
    seen.tensors["rates"] = torch.tensor(set_)
    return seen
