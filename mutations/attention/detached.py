"""The attention is cut off from the gradients."""

import libcst as cst
import libcst.matchers as m

from bugforge.mutation import Form, Mutation, Rewritten

from ..patterns import SCORES, assigned, find, line, root, swap

SOFTMAX_OF_NAME = m.Call(
    func=m.Attribute(attr=m.Name("softmax")), args=[m.Arg(m.Name()), m.ZeroOrMore()]
)


def unlearned(statement: cst.SimpleStatementLine) -> Rewritten:
    """Detach what the softmax reads."""
    softmax = find(statement, SOFTMAX_OF_NAME)[0]
    assert isinstance(softmax, cst.Call)
    scores = softmax.args[0].value
    return swap(statement, scores, cst.parse_expression(f"{root(scores)}.detach()"))


class DetachAttention(Mutation):
    """The attention scores are cut off from the gradients.

    What it does: The softmax reads a detached copy of the scores.

    Why it is wrong: No gradient flows back into queries and keys, so where a position looks is
    never learned; it stays what chance made it.

    How it shows: The loss falls more slowly and ends a little high, and the sample can still come
    out right.

    How to find it: After one backward pass, list the parameters whose gradient is None.

    Other right fixes: Let the scores go into the softmax as they are; if a copy is needed to look
    at, detach that one.
    """

    id = "detach-attention"
    bug_class = "training-step"
    stage = "attention"
    difficulty = "hard"
    visibility = "invisible"
    provenance = ("measured",)
    hints = (
        "A part of the model does not learn.",
        "Look at the gradients of the attention, layer by layer.",
        "Somewhere between the scores and the weights the graph is cut.",
    )
    killed_by = frozenset({"gradient-flow", "moves"})
    forms = (
        Form(
            "scores",
            line(assigned(SOFTMAX_OF_NAME)),
            unlearned,
            correct="att = q @ k.mT\natt = F.softmax(att, dim=-1)\n",
            buggy="att = q @ k.mT\natt = F.softmax(att.detach(), dim=-1)\n",
            inside=SCORES,
        ),
    )
    untouched = ("probs = F.softmax(logits, dim=-1)\n",)
