"""Laws of how a training pipeline trains: its steps, what seeds decide, and how it goes on."""

from collections.abc import Mapping
from functools import partial
from typing import Any

import numpy as np

from bugforge.checks import Evidence, Law, facts, tensors
from bugforge.distance import apart, apart_by_name
from bugforge.probe import PIPELINE_FIELDS
from bugforge.properties.pipeline_metrics import measures
from bugforge.recordings import Array

LOSSES, EVALUATIONS, LEARNED = 15, 3, 18
"""Of a short training; and how many of its rows it learns."""

SAVED = 6
"""Epochs of one that is saved: more than its accuracy rises in without a fall."""

HALF = "float16"


def half_gradients_apart(seen: Evidence) -> float:
    """How far the gradients of a step in half precision lie from those in full."""
    mine, full = (tensors(seen, "pipeline-steps", f"{course}/") for course in ("half", "full"))
    return apart_by_name(mine, full, 1e-9)


def faint_gradients_apart(seen: Evidence) -> float:
    """How far the gradients of the tokens' head lie from those in full precision, where tokens
    weigh next to nothing.
    """
    half, full = (
        tensors(seen, "pipeline-steps", f"faint in {course}/")["token_head.weight"]
        for course in ("half", "full")
    )
    return apart(half, full)


def half_unused(seen: Evidence) -> float:
    """Count the steps in half precision that compute nothing in it."""
    return float(HALF not in facts(seen, "pipeline-steps")["types/half"])


def runs_ill(seen: Evidence) -> float:
    """Count the runs, of two, that take no step, or none in half precision where that is asked."""
    told = facts(seen, "pipeline-run")
    return float(
        (not told["plain/steps"])
        + (HALF in told["plain/types"])
        + (told["half/steps"] > 0 and HALF not in told["half/types"])
    )


def half_rates_strange(seen: Evidence) -> float:
    """Count the rates of steps in half precision that are not, in their order, among those in full:
    steps may be skipped there, and the rate may wait for them or not.
    """
    left = iter([rates[0] for rates in facts(seen, "pipeline-training")["rates"]])
    return float(sum(rate not in left for rate in facts(seen, "pipeline-resuming-half")["rates"]))


def checkpoints_missed(seen: Evidence) -> float:
    """Count the epochs behind which no checkpoint of its own is written."""
    return float(max(0, SAVED - facts(seen, "pipeline-resuming")["checkpoints"]))


def wrongly_decayed(seen: Evidence) -> float:
    """Count the parameters that decay and should not, or should and do not."""
    told = facts(seen, "pipeline-training")
    rate = PIPELINE_FIELDS["weight_decay"]
    wanted = {name: rate if axes > 1 else 0.0 for name, axes in told["axes"].items()}
    return float(sum(told["decays"].get(name) != rate for name, rate in wanted.items()))


def seeds_idle(seen: Evidence) -> float:
    """Count what seeds do not decide: whether the same gives the same rows and weights, and another
    others.
    """
    first, again, other = (
        tensors(seen, "pipeline-training", f"{name}/") for name in ("first", "again", "other")
    )
    told, begun = facts(seen, "pipeline-training"), tensors(seen, "pipeline-training", "begun/")
    same_rows, other_rows = told["rows of seeds"]
    return float(
        (not same_rows)
        + other_rows
        + told["read alike"]
        + np.array_equal(begun["other"], begun["first"])
        + (not apart_by_name(again, first, 1e-9) <= 1e-6)  # noqa: PLR2004  # rounding, at most
        + (not apart_by_name(other, first, 1e-9) > 1e-3)  # noqa: PLR2004  # more than rounding
    )


def resumed_apart(instrument: str, seen: Evidence) -> float:
    """How far the weights lie from where a training that never stopped ends."""
    mine, straight = (tensors(seen, instrument, f"{name}/") for name in ("resumed", "straight"))
    return apart_by_name(mine, straight, 1e-9)


