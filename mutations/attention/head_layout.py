"""The heads are split or merged so that positions, heads or rows get mixed up."""

from collections.abc import Callable

import libcst as cst
import libcst.matchers as m

from bugforge.mutation import Form, Mutation, Rewritten

from ..patterns import (
    MINUS_ONE,
    OWN,
    SCORES,
    assigned,
    find,
    line,
    render,
    retold,
    same,
    swap,
)
from .parts import HEADS_EXCHANGED, MERGED

SPLIT = m.Call(
    func=m.Attribute(
        value=m.Call(
            func=m.Attribute(attr=m.Name("view") | m.Name("reshape")),
            args=[
                m.Arg(),
                m.Arg(),
                m.Arg(),
                m.Arg(m.BinaryOperation(operator=m.FloorDivide()) | MINUS_ONE),
            ],
        )
    )
)
"""One width split into heads, in front of the positions: x.view(B, T, nh, C // nh).transpose(1, 2),
and what looks like it.
"""


def merged_by(template: str) -> Callable[[cst.SimpleStatementLine], Rewritten]:
    """Make a mutation that merges the heads without moving them behind the positions."""

    def mutate(statement: cst.SimpleStatementLine) -> Rewritten:
        merge, exchange = merging(statement)
        assert isinstance(exchange.func, cst.Attribute)
        shape = ", ".join(render(arg.value) for arg in merge.args)
        text = template.format(heads=render(exchange.func.value), shape=shape)
        return retold(swap(statement, merge, cst.parse_expression(text)), f"({shape})")

    return mutate


def heads_in_front(statement: cst.SimpleStatementLine) -> Rewritten:
    """Exchange the heads with the rows of the batch before they are merged."""
    merge, exchange = merging(statement)
    assert isinstance(exchange.func, cst.Attribute)
    shape = ", ".join(render(arg.value) for arg in merge.args)
    text = f"{render(exchange.func.value)}.transpose(0, 1)"
    return retold(swap(statement, exchange, cst.parse_expression(text)), f"({shape})")


def merging(statement: cst.SimpleStatementLine) -> tuple[cst.Call, cst.Call]:
    """Give the call that merges the heads in a line, and the one in it that moves them."""
    merge = find(statement, MERGED)[0]
    exchange = find(merge, HEADS_EXCHANGED)[0]
    assert isinstance(merge, cst.Call)
    assert isinstance(exchange, cst.Call)
    return merge, exchange


def split_at_once(call: cst.Call) -> Rewritten:
    """Ask for the final shape at once; by reshape, since a part of a wider tensor, which is what a
    layer of all three makes, has no such view.
    """
    if not m.matches(call, HEADS_EXCHANGED):
        return None
    assert isinstance(call.func, cst.Attribute)
    view = call.func.value
    assert isinstance(view, cst.Call)
    batch, time, heads, size = view.args
    if isinstance(size.value, cst.BinaryOperation):
        is_split = same(heads.value, size.value.right)
    else:
        is_split = m.matches(heads.value, OWN)
    if not is_split:
        return None
    assert isinstance(view.func, cst.Attribute)
    return view.with_changes(
        func=view.func.with_changes(attr=cst.Name("reshape")), args=[batch, heads, time, size]
    )


class HeadsMergeNoTranspose(Mutation):
    """The heads are merged without bringing the positions back in front.

    What it does: A tensor of shape (B, nh, T, hs) is reshaped to (B, T, C) as it lies in memory.

    Why it is wrong: The shape is right and the content is not: a row then holds one head's
    results for several positions, later ones among them.

    How it shows: The loss sinks below the honest floor and the sample is nonsense.

    How to find it: Change one token late in the input and look at the early logits, or merge a
    tensor of numbered entries and read it.

    Other right fixes: transpose(1, 2) before the reshape, permute(0, 2, 1, 3), or a
    concatenation of the heads along the last axis.
    """

    id = "heads-merge-no-transpose"
    bug_class = "projection"
    stage = "attention"
    difficulty = "medium"
    visibility = "leak"
    provenance = ("jsbaan/transformer-from-scratch#6",)
    hints = (
        "All shapes agree, and still the positions know too much of each other.",
        "Follow a tensor of numbered entries through the reshapes.",
        "What must happen to (B, nh, T, hs) before it may become (B, T, C)?",
    )
    killed_by = frozenset({"causality", "forward", "prefix-consistency"})
    forms = (
        Form(
            "view",
            line(assigned(MERGED)),
            merged_by("{heads}.contiguous().view({shape})"),
            correct=(
                "att = (q @ k.mT).softmax(-1)\n"
                "y = (att @ v).transpose(1, 2).contiguous().view(B, T, C)  # heads merged\n"
            ),
            buggy=(
                "att = (q @ k.mT).softmax(-1)\n"
                "y = (att @ v).contiguous().view(B, T, C)  # (B, T, C)\n"
            ),
            inside=SCORES,
        ),
        Form(
            "reshape",
            line(assigned(MERGED)),
            merged_by("{heads}.reshape({shape})"),
            correct="att = q @ k.mT\nmerged = (att @ v).transpose(1, 2).reshape(B, T, C)\n",
            buggy="att = q @ k.mT\nmerged = (att @ v).reshape(B, T, C)\n",
            inside=SCORES,
        ),
    )
    untouched = ("patches = image.transpose(1, 2).reshape(B, T, C)\n",)


