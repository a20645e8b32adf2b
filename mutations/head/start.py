"""The weights of the layers begin without any chance in them."""

from collections.abc import Callable

import libcst as cst
import libcst.matchers as m

from bugforge.mutation import Form, Mutation, Rewritten

from ..embedding.table import INITIALISED
from ..patterns import OWN, find, swap

WEIGHT = m.Attribute(value=m.Name(), attr=m.Name("weight"))

ON_DATA = m.Attribute(value=m.Attribute(value=WEIGHT, attr=m.Name("data")), attr=m.Name("normal_"))

DRAWN = m.Call(
    func=m.Attribute(attr=m.Name("normal_")), args=[m.Arg(WEIGHT, keyword=None), m.ZeroOrMore()]
) | m.Call(func=ON_DATA)
"""Weights of a given layer, drawn: nn.init.normal_(layer.weight, std=0.02), or on their data."""

APART = INITIALISED | m.Call(
    func=m.Attribute(attr=m.Name("normal_")), args=[m.Arg(OWN, keyword=None), m.ZeroOrMore()]
)
"""A table that is drawn by itself."""

CORRECT = """class GPT(nn.Module):
    def __init__(self, length, width):
        self.table = nn.Parameter(0.02 * torch.randn(length, width))
        self.apply(self.start)

    def start(self, layer):
        if isinstance(layer, (nn.Linear, nn.Embedding)):
            nn.init.normal_(layer.weight, mean=0.0, std=0.02)
"""
DRAW = "normal_(layer.weight, mean=0.0, std=0.02)"
TABLE = "0.02 * torch.randn(length, width)"


def redrawn(redraw: Callable[[cst.Call], Rewritten]) -> Callable[[cst.ClassDef], Rewritten]:
    """Make a mutation of how a class draws the weights of its layers, from one of the call.

    Only where it draws a table of its own besides: a model that begins without any chance at all
    breaks more, and is seen at once.
    """

    def mutate(definition: cst.ClassDef) -> Rewritten:
        calls = find(definition, DRAWN) if find(definition, APART) else []
        for call in calls:
            new = redraw(cst.ensure_type(call, cst.Call))
            return swap(definition, call, new) if isinstance(new, cst.CSTNode) else None
        return None

    return mutate


def zeroed(call: cst.Call) -> Rewritten:
    """Fill with zeros instead of drawing."""
    func = cst.ensure_type(call.func, cst.Attribute)
    if m.matches(func, ON_DATA):
        return call.with_changes(func=func.with_changes(attr=cst.Name("zero_")), args=[])
    weight = call.args[0].with_changes(comma=cst.MaybeSentinel.DEFAULT)
    return call.with_changes(func=func.with_changes(attr=cst.Name("zeros_")), args=[weight])


def exchanged_moments(call: cst.Call) -> Rewritten:
    """Exchange what is given as mean and as spread."""
    given = [arg for arg in call.args if arg.keyword]
    if [arg.keyword.value for arg in given if arg.keyword] != ["mean", "std"]:
        return None
    mean, spread = given
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
    hides = frozenset(
        {"pe-init-empty", "pe-init-huge-std", "pe-init-result-dropped", "pe-init-too-large"}
    )
    forms = (
        Form(
            "zeros",
            m.ClassDef(),
            redrawn(zeroed),
            correct=CORRECT,
            buggy=CORRECT.replace(DRAW, "zeros_(layer.weight)"),
        ),
        Form(
            "exchanged",
            m.ClassDef(),
            redrawn(exchanged_moments),
            correct=CORRECT,
            buggy=CORRECT.replace("mean=0.0, std=0.02", "mean=0.02, std=0.0"),
            killed_by=frozenset({"position-scale", "token-heard"}),
        ),
    )
    untouched = (
        CORRECT.replace(TABLE, "torch.zeros(length, width)"),
        CORRECT.replace(DRAW, "zeros_(layer.weight)"),
        CORRECT.replace("layer.weight", "self.table"),
    )
