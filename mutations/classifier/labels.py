"""Tokens are taught classes that are not theirs."""

import libcst as cst
import libcst.matchers as m

from bugforge.mutation import Form, Mutation, Rewritten

from ..patterns import find, line, render, swap
from .parts import LABELLED, OTHERS, STEPPING

BATCH = line(m.Assign(targets=[m.AssignTarget(m.Tuple([m.Element(), m.Element()]))]))
"""Inputs and targets of a batch."""


def _asked(labelled: cst.IfExp) -> tuple[cst.BinaryOperation, str]:
    """Give what says which tokens are odd, and the name of the tokens."""
    odd = labelled.body
    assert isinstance(odd, cst.BinaryOperation)
    return odd, render(odd.left)


def of_the_next(block: cst.IndentedBlock) -> Rewritten:
    """Take the classes of the targets."""
    labelled = find(block, LABELLED)
    batches = [statement for statement in block.body if m.matches(statement, BATCH)]
    if len(labelled) != 1 or len(batches) != 1:
        return None
    assert isinstance(labelled[0], cst.IfExp)
    odd, tokens = _asked(labelled[0])
    inputs, targets = (render(name) for name in find(batches[0], m.Name())[:2])
    if inputs != tokens:
        return None
    return swap(block, odd.left, cst.Name(targets))


def of_the_first(labelled: cst.IfExp) -> Rewritten:
    """Give all tokens of a row the class of its first."""
    odd, tokens = _asked(labelled)
    spread = cst.parse_expression(f"({render(odd)})[:, :1].expand_as({tokens})")
    return labelled.with_changes(body=spread)


def of_the_last(labelled: cst.IfExp) -> Rewritten:
    """Give each token the class of the one before it."""
    odd, tokens = _asked(labelled)
    return swap(labelled, odd.left, cst.parse_expression(f"{tokens}.roll(1, dims=1)"))


class ClassOfTargets(Mutation):
    """Tokens are taught the class of the token that follows.

    What it does: The labels are made from the targets and not from the inputs.

    Why it is wrong: The question is whether a token itself is odd. Whether the next one is can only
    be guessed, as well as the next one can.

    How it shows: The loss falls, a little less far. On text that was learned the classes seem right
    for the next token; on rows never seen they are right half the time.

    How to find it: Print tokens and labels side by side.

    Other right fixes: inputs % 2, inputs & 1.
    """

    id = "class-of-targets"
    bug_class = "class-labels"
    stage = "classifier"
    difficulty = "medium"
    visibility = "invisible"
    provenance = ("measured",)
    hints = (
        "The classifier learns something. What?",
        "Print a row of tokens, and the labels that belong to it.",
        "Of which tokens are these the classes?",
    )
    killed_by = frozenset({"joint-loss"})
    forms = (
        Form(
            "targets",
            m.IndentedBlock(),
            of_the_next,
            correct=STEPPING,
            buggy=STEPPING.replace("labels = inputs % 2", "labels = targets % 2"),
        ),
    )
    untouched = (*OTHERS, STEPPING.replace("inputs % 2", "others % 2"))


class ClassPerWindow(Mutation):
    """All tokens of a window are taught the class of its first.

    What it does: The class of the first token is spread over the row, as if a row had one class.

    Why it is wrong: Each token has a class of its own. What the labels say of most is chance.

    How it shows: The language is learned as before. The loss of the classes falls slowly, and on
    rows never seen they are right half the time.

    How to find it: Print a row of tokens with its labels.

    Other right fixes: One label for each token: inputs % 2.
    """

    id = "class-per-window"
    bug_class = "class-labels"
    stage = "classifier"
    difficulty = "easy"
    visibility = "invisible"
    provenance = ("measured",)
    hints = (
        "The classes are hardly learned.",
        "How many labels of a row differ?",
        "Does a class belong to a token, or to a row?",
    )
    killed_by = frozenset({"joint-loss"})
    forms = (
        Form(
            "first",
            LABELLED,
            of_the_first,
            correct=STEPPING,
            buggy=STEPPING.replace(
                "labels = inputs % 2", "labels = (inputs % 2)[:, :1].expand_as(inputs)"
            ),
        ),
    )
    untouched = OTHERS


class ClassOfTheLast(Mutation):
    """Each token is taught the class of the token before it.

    What it does: The tokens are rolled one place on before their classes are taken.

    Why it is wrong: A token's class is its own. The first token of a row even gets that of the
    last.

    How it shows: The language is learned as before, and the classes of the window, too, since the
    token before can be seen. On rows never seen they are right half the time.

    How to find it: Print tokens and labels side by side.

    Other right fixes: inputs % 2, with no shift: nothing is predicted here.
    """

    id = "class-of-the-last"
    bug_class = "class-labels"
    stage = "classifier"
    difficulty = "medium"
    visibility = "invisible"
    provenance = ("measured",)
    hints = (
        "The classes are learned, and wrong.",
        "Print tokens and labels side by side.",
        "Must labels be shifted where nothing is predicted?",
    )
    killed_by = frozenset({"joint-loss"})
    forms = (
        Form(
            "rolled",
            LABELLED,
            of_the_last,
            correct=STEPPING,
            buggy=STEPPING.replace("labels = inputs % 2", "labels = inputs.roll(1, dims=1) % 2"),
        ),
    )
    untouched = OTHERS
