"""The triangle that the causal mask is made of is the wrong one."""

from collections.abc import Callable

import libcst as cst
import libcst.matchers as m

from bugforge.mutation import Form, Mutation, Rewritten

from ..patterns import swap

TRIANGLE = m.Call(
    func=m.Attribute(attr=m.Name("tril")),
    args=[m.Arg(m.Call(func=m.Attribute(attr=m.Name("ones"))))],
)
"""A lower triangle of ones: torch.tril(torch.ones(n, n))."""

CORRECT = "mask = torch.tril(torch.ones(n, n, dtype=torch.bool))\n"
OTHERS = ("weights = torch.tril(weights)\n", "future = torch.triu(torch.ones(n, n), diagonal=1)\n")


def upper(call: cst.Call) -> Rewritten:
    """Take the upper triangle instead of the lower."""
    assert isinstance(call.func, cst.Attribute)
    return swap(call, call.func.attr, cst.Name("triu"))


def with_diagonal(diagonal: str) -> Callable[[cst.Call], Rewritten]:
    """Make a mutation that moves the triangle's edge."""

    def mutate(call: cst.Call) -> Rewritten:
        return call.with_changes(args=[*call.args, cst.Arg(cst.parse_expression(diagonal))])

    return mutate


class MaskTransposed(Mutation):
    """The causal mask shows the future and hides the past.

    What it does: The triangle is the upper one, so that each position sees itself and all that
    comes after it.

    Why it is wrong: A decoder predicts from what came before. Here the answer is always in view,
    and the past never is.

    How it shows: The loss falls at least as low as it should, as the answer is in view nearly
    everywhere; the sample repeats or babbles, since its last position sees nothing but itself.

    How to find it: Change one token: the logits after it must move, and those before it must
    not. Here it is the other way round.

    Other right fixes: The lower triangle as what may be seen, or triu with diagonal=1 as what
    must be hidden.
    """

    id = "mask-transposed"
    bug_class = "mask"
    stage = "attention"
    difficulty = "medium"
    visibility = "decode"
    provenance = ("pytorch/examples#649",)
    hints = (
        "The loss is good and the sample is not.",
        "Find out which way information flows between positions.",
        "Print the mask for four positions and read its rows.",
    )
    killed_by = frozenset({"causality", "forward", "order", "prefix-consistency", "sees-past"})
    forms = (
        Form(
            "triu",
            TRIANGLE,
            upper,
            correct=CORRECT,
            buggy="mask = torch.triu(torch.ones(n, n, dtype=torch.bool))\n",
        ),
    )
    untouched = OTHERS


class MaskFutureByOne(Mutation):
    """The causal mask lets each position see one token too many.

    What it does: The triangle includes the diagonal above the main one, so that position t sees
    token t + 1.

    Why it is wrong: Token t + 1 is precisely the answer at position t. The model learns to copy
    it.

    How it shows: The loss goes to nearly zero, lower than any text allows; the sample is
    garbage.

    How to find it: Change token t + 1 and look at the logits of position t alone; tests that
    change only a far token through one layer can miss it.

    Other right fixes: A triangle with diagonal 0 for what may be seen; as a mask of what is
    hidden it is triu with diagonal=1.
    """

    id = "mask-future-by-one"
    bug_class = "mask"
    stage = "attention"
    difficulty = "medium"
    visibility = "leak"
    provenance = ("measured",)
    hints = (
        "The loss is nearer to zero than the text permits.",
        "Change a token and look at the position just before it.",
        "Print the mask for four positions and count the ones in its first row.",
    )
    killed_by = frozenset({"causality", "forward", "prefix-consistency"})
    forms = (
        Form(
            "diagonal",
            TRIANGLE,
            with_diagonal("1"),
            correct=CORRECT,
            buggy="mask = torch.tril(torch.ones(n, n, dtype=torch.bool), 1)\n",
        ),
    )
    untouched = OTHERS


class MaskStrict(Mutation):
    """The causal mask hides each position from itself.

    What it does: The triangle stops one diagonal short, so that position t sees only what is
    before t.

    Why it is wrong: A position needs its own token. Worse, the first position is left with
    nothing, and a softmax over nothing but minus infinity is NaN.

    How it shows: The loss is NaN from the first step on.

    How to find it: Look at the first row of the attention weights; it has no place to put its
    weight.

    Other right fixes: A triangle with diagonal 0. A finite fill would only hide the NaN.
    """

    id = "mask-strict"
    bug_class = "mask"
    stage = "attention"
    difficulty = "easy"
    visibility = "flat"
    provenance = ("pytorch/pytorch#41508",)
    hints = (
        "The loss cannot even be compared.",
        "Ask at which position the first NaN appears.",
        "What may the very first position look at?",
    )
    killed_by = frozenset({"finite", "runs"})
    forms = (
        Form(
            "diagonal",
            TRIANGLE,
            with_diagonal("-1"),
            correct=CORRECT,
            buggy="mask = torch.tril(torch.ones(n, n, dtype=torch.bool), -1)\n",
        ),
    )
    untouched = OTHERS
