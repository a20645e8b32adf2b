"""The causal mask writes a value that does not do what minus infinity does."""

from collections.abc import Callable

import libcst as cst
import libcst.matchers as m

from bugforge.mutation import Form, Mutation

from ..patterns import SCORES, find, swap, with_argument
from .parts import FILL


def fill_with(value: str) -> Callable[[cst.Call], cst.Call]:
    """Make a mutation that fills hidden scores with `value`."""
    return lambda call: with_argument(call, 1, value)


def fill_with_plus(call: cst.Call) -> cst.Call | None:
    """Drop the minus of minus infinity; the lowest number of a type has none to drop."""
    value = call.args[1].value
    if isinstance(value, cst.Attribute):
        return None
    if isinstance(value, cst.UnaryOperation):
        return swap(call, value, value.expression)
    text = find(value, m.SimpleString())[0]
    assert isinstance(text, cst.SimpleString)
    return swap(call, text, text.with_changes(value=text.value.replace("-", "")))


class MaskFillZero(Mutation):
    """The causal mask fills hidden scores with zero.

    What it does: Scores of future positions are set to 0 before the softmax, where minus
    infinity was meant.

    Why it is wrong: The softmax raises e to each score, and e to the 0 is 1: a hidden position
    keeps the weight of an ordinary one, so every position still attends to its future.

    How it shows: The training loss falls far below what a model without foresight can reach,
    since the answer stands in the input. The sample, written without a future to look at, may be
    nonsense or may come out right by rote.

    How to find it: Change the last token of an input and compare the logits of the positions
    before it: they must not move.

    Other right fixes: Fill with minus infinity, -1e9 or the dtype's minimum, add a mask of
    minus infinity above the diagonal, or use scaled_dot_product_attention with is_causal=True.
    """

    id = "mask-fill-zero"
    bug_class = "mask"
    stage = "attention"
    difficulty = "medium"
    visibility = "leak"
    provenance = ("georg-wolflein/good-features#1", "awslabs/gluonts#1401", "report")
    hints = (
        "The loss is better than it has any right to be.",
        "Change a token and see which logits move.",
        "Ask what the softmax makes of the number that the causal mask writes.",
    )
    killed_by = frozenset({"causality", "forward", "prefix-consistency"})
    forms = (
        Form(
            "zero",
            FILL,
            fill_with("0.0"),
            correct='att = q @ k.transpose(-2, -1)\natt = att.masked_fill(~mask, float("-inf"))\n',
            buggy="att = q @ k.transpose(-2, -1)\natt = att.masked_fill(~mask, 0.0)\n",
            inside=SCORES,
        ),
    )
    untouched = (
        "logits = logits.masked_fill(logits < kept, float('-inf'))\n",
        "scores = (q @ k.mT).masked_fill(padding, 0.0)\n",
    )


class MaskFillTiny(Mutation):
    """The causal mask fills hidden scores with a tiny number instead of a very negative one.

    What it does: The exponent lost or gained a sign: 1e-9 or -1e-9 is written over the hidden
    scores, which is zero for all that matters.

    Why it is wrong: A score near zero gives a weight near e to the 0, which is 1. Only a score
    far below all others makes a weight vanish.

    How it shows: The loss sinks far below the uncertainty of the text, whether or not the sample
    comes out right.

    How to find it: Print one row of attention weights after the softmax: positions above the
    diagonal must be 0.

    Other right fixes: Minus infinity, -1e9 or the dtype's minimum all hide a score.
    """

    id = "mask-fill-tiny"
    bug_class = "mask"
    stage = "attention"
    difficulty = "medium"
    visibility = "leak"
    provenance = ("awslabs/gluonts#1401",)
    hints = (
        "The loss is better than an honest model could make it.",
        "Look at the attention weights of the first position.",
        "Read the number that the mask writes aloud, the sign of its exponent too.",
    )
    killed_by = frozenset({"causality", "forward", "prefix-consistency"})
    forms = (
        Form(
            "negative",
            FILL,
            fill_with("-1e-9"),
            correct="scores = (q @ k.mT).masked_fill(mask == 0, -math.inf)\n",
            buggy="scores = (q @ k.mT).masked_fill(mask == 0, -1e-9)\n",
            inside=SCORES,
        ),
        Form(
            "positive",
            FILL,
            fill_with("1e-9"),
            correct='att = q @ k.transpose(-2, -1)\natt = att.masked_fill(~mask, float("-inf"))\n',
            buggy="att = q @ k.transpose(-2, -1)\natt = att.masked_fill(~mask, 1e-9)\n",
            inside=SCORES,
        ),
    )
    untouched = (
        'logits = logits.masked_fill(logits < kept[:, [-1]], float("-inf"))\n',
        "variance = (x @ x.T).clamp(min=1e-9)\n",
    )


