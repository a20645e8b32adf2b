"""The wrong rows of the table of positions are added."""

import libcst.matchers as m

from bugforge.mutation import Form, Mutation

from .place import CORRECT, placed
from .table import SUMS


def buggy(added: str) -> str:
    """Write the example with other rows added."""
    return CORRECT.replace("self.table[: idx.size(1)]", added)


class PeOffByOne(Mutation):
    """Positions are counted from one.

    What it does: Rows 1 to T of the table are added, where rows 0 to T - 1 were meant.

    Why it is wrong: The first row is never used, and a full window needs one row more than there
    is.

    How it shows: A full window stops with sizes that differ by one; shorter inputs run.

    How to find it: The message says that block_size and block_size - 1 do not fit together.

    Other right fixes: Take rows 0 to T - 1. A table with one row more would only hide the slip.
    """

    id = "pe-off-by-one"
    bug_class = "positions"
    stage = "embedding"
    difficulty = "easy"
    visibility = "crash"
    provenance = ("measured",)
    hints = (
        "The message has two sizes that are neighbours.",
        "Does a shorter window run?",
        "With which number does counting begin?",
    )
    killed_by = frozenset({"runs"})
    forms = (
        Form(
            "from-one",
            m.IndentedBlock(),
            placed("{table}[1 : {length} + 1]", "{library}.arange(1, {length} + 1{options})"),
            correct=CORRECT,
            buggy=buggy("self.table[1 : idx.size(1) + 1]"),
        ),
    )
    untouched = SUMS


class PeOnePositionForAll(Mutation):
    """All tokens get the position of the last one.

    What it does: One row of the table, that of the last position, is added to every token.

    Why it is wrong: Tokens are not told apart by position, and the same token gets another vector
    whenever the input grows.

    How it shows: Training on full windows goes well; when the sample grows from a short prompt,
    every step uses a row that training hardly touched.

    How to find it: The logits of a prefix must not depend on what follows: compare the model on a
    text and on its beginning.

    Other right fixes: The first T rows, one for each token.
    """

    id = "pe-one-position-for-all"
    bug_class = "positions"
    stage = "embedding"
    difficulty = "medium"
    visibility = "decode"
    provenance = ("measured",)
    hints = (
        "It trains well and writes badly.",
        "Compare the logits of a prefix alone with those of the same prefix in a longer text.",
        "How many rows of the table does a text of ten tokens use?",
    )
    killed_by = frozenset({"forward", "position", "prefix-consistency"})
    forms = (
        Form(
            "last",
            m.IndentedBlock(),
            placed("{table}[{length} - 1]", "{library}.tensor({length} - 1{options})"),
            correct=CORRECT,
            buggy=buggy("self.table[idx.size(1) - 1]"),
        ),
    )
    untouched = SUMS


class PeFromTheEnd(Mutation):
    """Positions are taken from the end of the table.

    What it does: The last T rows are added instead of the first T.

    Why it is wrong: What position a token has then depends on how much text follows it, up to the
    block size.

    How it shows: Full windows use the whole table, so training is in order; a short prompt gets
    positions that it never had in training, and the sample goes wrong.

    How to find it: Compare the logits of a prefix with those of the same tokens in a full window.

    Other right fixes: The first T rows, or a lookup by torch.arange(T).
    """

    id = "pe-from-the-end"
    bug_class = "positions"
    stage = "embedding"
    difficulty = "medium"
    visibility = "decode"
    provenance = ("measured",)
    hints = (
        "The loss is right to the last digit and the sample is not.",
        "Compare a short input with the beginning of a full one.",
        "Which position has the first token of a short prompt?",
    )
    killed_by = frozenset({"forward", "prefix-consistency"})
    forms = (
        Form(
            "last-rows",
            m.IndentedBlock(),
            placed("{table}[-{length} :]"),
            correct=CORRECT,
            buggy=buggy("self.table[-idx.size(1) :]"),
        ),
    )
    untouched = SUMS
