"""Laws of a product of matrices: what it gives, what it passes back, and what it keeps for that.

Products and gradients are worked out here anew, in double precision, from the operands.
"""

from collections.abc import Callable, Iterator

import numpy as np

from bugforge.checks import Evidence, Law, facts, tensors
from bugforge.operands import PRODUCTS
from bugforge.recordings import Array

LAYOUTS = ("plain", "turned", "in steps", "spread")
PRECISIONS: dict[str, type[np.float64 | np.float32]] = {"double": np.float64, "single": np.float32}
MADE = ("product", "with graph")
"""Products, by what is asked of their operands: no gradients, or both."""

EXACT = 200.0
"""How far a number may be off, in units of the precision of its type: no order in which to add 150
numbers takes it farther.
"""


def off(made: Array, precision: str, work_out: Callable[..., Array], *given: Array) -> float:
    """How far numbers lie from what is worked out of those given, in units of their precision;
    infinite where their shape or type is another, or one is none.

    Each number's distance is a share of what comes of the sizes of those that it is made of: where
    large numbers cancel out, what is left of them is no more precise than they are; and a small one
    may not be off by what is little beside the large ones of others.
    """
    kind, wanted = PRECISIONS[precision], work_out(*given)
    if made.shape != wanted.shape or made.dtype != kind or not np.isfinite(made).all():
        return float("inf")
    distances = np.abs(made.astype(np.float64) - wanted)
    sizes = work_out(*map(np.abs, given))
    if (distances[sizes == 0] > 0).any():
        return float("inf")
    return float((distances / np.where(sizes == 0, 1, sizes)).max() / np.finfo(kind).eps)


def cases() -> Iterator[tuple[str, str]]:
    """Name each product that is recorded, and its precision."""
    for name in PRODUCTS:
        for precision in PRECISIONS:
            for layout in LAYOUTS:
                yield f"{name}/{precision}, {layout}", precision


def passed_back(grad: Array, a: Array, b: Array) -> dict[str, Array]:
    """Work out the gradients of both operands, summed over the axes that were broadcast."""
    return {
        "a": _summed(grad @ np.swapaxes(b, -1, -2), a.shape),
        "b": _summed(np.swapaxes(a, -1, -2) @ grad, b.shape),
    }


def _summed(grad: Array, shape: tuple[int, ...]) -> Array:
    extra = grad.ndim - len(shape)
    grad = grad.sum(axis=tuple(range(extra)))
    axes = tuple(axis for axis, size in enumerate(shape) if size != grad.shape[axis])
    summed: Array = grad.sum(axis=axes, keepdims=True)
    return summed


def _given(recorded: dict[str, Array], case: str, *names: str) -> list[Array]:
    return [recorded[f"{case}/{name}"].astype(np.float64) for name in names]


def products_misshapen(seen: Evidence) -> float:
    """Count the products of a wrong shape or type."""
    recorded = tensors(seen, "products")
    wrong = 0
    for case, precision in cases():
        a, b = _given(recorded, case, "a", "b")
        for made in (recorded[f"{case}/{words}"] for words in MADE):
            wrong += made.shape != (a @ b).shape or made.dtype != PRECISIONS[precision]
    return float(wrong)


def products_off(seen: Evidence) -> float:
    """How far products are off, at the most."""
    recorded = tensors(seen, "products")
    return max(
        off(recorded[f"{case}/{words}"], precision, np.matmul, *_given(recorded, case, "a", "b"))
        for case, precision in cases()
        for words in MADE
    )


def operands_changed(seen: Evidence) -> float:
    """Count the operands that are others behind their product."""
    recorded = tensors(seen, "products")
    return float(
        sum(
            not np.array_equal(recorded[f"{case}/{what} after"], recorded[f"{case}/{what}"])
            for case, _ in cases()
            for what in "ab"
        )
    )


def given_changed(seen: Evidence) -> float:
    """Count the gradients and operands that are others once gradients are worked out of them."""
    return float(
        sum(
            not np.array_equal(recorded[f"{case}/{what} after"], recorded[f"{case}/{what}"])
            for recorded in (tensors(seen, "backward"), tensors(seen, "gradients"))
            for case, _ in cases()
            for what in ("a", "b", "grad")
        )
    )


def backward_misshapen(seen: Evidence) -> float:
    """Count the gradients of the plain function that have not the shape of their operand."""
    recorded = tensors(seen, "backward")
    return float(
        sum(
            recorded[f"{case}/of {what}"].shape != recorded[f"{case}/{what}"].shape
            for case, _ in cases()
            for what in "ab"
        )
    )


def backward_off(seen: Evidence) -> float:
    """How far gradients of the plain function are off, at the most."""
    recorded = tensors(seen, "backward")
    return max(_gradients_off(recorded, case, precision, "of") for case, precision in cases())


