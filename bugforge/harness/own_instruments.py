"""Instruments for a model of a user's own program: each records one behaviour that it may have.

Weights are given by role, so that a program may rename its layers; where a model lacks what an
instrument asks for, that is an error like any other, and the command judges by the others.
"""

import inspect
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from types import ModuleType
from typing import Any

import torch
from torch import Tensor, nn

from .job import Recording
from .own_building import Sizes, Subject, example
from .own_functions import FUNCTIONS
from .own_loading import BATCH, BLOCK, USUAL, VOCAB
from .unwritten import poisoned_memory
from .weights import LARGE, Pairing, by_given_name, carry

ROUNDS = 6
"""Fresh models whose beginnings are looked at."""
SAMPLES = 1000
BEHIND = (("short", 1), ("short", 3), ("beyond", 1), ("beyond", 3))
"""Behind which prompt how many tokens are drawn; the last of them are counted."""
LONGEST_DRAWN = 64
"""Tokens of a context; behind longer ones none are drawn, since that takes its time."""
BEYOND = 4
"""Tokens that a prompt has more than the context."""
ROWS = 6
NEW = 5
TARGETS = {"target", "targets", "label", "labels", "y", "tgt"}
HYPERPARAMETERS = Sizes(
    USUAL,
    weight_decay=0.1,
    learning_rate=1e-2,
    lr=1e-2,
    betas=(0.9, 0.95),
    beta1=0.9,
    beta2=0.95,
    eps=1e-8,
)
SAMPLINGS: dict[str, dict[str, float | int]] = {
    "by default": {},
    "cold": {"temperature": 0.5},
    "hot": {"temperature": 2.0},
    "hot, three kept": {"temperature": 2.0, "top_k": 3},
    "more kept than there are": {"top_k": 1000},
    "the likeliest half": {"top_p": 0.5},
    "hot, the likeliest half": {"temperature": 4.0, "top_p": 0.5},
}


class NotThereError(Exception):
    """The program has nothing that this instrument could look at."""


@dataclass(frozen=True)
class OwnJob:
    """What an instrument is given: the program, the model to build, weights by name, tokens by
    name, and a seed.
    """

    modules: dict[str, ModuleType]
    subject: Subject
    weights: dict[str, Tensor]
    pairing: Pairing
    inputs: dict[str, Tensor]
    seed: int

    @property
    def is_longer(self) -> bool:
        """Whether the model reads more tokens than it was asked to."""
        return (self.subject.context or 0) > BLOCK

    def tokens(self, rows: int, beyond: int) -> Tensor:
        """Draw as many tokens (B, T) as the model reads, and some beyond."""
        generator = torch.Generator().manual_seed(self.seed)
        length = (self.subject.context or BLOCK) + beyond
        return torch.randint(VOCAB, (rows, length), generator=generator)

    def model(self, scale: float = 1.0) -> nn.Module:
        """Build the model, with the given weights."""
        model = self.subject.build(self.modules)
        carry(model, self.weights, self.pairing, scale)
        return model


def construct(job: OwnJob) -> Recording:
    """How many numbers (n,), mean and spread of each parameter have in models as they are built,
    by given name; and what is trained.
    """
    seen = Recording()
    drawn: dict[str, list[Tensor]] = {}
    for round_ in range(ROUNDS):
        torch.manual_seed(job.seed + round_)
        with poisoned_memory():
            model = job.subject.build(job.modules)
        names = by_given_name(model, job.weights, job.pairing)
        for own, parameter in model.named_parameters():
            drawn.setdefault(names[own].name, []).append(parameter.detach().flatten().double())
            seen.facts[f"trainable/{names[own].name}"] = parameter.requires_grad
            seen.facts[f"size/{names[own].name}"] = parameter.numel()
    for name, values in drawn.items():
        every = torch.cat(values)
        seen.tensors[name] = torch.stack((every.mean(), every.std(correction=0)))
    return seen


def forward(job: OwnJob) -> Recording:
    """What the model gives for every input, in both modes, under given and larger weights."""
    seen = Recording()
    for size, scale in (("given", 1.0), ("large", LARGE)):
        model = job.model(scale)
        for mode in ("eval", "train"):
            model.train(mode == "train")
            for name, given in _inputs(job).items():
                with torch.no_grad():
                    for number, out in enumerate(parts(model(given.clone()))):
                        seen.tensors[f"{size}/{mode}/{name}/{number}"] = out.clone()
    return seen


