"""The wrong rows of the table of positions are added."""

from collections.abc import Callable

import libcst as cst
import libcst.matchers as m

from bugforge.mutation import Form, Mutation, Rewritten

from ..patterns import find, render, swap
from .table import LENGTH, PLACED, SUMS, counted

CORRECT = "def forward(self, idx):\n    return self.tokens(idx) + self.table[: idx.size(1)]\n"


def buggy(added: str) -> str:
    """Write the example with other rows added."""
    return CORRECT.replace("self.table[: idx.size(1)]", added)


def placed(template: str) -> Callable[[cst.BinaryOperation], Rewritten]:
    """Make a mutation that adds something else: a template over table, length and tokens."""

    def mutate(place: cst.BinaryOperation) -> Rewritten:
        assert isinstance(place.right, cst.Subscript)
        assert isinstance(place.left, cst.Call)
        added = template.format(
            table=render(place.right.value),
            length=render(length_of(place)),
            tokens=render(place.left.args[0].value),
        )
        if isinstance(length_of(place), cst.Name):  # formatters set a plain bound closer
            added = added.replace(" :]", ":]")
        return swap(place, place.right, cst.parse_expression(added))

    return mutate


def rows(
    template: str, first: str, last: str
) -> Callable[[cst.BinaryOperation | cst.FunctionDef], Rewritten]:
    """Make a mutation of the rows that are added, of a table or by their numbers.

    template: as for `placed`. first, last: of the numbers, over the first and last that were, as
    texts.
    """

    def mutate(node: cst.BinaryOperation | cst.FunctionDef) -> Rewritten:
        if isinstance(node, cst.BinaryOperation):
            return placed(template)(node)
        call = counted(node)
        if call is None:
            return None
        bounds = [arg for arg in call.args if arg.keyword is None]
        if len(bounds) not in {1, 2}:
            return None
        begin, end = "0" if len(bounds) == 1 else render(bounds[0].value), render(bounds[-1].value)
        new = [
            cst.Arg(cst.parse_expression(text.format(begin=begin, end=end)))
            for text in (first, last)
        ]
        return swap(node, call, call.with_changes(args=[*new, *call.args[len(bounds) :]]))

    return mutate


def length_of(place: cst.BinaryOperation) -> cst.CSTNode:
    """Give the number of rows that are added."""
    return find(find(place.right, m.Slice())[0], LENGTH)[0]


class PeWrongAxis(Mutation):
    """Positions are counted along the batch.

    What it does: Each row of the batch gets one position, the same for all of its tokens: the
    table is read by the size of the batch.

    Why it is wrong: A token's position is its place in the row, not the row's place in the batch.

    How it shows: With more rows in the batch than there are positions, the first step stops over
    two sizes. With fewer it runs, as if there were no positions, and hardly anything shows.

    How to find it: Give the same row twice in a batch: both must get the same logits.

    Other right fixes: Take rows by the length of the input, idx.size(1), and broadcast over the
    batch.
    """

    id = "pe-wrong-axis"
    bug_class = "positions"
    stage = "embedding"
    difficulty = "easy"
    visibility = "crash"
    provenance = ("songyangco/GETNext#2",)
    hints = (
        "Each row of a batch should be treated as if it were alone.",
        "Put one row into a batch twice and compare its logits.",
        "Which size decides how many positions are taken?",
    )
    killed_by = frozenset({"batch-independence", "forward", "position", "runs"})
    forms = (
        Form(
            "broadcast",
            PLACED,
            placed("{table}[: {tokens}.size(0), None]"),
            correct=CORRECT,
            buggy=buggy("self.table[: idx.size(0), None]"),
        ),
    )
    untouched = SUMS


class PeBatchLength(Mutation):
    """As many positions are taken as the batch has rows.

    What it does: The table is cut by the wrong size of the input, the batch and not the time.

    Why it is wrong: The rows of the table belong to the tokens of a text, however many texts
    there are. A single text gets one row, the first, for all of its tokens.

    How it shows: A full window with at least as many rows in the batch trains rightly, as the
    whole table is taken; the sample, written alone, is nonsense. A smaller batch stops over two
    sizes.

    How to find it: Compare the logits of one row alone with those of the same row in a batch.

    Other right fixes: Cut by idx.size(1), or look the positions up by torch.arange.
    """

    id = "pe-batch-length"
    bug_class = "positions"
    stage = "embedding"
    difficulty = "medium"
    visibility = "decode"
    provenance = ("measured",)
    hints = (
        "It trains well and writes badly.",
        "Feed a row alone and as part of a batch, and batches of other sizes.",
        "One index of a size is wrong, where the input is embedded.",
    )
    killed_by = frozenset({"runs"})
    forms = (
        Form(
            "rows",
            PLACED,
            placed("{table}[: {tokens}.size(0)]"),
            correct=CORRECT,
            buggy=buggy("self.table[: idx.size(0)]"),
        ),
    )
    untouched = SUMS


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
            PLACED | m.FunctionDef(),
            rows("{table}[1 : {length} + 1]", "1", "{end} + 1"),
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
            PLACED,
            placed("{table}[{length} - 1]"),
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
            PLACED,
            placed("{table}[-{length} :]"),
            correct=CORRECT,
            buggy=buggy("self.table[-idx.size(1) :]"),
        ),
    )
    untouched = SUMS
