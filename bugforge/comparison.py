"""Comparison with the pristine program: under the same weights it must compute the same."""

from collections import Counter
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import partial

import numpy as np

from bugforge.checks import Evidence, Reading, facts, hidden_by, measured, tensors
from bugforge.distance import apart, apart_by_name
from bugforge.mutation import Stage
from bugforge.properties.decoding import CLEAR, wrong_spread
from bugforge.properties.pipeline_metrics import predictions_apart
from bugforge.properties.pipeline_passes import row_logits_apart, row_losses_apart
from bugforge.properties.pipeline_training import handed_apart, rates_apart, updated_apart
from bugforge.properties.regularised import VECTORS, drawn_weights


@dataclass(frozen=True)
class Comparison:
    """A check that holds a program against the pristine one.

    sentence, needs, after: as for a law. read: how far the first evidence lies from the second.
    """

    name: str
    stage: Stage
    sentence: str
    needs: tuple[str, ...]
    read: Callable[[Evidence, Evidence], float]
    at_most: float
    after: tuple[str, ...] = ()

    def judge(self, seen: Evidence, pristine: Evidence, before: Mapping[str, Reading]) -> Reading:
        """Read the distance and hold it to its bound."""
        hidden = hidden_by(self.needs, self.after, seen, before)
        if hidden:
            return Reading(self.name, self.stage, self.sentence, None, why=hidden)
        value = measured(lambda: self.read(seen, pristine))
        kept = bool(value <= self.at_most)
        return Reading(self.name, self.stage, self.sentence, kept, value, self.at_most)


def misfits(seen: Evidence, pristine: Evidence) -> float:
    """Count parameters of a shape that the other program has fewer or more of, or no place for."""
    mine, theirs = parameter_shapes(seen), parameter_shapes(pristine)
    unlike = (mine - theirs).total() + (theirs - mine).total()
    return unlike + len(facts(seen, "forward").get("unplaced", ()))


def parameter_shapes(seen: Evidence) -> Counter[tuple[int, ...]]:
    """Count the parameters of each shape, axes of length 1 apart."""
    return Counter(
        tuple(size for size in weight.shape if size > 1)
        for weight in tensors(seen, "construct").values()
    )


def logits_apart(seen: Evidence, pristine: Evidence) -> float:
    """How far the logits lie apart, over every input, both modes and both sizes of weights."""
    mine, theirs = tensors(seen, "forward"), tensors(pristine, "forward")
    # Only an attempt is also tried with weights in other places.
    names = [name for name in theirs if not name.startswith("otherwise/")]
    return max(apart(mine[name], theirs[name]) for name in names)


def gradients_apart(seen: Evidence, pristine: Evidence) -> float:
    """How far the first step's gradients lie apart, clipped ones too."""
    return max(
        apart_by_name(
            tensors(seen, "update", f"{course}/gradient 1/"),
            tensors(pristine, "update", f"{course}/gradient 1/"),
            1e-9,
        )
        for course in ("whole", "clipped")
    )


def updates_apart(seen: Evidence, pristine: Evidence) -> float:
    """How far the parameters lie apart after each of three steps, at the most."""
    return max(update_distances(seen, pristine))


def update_distances(seen: Evidence, other: Evidence) -> list[float]:
    """How far the parameters of two programs lie apart after each step, clipped ones too."""
    return [
        apart_by_name(
            tensors(seen, "update", f"{course}/after {step}/"),
            tensors(other, "update", f"{course}/after {step}/"),
            1e-9,
        )
        for course in ("whole", "clipped")
        for step in (1, 2, 3)
    ]


def losses_apart(seen: Evidence, pristine: Evidence) -> float:
    """How far the losses that training tells lie apart, as a share of the greatest."""
    mine, theirs = (np.array(facts(e, "update")["losses"]) for e in (seen, pristine))
    return float(np.abs(mine - theirs).max() / theirs.max())