def targets(job: OwnJob) -> Recording:
    """What the model gives for tokens and targets, in both modes; some left out by -1, too, where
    it takes that.
    """
    seen = Recording()
    model = job.model()
    if not _takes_targets(model):
        raise NotThereError("its forward takes no targets")
    idx, wanted = job.inputs["base"], job.inputs["other"]
    for mode in ("eval", "train"):
        model.train(mode == "train")
        with torch.no_grad():
            for number, out in enumerate(_with_loss(model, idx, wanted)):
                seen.tensors[f"{mode}/{number}"] = out.clone()
    some = wanted.clone()
    some[:, ::3] = -1
    try:
        with torch.no_grad():
            outs = _with_loss(model, idx, some)
    except (IndexError, RuntimeError):  # what torch raises for a class that is none
        return seen
    for number, out in enumerate(outs):
        seen.tensors[f"left out/{number}"] = out.clone()
    return seen


def gradient(job: OwnJob) -> Recording:
    """The gradient of each parameter, by given name, after one pass back."""
    seen = Recording()
    model = job.model()
    model.train()
    _learnt(job, model).backward()  # type: ignore[no-untyped-call]
    names = by_given_name(model, job.weights, job.pairing)
    for own, parameter in model.named_parameters():
        if parameter.grad is not None:
            seen.tensors[names[own].name] = names[own].read(parameter.grad)
    return seen


def optimizer(job: OwnJob) -> Recording:
    """Where the optimizer that the model or its file makes leads, in three steps along gradients
    that are given; by given name.
    """
    seen = Recording()
    model = job.model()
    made = _made_optimizer(job, model)
    names = by_given_name(model, job.weights, job.pairing)
    generator = torch.Generator().manual_seed(job.seed)
    noise = {name: torch.randn(w.shape, generator=generator) for name, w in job.weights.items()}
    for _ in range(3):
        for own, parameter in model.named_parameters():
            given = names[own].name
            if given in noise:
                parameter.grad = noise[given].reshape(parameter.shape).clone()
        made.step()
    for own, parameter in model.named_parameters():
        seen.tensors[names[own].name] = names[own].read(parameter.detach())
    return seen


def decode(job: OwnJob) -> Recording:
    """How often each token (V,) is drawn first and third behind prompts, under the settings that
    it takes; which tokens (B, N) it takes greedily, where it can be asked to; and its mode.
    """
    seen = Recording()
    model = job.model(0.5)
    model.eval()
    generate = _generating(job, model)
    prompts = {name: job.inputs[name] for name in ("short", "prompts")}
    prompts["beyond"] = job.tokens(ROWS, BEYOND)
    drawn_behind = [
        (prompt, new) for prompt, new in BEHIND if prompts[prompt].size(1) <= LONGEST_DRAWN
    ]
    for label, wanted in SAMPLINGS.items():
        if not wanted.keys() <= generate.known.keys():
            continue
        for prompt, new in drawn_behind[:: 1 if label == "by default" else 2]:
            rows = prompts[prompt][:1].repeat(SAMPLES, 1)
            torch.manual_seed(job.seed)
            try:
                drawn = generate(rows, new, wanted)[:, -1]
            except RuntimeError:  # what torch raises where more are to be kept than there are
                if wanted.get("top_k", 0) <= VOCAB:
                    raise
            else:
                seen.tensors[f"counts/{label}/{prompt}/{new}"] = drawn.bincount(minlength=VOCAB)
    for was_training in (True, False):
        model.train(was_training)
        generate(job.inputs["short"].clone(), 1, {})
        seen.facts[f"mode/{was_training}"] = bool(model.training)
    carry(model, job.weights, job.pairing)
    model.eval()
    greedily = _greedily(generate.known)
    if greedily is not None:
        for prompt in ("prompts", "beyond"):
            seen.tensors[f"greedy/{prompt}"] = generate(prompts[prompt].clone(), NEW, greedily)
    return seen


def parts(out: Any) -> Iterator[Tensor]:
    """Give the tensors that a model's output is made of, in order."""
    if isinstance(out, Tensor):
        yield out
    elif isinstance(out, dict):
        for value in out.values():
            yield from parts(value)
    elif isinstance(out, list | tuple):
        for value in out:
            yield from parts(value)


def _inputs(job: OwnJob) -> dict[str, Tensor]:
    if not job.subject.tokens:
        return {f"of {length}": example(tokens=False, length=length) for length in (BLOCK, 7, 1)}
    read = {name: idx for name, idx in job.inputs.items() if idx.size(1) <= BLOCK}
    return {**read, "longest": job.tokens(BATCH, 0)} if job.is_longer else read


