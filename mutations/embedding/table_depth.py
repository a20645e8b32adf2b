"""Positions come in at other depths than before the first block."""

from collections.abc import Callable
from dataclasses import dataclass

import libcst as cst
import libcst.matchers as m

from bugforge.mutation import Form, Mutation, Rewritten

from ..block.chain import RUN, goes_on
from ..patterns import find, render, root, swap, with_lines
from .place import CORRECT, place
from .table import SUMS

EARLY = " + self.table[: idx.size(1)]"
RUNNING = f"""def forward(self, idx):
    x = self.tokens(idx){EARLY}
    for block in self.blocks:
        x = block(x)
    return self.head(x)
"""


@dataclass(frozen=True)
class Start:
    """A stream of tokens and positions, and the loop over the blocks on the next line.

    at: the index of the first line, placed. bare: that line without positions. x: the stream.
    added: the positions.
    """

    lines: cst.IndentedBlock
    at: int
    x: str
    placed: cst.BaseStatement
    bare: cst.BaseStatement
    added: str
    loop: cst.For

    def become(self, *lines: cst.BaseStatement) -> cst.IndentedBlock:
        """Give the block with other lines in place of these two."""
        return with_lines(self.lines, self.at, self.at + 2, lines)

    def loop_with_positions(self) -> cst.For:
        """Give the loop with positions added to what each block reads."""
        call = cst.ensure_type(find(self.loop.body, m.Call())[0], cst.Call)
        read = cst.parse_expression(f"{self.x} + {self.added}")
        return swap(self.loop, call.args[0].value, read)


def start(lines: cst.IndentedBlock) -> Start | None:
    """Find where a block of lines begins a stream and runs the blocks over it."""
    found = place(lines)
    if found is None or found.at + 1 == len(lines.body):
        return None
    statement, loop = lines.body[found.at], lines.body[found.at + 1]
    targets = find(statement, m.AssignTarget(m.Name()))
    if not targets or not m.matches(loop, RUN):
        return None
    assert isinstance(loop, cst.For)
    x = root(cst.ensure_type(targets[0], cst.AssignTarget).target)
    run = cst.ensure_type(find(loop.body, m.Assign())[0], cst.Assign)
    if root(run.targets[0].target) != x or not goes_on(loop):
        return None
    return Start(
        lines=lines,
        at=found.at,
        x=x,
        placed=statement,
        bare=swap(statement, found.total, found.total.left),
        added=render(found.total.right),
        loop=loop,
    )


def begun(
    lines_of: Callable[[Start], cst.IndentedBlock],
) -> Callable[[cst.IndentedBlock], Rewritten]:
    """Make a mutation of how a stream begins."""

    def mutate(lines: cst.IndentedBlock) -> Rewritten:
        found = start(lines)
        return None if found is None else lines_of(found)

    return mutate


def behind(found: Start) -> cst.IndentedBlock:
    """Add the positions behind the loop over the blocks."""
    late = cst.parse_statement(f"{found.x} += {found.added}")
    return found.become(found.bare, found.loop, late)


def in_each(found: Start) -> cst.IndentedBlock:
    """Add the positions to what each block reads, and not before."""
    return found.become(found.bare, found.loop_with_positions())


def in_each_too(found: Start) -> cst.IndentedBlock:
    """Add the positions to what each block reads, besides."""
    return found.become(found.placed, found.loop_with_positions())


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
            begun(behind),
            correct=RUNNING,
            buggy=RUNNING.replace(EARLY, "").replace(
                "    return", f"    x +={EARLY[2:]}\n    return"
            ),
        ),
    )
    untouched = (*SUMS, CORRECT)


class PeEveryLayer(Mutation):
    """Positions are added again for every block.

    What it does: The loop over the blocks adds the table of positions to what each block reads.

    Why it is wrong: Positions belong to the embedding, once. Here they pile up in the stream, one
    more time with each block. Some designs want that; this one does not.

    How it shows: Not in loss or sample.

    How to find it: Take the blocks' sublayers out by zero weights: what leaves the last block must
    be what entered the first.

    Other right fixes: Add positions to the tokens before the first block and nowhere else.
    """

    id = "pe-every-layer"
    bug_class = "positions"
    stage = "embedding"
    difficulty = "hard"
    visibility = "invisible"
    provenance = ("measured",)
    hints = (
        "The curves will not tell.",
        "With silent sublayers, what does a stack of blocks do to its input?",
        "Count how often each embedding enters the stream.",
    )
    killed_by = frozenset({"forward"})
    forms = (
        Form(
            "in-the-loop",
            m.IndentedBlock(),
            begun(in_each),
            correct=RUNNING,
            buggy=RUNNING.replace(EARLY, "").replace("block(x)", f"block(x{EARLY})"),
        ),
        Form(
            "again",
            m.IndentedBlock(),
            begun(in_each_too),
            correct=RUNNING,
            buggy=RUNNING.replace("block(x)", f"block(x{EARLY})"),
        ),
    )
    untouched = (*SUMS, CORRECT)
