"""Top-k sampling keeps the wrong tokens."""

from collections.abc import Callable

import libcst as cst
import libcst.matchers as m

from bugforge.mutation import Form, Mutation, Rewritten

from ..patterns import ALL, MINUS_INF, MINUS_ONE, find, swap, with_argument
from .parts import DRAWING

LEAST = m.Index(m.List([m.Element(MINUS_ONE)]) | MINUS_ONE) | m.Slice(lower=MINUS_ONE, upper=None)

THRESHOLD = m.Subscript(value=m.Name(), slice=[ALL, m.SubscriptElement(LEAST), m.ZeroOrMore()])
"""The least of the kept: kept[:, [-1]], kept[:, -1:]."""

BELOW = m.Comparison(
    left=m.Name(),
    comparisons=[m.ComparisonTarget(operator=m.LessThan(), comparator=THRESHOLD)],
)

DROPPED = m.Call(
    func=m.Attribute(attr=m.Name("masked_fill")),
    args=[m.Arg(BELOW), m.Arg(MINUS_INF)],
)
"""Logits below the k best are dropped."""

DROPPED_IN_PLACE = m.Assign(
    targets=[
        m.AssignTarget(m.Subscript(value=m.Name(), slice=[m.SubscriptElement(m.Index(BELOW))]))
    ],
    value=MINUS_INF,
)
"""The same written into the logits: logits[logits < kept[:, [-1]]] = -float("inf")."""

SIZE = m.Call(func=m.Attribute(attr=m.Name("size"))) | m.Subscript(
    value=m.Attribute(attr=m.Name("shape"))
)

BOUNDED = m.Call(
    func=m.Attribute(attr=m.Name("topk")),
    args=[
        m.ZeroOrMore(),
        m.Arg(m.Call(func=m.Name("min"), args=[m.Arg(m.Name()), m.Arg(SIZE)])),
    ],
)
"""The k best, or all if there are fewer: logits.topk(min(k, logits.size(-1)))."""

DRAW = "next_idx = torch.multinomial(F.softmax(logits, dim=-1), num_samples=1)\n"
CUT = 'logits = logits.masked_fill(logits < kept[:, [-1]], float("-inf"))\n'
KEPT = f"kept, _ = logits.topk(min(k, logits.size(-1)))\n{CUT}"
OTHERS = (
    'att = att.masked_fill(att < low[:, [-1]], float("-inf"))\n',
    "mean = total / count\n",
)
OTHER_BOUNDS = (
    "beams, _ = scores.topk(min(width, scores.size(-1)))\n",
    f"kept, _ = logits.topk(k)\n{DRAW}",
    f"k = min(k, logits.size(-1))\n{DRAW}",
)


def above_best(below: cst.Comparison) -> Rewritten:
    """Compare with the best of the kept instead of the least."""
    threshold = below.comparisons[0].comparator
    cut = find(threshold, m.Slice(lower=MINUS_ONE))
    if cut:
        return swap(below, cut[0], cst.Slice(lower=None, upper=cst.Integer("1")))
    return swap(below, find(threshold, MINUS_ONE)[0], cst.Integer("0"))


def compared(operator: cst.BaseCompOp) -> Callable[[cst.Comparison], Rewritten]:
    """Make a mutation that compares with the threshold in another way."""
    return lambda below: swap(below, below.comparisons[0].operator, operator)


def kept_tiny(dropping: cst.Call | cst.Assign) -> Rewritten:
    """Write a number next to nothing where minus infinity was meant."""
    if isinstance(dropping, cst.Assign):
        return dropping.with_changes(value=cst.Float("1e-10"))
    return with_argument(dropping, 1, "1e-10")


def bounded_by(bound: Callable[[cst.Call], cst.BaseExpression]) -> Callable[[cst.Call], Rewritten]:
    """Make a mutation of how many tokens are kept, from a function of min(k, size)."""

    def mutate(topk: cst.Call) -> Rewritten:
        least = topk.args[-1].value
        assert isinstance(least, cst.Call)
        return swap(topk, least, bound(least))

    return mutate


def one_more(least: cst.Call) -> cst.BaseExpression:
    """Keep one token more than was asked for."""
    more = cst.BinaryOperation(least.args[0].value, cst.Add(), cst.Integer("1"))
    return swap(least, least.args[0].value, more)


