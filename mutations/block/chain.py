"""The blocks are not made, or not run, one behind the other."""

from typing import cast

import libcst as cst
import libcst.matchers as m

from bugforge.mutation import Form, Mutation, Rewritten

from ..patterns import OWN, assigned, find, line, render, root, swap, uses, with_lines

RUN = m.For(
    target=m.Name(),
    iter=OWN,
    body=m.IndentedBlock(
        body=[line(assigned(m.Call(func=m.Name(), args=[m.Arg(m.Name(), keyword=None)])))]
    ),
)
"""The loop for block in self.blocks: x = block(x)."""

COUNTED = m.CompFor(iter=m.Call(func=m.Name("range"), args=[m.Arg()]), ifs=[])

STACK = m.Call(
    func=m.Attribute(attr=m.Name("ModuleList")) | m.Name("ModuleList"),
    args=[
        m.Arg(
            m.GeneratorExp(elt=m.Call(), for_in=COUNTED) | m.ListComp(elt=m.Call(), for_in=COUNTED)
        )
    ],
)
"""A stack of layers: nn.ModuleList(Block(config) for _ in range(n))."""

MADE = "self.blocks = nn.ModuleList(Block(width) for _ in range(depth))\n"
RUNNING = (
    "def forward(self, x):\n"
    "    for block in self.blocks:\n"
    "        x = block(x)\n"
    "    return self.head(x)\n"
)
OTHER_STACKS = (
    "self.heads = [Linear(width, 1) for _ in range(n)]\n",
    "self.blocks = nn.ModuleList([Block(width), Block(width)])\n",
)
OTHER_RUNS = (
    "def reset(self):\n    for block in self.blocks:\n        block.reset()\n",
    "def total(self, x):\n    for row in x:\n        y = self.head(row)\n    return y\n",
)


def goes_on(loop: cst.For) -> bool:
    """Whether the loop hands each result to the next one of those that it runs over."""
    assign = find(loop.body, m.Assign())[0]
    assert isinstance(assign, cst.Assign)
    call = cast("cst.Call", assign.value)
    target = root(assign.targets[0].target)
    return root(call.func) == root(loop.target) and root(call.args[0].value) == target


def overwritten(block: cst.IndentedBlock) -> Rewritten:
    """Give each block the same input, so that only the last result counts."""
    for i, (loop, reader) in enumerate(zip(block.body, block.body[1:], strict=False)):
        if not m.matches(loop, RUN) or not goes_on(cast("cst.For", loop)):
            continue
        target = cast("cst.Assign", find(loop, m.Assign())[0]).targets[0].target
        stream = root(target)
        new = next(name for name in ("y", "h", "out", "z") if not find(block, m.Name(name)))
        anew = m.matches(reader, line(m.Assign(targets=[m.AssignTarget(m.Name(stream))])))
        read_in = cast("cst.Assign", find(reader, m.Assign())[0]).value if anew else reader
        reads = find(read_in, m.Name(stream))
        later = 0 if anew else sum(uses(statement, stream) for statement in block.body[i + 2 :])
        if len(reads) != 1 or later or uses(reader, stream) != 1:
            return None
        lines = [
            cst.parse_statement(f"{new} = {stream}"),  # else linters ask what comes of no blocks
            swap(loop, target, cst.Name(new)),
            swap(reader, reads[0], cst.Name(new)),
        ]
        return with_lines(block, i, i + 2, lines)
    return None


def cut_short(loop: cst.For) -> Rewritten:
    """Leave out the last block."""
    if not goes_on(loop):
        return None
    return swap(loop, loop.iter, cst.parse_expression(f"{render(loop.iter)}[:-1]"))


def stack_of(call: cst.Call) -> cst.ListComp | cst.GeneratorExp:
    """Give the comprehension that the stack is made from."""
    return cast("cst.ListComp | cst.GeneratorExp", call.args[0].value)


def repeated(call: cst.Call) -> Rewritten:
    """Repeat one layer instead of making several."""
    stack = stack_of(call)
    if uses(stack.elt, root(stack.for_in.target)):
        return None
    count = cast("cst.Call", stack.for_in.iter).args[0].value
    many = cst.parse_expression(f"[{render(stack.elt)}] * {render(count)}")
    return call.with_changes(args=[cst.Arg(many)])


