"""Laws of programs with dropout and a part of the text held out."""

from itertools import combinations

import numpy as np

from bugforge.checks import Evidence, Law, facts, tensors
from bugforge.distance import apart, apart_by_name
from bugforge.probe import BLOCK, SIZES
from bugforge.recordings import Array

SHARE = 0.25
"""The share that is dropped at each place while it is looked at."""

TOLD = 1e-3
"""Less than this of a weight is none."""

VECTORS = 2
"""Axes of a vector of several models."""

ADDED = ("embeddings", "heard", "thought")
"""Places of the stream, where single numbers are dropped."""


def drawn_weights(seen: Evidence) -> dict[str, Array]:
    """Give fresh matrices and tables, (models, ...), by name; the position table, which may begin
    at zero, aside.
    """
    return {
        name: weight.astype(np.float64)
        for name, weight in tensors(seen, "beginning").items()
        if weight.ndim > VECTORS and BLOCK not in weight.shape
    }


def begun_together(seen: Evidence) -> float:
    """The greatest correlation of two fresh matrices of a shape, or of those of two models.

    Right programs came to 0.05 at the most, and what is begun as another is comes to 1.
    """
    alike: dict[tuple[int, ...], list[Array]] = {}
    for weight in drawn_weights(seen).values():
        flat = weight.reshape(len(weight), -1)
        alike.setdefault(weight.shape, []).append((flat - flat.mean()) / flat.std())
    pairs = [pair for some in alike.values() for pair in combinations(some, 2)]
    pairs += [(weight[1:], weight[:-1]) for some in alike.values() for weight in some]
    return max(abs(float((one * other).mean())) for one, other in pairs)


def dropped_in_eval(seen: Evidence) -> float:
    """Distance of the logits of eval mode from those without any dropout."""
    told = tensors(seen, "dropout")
    return max(apart(told[f"eval/{number}"], told["without"]) for number in (1, 2))


def shares_apart(seen: Evidence) -> float:
    """How far, at any place, the share of numbers that are dropped lies from what it should be.

    Right programs lay within 0.04, what is dropped twice from 0.18 on, and places without dropout
    at 0.25.
    """
    drawn = _drawn(seen)
    shares = [(drawn[place] == 0).mean() for place in ADDED]
    # Nothing is heard of a single weight of attention that is dropped.
    shares.append((np.abs(drawn["weights"][:, :, 0]) < TOLD).mean())
    return max(abs(float(share) - SHARE) for share in shares)


def hidden_apart(seen: Evidence) -> float:
    """How far the numbers that an MLP hides lie from those without dropout."""
    return float(np.nanmax(tensors(seen, "dropping")["hidden"]))


def kept_apart(seen: Evidence) -> float:
    """How far what is kept lies from what it should be, that being 1."""
    drawn = _drawn(seen)
    return max(
        float(np.abs((1 - SHARE) * values[values != 0] - 1).max())
        for values in (drawn[place] for place in ADDED)
    )


def weights_in_part(seen: Evidence) -> float:
    """How far what a head hears of positions that are alike lies from a number of whole weights."""
    heard = _drawn(seen)["weights"]  # (looks, rows, positions, blocks, heads)
    most = np.arange(1, heard.shape[2] + 1).reshape(-1, 1, 1)
    return float(np.nanmax(np.abs(heard - np.clip(heard.round(), 0, most))))


def drawn_together(seen: Evidence) -> float:
    """How much what is dropped goes by what is dropped beside it: the greatest correlation of two
    passes, rows, positions, blocks or numbers in turn, or of weights of one position.
    """
    drawn = _drawn(seen)
    heard = drawn["weights"]
    count = heard.shape[2]
    # The variance of how many of so many are kept, if each is by itself, is this.
    alone = count * SHARE * (1 - SHARE)
    together = float((np.nanvar(heard[:, :, -1]) / alone - 1) / (count - 1))
    beside = [
        _correlation(values, axis)
        for values in (*(drawn[place] for place in ADDED), heard)
        for axis in range(values.ndim)
        if values.shape[axis] > 1
    ]
    return max(map(abs, (together, *beside)))


def _correlation(values: Array, axis: int) -> float:
    """Correlation of each number with the next one along an axis; positions have means of their
    own.
    """
    mean, spread = (f(values, axis=(0, 1, 3, 4), keepdims=True) for f in (np.nanmean, np.nanstd))
    rows = np.moveaxis((values - mean) / spread, axis, 0)
    return float(np.nanmean(rows[1:] * rows[:-1]))


