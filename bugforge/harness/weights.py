"""The same weights for two programs: drawn for the pristine one, carried over to any other."""

import json
from pathlib import Path

import torch
from safetensors import safe_open
from safetensors.torch import load_file, save_file
from torch import Tensor, nn

SPREAD = 0.35
"""Standard deviation of given weights: large, so that attention is far from uniform."""


def drawn(model: nn.Module, seed: int) -> dict[str, Tensor]:
    """Draw large weights for every parameter, LayerNorm's away from 1 and biases from 0."""
    generator = torch.Generator().manual_seed(seed)
    return {name: _around(parameter, generator) for name, parameter in model.named_parameters()}


def write_weights(weights: dict[str, Tensor], path: Path) -> None:
    """Write weights with the order of their registration, which safetensors would not keep."""
    save_file(weights, path, metadata={"order": json.dumps(list(weights))})


def read_weights(path: Path) -> dict[str, Tensor]:
    """Read weights in the order in which they were written."""
    weights = load_file(path)
    with safe_open(path, framework="pt") as opened:
        order = json.loads((opened.metadata() or {}).get("order", "null")) or list(weights)
    return {name: weights[name] for name in order}


def carry(model: nn.Module, weights: dict[str, Tensor], scale: float) -> list[str]:
    """Write weights into a model, by name and shape, else by role; return what found no place.

    A parameter of the model that no given weight fits is filled from its shape and its order
    alone, so that two programs with the same misfit still get the same numbers.
    """
    places = pairs(model, weights)
    generator = torch.Generator().manual_seed(0)
    with torch.no_grad():
        for name, parameter in model.named_parameters():
            value = (
                weights[places[name]].reshape(parameter.shape)
                if name in places
                else _around(parameter, generator)
            )
            # Only matrices grow: a LayerNorm that scales everything would drown the rest.
            parameter.copy_(value * (scale if parameter.dim() > 1 else 1.0))
    return sorted(set(weights) - set(places.values()))


def by_given_name(
    model: nn.Module, weights: dict[str, Tensor]
) -> dict[str, tuple[str, torch.Size]]:
    """Name and shape under which to record each parameter of the model: those it was given."""
    places = pairs(model, weights)
    return {
        name: (places[name], weights[places[name]].shape)
        if name in places
        else (name, parameter.shape)
        for name, parameter in model.named_parameters()
    }


def pairs(model: nn.Module, weights: dict[str, Tensor]) -> dict[str, str]:
    """Pair the model's parameters with given weights: own name to given name.

    First by name and shape. What is left is paired by shape, axes of length 1 apart, where the
    order of registration makes that unambiguous: as many of the shape on either side.
    """
    own = {name: _shape(parameter) for name, parameter in model.named_parameters()}
    given = {name: _shape(weight) for name, weight in weights.items()}
    paired = {name: name for name in own if given.get(name) == own[name]}
    for name in paired:
        del own[name], given[name]
    for shape in set(own.values()):
        mine = [name for name in own if own[name] == shape]
        theirs = [name for name in given if given[name] == shape]
        if len(mine) == len(theirs):
            paired |= dict(zip(mine, theirs, strict=True))
    return paired


def _shape(tensor: Tensor) -> tuple[int, ...]:
    return tuple(size for size in tensor.shape if size > 1)


def _around(parameter: Tensor, generator: torch.Generator) -> Tensor:
    # A vector of ones is a LayerNorm's weight; everything else is drawn around 0.
    centre = 1.0 if parameter.dim() == 1 and bool((parameter == 1).all()) else 0.0
    noise = torch.randn(parameter.shape, generator=generator)
    return centre + SPREAD * noise
