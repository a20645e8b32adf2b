"""The classifier reads what it should not, or teaches nothing."""

from collections.abc import Callable

import libcst as cst
import libcst.matchers as m

from bugforge.mutation import Form, Mutation, Rewritten

from ..patterns import LAYER_OF_NAME, find, render, swap
from .parts import OTHERS, READING, classifying

CLASSIFIED = "self.classifier(hidden)"


def before_the_norm(function: cst.FunctionDef) -> Rewritten:
    """Let it read what the last norm reads."""
    call = classifying(function)
    if call is None:
        return None
    read = call.args[0].value
    shape = m.Assign(targets=[m.AssignTarget(m.Name(render(read)))], value=LAYER_OF_NAME)
    for normed in find(function, shape):
        assert isinstance(normed, cst.Assign)
        assert isinstance(normed.value, cst.Call)
        return swap(function, read, normed.value.args[0].value)
    return None


def reading(template: str) -> Callable[[cst.FunctionDef], Rewritten]:
    """Make a mutation that lets it read something made from what it reads."""

    def mutate(function: cst.FunctionDef) -> Rewritten:
        call = classifying(function)
        if call is None:
            return None
        read = call.args[0].value
        return swap(function, read, cst.parse_expression(template.format(render(read))))

    return mutate


class ClassifierBeforeNorm(Mutation):
    """The classifier reads the stream before the last norm.

    What it does: The head reads the normalised stream, and the classifier the raw one.

    Why it is wrong: The stream grows from block to block, and differs in size from token to token.
    The small layer behind it is made for what the norm gives, as the head is.

    How it shows: It learns, less steadily; the classes come out right in the end.

    How to find it: Compare the inputs of both heads.

    Other right fixes: Reading what the head reads, by whatever name.
    """

    id = "classifier-before-norm"
    bug_class = "class-head"
    stage = "classifier"
    difficulty = "medium"
    visibility = "invisible"
    provenance = ("measured",)
    hints = (
        "Both heads should read the same.",
        "Print the spread of what each head reads.",
        "What stands between the last block and the head?",
    )
    killed_by = frozenset({"classes"})
    forms = (
        Form(
            "stream",
            m.FunctionDef(),
            before_the_norm,
            correct=READING,
            buggy=READING.replace(CLASSIFIED, "self.classifier(x)"),
        ),
    )
    untouched = OTHERS


class ClassifierMean(Mutation):
    """The classifier reads the mean of the window.

    What it does: What it reads is averaged over positions, and spread over them again.

    Why it is wrong: Every token of a row gets the same logits, though each has a class of its own;
    and those of an early token depend on later ones.

    How it shows: The language is learned as before. The classes are right half the time.

    How to find it: Print the logits of the classes of one row.

    Other right fixes: Reading the stream token by token.
    """

    id = "classifier-reads-mean"
    bug_class = "class-head"
    stage = "classifier"
    difficulty = "easy"
    visibility = "invisible"
    provenance = ("measured",)
    hints = (
        "The classes are hardly learned.",
        "Print the logits of the classes of one row.",
        "Is a row classified, or its tokens?",
    )
    killed_by = frozenset({"classes"})
    hides = frozenset({"class-of-the-last"})
    forms = (
        Form(
            "mean",
            m.FunctionDef(),
            reading("{0}.mean(dim=1, keepdim=True).expand_as({0})"),
            correct=READING,
            buggy=READING.replace(
                CLASSIFIED,
                "self.classifier(hidden.mean(dim=1, keepdim=True).expand_as(hidden))",
            ),
        ),
    )
    untouched = OTHERS


class ClassifierDetached(Mutation):
    """The loss of the classes teaches the classifier and nothing else.

    What it does: What the classifier reads is cut off from the gradients.

    Why it is wrong: The loss is meant to be joint: what is learned for one task serves the other.
    The stream never hears of the classes.

    How it shows: The language is learned as before. The classes are learned as far as a layer can
    that finds them in a stream made for something else.

    How to find it: Look at the gradients of the embedding behind a loss of labels alone.

    Other right fixes: Reading the stream itself.
    """

    id = "classifier-detached"
    bug_class = "class-head"
    stage = "classifier"
    difficulty = "hard"
    visibility = "invisible"
    provenance = ("measured",)
    hints = (
        "Whom does the loss of the classes teach?",
        "Give labels alone, and print which parameters have a gradient.",
        "Something on the way to the classifier lets no gradient back.",
    )
    killed_by = frozenset({"classes-teach"})
    forms = (
        Form(
            "detach",
            m.FunctionDef(),
            reading("{0}.detach()"),
            correct=READING,
            buggy=READING.replace(CLASSIFIED, "self.classifier(hidden.detach())"),
        ),
    )
    untouched = OTHERS
