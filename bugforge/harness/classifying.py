"""What a program does that classifies its tokens, beside what it does where it does not."""

import io
import re
import sys
from collections.abc import Iterator
from contextlib import contextmanager, redirect_stdout, suppress
from dataclasses import replace
from itertools import pairwise
from typing import Any

import torch
from torch import Tensor, nn
from torch.optim import Optimizer
from torch.optim.optimizer import register_optimizer_step_pre_hook

from .course import TIGHT, course_on, take
from .graphs import watched_for_graphs
from .job import Job, Recording
from .learning import expect
from .lookups import in_parts, read_tokens
from .notes import built_models
from .program import Program
from .taught import teach
from .weights import LARGE, carry

CLASSES = 4
"""As many as no other axis is long; what training asks for are two, odd and even."""

ODD_OR_EVEN = 2
LOOKED_AT = (1, 2)
"""Steps that are held against the model's own logits."""

NEW = 6
"""Tokens asked for behind a prompt."""

SEEN = ("base", "alone", "short")
"""Inputs whose tokens are classified, and learned."""

READ = (*SEEN, "one")
"""Inputs whose tokens are classified: rows of a single token, too."""

BRIEFLY = 3
"""Steps that are taken where `main` is looked at: none are needed."""

ROUNDED = 0.051
"""How far a printed share may lie from the one there is: it is rounded to a tenth at the worst."""

STEPS, ROWS = 150, 32
"""How long a training is that must learn which tokens are odd, and rows that it has not seen."""


def classifying(program: Program, job: Job) -> Recording:
    """Logits of tokens (B, T, V) and of their classes (B, T, K), with a classifier and without; the
    losses, in nats, that forward and training give, what they should be, and whom they teach; what
    is told of how many classes are right; and how many are behind a short training.
    """
    seen = Recording()
    plain, model = (program.build(**job.sizes, n_classes=classes) for classes in (0, CLASSES))
    seen.facts["parameters"] = {
        label: sorted(list(p.shape) for p in one.parameters())
        for label, one in (("without", plain), ("with", model))
    }
    for way, scale in (("given", 1.0), ("large", LARGE)):
        for one in (plain, model):
            carry(one, job.weights, job.pairing, scale)
        for mode in ("eval", "train"):
            for name in READ:
                _read(plain.train(mode == "train"), job, seen, f"without/{way}/{mode}/{name}")
                _read(model.train(mode == "train"), job, seen, f"with/{way}/{mode}/{name}")
    _losses(plain, model, job, seen)
    _taught(model, job, seen)
    _generated(plain, model, job, seen)
    _accuracies(program, job, seen)
    _steps(program, job, seen)
    _learned(program, job, seen)
    _main(program, seen)
    return seen


def _read(model: Any, job: Job, seen: Recording, label: str) -> None:
    """Record what forward gives for an input, and how many things it gives."""
    with torch.no_grad():
        given = model(job.inputs[label.rpartition("/")[2]].clone())
    seen.facts[f"gives/{label}"] = len(given)
    seen.tensors[f"logits/{label}"] = given[0]
    if label.startswith("with/"):
        seen.tensors[f"classes/{label}"] = given[2]


def _losses(plain: Any, model: Any, job: Job, seen: Recording) -> None:
    """Record the losses of forward with targets, with labels and with both, and what they should
    be. One loss may be right by chance; those of several inputs, and under two sizes of weights,
    are not.
    """
    drawing = torch.Generator().manual_seed(job.seed)
    for way, scale in (("given", 1.0), ("large", LARGE)):
        for one in (plain, model):
            carry(one.eval(), job.weights, job.pairing, scale)
        for name in SEEN:
            idx = job.inputs[name].clone()
            targets = torch.randint(job.sizes["vocab_size"], idx.shape, generator=drawing)
            labels = torch.randint(CLASSES, idx.shape, generator=drawing)
            with torch.no_grad():
                logits, nothing, classes = model(idx)
                of_tokens, of_classes = _mean(logits, targets), _mean(classes, labels)
                told, expected = {"labels": model(idx, labels=labels)[1]}, {"labels": of_classes}
                wanted = _as_wanted(plain, idx, targets)
                if wanted is not None:
                    told["targets"], expected["targets"] = model(idx, wanted)[1], of_tokens
                    told["without"], expected["without"] = plain(idx, wanted)[1], of_tokens
                    told["both"] = model(idx, wanted, labels=labels)[1]
                    expected["both"] = of_tokens + of_classes
            seen.facts[f"nothing/{way}/{name}"] = nothing is None
            for what, loss in told.items():
                seen.facts[f"loss/{way}/{name}/{what}"] = float(loss)
                seen.facts[f"expected/{way}/{name}/{what}"] = expected[what]


