"""Rows are read where their class is not known."""

from bugforge.mutation import Mutation

from .exchange import exchange


class LastOfBatch(Mutation):
    """Rows are read at the end of their batch.

    What it does: The class is read from the last column, whatever a row's length.

    Why it is wrong: For all but the longest rows that is padding, many places behind the question.

    How it shows: It learns less well, and a row is classified otherwise in another batch.

    How to find it: Classify a row alone and in a batch with a longer one.

    Other right fixes: The place `length - 1` of each row, however it is taken.
    """

    id = "row-read-at-end-of-batch"
    bug_class = "row-reading"
    stage = "classifier"
    difficulty = "medium"
    visibility = "plateau"
    provenance = ("report",)
    hints = (
        "Does a row's class depend on the rows beside it?",
        "Classify a short row alone, and beside a long one.",
        "From which place is the class read?",
    )
    killed_by = frozenset({"padding-unread"})
    forms = (
        exchange(
            "last column",
            "any_x[torch.arange(any_b), any_l - 1]",
            "any_x[torch.arange(any_b), -1]",
        ),
    )
    untouched = ("y = x[torch.arange(b), i]\n",)


class BeforeLast(Mutation):
    """The class is read before the question.

    What it does: It is read one place too early.

    Why it is wrong: That place has not read which key is asked for, as attention is causal.

    How it shows: Accuracy stays near one third; the loss of next tokens falls as it should.

    How to find it: Change the question: the logits of the class must move.

    Other right fixes: The place `length - 1`.
    """

    id = "row-read-before-question"
    bug_class = "row-reading"
    stage = "classifier"
    difficulty = "hard"
    visibility = "flat"
    provenance = ("measured",)
    hints = (
        "Can the class be known where it is read?",
        "Change a row's last token, and see whether its class moves.",
        "Count: a row of five tokens ends at which index?",
    )
    killed_by = frozenset({"row-logits"})
    forms = (
        exchange(
            "minus two",
            "any_x[torch.arange(any_b), any_l - 1]",
            "any_x[torch.arange(any_b), any_l - 2]",
        ),
    )
    untouched = ("y = x[torch.arange(b), i]\n",)
