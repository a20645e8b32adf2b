"""Laws of a training pipeline: its rows, its batches, its passes, and what seeds decide."""

from collections.abc import Mapping
from functools import partial
from typing import Any

import numpy as np

from bugforge.checks import Evidence, Law, facts, tensors
from bugforge.distance import apart, apart_by_name
from bugforge.probe import PIPELINE_FIELDS
from bugforge.recordings import Array
from bugforge.rows_of_writes import ASK, CHANGED_FROM, GIVEN, KEYS, LENGTHS, VALUES, answer, valid

NOISY = 0.03, 0.14
"""What a share of 0.08 may be among 600 rows."""

LAST = 0.2, 0.5
"""In what share of rows the key of the last write may be asked for; it is 0.36 of all."""

DRAWN = 600
"""Rows that a program is asked for."""

ALIKE = 5
"""How many of them may have been drawn before: two in a hundred drawings have one such."""

LIKELIEST = 0.55
"""The greatest share of one label among the rows that ask for the same key; it is a third."""

LOSSES, EVALUATIONS, LEARNED = 15, 3, 18
"""Of a short training; and how many of its rows it learns."""

SAVED = 6
"""Epochs of one that is saved: more than its accuracy rises in without a fall."""

HALF = "float16"

HELD_OUT = 6, 7
"""How many of the given rows may be held out: 6.9, rounded either way."""