class GenTopkThreshold(Mutation):
    """Top-k sampling keeps the wrong number of tokens.

    What it does: Logits are compared with the highest of the k best instead of the lowest, so that
    one is left; or the lowest is dropped with those below it; or there are k + 1 best.

    Why it is wrong: With k candidates there should be a choice among k. With one, every draw is
    greedy; and k = 1 should be greedy, where nothing is left if the lowest is dropped.

    How it shows: Not in greedy samples, nor without top-k. Where k = 1 leaves nothing to draw from,
    multinomial stops the program.

    How to find it: Draw many times with k=3: three different tokens must turn up; with k=1, one.

    Other right fixes: Compare with the last of the sorted k best, and keep what is equal; or
    scatter those k into a row of minus infinity.
    """

    id = "gen-topk-threshold"
    bug_class = "typo"
    stage = "sampling"
    difficulty = "hard"
    visibility = "invisible"
    provenance = ("fluxions-ai/vui#32",)
    hints = (
        "A greedy sample cannot show it.",
        "Draw often with a small k and count how many tokens appear.",
        "topk sorts. Which of its results is the limit, and on which side of it does it lie?",
    )
    killed_by = frozenset({"sampling"})
    forms = (
        Form(
            "best",
            BELOW,
            above_best,
            correct=CUT + DRAW,
            buggy=CUT.replace("[-1]", "[0]") + DRAW,
            inside=DRAWING,
        ),
        Form(
            "or-equal",
            BELOW,
            compared(cst.LessThanEqual()),
            correct=CUT + DRAW,
            buggy=CUT.replace("<", "<=") + DRAW,
            inside=DRAWING,
            killed_by=frozenset({"runs"}),
        ),
        Form(
            "one-more",
            BOUNDED,
            bounded_by(one_more),
            correct=KEPT + DRAW,
            buggy=KEPT.replace("min(k,", "min(k + 1,") + DRAW,
            inside=DRAWING,
        ),
    )
    untouched = (*OTHERS, *OTHER_BOUNDS)


class GenTopkInverted(Mutation):
    """Top-k sampling drops the best tokens.

    What it does: Logits above the lowest of the k best are dropped, where those below it were
    meant.

    Why it is wrong: What is left begins with the k-th best and ends with the worst: just what top-k
    should keep from being drawn.

    How it shows: Not in greedy samples, nor without top-k; with it, samples are nonsense, the more
    so the larger k is.

    How to find it: Draw many times with k=3: only the three likeliest tokens may turn up.

    Other right fixes: Drop what is below the k-th best, or keep what is not below it with
    torch.where.
    """

    id = "gen-topk-inverted"
    bug_class = "typo"
    stage = "sampling"
    difficulty = "hard"
    visibility = "invisible"
    provenance = ("measured",)
    hints = (
        "A greedy sample cannot show it.",
        "Draw often with a small k and see which tokens appear.",
        "On which side of the k-th best do those lie that should go?",
    )
    killed_by = frozenset({"sampling"})
    forms = (
        Form(
            "above",
            BELOW,
            compared(cst.GreaterThan()),
            correct=CUT + DRAW,
            buggy=CUT.replace("<", ">") + DRAW,
            inside=DRAWING,
        ),
    )
    untouched = OTHERS


class GenTopkFill(Mutation):
    """Top-k sampling writes a tiny number over the tokens to drop.

    What it does: Logits that are not among the k best become 1e-10, where minus infinity was
    meant.

    Why it is wrong: That is a logit of 0, which the softmax treats like any other. It may even be
    higher than those that are kept.

    How it shows: Not in greedy samples, nor without top-k; with it, samples get worse instead of
    better.

    How to find it: Draw many times with k=1: only one token may ever turn up.

    Other right fixes: Minus infinity, or a number far below any logit.
    """

    id = "gen-topk-fill"
    bug_class = "typo"
    stage = "sampling"
    difficulty = "hard"
    visibility = "invisible"
    provenance = ("measured",)
    hints = (
        "A greedy sample cannot show it.",
        "Draw often with k=1.",
        "What probability has a token whose logit is nearly 0?",
    )
    killed_by = frozenset({"sampling"})
    forms = (
        Form(
            "tiny",
            DROPPED | DROPPED_IN_PLACE,
            kept_tiny,
            correct=CUT + DRAW,
            buggy=CUT.replace('float("-inf")', "1e-10") + DRAW,
            inside=DRAWING,
        ),
    )
    untouched = OTHERS


class GenTopkOverVocab(Mutation):
    """Top-k sampling asks for more tokens than there may be.

    What it does: topk is given k as it comes, which may be larger than the vocabulary.

    Why it is wrong: topk cannot give the 50 best of 30. A default that suits a large vocabulary
    stops a model with a small one.

    How it shows: Not in greedy samples, nor while k is small; then it stops and says that an index
    is out of range.

    How to find it: Generate with a k larger than the vocabulary: it should be as without top-k.

    Other right fixes: The smaller of k and the size of the vocabulary; or no cut at all where k is
    not smaller.
    """

    id = "gen-topk-over-vocab"
    bug_class = "typo"
    stage = "sampling"
    difficulty = "hard"
    visibility = "invisible"
    provenance = ("measured",)
    hints = (
        "A greedy sample cannot show it.",
        "Try generation with unusual settings, small ones and large ones.",
        "How many tokens can be kept at the most?",
    )
    killed_by = frozenset({"runs"})
    forms = (
        Form(
            "unbounded",
            BOUNDED,
            bounded_by(lambda least: least.args[0].value),
            correct=KEPT + DRAW,
            buggy=KEPT.replace("min(k, logits.size(-1))", "k") + DRAW,
            inside=DRAWING,
        ),
    )
    untouched = OTHER_BOUNDS
