"""A short experiment on a program: code that prints what it measured."""

from typing import Any

import torch

from .job import Recording


def experiment(_: object, spec: dict[str, Any]) -> Recording:
    """Run the code; record what it prints last, a number or a list of them."""
    printed: list[Any] = []
    names = {"__name__": "experiment", "print": printed.append}
    torch.manual_seed(spec["seed"])
    exec(compile(spec["code"], "experiment", "exec"), names)  # noqa: S102  # that is the task
    seen = Recording()
    last = printed[-1]
    seen.facts["printed"] = list(map(float, last)) if isinstance(last, list) else float(last)
    return seen
