"""Laws of a training step, against what the model's own logits say it should have learned."""

from bugforge.checks import Evidence, Law, facts, tensors
from bugforge.distance import apart_by_name

CHOICES = ("all", "but the last")
"""A right program learns from every position of a window, or leaves out the last one."""


def strangers(seen: Evidence) -> float:
    """Count training steps whose inputs are not runs of the text with a token after them."""
    told = facts(seen, "objective")
    return sum(not told.get(f"{step}/rows are windows", False) for step in (1, 2))


def wrong_loss(seen: Evidence) -> float:
    """Distance of the reported loss from the mean next-token cross-entropy, as a share of it."""
    return _loss_apart(seen, chosen_positions(seen))


def chosen_positions(seen: Evidence) -> str:
    """Tell which of the choices the reported loss is nearest to."""
    return min(CHOICES, key=lambda choice: _loss_apart(seen, choice))


def wrong_gradient(seen: Evidence) -> float:
    """Distance of the first step's gradients from those of the next-token cross-entropy."""
    return _gradient_apart(seen, 1)


def left_over(seen: Evidence) -> float:
    """Distance of the second step's gradients from what that step alone should give."""
    return _gradient_apart(seen, 2)


def wrong_steps(seen: Evidence) -> float:
    """How many steps of the optimizer too many or too few a training step takes, at the most."""
    return max(abs(facts(seen, "objective")[f"{step}/steps taken"] - 1) for step in (1, 2))


def unmoved(seen: Evidence) -> float:
    """Share of the model's parameters that two training steps leave as they were."""
    moved: dict[str, float] = {}
    for step in (1, 2):
        for name, distance in facts(seen, "objective", f"{step}/moved/").items():
            moved[name] = max(moved.get(name, 0.0), distance)
    return sum(not distance > 0 for distance in moved.values()) / max(len(moved), 1)


def _loss_apart(seen: Evidence, choice: str) -> float:
    told = facts(seen, "objective", "1/")
    expected = told.get(f"expected loss/{choice}", float("nan"))
    return float(abs(told["loss"] - expected) / max(abs(expected), 1e-6))


def _gradient_apart(seen: Evidence, step: int) -> float:
    handed = tensors(seen, "objective", f"{step}/handed/")
    expected = tensors(seen, "objective", f"{step}/expected/{chosen_positions(seen)}/")
    return apart_by_name(handed, expected, 1e-9)


LEARNING = (
    Law(
        "windows",
        "data",
        "Training reads runs of the text as they stand.",
        ("objective",),
        strangers,
        at_most=0.0,
    ),
    Law(
        "objective",
        "loss",
        "The loss is the mean cross-entropy of the next token.",
        ("objective",),
        wrong_loss,
        at_most=1e-3,
        after=("windows",),
    ),
    Law(
        "one-step",
        "optim",
        "A training step lets the optimizer take one step.",
        ("objective",),
        wrong_steps,
        at_most=0.0,
    ),
    Law(
        "gradient",
        "loop",
        "The optimizer is handed the gradient of the next token's cross-entropy.",
        ("objective",),
        wrong_gradient,
        at_most=1e-2,
        after=("objective", "one-step"),
    ),
    Law(
        "fresh-gradient",
        "loop",
        "Nothing of one step's gradient is left in the next.",
        ("objective",),
        left_over,
        at_most=1e-2,
        after=("gradient",),
    ),
    Law(
        "moves",
        "optim",
        "Training moves every parameter.",
        ("objective",),
        unmoved,
        at_most=0.0,
        after=("one-step",),
    ),
)
