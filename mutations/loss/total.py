"""The loss is added up where it should be averaged."""

import libcst as cst
import libcst.matchers as m

from bugforge.mutation import Form, Mutation

from .parts import CORRECT, OTHERS, Loss, in_two_steps, rescored


def total(loss: Loss) -> cst.Call:
    """Give the sum of the cross-entropies of all tokens."""
    return loss.told('reduction="sum"')


def added_up(loss: Loss) -> cst.Call:
    """Give the sum of the cross-entropies, once each of them is there."""
    each = loss.told('reduction="none"')
    return cst.Call(cst.Attribute(each, cst.Name("sum")))


def by_rows(loss: Loss) -> cst.BaseExpression:
    """Divide a total by the number of rows."""
    return cst.parse_expression(f"total / len({loss.targets.value})")


class LossSumNotMean(Mutation):
    """The loss is a sum over tokens, and no mean.

    What it does: The cross-entropies of all tokens of a batch are added up, and not divided by how
    many they are, or by the number of rows only.

    Why it is wrong: The loss, and each gradient with it, grows with the size of the batch and the
    length of its windows. No rate and no bound on gradients fits two sizes.

    How it shows: The first loss is many times ln V. It still falls, and the sample comes back: Adam
    divides a gradient's size away, and clipping bounds it.

    How to find it: Compare the first loss with ln V; or halve the batch: the loss must stay as it
    is.

    Other right fixes: The mean, which is the default; or the sum divided by the number of targets.
    """

    id = "loss-sum-not-mean"
    bug_class = "training-step"
    stage = "loss"
    difficulty = "easy"
    visibility = "plateau"
    provenance = ("measured",)
    hints = (
        "Compare the first loss with the one that pure guessing gives.",
        "Divide the one by the other. Where does that number come from?",
        "How are the losses of single tokens put together?",
    )
    killed_by = frozenset({"objective"})
    hides = frozenset({"eval-average-wrong", "xy-misaligned"})
    forms = (
        Form(
            "sum",
            m.FunctionDef(),
            rescored(total),
            correct=CORRECT,
            buggy=CORRECT.replace("flatten())", 'flatten(), reduction="sum")'),
        ),
        Form(
            "added-up",
            m.FunctionDef(),
            rescored(added_up),
            correct=CORRECT,
            buggy=CORRECT.replace("flatten())", 'flatten(), reduction="none").sum()'),
        ),
        Form(
            "by-rows",
            m.FunctionDef(),
            in_two_steps("total", total, by_rows),
            correct=CORRECT,
            buggy=CORRECT.replace("    loss =", "    total =").replace(
                "flatten())", 'flatten(), reduction="sum")\n    loss = total / len(targets)'
            ),
        ),
    )
    untouched = OTHERS
