"""Generation reads the logits of the wrong position."""

from collections.abc import Callable

import libcst as cst
import libcst.matchers as m

from bugforge.mutation import Form, Mutation, Rewritten

from ..patterns import ALL, MINUS_ONE, assigned, find, line, retold, swap, told_shape
from .parts import PICKING

LAST = m.Subscript(
    value=m.Name(),
    slice=[ALL, m.SubscriptElement(m.Index(MINUS_ONE)), m.ZeroOrMore(ALL)],
)
"""The last position: logits[:, -1, :]."""

PICKED = LAST | m.BinaryOperation(left=LAST, operator=m.Divide())
"""The last position, perhaps divided at once: logits[:, -1, :] / temperature."""

PICK = "next_idx = logits.argmax(dim=-1, keepdim=True)\n"


def at(position: str) -> Callable[[cst.SimpleStatementLine], Rewritten]:
    """Make a mutation that reads another position, and whose comment does not deny it."""

    def mutate(statement: cst.SimpleStatementLine) -> Rewritten:
        index = find(statement, MINUS_ONE)[0]
        mutant = swap(statement, index, cst.parse_expression(position))
        return retold(mutant, told_shape(statement))

    return mutate


class GenWrongPosition(Mutation):
    """Generation takes the next token from the wrong position.

    What it does: The logits of the second-last or of the first position are read, where those of
    the last were meant.

    Why it is wrong: Only the last position predicts the token that comes next. The second-last
    predicts the last token of the prompt once more, the first one always the same.

    How it shows: The loss is perfect, and the sample goes wrong with the first new character. A
    prompt of a single token may even stop it.

    How to find it: Call the model on the prompt, take the likeliest token at the last position by
    hand and compare.

    Other right fixes: Index -1 along the time, before or after the softmax.
    """

    id = "gen-wrong-position"
    bug_class = "typo"
    stage = "sampling"
    difficulty = "medium"
    visibility = "decode"
    provenance = ("rasbt/LLMs-from-scratch#990", "huggingface/transformers#3021")
    hints = (
        "Training is innocent.",
        "Predict one token by hand and compare it with what is written.",
        "Each position predicts a token. Which one is new?",
    )
    killed_by = frozenset({"runs"})
    forms = (
        Form(
            "second-last",
            line(assigned(PICKED)),
            at("-2"),
            correct=f"logits = logits[:, -1, :]  # (B, V): the last one\n{PICK}",
            buggy=f"logits = logits[:, -2, :]  # (B, V)\n{PICK}",
            inside=PICKING,
        ),
        Form(
            "first",
            line(assigned(PICKED)),
            at("0"),
            correct=f"logits = logits[:, -1, :]\n{PICK}",
            buggy=f"logits = logits[:, 0, :]\n{PICK}",
            inside=PICKING,
            killed_by=frozenset({"greedy"}),
        ),
    )
    untouched = ("pooled = hidden[:, -1, :]\n", f"kept = kept[:, [-1]]\n{PICK}")
