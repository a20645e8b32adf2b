"""The softmax runs over the wrong axis."""

from collections.abc import Callable

import libcst as cst
import libcst.matchers as m

from bugforge.mutation import Form, Mutation, Rewritten

from ..patterns import MINUS_ONE, SCORES, swap
from .hiding import SHUTTING_OUT, shares

OVER_LAST = m.Call(
    func=m.Attribute(attr=m.Name("softmax")),
    args=[m.ZeroOrMore(m.Arg()), m.Arg(MINUS_ONE)],
)
"""A softmax over the last axis."""

CORRECT = "att = q @ k.mT\nweights = F.softmax(att, dim=-1)\n"
MASKED = (
    "def weights(q, k):\n"
    "    att = q @ k.mT\n"
    '    att = att.masked_fill(~mask, float("-inf"))\n'
    "    att = F.softmax(att, dim=-1)\n"
    "    return att\n"
)
OTHERS = (
    "probs = F.softmax(logits, dim=-1)\n",
    "att = q @ k.mT\nweights = F.softmax(att, dim=3)\n",
)
OTHERS_MASKED = (
    *OTHERS,
    CORRECT,
    MASKED.replace("q @ k.mT", "self.logits(q)"),
    MASKED.replace("dim=-1", "dim=3"),
)


def over(axis: str) -> Callable[[cst.Call], Rewritten]:
    """Make a mutation that runs the softmax over another axis."""

    def mutate(call: cst.Call) -> Rewritten:
        return swap(call, call.args[-1].value, cst.parse_expression(axis))

    return mutate


def of_masked_over(axis: str) -> Callable[[cst.IndentedBlock], Rewritten]:
    """Make a mutation that runs the softmax of masked scores over an axis along which all are
    hidden where one is.
    """

    def mutate(block: cst.IndentedBlock) -> Rewritten:
        found = shares(block, SHUTTING_OUT)
        if found is None or not m.matches(found.softmax, OVER_LAST):
            return None
        return swap(block, found.softmax.args[-1].value, cst.parse_expression(axis))

    return mutate


class SoftmaxOverQueries(Mutation):
    """The attention softmax runs over the queries instead of the keys.

    What it does: Each column of the scores is normalised, where each row was meant.

    Why it is wrong: A query's weights no longer add up to 1, and each of them depends on what
    later queries score for the same key, which lets the future in.

    How it shows: The loss ends below the honest floor and the sample is wrong.

    How to find it: Add up the weights over the last axis, which must give 1 everywhere.

    Other right fixes: dim=-1, or dim=3 for scores of shape (B, nh, T, T).
    """

    id = "softmax-over-queries"
    bug_class = "mask"
    stage = "attention"
    difficulty = "medium"
    visibility = "leak"
    provenance = ("measured",)
    hints = (
        "The loss is lower than it should be, and the sample does not follow.",
        "Attention weights are shares: of what, and along which axis?",
        "Add up the weights of one query.",
    )
    killed_by = frozenset({"causality", "forward", "prefix-consistency"})
    forms = (
        Form(
            "second-last",
            OVER_LAST,
            over("-2"),
            correct=CORRECT,
            buggy="att = q @ k.mT\nweights = F.softmax(att, dim=-2)\n",
            inside=SCORES,
        ),
    )
    untouched = OTHERS


class SoftmaxOverHeads(Mutation):
    """The attention softmax runs over the heads.

    What it does: For each query and key the scores of the heads are normalised against each
    other.

    Why it is wrong: Heads are meant to look independently. And where a key is hidden it is
    hidden in all heads, so the softmax has nothing but minus infinity to share out: NaN.

    How it shows: The loss is NaN from the start.

    How to find it: Follow the shapes: in (B, nh, T, T) the keys are the last axis.

    Other right fixes: dim=-1, or dim=3 for scores of shape (B, nh, T, T).
    """

    id = "softmax-over-heads"
    bug_class = "mask"
    stage = "attention"
    difficulty = "easy"
    visibility = "flat"
    provenance = ("measured",)
    hints = (
        "Something stops being a number.",
        "Find the first tensor that holds NaN and the one it was made from.",
        "Name the axes of the scores one by one and ask which is summed to 1.",
    )
    killed_by = frozenset({"finite", "runs"})
    forms = (
        Form(
            "one",
            m.IndentedBlock(),
            of_masked_over("1"),
            correct=MASKED,
            buggy=MASKED.replace("dim=-1", "dim=1"),
            inside=SCORES,
        ),
    )
    untouched = OTHERS_MASKED


class SoftmaxOverBatch(Mutation):
    """The attention softmax runs over the batch.

    What it does: For each head, query and key the scores of the rows of a batch are normalised
    against each other.

    Why it is wrong: Rows have nothing to do with one another. And where a key is hidden it is
    hidden in all rows, so the softmax has nothing but minus infinity to share out: NaN.

    How it shows: The loss is NaN from the start.

    How to find it: Follow the shapes: in (B, nh, T, T) the keys are the last axis. Without a mask,
    a batch of one row gives it away: all of its weights are 1.

    Other right fixes: dim=-1, or dim=3 for scores of shape (B, nh, T, T).
    """

    id = "softmax-over-batch"
    bug_class = "mask"
    stage = "attention"
    difficulty = "easy"
    visibility = "flat"
    provenance = ("measured",)
    hints = (
        "Not one loss is a number.",
        "Find the first tensor that holds NaN and the one it was made from.",
        "Which axis do the shares of one query lie along, and along which are they made?",
    )
    killed_by = frozenset({"finite", "runs"})
    forms = (
        Form(
            "zero",
            m.IndentedBlock(),
            of_masked_over("0"),
            correct=MASKED,
            buggy=MASKED.replace("dim=-1", "dim=0"),
            inside=SCORES,
        ),
    )
    untouched = OTHERS_MASKED
