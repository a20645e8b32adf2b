"""A method is named and not called."""

import libcst as cst
import libcst.matchers as m

from bugforge.mutation import Form, Mutation, Rewritten

from .parts import CLIP_LINE, CORRECT

LEARNS = m.Call(func=m.Attribute(attr=m.Name("backward")), args=[])
"""What is done where a training step is: loss.backward()."""

NUMBER = m.Return(m.Call(func=m.Attribute(value=m.Name(), attr=m.Name("item")), args=[]))
PARAMETERS = m.Arg(m.Call(func=m.Attribute(value=m.Name(), attr=m.Name("parameters")), args=[]))


def uncalled(node: cst.Return | cst.Arg) -> Rewritten:
    """Drop the parentheses of a call."""
    assert isinstance(node.value, cst.Call)
    return node.with_changes(value=node.value.func)


class MissingCallParens(Mutation):
    """A method is named and not called.

    What it does: Parentheses are missing, so that the method itself is handed on instead of what
    it would give.

    Why it is wrong: In Python a name without parentheses is a thing like any other. Nothing
    complains until somebody wants to use it as a number or a list.

    How it shows: The first step stops with a message about a method; or training comes to its end,
    and the losses cannot be printed.

    How to find it: The message names the type that it met, `method` or
    `builtin_function_or_method`. Ask which call has lost its parentheses.

    Other right fixes: Call it.
    """

    id = "missing-call-parens"
    bug_class = "typo"
    stage = "loop"
    difficulty = "easy"
    visibility = "crash"
    provenance = ("measured",)
    hints = (
        "Read the type in the message.",
        "Something is handed on that should have been asked for its value.",
        "Which method in the training step is not called?",
    )
    killed_by = frozenset({"runs"})
    forms = (
        Form(
            "item",
            NUMBER,
            uncalled,
            correct=CORRECT,
            buggy=CORRECT.replace("loss.item()", "loss.item"),
            inside=LEARNS,
        ),
        Form(
            "parameters",
            PARAMETERS,
            uncalled,
            correct=CORRECT,
            buggy=CORRECT.replace(CLIP_LINE, CLIP_LINE.replace("parameters()", "parameters")),
            inside=LEARNS,
        ),
    )
    untouched = (
        "def mean(values):\n    total = values.sum()\n    return total.item()\n",
        "def build(model, rate):\n    return torch.optim.AdamW(model.parameters(), lr=rate)\n",
    )
