"""The optimizer does not live as long as the training."""

import libcst as cst
import libcst.matchers as m

from bugforge.mutation import Form, Mutation, Rewritten

from ..patterns import assigned, find, line, root, uses

MAKING = line(assigned(m.Call()))

CORRECT = """def train(model, data):
    opt = build(model)
    losses = []
    for step in range(100):
        for group in opt.param_groups:
            group["lr"] = rate(step)
        losses.append(learn(model, opt, data))
    return losses
"""


def recreated(block: cst.IndentedBlock) -> Rewritten:
    """Move the line that makes the optimizer into the only loop that reads it."""
    for i, statement in enumerate(block.body):
        if not m.matches(statement, MAKING):
            continue
        assert isinstance(statement, cst.SimpleStatementLine)
        assign = statement.body[0]
        assert isinstance(assign, cst.Assign)
        optimizer = root(assign.targets[0].target)
        readers = [j for j in range(i + 1, len(block.body)) if uses(block.body[j], optimizer)]
        loop = block.body[readers[0]] if len(readers) == 1 else None
        if isinstance(loop, cst.For) and find(loop, groups_of(optimizer)):
            inner = loop.body.with_changes(body=[statement, *loop.body.body])
            lines = list(block.body)
            lines[readers[0]] = loop.with_changes(body=inner)
            del lines[i]
            return block.with_changes(body=lines)
    return None


def groups_of(optimizer: str) -> m.Attribute:
    """Match the parameter groups of an optimizer."""
    return m.Attribute(value=m.Name(optimizer), attr=m.Name("param_groups"))


class OptRecreated(Mutation):
    """The optimizer is made anew at every step.

    What it does: It is built inside the loop, so each step starts with an optimizer that has seen
    nothing.

    Why it is wrong: Adam steers by running means of the gradients. When they are lost each time,
    every parameter moves by the full learning rate, whatever its gradient's size.

    How it shows: Not in a short run, whose loss ends slightly higher.

    How to find it: After three steps look into the optimizer's state: its counter must say 3.

    Other right fixes: Make the optimizer once, before the loop.
    """

    id = "opt-recreated"
    bug_class = "training-step"
    stage = "loop"
    difficulty = "hard"
    visibility = "invisible"
    provenance = ("measured",)
    hints = (
        "The first step is right.",
        "Look into the state of the optimizer after a few steps.",
        "What must outlive a single turn of the loop?",
    )
    killed_by = frozenset({"one-optimizer", "update"})
    forms = (
        Form(
            "in-loop",
            m.IndentedBlock(),
            recreated,
            correct=CORRECT,
            buggy="""def train(model, data):
    losses = []
    for step in range(100):
        opt = build(model)
        for group in opt.param_groups:
            group["lr"] = rate(step)
        losses.append(learn(model, opt, data))
    return losses
""",
        ),
    )
    untouched = (
        (
            "def train(model, data):\n"
            "    seen = count(data)\n"
            "    for step in range(100):\n"
            "        learn(model, seen)\n"
        ),
    )