def gradients_off(seen: Evidence) -> float:
    """How far gradients that torch gets are off, at the most, whichever operands ask for one."""
    recorded = tensors(seen, "gradients")
    asked = [
        _gradients_off(recorded, case, precision, words)
        for case, precision in cases()
        for words in ("of", "alone, of")
    ]
    others = ("in turn/0", "in turn/1", "twice/0", "twice/1", "made")
    turns = [_gradients_off(recorded, case, "double", "of") for case in others]
    x, grad = _given(recorded, "itself", "x", "grad")
    itself = off(recorded["itself/of x"], "double", lambda x, g: g @ x.T + x.T @ g, x, grad)
    return max(*asked, *turns, itself)


def _gradients_off(recorded: dict[str, Array], case: str, precision: str, words: str) -> float:
    given = _given(recorded, case, "grad", "a", "b")

    def distance(what: str) -> float:
        made = recorded[f"{case}/{words} {what}"]
        return off(made, precision, lambda *some: passed_back(*some)[what], *given)

    return max(map(distance, "ab"))


def unlike_differences(seen: Evidence) -> float:
    """Count the products whose gradients torch finds to be others than those of small
    differences.
    """
    found = facts(seen, "gradcheck")
    return float(sum(not found[name] for name in found)) if found else float("nan")


def not_its_own(seen: Evidence) -> float:
    """Count the products that are no step of MatMul's in torch's graph, or torch's own."""
    found = facts(seen, "saved", "own/")
    return float(sum(not found[name] for name in found)) if found else float("nan")


def saved_otherwise(seen: Evidence) -> float:
    """Count the operands that are needed and not saved, and what is saved beside them."""
    missing, others = (facts(seen, "saved", part) for part in ("missing/", "others/"))
    return float(sum(missing.values()) + sum(others.values()))


def hidden_away(seen: Evidence) -> float:
    """Count the tensors that are kept elsewhere, and whether operands are kept for ever."""
    hidden = facts(seen, "saved", "hidden/")
    return float(sum(hidden.values()) + (not facts(seen, "saved")["released"]))


def unnoticed(seen: Evidence) -> float:
    """Count the operands that may be changed before going back, and nothing is said of it."""
    noticed = facts(seen, "saved", "noticed/")
    return float(sum(not noticed[what] for what in "ab"))


MULTIPLYING = (
    Law(
        "product-shapes",
        "autograd",
        "A product has the shape that broadcasting gives it, and the type of its operands.",
        ("products",),
        products_misshapen,
        at_most=0.0,
    ),
    Law(
        "products",
        "autograd",
        "`matmul` multiplies, whatever the shapes, and however its operands lie in memory.",
        ("products",),
        products_off,
        at_most=EXACT,
        after=("product-shapes",),
    ),
    Law(
        "operands-kept",
        "autograd",
        "Operands stay as they are.",
        ("products",),
        operands_changed,
        at_most=0.0,
    ),
    Law(
        "backward-shapes",
        "autograd",
        "`matmul_backward` gives gradients of the shapes of the operands.",
        ("backward",),
        backward_misshapen,
        at_most=0.0,
    ),
    Law(
        "backward",
        "autograd",
        "`matmul_backward` gives the gradients of both operands, whatever gradient it is given.",
        ("backward",),
        backward_off,
        at_most=EXACT,
        after=("backward-shapes",),
    ),
    Law(
        "product-gradients",
        "autograd",
        "Going back through `matmul` gives each operand that asks for it its gradient.",
        ("gradients",),
        gradients_off,
        at_most=EXACT,
    ),
    Law(
        "given-kept",
        "autograd",
        "Going back leaves the gradient that comes in, and the operands, as they are.",
        ("backward", "gradients"),
        given_changed,
        at_most=0.0,
    ),
    Law(
        "gradcheck",
        "autograd",
        "Gradients are those of small differences, as `torch.autograd.gradcheck` takes them.",
        ("gradcheck",),
        unlike_differences,
        at_most=0.0,
        after=("products",),
    ),
    Law(
        "own-function",
        "autograd",
        "The product is a step of `MatMul` in torch's graph, and no product of torch's own.",
        ("saved",),
        not_its_own,
        at_most=0.0,
    ),
    Law(
        "saved-operands",
        "autograd",
        "`save_for_backward` keeps the operands that are needed, and nothing else.",
        ("saved",),
        saved_otherwise,
        at_most=0.0,
        after=("own-function",),
    ),
    Law(
        "saved-nowhere-else",
        "autograd",
        "No tensor is kept anywhere else, and none for longer than its product.",
        ("saved",),
        hidden_away,
        at_most=0.0,
    ),
    Law(
        "saved-guarded",
        "autograd",
        "Where an operand is changed in place behind its product, going back is refused.",
        ("saved",),
        unnoticed,
        at_most=0.0,
    ),
)
