"""The loss compares logits of one place with the token of another."""

import libcst.matchers as m

from bugforge.mutation import Form, Mutation

from .parts import CORRECT, OTHERS, TURNED_CORRECT, Loss, rescored


class ShiftWrongAxis(Mutation):
    """The loss shifts logits and targets against each other along the batch.

    What it does: Each row's logits are scored against the targets of the row below, place by
    place.

    Why it is wrong: The rows of a batch are windows drawn apart, and none says anything about the
    next. A shift, where one is needed, goes along the time; here none is, as the targets are one
    token ahead already.

    How it shows: The loss falls a little below ln V, about as far as a guess by frequency and place
    goes, and stays there; the sample runs into one frequent token again and again.

    How to find it: Give the loss logits that are right: a large number at each target. It must come
    to zero.

    Other right fixes: Score every position against the target at its own place; or shift along the
    time, in the loss or in the data, but in one of them only.
    """

    id = "shift-wrong-axis"
    bug_class = "label-shift"
    stage = "loss"
    difficulty = "medium"
    visibility = "plateau"
    provenance = ("measured",)
    hints = (
        "It learns which tokens are frequent, and nothing else.",
        "Follow one row of a batch to the place where its targets are used.",
        "Which axis of (B, T) is the first?",
    )
    killed_by = frozenset({"objective"})
    hides = frozenset(
        {"eval-average-wrong", "eval-mode-missing", "eval-not-restored", "train-in-eval-mode"}
    )
    forms = (
        Form(
            "cut",
            m.FunctionDef(),
            rescored(
                lambda loss: loss.made_of(f"{loss.logits.value}[:-1]", f"{loss.targets.value}[1:]")
            ),
            correct=CORRECT,
            buggy=CORRECT.replace("logits.fl", "logits[:-1].fl").replace(
                "targets.", "targets[1:]."
            ),
        ),
        Form(
            "rolled",
            m.FunctionDef(),
            rescored(lambda loss: loss.made_of(targets=f"{loss.targets.value}.roll(-1, dims=0)")),
            correct=CORRECT,
            buggy=CORRECT.replace("targets.", "targets.roll(-1, dims=0)."),
        ),
    )
    untouched = OTHERS


def viewed(loss: Loss) -> str:
    """Give logits (B, T, V) the shape (B, V, T) without turning them."""
    targets = loss.targets.value
    return f"{loss.logits.value}.view({targets}.size(0), -1, {targets}.size(1))"


def turned_then_flat(loss: Loss) -> str:
    """Turn logits (B, T, V) to (B, V, T), and give them the shape (B * T, V)."""
    logits = loss.logits.value
    return f"{logits}.transpose(1, 2).reshape(-1, {logits}.size(-1))"


class CeViewNotTranspose(Mutation):
    """The loss gets logits of the right shape in the wrong order.

    What it does: Classes and positions change places by a view or a reshape, which cuts the same
    run of numbers elsewhere; or they are turned, and then laid flat as if they were not.

    Why it is wrong: What is scored as the logits of one position is put together from those of
    several. Only transpose and permute move an axis.

    How it shows: The loss falls nearly as it should, and ends some times too high: a short text is
    learned even so. The sample is garbage.

    How to find it: Give the loss logits that are right: a large number at each target. It must come
    to zero.

    Other right fixes: transpose(1, 2) and targets as they are; or logits of shape (B * T, V), whose
    last axis was never moved, and flat targets.
    """

    id = "ce-view-not-transpose"
    bug_class = "projection"
    stage = "loss"
    difficulty = "medium"
    visibility = "plateau"
    provenance = ("weirme/FCSN#32", "voiler/IMPALA#3")
    hints = (
        "Every shape is right. Is every number where it should be?",
        "Compare the loss with one that you add up position by position.",
        "What do view and reshape do to the order of numbers in memory, and what does transpose?",
    )
    killed_by = frozenset({"objective"})
    hides = frozenset(
        {
            "eval-average-wrong",
            "eval-mode-missing",
            "eval-not-restored",
            "train-in-eval-mode",
            "xy-misaligned",
        }
    )
    forms = (
        Form(
            "viewed",
            m.FunctionDef(),
            rescored(lambda loss: loss.of(viewed(loss), loss.targets.value)),
            correct=TURNED_CORRECT,
            buggy=TURNED_CORRECT.replace(
                "transpose(1, 2)", "view(targets.size(0), -1, targets.size(1))"
            ),
        ),
        Form(
            "turned-then-flat",
            m.FunctionDef(),
            rescored(
                lambda loss: loss.of(turned_then_flat(loss), f"{loss.targets.value}.flatten()")
            ),
            correct=CORRECT,
            buggy=CORRECT.replace("flatten(0, 1)", "transpose(1, 2).reshape(-1, logits.size(-1))"),
        ),
    )
    untouched = OTHERS