def ill_drawn(seen: Evidence) -> float:
    """Count what is not as stated: rows, noise, and whether a label can be had without reading."""
    drawn = facts(seen, "pipeline-data")["drawn"]
    if not drawn or not all(valid(tokens) for tokens, _ in drawn):
        return float("inf")
    noise = np.mean([answer(tokens) != label for tokens, label in drawn])
    last = np.mean([(t[-2] - 1) // VALUES == t[-1] - ASK for t, _ in drawn])
    likeliest = max(
        np.mean([label == value for tokens, label in drawn if tokens[-1] == question])
        for value in range(VALUES)
        for question in range(ASK, ASK + KEYS)
    )
    lengths = {len(tokens) for tokens, _ in drawn}
    odd = (
        not NOISY[0] <= noise <= NOISY[1],
        not LAST[0] <= last <= LAST[1],
        likeliest > LIKELIEST,
        lengths != {length + 1 for length in LENGTHS},
        len(drawn) != DRAWN,
        len(drawn) - len({tuple(tokens) for tokens, _ in drawn}) > ALIKE,
    )
    return float(sum(odd))


def ill_split(seen: Evidence) -> float:
    """Count rows that are in both halves, or in none, or are no rows; and whether the halves are of
    another size than asked for.
    """
    told = facts(seen, "pipeline-data")
    learned, held_out = told["learned"], told["held out"]
    both = [*learned, *held_out]
    twice = len(both) - len(set(both))
    lost = len(set(range(GIVEN)) - set(both))
    return float(twice + lost + (-1 in both) + (len(held_out) not in HELD_OUT))


def halves_alike(seen: Evidence) -> float:
    """Count the seeds, of two, that hold out the same rows as the other."""
    told = facts(seen, "pipeline-data")
    return float(set(told["held out"]) == set(told["held out otherwise"]))


def rows_missed(seen: Evidence) -> float:
    """Count the rows that an epoch leaves out, or gives more than once, or makes up."""
    told = facts(seen, "pipeline-data")
    epochs = [told["epoch 1"], told["epoch 2"]]
    return float(sum(abs(epoch.count(row) - 1) for epoch in epochs for row in range(-1, GIVEN))) - (
        sum(-1 not in epoch for epoch in epochs)
    )


def orders_alike(seen: Evidence) -> float:
    """Count the epochs, of two, in the order of the rows, or in that of the other."""
    told = facts(seen, "pipeline-data")
    one, other = told["epoch 1"], told["epoch 2"]
    return float((one == other) + (one == sorted(one)))


def wrong_in_batches(names: tuple[str, ...], seen: Evidence) -> float:
    """Count rows of batches whose labels, lengths or padding are wrong."""
    wrong = facts(seen, "pipeline-data")["wrong"]
    return float(sum(wrong[name] for name in names))


def padding_read(seen: Evidence) -> float:
    """How far logits of classes move by more padding, and by none."""
    told = tensors(seen, "pipeline-logits")
    return max(apart(told[way], told["eval/classes"]) for way in ("longer", "alone"))


def future_read(way: str, seen: Evidence) -> float:
    """How far logits of tokens move by tokens that come later."""
    told = tensors(seen, "pipeline-logits")
    return apart(told[f"{way}/changed"][:, :CHANGED_FROM], told[f"{way}/tokens"][:, :CHANGED_FROM])


def half_apart(seen: Evidence) -> float:
    """How far logits in half precision lie from those in full; infinite where any is no number."""
    told = tensors(seen, "pipeline-half")
    return apart(told["half"], told["full"])


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


def graphs_kept(seen: Evidence) -> float:
    """Count the predictions, of two, that keep a graph."""
    return float(sum(facts(seen, "pipeline-evaluation", "graph/").values()))


def graph_of_stream_kept(seen: Evidence) -> float:
    """Whether a stream keeps a graph of all that it has read."""
    return float(facts(seen, "pipeline-stream")["graph"])


def modes_lost(seen: Evidence) -> float:
    """Count the modes, of two, that predicting does not leave a model in."""
    return float(sum(not kept for kept in facts(seen, "pipeline-evaluation", "kept/").values()))


def metrics_apart(seen: Evidence) -> float:
    """How far metrics that are told lie from those of the same scores, worked out anew."""
    told = facts(seen, "pipeline-evaluation", "told/")
    scores, truth = (tensors(seen, "pipeline-evaluation", n) for n in ("scores/", "truth/"))
    return max(
        abs(float(told[name][metric]) - value)
        for name in told
        for metric, value in measures(scores[name], truth[name]).items()
    )


def streamed_apart(how: str, names: tuple[str, ...], seen: Evidence) -> float:
    """How far logits of rows that arrive token by token lie from those of rows read at once."""
    told, wanted = (tensors(seen, "pipeline-stream", part) for part in (how, "whole/"))
    return max(apart(told[name], wanted[name]) for name in names)


def measures(scores: Array, labels: Array) -> dict[str, float]:
    """Work out accuracy, macro F1 and macro ROC-AUC, each class against the rest, of scores
    (N, classes).
    """
    predicted, classes = scores.argmax(axis=1), range(scores.shape[1])
    exps = np.exp(scores.astype(np.float64) - scores.max(axis=1, keepdims=True))
    shares = exps / exps.sum(axis=1, keepdims=True)
    return {
        "accuracy": float(np.mean(predicted == labels)),
        "f1": float(np.mean([_f1(predicted == c, labels == c) for c in classes])),
        "auc": float(np.mean([_auc(shares[:, c], labels == c) for c in classes])),
    }


def _f1(said: Array, true: Array) -> float:
    hits, all_ = int((said & true).sum()), int(said.sum() + true.sum())
    return 2 * hits / all_ if all_ else 0.0


def _auc(scores: Array, true: Array) -> float:
    """Share of pairs of one of the class and one of the rest that scores put right."""
    gaps = scores[true][:, None] - scores[~true][None, :]
    return float(np.mean((gaps > 0) + 0.5 * (gaps == 0)))


PIPELINE = (
    Law(
        "drawn-rows",
        "data",
        "Rows are as PROBLEM.md states, and their labels can be had from nothing but the answer.",
        ("pipeline-data",),
        ill_drawn,
        at_most=0.0,
    ),
    Law(
        "halves",
        "data",
        "No row that is held out is learned, and none is lost.",
        ("pipeline-data",),
        ill_split,
        at_most=0.0,
    ),
    Law(
        "halves-drawn",
        "data",
        "Another seed holds other rows out.",
        ("pipeline-data",),
        halves_alike,
        at_most=0.0,
        after=("halves",),
    ),
    Law(
        "batches-whole",
        "data",
        "An epoch gives each row once.",
        ("pipeline-data",),
        rows_missed,
        at_most=0.0,
    ),
    Law(
        "batches-shuffled",
        "data",
        "Each epoch has an order of its own.",
        ("pipeline-data",),
        orders_alike,
        at_most=0.0,
    ),
    Law(
        "batch-labels",
        "data",
        "In a batch, labels stand beside their rows.",
        ("pipeline-data",),
        partial(wrong_in_batches, ("labels",)),
        at_most=0.0,
    ),
    Law(
        "batch-padding",
        "data",
        "In a batch, rows begin at the left, padding follows, and lengths count none of it.",
        ("pipeline-data",),
        partial(wrong_in_batches, ("lengths", "padding")),
        at_most=0.0,
    ),
    Law(
        "padding-unread",
        "classifier",
        "However long its batch, a row is classified as it would be alone.",
        ("pipeline-logits",),
        padding_read,
        at_most=1e-3,
    ),
    Law(
        "later-unread",
        "attention",
        "No token's logits depend on tokens behind it.",
        ("pipeline-logits",),
        partial(future_read, "eval"),
        at_most=1e-3,
    ),
    Law(
        "half",
        "attention",
        "In half precision large scores give numbers, and nearly those of full precision.",
        ("pipeline-half",),
        half_apart,
        at_most=0.5,
        after=("padding-unread", "later-unread"),
    ),
    Law(
        "later-unread-ever",
        "attention",
        "Nor do they where scores of what may be read are very low.",
        ("pipeline-logits",),
        partial(future_read, "vast"),
        at_most=1e-3,
        after=("half",),
    ),
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
    Law(
        "mode-kept",
        "eval",
        "Predicting leaves the model in the mode that it was in.",
        ("pipeline-evaluation",),
        modes_lost,
        at_most=0.0,
    ),
    Law(
        "drops",
        "classifier",
        "In train mode some is dropped, where `dropout` asks for it.",
        ("pipeline-evaluation",),
        lambda seen: float(not facts(seen, "pipeline-evaluation")["drops"]),
        at_most=0.0,
    ),
    Law(
        "graph-free",
        "eval",
        "Behind what is predicted no graph is kept.",
        ("pipeline-evaluation",),
        graphs_kept,
        at_most=0.0,
    ),
    Law(
        "metrics",
        "eval",
        "Accuracy, F1 and ROC-AUC are those that PROBLEM.md states.",
        ("pipeline-evaluation",),
        metrics_apart,
        at_most=1e-4,
    ),
    Law(
        "streamed",
        "cache",
        "A row that arrives token by token is classified as if it were read at once.",
        ("pipeline-stream",),
        partial(streamed_apart, "streamed/", ("first",)),
        at_most=1e-3,
        after=("row-logits",),
    ),
    Law(
        "streamed-anew",
        "cache",
        "Rows that are read after others, or beside them, know nothing of those.",
        ("pipeline-stream",),
        lambda seen: max(
            streamed_apart("streamed/", ("second", "alone"), seen),
            streamed_apart("in turn/", ("first", "second"), seen),
        ),
        at_most=1e-3,
        after=("streamed",),
    ),
    Law(
        "streamed-once",
        "cache",
        "A stream reads no token twice.",
        ("pipeline-stream",),
        lambda seen: float(facts(seen, "pipeline-stream")["read"]),
        at_most=1.0,
        after=("streamed",),
    ),
    Law(
        "stream-graph-free",
        "cache",
        "A stream keeps no graph of what it has read.",
        ("pipeline-stream",),
        graph_of_stream_kept,
        at_most=0.0,
        after=("streamed",),
    ),
)


def row_logits_apart(seen: Evidence, pristine: Evidence) -> float:
    """How far logits of classes and of tokens that there are lie apart, in both modes, and where
    scores are large.

    What is told behind the end of a row is read by nobody.
    """
    mine, theirs = (tensors(e, "pipeline-logits") for e in (seen, pristine))
    there = theirs["there"].astype(bool)
    return max(
        max(
            apart(mine[f"{mode}/classes"], theirs[f"{mode}/classes"]),
            apart(mine[f"{mode}/tokens"][there], theirs[f"{mode}/tokens"][there]),
        )
        for mode in (*MODES, "large")
    )


def row_losses_apart(seen: Evidence, pristine: Evidence) -> float:
    """How far the losses of given logits lie apart, in nats."""
    mine, theirs = (tensors(e, "pipeline-loss") for e in (seen, pristine))
    return max(float(np.abs(mine[name] - theirs[name]).max()) for name in theirs)


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


def predictions_apart(seen: Evidence, pristine: Evidence) -> float:
    """How far the logits that are predicted of rows lie apart, and infinite where labels differ."""
    mine, theirs = (tensors(e, "pipeline-evaluation") for e in (seen, pristine))
    if any(not np.array_equal(mine[f"{m}/labels"], theirs[f"{m}/labels"]) for m in MODES):
        return float("inf")
    return max(apart(mine[f"{m}/logits"], theirs[f"{m}/logits"]) for m in MODES)


MODES = ("train", "eval")


def told_alike(one: Mapping[str, Any], other: Mapping[str, Any]) -> bool:
    """Whether two programs tell the same metrics."""
    return all(
        abs(one[name][metric] - value) <= 1e-4  # noqa: PLR2004  # the bound of `metrics`
        for name, told in other.items()
        for metric, value in told.items()
    )
