"""Tokens are drawn from the wrong distribution."""

import libcst as cst
import libcst.matchers as m

from bugforge.mutation import Form, Mutation, Rewritten

from ..patterns import ALL, MINUS_INF, MINUS_ONE, SOFTMAX, assigned, find, root, swap, with_argument
from .parts import DRAWING

DIVIDED = assigned(
    m.BinaryOperation(
        left=m.Name() | m.Subscript(value=m.Name()), operator=m.Divide(), right=m.Name()
    )
)

THRESHOLD = m.Subscript(
    value=m.Name(),
    slice=[
        ALL,
        m.SubscriptElement(m.Index(m.List([m.Element(MINUS_ONE)]) | MINUS_ONE)),
        m.ZeroOrMore(),
    ],
)
"""The least of the kept: kept[:, [-1]]."""

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

DRAW = "next_idx = torch.multinomial(F.softmax(logits, dim=-1), num_samples=1)\n"
CUT = 'logits = logits.masked_fill(logits < kept[:, [-1]], float("-inf"))\n'
OTHERS = (
    'att = att.masked_fill(att < low[:, [-1]], float("-inf"))\n',
    "mean = total / count\n",
)


def warmed_wrongly(function: cst.FunctionDef) -> Rewritten:
    """Multiply what the softmax reads by the temperature."""
    drawn = {
        root(call.args[0].value)
        for call in find(function, SOFTMAX)
        if isinstance(call, cst.Call) and find(function, DRAWING)
    }
    for assign in find(function, DIVIDED):
        assert isinstance(assign, cst.Assign)
        division = assign.value
        assert isinstance(division, cst.BinaryOperation)
        if root(assign.targets[0].target) == root(division.left) in drawn:
            return swap(function, division, division.with_changes(operator=cst.Multiply()))
    return None


def above_best(below: cst.Comparison) -> Rewritten:
    """Compare with the best of the kept instead of the least."""
    last = find(below.comparisons[0], MINUS_ONE)[0]
    return swap(below, last, cst.Integer("0"))


def kept_tiny(dropping: cst.Call | cst.Assign) -> Rewritten:
    """Write a number next to nothing where minus infinity was meant."""
    if isinstance(dropping, cst.Assign):
        return dropping.with_changes(value=cst.Float("1e-10"))
    return with_argument(dropping, 1, "1e-10")


class GenTemperatureMul(Mutation):
    """Sampling multiplies the logits by the temperature.

    What it does: A times sign stands where the logits should be divided.

    Why it is wrong: A low temperature should sharpen the distribution, and a high one flatten it.
    Here it is the other way round.

    How it shows: Not in greedy samples, nor at temperature 1.

    How to find it: Draw many tokens at temperature 0.5 from known logits and count them.

    Other right fixes: Divide the logits, before the softmax, by the temperature.
    """

    id = "gen-temperature-mul"
    bug_class = "typo"
    stage = "sampling"
    difficulty = "hard"
    visibility = "invisible"
    provenance = ("measured",)
    hints = (
        "A greedy sample cannot show it.",
        "Sample at a low and at a high temperature and compare the variety.",
        "Which of the two should make the choice more certain?",
    )
    killed_by = frozenset({"sampling"})
    forms = (
        Form(
            "times",
            m.FunctionDef(),
            warmed_wrongly,
            correct=(
                "def draw(logits, temperature):\n"
                "    logits = logits / temperature\n"
                "    return torch.multinomial(F.softmax(logits, dim=-1), 1)\n"
            ),
            buggy=(
                "def draw(logits, temperature):\n"
                "    logits = logits * temperature\n"
                "    return torch.multinomial(F.softmax(logits, dim=-1), 1)\n"
            ),
        ),
    )
    untouched = (
        (
            "def draw(probs, total):\n"
            "    probs = probs / total\n"
            "    return torch.multinomial(probs, 1)\n"
        ),
    )


class GenTopkThreshold(Mutation):
    """Top-k sampling keeps only the best token.

    What it does: Logits are compared with the highest of the k best instead of the lowest, so all
    but one are dropped.

    Why it is wrong: With k candidates there should be a choice among k. Here every draw is greedy
    whatever k is.

    How it shows: Not in greedy samples, nor without top-k.

    How to find it: Draw many times with k=3: three different tokens must turn up.

    Other right fixes: Compare with the last of the sorted k best, or scatter those k into a row of
    minus infinity.
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
        "topk sorts. Which of its results is the limit?",
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