def decoding_apart(seen: Evidence, pristine: Evidence) -> float:
    """Share of greedy continuations that are others, where every choice was clear; or the most
    that drawn tokens are spread otherwise than the logits of the other program say.
    """
    drawn, from_ = tensors(seen, "decode"), tensors(pristine, "decode")
    others = [
        not np.array_equal(mine, theirs)
        for name, clear in tensors(pristine, "decode", "clear/").items()
        for mine, theirs, choice in zip(
            drawn[f"greedy/{name}"], from_[f"expected/{name}"], clear, strict=True
        )
        if choice > CLEAR
    ]
    return max(float(np.mean(others)), wrong_spread(drawn, from_))


def beginnings_apart(seen: Evidence, pristine: Evidence) -> float:
    """How far the spreads of fresh weights lie apart, as a logarithm, one by one.

    Right programs lay within 0.02, those that cut normal numbers off at twice their spread within
    0.15, and one that takes its own depth for any at 0.2.
    """
    mine, theirs = _spreads(seen), _spreads(pristine)
    return max(abs(float(np.log(mine[name]) - np.log(theirs[name]))) for name in theirs)


def _spreads(seen: Evidence) -> dict[str, float]:
    return {name: float(weight.std()) for name, weight in drawn_weights(seen).items()}


def begun_elsewhere(seen: Evidence, pristine: Evidence) -> float:
    """How far any number of a fresh bias or LayerNorm lies from what it should be, as a share of
    the least spread of fresh matrices; or the mean of one of these from nothing, as a share of its
    own, where that is farther.

    Right programs lay within 0.03, and ones that begin biases as matrices from 3 on.
    """
    mine, theirs = tensors(seen, "beginning"), tensors(pristine, "beginning")
    least = min(_spreads(pristine).values())
    vectors = [name for name, weight in theirs.items() if weight.ndim == VECTORS]
    return max(
        *(float(np.abs(mine[name] - theirs[name]).max()) / least for name in vectors),
        *(abs(float(w.mean() / w.std())) for w in drawn_weights(seen).values()),
    )


def dropped_otherwise(seen: Evidence, pristine: Evidence) -> float:
    """How far the spread that dropout gives to logits, all its places together, lies from another,
    as a logarithm.
    """
    mine, theirs = (one["dropout"].tensors["spread"] for one in (seen, pristine))
    return abs(float(np.log(mine.mean()) - np.log(theirs.mean())))


def recorded_apart(instrument: str, part: str, seen: Evidence, pristine: Evidence) -> float:
    """How far the tensors of a part of what an instrument records lie apart, at the most."""
    mine, theirs = (tensors(e, instrument, part) for e in (seen, pristine))
    return max(apart(mine[name], theirs[name]) for name in theirs)


def taught_apart(instrument: str, seen: Evidence, pristine: Evidence) -> float:
    """How far the gradients that a classifier's loss leads to lie apart."""
    mine, theirs = (tensors(e, instrument, "taught/") for e in (seen, pristine))
    return apart_by_name(mine, theirs, 1e-9)


def left_unmoved(seen: Evidence, pristine: Evidence) -> float:
    """Count the parameters that training leaves where they were, beside those that it should."""
    mine, theirs = (facts(e, "sequences")["unmoved"] for e in (seen, pristine))
    return float(max(0, mine - theirs))


