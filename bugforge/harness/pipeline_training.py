"""Instruments that call the training of a pipeline, in short and in whole."""

import contextlib
import dataclasses
import hashlib
import io
import sys
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import torch
from torch.optim.optimizer import register_optimizer_step_pre_hook

from .job import Recording
from .pipeline_watch import METRICS, Watch, types_used, watched

SHORT = {"rows": 60, "held_out": 0.7, "batch_size": 4, "epochs": 3}
"""Fields of a short training: 3 epochs of 5 batches, the last of which is short. So many rows are
held out that no class is missing among them, where ROC-AUC would mean nothing.
"""

EPOCHS, BATCHES, LONGER = 3, 5, 6

OVERFLOWING = {"half": True, "token_weight": 5000.0}
"""What makes gradients overflow in half precision, until the scale of the loss has come down."""


def training(program: Any, job: Any) -> Recording:
    """A short training: its rates, what decays, and the weights that it ends with; which rows it
    learns and which it judges, and what it tells of both. Then one with the same seed, and one
    with another.
    """
    seen = Recording()
    config = program.config({**job.fields, **SHORT}, job.sizes)
    with watched(program) as watch:
        model, losses, evaluations = program.train.train(config, job.seed)
    seen.facts["losses"], seen.facts["evaluations"] = len(losses), len(evaluations)
    seen.facts["rates"] = [[group["lr"] for group in groups] for groups in watch.steps]
    known = {id(p): name for name, p in model.named_parameters()}
    seen.facts["axes"] = {name: p.dim() for name, p in model.named_parameters()}
    seen.facts["decays"] = {
        known[id(p)]: group["weight_decay"]
        for group in (watch.steps[0] if watch.steps else [])
        for p in group["params"]
        if id(p) in known
    }
    _keep(seen, "first", model)
    _keep_rows(seen, watch)
    seen.facts["told"] = {
        "losses": [float(loss) for loss in losses],
        "graphs": sum(isinstance(loss, torch.Tensor) and loss.requires_grad for loss in losses),
        "evaluations": [{name: float(one[name]) for name in METRICS} for one in evaluations],
    }
    seen.facts["losses worked out"] = _losses(program, config, watch)
    seen.tensors["begun/first"], read = watch.begun
    torch.manual_seed(job.seed + 7)  # what a program leaves to chance is other now
    _keep(seen, "again", program.train.train(config, job.seed)[0])
    torch.manual_seed(job.seed)
    with watched(program) as watch:
        _keep(seen, "other", program.train.train(config, job.seed + 1)[0])
    seen.tensors["begun/other"], read_otherwise = watch.begun
    seen.facts["read alike"] = read == read_otherwise
    rows = [program.data.draw_rows(60, torch.Generator().manual_seed(n)) for n in (1, 1, 2)]
    told = [[(t.tolist(), label) for t, label in some] for some in rows]
    seen.facts["rows of seeds"] = [told[0] == told[1], told[0] == told[2]]
    return seen


def _keep_rows(seen: Recording, watch: Watch) -> None:
    """Keep the rows that each epoch learns, by their numbers; and behind each, scores of all rows
    that no epoch learns, and their labels.
    """
    ends = [BATCHES * (epoch + 1) for epoch in range(EPOCHS)]
    epochs = [watch.learned(end - BATCHES, end) for end in ends]
    seen.facts["rows"] = len(watch.drawn)
    seen.facts["drawn alike"] = len(watch.drawn) - len(watch.places)
    seen.facts["epochs"] = epochs
    seen.facts["steps out of mode"] = watch.steps_out_of_mode
    held_out = set(watch.places.values()) - {row for rows in epochs for row in rows}
    for number, end in enumerate(ends):
        scores = {row: logits for row, logits in watch.judged(end).items() if row in held_out}
        seen.facts[f"missed {number}"] = len(held_out) - len(scores)
        if scores:
            seen.tensors[f"scores/{number}"] = torch.stack(list(scores.values()))
            seen.tensors[f"truth/{number}"] = torch.tensor([watch.drawn[row][1] for row in scores])


def _losses(program: Any, config: Any, watch: Watch) -> list[float | None]:
    """Work out the loss of each step from the logits of its pass; None where it has not just one,
    or reads what was not drawn.
    """
    losses: list[float | None] = []
    for step in range(EPOCHS * BATCHES):
        passes = [one for one in watch.passes if one.learns and one.step == step]
        numbers = watch.numbers(passes[0]) if len(passes) == 1 else [-1]
        if -1 in numbers:
            losses.append(None)
            continue
        labels = torch.tensor([watch.drawn[row][1] for row in numbers])
        tokens = passes[0].tokens
        told = program.objective.objective(passes[0].logits, tokens, labels, config.token_weight)
        losses.append(float(told))
    return losses


