"""The causal mask comes too late, or its result is never used."""

from collections.abc import Callable

import libcst as cst
import libcst.matchers as m

from bugforge.mutation import Form, Mutation, Rewritten

from ..patterns import SCORES, root, swap, with_argument, with_lines
from .hiding import HIDING, SHUTTING_OUT, shares
from .mask_examples import MASKED, MASKED_LATER
from .parts import MASKING

ATTENDING = (
    "def attend(q, k, v):\n"
    "    att = q @ k.mT\n"
    '    att = att.masked_fill(~mask, float("-inf"))\n'
    "    att = att.softmax(-1)\n"
    "    return att @ v\n"
)
ATTENDING_LATE = (
    "def attend(q, k, v):\n"
    "    att = q @ k.mT\n"
    "    att = att.softmax(-1)\n"
    '    att = att.masked_fill(~mask, float("-inf"))\n'
    "    return att @ v\n"
)
OTHERS = (
    (
        "def choose(logits):\n"
        '    logits = logits.masked_fill(logits < kept, float("-inf"))\n'
        "    logits = logits.softmax(-1)\n"
        "    return logits\n"
    ),
    ATTENDING.replace("att = att.softmax(-1)", "weights = att.softmax(-1)"),
    ATTENDING_LATE,
)


def after_softmax(
    shape: m.BaseMatcherNode, value: str | None = None
) -> Callable[[cst.IndentedBlock], Rewritten]:
    """Make a mutation that exchanges a mask of that shape and the softmax, and lets the mask write
    another value, where one is given.
    """

    def mutate(block: cst.IndentedBlock) -> Rewritten:
        found = shares(block, shape)
        if found is None:
            return None
        masking = found.hiding
        if value is not None:
            last = len(found.fill.args) - 1
            masking = swap(masking, found.fill, with_argument(found.fill, last, value))
        return with_lines(block, found.at, found.at + 2, [found.sharing, masking])

    return mutate


def without_assignment(line: cst.SimpleStatementLine) -> Rewritten:
    """Keep the call and drop the name that its result went to."""
    assign = line.body[0]
    assert isinstance(assign, cst.Assign)
    return swap(line, assign, cst.Expr(assign.value))


def without_line(line: cst.SimpleStatementLine) -> Rewritten:
    """Remove a masking that reads and writes the same name."""
    assign = line.body[0]
    assert isinstance(assign, cst.Assign)
    if root(assign.targets[0].target) != root(assign.value):
        return None
    return cst.RemoveFromParent()


class MaskAfterSoftmax(Mutation):
    """The causal mask is applied after the softmax.

    What it does: The softmax runs over all positions, and only then are the weights of the
    future set to zero.

    Why it is wrong: The weights that remain no longer add up to 1, and how much is missing
    depends on the future scores that were in the softmax's sum: the future leaks through it.

    How it shows: The loss ends somewhat below what is possible without foresight, and the
    sample goes astray, more mildly than with no mask at all.

    How to find it: Add up one row of the attention weights: it must be 1. Or change a later
    token and watch the earlier logits.

    Other right fixes: Mask the scores before the softmax, or divide the masked weights by their
    sum.
    """

    id = "mask-after-softmax"
    bug_class = "mask"
    stage = "attention"
    difficulty = "medium"
    visibility = "leak"
    provenance = ("lucidrains/memory-compressed-attention#2",)
    hints = (
        "The loss is a little too good.",
        "Attention weights are shares of a whole: check that they add up.",
        "Two steps of the attention come in the wrong order.",
    )
    killed_by = frozenset({"causality", "forward", "prefix-consistency"})
    forms = (
        Form(
            "exchanged",
            m.IndentedBlock(),
            after_softmax(HIDING, "0.0"),
            correct=ATTENDING,
            buggy=ATTENDING_LATE.replace('float("-inf")', "0.0"),
            inside=SCORES,
        ),
    )
    untouched = OTHERS