COMPARISONS = (
    Comparison(
        "parameters",
        "head",
        "The parameters have the shapes that PROBLEM.md states.",
        ("construct", "forward"),
        misfits,
        at_most=0.0,
    ),
    Comparison(
        "forward",
        "attention",
        "Given weights and tokens lead to the logits of a correct GPT.",
        ("forward",),
        logits_apart,
        at_most=1e-4,
        after=("parameters", "shape", "finite"),
    ),
    Comparison(
        "gradient-flow",
        "loop",
        "Every part of the model is taught by the loss.",
        ("update",),
        gradients_apart,
        at_most=1e-2,
        after=("forward", "objective", "steps-taken"),
    ),
    Comparison(
        "update",
        "optim",
        "Three training steps lead to the weights that they should lead to.",
        ("update",),
        updates_apart,
        at_most=1e-3,
        after=("forward", "gradient-flow"),
    ),
    Comparison(
        "beginning",
        "head",
        "Weights begin as widely spread as PROBLEM.md states.",
        ("beginning",),
        beginnings_apart,
        at_most=0.165,
        after=("parameters", "init-finite", "position-scale", "forward"),
    ),
    Comparison(
        "beginning-centred",
        "head",
        "Weights begin around zero, biases at zero, and a LayerNorm changes nothing at first.",
        ("beginning",),
        begun_elsewhere,
        at_most=0.1,
        after=("beginning",),
    ),
    Comparison(
        "dropout",
        "block",
        "In train mode as much is dropped as PROBLEM.md states, in as many places.",
        ("dropout",),
        dropped_otherwise,
        at_most=0.06,
        after=("forward", "dropout-off"),
    ),
    Comparison(
        "losses",
        "loss",
        "Training tells the losses that a correct one would.",
        ("update",),
        losses_apart,
        at_most=1e-3,
        after=("update", "objective"),
    ),
    Comparison(
        "decoding",
        "sampling",
        "Given weights and a prompt, generating leads where a correct GPT would.",
        ("decode",),
        decoding_apart,
        at_most=0.08,
        after=("forward", "greedy", "sampling"),
    ),
    Comparison(
        "classes",
        "classifier",
        "Given weights and tokens lead to the logits of classes that PROBLEM.md states.",
        ("classifying",),
        partial(recorded_apart, "classifying", "classes/"),
        at_most=1e-4,
        after=("classifier-off", "classifier-parameters", "forward"),
    ),
    Comparison(
        "classes-teach",
        "classifier",
        "What the classes are read from is taught by their loss, too.",
        ("classifying",),
        partial(taught_apart, "classifying"),
        at_most=1e-2,
        after=("classes", "losses-given"),
    ),
    Comparison(
        "rows",
        "classifier",
        "Given weights and rows lead to the logits that the mean of their tokens leads to.",
        ("sequences",),
        partial(recorded_apart, "sequences", "logits/"),
        at_most=1e-4,
        after=("rows-shape", "rows-parameters", "padding-kept-out", "forward"),
    ),
    Comparison(
        "rows-teach",
        "classifier",
        "What rows are made of is taught by their loss, too.",
        ("sequences",),
        partial(taught_apart, "sequences"),
        at_most=1e-2,
        after=("rows", "rows-losses"),
    ),
    Comparison(
        "rows-moves",
        "classifier",
        "Training on rows moves all that leads to their logits.",
        ("sequences",),
        left_unmoved,
        at_most=0.0,
        after=("rows-parameters", "rows-training", "rows-teach"),
    ),
    Comparison(
        "row-logits",
        "classifier",
        "Given weights and rows lead to the logits that PROBLEM.md states.",
        ("pipeline-logits",),
        row_logits_apart,
        at_most=1e-3,
        after=("padding-unread", "later-unread"),
    ),
    Comparison(
        "row-objective",
        "loss",
        "The loss is that of the classes, and of the tokens that there are.",
        ("pipeline-loss",),
        row_losses_apart,
        at_most=1e-4,
    ),
    Comparison(
        "rates-kept",
        "optim",
        "The rate rises and falls, step by step, as PROBLEM.md states.",
        ("pipeline-training",),
        rates_apart,
        at_most=1e-4,
        after=("batches-whole",),
    ),
    Comparison(
        "row-gradients",
        "loop",
        "A step hands the optimizer the gradients of the loss, clipped.",
        ("pipeline-steps",),
        handed_apart,
        at_most=1e-2,
        after=("row-logits", "row-objective"),
    ),
    Comparison(
        "row-updates",
        "optim",
        "Three steps lead to the weights that they should lead to.",
        ("pipeline-steps",),
        updated_apart,
        at_most=1e-3,
        after=("row-gradients", "decayed", "rates-kept"),
    ),
    Comparison(
        "predictions",
        "eval",
        "All rows are predicted, in their order, with nothing dropped.",
        ("pipeline-evaluation",),
        predictions_apart,
        at_most=1e-3,
        after=("row-logits", "batch-labels", "batch-padding"),
    ),
)
