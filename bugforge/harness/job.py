"""What an instrument is given, and what it gives back."""

from dataclasses import dataclass, field
from typing import Any

from torch import Tensor

from .weights import Pairing


@dataclass(frozen=True)
class Job:
    """What an instrument is given.

    sizes: fields of GPTConfig. fields: of TrainConfig. weights: of the pristine model, by name,
    in the order of use; pairing: how they find their places in another, see `pairs`; otherwise:
    other ways to try. inputs: tokens (B, T) by name. data: tokens (N,) longer than a window, each
    of the vocabulary among the first T; held_out: as many to be held out, or none. text: to train
    on. samplings: what generate is given, by name. seed: for what the program itself draws.
    """

    sizes: dict[str, int]
    fields: dict[str, Any]
    weights: dict[str, Tensor]
    pairing: Pairing
    otherwise: list[Pairing]
    inputs: dict[str, Tensor]
    data: Tensor
    held_out: Tensor
    text: str
    samplings: dict[str, dict[str, Any]]
    seed: int

    @property
    def heads(self) -> int:
        """How many heads a layer of attention has."""
        return self.sizes.get("n_head", 1)


@dataclass
class Recording:
    """What an instrument saw."""

    tensors: dict[str, Tensor] = field(default_factory=dict)
    facts: dict[str, Any] = field(default_factory=dict)
