"""The way from the stream to the logits is wrong."""

from collections.abc import Callable

import libcst as cst
import libcst.matchers as m

from bugforge.mutation import Form, Mutation, Rewritten

from ..patterns import (
    CROSS_ENTROPY,
    LAYER_OF_NAME,
    LINEAR,
    OWN,
    assigned,
    find,
    own_layer,
    render,
    root,
    swap,
)

WITH_LAYER = m.Call(func=OWN, args=[m.Arg(LAYER_OF_NAME)])
"""A layer behind another: self.head(self.norm(x))."""

CORRECT = """class LM(nn.Module):
    def __init__(self, vocab, width):
        self.norm = nn.LayerNorm(width)
        self.out = nn.Linear(width, vocab, bias=False)

    def forward(self, x, targets):
        logits = self.out(self.norm(x))
        return F.cross_entropy(logits.flatten(0, 1), targets.flatten())
"""
LOOK_ALIKE = """class Block(nn.Module):
    def __init__(self, width):
        self.norm = nn.LayerNorm(width)
        self.out = nn.Linear(width, 4 * width, bias=False)

    def forward(self, x):
        hidden = self.out(self.norm(x))
        return F.gelu(hidden)
"""

Remake = Callable[[cst.Call], cst.Call]
Reroute = Callable[[cst.Call, cst.Call], cst.CSTNode]


def head(definition: cst.ClassDef) -> cst.Call | None:
    """Give the call whose result a class gives to the cross-entropy as logits."""
    for function in find(definition, m.FunctionDef()):
        for loss in find(function, CROSS_ENTROPY):
            assert isinstance(loss, cst.Call)
            logits = root(loss.args[0].value)
            for assign in find(function, assigned(WITH_LAYER)):
                assert isinstance(assign, cst.Assign)
                assert isinstance(assign.value, cst.Call)
                if root(assign.targets[0].target) == logits:
                    return assign.value
    return None


def remade(remake: Remake) -> Callable[[cst.ClassDef], Rewritten]:
    """Make a mutation of the head's Linear from a function of it."""

    def mutate(definition: cst.ClassDef) -> Rewritten:
        call = head(definition)
        made = own_layer(definition, call.func, LINEAR) if call else None
        return None if made is None else swap(definition, made, remake(made))

    return mutate


def rerouted(reroute: Reroute) -> Callable[[cst.ClassDef], Rewritten]:
    """Make a mutation of what the head reads, from a function of the head and the layer before."""

    def mutate(definition: cst.ClassDef) -> Rewritten:
        call = head(definition)
        if call is None:
            return None
        layer = call.args[0].value
        assert isinstance(layer, cst.Call)
        return swap(definition, layer, reroute(call, layer))

    return mutate


def as_wide_as_the_stream(made: cst.Call) -> cst.Call:
    """Give the layer as many outputs as inputs."""
    first, second, *rest = made.args
    return made.with_changes(args=[first, second.with_changes(value=first.value), *rest])


def turned(made: cst.Call) -> cst.Call:
    """Exchange inputs and outputs."""
    first, second, *rest = made.args
    return made.with_changes(
        args=[
            first.with_changes(value=second.value),
            second.with_changes(value=first.value),
            *rest,
        ]
    )


def detached_input(_: cst.Call, layer: cst.Call) -> cst.CSTNode:
    """Detach what the layer before the head reads."""
    return layer.with_changes(
        args=[cst.Arg(cst.parse_expression(f"{render(layer.args[0].value)}.detach()"))]
    )


def detached_output(_: cst.Call, layer: cst.Call) -> cst.CSTNode:
    """Detach what the layer before the head gives."""
    return cst.parse_expression(f"{render(layer)}.detach()")


class LmHeadWrongShape(Mutation):
    """The head has as many outputs as the stream is wide.

    What it does: The last Linear maps the width to the width again, where the size of the
    vocabulary was meant.

    Why it is wrong: Each output stands for a token. With more outputs than tokens some stand for
    none, and with fewer some tokens can never be written.

    How it shows: The first loss is ln of the width, not ln of the vocabulary. Then it learns as
    if nothing were wrong, as long as the width is the larger of the two.

    How to find it: Print the shape of the logits.

    Other right fixes: Linear(n_embd, vocab_size), with or without a bias.
    """

    id = "lm-head-wrong-shape"
    bug_class = "projection"
    stage = "head"
    difficulty = "hard"
    visibility = "invisible"
    provenance = ("report",)
    hints = (
        "Compare the first loss with the one that pure guessing gives.",
        "Print shapes along the forward pass, to the very end.",
        "What does each output of the last layer stand for?",
    )
    killed_by = frozenset({"init-loss", "parameters", "runs", "shape"})
    forms = (
        Form(
            "width",
            m.ClassDef(),
            remade(as_wide_as_the_stream),
            correct=CORRECT,
            buggy=CORRECT.replace("nn.Linear(width, vocab,", "nn.Linear(width, width,"),
        ),
    )
    untouched = (LOOK_ALIKE,)


class LmHeadDimsSwapped(Mutation):
    """The head's dimensions are exchanged.

    What it does: The last Linear is made for vocab_size inputs and n_embd outputs.

    Why it is wrong: What reaches it is n_embd wide, and what should leave it has one number for
    each token.

    How it shows: The first forward pass stops at a matrix product whose shapes don't fit.

    How to find it: The message names the shapes of both factors. Look for the layer whose weight
    has the second.

    Other right fixes: Linear(n_embd, vocab_size), with or without a bias.
    """

    id = "lm-head-dims-swapped"
    bug_class = "projection"
    stage = "head"
    difficulty = "easy"
    visibility = "crash"
    provenance = ("report",)
    hints = (
        "Run it; torch says which shapes don't fit.",
        "Which layer has a weight of that shape?",
        "A Linear takes its inputs first and its outputs second.",
    )
    killed_by = frozenset({"runs"})
    forms = (
        Form(
            "exchanged",
            m.ClassDef(),
            remade(turned),
            correct=CORRECT,
            buggy=CORRECT.replace("nn.Linear(width, vocab,", "nn.Linear(vocab, width,"),
        ),
    )
    untouched = (LOOK_ALIKE,)


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