def _as_wanted(plain: Any, idx: Tensor, targets: Tensor) -> Tensor | None:
    """Give targets (B, T) as a program wants them: as they are, or, where it shifts in forward,
    with the token before them (B, T + 1); None where it takes neither for tokens (B, T).
    """
    for wanted in (targets, torch.cat((idx[:, :1], targets), dim=1)):
        with suppress(RuntimeError, ValueError):  # what torch raises for sizes that do not fit
            plain(idx, wanted)
            return wanted
    return None


def _taught(model: Any, job: Job, seen: Recording) -> None:
    """Record the gradients that the loss of labels alone leads to, by the names that are ours."""
    carry(model.eval(), job.weights, job.pairing)
    idx = job.inputs["base"].clone()
    loss = model(idx, labels=(idx + job.inputs["other"]) % CLASSES)[1]
    teach(model, loss, job, seen)


def _mean(logits: Tensor, wanted: Tensor) -> float:
    return nn.functional.cross_entropy(logits.flatten(0, 1), wanted.flatten()).item()


def _generated(plain: Any, model: Any, job: Job, seen: Recording) -> None:
    """Record the greedy tokens behind each prompt, and some that are drawn, with a classifier and
    without.
    """
    for number, scale in enumerate((1.0, -LARGE)):
        for label, one in (("with", model), ("without", plain)):
            carry(one.eval(), job.weights, job.pairing, scale)
            for name in ("prompt", "prompt beyond the context"):
                grown = one.generate(job.inputs[name].clone(), NEW, temperature=0)
                seen.tensors[f"generated/{label}/{number}/{name}"] = grown
                torch.manual_seed(job.seed)
                drawn = one.generate(job.inputs[name].clone(), NEW, temperature=1.5, top_k=3)
                seen.tensors[f"generated/{label}/{number}/{name}, drawn"] = drawn


def _accuracies(program: Program, job: Job, seen: Recording) -> None:
    """Record what `accuracy` tells of models that classify by chance, what it should tell, how it
    reads them, and whether it leaves the mode as it was.
    """
    model = program.build(**job.sizes, n_classes=ODD_OR_EVEN)
    for number, scale in enumerate((1.0, -1.0, LARGE)):
        carry(model, job.weights, job.pairing, scale)
        for name in READ:
            idx = job.inputs[name]
            model.eval()
            with torch.no_grad():
                right = model(idx.clone())[2].argmax(-1) == idx % ODD_OR_EVEN
            label = f"{number}/{name}"
            seen.facts[f"right/{label}"] = right.float().mean().item()
            seen.facts[f"told/{label}"] = float(program.train.accuracy(model, idx.clone()))
    for was_training in (True, False):
        model.train(was_training)
        with watched_for_graphs() as watch:
            program.train.accuracy(model, job.inputs["base"].clone())
        seen.facts[f"graph/{was_training}"] = watch.found
        seen.facts[f"restored/{was_training}"] = bool(model.training == was_training)


def _steps(program: Program, job: Job, seen: Recording) -> None:
    """Record the losses and gradients of training steps with a classifier, and what they should be
    by the model's own logits; and how large gradients are that are clipped.
    """
    course = course_on(job, job.data, job.fields["block_size"])
    trained = take(program, job, course, n_classes=ODD_OR_EVEN)
    training, steps = trained.training, trained.training.steps
    seen.facts["steps"] = len(steps)
    for number in LOOKED_AT:
        if training.model is None or number > len(steps) or not steps[number - 1].rows:
            continue
        step = steps[number - 1]
        seen.facts[f"{number}/loss"] = trained.losses[number - 1]
        for name, gradient in step.gradients.items():
            seen.tensors[f"{number}/handed/{name}"] = gradient
        expect(training.model, step, trained.order[job.data], seen, number)
        _expect_classes(training.model, torch.cat(step.rows), seen, number)
    clipped = take(program, job, replace(course, grad_clip=TIGHT), n_classes=ODD_OR_EVEN)
    handed = [step.gradients.values() for step in clipped.training.steps]
    seen.facts["clipped"] = [
        torch.stack([gradient.norm() for gradient in some]).norm().item() for some in handed if some
    ]


