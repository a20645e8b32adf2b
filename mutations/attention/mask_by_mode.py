"""The causal mask is applied in one mode only."""

import libcst as cst
import libcst.matchers as m

from bugforge.mutation import Form, Mutation, Rewritten

from ..patterns import SCORES, find, swap
from .hiding import HIDING, hidden

METHOD = m.FunctionDef(params=m.Parameters(params=[m.Param(m.Name("self")), m.ZeroOrMore()]))
"""A method, which can ask the mode of its module."""

CORRECT = """def forward(self, q, k, v):
    att = q @ k.mT
    att = att.masked_fill(~mask, float("-inf"))
    att = att.softmax(-1)
    return att @ v
"""


def when_not_training(method: cst.FunctionDef) -> Rewritten:
    """Mask only in evaluation mode."""
    maskings = [own for own in method.body.body if hidden(own, HIDING) is not None]
    if len(maskings) != 1 or not find(method, SCORES):
        return None
    masking = maskings[0]
    assert isinstance(masking, cst.SimpleStatementLine)
    asked = cst.If(
        cst.parse_expression("not self.training"),
        cst.IndentedBlock([masking.with_changes(leading_lines=[])]),
        leading_lines=masking.leading_lines,
    )
    return swap(method, masking, asked)


class MaskOnlyInEval(Mutation):
    """The causal mask is applied in evaluation mode and not in training.

    What it does: A condition around the mask lets it work only while the model is not training.

    Why it is wrong: The mask is no matter of the mode. A model that learns with the future in view
    learns to read it off, and stands there without when it must write.

    How it shows: The loss falls far below what a model without foresight can reach. The sample is
    nonsense.

    How to find it: Change the last token of an input and watch the logits before it, in training
    mode as well as in evaluation mode.

    Other right fixes: Mask always; or scaled_dot_product_attention with is_causal=True, always.
    """

    id = "mask-only-in-eval"
    bug_class = "mask"
    stage = "attention"
    difficulty = "medium"
    visibility = "leak"
    provenance = ("measured",)
    hints = (
        "The loss is too good; and the test that you have in mind may well find nothing.",
        "In which mode is the model while it learns, and in which do you look at it?",
        "What may depend on the mode, in a model without dropout?",
    )
    killed_by = frozenset({"causality", "forward", "prefix-consistency"})
    forms = (
        Form(
            "condition",
            METHOD,
            when_not_training,
            correct=CORRECT,
            buggy=CORRECT.replace(
                "    att = att.masked",
                "    if not self.training:\n        att = att.masked",
            ),
        ),
    )
    untouched = (
        CORRECT.replace("q @ k.mT", "self.logits(q)"),
        CORRECT.replace("self, ", ""),
        CORRECT.replace("att = att.masked_fill", "hidden = att.masked_fill"),
        (
            "def forward(self, q, k, v):\n"
            "    att = q @ k.mT\n"
            "    att = att.masked_fill(~mask, 0.0)\n"
            "    return att @ v\n"
        ),
    )