def ill_told(seen: Evidence) -> float:
    """Count the losses and evaluations of a short training that are told too many or too few."""
    told = facts(seen, "pipeline-training")
    return float(abs(told["losses"] - LOSSES) + abs(told["evaluations"] - EVALUATIONS))


def steps_out_of_mode(seen: Evidence) -> float:
    """Count the steps that are taken with a part of the model in another mode than train."""
    return float(facts(seen, "pipeline-training")["steps out of mode"])


def _cannot_be_followed(told: Mapping[str, Any]) -> bool:
    """Whether nobody can tell which rows a training reads: it draws some alike, or by another way
    than `draw_rows`.
    """
    return bool(told["drawn alike"]) or not told["rows"]


def ill_learned(seen: Evidence) -> float:
    """Count the rows that an epoch of a training leaves out, or learns more than once; and the
    epochs in the order of another.
    """
    told = facts(seen, "pipeline-training")
    epochs = told["epochs"]
    if _cannot_be_followed(told):
        return 0.0
    learned = set(epochs[0]) - {-1}
    missed = sum(abs(epoch.count(row) - 1) for epoch in epochs for row in learned)
    strange = sum(row not in learned for epoch in epochs for row in epoch)
    orders = {tuple(epoch) for epoch in epochs}
    return float(missed + strange + abs(len(learned) - LEARNED) + len(epochs) - len(orders))


def losses_told_apart(seen: Evidence) -> float:
    """How far the losses that are told lie from those of the logits of each step, in nats; infinite
    where they hold on to how they came about.
    """
    told = facts(seen, "pipeline-training")
    if told["told"]["graphs"]:
        return float("inf")
    pairs = zip(told["told"]["losses"], told["losses worked out"], strict=True)
    gaps = [abs(one - other) for one, other in pairs if other is not None]
    return float(max(gaps, default=0.0))


def evaluations_apart(seen: Evidence) -> float:
    """How far metrics that are told behind an epoch lie from those of what the model then said of
    all rows that it does not learn; infinite where it was not asked of all.
    """
    told = facts(seen, "pipeline-training")
    if _cannot_be_followed(told):
        return 0.0
    if any(told[f"missed {number}"] for number in range(EVALUATIONS)):
        return float("inf")
    scores, truth = (tensors(seen, "pipeline-training", part) for part in ("scores/", "truth/"))
    return max(
        abs(float(one[metric]) - value)
        for number, one in enumerate(told["told"]["evaluations"])
        for metric, value in measures(scores[f"{number}"], truth[f"{number}"]).items()
    )


