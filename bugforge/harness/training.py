"""The learner's own training, from scratch, on one sentence; and the sample it ends with."""

import time
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import torch
from torch import Tensor, nn

from .job import Recording
from .program import Program
from .weights import by_given_name


def train_and_sample(
    program: Program, spec: dict[str, Any], weights: dict[str, Tensor]
) -> Recording:
    """Train with the program's own configuration, then continue the prompt greedily.

    Records the loss of each step (nats per token), the sample and its tokens (N,), the length of
    a window, the seconds it took; and the trained parameters, under the names of the given
    weights, with the sizes of their model, so that they can be tried in the correct program.
    """
    seen = Recording()
    text, prompt = spec["text"], spec["prompt"]
    config = program.config()
    began = time.perf_counter()
    with noted_sizes(program, tuple(spec["sizes"])) as sizes:
        model, vocabulary, losses = program.train.train(text, config, spec["seed"])
    seen.facts["seconds"] = time.perf_counter() - began
    seen.facts["block_size"] = int(config.block_size)
    seen.facts["losses"] = [float(loss) for loss in losses]
    with noted_tokens(model) as grown:
        seen.facts["sample"] = str(
            program.train.sample(model, vocabulary, prompt, len(text) - len(prompt))
        )
    seen.facts["sizes"] = sizes[-1] if sizes else {}
    if grown:
        seen.tensors["tokens"] = grown[-1][0].to("cpu", torch.int64)
    names = by_given_name(program.build(**spec["sizes"]), weights)
    for name, parameter in model.named_parameters():
        seen.tensors[f"weights/{names[name][0]}"] = parameter.detach().to("cpu").clone()
    return seen


def replay(program: Program, spec: dict[str, Any], trained: dict[str, Tensor]) -> Recording:
    """Continue the beginning of `tokens` greedily, with weights that another program trained."""
    seen = Recording()
    model = program.build(**spec["sizes"])
    with torch.no_grad():
        for name, parameter in model.named_parameters():
            parameter.copy_(trained[f"weights/{name}"].reshape(parameter.shape))
    wanted = trained["tokens"]
    idx = wanted[None, : spec["prompt_tokens"]]
    grown = model.generate(idx, wanted.numel() - idx.size(1), temperature=0)
    seen.tensors["tokens"] = grown[0]
    return seen


@contextmanager
def noted_sizes(program: Program, fields: tuple[str, ...]) -> Iterator[list[dict[str, int]]]:
    """Note the configuration of each model that is built, by these fields."""
    noted: list[dict[str, int]] = []
    model_class = program.model.GPT
    inner = model_class.__init__

    def outer(self: nn.Module, config: Any, *args: Any, **kwargs: Any) -> None:
        noted.append({name: int(getattr(config, name)) for name in fields})
        inner(self, config, *args, **kwargs)

    model_class.__init__ = outer
    try:
        yield noted
    finally:
        model_class.__init__ = inner


@contextmanager
def noted_tokens(model: Any) -> Iterator[list[Tensor]]:
    """Note the tokens (B, N) that each call of generate gives."""
    noted: list[Tensor] = []
    inner = model.generate

    def outer(*args: Any, **kwargs: Any) -> Any:
        grown = inner(*args, **kwargs)
        noted.append(grown.detach().clone())
        return grown

    model.generate = outer
    try:
        yield noted
    finally:
        del model.generate
