"""Laws of what a training pipeline's model gives: of rows at once, in half precision, and token
by token.
"""

from functools import partial

import numpy as np

from bugforge.checks import Evidence, Law, facts, tensors
from bugforge.distance import apart
from bugforge.rows_of_writes import CHANGED_FROM


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


def streamed_apart(how: str, names: tuple[str, ...], seen: Evidence) -> float:
    """How far logits of rows that arrive token by token lie from those of rows read at once."""
    told, wanted = (tensors(seen, "pipeline-stream", part) for part in (how, "whole/"))
    return max(apart(told[name], wanted[name]) for name in names)


def graph_of_stream_kept(seen: Evidence) -> float:
    """Whether a stream keeps a graph of all that it has read."""
    return float(facts(seen, "pipeline-stream")["graph"])


PASSES = (
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
        for mode in ("train", "eval", "large")
    )


def row_losses_apart(seen: Evidence, pristine: Evidence) -> float:
    """How far the losses of given logits lie apart, in nats."""
    mine, theirs = (tensors(e, "pipeline-loss") for e in (seen, pristine))
    return max(float(np.abs(mine[name] - theirs[name]).max()) for name in theirs)