class MaskNeginfAfterSoftmax(Mutation):
    """The causal mask writes minus infinity over weights that the softmax has made.

    What it does: The softmax runs over all positions, and then the weights of the future, not
    their scores, become minus infinity.

    Why it is wrong: Minus infinity means nothing to a score on its way into the softmax, and
    everything to a weight: the values are multiplied by it, and infinities of both signs meet.

    How it shows: The loss is NaN at once.

    How to find it: Look for the first tensor of the forward pass that is not finite: the weights,
    though a softmax gives numbers between 0 and 1.

    Other right fixes: Mask the scores before the softmax. Zero instead of minus infinity, behind
    it, is no fix: the weights that are left would not add up to 1.
    """

    id = "mask-neginf-after-softmax"
    bug_class = "mask"
    stage = "attention"
    difficulty = "easy"
    visibility = "flat"
    provenance = ("measured",)
    hints = (
        "The first loss is not a number.",
        "Which is the first tensor that holds an infinity?",
        "Weights lie between 0 and 1. Which line writes others?",
    )
    killed_by = frozenset({"finite", "runs"})
    forms = (
        Form(
            "exchanged",
            m.IndentedBlock(),
            after_softmax(SHUTTING_OUT),
            correct=ATTENDING,
            buggy=ATTENDING_LATE,
            inside=SCORES,
        ),
    )
    untouched = OTHERS


class MaskMissing(Mutation):
    """No causal mask is applied.

    What it does: The scores go into the softmax as they are; the mask exists and nobody uses it.

    Why it is wrong: Every position attends to the whole window, the token that it should predict
    included.

    How it shows: The loss falls well below the uncertainty of the text, while the sample is
    nonsense: nothing to copy from stands there when the model writes.

    How to find it: Change the last token of an input: no logit before it may move.

    Other right fixes: Any causal mask before the softmax, or scaled_dot_product_attention with
    is_causal=True.
    """

    id = "mask-missing"
    bug_class = "mask"
    stage = "attention"
    difficulty = "medium"
    visibility = "leak"
    provenance = (
        "huggingface/transformers#48745",
        "alex-matton/causal-transformer-decoder#1",
        "paiml/entrenar#310",
    )
    hints = (
        "Good loss, bad sample: what does training have that writing has not?",
        "Test whether a prediction depends on what comes after it.",
        "Something is prepared when attention is built and never used when it runs.",
    )
    killed_by = frozenset({"causality", "forward", "prefix-consistency"})
    forms = (
        Form(
            "removed",
            MASKING,
            without_line,
            correct=f"{MASKED}att = att.softmax(-1)\n",
            buggy="att = q @ k.mT\natt = att.softmax(-1)\n",
            inside=SCORES,
        ),
    )
    untouched = (MASKED_LATER, 'att = q @ k.mT\nhidden = att.masked_fill(~mask, float("-inf"))\n')


class MaskResultNotAssigned(Mutation):
    """The masked scores are computed and thrown away.

    What it does: masked_fill is called, and its result is assigned to nothing.

    Why it is wrong: Without a trailing underscore masked_fill leaves its tensor alone and gives
    a new one, so the scores go on unmasked.

    How it shows: Just as without a mask: a loss far too low, and a sample of nonsense.

    How to find it: Change a later token and the earlier logits move, although the code seems to
    mask. Then ask of every call whether it changes its tensor or gives back another.

    Other right fixes: Assign the result, or call masked_fill_ which works in place.
    """

    id = "mask-result-not-assigned"
    bug_class = "mask"
    stage = "attention"
    difficulty = "medium"
    visibility = "leak"
    provenance = ("facebookresearch/ParlAI#3068", "lucidrains/flamingo-pytorch#10")
    hints = (
        "The code says the right thing and the model does another.",
        "Compare the scores before and after the line that should mask them.",
        "One call gives back a tensor that nobody keeps.",
    )
    killed_by = frozenset({"causality", "forward", "prefix-consistency"})
    forms = (
        Form(
            "dropped",
            MASKING,
            without_assignment,
            correct=MASKED,
            buggy='att = q @ k.mT\natt.masked_fill(~mask[:T, :T], float("-inf"))\n',
            inside=SCORES,
        ),
    )
    untouched = (MASKED_LATER, 'att = q @ k.mT\natt.masked_fill_(~mask, float("-inf"))\n')
