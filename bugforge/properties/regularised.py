"""Laws of programs with dropout and a part of the text held out."""

import numpy as np

from bugforge.checks import Evidence, Law, facts, tensors
from bugforge.distance import apart, apart_by_name
from bugforge.recordings import Array

DROPPED = {"embeddings": 0.5, "weights": 0.5, "heard": 0.5, "hidden": 0.0, "thought": 0.5}
"""The share of numbers that is dropped at each place while it is looked at."""


def dropped_in_eval(seen: Evidence) -> float:
    """Distance of the logits of eval mode from those without any dropout."""
    told = tensors(seen, "dropout")
    return max(apart(told[f"eval/{number}"], told["without"]) for number in (1, 2))


def shares_apart(seen: Evidence) -> float:
    """How far, at any place, the share of numbers that are dropped lies from what it should be.

    With each of ten seeds, right programs lay within 0.05, what the MLP hides dropped in place of
    what it adds and places without dropout from 0.5 on, what is dropped twice from 0.2 on.
    """
    shares = {place: dropped.mean() for place, dropped in _dropped(seen).items()}
    return max(abs(float(share) - DROPPED[place]) for place, share in shares.items())


def dropped_in_pieces(seen: Evidence) -> float:
    """How near the share of a head that a lone token does not hear comes to a half: it is nothing
    or all where weights of attention are dropped, and something between where their values are, or
    what they lead to.
    """
    shares = _dropped(seen)["weights"]
    return float(np.minimum(shares, 1 - shares).max())


def _dropped(seen: Evidence) -> dict[str, Array]:
    return tensors(seen, "dropout", "dropped/")


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
    """How many evaluations are told too many or too few, of one after each step."""
    told = facts(seen, "evaluation")
    return float(abs(len(told["told"]) - told["steps"]))


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


REGULARISED = (
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
        "weights-dropped",
        "attention",
        "While learning, dropout takes whole weights of attention: a head of a lone token is heard "
        "as it is, or not at all.",
        ("dropout",),
        dropped_in_pieces,
        at_most=0.01,
        after=("parameters", "forward", "dropout-off"),
    ),
    Law(
        "places-dropped",
        "block",
        "Dropout is where PROBLEM.md states it: on embeddings, on weights of attention, on what "
        "each sublayer adds, and nowhere within an MLP.",
        ("dropout",),
        shares_apart,
        at_most=0.14,
        after=("parameters", "forward", "gradient-flow", "dropout-off"),
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
        ("evaluation",),
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
