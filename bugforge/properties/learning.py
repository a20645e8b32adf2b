"""Laws of a training step, against what the model's own logits say it should have learned."""

import numpy as np

from bugforge.checks import Evidence, Law, facts, tensors
from bugforge.distance import apart_by_name
from bugforge.probe import BATCH

CHOICES = ("all", "but the last")
"""A right program learns from every position of a window, or leaves out the last one."""


def strangers(seen: Evidence) -> float:
    """Count training steps whose inputs are not a batch of runs of the text."""
    told, seen_rows = facts(seen, "objective"), tensors(seen, "objective")
    return sum(
        told.get(f"{step}/rows are windows") is not True
        or len(seen_rows[f"{step}/rows"]) % BATCH != 0
        for step in (1, 2)
    )


def wrong_loss(seen: Evidence) -> float:
    """Distance of the reported loss from the mean next-token cross-entropy, as a share of it."""
    return _loss_apart(seen, chosen_positions(seen))


def chosen_positions(seen: Evidence) -> str:
    """Tell which of the choices the reported loss is nearest to."""
    distances = [_loss_apart(seen, choice) for choice in CHOICES]
    return CHOICES[int(np.nanargmin(distances))] if not np.isnan(distances).all() else CHOICES[0]


def wrong_gradient(seen: Evidence) -> float:
    """Distance of the first step's gradients from those of the next-token cross-entropy."""
    return _gradient_apart(seen, 1)


def left_over(seen: Evidence) -> float:
    """Distance of the second step's gradients from what that step alone should give."""
    return _gradient_apart(seen, 2)


def wrong_steps(seen: Evidence) -> float:
    """How many steps of the optimizer too many or too few a training step takes, at the most."""
    told = facts(seen, "objective")
    return float(max(abs(told[f"{step}/steps taken"] - 1) for step in (1, 2)))


def unmoved(seen: Evidence) -> float:
    """Share of the model's parameters that two training steps leave as they were."""
    moved: dict[str, float] = {}
    for step in (1, 2):
        for name, distance in facts(seen, "objective", f"{step}/moved/").items():
            moved[name] = max(moved.get(name, 0.0), distance)
    return sum(not distance > 0 for distance in moved.values()) / max(len(moved), 1)


def steps_missed(seen: Evidence) -> float:
    """Steps that training takes too many or too few, as a share of those asked for."""
    told = facts(seen, "loop")
    return float(abs(told["asked"] - told["taken"]) / told["asked"])


def optimizers(seen: Evidence) -> float:
    """How many optimizers take part in training."""
    return float(facts(seen, "loop")["optimizers"])


def left_behind(seen: Evidence) -> float:
    """How many parameters a short training leaves as they were."""
    return float(len(facts(seen, "loop")["unmoved"]))


def unseeded(seen: Evidence) -> float:
    """Count the ways, of two, in which the seed does not decide what training draws."""
    told = facts(seen, "loop")
    return float(not told["same seed, same losses"]) + float(told["other seed, same losses"])


def restless_sample(seen: Evidence) -> float:
    """Whether a sample of a barely trained model depends on what is drawn."""
    return float(not facts(seen, "loop")["samples alike"])


def _loss_apart(seen: Evidence, choice: str) -> float:
    """Distance of both steps' reported losses from the expected ones, as a share of these."""
    told = facts(seen, "objective")
    expected = np.array([told.get(f"{step}/expected loss/{choice}", np.nan) for step in (1, 2)])
    reported = np.array([told[f"{step}/loss"] for step in (1, 2)])
    return float(np.max(np.abs(reported - expected) / np.maximum(np.abs(expected), 1e-6)))


def _gradient_apart(seen: Evidence, step: int) -> float:
    handed = tensors(seen, "objective", f"{step}/handed/")
    expected = tensors(seen, "objective", f"{step}/expected/{chosen_positions(seen)}/")
    return apart_by_name(handed, expected, 1e-9)


LEARNING = (
    Law(
        "windows",
        "data",
        "Training reads a batch of runs of the text as they stand.",
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
        after=("windows", "finite"),
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
        after=("one-step", "finite"),
    ),
    Law(
        "steps-taken",
        "loop",
        "Training takes the steps that its configuration asks for.",
        ("loop",),
        steps_missed,
        at_most=0.0,
    ),
    Law(
        "one-optimizer",
        "optim",
        "One optimizer serves the whole training, so that it can remember.",
        ("loop",),
        optimizers,
        at_most=1.0,
        after=("steps-taken",),
    ),
    Law(
        "training-moves",
        "optim",
        "A whole training moves every parameter.",
        ("loop",),
        left_behind,
        at_most=0.0,
        after=("moves", "steps-taken"),
    ),
    Law(
        "seeded",
        "data",
        "The seed, and nothing else, decides what training draws.",
        ("loop",),
        unseeded,
        at_most=0.0,
        after=("finite", "init-finite"),
    ),
    Law(
        "sample-greedy",
        "sampling",
        "A sample is greedy: nothing is drawn for it.",
        ("loop",),
        restless_sample,
        at_most=0.0,
    ),
)
