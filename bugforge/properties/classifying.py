"""Laws of a classifier of tokens: it is learned beside the language, and changes nothing else."""

from functools import partial

import numpy as np

from bugforge.checks import Evidence, Law, facts, tensors
from bugforge.distance import apart_by_name
from bugforge.properties.telling import (
    graphs_kept,
    modes_lost,
    told_accuracy_apart,
    wrong_losses,
)

TIGHT = 0.05
"""The norm that gradients are clipped to, of which they always have more."""

ODD_OR_EVEN = 2
MORE = 2
"""Parameters that a classifier brings: a matrix and a bias."""


def given_otherwise(seen: Evidence) -> float:
    """Count the calls of forward that give fewer things or more than they should."""
    told = facts(seen, "classifying", "gives/")
    wanted = {"without": 2, "with": 3}
    return float(sum(count != wanted[name.split("/")[0]] for name, count in told.items()))


def class_parameters(seen: Evidence) -> float:
    """Count the parameters that a classifier brings too many or too few of, or of other shapes."""
    shapes = facts(seen, "classifying")["parameters"]
    more = [tuple(shape) for shape in shapes["with"]]
    for shape in shapes["without"]:
        if tuple(shape) not in more:
            return float("inf")
        more.remove(tuple(shape))
    classes = next(iter(tensors(seen, "classifying", "classes/").values())).shape[-1]
    wrong = [shape for shape in more if shape[0] != classes]
    return float(abs(len(more) - MORE) + len(wrong))


def language_changed(seen: Evidence) -> float:
    """How far the logits of tokens lie apart with a classifier and without, in any bit."""
    mine, theirs = (tensors(seen, "classifying", f"logits/{way}/") for way in ("with", "without"))
    return max(float(np.abs(mine[name] - theirs[name]).max()) for name in theirs)


def joint_loss_apart(seen: Evidence) -> float:
    """How far the losses that training told lie from what they should be, as a share of that."""
    told = facts(seen, "classifying")
    pairs = [(told[f"{n}/loss"], told[f"{n}/expected loss"]) for n in (1, 2)]
    return float(max(abs(loss - expected) / abs(expected) for loss, expected in pairs))


def joint_gradient_apart(seen: Evidence) -> float:
    """How far the gradients that were handed on lie from those of the loss of both."""
    return max(
        apart_by_name(
            tensors(seen, "classifying", f"{number}/handed/"),
            tensors(seen, "classifying", f"{number}/expected/"),
            1e-9,
        )
        for number in (1, 2)
    )


def joint_norm_apart(seen: Evidence) -> float:
    """How far the norm of gradients that are clipped, those of both losses together, lies from the
    one that is asked for, as a share of it.
    """
    norms = facts(seen, "classifying")["clipped"]
    return float(max(abs(norm - TIGHT) / TIGHT for norm in norms))


def trained_apart(seen: Evidence) -> float:
    """Count the rates and decays, beside one, at which parameters are trained."""
    return float(abs(facts(seen, "classifying")["ways"] - 1))


def main_otherwise(seen: Evidence) -> float:
    """Count what main leaves out: training both, measuring, and printing what is measured."""
    told = facts(seen, "classifying")
    if not told["main ends"]:
        return 0.0  # what is cut short may fail where the whole does not
    trains = any(classes == ODD_OR_EVEN for classes in told["main trains"])
    return float((not trains) + (not told["main measures"]) + (not told["main prints"]))


def generated_otherwise(seen: Evidence) -> float:
    """Count the prompts that a classifier leads to other tokens behind."""
    mine = tensors(seen, "classifying", "generated/with/")
    theirs = tensors(seen, "classifying", "generated/without/")
    return float(sum(not np.array_equal(mine[name], theirs[name]) for name in theirs))


def loss_of_language(seen: Evidence) -> float:
    """Mean cross-entropy, in nats, of the text behind a short training of both."""
    return float(facts(seen, "classifying")["language"])


