"""Padding counts where the text should begin, or goes on counting when it is gone."""

import libcst as cst
import libcst.matchers as m

from bugforge.mutation import Form, Mutation, Rewritten

from ..patterns import find, line, same, swap
from .parts import CONTINUING, PLACING

SHIFTED = m.Call(
    func=m.Attribute(
        value=m.BinaryOperation(operator=m.Subtract()),
        attr=m.Name("clamp") | m.Name("clip") | m.Name("clamp_min"),
    )
)
"""What is left of something, and never less than nothing: (x - padding).clamp(min=0)."""

GIVEN = m.If(
    test=m.Comparison(comparisons=[m.ComparisonTarget(m.IsNot(), m.Name("None"))]),
    body=m.IndentedBlock([line(m.Assign(targets=[m.AssignTarget(m.Name())], value=SHIFTED))]),
    orelse=None,
)
"""Where padding is given, places or padding become fewer."""

PER_ROW = m.Subscript(
    slice=[
        m.SubscriptElement(m.Slice(lower=None, upper=None)),
        m.SubscriptElement(m.Index(m.Name("None"))),
    ]
)
"""A number of each row: padding[:, None]."""

STEPPING = m.Else(body=m.IndentedBlock([line(m.Assign(targets=[m.AssignTarget(m.Name())]))]))
"""What a step does that reads the last token alone."""


def counted_from_the_edge(function: cst.FunctionDef) -> Rewritten:
    """Count places from where the row begins."""
    given = [node for node in find(function, GIVEN) if find(node, PER_ROW)]
    return _without(function, given[0]) if given else None


def by_the_first_row(shifted: cst.Call) -> Rewritten:
    """Take as much from every row as the first row is padded."""
    per_row = find(shifted, PER_ROW)
    if not per_row:
        return None
    assert isinstance(per_row[0], cst.Subscript)
    first = cst.SubscriptElement(cst.Index(cst.Integer("0")))
    return swap(shifted, per_row[0], per_row[0].with_changes(slice=[first]))


def never_less(function: cst.FunctionDef) -> Rewritten:
    """Leave padding as it was when the context moves on."""
    given = [node for node in find(function, GIVEN) if not find(node, PER_ROW)]
    return _without(function, given[0]) if given and find(function, m.For()) else None


def prompt_alone(choice: cst.If) -> Rewritten:
    """Tell of padding where the prompt is read, and not behind it."""
    given = find(choice, GIVEN)
    if not given or not isinstance(choice.orelse, cst.Else):
        return None
    if not m.matches(choice.orelse, STEPPING) or find(given[0], PER_ROW):
        return None
    assignment = find(given[0], m.Assign())[0]
    assert isinstance(assignment, cst.Assign)
    nothing = cst.SimpleStatementLine([assignment.with_changes(value=cst.Name("None"))])
    block = choice.orelse.body
    assert isinstance(block, cst.IndentedBlock)
    return swap(choice, block, block.with_changes(body=[*block.body, nothing]))


def _without(function: cst.FunctionDef, part: cst.CSTNode) -> cst.FunctionDef:
    for block in find(function, m.IndentedBlock()):
        assert isinstance(block, cst.IndentedBlock)
        kept = [statement for statement in block.body if not same(statement, part)]
        if len(kept) < len(block.body):
            return swap(function, block, block.with_changes(body=kept))
    return function


