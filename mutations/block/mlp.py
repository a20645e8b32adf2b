"""The MLP's activation is missing or in the wrong place."""

from typing import cast

import libcst as cst
import libcst.matchers as m

from bugforge.mutation import Form, Mutation, Rewritten

from ..patterns import (
    LAYER_OF_NAME,
    OWN,
    assigned,
    find,
    line,
    moved,
    root,
    swap,
    with_lines,
    within,
)

ACTIVATION = m.Attribute(attr=m.Name("gelu") | m.Name("relu") | m.Name("silu"))

ACTIVE = m.Call(
    func=OWN,
    args=[m.Arg(m.Call(func=ACTIVATION, args=[m.Arg(LAYER_OF_NAME), m.ZeroOrMore()]))],
)
"""Two layers with an activation between them: self.down(F.gelu(self.up(x)))."""

ACTIVATING = m.Attribute(
    attr=m.Name(m.MatchRegex(r"gelu|relu|silu|act|act_fn|activation|nonlinearity"))
)

LAYERS = within(
    line(assigned(LAYER_OF_NAME)),
    line(assigned(m.Call(func=ACTIVATING, args=[m.Arg(m.Name()), m.ZeroOrMore()]))),
    line(assigned(LAYER_OF_NAME)),
)
"""The same line by line: x = self.up(x), x = self.gelu(x), x = self.down(x)."""

CORRECT = "def forward(self, x):\n    return self.narrow(F.gelu(self.wide(x)))\n"
OTHERS = (
    "def forward(self, x):\n    return self.out(self.norm(x))\n",
    "def forward(self, x):\n    return F.gelu(self.wide(x))\n",
)


def passive(outer: cst.Call | cst.IndentedBlock) -> Rewritten:
    """Take the activation out."""
    if isinstance(outer, cst.IndentedBlock):
        at = activation_line(outer)
        return None if at is None else with_lines(outer, at, at + 1, [])
    activation = cast("cst.Call", outer.args[0].value)
    return swap(outer, activation, activation.args[0].value)


def active_late(outer: cst.Call | cst.IndentedBlock) -> Rewritten:
    """Put the activation around the outer layer, or behind it."""
    if isinstance(outer, cst.IndentedBlock):
        at = activation_line(outer)
        return None if at is None else moved(outer, at, at + 2)
    activation = cast("cst.Call", outer.args[0].value)
    inner = swap(outer, activation, activation.args[0].value)
    return activation.with_changes(
        args=[activation.args[0].with_changes(value=inner), *activation.args[1:]]
    )


def activation_line(block: cst.IndentedBlock) -> int | None:
    """Give the index of an activation between two layers, all three on and into one name."""
    for at in range(1, len(block.body) - 1):
        three = block.body[at - 1 : at + 2]
        if not m.matches(block.with_changes(body=three), LAYERS):
            continue
        names = {
            root(part)
            for statement in three
            for assign in find(statement, m.Assign())
            if isinstance(assign, cst.Assign) and isinstance(assign.value, cst.Call)
            for part in (assign.targets[0].target, assign.value.args[0].value)
        }
        if len(names) == 1:
            return at
    return None


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
            ACTIVE | LAYERS,
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
            ACTIVE | LAYERS,
            active_late,
            correct=CORRECT,
            buggy="def forward(self, x):\n    return F.gelu(self.narrow(self.wide(x)))\n",
        ),
    )
    untouched = OTHERS