def classes_learned(seen: Evidence) -> float:
    """Share of tokens in rows never seen that are rightly taken for odd or even."""
    return float(facts(seen, "classifying")["learned"])


CLASSIFYING = (
    Law(
        "classifier-off",
        "classifier",
        "forward gives the logits of classes where there are classes, and nothing more where not.",
        ("classifying",),
        given_otherwise,
        at_most=0.0,
    ),
    Law(
        "classifier-parameters",
        "classifier",
        "The classifier is one small layer, and there is none where nothing is classified.",
        ("classifying",),
        class_parameters,
        at_most=0.0,
        after=("classifier-off",),
    ),
    Law(
        "language-unchanged",
        "classifier",
        "With a classifier, the logits of tokens are what they are without, bit for bit.",
        ("classifying",),
        language_changed,
        at_most=0.0,
        after=("classifier-off",),
    ),
    Law(
        "losses-given",
        "classifier",
        "forward gives the mean loss of tokens, of their classes, or the sum of both, as asked.",
        ("classifying",),
        partial(wrong_losses, "classifying"),
        at_most=1e-5,
        after=("classifier-off",),
    ),
    Law(
        "generates-with-classes",
        "classifier",
        "Generating leads to the same tokens with a classifier and without, drawn ones, too.",
        ("classifying",),
        generated_otherwise,
        at_most=0.0,
        after=("language-unchanged",),
    ),
    Law(
        "joint-loss",
        "classifier",
        "Training tells the loss of each token's successor and that of its own class, together.",
        ("classifying",),
        joint_loss_apart,
        at_most=3e-4,
        after=("classifier-off", "losses-given", "objective"),
    ),
    Law(
        "joint-gradient",
        "classifier",
        "Both losses teach whatever leads to them.",
        ("classifying",),
        joint_gradient_apart,
        at_most=1e-2,
        after=("joint-loss", "gradient"),
    ),
    Law(
        "joint-clipped",
        "classifier",
        "Gradients of all parameters are clipped together, those of the classifier among them.",
        ("classifying",),
        joint_norm_apart,
        at_most=1e-2,
        after=("joint-gradient", "update"),
    ),
    Law(
        "trained-alike",
        "classifier",
        "The classifier is trained at the rate and with the decay of all else.",
        ("classifying",),
        trained_apart,
        at_most=0.0,
        after=("joint-gradient", "one-rate", "update"),
    ),
    Law(
        "accuracy-told",
        "classifier",
        "`accuracy` tells the share of tokens that are rightly taken for odd or even.",
        ("classifying",),
        partial(told_accuracy_apart, "classifying"),
        at_most=1e-5,
        after=("classifier-off",),
    ),
    Law(
        "accuracy-mode",
        "classifier",
        "Measuring accuracy leaves the model in the mode that it was in.",
        ("classifying",),
        partial(modes_lost, "classifying"),
        at_most=0.0,
    ),
    Law(
        "accuracy-graph-free",
        "classifier",
        "Accuracy is measured without gradients.",
        ("classifying",),
        partial(graphs_kept, "classifying"),
        at_most=0.0,
    ),
    Law(
        "main-classifies",
        "classifier",
        "`main` trains both, and prints the accuracy on rows of tokens.",
        ("classifying",),
        main_otherwise,
        at_most=0.0,
        after=("accuracy-told",),
    ),
    Law(
        "classes-learned",
        "classifier",
        "After a short training, most tokens of rows never seen are classified rightly.",
        ("classifying",),
        classes_learned,
        at_least=0.8,
        after=("classes-teach", "joint-loss", "joint-gradient"),
    ),
    Law(
        "language-learned",
        "classifier",
        "After a short training of both, the text is nearly known.",
        ("classifying",),
        loss_of_language,
        at_most=1.0,
        after=("joint-loss", "joint-gradient"),
    ),
)
