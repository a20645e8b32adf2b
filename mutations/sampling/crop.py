"""Generation gives the model the wrong part of the text."""

import libcst as cst
import libcst.matchers as m

from bugforge.mutation import Form, Mutation, Rewritten

from ..patterns import assigned, find, line, render, root, swap, uses, with_lines, without_idle
from .parts import NEWEST, PICKING

CORRECT = """def generate(self, idx, n):
    for _ in range(n):
        context = idx[:, -self.length :]
        logits = self(context)
        idx = torch.cat((idx, logits[:, -1].argmax(-1, keepdim=True)), dim=1)
    return idx
"""
OTHERS = (
    "def recent(prices, n):\n    window = prices[:, -n:]\n    return window.mean(dim=1)\n",
    "def choose(logits):\n    logits = logits[:, -1]\n    return logits.argmax(-1)\n",
)


CROPPED = assigned(NEWEST | m.IfExp(body=m.Name(), orelse=NEWEST))
"""The newest tokens, or all of them where they are few."""


def size_of(newest: cst.Subscript) -> cst.BaseExpression:
    """Give how many of the newest tokens are taken."""
    lower = find(newest.slice[1], m.UnaryOperation())[0]
    assert isinstance(lower, cst.UnaryOperation)
    return lower.expression


def oldest(newest: cst.Subscript) -> Rewritten:
    """Take as many from the beginning."""
    size = size_of(newest)
    space = "" if isinstance(size, cst.Name | cst.Integer) else " "
    return cst.parse_expression(f"{render(newest.value)}[:, :{space}{render(size)}]")


def last_alone(newest: cst.Subscript) -> Rewritten:
    """Take the last token and nothing before it."""
    return cst.parse_expression(f"{render(newest.value)}[:, -1:]")


def whole(block: cst.IndentedBlock) -> Rewritten:
    """Give the model everything, without a name for a part."""
    for i, (cropping, reading) in enumerate(zip(block.body, block.body[1:], strict=False)):
        if not m.matches(cropping, line(CROPPED)):
            continue
        part = find(cropping, m.AssignTarget())[0]
        assert isinstance(part, cst.AssignTarget)
        name = root(part.target)
        reads = find(reading, m.Name(name))
        newest = find(cropping, NEWEST)[0]
        assert isinstance(newest, cst.Subscript)
        if len(reads) != 1 or uses(block, name) != 1 or name == root(newest):
            return None
        read = [swap(reading, reads[0], cst.Name(root(newest)))]
        return without_idle(with_lines(block, i, i + 2, read), render(size_of(newest)))
    return None


class GenCropWrongEnd(Mutation):
    """Generation keeps the oldest tokens when the text grows too long.

    What it does: The model is given the first block_size tokens instead of the last.

    Why it is wrong: Once the text is longer than that, the model always reads the same beginning
    and always gives the same next token.

    How it shows: The loss is right and the sample starts right; then one character is repeated to
    the end.

    How to find it: Sample further than block_size and look where it goes wrong.

    Other right fixes: The last block_size tokens.
    """

    id = "gen-crop-wrong-end"
    bug_class = "typo"
    stage = "sampling"
    difficulty = "medium"
    visibility = "decode"
    provenance = ("kohjingyu/gill#4",)
    hints = (
        "It begins well.",
        "How many characters are right, and does that number remind you of a setting?",
        "Which part of a long text does the model still see?",
    )
    killed_by = frozenset({"greedy"})
    forms = (
        Form(
            "oldest",
            NEWEST,
            oldest,
            correct=CORRECT,
            buggy=CORRECT.replace("[:, -self.length :]", "[:, : self.length]"),
            inside=PICKING,
        ),
    )
    untouched = OTHERS


class GenCtxOneToken(Mutation):
    """Generation shows the model the last token only.

    What it does: Each new token is predicted from a text of one token.

    Why it is wrong: That is right with a cache of what came before. Without one the model forgets
    everything at each step, and its position is always 0.

    How it shows: The loss is right; the sample is made of likely pairs of letters.

    How to find it: Print the shape of what the model is given while it writes.

    Other right fixes: Give it the last block_size tokens, or one token together with a cache.
    """

    id = "gen-ctx-one-token"
    bug_class = "typo"
    stage = "sampling"
    difficulty = "medium"
    visibility = "decode"
    provenance = ("measured",)
    hints = (
        "It can predict and cannot write.",
        "Write one token by hand, with the whole prompt, and compare.",
        "How much of the text does the model see while it writes?",
    )
    killed_by = frozenset({"greedy"})
    forms = (
        Form(
            "last",
            NEWEST,
            last_alone,
            correct=CORRECT,
            buggy=CORRECT.replace("-self.length :", "-1:"),
            inside=PICKING,
        ),
    )
    untouched = OTHERS


class GenNoCrop(Mutation):
    """Generation never shortens the text that the model reads.

    What it does: The whole text is given to the model, however long it has become.

    Why it is wrong: The model has positions and a mask for block_size tokens and no more.

    How it shows: Short samples are right; a longer one stops with a complaint about sizes.

    How to find it: The two sizes in the message are block_size and one more.

    Other right fixes: Give the model the last block_size tokens at most.
    """

    id = "gen-no-crop"
    bug_class = "typo"
    stage = "sampling"
    difficulty = "easy"
    visibility = "crash"
    provenance = ("huggingface/transformers#530",)
    hints = (
        "Does a shorter sample come out?",
        "At which length does it stop?",
        "What is the longest text that the model can read?",
    )
    killed_by = frozenset({"runs"})
    forms = (
        Form(
            "whole",
            m.IndentedBlock(),
            whole,
            correct=CORRECT,
            buggy=CORRECT.replace("        context = idx[:, -self.length :]\n", "").replace(
                "self(context)", "self(idx)"
            ),
            inside=PICKING,
        ),
    )
    untouched = OTHERS