def queries_dropped(seen: Evidence) -> float:
    """The share of what a query is made of that is dropped; or how near the share of its numbers in
    a head that are taught nothing comes to a half, where that is more: it is nothing or all.
    """
    untaught = tensors(seen, "dropping", "untaught/")
    made, read = untaught["made"], untaught["read"]
    taught = ~made.all(axis=-1)
    heads = made.reshape(*made.shape[:-1], int(SIZES["n_head"]), -1).mean(-1)
    return max(float(np.minimum(heads, 1 - heads).max()), float(read[taught].mean()))


def _drawn(seen: Evidence) -> dict[str, Array]:
    """Give what stands at each place, (looks, rows, positions, blocks, n), how often it should."""
    drawn = tensors(seen, "dropping", "drawn/")
    return {name: values.astype(np.float64) for name, values in drawn.items()}


def dropped_while_generating(seen: Evidence) -> float:
    """Count the modes, of two, in which generating leads elsewhere than without any dropout."""
    told = tensors(seen, "dropout")
    return sum(
        not np.array_equal(tokens, told["expected"])
        for tokens in tensors(seen, "dropout", "greedy/").values()
    )


def kept_while_learning(seen: Evidence) -> float:
    """Distance of gradients from those without dropout, the nearest of those looked at."""
    steps = {name.split("/")[0] for name in tensors(seen, "evaluation")}
    return min(
        apart_by_name(
            tensors(seen, "evaluation", f"{step}/handed/"),
            tensors(seen, "evaluation", f"{step}/expected/"),
            1e-9,
        )
        for step in steps
    )


def strangers_evaluated(seen: Evidence) -> float:
    """Count the evaluations that read nothing, or anything but runs of what is held out."""
    read, strange = facts(seen, "evaluation", "read/"), facts(seen, "evaluation", "strange/")
    return float(sum(not read[number] or strange[number] > 0 for number in read))


def evaluations_missed(seen: Evidence) -> float:
    """How many evaluations are told too many or too few, of one after each step; and how many steps
    of others are evaluated behind, or not, where that was asked for otherwise. The last of these
    may be.
    """
    told, seldom = facts(seen, "evaluation"), facts(seen, "accumulation")
    elsewhere = {*seldom["evaluated behind"]} ^ {*seldom["evaluations asked behind"]}
    return float(abs(len(told["told"]) - told["steps"]) + len(elsewhere))


def wrong_evaluation(seen: Evidence) -> float:
    """Distance of what evaluations told from the mean loss without dropout, as a share of it."""
    expected = facts(seen, "evaluation", "expected/")
    told = facts(seen, "evaluation")["told"]
    return float(
        max(
            abs(told[int(number) - 1] - loss) / max(abs(loss), 1e-6)
            for number, loss in expected.items()
        )
    )


def clipped_apart(seen: Evidence) -> float:
    """Distance of the gradients handed on from those of all batches of the step, clipped at once.

    With right programs of the corpus it was 2e-5 at the most, with batches that are clipped one by
    one 5.4.
    """
    handed = tensors(seen, "accumulation", "1/handed/")
    expected = tensors(seen, "accumulation", "1/expected/")
    norm = np.sqrt(sum(np.square(g.astype(np.float64)).sum() for g in expected.values()))
    factor = min(1.0, facts(seen, "accumulation")["clipped to"] / norm)
    return apart_by_name(handed, {name: factor * g for name, g in expected.items()}, 1e-9)