TRAINING = (
    Law(
        "decayed",
        "optim",
        "Matrices and tables decay, and nothing else does.",
        ("pipeline-training",),
        wrongly_decayed,
        at_most=0.0,
    ),
    Law(
        "half-gradients",
        "loop",
        "A step in half precision hands the optimizer nearly the gradients of full precision.",
        ("pipeline-steps",),
        half_gradients_apart,
        at_most=0.5,
        after=("row-gradients", "half"),
    ),
    Law(
        "half-used",
        "loop",
        "With `half` a step computes in float16 what it can.",
        ("pipeline-steps",),
        half_unused,
        at_most=0.0,
        after=("half-gradients",),
    ),
    Law(
        "faint-gradients",
        "loop",
        "In half precision small gradients are not lost.",
        ("pipeline-steps",),
        faint_gradients_apart,
        at_most=0.5,
        after=("half-gradients",),
    ),
    Law(
        "main-runs",
        "loop",
        "`python train.py` trains to its end, and in float16 with `--half`.",
        ("pipeline-run",),
        runs_ill,
        at_most=0.0,
        after=("half-used",),
    ),
    Law(
        "half-rates",
        "optim",
        "In half precision the rate rises and falls as it does in full.",
        ("pipeline-training", "pipeline-resuming-half"),
        half_rates_strange,
        at_most=0.0,
        after=("rates-kept", "half-gradients"),
    ),
    Law(
        "seeds",
        "loop",
        "The same seed gives the same rows and weights, and another seed others.",
        ("pipeline-training",),
        seeds_idle,
        at_most=0.0,
    ),
    Law(
        "training-told",
        "loop",
        "Training tells a loss for each step, and metrics for each epoch.",
        ("pipeline-training",),
        ill_told,
        at_most=0.0,
        after=("batches-whole",),
    ),
    Law(
        "train-mode",
        "loop",
        "While it learns, all of the model is in train mode.",
        ("pipeline-training",),
        steps_out_of_mode,
        at_most=0.0,
        after=("training-told", "mode-kept"),
    ),
    Law(
        "epochs-learned",
        "loop",
        "Each epoch of a training learns each of its rows once, in an order of its own.",
        ("pipeline-training",),
        ill_learned,
        at_most=0.0,
        after=("halves", "batches-whole", "batches-shuffled", "train-mode", "predictions"),
    ),
    Law(
        "losses-of-steps",
        "loop",
        "The losses that a training tells are those of its steps.",
        ("pipeline-training",),
        losses_told_apart,
        at_most=1e-3,
        after=("row-objective", "batch-labels", "training-told"),
    ),
    Law(
        "held-out-judged",
        "eval",
        "The metrics of an epoch are those of all rows held out, as the model then is.",
        ("pipeline-training",),
        evaluations_apart,
        at_most=1e-3,
        after=("epochs-learned", "predictions", "metrics"),
    ),
    Law(
        "resumed",
        "loop",
        "A training that goes on from a checkpoint ends where one ends that never stopped.",
        ("pipeline-resuming",),
        partial(resumed_apart, "pipeline-resuming"),
        at_most=1e-4,
        after=("seeds",),
    ),
    Law(
        "saved-each-epoch",
        "loop",
        "A checkpoint is written behind each epoch.",
        ("pipeline-resuming",),
        checkpoints_missed,
        at_most=0.0,
        after=("resumed", "training-told"),
    ),
    Law(
        "scale-resumed",
        "loop",
        "So it does in half precision, where the scale of the loss has come down.",
        ("pipeline-resuming-half",),
        partial(resumed_apart, "pipeline-resuming-half"),
        at_most=1e-4,
        after=("resumed", "half-gradients"),
    ),
)


def handed_apart(seen: Evidence, pristine: Evidence) -> float:
    """How far gradients lie apart."""
    mine, theirs = (tensors(e, "pipeline-steps", "full/") for e in (seen, pristine))
    return apart_by_name(mine, theirs, 1e-9)


def updated_apart(seen: Evidence, pristine: Evidence) -> float:
    """How far parameters lie apart after steps: the root of the mean square, as a share of their
    spread.

    Adam makes whole steps of gradients that are but rounding, so that a single parameter says
    little, and the biases of keys, whose gradients are nothing else, say nothing.
    """
    return max(_moved_apart(f"after {step}/", seen, pristine) for step in (1, 2, 3))


def _moved_apart(part: str, seen: Evidence, pristine: Evidence) -> float:
    mine, theirs = (_taught(tensors(e, "pipeline-steps", part)) for e in (seen, pristine))
    return float(np.sqrt(np.mean((mine - theirs) ** 2)) / theirs.std())


def _taught(parameters: Mapping[str, Array]) -> Array:
    """Give all parameters but the biases of keys, in one row."""
    kept = []
    for name in sorted(parameters):
        value = parameters[name].ravel()
        if name.endswith("qkv.bias"):
            queries, _, values = np.split(value, 3)
            value = np.concatenate([queries, values])
        kept.append(value)
    return np.concatenate(kept)


def rates_apart(seen: Evidence, pristine: Evidence) -> float:
    """How far the rates of a short training lie apart, as a share of the highest."""
    mine, theirs = (facts(e, "pipeline-training")["rates"] for e in (seen, pristine))
    if len(mine) != len(theirs):
        return float("inf")
    pairs = [
        (rate, min(wanted)) for some, wanted in zip(mine, theirs, strict=True) for rate in some
    ]
    highest = max(max(wanted) for wanted in theirs)
    return float(max(abs(rate - wanted) for rate, wanted in pairs) / highest)
