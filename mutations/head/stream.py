"""The head reads the stream in the wrong way."""

from collections.abc import Callable

import libcst as cst
import libcst.matchers as m

from bugforge.mutation import Form, Mutation, Rewritten

from ..patterns import render, swap, with_lines
from .parts import CORRECT, LOOK_ALIKE, norm


def detached(template: str) -> Callable[[cst.ClassDef], Rewritten]:
    """Make a mutation that detaches by a template over the layer before the head and its input."""

    def mutate(definition: cst.ClassDef) -> Rewritten:
        found = norm(definition)
        if found is None:
            return None
        words = {"layer": render(found.call.func), "x": render(found.call.args[0].value)}
        return swap(definition, found.call, cst.parse_expression(template.format(**words)))

    return mutate


def idle(definition: cst.ClassDef) -> Rewritten:
    """Let the head read what the layer before it reads."""
    found = norm(definition)
    if found is None:
        return None
    if found.lines is None:
        return swap(definition, found.call, found.call.args[0].value)
    lines = with_lines(found.lines, found.at, found.at + 1, [])
    return swap(definition, found.lines, lines)


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
            idle,
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
            detached("{layer}({x}.detach())"),
            correct=CORRECT,
            buggy=CORRECT.replace("self.norm(x)", "self.norm(x.detach())"),
        ),
        Form(
            "behind-norm",
            m.ClassDef(),
            detached("{layer}({x}).detach()"),
            correct=CORRECT,
            buggy=CORRECT.replace("self.norm(x)", "self.norm(x).detach()"),
        ),
    )
    untouched = (LOOK_ALIKE,)
