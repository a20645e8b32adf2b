"""Instruments of a training pipeline: what each of its modules does with given weights and rows."""

import importlib
import sys
from collections.abc import Callable
from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path
from typing import Any

import torch
from safetensors.torch import load_file, save_file
from torch import Tensor, nn

from .job import Recording
from .pipeline_training import resuming, resuming_in_half, run, training, whole
from .pipeline_watch import types_used
from .program import ContractError

NAMES = {
    "data": ("draw_rows", "split", "collate", "batches"),
    "model": ("ModelConfig", "Classifier"),
    "stream": ("Stream",),
    "objective": ("objective",),
    "optim": ("make_optimizer", "make_schedule"),
    "evaluate": ("predict", "metrics"),
    "checkpoint": ("save", "load"),
    "train": ("TrainConfig", "prepare", "train_step", "train", "main"),
}
"""What each module of a pipeline must have, by its name."""

DRAWN = 600
"""Rows that a program draws."""

STEPS = 3
TRIES = 6
"""Steps in half precision, of which a scaler may skip some."""

FAINT = {"token_weight": 1e-6}
"""What makes gradients of the tokens' head too small for half precision, unless they are scaled."""

COURSES: tuple[tuple[str, dict[str, Any], int], ...] = (
    ("full", {}, STEPS),
    ("half", {"half": True}, TRIES),
    ("faint in full", FAINT, 1),
    ("faint in half", {**FAINT, "half": True}, TRIES),
)
"""Steps that are taken from the same weights: their name, fields of TrainConfig, how many."""

ENLARGED = 3.0
"""Makes scores of attention so large that their exponentials are beyond half precision."""

VAST = 10.0
"""Makes some of the scores lower than what a program may take to be low enough for a hidden one."""


class Pipeline:
    """The modules of a program, by their names."""

    def __init__(self, folder: Path) -> None:
        """Import the program. Raises whatever its code raises, and ContractError."""
        sys.path.insert(0, str(folder))
        for name, wanted in NAMES.items():
            if not (folder / f"{name}.py").is_file():
                raise ContractError(f"{name}.py is missing")
            module = importlib.import_module(name)
            for one in wanted:
                if not hasattr(module, one):
                    raise ContractError(f"{name}.py has no {one}")
            setattr(self, name, module)

    def __getattr__(self, name: str) -> Any:
        raise AttributeError(name)

    def build(self, sizes: dict[str, Any], weights: dict[str, Tensor] | None = None) -> Any:
        """Build a model of the given sizes, with given weights."""
        model = self.model.Classifier(self.model.ModelConfig(**sizes))
        if weights is not None:
            model.load_state_dict(weights)
        return model

    def config(self, fields: dict[str, Any], sizes: dict[str, Any]) -> Any:
        """Give its configuration, some fields and all sizes of the model replaced."""
        model = self.model.ModelConfig(**sizes)
        return replace(self.train.TrainConfig(), model=model, **fields)


@dataclass(frozen=True)
class PipelineJob:
    """What an instrument is given: sizes of the model, fields of TrainConfig, weights by name,
    tensors by name, and a seed.
    """

    sizes: dict[str, Any]
    fields: dict[str, Any]
    weights: dict[str, Tensor]
    inputs: dict[str, Tensor]
    seed: int

    @property
    def rows(self) -> list[tuple[Tensor, int]]:
        """The given rows, as a program has them: no two are alike."""
        given = self.inputs
        lengths, labels = given["lengths"].tolist(), given["labels"].tolist()
        return [
            (tokens[:length].clone(), label)
            for tokens, length, label in zip(given["tokens"], lengths, labels, strict=True)
        ]

    @property
    def batch(self) -> tuple[Tensor, Tensor, Tensor]:
        """The first of the given rows, as a batch."""
        tokens, lengths, labels = (self.inputs[n][:6] for n in ("tokens", "lengths", "labels"))
        return tokens.clone(), lengths.clone(), labels.clone()


def instruments(program: Pipeline, spec: dict[str, Any]) -> dict[str, Callable[[], Recording]]:
    """Give the instruments that record a pipeline, by name."""
    weights_file = Path(spec["weights"])
    if spec["draw_weights"]:
        save_file(_drawn(program.build(spec["sizes"]), spec["seed"]), weights_file)
    job = PipelineJob(
        sizes=spec["sizes"],
        fields=spec["fields"],
        weights=load_file(weights_file),
        inputs=load_file(spec["inputs"]),
        seed=spec["seed"],
    )
    return {name: partial(record, program, job) for name, record in INSTRUMENTS.items()}


def _drawn(model: nn.Module, seed: int) -> dict[str, Tensor]:
    """Draw weights under which every part of a model shows in what it gives."""
    generator = torch.Generator().manual_seed(seed)
    drawn = {}
    for name, value in model.state_dict().items():
        noise = torch.randn(value.shape, generator=generator)
        drawn[name] = 1 + 0.2 * noise if "norm" in name and "weight" in name else 0.3 * noise
    return drawn