def resuming(program: Any, job: Any) -> Recording:
    """The weights at the end of a training that stopped on the way, and of one that did not; and
    how many checkpoints this has written, as the first step behind each sees.
    """
    return _resumed(program, job, {"epochs": LONGER})


def resuming_in_half(program: Any, job: Any) -> Recording:
    """The same in half precision, where gradients overflow at first; and the rates of its steps."""
    return _resumed(program, job, OVERFLOWING)


def _resumed(program: Any, job: Any, fields: dict[str, Any]) -> Recording:
    seen = Recording()
    config = program.config({**job.fields, **SHORT, **fields}, {**job.sizes, "dropout": 0.1})
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "state.pt"
        program.train.train(config, job.seed, path=path, until=1)
        torch.manual_seed(job.seed + 7)
        _keep(seen, "resumed", program.train.train(config, job.seed, path=path)[0])
        path = Path(folder) / "other.pt"
        with _kept_at_steps(path) as (kept, rates):
            model = program.train.train(config, job.seed, path=path)[0]
        _keep(seen, "straight", model)
        kept.append(_digest(path))
    seen.facts["checkpoints"] = len({one for one in kept if one})
    seen.facts["rates"] = rates
    return seen


@contextmanager
def _kept_at_steps(path: Path) -> Iterator[tuple[list[str], list[float]]]:
    """Note what lies in a file at each step of an optimizer, and the rate of that."""
    kept: list[str] = []
    rates: list[float] = []

    def note(optimizer: torch.optim.Optimizer, *_: Any) -> None:
        kept.append(_digest(path))
        rates.append(optimizer.param_groups[0]["lr"])

    hook = register_optimizer_step_pre_hook(note)
    try:
        yield kept, rates
    finally:
        hook.remove()


def _digest(path: Path) -> str:
    """Give the digest of a file; nothing where there is none."""
    return hashlib.sha256(path.read_bytes()).hexdigest() if path.exists() else ""


def run(program: Any, job: Any) -> Recording:
    """What `python train.py` does, with and without `--half`, where fields of TrainConfig are those
    of a short training by default: how many steps it takes, and in which types it computes.
    """
    seen = Recording()
    fields = {**job.fields, **SHORT, "epochs": 2}
    del fields["half"]
    fields["model"] = program.model.ModelConfig(**job.sizes)
    for name, flags in (("plain", []), ("half", ["--half"])):
        with (
            _by_default(program.train.TrainConfig, fields),
            _started(flags),
            watched(program) as watch,
            types_used() as used,
        ):
            program.train.main()
        seen.facts[f"{name}/steps"], seen.facts[f"{name}/types"] = len(watch.steps), sorted(used)
    return seen


@contextmanager
def _by_default(config: Any, fields: dict[str, Any]) -> Iterator[None]:
    """Have a class of configurations begin with some fields, where they are not given."""
    own = config.__init__

    def init(self: Any, *given: Any, **named: Any) -> None:
        free = [one.name for one in dataclasses.fields(config)][len(given) :]
        own(self, *given, **{n: v for n, v in fields.items() if n in free} | named)

    config.__init__ = init
    try:
        yield
    finally:
        config.__init__ = own


@contextmanager
def _started(flags: list[str]) -> Iterator[None]:
    """Have a program think that it was started with these flags, in an empty folder, by somebody
    who does not look; it may end as programs do.
    """
    before = sys.argv
    sys.argv = ["train.py", *flags]
    try:
        with (
            tempfile.TemporaryDirectory() as folder,
            contextlib.chdir(folder),
            contextlib.redirect_stdout(io.StringIO()),
        ):
            yield
    except SystemExit as end:
        if end.code:
            raise
    finally:
        sys.argv = before


def whole(program: Any, job: Any) -> Recording:
    """Logits (N, n_class) that a trained model gives to rows drawn elsewhere."""
    seen = Recording()
    model = program.train.train(program.train.TrainConfig(), job.seed)[0]
    model.eval()
    with torch.no_grad():
        tokens, lengths = job.inputs["unseen tokens"], job.inputs["unseen lengths"]
        seen.tensors["logits"] = model(tokens, lengths)[0]
    return seen


def _keep(seen: Recording, name: str, model: Any) -> None:
    for parameter, value in model.named_parameters():
        seen.tensors[f"{name}/{parameter}"] = value.detach().clone()
