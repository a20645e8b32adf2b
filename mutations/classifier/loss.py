"""The two losses are not joined as they should be."""

import libcst as cst
import libcst.matchers as m

from bugforge.mutation import Form, Mutation, Rewritten

from ..patterns import assigned, find, line, render, swap, target
from .parts import CLASS_LOSS, JOINED, OTHERS, READING

SUM = "loss = class_loss if loss is None else loss + class_loss"
CLASS = "class_loss = F.cross_entropy(class_logits.flatten(0, 1), labels.flatten())"
FLATTENED = m.Call(
    func=m.Attribute(value=m.Name(), attr=m.Name("flatten")), args=[m.Arg(), m.Arg()]
)


def wrapped(*arguments: str) -> str:
    """Write the loss of the classes on lines of their own."""
    return "class_loss = F.cross_entropy(\n{}            )".format(
        "".join(f"                {argument},\n" for argument in arguments)
    )


def without_classes(joined: cst.IfExp) -> Rewritten:
    """Leave the language's loss as it is."""
    both = joined.orelse
    assert isinstance(both, cst.BinaryOperation)
    return joined.with_changes(orelse=both.left)


def classes_alone(joining: cst.Assign) -> Rewritten:
    """Take the loss of the classes."""
    joined = joining.value
    assert isinstance(joined, cst.IfExp)
    return joining.with_changes(value=joined.body)


def _class_loss(block: cst.IndentedBlock) -> cst.Call | None:
    """Give the cross-entropy that is joined to another loss in the same block."""
    joined = [find(s, JOINED)[0] for s in block.body if m.matches(s, line(assigned(JOINED)))]
    for statement in block.body:
        if m.matches(statement, CLASS_LOSS) and any(
            isinstance(j, cst.IfExp) and render(j.body) == target(statement) for j in joined
        ):
            return next(call for call in find(statement, m.Call()) if isinstance(call, cst.Call))
    return None


def summed(block: cst.IndentedBlock) -> Rewritten:
    """Add up the losses of all tokens."""
    call = _class_loss(block)
    if call is None:
        return None
    whole = cst.parse_expression('f(reduction="sum")')
    assert isinstance(whole, cst.Call)
    return swap(block, call, call.with_changes(args=[*call.args, *whole.args]))


def mixed(block: cst.IndentedBlock) -> Rewritten:
    """Put the rows of the logits in another order than those of the labels."""
    call = _class_loss(block)
    logits = call.args[0].value if call else None
    if logits is None or not m.matches(logits, FLATTENED):
        return None
    assert isinstance(logits, cst.Call)
    assert isinstance(logits.func, cst.Attribute)
    turned = cst.parse_expression(f"{render(logits.func.value)}.transpose(0, 1)")
    return swap(block, logits.func.value, turned)


class ClassLossDropped(Mutation):
    """The loss of the classes is never added.

    What it does: Where there is a loss of the language already, it stays as it is.

    Why it is wrong: The classifier gets no gradient, and stays what it was drawn as.

    How it shows: The loss is that of the language alone. The classes are right half the time.

    How to find it: Compare the loss with labels and without; or print the classifier's gradient.

    Other right fixes: A sum of both, wherever it is taken.
    """

    id = "class-loss-dropped"
    bug_class = "class-loss"
    stage = "classifier"
    difficulty = "easy"
    visibility = "invisible"
    provenance = ("measured",)
    hints = (
        "The classes are not learned at all.",
        "Compare the loss with labels and without.",
        "What becomes of the second loss where there is a first?",
    )
    killed_by = frozenset({"losses-given"})
    hides = frozenset({"class-of-targets", "class-of-the-last", "class-per-window"})
    forms = (
        Form(
            "first-alone",
            JOINED,
            without_classes,
            correct=READING,
            buggy=READING.replace(SUM, "loss = class_loss if loss is None else loss"),
        ),
    )
    untouched = OTHERS


class LanguageLossReplaced(Mutation):
    """The loss of the classes takes the place of the language's.

    What it does: With labels, the loss is that of the classes and nothing else.

    Why it is wrong: The language is not learned any more as soon as there is a classifier.

    How it shows: With a classifier the loss falls to nothing in no time, and the sample babbles.

    How to find it: Compare the loss of both with the sum of each alone.

    Other right fixes: A sum of both, wherever it is taken.
    """

    id = "language-loss-replaced"
    bug_class = "class-loss"
    stage = "classifier"
    difficulty = "easy"
    visibility = "invisible"
    provenance = ("measured",)
    hints = (
        "The classes are learned. And the language?",
        "Print the loss with targets, with labels, and with both.",
        "One of the two losses is overwritten.",
    )
    killed_by = frozenset({"losses-given"})
    hides = frozenset({"class-of-targets", "class-of-the-last", "class-per-window"})
    forms = (
        Form(
            "second-alone",
            assigned(JOINED),
            classes_alone,
            correct=READING,
            buggy=READING.replace(SUM, "loss = class_loss"),
        ),
    )
    untouched = OTHERS


class ClassLossSum(Mutation):
    """The loss of the classes is a sum over tokens, and no mean.

    What it does: Of the two losses one is a mean and the other a sum.

    Why it is wrong: Beside a sum over all tokens of a batch the language's mean counts for nothing,
    and the larger the batch, the less.

    How it shows: The loss begins in the hundreds. The classes are learned at once, and the language
    late or never.

    How to find it: Print both losses before the first step: that of two classes begins near 0.69.

    Other right fixes: reduction="mean", which is what cross_entropy does by itself.
    """

    id = "class-loss-sum"
    bug_class = "class-loss"
    stage = "classifier"
    difficulty = "easy"
    visibility = "invisible"
    provenance = ("measured",)
    hints = (
        "Which of the two losses is heard?",
        "What is the loss of two classes before anything is learned?",
        "Is it the loss of a token, or of all of them?",
    )
    killed_by = frozenset({"losses-given"})
    hides = frozenset({"class-of-targets", "class-of-the-last", "class-per-window"})
    forms = (
        Form(
            "sum",
            m.IndentedBlock(),
            summed,
            correct=READING,
            buggy=READING.replace(
                CLASS,
                wrapped("class_logits.flatten(0, 1)", "labels.flatten()", 'reduction="sum"'),
            ),
        ),
    )
    untouched = OTHERS


class ClassRowsMixed(Mutation):
    """Logits and labels of the classes are laid out in different orders.

    What it does: The logits are flattened position by position, and the labels row by row.

    Why it is wrong: Most logits meet the label of another token. The shapes fit, so that nothing
    complains.

    How it shows: The language is learned as before. The classes are right half the time.

    How to find it: Work out the loss of a single token by hand.

    Other right fixes: Flattening both alike; or cross_entropy with the classes on the second axis.
    """

    id = "class-rows-mixed"
    bug_class = "class-loss"
    stage = "classifier"
    difficulty = "medium"
    visibility = "invisible"
    provenance = ("measured",)
    hints = (
        "The classes are hardly learned.",
        "Work out the loss of one token by hand.",
        "Which label meets the second row of the flattened logits?",
    )
    killed_by = frozenset({"losses-given"})
    hides = frozenset({"class-of-targets", "class-of-the-last", "class-per-window"})
    forms = (
        Form(
            "turned",
            m.IndentedBlock(),
            mixed,
            correct=READING,
            buggy=READING.replace(
                CLASS,
                wrapped("class_logits.transpose(0, 1).flatten(0, 1)", "labels.flatten()"),
            ),
        ),
    )
    untouched = OTHERS
