"""Bugs that only half precision shows."""

import libcst.matchers as m

from bugforge.mutation import Mutation

from .exchange import exchange


class FillTooLow(Mutation):
    """The mask's number does not exist in half precision.

    What it does: Hidden scores are filled with -1e9.

    Why it is wrong: The least number of float16 is -65504: what is written as -1e9 has no value
    there. In float32, and in bfloat16, it has.

    How it shows: In float32 nothing shows. With `--half` the first step ends in an error: the
    value cannot be converted to Half without overflow.

    How to find it: Run a single step in half precision.

    Other right fixes: Minus infinity, `torch.finfo(scores.dtype).min`, or scores in float32.
    """

    id = "row-fill-beyond-half"
    bug_class = "half-precision"
    stage = "attention"
    difficulty = "medium"
    visibility = "crash"
    provenance = ("facebookresearch/fairseq#3575",)
    hints = (
        "Does it run in every precision that it should?",
        "Run a step in half precision.",
        "Which is the least number of float16?",
    )
    killed_by = frozenset({"runs"})
    forms = (
        exchange(
            "a thousand million",
            'any_s.masked_fill(any_m, float("-inf"))',
            "any_s.masked_fill(any_m, -1e9)",
        ),
    )
    untouched = ("s = s.masked_fill(m, -1e4)\n",)


class SoftmaxByHand(Mutation):
    """A softmax without its greatest score taken off.

    What it does: The exponentials of the scores are divided by their sum, as they are.

    Why it is wrong: In float16 the exponential of anything above 11 is infinite, and infinity
    divided by itself is no number.

    How it shows: In float32 it learns as it should. In half precision, once weights have grown,
    logits become NaN and the scaler skips every step.

    How to find it: Enlarge the weights and run a pass in half precision.

    Other right fixes: `softmax`, which takes the greatest off first; or taking it off by hand, or
    float32.
    """

    id = "row-softmax-unstable"
    bug_class = "half-precision"
    stage = "attention"
    difficulty = "hard"
    visibility = "invisible"
    provenance = ("report",)
    hints = (
        "Does it give numbers in half precision, with large weights too?",
        "Enlarge the weights of attention and look for NaN.",
        "What does a softmax take off before it takes exponentials?",
    )
    killed_by = frozenset({"half"})
    forms = (
        exchange(
            "by hand",
            "any_s.softmax(dim=-1)",
            "any_s.exp() / any_s.exp().sum(dim=-1, keepdim=True)",
            around="def attend(s, hidden):\n    s = s.masked_fill(hidden, -1e4)\n    return ...\n",
            inside=m.Attribute(attr=m.Name("masked_fill")),
        ),
    )
    untouched = ("w = logits.softmax(dim=-1)\n",)