class MaskFillNotLowEnough(Mutation):
    """The causal mask fills hidden scores with a number that other scores can reach.

    What it does: Hidden scores become -10, which is low but not out of reach.

    Why it is wrong: Next to scores around 0 the hidden ones get almost no weight, but once the
    model learns scores of that size, the future shines through.

    How it shows: Neither the loss nor the sample shows it in a short run, since fresh scores are
    small.

    How to find it: Enlarge the weights thirty times, change the last token, and the logits
    before it move.

    Other right fixes: Minus infinity, the dtype's minimum, or a finite fill far below any score,
    such as -1e9 in single precision.
    """

    id = "mask-fill-not-low-enough"
    bug_class = "mask"
    stage = "attention"
    difficulty = "hard"
    visibility = "invisible"
    provenance = ("huggingface/transformers#17121",)
    hints = (
        "Nothing in this run shows it; a longer one might.",
        "Test causality with weights much larger than fresh ones.",
        "How low is low enough for a score that must never count?",
    )
    killed_by = frozenset({"causality", "forward", "prefix-consistency"})
    forms = (
        Form(
            "minus-ten",
            FILL,
            fill_with("-10.0"),
            correct='att = q @ k.transpose(-2, -1)\natt = att.masked_fill(~mask, float("-inf"))\n',
            buggy="att = q @ k.transpose(-2, -1)\natt = att.masked_fill(~mask, -10.0)\n",
            inside=SCORES,
        ),
    )
    untouched = (
        'logits = logits.masked_fill(logits < kept[:, [-1]], float("-inf"))\n',
        "scores = (q @ k.mT).masked_fill(~mask, -1e9)\n",
    )


class MaskFillPlusInf(Mutation):
    """The causal mask fills hidden scores with plus infinity.

    What it does: The minus sign is gone: future scores become infinitely high instead of
    infinitely low.

    Why it is wrong: The softmax subtracts the largest score of a row first, and infinity minus
    infinity is not a number.

    How it shows: The loss is NaN from the first step on.

    How to find it: Look for the first tensor of the forward pass that is not finite: the scores
    hold infinities, the weights after the softmax hold NaN.

    Other right fixes: Minus infinity, -1e9 or the dtype's minimum.
    """

    id = "mask-fill-plus-inf"
    bug_class = "mask"
    stage = "attention"
    difficulty = "easy"
    visibility = "flat"
    provenance = ("lucidrains/memory-compressed-attention#2",)
    hints = (
        "One look at the first loss is enough to know that something is wrong.",
        "Find the first tensor in the forward pass that is not finite.",
        "Which infinity does the mask write, and what does the softmax do with it?",
    )
    killed_by = frozenset({"finite", "runs"})
    forms = (
        Form(
            "sign",
            FILL,
            fill_with_plus,
            correct='att = q @ k.transpose(-2, -1)\natt = att.masked_fill(~mask, float("-inf"))\n',
            buggy='att = q @ k.transpose(-2, -1)\natt = att.masked_fill(~mask, float("inf"))\n',
            inside=SCORES,
        ),
    )
    untouched = (
        'logits = logits.masked_fill(logits < kept[:, [-1]], float("-inf"))\n',
        'best = (a @ b.T).masked_fill(done, float("inf"))\n',
    )
