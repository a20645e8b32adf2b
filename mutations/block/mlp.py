"""The MLP's activation is missing or in the wrong place."""

from typing import cast

import libcst as cst
import libcst.matchers as m

from bugforge.mutation import Form, Mutation, Rewritten

from ..patterns import LAYER_OF_NAME, OWN, swap

ACTIVATION = m.Attribute(attr=m.Name("gelu") | m.Name("relu") | m.Name("silu"))

ACTIVE = m.Call(
    func=OWN,
    args=[m.Arg(m.Call(func=ACTIVATION, args=[m.Arg(LAYER_OF_NAME), m.ZeroOrMore()]))],
)
"""Two layers with an activation between them: self.down(F.gelu(self.up(x)))."""

CORRECT = "def forward(self, x):\n    return self.narrow(F.gelu(self.wide(x)))\n"
OTHERS = (
    "def forward(self, x):\n    return self.out(self.norm(x))\n",
    "def forward(self, x):\n    return F.gelu(self.wide(x))\n",
)


def passive(outer: cst.Call) -> Rewritten:
    """Take the activation out."""
    activation = cast("cst.Call", outer.args[0].value)
    return swap(outer, activation, activation.args[0].value)


def active_late(outer: cst.Call) -> Rewritten:
    """Put the activation around the outer layer."""
    activation = cast("cst.Call", outer.args[0].value)
    inner = swap(outer, activation, activation.args[0].value)
    return activation.with_changes(
        args=[activation.args[0].with_changes(value=inner), *activation.args[1:]]
    )


class MlpActivationMissing(Mutation):
    """The MLP has no activation.

    What it does: Its two linear layers follow each other directly.

    Why it is wrong: Two linear layers in a row are one linear layer: the four times wider middle
    is of no use, and nothing new can be computed.

    How it shows: The loss ends a little higher; the sample is right, since attention still learns
    the text.

    How to find it: Without biases, the MLP of twice the input is twice the MLP of the input.

    Other right fixes: GELU, or ReLU where none is asked for by name, between the two layers.
    """

    id = "mlp-activation-missing"
    bug_class = "typo"
    stage = "block"
    difficulty = "hard"
    visibility = "invisible"
    provenance = ("measured",)
    hints = (
        "It learns, but with less than it has.",
        "Test the parts of a block for being linear.",
        "What stands between the two layers of the MLP?",
    )
    killed_by = frozenset({"forward"})
    forms = (
        Form(
            "dropped",
            ACTIVE,
            passive,
            correct=CORRECT,
            buggy="def forward(self, x):\n    return self.narrow(self.wide(x))\n",
        ),
    )
    untouched = OTHERS


class MlpActivationLate(Mutation):
    """The MLP's activation comes behind its second layer.

    What it does: Both linear layers come first, and the activation is applied to their result.

    Why it is wrong: The two layers melt into one, and what is added to the stream can hardly be
    negative.

    How it shows: Not in a small model's loss or sample.

    How to find it: Look at the least value that the MLP ever gives: a right one has no such floor.

    Other right fixes: The activation between the two layers.
    """

    id = "mlp-activation-late"
    bug_class = "typo"
    stage = "block"
    difficulty = "hard"
    visibility = "invisible"
    provenance = ("goruck/nilm#1",)
    hints = (
        "All parts are there.",
        "What range do the numbers have that each sublayer adds?",
        "In which order does the MLP use its three parts?",
    )
    killed_by = frozenset({"forward"})
    forms = (
        Form(
            "behind",
            ACTIVE,
            active_late,
            correct=CORRECT,
            buggy="def forward(self, x):\n    return F.gelu(self.narrow(self.wide(x)))\n",
        ),
    )
    untouched = OTHERS