class PosIdsLeftPad(Mutation):
    """Positions of padded rows are not those of their text.

    What it does: The first token of text does not get position 0: places are counted from where
    the padding begins, or as the padding of another row would have it.

    Why it is wrong: A text means the same wherever it stands in a batch. With the positions of
    others, its tokens look as if something stood before them.

    How it shows: Alone, a prompt is continued rightly; in a batch with a longer one it is not.

    How to find it: Read a row alone and padded, and compare the logits of its text. Do it with
    several rows, each padded otherwise.

    Other right fixes: Places less each row's padding, at least 0; a running sum of what is text.
    """

    id = "pos-ids-left-pad"
    bug_class = "ragged-positions"
    stage = "cache"
    difficulty = "medium"
    visibility = "decode"
    provenance = ("unslothai/unsloth#3803", "huggingface/transformers#3021")
    hints = (
        "The longest prompt of a batch is continued rightly. Are the others?",
        "Read one row alone and padded, and compare the logits of its text.",
        "Which position does the first token of text have in each row?",
    )
    killed_by = frozenset({"ragged", "ragged-greedy"})
    forms = (
        Form(
            "from-the-edge",
            m.FunctionDef(),
            counted_from_the_edge,
            correct=PLACING,
            buggy=PLACING.replace(
                "    if padding is not None:\n"
                "        places = (places - padding[:, None]).clamp(min=0)\n",
                "",
            ),
        ),
        Form(
            "first-row",
            SHIFTED,
            by_the_first_row,
            correct=PLACING,
            buggy=PLACING.replace("padding[:, None]", "padding[0]"),
        ),
    )
    untouched = (
        "def cut(x, low):\n    if low is not None:\n        x = x.clamp(min=low)\n    return x\n",
        "left = (size - used).clamp(min=0)\n",
    )


class RaggedWindowForgotten(Mutation):
    """Padding stays as long as it was when the context moves on.

    What it does: Beyond the context the oldest tokens are left out, padding first; but as many
    tokens as ever are taken for padding.

    Why it is wrong: Every token that leaves takes one token of padding with it. Who goes on
    counting hides the beginning of the text, more of it with every step.

    How it shows: Short continuations are right. Where they outgrow the context, padded rows go on
    otherwise than they would alone.

    How to find it: Generate more tokens than the context holds, padded and alone, and look at where
    they part.

    Other right fixes: Padding less what was left out, at least 0.
    """

    id = "ragged-window-forgotten"
    bug_class = "ragged-life"
    stage = "cache"
    difficulty = "hard"
    visibility = "decode"
    provenance = ("measured",)
    hints = (
        "The first tokens behind each prompt are right.",
        "Generate beyond the context. At which token does a padded row part from the row alone?",
        "How much padding is there in the last `block_size` tokens?",
    )
    killed_by = frozenset({"ragged-greedy"})
    forms = (
        Form(
            "never-less",
            m.FunctionDef(),
            never_less,
            correct=CONTINUING,
            buggy=CONTINUING.replace(
                "            if padding is not None:\n"
                "                left = (padding - (idx.size(1) - context.size(1))).clamp(min=0)\n",
                "",
            ),
        ),
    )
    untouched = (
        PLACING,
        "def less(a, b):\n    if a is not None:\n        a = (a - b).clamp(min=0)\n    return a\n",
    )


class RaggedPromptAlone(Mutation):
    """Only the prompt is read with its padding.

    What it does: Where the prompt is read forward is told of the padding; where one token is read
    behind the caches it is not.

    Why it is wrong: The caches hold the keys of the padding, too. A new token that is not told so
    sees them, and gets the position that the row's length says.

    How it shows: The first new token of each row is right, and those behind it are not.

    How to find it: Compare the logits of the second new token, padded and alone.

    Other right fixes: The same padding each time, as it is counted from where the row begins.
    """

    id = "ragged-prompt-alone"
    bug_class = "ragged-life"
    stage = "cache"
    difficulty = "easy"
    visibility = "decode"
    provenance = ("measured",)
    hints = (
        "The first new token of every row is right.",
        "What does forward know of the row when it reads the second?",
        "Follow the padding through each step of generate.",
    )
    killed_by = frozenset({"ragged-greedy"})
    forms = (
        Form(
            "prompt",
            m.If(),
            prompt_alone,
            correct=CONTINUING,
            buggy=CONTINUING.replace(
                "            context = idx[:, -1:]\n",
                "            context = idx[:, -1:]\n            left = None\n",
            ),
        ),
    )
    untouched = (PLACING, "if a:\n    b = 1\nelse:\n    b = 2\n")
