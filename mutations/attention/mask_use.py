"""The causal mask comes too late, or its result is never used."""

from collections.abc import Callable

import libcst as cst
import libcst.matchers as m

from bugforge.mutation import Form, Mutation, Rewritten

from ..patterns import (
    SCORES,
    find,
    index_of,
    line,
    root,
    swap,
    target,
    uses,
    with_argument,
    with_lines,
    within,
)
from .hiding import HIDING, SHUTTING_OUT, shares
from .mask_examples import MASKED, MASKED_LATER
from .parts import FILL_ANEW, MASKING

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


def without_assignment(statement: cst.SimpleStatementLine) -> Rewritten:
    """Keep the call and drop the name that its result went to."""
    assign = statement.body[0]
    assert isinstance(assign, cst.Assign)
    return swap(statement, assign, cst.Expr(assign.value))


def without_masking(block: cst.IndentedBlock) -> Rewritten:
    """Remove a masking that reads and writes the same name, and what makes its mask in the block
    if nothing else is left that reads it.
    """
    masking = block.body[index_of(block, MASKING)]
    if target(masking) != root(find(masking, FILL_ANEW)[0]):
        return None
    left = [statement for statement in block.body if statement is not masking]
    idle = [
        statement
        for statement in left
        if m.matches(statement, line(m.Assign(targets=[m.AssignTarget(m.Name())])))
        and uses(masking, name := target(statement))
        and not any(uses(other, name) for other in left)
    ]
    return block.with_changes(body=[statement for statement in left if statement not in idle])


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
            within(MASKING),
            without_masking,
            correct=(
                "def attend(q, k, v):\n"
                "    mask = torch.ones(T, T, dtype=torch.bool).tril()\n"
                "    att = q @ k.mT\n"
                '    att = att.masked_fill(~mask, float("-inf"))\n'
                "    return att.softmax(-1) @ v\n"
            ),
            buggy="def attend(q, k, v):\n    att = q @ k.mT\n    return att.softmax(-1) @ v\n",
            inside=SCORES,
        ),
    )
    untouched = (
        f"def choose(logits):\n    {MASKED_LATER}",
        (
            "def attend(q, k):\n"
            "    att = q @ k.mT\n"
            '    hidden = att.masked_fill(~mask, float("-inf"))\n'
            "    return att, hidden\n"
        ),
    )


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
