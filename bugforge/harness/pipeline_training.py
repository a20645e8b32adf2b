"""Instruments that call the training of a pipeline, in short and in whole."""

import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import torch
from torch.optim.optimizer import register_optimizer_step_pre_hook

from .job import Recording

SHORT = {"rows": 24, "held_out": 0.25, "batch_size": 4, "epochs": 3}
"""Fields of a short training: 3 epochs of 5 batches, the last of which is short."""


def training(program: Any, job: Any) -> Recording:
    """A short training: its rates, what decays, and the weights that it ends with; then with the
    same seed, and with another.
    """
    seen = Recording()
    config = program.config({**job.fields, **SHORT}, job.sizes)
    with _steps() as taken:
        model, losses, evaluations = program.train.train(config, job.seed)
    seen.facts["losses"], seen.facts["evaluations"] = len(losses), len(evaluations)
    seen.facts["rates"] = [[group["lr"] for group in groups] for groups in taken]
    known = {id(p): name for name, p in model.named_parameters()}
    seen.facts["axes"] = {name: p.dim() for name, p in model.named_parameters()}
    seen.facts["decays"] = {
        known[id(p)]: group["weight_decay"]
        for group in (taken[0] if taken else [])
        for p in group["params"]
        if id(p) in known
    }
    _keep(seen, "first", model)
    torch.manual_seed(job.seed + 7)  # what a program leaves to chance is other now
    _keep(seen, "again", program.train.train(config, job.seed)[0])
    torch.manual_seed(job.seed)
    _keep(seen, "other", program.train.train(config, job.seed + 1)[0])
    rows = [program.data.draw_rows(60, torch.Generator().manual_seed(n)) for n in (1, 1, 2)]
    told = [[(t.tolist(), label) for t, label in some] for some in rows]
    seen.facts["rows of seeds"] = [told[0] == told[1], told[0] == told[2]]
    return seen


def resuming(program: Any, job: Any) -> Recording:
    """The weights at the end of a training that stopped on the way, and of one that did not."""
    seen = Recording()
    fields = {**job.fields, **SHORT}
    config = program.config(fields, {**job.sizes, "dropout": 0.1})
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "state.pt"
        program.train.train(config, job.seed, path=path, until=1)
        torch.manual_seed(job.seed + 7)
        _keep(seen, "resumed", program.train.train(config, job.seed, path=path)[0])
    _keep(seen, "straight", program.train.train(config, job.seed)[0])
    return seen


def whole(program: Any, job: Any) -> Recording:
    """Logits (N, n_class) that a trained model gives to rows drawn elsewhere."""
    seen = Recording()
    model = program.train.train(program.train.TrainConfig(), job.seed)[0]
    model.eval()
    with torch.no_grad():
        tokens, lengths = job.inputs["unseen tokens"], job.inputs["unseen lengths"]
        seen.tensors["logits"] = model(tokens, lengths)[0]
    return seen


@contextmanager
def _steps() -> Iterator[list[list[dict[str, Any]]]]:
    """Note the groups of parameters at each step of an optimizer."""
    taken: list[list[dict[str, Any]]] = []
    hook = register_optimizer_step_pre_hook(
        lambda optimizer, *_: taken.append([dict(group) for group in optimizer.param_groups])
    )
    try:
        yield taken
    finally:
        hook.remove()


def _keep(seen: Recording, name: str, model: Any) -> None:
    for parameter, value in model.named_parameters():
        seen.tensors[f"{name}/{parameter}"] = value.detach().clone()
