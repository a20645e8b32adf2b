"""An evaluation averages what does not weigh the same."""

import libcst as cst
import libcst.matchers as m

from bugforge.mutation import Form, Mutation, Rewritten

from ..patterns import line, same, with_lines

ADDED = line(
    m.AugAssign(
        operator=m.AddAssign(),
        value=m.BinaryOperation(left=m.Call(), operator=m.Multiply()),
    )
)
COUNTED = line(m.AugAssign(operator=m.AddAssign()))

CORRECT = """for x, y in loader:
    loss = model(x, y)
    total += loss.item() * len(x)
    count += len(x)
"""


def unweighted(block: cst.IndentedBlock) -> Rewritten:
    """Add up means of parts, and count the parts."""
    for i, (added, counted) in enumerate(zip(block.body, block.body[1:], strict=False)):
        if not (m.matches(added, ADDED) and m.matches(counted, COUNTED)):
            continue
        sum_, number = _statement(added), _statement(counted)
        product = cst.ensure_type(sum_.value, cst.BinaryOperation)
        if not same(product.right.with_changes(lpar=[], rpar=[]), number.value):
            return None
        lines = [
            cst.ensure_type(added, cst.SimpleStatementLine).with_changes(
                body=[sum_.with_changes(value=product.left)]
            ),
            cst.ensure_type(counted, cst.SimpleStatementLine).with_changes(
                body=[number.with_changes(value=cst.Integer("1"))]
            ),
        ]
        return with_lines(block, i, i + 2, lines)
    return None


def _statement(node: cst.CSTNode) -> cst.AugAssign:
    return cst.ensure_type(cst.ensure_type(node, cst.SimpleStatementLine).body[0], cst.AugAssign)


class EvalAverageWrong(Mutation):
    """An evaluation averages over windows of different lengths as if they were alike.

    What it does: The mean losses of all windows are added up and divided by their number.

    Why it is wrong: The last window is shorter, and its few tokens count as much as all those of
    another.

    How it shows: Evaluations are off by some share. Learning is not touched.

    How to find it: Evaluate data of two windows, a long and a short one, and work the mean over
    their tokens out by hand.

    Other right fixes: Weigh each mean by its tokens, or sum the losses of all tokens and divide
    once.
    """

    id = "eval-average-wrong"
    bug_class = "typo"
    stage = "eval"
    difficulty = "hard"
    visibility = "invisible"
    provenance = ("udacity/deep-learning-v2-pytorch#129", "tracel-ai/burn#5577")
    hints = (
        "The model learns well. Is it measured well?",
        "Work an evaluation out by hand, on very little data.",
        "A mean of means is the mean of all only under one condition.",
    )
    killed_by = frozenset({"evaluation"})
    hides = frozenset({"eval-mode-missing"})
    forms = (
        Form(
            "means-of-parts",
            m.IndentedBlock(),
            unweighted,
            correct=CORRECT,
            buggy=CORRECT.replace("loss.item() * len(x)", "loss.item()").replace(
                "count += len(x)", "count += 1"
            ),
        ),
    )
    untouched = (
        "for x, y in loader:\n    total += area(x) * height\n    count += 1\n",
        "for x, y in loader:\n    total += loss.item()\n    count += 1\n",
    )
