"""Tokens of text see padding, or not all of their text."""

import libcst as cst
import libcst.matchers as m

from bugforge.mutation import Form, Mutation, Rewritten

from ..patterns import find, line, swap
from .parts import HIDING

EACH_ROW = m.Subscript(
    slice=[
        m.SubscriptElement(m.Slice(lower=None, upper=None)),
        m.SubscriptElement(m.Index(m.Name("None"))),
        m.SubscriptElement(m.Index(m.Name("None"))),
    ]
)
"""A number of each row, beside queries and keys: padding[:, None, None]."""

BEFORE = m.Comparison(
    left=m.Name(), comparisons=[m.ComparisonTarget(operator=m.LessThan(), comparator=EACH_ROW)]
)
"""Keys that are padding: keys < padding[:, None, None]."""

REACHED = m.Call(func=m.Attribute(attr=m.Name("arange")), args=[m.Arg()])
"""All keys there are: torch.arange(past + T)."""

SPARED = line(
    m.Assign(
        targets=[m.AssignTarget(m.Name())],
        value=m.BinaryOperation(
            left=m.Name(),
            operator=m.BitAnd(),
            right=m.Comparison(comparisons=[m.ComparisonTarget(operator=m.NotEqual())]),
        ),
    )
)
"""What is not to be spared: ignored = ignored & (keys != queries)."""


def nothing_to_see(block: cst.IndentedBlock) -> Rewritten:
    """Leave padding nothing to look at."""
    kept = [statement for statement in block.body if not m.matches(statement, SPARED)]
    return block.with_changes(body=kept) if len(kept) < len(block.body) else None


def one_more(comparison: cst.Comparison) -> Rewritten:
    """Hide the first token of text, too."""
    old = comparison.comparisons[0]
    return comparison.with_changes(comparisons=[old.with_changes(operator=cst.LessThanEqual())])


def at_the_end(block: cst.IndentedBlock) -> Rewritten:
    """Hide as many tokens at the end of a row."""
    reached = find(block, REACHED)
    lines = [part for part in block.body if isinstance(part, cst.SimpleStatementLine)]
    hidden = [node for own in lines for node in find(own, BEFORE)]
    if not reached or not hidden:
        return None
    assert isinstance(reached[0], cst.Call)
    assert isinstance(hidden[0], cst.Comparison)
    padding = hidden[0].comparisons[0].comparator
    end = cst.BinaryOperation(reached[0].args[0].value, cst.Subtract(), padding)
    late = cst.ComparisonTarget(cst.GreaterThanEqual(), end)
    return swap(block, hidden[0], hidden[0].with_changes(comparisons=[late]))


def prompt_alone(choice: cst.If) -> Rewritten:
    """Hide padding where nothing was read before."""
    if not find(choice.body, BEFORE):
        return None
    reached = find(choice.body, REACHED)
    before = find(reached[0], m.BinaryOperation(left=m.Name(), operator=m.Add())) if reached else []
    if not before:
        return None
    assert isinstance(before[0], cst.BinaryOperation)
    first = cst.Comparison(before[0].left, [cst.ComparisonTarget(cst.Equal(), cst.Integer("0"))])
    return choice.with_changes(test=cst.BooleanOperation(choice.test, cst.And(), first))


class MaskAllMaskedRow(Mutation):
    """Padding has nothing to look at.

    What it does: The causal mask and that of the padding together leave the tokens of padding no
    key at all. A softmax over nothing is no number.

    Why it is wrong: Nobody asks what padding leads to, but the next layer multiplies its value by a
    weight of 0, and 0 times what is no number is none either.

    How it shows: All logits of padded rows are NaN, and so is what is drawn from them.

    How to find it: Look for the first tensor with a NaN, layer by layer, in a batch with padding.

    Other right fixes: Let each token see itself; a large negative number in place of minus infinity
    for padding; or put zeros where the softmax gave no number.
    """

    id = "mask-all-masked-row"
    bug_class = "ragged-mask"
    stage = "cache"
    difficulty = "medium"
    visibility = "decode"
    provenance = ("pytorch/pytorch#41508", "pytorch/pytorch#103963")
    hints = (
        "What are the logits of a row with padding?",
        "Where does the first NaN appear?",
        "What can the first token of padding look at?",
    )
    killed_by = frozenset({"ragged", "ragged-greedy"})
    hides = frozenset({"pos-ids-left-pad", "ragged-prompt-alone"})
    forms = (
        Form(
            "nothing",
            m.IndentedBlock(),
            nothing_to_see,
            correct=HIDING,
            buggy=HIDING.replace("        ignored = ignored & (keys != keys[past:, None])\n", ""),
        ),
    )
    untouched = ("seen = seen | (keys == queries)\n", "both = one & other\n")


class RaggedPadSeen(Mutation):
    """Other tokens are hidden than those of padding.

    What it does: One token too many is hidden, or as many at the end of the row, where padding on
    the right would stand; or padding is hidden from the prompt alone.

    Why it is wrong: A row is to be read as if it stood alone: all of its text, and nothing else.

    How it shows: Padded rows are continued otherwise than each alone.

    How to find it: Exchange the tokens of padding for others, and see whether anything changes;
    then exchange the first token of text, and see whether it does.

    Other right fixes: Hide keys whose place is smaller than the row's padding, at every step.
    """

    id = "ragged-pad-seen"
    bug_class = "ragged-mask"
    stage = "cache"
    difficulty = "medium"
    visibility = "decode"
    provenance = ("huggingface/transformers#3021",)
    hints = (
        "Do tokens of padding change what a row leads to? Do all tokens of text?",
        "Exchange one token of a padded row at a time, and compare the last logits.",
        "Print which keys are hidden from a row's last token, in the prompt and behind it.",
    )
    killed_by = frozenset({"ragged", "ragged-greedy"})
    forms = (
        Form(
            "one-more",
            BEFORE,
            one_more,
            correct=HIDING,
            buggy=HIDING.replace("keys < padding", "keys <= padding"),
        ),
        Form(
            "right",
            m.IndentedBlock(),
            at_the_end,
            correct=HIDING,
            buggy=HIDING.replace("keys < padding", "keys >= past + T - padding"),
        ),
        Form(
            "prompt-alone",
            m.If(),
            prompt_alone,
            correct=HIDING,
            buggy=HIDING.replace("padding is not None:", "padding is not None and past == 0:"),
        ),
    )
    untouched = ("early = keys < padding[:, None]\n", "late = keys > padding[:, None, None]\n")