def data(program: Pipeline, job: PipelineJob) -> Recording:
    """Rows that a program draws, and what it makes of given ones: halves, and those of another
    seed; batches of two epochs.

    Rows are told by their place among the given ones, -1 where they are none of them.
    """
    seen = Recording()
    drawn = program.data.draw_rows(DRAWN, torch.Generator().manual_seed(job.seed))
    seen.facts["drawn"] = [[torch.as_tensor(t).tolist(), int(label)] for t, label in drawn]
    place = {tuple(tokens.tolist()): number for number, (tokens, _) in enumerate(job.rows)}
    for seed, end in ((job.seed, ""), (job.seed + 1, " otherwise")):
        halves = program.data.split(job.rows, 0.3, torch.Generator().manual_seed(seed))
        for name, half in zip(("learned", "held out"), halves, strict=True):
            seen.facts[name + end] = [place.get(tuple(tokens.tolist()), -1) for tokens, _ in half]
    generator = torch.Generator().manual_seed(job.seed)
    wrong = {"labels": 0, "lengths": 0, "padding": 0}
    for epoch in (1, 2):
        told = []
        for padded, lengths, labels in program.data.batches(job.rows, 5, generator):
            for tokens, length, label in zip(padded, lengths.tolist(), labels, strict=True):
                found = place.get(tuple(tokens[tokens != 0].tolist()), -1)
                told.append(found)
                if found >= 0:
                    own, wanted = job.rows[found]
                    wrong["labels"] += int(label) != wanted
                    wrong["lengths"] += length != len(own)
                    wrong["padding"] += not torch.equal(tokens[: len(own)], own)
        seen.facts[f"epoch {epoch}"] = told
    seen.facts["wrong"] = wrong
    return seen


def logits(program: Pipeline, job: PipelineJob) -> Recording:
    """Logits of classes and tokens of padded rows, of more padding, and of each row alone; and of
    rows whose last tokens are others, where scores are large, too. Which places hold tokens.
    """
    seen = Recording()
    model = program.build(job.sizes, job.weights)
    tokens, lengths, _ = job.batch
    longer = torch.cat([tokens, torch.zeros(len(tokens), 2, dtype=tokens.dtype)], dim=1)
    changed = job.inputs["changed"]
    with torch.no_grad():
        for mode in ("train", "eval"):
            model.train(mode == "train")
            given = model(tokens.clone(), lengths.clone())
            seen.tensors[f"{mode}/classes"], seen.tensors[f"{mode}/tokens"] = given
        seen.tensors["longer"] = model(longer, lengths.clone())[0]
        seen.tensors["alone"] = torch.cat(
            [model(row[None, :n].clone())[0] for row, n in zip(tokens, lengths, strict=True)]
        )
        seen.tensors["eval/changed"] = model(changed.clone(), lengths.clone())[1]
        for way, by in (("large", ENLARGED), ("vast", VAST)):
            model = program.build(job.sizes, _enlarged(job.weights, by)).eval()
            given = model(tokens.clone(), lengths.clone())
            seen.tensors[f"{way}/classes"], seen.tensors[f"{way}/tokens"] = given
        seen.tensors["vast/changed"] = model(changed.clone(), lengths.clone())[1]
    seen.tensors["there"] = (tokens != 0).to(torch.uint8)
    return seen


def _enlarged(weights: dict[str, Tensor], by: float) -> dict[str, Tensor]:
    return {n: w * by if "qkv.weight" in n else w for n, w in weights.items()}


def half(program: Pipeline, job: PipelineJob) -> Recording:
    """Logits of classes (B, n_class) in half precision and in full, where scores are large."""
    seen = Recording()
    model = program.build(job.sizes, _enlarged(job.weights, ENLARGED)).eval()
    tokens, lengths, _ = job.batch
    with torch.no_grad():
        seen.tensors["full"] = model(tokens, lengths)[0]
        with torch.autocast("cpu", dtype=torch.float16):
            seen.tensors["half"] = model(tokens, lengths)[0].float()
    return seen


def loss(program: Pipeline, job: PipelineJob) -> Recording:
    """The loss of given logits, at several weights of the tokens' loss."""
    seen = Recording()
    tokens, _, labels = job.batch
    given = job.inputs["class logits"], job.inputs["token logits"]
    for weight in (0.0, 0.5, 2.0):
        told = program.objective.objective(given, tokens, labels, weight)
        seen.tensors[f"{weight}"] = told.reshape(1)
    return seen


