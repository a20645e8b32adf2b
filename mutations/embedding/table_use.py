"""Tokens and positions come together in the wrong way, or not at all."""

import libcst as cst
import libcst.matchers as m

from bugforge.mutation import Form, Mutation, Rewritten

from .place import CORRECT, place
from .table import SUMS


def multiplied(lines: cst.IndentedBlock) -> Rewritten:
    """Multiply where the two are added."""
    found = place(lines)
    if found is None:
        return None
    return found.with_total(found.total.with_changes(operator=cst.Multiply()))


def unplaced(lines: cst.IndentedBlock) -> Rewritten:
    """Leave the tokens alone."""
    found = place(lines)
    return None if found is None else found.uncounted(found.total.left)


class PeMultiplied(Mutation):
    """Tokens are multiplied by their positions.

    What it does: A times sign stands between token and position embeddings.

    Why it is wrong: Both are small numbers around zero. Their product is tiny and has no part
    left that is the token alone or the position alone.

    How it shows: The loss comes down more slowly at the beginning. By the end it has caught up or
    nearly so, and the sample is right.

    How to find it: Subtract the token embedding from what enters the first block: the rest must
    not depend on the token.

    Other right fixes: Add the two, in any order, broadcast over the batch.
    """

    id = "pe-multiplied"
    bug_class = "positions"
    stage = "embedding"
    difficulty = "hard"
    visibility = "invisible"
    provenance = ("report",)
    hints = (
        "It learns more slowly than it should, from the very start.",
        "Look at the size of what enters the first block.",
        "How do a token and its position become one vector?",
    )
    killed_by = frozenset({"forward"})
    forms = (
        Form(
            "times",
            m.IndentedBlock(),
            multiplied,
            correct=CORRECT,
            buggy=CORRECT.replace("+ self", "* self"),
        ),
    )
    untouched = SUMS


class PeMissing(Mutation):
    """Positions are never added to the tokens.

    What it does: The table of positions exists, and the blocks see the tokens alone.

    Why it is wrong: Attention adds up what it finds without regard to order; only the causal mask
    is left to betray where a token stands.

    How it shows: Almost not: the mask is enough for a small model to end a little above the right
    loss, with the right sample.

    How to find it: Feed a row of equal tokens: with positions the rows of logits differ, without
    them they are all the same.

    Other right fixes: Add the rows of the table for positions 0 to T - 1 to the tokens.
    """

    id = "pe-missing"
    bug_class = "positions"
    stage = "embedding"
    difficulty = "hard"
    visibility = "invisible"
    provenance = ("guocheng2025/Transformer-Encoder#1", "iacobo/continual#16")
    hints = (
        "Loss and sample are nearly right; ask the parameters.",
        "Feed the same token everywhere and compare the rows of logits.",
        "A learned table has no part in the forward pass.",
    )
    killed_by = frozenset({"forward", "moves", "position"})
    forms = (
        Form(
            "tokens-alone",
            m.IndentedBlock(),
            unplaced,
            correct=CORRECT,
            buggy="def forward(self, idx):\n    return self.tokens(idx)\n",
        ),
    )
    untouched = SUMS
