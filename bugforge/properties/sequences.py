"""Laws of a classifier of rows: padding counts for nothing, and what stands there for all."""

from functools import partial

from bugforge.checks import Evidence, Law, facts, tensors
from bugforge.distance import apart
from bugforge.properties.telling import modes_lost, told_accuracy_apart, wrong_losses

GIVEN = 2
"""What forward gives: logits and a loss."""

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
        for other in ("refilled", "alone")
    )


def ill_trained(seen: Evidence) -> float:
    """Count what a short training does otherwise: the losses told, and what seeds decide."""
    told = facts(seen, "sequences")
    return float(
        (told["told losses"] != 3)  # noqa: PLR2004  # steps asked for
        + (not told["same seed, same losses"])
        + bool(told["other seed, same losses"])
    )


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
        "rows-training",
        "classifier",
        "Training on rows tells a loss for each step, and follows its seed.",
        ("sequences",),
        ill_trained,
        at_most=0.0,
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
