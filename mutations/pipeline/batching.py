"""Bugs of batches."""

import libcst.matchers as m

from bugforge.mutation import Mutation

from .exchange import exchange


class LabelsApart(Mutation):
    """Labels are in another order than rows.

    What it does: They are taken from the end.

    Why it is wrong: Each row is taught the label of another, so that labels have nothing to do
    with rows.

    How it shows: The loss of the classes stays where chance is; that of tokens falls.

    How to find it: Print one batch and answer its rows by hand.

    Other right fixes: One order for both.
    """

    id = "row-labels-reversed"
    bug_class = "batching"
    stage = "data"
    difficulty = "medium"
    visibility = "flat"
    provenance = ("report",)
    hints = (
        "Can the labels be had from the rows at all?",
        "Answer the rows of one batch yourself.",
        "In which order do labels come, and in which rows?",
    )
    killed_by = frozenset({"batch-labels"})
    forms = (
        exchange(
            "reversed",
            "torch.tensor([any_l for any_t, any_l in any_r])",
            "torch.tensor([any_l for any_t, any_l in reversed(any_r)])",
        ),
    )
    untouched = ("y = torch.tensor([n for n in r])\n",)


class LengthsShort(Mutation):
    """Lengths leave the last token out.

    What it does: A row is told to be one shorter than it is.

    Why it is wrong: Its last token is the question. The class is read before it.

    How it shows: Accuracy stays near one third.

    How to find it: Compare a batch with the rows that it was made of.

    Other right fixes: As many as there are tokens.
    """

    id = "row-lengths-short"
    bug_class = "batching"
    stage = "data"
    difficulty = "medium"
    visibility = "flat"
    provenance = ("measured",)
    hints = (
        "Is all of a row read?",
        "Print a batch of one row.",
        "What is counted?",
    )
    killed_by = frozenset({"batch-padding"})
    forms = (
        exchange(
            "one less",
            "torch.tensor([len(any_t) for any_t, any_l in any_r])",
            "torch.tensor([len(any_t) - 1 for any_t, any_l in any_r])",
        ),
    )
    untouched = ("n = torch.tensor([len(t) for t in r])\n",)


class LastLost(Mutation):
    """The last, short batch is lost.

    What it does: Batches end where a whole one does not fit any more.

    Why it is wrong: Up to a batch of rows is left out of each epoch; and the steps that the
    schedule counts with are more than are taken.

    How it shows: Nothing shows where rows fill their batches.

    How to find it: Count the rows of an epoch.

    Other right fixes: Every start below the number of rows.
    """

    id = "row-last-batch-lost"
    bug_class = "batching"
    stage = "data"
    difficulty = "hard"
    visibility = "invisible"
    provenance = ("measured",)
    hints = (
        "Is every row learned?",
        "Count the rows of one epoch, with sizes that do not divide them.",
        "Where does the range end?",
    )
    killed_by = frozenset({"batches-whole"})
    forms = (
        exchange(
            "whole ones only",
            "range(0, len(any_r), any_s)",
            "range(0, len(any_r) - any_s + 1, any_s)",
            around="def batches(r, s):\n    for i in ...:\n        yield r[i : i + s]\n",
            inside=m.Yield(),
        ),
    )
    untouched = ("for i in range(0, len(r), s):\n    use(i)\n",)
