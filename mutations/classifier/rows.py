"""Rows are taught or counted otherwise than they should be."""

import libcst as cst
import libcst.matchers as m

from bugforge.mutation import Form, Mutation, Rewritten

from ..patterns import CROSS_ENTROPY, render, swap

GIVEN_LABELS = m.IfExp(body=m.Name("None"), orelse=CROSS_ENTROPY)
"""A loss where there are labels: None if labels is None else F.cross_entropy(logits, labels)."""

COUNTED = m.Call(
    func=m.Attribute(
        value=m.Call(
            func=m.Attribute(
                value=m.Comparison(
                    left=m.Call(func=m.Attribute(value=m.Name(), attr=m.Name("argmax"))),
                    comparisons=[m.ComparisonTarget(operator=m.Equal(), comparator=m.Name())],
                ),
                attr=m.Name("float"),
            )
        ),
        attr=m.Name("mean"),
    ),
    args=[],
)
"""The share of right ones: (logits.argmax(dim=-1) == labels).float().mean()."""

LOSING = """def forward(self, idx, labels=None):
    logits = self.classifier(self.pooled(idx))
    loss = None if labels is None else F.cross_entropy(logits, labels)
    return logits, loss
"""
MEASURING = """def accuracy(model, idx, mask, labels):
    logits, _ = model(idx, mask)
    return (logits.argmax(dim=-1) == labels).float().mean().item()
"""
OTHERS = (
    "def loss(logits, targets):\n    return F.cross_entropy(logits, targets)\n",
    "def share(right):\n    return right.float().mean().item()\n",
)


def of_probabilities(given: cst.IfExp) -> Rewritten:
    """Give the loss probabilities."""
    loss = given.orelse
    assert isinstance(loss, cst.Call)
    logits = loss.args[0].value
    return swap(given, logits, cst.parse_expression(f"{render(logits)}.softmax(dim=-1)"))


def whole_batch(counted: cst.Call) -> Rewritten:
    """Ask whether all are right."""
    assert isinstance(counted.func, cst.Attribute)
    numbers = counted.func.value
    assert isinstance(numbers, cst.Call)
    assert isinstance(numbers.func, cst.Attribute)
    return cst.parse_expression(f"{render(numbers.func.value)}.all().float()")


class RowsLossOfProbabilities(Mutation):
    """The loss of rows is given probabilities, where it takes logits.

    What it does: A softmax stands before cross_entropy, which takes one itself.

    Why it is wrong: Of probabilities the second softmax makes nearly equal ones: the loss cannot
    fall below that of an even guess by much, and its gradients are faint.

    How it shows: The loss stalls above one half of where it began.

    How to find it: Work out the loss of a row that is surely right; it should be nothing.

    Other right fixes: Logits to cross_entropy, or their log_softmax to nll_loss.
    """

    id = "rows-loss-of-probabilities"
    bug_class = "class-loss"
    stage = "classifier"
    difficulty = "medium"
    visibility = "invisible"
    provenance = ("measured",)
    hints = (
        "The loss stalls, though nearly all rows are right.",
        "What is the loss of a row that is surely right?",
        "What does cross_entropy take?",
    )
    killed_by = frozenset({"rows-losses"})
    forms = (
        Form(
            "softmax",
            GIVEN_LABELS,
            of_probabilities,
            correct=LOSING,
            buggy=LOSING.replace("(logits, labels)", "(logits.softmax(dim=-1), labels)"),
        ),
    )
    untouched = OTHERS


class RowsAccuracyOfBatch(Mutation):
    """A batch is counted, and not its rows.

    What it does: It tells one where all rows are right, and else nothing.

    Why it is wrong: What is asked for is the share of rows. The larger the batch, the surer is a
    zero.

    How it shows: What is told is zero, though the loss is low.

    How to find it: Count by hand for a few rows.

    Other right fixes: The mean over all rows.
    """

    id = "rows-accuracy-of-batch"
    bug_class = "class-metric"
    stage = "classifier"
    difficulty = "easy"
    visibility = "invisible"
    provenance = ("measured",)
    hints = (
        "The number does not go with the loss.",
        "Count by hand for a few rows.",
        "Which numbers can come out at all?",
    )
    killed_by = frozenset({"rows-accuracy"})
    forms = (
        Form(
            "all",
            COUNTED,
            whole_batch,
            correct=MEASURING,
            buggy=MEASURING.replace(".float().mean()", ".all().float()"),
        ),
    )
    untouched = OTHERS
