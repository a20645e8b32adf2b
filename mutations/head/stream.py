"""The head reads the stream in the wrong way."""

from collections.abc import Callable

import libcst as cst
import libcst.matchers as m

from bugforge.mutation import Form, Mutation, Rewritten

from ..patterns import (
    LAYER_OF_NAME,
    find,
    render,
    same,
    swap,
    with_lines,
)
from .parts import CORRECT, LOOK_ALIKE, head, line_before

Reroute = Callable[[cst.Call, cst.Call], cst.CSTNode]


def rerouted(reroute: Reroute) -> Callable[[cst.ClassDef], Rewritten]:
    """Make a mutation of what the head reads, from a function of the head and the layer before."""

    def mutate(definition: cst.ClassDef) -> Rewritten:
        call = head(definition)
        if call is None:
            return None
        layer = call.args[0].value
        if isinstance(layer, cst.Call):
            return swap(definition, layer, reroute(call, layer))
        before = line_before(definition, call)
        if before is None:
            return None
        normed = find(before, LAYER_OF_NAME)[0]
        assert isinstance(normed, cst.Call)
        changed = swap(before, normed, reroute(call, normed))
        return without(definition, before) if idle(changed) else swap(definition, before, changed)

    return mutate


def idle(statement: cst.SimpleStatementLine) -> bool:
    """Whether a line gives a name to itself."""
    assign = statement.body[0]
    return isinstance(assign, cst.Assign) and same(assign.targets[0].target, assign.value)


def without(definition: cst.ClassDef, statement: cst.CSTNode) -> cst.ClassDef:
    """Take a line out of the block that it stands in."""
    for block in find(definition, m.IndentedBlock()):
        assert isinstance(block, cst.IndentedBlock)
        for i, other in enumerate(block.body):
            if other is statement:
                return swap(definition, block, with_lines(block, i, i + 1, []))
    return definition


def detached_input(_: cst.Call, layer: cst.Call) -> cst.CSTNode:
    """Detach what the layer before the head reads."""
    return layer.with_changes(
        args=[cst.Arg(cst.parse_expression(f"{render(layer.args[0].value)}.detach()"))]
    )


def detached_output(_: cst.Call, layer: cst.Call) -> cst.CSTNode:
    """Detach what the layer before the head gives."""
    return cst.parse_expression(f"{render(layer)}.detach()")


class LnFinalMissing(Mutation):
    """The head reads the stream without the final norm.

    What it does: The last LayerNorm is made and never called.

    Why it is wrong: In a model that normalises before each sublayer, nothing else bounds the
    stream at its end, and logits grow with the depth.

    How it shows: Hardly: in a shallow model the loss comes out the same.

    How to find it: List the parameters whose gradient is None after one backward pass.

    Other right fixes: Call the norm on the stream, anywhere between the last block and the head.
    """

    id = "ln-final-missing"
    bug_class = "typo"
    stage = "head"
    difficulty = "hard"
    visibility = "invisible"
    provenance = ("measured",)
    hints = (
        "Loss and sample look right; the parameters don't.",
        "Which parameters get no gradient?",
        "What happens between the last block and the logits?",
    )
    killed_by = frozenset({"forward", "moves"})
    forms = (
        Form(
            "idle",
            m.ClassDef(),
            rerouted(lambda _, layer: layer.args[0].value),
            correct=CORRECT,
            buggy=CORRECT.replace("self.out(self.norm(x))", "self.out(x)"),
        ),
    )
    untouched = (LOOK_ALIKE,)


class DetachInPath(Mutation):
    """The stream is cut off from the gradients before the head.

    What it does: The head reads a detached copy of the stream.

    Why it is wrong: Gradients stop there. Embeddings and blocks keep their random weights, and
    only the end of the model learns.

    How it shows: The loss falls for a moment and then stalls, high above what it should reach.

    How to find it: Print the gradient of every parameter after one backward pass: all those
    before a certain place have none.

    Other right fixes: Use the stream itself. A detached copy is right only for what is not
    learned, such as statistics.
    """

    id = "detach-in-path"
    bug_class = "training-step"
    stage = "head"
    difficulty = "medium"
    visibility = "plateau"
    provenance = ("rll-research/cic#5",)
    hints = (
        "It learns a little, and then nothing more.",
        "Which parameters get a gradient, and which get none?",
        "Walk back from the loss until the graph ends.",
    )
    killed_by = frozenset({"gradient-flow", "moves"})
    forms = (
        Form(
            "before-norm",
            m.ClassDef(),
            rerouted(detached_input),
            correct=CORRECT,
            buggy=CORRECT.replace("self.norm(x)", "self.norm(x.detach())"),
        ),
        Form(
            "behind-norm",
            m.ClassDef(),
            rerouted(detached_output),
            correct=CORRECT,
            buggy=CORRECT.replace("self.norm(x)", "self.norm(x).detach()"),
        ),
    )
    untouched = (LOOK_ALIKE,)