def _expect_classes(model: nn.Module, rows: Tensor, seen: Recording, number: int) -> None:
    """Add to what is expected of a step the loss of the classes of its rows (B, T), and what that
    teaches.
    """
    if f"{number}/expected loss" not in seen.facts:
        return
    loss = nn.functional.cross_entropy(model(rows)[2].flatten(0, 1), (rows % ODD_OR_EVEN).flatten())
    seen.facts[f"{number}/expected loss"] += loss.item()
    learned = {name: p for name, p in model.named_parameters() if p.requires_grad}
    gradients = torch.autograd.grad(loss, list(learned.values()), allow_unused=True)
    for name, gradient in zip(learned, gradients, strict=True):
        if gradient is not None:
            label = f"{number}/expected/{name}"
            seen.tensors[label] = seen.tensors.get(label, 0) + gradient


def _learned(program: Program, job: Job, seen: Recording) -> None:
    """Record what a short training with a classifier leads to: the share of tokens in rows never
    seen that are classified rightly, and the mean cross-entropy, in nats, of the text; and at how
    many rates and decays parameters are trained side by side.
    """
    config = program.config(n_classes=ODD_OR_EVEN, steps=STEPS)
    torch.manual_seed(job.seed)
    with built_models(program, {}) as built, _ways() as ways:
        model, vocabulary, *_ = program.train.train(job.text, config, job.seed)
    seen.facts["ways"] = max(map(len, ways), default=0)
    vocab = int(built[0].config.vocab_size)
    idx = torch.randint(vocab, (ROWS, int(config.block_size)))
    model.eval()
    with torch.no_grad():
        right = model(idx)[2].argmax(-1) == idx % ODD_OR_EVEN
    seen.facts["learned"] = right.float().mean().item()
    parts = in_parts(job.text, int(config.block_size))
    tokens = read_tokens(program, model, vocabulary, parts, vocab)
    if tokens is not None:
        windows = tokens.unfold(0, int(config.block_size) + 1, 1)  # (N, T + 1)
        with torch.no_grad():
            logits = model(windows[:, :-1])[0]
        seen.facts["language"] = _mean(logits, windows[:, 1:])


@contextmanager
def _ways() -> Iterator[list[set[tuple[float, float]]]]:
    """Note for each step of an optimizer the rates and decays that its parameters have."""
    noted: list[set[tuple[float, float]]] = []

    def note(optimizer: Optimizer, *_: object) -> None:
        groups = optimizer.param_groups
        noted.append({(float(group["lr"]), group.get("weight_decay", 0.0)) for group in groups})

    hook = register_optimizer_step_pre_hook(note)
    try:
        yield noted
    finally:
        hook.remove()


def _main(program: Program, seen: Recording) -> None:
    """Record how many classes `main` trains, how often it measures accuracy then, and whether it
    prints what it measured. Its training is cut short.
    """
    own = program.train
    train, accuracy = own.train, own.accuracy
    asked: list[int] = []
    told: list[float] = []

    def briefly(text: str, config: Any, *args: Any, **kwargs: Any) -> Any:
        asked.append(int(config.n_classes))
        short = replace(config, steps=BRIEFLY)
        model, vocabulary, losses, *more = train(text, short, *args, **kwargs)
        # It may print the loss of any step.
        return model, vocabulary, [*losses, *losses[-1:] * (config.steps - BRIEFLY)], *more

    def noting(*args: Any, **kwargs: Any) -> Any:
        given = accuracy(*args, **kwargs)
        told.append(float(given))
        return given

    own.train, own.accuracy = briefly, noting  # type: ignore[attr-defined]
    argv, sys.argv = sys.argv, ["train.py"]
    try:
        with redirect_stdout(io.StringIO()) as printed:
            own.main()
        seen.facts["main ends"] = True
    except BaseException:  # noqa: BLE001  # where main itself fails, others see it
        seen.facts["main ends"] = False
    finally:
        own.train, own.accuracy = train, accuracy  # type: ignore[attr-defined]
        sys.argv = argv
    numbers = [float(number) for number in re.findall(r"\d+(?:\.\d+)?", printed.getvalue())]
    seen.facts["main trains"] = asked
    seen.facts["main measures"] = len(told)
    # As a share, in percent, or as so many of so many.
    counted = [some / all_ for some, all_ in pairwise(numbers) if all_]
    shares = [*numbers, *(number / 100 for number in numbers), *counted]
    seen.facts["main prints"] = any(
        abs(printed_share - share) < ROUNDED for share in told for printed_share in shares
    )
