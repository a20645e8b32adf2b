"""The causal mask meets the scores in the wrong operation."""

import libcst as cst
import libcst.matchers as m

from bugforge.mutation import Form, Mutation, Rewritten

from ..patterns import MINUS_INF, SCORES, find, render, root
from .mask_examples import MASKED, MASKED_LATER, kept_of
from .parts import FILL_ANEW, MASKING


def in_place_of_fill(line: cst.SimpleStatementLine, template: str) -> Rewritten:
    """Change the scores in another way than by the fill.

    The template has places for the scores, the mask of what is kept and that of what is hidden,
    and minus infinity as the program writes it.
    """
    assign = line.body[0]
    assert isinstance(assign, cst.Assign)
    fill = find(assign, FILL_ANEW)[0]
    assert isinstance(fill, cst.Call)
    kept = kept_of(fill)
    if kept is None or root(assign.targets[0].target) != root(fill):
        return None
    hidden = render(fill.args[0].value)
    if isinstance(fill.args[0].value, cst.Comparison):
        hidden = f"({hidden})"
    filler = fill.args[1].value
    infinity = render(filler) if m.matches(filler, MINUS_INF) else 'float("-inf")'
    text = template.format(scores=root(fill), kept=render(kept), hidden=hidden, infinity=infinity)
    changed = cst.parse_statement(text)
    assert isinstance(changed, cst.SimpleStatementLine)
    return line.with_changes(body=changed.body)


class MaskMultiplicative(Mutation):
    """The scores are multiplied by the mask.

    What it does: Future scores are multiplied by 0 and the others by 1, before the softmax.

    Why it is wrong: The product is a score of 0, and a score of 0 is an ordinary one: after the
    softmax the future keeps its share.

    How it shows: The loss drops far below the uncertainty of the text. What that does to the
    sample is a matter of luck: nonsense, or the text by rote.

    How to find it: Print a row of attention weights: the part above the diagonal must be exactly
    0.

    Other right fixes: masked_fill with minus infinity, or adding a mask that is 0 where seeing
    is allowed and minus infinity elsewhere.
    """

    id = "mask-multiplicative"
    bug_class = "mask"
    stage = "attention"
    difficulty = "medium"
    visibility = "leak"
    provenance = ("georg-wolflein/good-features#1", "huggingface/transformers#31673")
    hints = (
        "A loss that is too low deserves as much distrust as one that is too high.",
        "See whether a later token can change an earlier prediction.",
        "What weight does a score of exactly 0 get in a softmax?",
    )
    killed_by = frozenset({"causality", "forward", "prefix-consistency"})
    forms = (
        Form(
            "product",
            MASKING,
            lambda line: in_place_of_fill(line, "{scores} *= {kept}"),
            correct=MASKED,
            buggy="att = q @ k.mT\natt *= mask[:T, :T]\n",
            inside=SCORES,
        ),
    )
    untouched = (MASKED_LATER, "att = q @ k.mT\natt = att.masked_fill(padding, float('-inf'))\n")


class MaskInfTimesZero(Mutation):
    """Minus infinity is multiplied by the mask.

    What it does: The mask to add is built as (what is hidden) times minus infinity.

    Why it is wrong: Where nothing is hidden this is 0 times infinity, which is not 0 but NaN.

    How it shows: Every loss is NaN, from the first one on.

    How to find it: Print the added mask on its own: NaN stands exactly where a 0 was wanted.

    Other right fixes: Use masked_fill or torch.where to place minus infinity, or multiply by a
    finite number such as -1e9.
    """

    id = "mask-inf-times-zero"
    bug_class = "mask"
    stage = "attention"
    difficulty = "easy"
    visibility = "flat"
    provenance = ("cerebroai/reformers#3",)
    hints = (
        "The very first loss tells that something is off.",
        "Walk through the forward pass and stop at the first tensor that holds NaN.",
        "What is 0 times infinity in floating point?",
    )
    killed_by = frozenset({"finite", "runs"})
    forms = (
        Form(
            "added",
            MASKING,
            lambda line: in_place_of_fill(line, "{scores} += {hidden} * {infinity}"),
            correct=MASKED,
            buggy='att = q @ k.mT\natt += ~mask[:T, :T] * float("-inf")\n',
            inside=SCORES,
        ),
    )
    untouched = (MASKED_LATER, "att = q @ k.mT\natt = att.masked_fill(padding, float('-inf'))\n")


class MaskBoolAdded(Mutation):
    """A boolean mask is added to the scores.

    What it does: The mask of what may be seen is added as it is: 1 to the scores of the past and
    0 to those of the future.

    Why it is wrong: An additive mask must hold minus infinity for what is hidden. A lead of 1
    only makes the past e times heavier, and the future stays in view.

    How it shows: The loss ends far below the honest floor; the sample is damaged, sometimes only
    in part.

    How to find it: Change the last token and compare the logits before it, or look for zeros
    above the diagonal of the weights.

    Other right fixes: masked_fill with minus infinity where the mask is False, or a float mask
    that holds 0 and minus infinity.
    """

    id = "mask-bool-added"
    bug_class = "mask"
    stage = "attention"
    difficulty = "medium"
    visibility = "leak"
    provenance = ("huggingface/diffusers#14342", "huggingface/transformers#41443")
    hints = (
        "The training loss promises more than the sample keeps.",
        "Print the scores of the first position before the softmax.",
        "The mask is of one kind and is used as if it were of another.",
    )
    killed_by = frozenset({"causality", "forward", "prefix-consistency"})
    forms = (
        Form(
            "sum",
            MASKING,
            lambda line: in_place_of_fill(line, "{scores} += {kept}"),
            correct=MASKED,
            buggy="att = q @ k.mT\natt += mask[:T, :T]\n",
            inside=SCORES,
        ),
    )
    untouched = (MASKED_LATER, "att = q @ k.mT\natt = att.masked_fill(padding, float('-inf'))\n")