def steps(program: Pipeline, job: PipelineJob) -> Recording:
    """Gradients of the first step and parameters after each of three; and the gradients of the
    first step in half precision that was taken, which another has to follow. In which types that
    computes. Gradients of both where tokens weigh next to nothing.
    """
    seen = Recording()
    for course, fields, count in COURSES:
        torch.manual_seed(job.seed)
        config = program.config({**job.fields, **fields}, job.sizes)
        state = program.train.prepare(config, 20, torch.Generator().manual_seed(job.seed))
        state.model.load_state_dict(job.weights)
        state.model.train()
        taken: list[dict[str, Tensor]] = []
        state.optimizer.register_step_pre_hook(_noting(state.model, taken))
        for step in range(1, count + 1):
            with types_used() as used:
                program.train.train_step(state, job.batch, config)
            if course == "full":
                for name, value in state.model.named_parameters():
                    seen.tensors[f"after {step}/{name}"] = value.detach().clone()
            elif len(taken) > 1:
                break
        seen.facts[f"types/{course}"] = sorted(used)
        for name, gradient in (taken[0] if taken else {}).items():
            seen.tensors[f"{course}/{name}"] = gradient
    return seen


def _noting(model: nn.Module, taken: list[dict[str, Tensor]]) -> Callable[..., None]:
    """Make a hook that notes the gradients of a model's parameters that an optimizer is handed."""
    names = {id(p): name for name, p in model.named_parameters()}

    def note(optimizer: torch.optim.Optimizer, *_: Any) -> None:
        handed = [p for group in optimizer.param_groups for p in group["params"]]
        taken.append(
            {
                names[id(p)]: torch.zeros_like(p) if p.grad is None else p.grad.clone()
                for p in handed
                if id(p) in names
            }
        )

    return note


def evaluation(program: Pipeline, job: PipelineJob) -> Recording:
    """What is predicted of rows by a model with dropout, in which mode it is left, whether a graph
    is, and the metrics of given scores. Whether training drops anything.
    """
    seen = Recording()
    for mode in ("train", "eval"):
        model = program.build({**job.sizes, "dropout": 0.5}, job.weights)
        model.train(mode == "train")
        torch.manual_seed(job.seed)
        told, labels = program.evaluate.predict(model, job.rows, 5)
        seen.tensors[f"{mode}/logits"], seen.tensors[f"{mode}/labels"] = told, labels
        seen.facts[f"kept/{mode}"] = model.training == (mode == "train")
        seen.facts[f"graph/{mode}"] = told.requires_grad
        if mode == "train":
            model.train()
            one, other = (model(*job.batch[:2])[1] for _ in range(2))
            seen.facts["drops"] = not torch.equal(one, other)
    for name in ("one", "other"):
        given = job.inputs[f"scores/{name}"], job.inputs[f"truth/{name}"]
        metrics = program.evaluate.metrics(*given)
        seen.facts[f"told/{name}"] = {key: float(value) for key, value in metrics.items()}
        seen.tensors[f"scores/{name}"], seen.tensors[f"truth/{name}"] = given
    return seen


def stream(program: Pipeline, job: PipelineJob) -> Recording:
    """Logits (T, B, n_class) of rows read token by token, and of all that came, read at once; then
    of other rows, and of one row; and of both, in turn. How often a token is read, and whether a
    graph is kept.
    """
    seen = Recording()
    model = program.build(job.sizes, job.weights).eval()
    rows = {"first": job.inputs["stream"], "second": job.inputs["stream"].flip(0, 1)}
    reader = program.stream.Stream(model)
    read: list[int] = []
    hook = model.tokens.register_forward_hook(lambda _, given, __: read.append(given[0].numel()))
    for name, tokens in rows.items():
        reader.reset()
        seen.tensors[f"streamed/{name}"] = torch.stack([reader.push(t.clone()) for t in tokens.T])
    hook.remove()
    reader = program.stream.Stream(model)
    alone = [reader.push(t.clone()) for t in rows["first"][:1].T]
    seen.facts["graph"] = alone[-1].requires_grad
    seen.tensors["streamed/alone"] = torch.stack(alone)
    seen.facts["read"] = sum(read) / (2 * job.inputs["stream"].numel())
    in_turn = {name: program.stream.Stream(model) for name in rows}
    pushed: dict[str, list[Tensor]] = {name: [] for name in rows}
    for place in range(job.inputs["stream"].size(1)):
        for name, tokens in rows.items():
            pushed[name].append(in_turn[name].push(tokens[:, place].clone()))
    with torch.no_grad():
        for name, tokens in rows.items():
            seen.tensors[f"in turn/{name}"] = torch.stack(pushed[name])
            seen.tensors[f"whole/{name}"] = torch.stack(
                [model(tokens[:, :end].clone())[0] for end in range(1, tokens.size(1) + 1)]
            )
    seen.tensors["whole/alone"] = seen.tensors["whole/first"][:, :1]
    return seen


INSTRUMENTS: dict[str, Callable[[Any, Any], Recording]] = {
    "pipeline-data": data,
    "pipeline-logits": logits,
    "pipeline-half": half,
    "pipeline-loss": loss,
    "pipeline-steps": steps,
    "pipeline-training": training,
    "pipeline-evaluation": evaluation,
    "pipeline-resuming": resuming,
    "pipeline-resuming-half": resuming_in_half,
    "pipeline-stream": stream,
    "pipeline-run": run,
    "pipeline-whole": whole,
}
