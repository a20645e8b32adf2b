"""The attention does without its softmax."""

import libcst as cst
import libcst.matchers as m

from bugforge.mutation import Form, Mutation, Rewritten

from ..patterns import SCORES, swap, with_argument, with_lines
from .hiding import HIDING, shares

CORRECT = """def attend(q, k, v):
    att = q @ k.mT
    att = att.masked_fill(~mask, float("-inf"))
    att = att.softmax(-1)
    return att @ v
"""
BUGGY = """def attend(q, k, v):
    att = q @ k.mT
    att = att.masked_fill(~mask, 0.0)
    return att @ v
"""


def raw(block: cst.IndentedBlock) -> Rewritten:
    """Leave out the softmax, and let the mask write what hides a weight."""
    found = shares(block, HIDING)
    if found is None:
        return None
    fill = with_argument(found.fill, len(found.fill.args) - 1, "0.0")
    return with_lines(block, found.at, found.at + 2, [swap(found.hiding, found.fill, fill)])


class SoftmaxMissing(Mutation):
    """The scores weigh the values as they are, without a softmax.

    What it does: Scores of the future become 0 and the others stay what they were; values are
    multiplied by them.

    Why it is wrong: Weights are shares: positive, and 1 in sum. Raw scores are of both signs and
    of any size, so that more positions give a larger sum, and none can be singled out.

    How it shows: Not at all: nothing leaks, and a small model learns a short text with linear
    attention, too.

    How to find it: Add up the attention weights of one query: it must be 1.

    Other right fixes: A softmax over the keys, and minus infinity for what it must not see; the
    zero that hides a raw score hides nothing from a softmax.
    """

    id = "softmax-missing"
    bug_class = "typo"
    stage = "attention"
    difficulty = "hard"
    visibility = "invisible"
    provenance = ("measured",)
    hints = (
        "Loss and sample are as they should be.",
        "Write down the formula of attention and check it off, step by step.",
        "What do the weights of one query add up to?",
    )
    killed_by = frozenset({"forward"})
    forms = (
        Form(
            "raw",
            m.IndentedBlock(),
            raw,
            correct=CORRECT,
            buggy=BUGGY,
            inside=SCORES,
        ),
    )
    untouched = (
        BUGGY,
        CORRECT.replace("q @ k.mT", "self.logits(q)"),
        CORRECT.replace("att = att.softmax(-1)", "weights = att.softmax(-1)"),
        CORRECT.replace('float("-inf")', "-1e9"),
    )