def _takes_targets(model: nn.Module) -> bool:
    names = list(inspect.signature(model.forward).parameters)
    return len(names) > 1 and names[1] in TARGETS


def _with_loss(model: nn.Module, idx: Tensor, wanted: Tensor) -> list[Tensor]:
    """Give what the model makes of tokens and targets, a loss that it keeps last."""
    outs = list(parts(model(idx.clone(), wanted.clone())))
    kept = (value for name, value in vars(model).items() if "loss" in name)
    return [*outs, *(value for value in kept if isinstance(value, Tensor))]


def _learnt(job: OwnJob, model: nn.Module) -> Tensor:
    """Give what the model is to make small: its loss, or a sum over what it gives."""
    if job.subject.tokens and _takes_targets(model):
        outs = _with_loss(model, job.inputs["base"], job.inputs["other"])
        losses = [out for out in outs if out.dim() == 0]
        if losses:
            return losses[-1]
    given = job.inputs["base"].clone() if job.subject.tokens else example(tokens=False)
    outs = [out for out in parts(model(given)) if out.is_floating_point()]
    generator = torch.Generator().manual_seed(job.seed)
    return torch.stack([(o * torch.randn(o.shape, generator=generator)).sum() for o in outs]).sum()


def _made_optimizer(job: OwnJob, model: nn.Module) -> Any:
    for name in ("configure_optimizers", "configure_optimizer", "make_optimizer"):
        method = getattr(model, name, None)
        function = getattr(job.modules[job.subject.file], name, None)
        for make, before in ((method, ()), (function, (model,))):
            if make is not None:
                rest = list(inspect.signature(make).parameters.items())[len(before) :]
                return make(*before, **{n: _hyperparameter(n) for n, p in rest if _asked(n, p)})
    raise NotThereError("it makes no optimizer by a method that Bugforge knows")


def _asked(name: str, parameter: inspect.Parameter) -> bool:
    return parameter.default is parameter.empty or name in HYPERPARAMETERS


def _hyperparameter(name: str) -> Any:
    return HYPERPARAMETERS.get(name, HYPERPARAMETERS)


@dataclass(frozen=True)
class Generating:
    """What continues tokens: a function with the parameters it has, and what it is always given."""

    function: Callable[..., Any]
    known: dict[str, inspect.Parameter]
    always: dict[str, Any]

    def __call__(self, idx: Tensor, new: int, given: dict[str, Any]) -> Tensor:
        """Continue tokens (B, N)."""
        rest = [name for name in self.known if name not in self.always]
        draws = {"do_sample": True} if "do_sample" in self.known else {}
        told = {**draws, **self.always, rest[0]: idx, rest[1]: new, **given}
        with torch.no_grad():
            return next(parts(self.function(**told)))


def _generating(job: OwnJob, model: nn.Module) -> Generating:
    """Find what continues tokens: a method of the model's, or a function of its file's."""
    made: list[Any] = [model.generate] if hasattr(model, "generate") else []
    own = vars(job.modules[job.subject.file]).items()
    made += [f for name, f in own if name.startswith("generate") and inspect.isfunction(f)]
    for function in made:
        known = dict(inspect.signature(function).parameters)
        names = [name for name in known if name != "model"]
        if len(names) > 1:
            needed = [n for n in names[2:] if known[n].default is inspect.Parameter.empty]
            always = {name: USUAL.get(name) for name in needed}
            return Generating(
                function, known, {**always, **({"model": model} if "model" in known else {})}
            )
    raise NotThereError("it has no generate that Bugforge knows to call")


def _greedily(known: dict[str, inspect.Parameter]) -> dict[str, Any] | None:
    """Say how to ask for the likeliest token, where that can be done."""
    if "do_sample" in known:
        return {"do_sample": False}
    if "top_k" in known:
        return {"top_k": 1}
    return {"temperature": 1e-3} if "temperature" in known else None


def of_functions(name: str) -> Callable[[OwnJob], Recording]:
    """Make an instrument of one that looks at functions and at no model."""
    return lambda job: FUNCTIONS[name](job.modules)


OWN_INSTRUMENTS: dict[str, Callable[[OwnJob], Recording]] = {
    "construct": construct,
    "forward": forward,
    "targets": targets,
    "gradient": gradient,
    "optimizer": optimizer,
    "decode": decode,
    "batch": of_functions("batch"),
    "schedule": of_functions("schedule"),
}
