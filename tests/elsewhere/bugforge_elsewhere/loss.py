"""The loss is no mean."""

import libcst as cst
import libcst.matchers as m

from bugforge.mutation import Form, Mutation

MEAN_LOSS = m.Call(
    func=m.Attribute(attr=m.Name("cross_entropy")), args=[m.Arg(keyword=None), m.Arg(keyword=None)]
)


def summed(call: cst.Call) -> cst.Call:
    """Add up what is lost over all tokens."""
    one = cst.MaybeSentinel.DEFAULT
    equal = cst.AssignEqual(cst.SimpleWhitespace(""), cst.SimpleWhitespace(""))
    sum_ = cst.Arg(cst.SimpleString('"sum"'), cst.Name("reduction"), equal, comma=one)
    return call.with_changes(args=[*call.args, sum_])


class LossSummed(Mutation):
    """The loss is a sum over tokens.

    What it does: What all tokens of a batch lose is added up, where the mean is asked for.

    Why it is wrong: The loss, its gradient and what the rate and the bound of the clipping mean
    now hang on how many tokens a batch has.

    How it shows: The loss that is printed is hundreds of times too large.

    How to find it: An untrained model should lose about the logarithm of the number of characters.

    Other right fixes: The mean in any form, such as the sum over the number of tokens.
    """

    id = "loss-summed"
    bug_class = "training-step"
    stage = "loss"
    difficulty = "easy"
    visibility = "plateau"
    provenance = ("measured",)
    hints = (
        "Something is much too large.",
        "What should a model lose that knows nothing?",
        "How do the losses of single tokens become one number?",
    )
    killed_by = frozenset({"objective"})
    forms = (
        Form(
            "asked for",
            MEAN_LOSS,
            summed,
            correct="cost = F.cross_entropy(guesses, truth)\n",
            buggy='cost = F.cross_entropy(guesses, truth, reduction="sum")\n',
        ),
    )
    untouched = (
        'cost = F.cross_entropy(guesses, truth, reduction="none")\n',
        "cost = F.mse_loss(guesses, truth)\n",
    )
