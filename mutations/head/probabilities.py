"""The head gives probabilities where logits are wanted."""

from collections.abc import Callable

import libcst as cst
import libcst.matchers as m

from bugforge.mutation import Form, Mutation, Rewritten

from ..patterns import CROSS_ENTROPY, LINEAR, OWN, assigned, find, own_layer, render, root, swap
from .parts import CORRECT, LOOK_ALIKE, TIE

OF_HEAD = assigned(m.Call(func=OWN, args=[m.Arg()]))
"""What a layer gives, under a name: logits = self.head(x)."""

READ_OFF = """class LM(nn.Module):
    def forward(self, x):
        logits = self.out(self.norm(x))
        return F.softmax(logits, dim=-1)
"""


def logits_of(node: cst.CSTNode) -> cst.Call | None:
    """Give the call of the layer whose result becomes the logits of a cross-entropy."""
    scored = {
        root(loss.args[0].value) for loss in find(node, CROSS_ENTROPY) if isinstance(loss, cst.Call)
    }
    calls = [
        assign.value
        for assign in find(node, OF_HEAD)
        if isinstance(assign, cst.Assign) and root(assign.targets[0].target) in scored
    ]
    return calls[0] if len(calls) == 1 and isinstance(calls[0], cst.Call) else None


def normalised(template: str) -> Callable[[cst.FunctionDef], Rewritten]:
    """Make a mutation that writes the logits into a template."""

    def mutate(function: cst.FunctionDef) -> Rewritten:
        call = logits_of(function)
        if call is None:
            return None
        new = cst.parse_expression(template.format(render(call)))
        return swap(function, call, new)

    return mutate


def in_sequence(definition: cst.ClassDef) -> Rewritten:
    """Put a softmax behind the head, as a layer."""
    call = logits_of(definition)
    made = own_layer(definition, call.func, LINEAR) if call else None
    if made is None or find(definition, TIE):
        return None
    layers = cst.parse_expression(f"nn.Sequential({render(made)}, nn.Softmax(dim=-1))")
    return swap(definition, made, layers)


class SoftmaxInForward(Mutation):
    """The model gives probabilities where logits are wanted.

    What it does: The head's output goes through a softmax before it is given back, or to the
    loss.

    Why it is wrong: The loss takes the softmax of what it gets, and so does sampling. Of numbers
    between 0 and 1 it makes all but equal shares: the loss stays high even where every prediction
    is certain, and a draw is hardly better than chance.

    How it shows: The loss starts at ln V, as it should, and falls only a little: never below
    ln(1 + (V - 1) / e). The sample is garbage.

    How to find it: Add up the logits over the vocabulary: nothing should make every sum 1.

    Other right fixes: The head's output as it is; what needs probabilities takes the softmax
    itself, once.
    """

    id = "softmax-in-forward"
    bug_class = "typo"
    stage = "head"
    difficulty = "medium"
    visibility = "plateau"
    provenance = ("jaehong31/CGES#1", "gitabcworld/MatchingNetworks#5")
    hints = (
        "How low could the loss come, if every prediction were right and certain?",
        "Print the logits of one position, and their sum.",
        "Count the softmaxes between the stream and the loss.",
    )
    killed_by = frozenset({"forward"})
    forms = (
        Form(
            "function",
            m.FunctionDef(),
            normalised("F.softmax({}, dim=-1)"),
            correct=CORRECT,
            buggy=CORRECT.replace(
                "self.out(self.norm(x))", "F.softmax(self.out(self.norm(x)), dim=-1)"
            ),
        ),
        Form(
            "method",
            m.FunctionDef(),
            normalised("{}.softmax(dim=-1)"),
            correct=CORRECT,
            buggy=CORRECT.replace("self.norm(x))", "self.norm(x)).softmax(dim=-1)"),
        ),
        Form(
            "layer",
            m.ClassDef(),
            in_sequence,
            correct=CORRECT,
            buggy=CORRECT.replace(
                "nn.Linear(width, vocab, bias=False)",
                "nn.Sequential(nn.Linear(width, vocab, bias=False), nn.Softmax(dim=-1))",
            ),
        ),
    )
    untouched = (LOOK_ALIKE, READ_OFF)
