"""What an instrument is given, and what it gives back."""

from dataclasses import dataclass, field
from typing import Any

from torch import Tensor


@dataclass(frozen=True)
class Job:
    """What an instrument is given.

    sizes: fields of GPTConfig. weights: of the pristine model, by name. inputs: tokens (B, T)
    by name. data: tokens (N,) longer than a window. text: to train on. samplings: temperature
    and top_k by name. seed: for what the program itself draws.
    """

    sizes: dict[str, int]
    fields: dict[str, Any]
    weights: dict[str, Tensor]
    inputs: dict[str, Tensor]
    data: Tensor
    text: str
    samplings: dict[str, tuple[float, int | None]]
    seed: int


@dataclass
class Recording:
    """What an instrument saw."""

    tensors: dict[str, Tensor] = field(default_factory=dict)
    facts: dict[str, Any] = field(default_factory=dict)
