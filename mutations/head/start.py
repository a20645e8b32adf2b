"""The weights of the layers begin without any chance in them."""

import libcst as cst
import libcst.matchers as m

from bugforge.mutation import Form, Mutation, Rewritten

from ..patterns import swap

WEIGHT = m.Attribute(value=m.Name(), attr=m.Name("weight"))

DRAWN = m.Call(
    func=m.Attribute(attr=m.Name("normal_")), args=[m.Arg(WEIGHT, keyword=None), m.ZeroOrMore()]
)
"""Weights of a layer that is given, drawn: nn.init.normal_(layer.weight, std=0.02)."""

DRAWN_DATA = m.Call(
    func=m.Attribute(value=m.Attribute(value=WEIGHT, attr=m.Name("data")), attr=m.Name("normal_"))
)
"""The same, on the weights themselves: layer.weight.data.normal_(std=0.02)."""

BY_KIND = m.Call(func=m.Name("isinstance"))
"""Kinds of layer, told apart."""

CORRECT = """def start(self, layer):
    if isinstance(layer, (nn.Linear, nn.Embedding)):
        nn.init.normal_(layer.weight, mean=0.0, std=0.02)
    if isinstance(layer, nn.Linear):
        nn.init.zeros_(layer.bias)
"""
DRAW = "normal_(layer.weight, mean=0.0, std=0.02)"


def zeroed(call: cst.Call) -> Rewritten:
    """Fill with zeros instead of drawing."""
    func = cst.ensure_type(call.func, cst.Attribute)
    if m.matches(call, DRAWN_DATA):
        return call.with_changes(func=func.with_changes(attr=cst.Name("zero_")), args=[])
    weight = call.args[0].with_changes(comma=cst.MaybeSentinel.DEFAULT)
    return call.with_changes(func=func.with_changes(attr=cst.Name("zeros_")), args=[weight])


def exchanged_moments(call: cst.Call) -> Rewritten:
    """Exchange what is given as mean and as spread."""
    given = {arg.keyword.value: arg.value for arg in call.args if arg.keyword}
    if given.keys() != {"mean", "std"}:
        return None
    mean, spread = (arg for arg in call.args if arg.keyword)
    other = swap(call, mean, mean.with_changes(value=spread.value))
    return swap(other, spread, spread.with_changes(value=mean.value))


class InitAllZero(Mutation):
    """All weights of a kind begin at the same number.

    What it does: The weights of layers and embeddings are filled with zeros, or, with mean and
    spread exchanged, with 0.02 throughout.

    Why it is wrong: Equal weights get equal gradients and stay equal: however wide, a layer
    learns one feature. Between two layers of zeros there is no gradient at all, and neither ever
    moves.

    How it shows: With zeros the loss stalls where the last token and its position leave it; with
    one number throughout it comes down slowly and ends several times too high. The sample falls
    apart either way.

    How to find it: Print the spread of every weight of a fresh model.

    Other right fixes: Small random weights of any usual kind; zeros are right for biases.
    """

    id = "init-all-zero"
    bug_class = "typo"
    stage = "head"
    difficulty = "medium"
    visibility = "plateau"
    provenance = ("measured",)
    hints = (
        "Look at it before the first step.",
        "Print the spread of every weight of a fresh model.",
        "What do two neurons have to differ by, so that they can learn different things?",
    )
    killed_by = frozenset({"position-scale", "training-moves"})
    forms = (
        Form(
            "zeros",
            DRAWN | DRAWN_DATA,
            zeroed,
            correct=CORRECT,
            buggy=CORRECT.replace(DRAW, "zeros_(layer.weight)"),
            inside=BY_KIND,
        ),
        Form(
            "exchanged",
            DRAWN | DRAWN_DATA,
            exchanged_moments,
            correct=CORRECT,
            buggy=CORRECT.replace("mean=0.0, std=0.02", "mean=0.02, std=0.0"),
            inside=BY_KIND,
            killed_by=frozenset({"position-scale", "token-heard"}),
        ),
    )
    untouched = (
        "def start(self):\n    nn.init.normal_(self.table, mean=0.0, std=0.02)\n",
        "def start(self, layer):\n    layer.weight.data.zero_()\n",
        "def start(self, layer):\n    nn.init.normal_(layer.weight, std=1.0)\n",
    )