class HeadsMergeWrongPermute(Mutation):
    """The heads are exchanged with the batch before they are merged.

    What it does: Axes 0 and 1 of a tensor of shape (B, nh, T, hs) are exchanged, where 1 and 2 were
    meant, and what comes out is viewed as (B, T, C).

    Why it is wrong: The shape is right whatever the order of the axes was. A row then holds what
    one head found at several positions, of other rows of the batch, too.

    How it shows: The loss falls at first and then stalls, far above what it should reach. The
    sample falls into a loop.

    How to find it: Compare the logits of a row alone with those of the same row in a batch.

    Other right fixes: transpose(1, 2) before the view, or permute(0, 2, 1, 3).
    """

    id = "heads-merge-wrong-permute"
    bug_class = "projection"
    stage = "attention"
    difficulty = "medium"
    visibility = "plateau"
    provenance = ("measured",)
    hints = (
        "All shapes agree; what stands in them is another question.",
        "Does a row's prediction depend on the rows beside it?",
        "Name the axes of the tensor that is viewed as (B, T, C), in their order.",
    )
    killed_by = frozenset(
        {"batch-independence", "causality", "forward", "prefix-consistency", "sampling"}
    )
    hides = frozenset(
        {
            "eval-not-restored",
            "gen-temperature-mul",
            "gen-topk-fill",
            "gen-topk-inverted",
            "gen-topk-threshold",
            "shift-wrong-axis",
            "train-in-eval-mode",
            "xy-misaligned",
        }
    )
    forms = (
        Form(
            "heads-first",
            line(assigned(MERGED)),
            heads_in_front,
            correct=(
                "att = (q @ k.mT).softmax(-1)\n"
                "y = (att @ v).transpose(1, 2).contiguous().view(B, T, C)  # heads merged\n"
            ),
            buggy=(
                "att = (q @ k.mT).softmax(-1)\n"
                "y = (att @ v).transpose(0, 1).contiguous().view(B, T, C)  # (B, T, C)\n"
            ),
            inside=SCORES,
        ),
    )
    untouched = (
        "patches = image.transpose(1, 2).reshape(B, T, C)\n",
        "att = q @ k.mT\nq = q.view(B, T, 4, C // 4).transpose(1, 2)\n",
    )


class HeadsSplitNoTranspose(Mutation):
    """The width is split into heads by one reshape, without a transpose.

    What it does: (B, T, C) is reshaped to (B, nh, T, hs) directly.

    Why it is wrong: A reshape moves nothing past anything else: a head then gets all channels of
    some positions, instead of some channels of all positions, and the mask hides the wrong
    things.

    How it shows: The loss ends below the honest floor, since later tokens leak in, and the
    sample is nonsense.

    How to find it: Split a tensor of numbered entries and compare one head with the channels
    that it should hold.

    Other right fixes: view(B, T, nh, hs) with transpose(1, 2) or permute(0, 2, 1, 3).
    """

    id = "heads-split-no-transpose"
    bug_class = "projection"
    stage = "attention"
    difficulty = "medium"
    visibility = "leak"
    provenance = ("reczoo/FuxiCTR#30", "hyunwoongko/transformer#15", "rish-16/tokenlearner#1")
    hints = (
        "The shapes are right; look at what is in them.",
        "Does changing a token stay without effect on what came before?",
        "Splitting an axis and moving an axis are two steps.",
    )
    killed_by = frozenset({"causality", "forward", "prefix-consistency"})
    forms = (
        Form(
            "view",
            SPLIT,
            split_at_once,
            correct="q = x.view(B, T, self.n_head, C // self.n_head).transpose(1, 2)\n",
            buggy="q = x.reshape(B, self.n_head, T, C // self.n_head)\n",
        ),
    )
    untouched = (
        "rows = image.view(B, C, H, W // 2).transpose(1, 2)\n",
        "rows = image.view(B, C, H, -1).transpose(1, 2)\n",
        "rows = image.view(B, C, self.height, -1).permute(0, 1, 3, 2)\n",
        "y = y.transpose(1, 2).contiguous().view(B, T, C)\n",
    )
