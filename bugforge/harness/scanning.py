"""What a scan does: step by step, in the end, and as a part of a product made of tiles."""

from collections.abc import Iterator
from types import ModuleType

import torch
from torch import Tensor

from .job import Recording
from .program import given_tensor


def scanned(own: ModuleType, inputs: dict[str, Tensor]) -> Recording:
    """Record what there is after each step of a scan of tiles (T, ...), and its end; beside them,
    before and after.
    """
    seen = Recording()
    for name, tiles in _given(inputs, "tiles/"):
        for precision, given in (("double", tiles), ("single", tiles.float())):
            key = f"{name}/{precision}"
            seen.tensors[f"{key}/tiles"] = given.clone()
            states = list(own.scan_steps(given))
            for number, state in enumerate(states, start=1):
                seen.tensors[f"{key}/after {number}"] = given_tensor(state, "scan_steps")
            seen.facts[f"{key}/steps"] = len(states)
            sums = given_tensor(own.prefix_sums(given), "prefix_sums")
            seen.tensors |= {f"{key}/sums": sums.clone(), f"{key}/tiles after": given}
    return seen


def tiled(own: ModuleType, inputs: dict[str, Tensor], lengths: dict[str, list[int]]) -> Recording:
    """Record products of tiles (T, ..., M, N) of several lengths, what they sum up to, and the last
    of the sums that the scan gives of them.
    """
    seen = Recording()
    for name, some in lengths.items():
        for precision, dtype in (("double", torch.double), ("single", torch.float)):
            a, b = (inputs[f"tiled/{name}/{what}"].to(dtype) for what in "ab")
            key = f"{name}/{precision}"
            seen.tensors |= {f"{key}/a": a.clone(), f"{key}/b": b.clone()}
            for tile in some:
                with torch.no_grad():
                    parts = own.partial_products(a, b, tile)
                    whole = own.tiled_matmul(a, b, tile)
                    sums = own.prefix_sums(parts.clone())
                seen.tensors[f"{key}/{tile}/parts"] = given_tensor(parts, "partial_products")
                seen.tensors[f"{key}/{tile}/product"] = given_tensor(whole, "tiled_matmul")
                seen.tensors[f"{key}/{tile}/scanned"] = given_tensor(sums, "prefix_sums")[-1]
    return seen


def _given(inputs: dict[str, Tensor], prefix: str) -> Iterator[tuple[str, Tensor]]:
    for name, value in inputs.items():
        if name.startswith(prefix):
            yield name.removeprefix(prefix), value
