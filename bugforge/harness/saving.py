"""What a product keeps between its forward and its backward, and how."""

import gc
import weakref
from array import array
from collections.abc import Iterable, Iterator
from functools import partial
from itertools import product
from types import FunctionType, ModuleType
from typing import Any

import numpy as np
import torch
from torch import Tensor
from torch.autograd.graph import saved_tensors_hooks

from .job import Recording

CASES = ("rectangular", "batch", "ones on both sides")
PRODUCTS = ("Addmm", "Baddbmm", "Bmm", "Dot", "Linear", "Mm", "Mul", "Mv")
"""What nodes of torch's own products are called by."""

DEEP = 6
"""How far into what an attribute holds tensors are looked for."""


def saved(own: ModuleType, inputs: dict[str, Tensor]) -> Recording:
    """Record which tensors a product keeps, where, and whether a change of one is noticed.

    Of each product: how many of its operands are not kept by save_for_backward, how many tensors
    are that are none of them, how many lie elsewhere, and whose gradient it is.
    """
    seen = Recording()
    for name in CASES:
        for layout, dtype in product(("plain", "turned"), (torch.double, torch.float)):
            operands = [_operand(inputs, name, what, layout).to(dtype) for what in "ab"]
            for asked in ("ab", "a", "b"):
                _kept(own, operands, asked, f"{name}, {layout}, {dtype}, {asked}", seen)
    for what in "ab":
        seen.facts[f"noticed/{what}"] = _is_noticed(own, inputs, what)
    seen.facts["released"] = _is_released(own, inputs)
    return seen


def _operand(inputs: dict[str, Tensor], name: str, what: str, layout: str) -> Tensor:
    given = inputs[f"products/{name}/{what}"]
    return given.clone() if layout == "plain" else given.mT.contiguous().mT


def _kept(own: ModuleType, operands: list[Tensor], asked: str, name: str, seen: Recording) -> None:
    leaves = [operand.detach() for operand in operands]
    for what, leaf in zip("ab", leaves, strict=True):
        leaf.requires_grad_(what in asked)
    kept: list[Tensor] = []

    def keep(tensor: Tensor) -> Tensor:
        kept.append(tensor)
        return tensor

    with saved_tensors_hooks(keep, lambda tensor: tensor):
        made = own.matmul(*leaves)
    places = [_place(leaf) for leaf in leaves]
    # The gradient of each operand is worked out from the other.
    needed = {places[1 - "ab".index(what)] for what in asked}
    found = {_place(tensor) for tensor in kept}
    nodes = list(_nodes(made))
    written = [node for node in nodes if hasattr(node, "_forward_cls")]
    seen.facts[f"missing/{name}"] = len(needed - found)
    seen.facts[f"others/{name}"] = len(found - set(places))
    seen.facts[f"hidden/{name}"] = sum(1 for node in written for _ in _tensors(vars(node)))
    is_own = any(issubclass(node._forward_cls, own.MatMul) for node in written)  # noqa: SLF001
    seen.facts[f"own/{name}"] = is_own and not any(map(_is_torchs, nodes))


def _place(tensor: Tensor) -> int:
    """Tell where in memory a tensor's numbers lie, whatever its shape."""
    return tensor.untyped_storage().data_ptr()


def _nodes(made: Tensor) -> Iterator[Any]:
    """Walk the graph behind a product."""
    waiting, met = [made.grad_fn], set()
    while waiting:
        node = waiting.pop()
        if node is not None and node not in met:
            met.add(node)
            yield node
            waiting += [behind for behind, _ in node.next_functions]


def _is_torchs(node: Any) -> bool:
    return not hasattr(node, "_forward_cls") and str(node.name()).startswith(PRODUCTS)


def _tensors(value: Any, depth: int = DEEP) -> Iterator[Any]:
    """Find in what an attribute holds tensors of more than one number, and what else may hold as
    many: arrays, lists of numbers, and bytes.
    """
    if isinstance(value, Tensor):
        if _holds_numbers(value):
            yield value
    elif isinstance(value, np.ndarray):
        if value.dtype.kind == "f" and value.size > 1:
            yield value
    elif isinstance(value, array | bytes | bytearray | memoryview) or _are_numbers(value):
        yield value
    elif depth:
        for part in _parts(value):
            yield from _tensors(part, depth - 1)


def _are_numbers(value: Any) -> bool:
    """Tell whether something is a list, or the like, of more than one float."""
    held = value if isinstance(value, list | tuple) else ()
    return len(held) > 1 and all(isinstance(number, float) for number in held)


def _holds_numbers(tensor: Tensor) -> bool:
    return tensor.is_floating_point() and tensor.numel() > 1


def _parts(value: Any) -> Iterable[Any]:
    """Give what a value holds: a container, a function or an object; nothing of classes."""
    if isinstance(value, type | ModuleType):
        return ()
    if isinstance(value, list | tuple | set | frozenset):
        return tuple(value)
    if isinstance(value, dict):
        return tuple(value.values())
    if isinstance(value, partial):
        return value.func, *value.args, *value.keywords.values()
    if isinstance(value, FunctionType):
        cells = (cell.cell_contents for cell in value.__closure__ or () if _is_filled(cell))
        return *cells, *(value.__defaults__ or ())
    return *getattr(value, "__dict__", {}).values(), getattr(value, "__self__", None)


def _is_filled(cell: Any) -> bool:
    try:
        cell.cell_contents  # noqa: B018  # an empty one raises
    except ValueError:
        return False
    return True


def _is_noticed(own: ModuleType, inputs: dict[str, Tensor], changed: str) -> bool:
    """Tell whether going back is refused once an operand has been changed in place."""
    leaves = {what: _operand(inputs, "rectangular", what, "plain") for what in "ab"}
    for leaf in leaves.values():
        leaf.requires_grad_()
    made = own.matmul(leaves["a"], leaves["b"])
    with torch.no_grad():
        leaves[changed].add_(1.0)
    try:
        # That an operand gets no gradient is no refusal.
        ones = torch.ones_like(made)
        torch.autograd.grad(made, list(leaves.values()), ones, allow_unused=True)
    except RuntimeError:
        return True
    return False


def _is_released(own: ModuleType, inputs: dict[str, Tensor]) -> bool:
    """Tell whether operands go once nobody has a use for them or their product, and all else that
    was made of them: a copy, or another tensor of the same numbers.
    """
    gc.collect()
    before = list(_alive())
    known = {id(tensor) for tensor in before}
    a, b = (_operand(inputs, "rectangular", what, "plain").requires_grad_() for what in "ab")
    made = own.matmul(a, b)
    torch.autograd.grad(made, (a, b), torch.ones_like(made), retain_graph=True, allow_unused=True)
    held = [weakref.ref(tensor) for tensor in (a, b, made)]
    del a, b, made
    gc.collect()
    return all(ref() is None for ref in held) and all(id(tensor) in known for tensor in _alive())


def _alive() -> Iterator[Tensor]:
    """Give all tensors of numbers that there are."""
    for value in gc.get_objects():
        # Proxies of other packages may do anything when asked what they are.
        if issubclass(type(value), Tensor) and _holds_numbers(value):
            yield value
