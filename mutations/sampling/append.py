"""The next token is taken, or put, along the wrong axis or on the wrong side."""

import libcst as cst
import libcst.matchers as m

from bugforge.mutation import Form, Mutation, Rewritten

from ..patterns import MINUS_ONE, find, root, swap
from .parts import PICKING

APPENDING = m.Call(func=m.Attribute(attr=m.Name("cat") | m.Name("hstack")))
"""Tokens put side by side: torch.cat((idx, next_idx), dim=1)."""

LIKELIEST = m.Call(
    func=m.Attribute(attr=m.Name("argmax")),
    args=[m.ZeroOrMore(), m.Arg(MINUS_ONE), m.ZeroOrMore()],
)
"""The likeliest token: logits.argmax(dim=-1, keepdim=True)."""

TWO_NAMES = [m.Element(m.Name()), m.Element(m.Name())]

GROWING = m.Assign(
    targets=[m.AssignTarget(m.Name())],
    value=m.Call(
        func=m.Attribute(attr=m.Name("cat") | m.Name("hstack")),
        args=[m.Arg(m.Tuple(TWO_NAMES) | m.List(TWO_NAMES)), m.ZeroOrMore()],
    ),
)
"""A text that grows: idx = torch.cat((idx, next_idx), dim=1)."""

CORRECT = """def generate(self, idx, n):
    for _ in range(n):
        logits = self(idx)[:, -1]
        next_idx = logits.argmax(dim=-1, keepdim=True)
        idx = torch.cat((idx, next_idx), dim=1)
    return idx
"""


def over_rows(argmax: cst.Call) -> Rewritten:
    """Take the largest along the batch."""
    return swap(argmax, find(argmax, MINUS_ONE)[-1], cst.Integer("0"))


def in_front(growing: cst.Assign) -> Rewritten:
    """Put what is new before what was there."""
    pair = find(growing, m.Tuple(TWO_NAMES) | m.List(TWO_NAMES))[0]
    assert isinstance(pair, cst.Tuple | cst.List)
    first, second = pair.elements
    if root(first.value) != root(growing.targets[0].target):
        return None
    turned = [first.with_changes(value=second.value), second.with_changes(value=first.value)]
    return swap(growing, pair, pair.with_changes(elements=turned))


class GenArgmaxAxis(Mutation):
    """The likeliest token is looked for along the batch.

    What it does: argmax runs over axis 0: for each token of the vocabulary it tells in which row
    that token is likeliest.

    Why it is wrong: Axis 0 counts texts, not tokens. What comes out is the number of a row, once
    for each token of the vocabulary; for a single text it is always 0.

    How it shows: The loss is right; behind the prompt the sample is the vocabulary's first
    character over and over, far more often than was asked for. Several texts at once stop it with
    a complaint about sizes.

    How to find it: Print the shape of the new token: it should be (B, 1).

    Other right fixes: argmax over the last axis of the logits (B, V), with the axis kept or put
    back.
    """

    id = "gen-argmax-axis"
    bug_class = "typo"
    stage = "sampling"
    difficulty = "medium"
    visibility = "decode"
    provenance = ("DSE-MSU/DeepRobust#70", "lisa-lab/DeepLearningTutorials#15")
    hints = (
        "It learns, and it cannot write.",
        "Generate for two prompts at once.",
        "The logits have two axes. Along which of them do tokens compete?",
    )
    killed_by = frozenset({"runs"})
    forms = (
        Form(
            "rows",
            LIKELIEST,
            over_rows,
            correct=CORRECT,
            buggy=CORRECT.replace("argmax(dim=-1", "argmax(dim=0"),
            inside=APPENDING,
        ),
    )
    untouched = (
        "right = logits.argmax(dim=-1) == targets\n",
        CORRECT.replace("dim=-1, keepdim=True", "1, keepdim=True"),
    )


class GenPrependToken(Mutation):
    """The new token is put in front of the text.

    What it does: What was there is appended to what is new.

    Why it is wrong: The next token belongs behind the last one. In front it moves the whole text
    on by one place, and the last token, by which the next is predicted, stays the same for ever.

    How it shows: The loss is right; the sample ends with the prompt and begins with nonsense.

    How to find it: Generate one token and look where it stands.

    Other right fixes: torch.cat((idx, new), dim=1), hstack, or a tensor of the final length that
    is filled from the left.
    """

    id = "gen-prepend-token"
    bug_class = "typo"
    stage = "sampling"
    difficulty = "easy"
    visibility = "decode"
    provenance = ("measured",)
    hints = (
        "Where in the sample is the prompt?",
        "Generate a single token, and look where it stands.",
        "In which order are the text and its new token put together?",
    )
    killed_by = frozenset({"greedy"})
    forms = (
        Form(
            "in-front",
            GROWING,
            in_front,
            correct=CORRECT,
            buggy=CORRECT.replace("(idx, next_idx)", "(next_idx, idx)"),
            inside=PICKING,
        ),
    )
    untouched = (
        "keys = torch.cat((keys, new), dim=1)\n",
        CORRECT.replace("(idx, next_idx)", "(bos, idx)"),
    )
