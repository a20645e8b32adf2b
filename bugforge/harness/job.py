"""What an instrument is given, and what it gives back."""

from dataclasses import dataclass, field
from typing import Any

from torch import Tensor

from .weights import TILTS, Pairing, tilted


@dataclass(frozen=True)
class Job:
    """What an instrument is given.

    sizes: fields of GPTConfig. fields: of TrainConfig. weights: of the pristine model, by name,
    in the order of use; pairing: how they find their places in another, see `pairs`; otherwise:
    other ways to try. inputs: tokens (B, T) by name. data: tokens (N,) longer than a window, each
    of the vocabulary among the first T; held_out: as many to be held out, or none. text: to train
    on. samplings: what generate is given, by name; drawn_on: where several tokens are drawn. seed:
    for what the program itself draws. rotary: whether positions turn queries and keys.
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
    drawn_on: dict[str, Any]
    seed: int
    rotary: bool

    @property
    def heads(self) -> int:
        """How many heads a layer of attention has."""
        return self.sizes.get("n_head", 1)

    def tilts(self) -> dict[str, dict[str, Tensor]]:
        """Give weights that tilt the scores of attention, by the name of the tilt."""
        return {
            name: tilted(self.weights, self.heads, low, apart, rotary=self.rotary)
            for name, (low, apart) in TILTS.items()
        }


@dataclass
class Recording:
    """What an instrument saw."""

    tensors: dict[str, Tensor] = field(default_factory=dict)
    facts: dict[str, Any] = field(default_factory=dict)
