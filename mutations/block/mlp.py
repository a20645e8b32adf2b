"""The MLP's activation is missing or in the wrong place."""

from dataclasses import dataclass

import libcst as cst
import libcst.matchers as m

from bugforge.mutation import Form, Mutation, Rewritten

from ..patterns import (
    LAYER_OF_NAME,
    LINEAR,
    OWN,
    assigned,
    find,
    line,
    moved,
    own_layer,
    root,
    swap,
    target,
    with_lines,
)

ACTIVATION = m.Attribute(attr=m.Name("gelu") | m.Name("relu") | m.Name("silu"))

MADE_ACTIVATION = m.Call(
    func=m.Attribute(attr=m.Name("GELU") | m.Name("ReLU") | m.Name("SiLU"))
    | m.Name("GELU")
    | m.Name("ReLU")
    | m.Name("SiLU")
)
"""An activation as a layer: nn.GELU()."""

ALONE = line(assigned(m.Call(func=ACTIVATION | OWN, args=[m.Arg(m.Name()), m.ZeroOrMore()])))
"""What may be a layer or an activation on a line of its own: x = self.up(x), x = self.act(x)."""

IN_SEQUENCE = m.Call(
    func=m.Attribute(attr=m.Name("Sequential")) | m.Name("Sequential"),
    args=[m.Arg(LINEAR), m.Arg(MADE_ACTIVATION), m.Arg(LINEAR)],
)
"""All of an MLP: nn.Sequential(nn.Linear(...), nn.GELU(), nn.Linear(...))."""

BETWEEN = m.Call(func=ACTIVATION | OWN, args=[m.Arg(LAYER_OF_NAME), m.ZeroOrMore()])
"""What may be an activation behind a layer: F.gelu(self.up(x)), self.act(self.up(x))."""

CORRECT = """class FeedForward(nn.Module):
    def __init__(self, width):
        self.wide = nn.Linear(width, 4 * width)
        self.narrow = nn.Linear(4 * width, width)

    def forward(self, x):
        return self.narrow(F.gelu(self.wide(x)))
"""
OTHERS = (
    CORRECT.replace("self.narrow(F.gelu(self.wide(x)))", "F.gelu(self.wide(x))"),
    CORRECT.replace("F.gelu(", "self.norm("),
    CORRECT.replace("self.narrow(F.gelu(", "F.gelu(self.narrow("),
)


@dataclass(frozen=True)
class Active:
    """An activation between two layers: the call of it, and that of the second layer."""

    activation: cst.Call
    outer: cst.Call


def active(definition: cst.ClassDef) -> Active | None:
    """Find the activation in the argument of another layer, or in what that layer reads by name."""
    for function in find(definition, m.FunctionDef()):
        for found in find(function, BETWEEN):
            activation = cst.ensure_type(found, cst.Call)
            if not _activates(definition, activation):
                continue
            for outer in find(function, m.Call(func=OWN, args=[m.Arg()])):
                assert isinstance(outer, cst.Call)
                if outer.args[0].value is activation or _reads(function, outer, activation):
                    return Active(activation, outer)
    return None


def _reads(function: cst.CSTNode, outer: cst.Call, activation: cst.Call) -> bool:
    """Whether the layer reads the name that the activation's result is given."""
    names = {
        root(cst.ensure_type(assign, cst.Assign).targets[0].target)
        for assign in find(function, assigned(BETWEEN))
        if cst.ensure_type(assign, cst.Assign).value is activation
    }
    read = outer.args[0].value
    return (
        isinstance(read, cst.Name) and read.value in names and outer is not activation.args[0].value
    )


def alone(definition: cst.ClassDef) -> tuple[cst.IndentedBlock, int] | None:
    """Find a block, and the index in it of an activation between two layers, where all three have
    lines of their own, and one name.
    """
    for block in find(definition, m.IndentedBlock()):
        assert isinstance(block, cst.IndentedBlock)
        for at in range(1, len(block.body) - 1):
            three = block.body[at - 1 : at + 2]
            if not all(m.matches(statement, ALONE) for statement in three):
                continue
            calls = [cst.ensure_type(find(each, m.Call())[0], cst.Call) for each in three]
            names = {root(call.args[0].value) for call in calls} | set(map(target, three))
            activates = [_activates(definition, call) for call in calls]
            if len(names) == 1 and activates == [False, True, False]:
                return block, at
    return None


def _activates(definition: cst.ClassDef, call: cst.Call) -> bool:
    """Whether what is called is an activation: a function, or a layer that the class makes."""
    if m.matches(call.func, OWN):
        return own_layer(definition, call.func, MADE_ACTIVATION) is not None
    return True


def passive(definition: cst.ClassDef) -> Rewritten:
    """Take the activation out."""
    for sequence in find(definition, IN_SEQUENCE):
        assert isinstance(sequence, cst.Call)
        first, _, second = sequence.args
        return swap(definition, sequence, sequence.with_changes(args=[first, second]))
    lines = alone(definition)
    if lines is not None:
        block, at = lines
        return swap(definition, block, with_lines(block, at, at + 1, []))
    found = active(definition)
    if found is None:
        return None
    return swap(definition, found.activation, found.activation.args[0].value)


def active_late(definition: cst.ClassDef) -> Rewritten:
    """Put the activation around the outer layer, or behind it."""
    for sequence in find(definition, IN_SEQUENCE):
        assert isinstance(sequence, cst.Call)
        first, between, second = sequence.args
        others = (
            between.with_changes(value=second.value),
            second.with_changes(value=between.value),
        )
        return swap(definition, sequence, sequence.with_changes(args=[first, *others]))
    lines = alone(definition)
    if lines is not None:
        block, at = lines
        return swap(definition, block, moved(block, at, at + 2))
    found = active(definition)
    if found is None:
        return None
    inner = found.activation.args[0]
    outer = swap(found.outer, found.activation, inner.value)
    late = swap(found.activation, inner.value, outer)
    if outer is not found.outer:
        return swap(definition, found.outer, late)
    return swap(swap(definition, found.activation, inner.value), found.outer, late)


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
            m.ClassDef(),
            passive,
            correct=CORRECT,
            buggy=CORRECT.replace("F.gelu(self.wide(x))", "self.wide(x)"),
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
            m.ClassDef(),
            active_late,
            correct=CORRECT,
            buggy=CORRECT.replace("self.narrow(F.gelu(", "F.gelu(self.narrow("),
        ),
    )
    untouched = OTHERS
