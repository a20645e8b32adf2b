"""What a product of matrices does, and the gradients that it works out by itself."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from types import ModuleType
from typing import Any

import torch
from safetensors.torch import load_file
from torch import Tensor

from .job import Recording
from .program import given_tensor, import_from, named_module
from .saving import saved
from .scanning import scanned, tiled

NAMES = ("MatMul", "matmul", "matmul_backward")
SCAN_NAMES = ("partial_products", "scan_steps", "prefix_sums", "tiled_matmul")

PRECISIONS = {"double": torch.double, "single": torch.float}
TRIED = ("square", "rectangular", "batch of squares", "ones in front of b", "ones and none")
"""Products whose gradients torch compares with small differences; it takes long."""


class Multiplying:
    """A program that multiplies matrices: its product, and where it is asked for, its scan."""

    def __init__(self, folder: Path) -> None:
        """Import the product. Raises whatever its code raises, and ContractError."""
        self.folder = folder
        import_from(folder)
        self.product = named_module("matmul", folder, NAMES)

    def scan(self) -> ModuleType:
        """Import the scan. Raises whatever its code raises, and ContractError."""
        return named_module("scan", self.folder, SCAN_NAMES)


@dataclass(frozen=True)
class Operands:
    """One product to be made: what is multiplied, and the gradient that its result is given."""

    name: str
    a: Tensor
    b: Tensor
    grad: Tensor


def instruments(program: Multiplying, spec: dict[str, Any]) -> dict[str, Callable[[], Recording]]:
    """Give what records a product, by name."""
    inputs = load_file(spec["inputs"])
    own = program.product
    return {
        "products": partial(products, own, inputs),
        "backward": partial(backward, own, inputs),
        "gradients": partial(gradients, own, inputs),
        "gradcheck": partial(gradcheck, own, inputs),
        "saved": partial(saved, own, inputs),
        "scan": lambda: scanned(program.scan(), inputs),
        "tiled": lambda: tiled(program.scan(), inputs, spec["tiled"]),
    }


def products(own: ModuleType, inputs: dict[str, Tensor]) -> Recording:
    """Record the product (..., M, N) of operands, however they lie in memory, beside them; and the
    one that is made where they ask for gradients.
    """
    seen = Recording()
    for case in laid_out(inputs):
        seen.tensors |= {f"{case.name}/a": case.a.clone(), f"{case.name}/b": case.b.clone()}
        with torch.no_grad():
            made = given_tensor(own.matmul(case.a, case.b), "matmul")
        asking, _ = _multiplied(own, case, "ab")
        seen.tensors |= {f"{case.name}/product": made, f"{case.name}/with graph": asking.detach()}
        seen.tensors |= {f"{case.name}/a after": case.a, f"{case.name}/b after": case.b}
    return seen


def backward(own: ModuleType, inputs: dict[str, Tensor]) -> Recording:
    """Record what the plain function gives for a gradient and the operands, beside them, before and
    after.
    """
    seen = Recording()
    for case in laid_out(inputs):
        _note(seen, case)
        for what, grad in zip("ab", own.matmul_backward(case.grad, case.a, case.b), strict=True):
            seen.tensors[f"{case.name}/of {what}"] = given_tensor(grad, "matmul_backward")
        _note_after(seen, case, {"a": case.a, "b": case.b})
    return seen


def gradients(own: ModuleType, inputs: dict[str, Tensor]) -> Recording:
    """Record the gradients that torch gets: of both operands, and of one that alone asks for some;
    of two products made before either goes back; of one that goes back twice; of operands that are
    made themselves; and of a matrix times itself.
    """
    seen = Recording()
    for case in laid_out(inputs):
        _note(seen, case)
        for asked in ("ab", "a", "b"):
            product, leaves = _multiplied(own, case, asked)
            for what, grad in _going_back(product, leaves, case.grad):
                seen.tensors[f"{case.name}/{'' if asked == 'ab' else 'alone, '}of {what}"] = grad
            if asked == "ab":
                _note_after(seen, case, leaves)
    _in_turn(own, inputs, seen)
    _twice(own, inputs, seen)
    _made(own, inputs, seen)
    square = _case(inputs, "square")
    leaf = square.a.clone().requires_grad_()
    seen.tensors |= {"itself/x": square.a, "itself/grad": square.grad}
    for _, grad in _going_back(own.matmul(leaf, leaf), {"x": leaf}, square.grad):
        seen.tensors["itself/of x"] = grad
    return seen


def _in_turn(own: ModuleType, inputs: dict[str, Tensor], seen: Recording) -> None:
    first = _case(inputs, "rectangular")
    second = Operands("second", 2 - first.a, 3 - first.b, 1 - first.grad)
    made = [_multiplied(own, case, "ab") for case in (first, second)]
    for number, (case, (product, leaves)) in enumerate(zip((first, second), made, strict=True)):
        _note(seen, Operands(f"in turn/{number}", case.a, case.b, case.grad))
        for what, grad in _going_back(product, leaves, case.grad):
            seen.tensors[f"in turn/{number}/of {what}"] = grad


def _twice(own: ModuleType, inputs: dict[str, Tensor], seen: Recording) -> None:
    case = _case(inputs, "batch")
    product, leaves = _multiplied(own, case, "ab")
    for number, grad in enumerate((case.grad, 1 - case.grad)):
        again = Operands(f"twice/{number}", case.a, case.b, grad)
        _note(seen, again)
        for what, given in _going_back(product, leaves, grad, keeps=True):
            seen.tensors[f"{again.name}/of {what}"] = given


def _made(own: ModuleType, inputs: dict[str, Tensor], seen: Recording) -> None:
    case = _case(inputs, "ones and none")
    _note(seen, Operands("made", case.a, case.b, case.grad))
    leaves = {what: getattr(case, what).clone().requires_grad_() for what in "ab"}
    product = own.matmul(leaves["a"].clone(), leaves["b"].clone())
    for what, given in _going_back(product, leaves, case.grad):
        seen.tensors[f"made/of {what}"] = given


def gradcheck(own: ModuleType, inputs: dict[str, Tensor]) -> Recording:
    """Record whether torch finds the gradients to be those of small differences."""
    seen = Recording()
    for name in TRIED:
        case = _case(inputs, name)
        operands = (case.a.clone().requires_grad_(), case.b.clone().requires_grad_())
        found = torch.autograd.gradcheck(own.matmul, operands, raise_exception=False)
        seen.facts[name] = bool(found)
    return seen


def laid_out(inputs: dict[str, Tensor]) -> Iterator[Operands]:
    """Give every product in both precisions, as it lies in memory and in other layouts: turned, in
    steps, and with a stride of nothing.
    """
    for name in _names(inputs):
        case = _case(inputs, name)
        for precision, dtype in PRECISIONS.items():
            parts = [part.to(dtype) for part in (case.a, case.b, case.grad)]
            for layout, lay in LAYOUTS.items():
                yield Operands(f"{name}/{precision}, {layout}", *map(lay, parts))


LAYOUTS: dict[str, Callable[[Tensor], Tensor]] = {
    "plain": torch.clone,
    "turned": lambda x: x.mT.contiguous().mT,
    "in steps": lambda x: torch.stack([x, -x], dim=-1).flatten(-2)[..., ::2],
    "spread": lambda x: x[..., :1, :].clone().expand_as(x),
}


def _names(inputs: dict[str, Tensor]) -> list[str]:
    parts = (name.split("/") for name in inputs)
    return list(dict.fromkeys(name for of, name, *_ in parts if of == "products"))


def _case(inputs: dict[str, Tensor], name: str) -> Operands:
    return Operands(name, *(inputs[f"products/{name}/{what}"] for what in ("a", "b", "grad")))


def _note(seen: Recording, case: Operands) -> None:
    for what in ("a", "b", "grad"):
        seen.tensors[f"{case.name}/{what}"] = getattr(case, what).clone()


def _note_after(seen: Recording, case: Operands, operands: dict[str, Tensor]) -> None:
    for what, tensor in {**operands, "grad": case.grad}.items():
        seen.tensors[f"{case.name}/{what} after"] = tensor.detach().clone()


def _multiplied(own: ModuleType, case: Operands, asked: str) -> tuple[Tensor, dict[str, Tensor]]:
    """Multiply; give the product and the operands that ask for a gradient."""
    leaves = {what: getattr(case, what).detach() for what in "ab"}
    for what in asked:
        leaves[what].requires_grad_()
    product = given_tensor(own.matmul(leaves["a"], leaves["b"]), "matmul")
    return product, {what: leaves[what] for what in asked}


def _going_back(
    product: Tensor, leaves: dict[str, Tensor], grad: Tensor, *, keeps: bool = False
) -> Iterator[tuple[str, Tensor]]:
    """Give the gradient of each operand that gets one. keeps: whether to go back again later."""
    found = torch.autograd.grad(
        product, list(leaves.values()), grad, retain_graph=keeps, allow_unused=True
    )
    for what, given in zip(leaves, found, strict=True):
        if given is not None:
            yield what, given