def batches_again(seen: Evidence) -> float:
    """The share of batches that are one of the batches before them, once more: the last one, or
    one that lies some other number of batches back, whichever makes more.

    Two batches are the same by chance once in 400 000 times.
    """
    size = facts(seen, "accumulation")["batch size"]
    steps = tensors(seen, "accumulation", "rows/")
    rows = np.concatenate([steps[number] for number in sorted(steps, key=int)])
    batches = rows.reshape(-1, size, rows.shape[1])
    return max(
        float((batches[back:] == batches[:-back]).all(axis=(1, 2)).mean())
        for back in range(1, len(batches) // 2)
    )


def rates_off(seen: Evidence) -> float:
    """How far the rate lies, at any step, from a straight line to the one asked for and a cosine
    from there to nothing, as a share of the one asked for.

    The line may begin anywhere; the greatest rate and nothing may come a step earlier or later than
    stated, and all between is right.
    """
    told, rates = facts(seen, "rates"), tensors(seen, "rates")["rates"][:, 0]
    shares = rates / told["asked"]
    right = np.stack(
        [
            _stated(shares[0], told["warm-up"] + early, len(shares) + late, len(shares))
            for early in (-1, 0, 1)
            for late in (-1, 0, 1)
        ]
    )
    return float(np.maximum(shares - right.max(axis=0), right.min(axis=0) - shares).max())


def _stated(first: float, peak: int, end: int, steps: int) -> Array:
    """Work out the rates of some steps, as shares of that of step `peak`; `end` has none."""
    step = np.arange(steps)
    done = np.clip((step - peak) / (end - peak), 0, 1)
    rising, falling = first + (1 - first) * step / peak, 0.5 * (1 + np.cos(np.pi * done))
    return np.asarray(np.where(step < peak, rising, falling))


REGULARISED = (
    Law(
        "begun-apart",
        "head",
        "Weights are drawn one by one, and anew for each seed.",
        ("beginning",),
        begun_together,
        at_most=0.2,
        after=("beginning",),
    ),
    Law(
        "dropout-off",
        "eval",
        "In eval mode nothing is dropped.",
        ("dropout",),
        dropped_in_eval,
        at_most=1e-4,
        after=("shape", "finite", "parameters"),
    ),
    Law(
        "places-dropped",
        "block",
        "Dropout is where PROBLEM.md states it: on embeddings, on weights of attention, and on "
        "what each sublayer adds.",
        ("dropping",),
        shares_apart,
        at_most=0.14,
        after=("parameters", "forward", "dropout-off", "gradient-flow"),
    ),
    Law(
        "hidden-kept",
        "block",
        "Nothing is dropped of what an MLP reads and hides.",
        ("dropping",),
        hidden_apart,
        at_most=0.01,
        after=("parameters", "forward", "dropout-off", "gradient-flow"),
    ),
    Law(
        "kept-scaled",
        "block",
        "What dropout keeps is divided by the share that is kept, so that it adds up to as much.",
        ("dropping",),
        kept_apart,
        at_most=0.01,
        after=("places-dropped",),
    ),
    Law(
        "weights-dropped",
        "attention",
        "While learning, dropout takes whole weights of attention, and divides the others by the "
        "share that is kept; scores and values stay whole.",
        ("dropping",),
        weights_in_part,
        at_most=0.01,
        after=("parameters", "forward", "dropout-off", "gradient-flow"),
    ),
    Law(
        "queries-whole",
        "attention",
        "While learning, nothing of queries and keys is dropped, nor of what they are made of.",
        ("dropping",),
        queries_dropped,
        at_most=0.01,
        after=("parameters", "forward", "dropout-off", "gradient-flow"),
    ),
    Law(
        "drawn-apart",
        "block",
        "Dropout draws each number by itself: for each row, position, head and channel, and anew "
        "in each pass.",
        ("dropping",),
        drawn_together,
        at_most=0.3,
        after=("places-dropped", "kept-scaled", "weights-dropped"),
    ),
    Law(
        "generates-without-dropout",
        "sampling",
        "Generating drops nothing, whatever mode the model is in.",
        ("dropout",),
        dropped_while_generating,
        at_most=0.0,
        after=("dropout-off", "greedy"),
    ),
    Law(
        "batches-anew",
        "data",
        "Each batch is drawn anew, those that one step accumulates, too.",
        ("accumulation",),
        batches_again,
        at_most=0.15,
        after=("windows", "steps-taken"),
    ),
    Law(
        "clipped-at-once",
        "loop",
        "Gradients are clipped once, those of all batches of a step together.",
        ("accumulation",),
        clipped_apart,
        at_most=1e-2,
        after=("gradient", "gradient-flow"),
    ),
    Law(
        "rate-stated",
        "optim",
        "The rate rises in a straight line, and falls along a cosine to nothing.",
        ("rates", "accumulation"),
        rates_off,
        at_most=0.02,
        after=("schedule",),
    ),
    Law(
        "learns-with-dropout",
        "loop",
        "Every training step drops something, those behind an evaluation, too.",
        ("evaluation",),
        kept_while_learning,
        at_least=0.05,
        after=("gradient", "finite"),
    ),
    Law(
        "evaluations",
        "eval",
        "Training evaluates as often as its configuration asks for.",
        ("evaluation", "accumulation"),
        evaluations_missed,
        at_most=0.0,
        after=("steps-taken",),
    ),
    Law(
        "evaluates-held-out",
        "eval",
        "What is evaluated is what was held out.",
        ("evaluation",),
        strangers_evaluated,
        at_most=0.0,
        after=("evaluations",),
    ),
    Law(
        "evaluation",
        "eval",
        "An evaluation tells the mean loss over its tokens, nothing being dropped.",
        ("evaluation",),
        wrong_evaluation,
        at_most=1e-3,
        after=("evaluates-held-out", "objective", "dropout-off"),
    ),
)
