"""The wrong part of the causal mask is used, or its opposite."""

import libcst as cst
import libcst.matchers as m

from bugforge.mutation import Form, Mutation, Rewritten

from ..patterns import ALL, SCORES, render, swap, with_argument
from .mask_examples import MASKED, MASKED_LATER, kept_of
from .parts import FILL


def inverted(fill: cst.Call) -> Rewritten:
    """Hide what may be seen and show the rest."""
    kept = kept_of(fill)
    if kept is None:
        return None
    if isinstance(fill.args[0].value, cst.Comparison):
        return with_argument(fill, 0, f"{render(kept)} == 1")
    return with_argument(fill, 0, render(kept))


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
        m.ZeroOrMore(ALL),
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
    *whole, rows, columns = (element.slice for element in kept.slice)
    assert isinstance(rows, cst.Slice)
    assert isinstance(columns, cst.Slice)
    axes = [*map(render, whole), f"-{render(rows.upper or rows)}:", render(columns)]
    corner = f"{render(kept.value)}[{', '.join(axes)}]"
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