def listed(call: cst.Call) -> Rewritten:
    """Keep the layers in a list of Python's."""
    stack = stack_of(call)
    return cst.ListComp(elt=stack.elt, for_in=stack.for_in)


class BlocksChainBroken(Mutation):
    """Not every block has a part in the result.

    What it does: Each block reads the same input and only the last one's output is used, or the
    loop ends one block early.

    Why it is wrong: Blocks are meant to build upon each other. Here a model of several layers is
    one of fewer.

    How it shows: Not in loss or sample: one block is enough to learn a short text.

    How to find it: List the parameters without a gradient after one backward pass: they fill a
    whole block.

    Other right fixes: Give each block the output of the one before, in a loop or by
    nn.Sequential.
    """

    id = "blocks-chain-broken"
    bug_class = "typo"
    stage = "block"
    difficulty = "hard"
    visibility = "invisible"
    provenance = ("cyclomon/UNSB#29",)
    hints = (
        "Is the model as deep as it claims to be?",
        "Which parameters get no gradient?",
        "Follow one tensor from block to block.",
    )
    killed_by = frozenset({"forward", "moves"})
    forms = (
        Form(
            "same-input",
            m.IndentedBlock(),
            overwritten,
            correct=RUNNING,
            buggy=(
                "def forward(self, x):\n"
                "    y = x\n"
                "    for block in self.blocks:\n"
                "        y = block(x)\n"
                "    return self.head(y)\n"
            ),
        ),
        Form(
            "last-left-out",
            RUN,
            cut_short,
            correct=RUNNING,
            buggy=RUNNING.replace("self.blocks:", "self.blocks[:-1]:"),
        ),
    )
    untouched = OTHER_RUNS


class BlocksShared(Mutation):
    """All blocks are one and the same.

    What it does: A list with one block is multiplied, which repeats the reference and not the
    block.

    Why it is wrong: Every layer has the same weights, so the model has the parameters of one
    block only.

    How it shows: Not in loss or sample: one block's weights are enough for a short text.

    How to find it: Count the parameters, or compare the blocks by `is`.

    Other right fixes: Make each block anew in a comprehension or a loop.
    """

    id = "blocks-shared"
    bug_class = "typo"
    stage = "block"
    difficulty = "hard"
    visibility = "invisible"
    provenance = ("zalandoresearch/pytorch-vq-vae#2",)
    hints = (
        "Count before you train.",
        "How many parameters should a model of this size have?",
        "How often is the block's constructor called?",
    )
    killed_by = frozenset({"parameters"})
    forms = (
        Form(
            "multiplied-list",
            STACK,
            repeated,
            correct=MADE,
            buggy="self.blocks = nn.ModuleList([Block(width)] * depth)\n",
        ),
    )
    untouched = OTHER_STACKS


class BlocksPythonList(Mutation):
    """The blocks are kept in a plain list.

    What it does: A list of Python's holds them, where an nn.ModuleList was meant.

    Why it is wrong: torch looks for parameters in modules, and does not look into lists: the
    blocks are neither trained nor initialised, moved or saved with the model.

    How it shows: The loss ends well above the right one. The sample of a longer text is nonsense;
    a short one is learned by what is left, the embeddings and the head.

    How to find it: Count model.parameters(), or see which weights a training step moves.

    Other right fixes: nn.ModuleList, or nn.Sequential.
    """

    id = "blocks-python-list"
    bug_class = "typo"
    stage = "block"
    difficulty = "medium"
    visibility = "plateau"
    provenance = ("pytorch/pytorch#715", "pytorch/pytorch#59925")
    hints = (
        "A large part of the model does not learn.",
        "Count the parameters that the optimizer is given.",
        "What does a module know about what it holds?",
    )
    killed_by = frozenset({"parameters"})
    hides = frozenset(
        {
            "eval-mode-missing",
            "eval-not-restored",
            "residual-init-scale-missing",
            "train-in-eval-mode",
        }
    )
    forms = (
        Form(
            "list",
            STACK,
            listed,
            correct=MADE,
            buggy="self.blocks = [Block(width) for _ in range(depth)]\n",
        ),
    )
    untouched = OTHER_STACKS
