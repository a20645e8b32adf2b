"""Laws of a classifier of rows: padding counts for nothing, and what stands there for all."""

from functools import partial

from bugforge.checks import Evidence, Law, facts, tensors
from bugforge.distance import apart
from bugforge.properties.telling import (
    graphs_kept,
    modes_lost,
    told_accuracy_apart,
    wrong_losses,
)

GIVEN = 2
"""What forward gives: logits and a loss."""

LENGTH, BATCH = 13, 7
"""Positions and rows of a step that a training is asked for which is none by default."""

ROWS, CLASSES, WIDTH = 5, 4, 24
"""Of what is recorded: rows, classes, and how wide the stream is."""


def misshapen(seen: Evidence) -> float:
    """Count the logits of a wrong shape, and things that forward gives too many or too few of."""
    logits = tensors(seen, "sequences", "logits/").values()
    wrong = sum(array.shape != (ROWS, CLASSES) for array in logits)
    return float(wrong + abs(facts(seen, "sequences")["gives"] - GIVEN))


def more_parameters(seen: Evidence) -> float:
    """Count the parameters behind the GPT that are not those of one linear layer, and whether it is
    another GPT than the one that was given.
    """
    told = facts(seen, "sequences")
    shapes = sorted(map(tuple, told["more"]))
    wanted = [(CLASSES,), (CLASSES, WIDTH)]
    return float((shapes != wanted) + (not told["shared"]))


def padding_counted(seen: Evidence) -> float:
    """How far logits of rows lie from those of the same rows filled up otherwise, or alone."""
    logits = tensors(seen, "sequences", "logits/")
    masked = {name.removesuffix("masked") for name in logits if name.endswith("/masked")}
    return max(
        apart(logits[f"{way}{other}"], logits[f"{way}masked"])
        for way in masked
        for other in ("refilled", "alone", "filled up alone")
    )


def ill_trained(seen: Evidence) -> float:
    """Count what a short training does otherwise: the losses told, and what seeds decide."""
    told = facts(seen, "sequences")
    return float(
        (told["told losses"] != 3)  # noqa: PLR2004  # steps asked for
        + (not told["same seed, same losses"])
        + bool(told["other seed, same losses"])
        + bool(told["other seed, same beginning"])
    )


def fields_unread(seen: Evidence) -> float:
    """Count the fields of its configuration that training does not go by: positions, and rows of a
    step. The optimizer, and so its rate, is free.
    """
    told = facts(seen, "sequences")
    return float(
        (set(told["positions"]) != {LENGTH} or set(told["lengths"]) != {LENGTH})
        + (not set(told["read"]) <= {BATCH})
    )


def steps_apart(seen: Evidence) -> float:
    """How far the losses that training tells lie from those of the rows that it reads, as a share;
    infinite where it reads others than were drawn.
    """
    told = facts(seen, "sequences")
    if told["strange"]:
        return float("inf")
    losses = told["step losses"]
    if not losses["expected"]:
        return 0.0  # its steps go round forward, where nobody looks
    pairs = zip(losses["told"], losses["expected"], strict=True)
    return float(max(abs(one - other) / other for one, other in pairs))


def handed_apart(seen: Evidence) -> float:
    """How far gradients that are handed on lie from those of the rows, in direction; 0 to 1."""
    return float(max(facts(seen, "sequences")["handed apart"], default=0.0))


def loss_of_unseen(seen: Evidence) -> float:
    """Mean cross-entropy, in nats, of rows never seen, behind a whole training; chance is 1.1."""
    return float(facts(seen, "sequences")["unseen"])


SEQUENCES = (
    Law(
        "rows-shape",
        "classifier",
        "The classifier of rows gives logits (B, n_classes) and a loss, or None.",
        ("sequences",),
        misshapen,
        at_most=0.0,
    ),
    Law(
        "rows-parameters",
        "classifier",
        "The classifier of rows is the GPT that it is given, and one linear layer.",
        ("sequences",),
        more_parameters,
        at_most=0.0,
    ),
    Law(
        "padding-kept-out",
        "classifier",
        "What fills a row up changes nothing: it has the logits that it has alone.",
        ("sequences",),
        padding_counted,
        at_most=1e-4,
        after=("rows-shape",),
    ),
    Law(
        "rows-losses",
        "classifier",
        "The loss of rows is the mean cross-entropy of their classes.",
        ("sequences",),
        partial(wrong_losses, "sequences"),
        at_most=1e-5,
        after=("rows-shape",),
    ),
    Law(
        "rows-accuracy",
        "classifier",
        "`accuracy` tells the share of rows that are classified rightly.",
        ("sequences",),
        partial(told_accuracy_apart, "sequences"),
        at_most=1e-5,
        after=("rows-shape",),
    ),
    Law(
        "rows-mode",
        "classifier",
        "Measuring accuracy leaves the model in the mode that it was in.",
        ("sequences",),
        partial(modes_lost, "sequences"),
        at_most=0.0,
    ),
    Law(
        "rows-graph-free",
        "classifier",
        "Accuracy is measured without gradients.",
        ("sequences",),
        partial(graphs_kept, "sequences"),
        at_most=0.0,
    ),
    Law(
        "rows-training",
        "classifier",
        "Training on rows tells a loss for each step, and follows its seed.",
        ("sequences",),
        ill_trained,
        at_most=0.0,
    ),
    Law(
        "rows-fields",
        "classifier",
        "Training goes by the positions and the rows of a step of its configuration.",
        ("sequences",),
        fields_unread,
        at_most=0.0,
        after=("rows-training",),
    ),
    Law(
        "rows-steps",
        "classifier",
        "Training tells for each step the mean loss of the rows that were drawn for it.",
        ("sequences",),
        steps_apart,
        at_most=1e-3,
        after=("rows", "rows-losses", "rows-training"),
    ),
    Law(
        "rows-gradient",
        "classifier",
        "Each step goes by the gradient of its own rows, without their padding, and of no others.",
        ("sequences",),
        handed_apart,
        at_most=5e-2,
        after=("rows", "rows-losses", "rows-teach", "rows-training", "rows-steps"),
    ),
    Law(
        "rows-learned",
        "classifier",
        "Behind a training, rows never seen are classified far better than by chance.",
        ("sequences",),
        loss_of_unseen,
        at_most=0.5,
        after=("rows", "rows-losses", "rows-teach", "rows-training"),
    ),
)
