"""The table of positions is read by something else than the places of tokens in their row."""

import libcst as cst
import libcst.matchers as m

from bugforge.mutation import Form, Mutation, Rewritten

from .place import CORRECT, place, placed
from .table import SUMS


def by_token(lines: cst.IndentedBlock) -> Rewritten:
    """Look the tokens up in the table of positions."""
    found = place(lines)
    if found is None:
        return None
    lookup = "{table}[{tokens}]" if found.counted is None else "{table}({tokens})"
    return found.uncounted(found.adding(lookup))


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
            m.IndentedBlock(),
            placed("{table}[: {rows}, None]", "{library}.arange({rows}{options})[:, None]"),
            correct=CORRECT,
            buggy=CORRECT.replace("size(1)", "size(0), None"),
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
            m.IndentedBlock(),
            placed("{table}[: {rows}]", "{library}.arange({rows}{options})"),
            correct=CORRECT,
            buggy=CORRECT.replace("size(1)", "size(0)"),
        ),
    )
    untouched = SUMS


class PeIndexedByToken(Mutation):
    """The table of positions is read by token.

    What it does: The tokens themselves are looked up in the table of positions, as they are in
    the table of tokens.

    Why it is wrong: The same token gets the same vector wherever it stands: a second embedding of
    tokens, and none of positions. And there are as many rows as positions, not as tokens.

    How it shows: A text of more different characters than there are positions stops at an index
    out of range. Any other text runs, and hardly anything shows: the causal mask tells a small
    model enough about order.

    How to find it: Feed a row of equal tokens: with positions the rows of logits differ, here they
    are all the same.

    Other right fixes: The first T rows of the table, or a lookup by torch.arange(T).
    """

    id = "pe-indexed-by-token"
    bug_class = "positions"
    stage = "embedding"
    difficulty = "medium"
    visibility = "invisible"
    provenance = ("measured",)
    hints = (
        "Does every text run, whatever characters it is made of?",
        "Feed the same token everywhere and compare the rows of logits.",
        "What is each of the two tables indexed by?",
    )
    killed_by = frozenset({"forward", "position"})
    forms = (
        Form(
            "tokens",
            m.IndentedBlock(),
            by_token,
            correct=CORRECT,
            buggy=CORRECT.replace("[: idx.size(1)]", "[idx]"),
        ),
    )
    untouched = SUMS
