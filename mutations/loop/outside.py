"""The training step stands outside the loop."""

import libcst as cst
import libcst.matchers as m

from bugforge.mutation import Form, Mutation, Rewritten

from ..patterns import find, root, uses, with_lines

GROUPS = m.Attribute(value=m.Name(), attr=m.Name("param_groups"))

CORRECT = """def train(model, opt, data):
    losses = []
    for step in range(100):
        for group in opt.param_groups:
            group["lr"] = rate(step)
        batch = draw(data)
        losses.append(learn(model, opt, batch))
    return losses
"""


def dedented(block: cst.IndentedBlock) -> Rewritten:
    """Take what uses the optimizer, and all behind it, out of the loop that sets its rate."""
    for i, loop in enumerate(block.body):
        groups = find(loop, GROUPS) if isinstance(loop, cst.For) else []
        if not groups:
            continue
        assert isinstance(loop, cst.For)
        assert isinstance(loop.body, cst.IndentedBlock)
        lines = loop.body.body
        steps = [
            j
            for j, statement in enumerate(lines)
            if m.matches(statement, m.SimpleStatementLine())
            and uses(statement, root(groups[0]))
            and not find(statement, GROUPS)
        ]
        if steps and steps[0] > 0:
            behind = lines[steps[0] :]
            inside = loop.with_changes(body=loop.body.with_changes(body=lines[: steps[0]]))
            return with_lines(block, i, i + 1, [inside, *behind])
    return None


class StepOutsideLoop(Mutation):
    """The training step stands behind the loop.

    What it does: The loop sets rates and draws batches, and one step is taken when it has ended,
    on the last batch.

    Why it is wrong: Four spaces decide what is done again and again. One step teaches nothing.

    How it shows: Training is over far too soon, and printing the losses on the way stops, as there
    is only one.

    How to find it: Count the losses that training returns: one for each step.

    Other right fixes: Take the step in the loop, once for each batch.
    """

    id = "step-outside-loop"
    bug_class = "training-step"
    stage = "loop"
    difficulty = "easy"
    visibility = "crash"
    provenance = ("XinyiYS/Gradient-Driven-Rewards#3",)
    hints = (
        "Training takes next to no time.",
        "How many losses does it return?",
        "What belongs to the loop, and what stands behind it?",
    )
    killed_by = frozenset({"steps-taken"})
    hides = frozenset({"eval-average-wrong", "eval-on-train-split", "train-val-overlap"})
    forms = (
        Form(
            "dedented",
            m.IndentedBlock(),
            dedented,
            correct=CORRECT,
            buggy="""def train(model, opt, data):
    losses = []
    for step in range(100):
        for group in opt.param_groups:
            group["lr"] = rate(step)
        batch = draw(data)
    losses.append(learn(model, opt, batch))
    return losses
""",
        ),
    )
    untouched = (
        (
            "def rates(opt, steps):\n"
            "    seen = []\n"
            "    for step in range(steps):\n"
            "        for group in opt.param_groups:\n"
            '            seen.append(group["lr"])\n'
            "    return seen\n"
        ),
    )
