"""The causal mask is right, and what is done with it is not."""

import libcst as cst
import libcst.matchers as m

from bugforge.mutation import Form, Mutation, Rewritten

from ..patterns import SCORES, find, index_of, render, root, swap, with_argument, with_lines, within
from .parts import FILL, FILL_ANEW, MASKING, SOFTMAXING

MASKED = 'att = q @ k.mT\natt = att.masked_fill(~mask[:T, :T], float("-inf"))\n'
MASKED_LATER = 'logits = logits.masked_fill(logits < kept[:, [-1]], float("-inf"))\n'


def kept_of(fill: cst.Call) -> cst.BaseExpression | None:
    """Give the mask of what may be seen, of which the fill takes the opposite."""
    match fill.args[0].value:
        case cst.UnaryOperation(operator=cst.BitInvert(), expression=kept):
            return kept
        case cst.Comparison(
            left=kept,
            comparisons=[
                cst.ComparisonTarget(operator=cst.Equal(), comparator=cst.Integer(value="0"))
            ],
        ):
            return kept
    return None


def in_place_of_fill(line: cst.SimpleStatementLine, template: str) -> Rewritten:
    """Change the scores in another way than by the fill.

    The template has places for the scores, the mask of what is kept and that of what is hidden.
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
    text = template.format(scores=root(fill), kept=render(kept), hidden=hidden)
    changed = cst.parse_statement(text)
    assert isinstance(changed, cst.SimpleStatementLine)
    return line.with_changes(body=changed.body)


def after_softmax(block: cst.IndentedBlock) -> Rewritten:
    """Exchange the mask and the softmax, and write the zero that is natural behind it."""
    first = index_of(block, MASKING)
    masking, softmaxing = block.body[first : first + 2]
    if not m.matches(softmaxing, SOFTMAXING):
        return None
    fill = find(masking, FILL_ANEW)[0]
    assert isinstance(fill, cst.Call)
    masking = swap(masking, fill, with_argument(fill, 1, "0.0"))
    return with_lines(block, first, first + 2, [softmaxing, masking])


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


def inverted(fill: cst.Call) -> Rewritten:
    """Hide what may be seen and show the rest."""
    kept = kept_of(fill)
    if kept is None:
        return None
    if isinstance(fill.args[0].value, cst.Comparison):
        return with_argument(fill, 0, f"{render(kept)} == 1")
    return with_argument(fill, 0, render(kept))


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
            within(MASKING, SOFTMAXING),
            after_softmax,
            correct=(
                "def attend(q, k, v):\n"
                "    att = q @ k.mT\n"
                '    att = att.masked_fill(~mask, float("-inf"))\n'
                "    att = att.softmax(-1)\n"
                "    return att @ v\n"
            ),
            buggy=(
                "def attend(q, k, v):\n"
                "    att = q @ k.mT\n"
                "    att = att.softmax(-1)\n"
                "    att = att.masked_fill(~mask, 0.0)\n"
                "    return att @ v\n"
            ),
            inside=SCORES,
        ),
    )
    untouched = (
        (
            "def choose(logits):\n"
            '    logits = logits.masked_fill(logits < kept, float("-inf"))\n'
            "    probs = logits.softmax(-1)\n"
            "    return probs\n"
        ),
    )


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
            lambda line: in_place_of_fill(line, '{scores} += {hidden} * float("-inf")'),
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


class MaskPolarityInverted(Mutation):
    """The causal mask hides what may be seen and shows what must be hidden.

    What it does: The negation is gone, so the past and the position itself are hidden, and the
    future is left.

    Why it is wrong: masked_fill writes where its mask is True, while this mask is True where
    seeing is allowed. The last position has no future, so all of its row is minus infinity, and
    a softmax over nothing is NaN.

    How it shows: The loss is NaN at once.

    How to find it: Look at one row of the masked scores: what is left must be the past. The last
    row of all minus infinity gives it away.

    Other right fixes: Negate the mask, compare it with 0, or build it the other way round with
    triu and diagonal=1.
    """

    id = "mask-polarity-inverted"
    bug_class = "mask"
    stage = "attention"
    difficulty = "easy"
    visibility = "flat"
    provenance = ("hkproj/pytorch-transformer#19", "pytorch/examples#649")
    hints = (
        "The first loss is not a number at all.",
        "Which row of the scores is the first to go wrong in the softmax?",
        "Does True in the mask mean see or hide?",
    )
    killed_by = frozenset({"finite", "runs"})
    forms = (
        Form(
            "negation",
            FILL,
            inverted,
            correct=MASKED,
            buggy='att = q @ k.mT\natt = att.masked_fill(mask[:T, :T], float("-inf"))\n',
            inside=SCORES,
        ),
    )
    untouched = (MASKED_LATER, "att = q @ k.mT\natt = att.masked_fill(hidden, float('-inf'))\n")


def unsliced(fill: cst.Call) -> Rewritten:
    """Use the whole mask, whatever the length of the input."""
    kept = kept_of(fill)
    if not isinstance(kept, cst.Subscript):
        return None
    return swap(fill, kept, kept.value)


class MaskNotSliced(Mutation):
    """The whole causal mask is used for inputs of any length.

    What it does: The mask of size block_size by block_size is applied without cutting it to the
    length of the input.

    Why it is wrong: Scores of a shorter input are a smaller square, and the two shapes don't
    broadcast.

    How it shows: Training runs, since its windows are always full; the first short prompt stops
    with a complaint about tensor sizes.

    How to find it: Read the two sizes in the message: one is the length of the prompt, the other
    the block size.

    Other right fixes: Cut the mask to [:T, :T], or build one of the right size in every forward
    pass.
    """

    id = "mask-not-sliced"
    bug_class = "mask"
    stage = "attention"
    difficulty = "easy"
    visibility = "crash"
    provenance = ("measured",)
    hints = (
        "It learns, and then stumbles when it should write.",
        "Training and writing differ in the length of their inputs.",
        "One tensor in the attention keeps its size whatever comes in.",
    )
    killed_by = frozenset({"runs"})
    forms = (
        Form(
            "whole",
            FILL,
            unsliced,
            correct=MASKED,
            buggy='att = q @ k.mT\natt = att.masked_fill(~mask, float("-inf"))\n',
            inside=SCORES,
        ),
    )
    untouched = (MASKED_LATER, "att = q @ k.mT\natt = att.masked_fill(~mask, float('-inf'))\n")


TOP_LEFT = m.Subscript(
    slice=[
        m.SubscriptElement(m.Slice(lower=None, upper=m.Name())),
        m.SubscriptElement(m.Slice(lower=None, upper=m.Name())),
    ]
)


def from_wrong_corner(fill: cst.Call) -> Rewritten:
    """Take the last rows of the mask with its first columns."""
    kept = kept_of(fill)
    if kept is None or not m.matches(kept, TOP_LEFT):
        return None
    assert isinstance(kept, cst.Subscript)
    rows, columns = (element.slice for element in kept.slice)
    assert isinstance(rows, cst.Slice)
    assert isinstance(columns, cst.Slice)
    corner = f"{render(kept.value)}[-{render(rows.upper or rows)}:, {render(columns)}]"
    return swap(fill, kept, cst.parse_expression(corner))


class MaskWrongCorner(Mutation):
    """The causal mask is cut from the wrong corner.

    What it does: Of the big triangle the last T rows are taken with the first T columns, instead
    of the first T rows.

    Why it is wrong: The last rows belong to late positions, which may see all early columns: for
    a short input almost everything is allowed.

    How it shows: Full windows are masked rightly, so training and its loss are in order. Short
    prompts are read without a mask, which a text learned by heart often survives.

    How to find it: Test causality at several lengths, not only at block_size: change the last
    token of a short input.

    Other right fixes: Cut [:T, :T], or both axes from the end, or build a triangle of size T.
    """

    id = "mask-wrong-corner"
    bug_class = "mask"
    stage = "attention"
    difficulty = "hard"
    visibility = "invisible"
    provenance = ("measured",)
    hints = (
        "The training curve is innocent.",
        "Repeat your tests with inputs shorter than a full window.",
        "For a short input, which rows of the triangle are the right ones?",
    )
    killed_by = frozenset({"forward", "prefix-consistency"})
    forms = (
        Form(
            "bottom-left",
            FILL,
            from_wrong_corner,
            correct=MASKED,
            buggy='att = q @ k.mT\natt = att.masked_fill(~mask[-T:, :T], float("-inf"))\n',
            inside=SCORES,
        ),
    )
    untouched = (
        MASKED_LATER,
        'att = q @ k.mT\natt = att.masked_fill(~mask[past : past + T, :S], float("-inf"))\n',
    )
