"""Tokens and positions come together in the wrong way, or not at all."""

from collections.abc import Callable

import libcst as cst
import libcst.matchers as m

from bugforge.mutation import Form, Mutation, Rewritten

from ..patterns import assigned, find, line, render, swap, with_lines
from .table import PLACED, SUMS, place_of

CORRECT = "def forward(self, idx):\n    return self.tokens(idx) + self.table[: idx.size(1)]\n"


def multiplied(place: cst.BinaryOperation) -> cst.BaseExpression:
    """Multiply where the two are added."""
    return place.with_changes(operator=cst.Multiply())


def unplaced(place: cst.BinaryOperation) -> cst.BaseExpression:
    """Leave the tokens alone."""
    return place.left.with_changes(lpar=place.lpar, rpar=place.rpar)


def in_sum(
    change: Callable[[cst.BinaryOperation], cst.BaseExpression],
) -> Callable[[cst.FunctionDef], Rewritten]:
    """Make a mutation of the sum of tokens and positions, the first of a function."""

    def mutate(function: cst.FunctionDef) -> Rewritten:
        place = place_of(function)
        return None if place is None else swap(function, place, change(place))

    return mutate


def placed_late(block: cst.IndentedBlock) -> Rewritten:
    """Add the positions behind the loop over the blocks."""
    for i, statement in enumerate(block.body[:-1]):
        if m.matches(statement, line(assigned(PLACED))) and isinstance(block.body[i + 1], cst.For):
            assert isinstance(statement, cst.SimpleStatementLine)
            assign, place = statement.body[0], find(statement, PLACED)[0]
            assert isinstance(assign, cst.Assign)
            assert isinstance(place, cst.BinaryOperation)
            name = render(assign.targets[0].target)
            early = swap(statement, place, place.left)
            late = cst.parse_statement(f"{name} += {render(place.right)}")
            return with_lines(block, i, i + 2, [early, block.body[i + 1], late])
    return None


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
            m.FunctionDef(),
            in_sum(multiplied),
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
            m.FunctionDef(),
            in_sum(unplaced),
            correct=CORRECT,
            buggy="def forward(self, idx):\n    return self.tokens(idx)\n",
        ),
    )
    untouched = SUMS


class PeAddedLate(Mutation):
    """Positions are added behind the blocks instead of before them.

    What it does: The blocks see tokens without positions; these are added just before the head.

    Why it is wrong: Attention cannot use what it never sees, and order only enters where nothing
    can be compared any more.

    How it shows: Not in loss or sample: the causal mask alone tells a small model enough.

    How to find it: Take the gradient of the first block's attention scores with respect to the
    table: it is zero.

    Other right fixes: Add positions to the tokens before the first block.
    """

    id = "pe-added-late"
    bug_class = "positions"
    stage = "embedding"
    difficulty = "hard"
    visibility = "invisible"
    provenance = ("measured",)
    hints = (
        "The curves will not tell.",
        "What does the first block know about where a token stands?",
        "Follow the forward pass and note when each embedding comes in.",
    )
    killed_by = frozenset({"forward"})
    forms = (
        Form(
            "behind-blocks",
            m.IndentedBlock(),
            placed_late,
            correct=(
                "def forward(self, idx):\n"
                "    x = self.tokens(idx) + self.table[: idx.size(1)]\n"
                "    for block in self.blocks:\n"
                "        x = block(x)\n"
                "    return self.head(x)\n"
            ),
            buggy=(
                "def forward(self, idx):\n"
                "    x = self.tokens(idx)\n"
                "    for block in self.blocks:\n"
                "        x = block(x)\n"
                "    x += self.table[: idx.size(1)]\n"
                "    return self.head(x)\n"
            ),
        ),
    )
    untouched = (*SUMS, CORRECT)
