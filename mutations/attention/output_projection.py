"""The projection behind the merged heads is missing or has the wrong shape."""

from collections.abc import Callable
from itertools import pairwise

import libcst as cst
import libcst.matchers as m

from bugforge.mutation import Form, Mutation, Rewritten

from ..patterns import (
    LAYER_OF_NAME,
    OWN,
    assigned,
    find,
    line,
    render,
    root,
    same,
    swap,
    with_argument,
    with_lines,
    within,
)
from .parts import MERGED, output_projection

HEAD = """class Attention(nn.Module):
    def __init__(self, width, n_head):
        assert width % n_head == 0
"""
BODY = """
    def forward(self, x):
        y = self.attend(x)
        y = y.transpose(1, 2).contiguous().view(B, T, C)
        return self.out(y)
"""
LOOK_ALIKE = """class MLP(nn.Module):
    def __init__(self, width):
        self.out = nn.Linear(width, width)

    def forward(self, x):
        return self.out(x)
"""


def attention_with(made: str) -> str:
    """Write a small attention class whose output projection is made so."""
    return f"{HEAD}        self.out = {made}\n{BODY}"


def reshaped(position: int, template: str) -> Callable[[cst.ClassDef], Rewritten]:
    """Make a mutation that gives the projection another size on one side."""

    def mutate(definition: cst.ClassDef) -> Rewritten:
        made = output_projection(definition)
        if made is None:
            return None
        width = made.args[0].value
        heads = number_of_heads(definition, width)
        if heads is None and "{heads}" in template:
            return None
        size = template.format(width=render(width), heads=heads and render(heads))
        return swap(definition, made, with_argument(made, position, size))

    return mutate


def number_of_heads(definition: cst.ClassDef, width: cst.CSTNode) -> cst.CSTNode | None:
    """Give what the width is divided by where the layer is made."""
    division = m.BinaryOperation(operator=m.FloorDivide() | m.Modulo())
    for found in find(definition, division):
        assert isinstance(found, cst.BinaryOperation)
        if same(found.left, width):
            return found.right
    return None


PROJECTED = line(assigned(m.Call(func=OWN, args=[m.Arg(LAYER_OF_NAME)])))
"""A dropout behind the projection: y = self.drop(self.out(y))."""


def unprojected(block: cst.IndentedBlock) -> Rewritten:
    """Return the merged heads themselves, as one statement with their merging; or leave out the
    projection before a dropout.
    """
    for merging, projecting in pairwise(block.body):
        if m.matches(merging, line(assigned(MERGED))) and m.matches(projecting, PROJECTED):
            call = find(projecting, LAYER_OF_NAME)[0]
            assert isinstance(call, cst.Call)
            return swap(block, call, call.args[0].value)
    merging, returning = block.body[-2:]
    assert isinstance(merging, cst.SimpleStatementLine)
    assert isinstance(merging.body[0], cst.Assign)
    call = find(returning, LAYER_OF_NAME)[0]
    assert isinstance(call, cst.Call)
    if root(call.args[0].value) != root(merging.body[0].targets[0].target):
        return None
    merged = merging.with_changes(body=[cst.Return(merging.body[0].value)])
    return with_lines(block, len(block.body) - 2, len(block.body), [merged])


class OutProjWrongShape(Mutation):
    """The output projection of the attention has the wrong dimensions.

    What it does: The Linear behind the merged heads is made for the size of one head, for the
    number of heads, or for a multiple or a part of the width, on one of its sides.

    Why it is wrong: The heads side by side are as wide as the stream again, and the residual sum
    needs that width too: both sides must be n_embd.

    How it shows: The first forward pass stops, either in the matrix product or where the
    attention is added to the stream.

    How to find it: Read the two sizes in the message and follow the last axis through the
    attention.

    Other right fixes: Linear(n_embd, n_embd), with or without a bias, or Linear(n_head *
    head_size, n_embd).
    """

    id = "out-proj-wrong-shape"
    bug_class = "projection"
    stage = "attention"
    difficulty = "easy"
    visibility = "crash"
    provenance = ("report",)
    hints = (
        "Run it and read what torch says about sizes.",
        "How wide are the heads when they stand side by side?",
        "One Linear of the attention is made for a width that does not reach it, or leave it.",
    )
    killed_by = frozenset({"runs"})
    forms = (
        Form(
            "narrow-output",
            m.ClassDef(),
            reshaped(1, "{width} // {heads}"),
            correct=attention_with("nn.Linear(width, width)"),
            buggy=attention_with("nn.Linear(width, width // n_head)"),
        ),
        Form(
            "narrow-input",
            m.ClassDef(),
            reshaped(0, "{width} // {heads}"),
            correct=attention_with("nn.Linear(width, width)"),
            buggy=attention_with("nn.Linear(width // n_head, width)"),
        ),
        Form(
            "wide-input",
            m.ClassDef(),
            reshaped(0, "{heads} * {width}"),
            correct=attention_with("nn.Linear(width, width)"),
            buggy=attention_with("nn.Linear(n_head * width, width)"),
        ),
        Form(
            "heads-out",
            m.ClassDef(),
            reshaped(1, "{heads}"),
            correct=attention_with("nn.Linear(width, width)"),
            buggy=attention_with("nn.Linear(width, n_head)"),
        ),
        Form(
            "inner-width-in",
            m.ClassDef(),
            reshaped(0, "4 * {width}"),
            correct=attention_with("nn.Linear(width, width)"),
            buggy=attention_with("nn.Linear(4 * width, width)"),
        ),
        Form(
            "three-widths-out",
            m.ClassDef(),
            reshaped(1, "3 * {width}"),
            correct=attention_with("nn.Linear(width, width)"),
            buggy=attention_with("nn.Linear(width, 3 * width)"),
        ),
    )
    untouched = (LOOK_ALIKE,)


def one_wide(definition: cst.ClassDef) -> Rewritten:
    """Let the projection give a single number."""
    made = output_projection(definition)
    return None if made is None else swap(definition, made, with_argument(made, 1, "1"))


class OutProjWidthOne(Mutation):
    """The output projection of the attention gives one number for each position.

    What it does: The Linear behind the merged heads has one output, which the residual sum then
    spreads over the whole width.

    Why it is wrong: The same number on every channel is a shift that the next LayerNorm takes
    out again, so nothing that attention finds ever reaches the logits.

    How it shows: The loss stalls where a model stands that knows only the last token, and the
    sample babbles in plausible pairs of letters.

    How to find it: Print the shape of what attention adds to the stream, or change an early
    token and see that later logits stay where they are.

    Other right fixes: Linear(n_embd, n_embd), with or without a bias.
    """

    id = "out-proj-width-one"
    bug_class = "projection"
    stage = "attention"
    difficulty = "medium"
    visibility = "plateau"
    provenance = ("measured",)
    hints = (
        "The model seems to know the last token and nothing before it.",
        "Print the shape of everything that is added to the stream.",
        "Broadcasting forgives a layer of the attention that is too narrow.",
    )
    killed_by = frozenset({"order", "parameters", "sees-past"})
    hides = frozenset(
        {
            "attn-weights-transposed",
            "dropout-always-on",
            "mask-after-softmax",
            "mask-bool-added",
            "mask-fill-not-low-enough",
            "mask-fill-tiny",
            "mask-fill-zero",
            "mask-future-by-one",
            "mask-missing",
            "mask-multiplicative",
            "mask-only-in-eval",
            "mask-result-not-assigned",
            "mask-transposed",
            "mask-wrong-corner",
            "mlp-wrong-input",
            "resid-stale-input",
            "scale-after-softmax",
            "scale-missing",
            "scale-multiplied",
            "scale-sqrt-dmodel",
            "scale-wrong-dim",
            "softmax-over-queries",
        }
    )
    forms = (
        Form(
            "one",
            m.ClassDef(),
            one_wide,
            correct=attention_with("nn.Linear(width, width)"),
            buggy=attention_with("nn.Linear(width, 1)"),
        ),
    )
    untouched = (LOOK_ALIKE,)


class OutProjMissing(Mutation):
    """The output projection of the attention is never applied.

    What it does: The merged heads go straight into the residual stream; the layer that should
    mix them exists and stays idle.

    Why it is wrong: Without it each head can only write to its own slice of the stream.

    How it shows: Hardly at all: a small model learns its text just as well. Only the idle
    layer's weights never move.

    How to find it: List the parameters whose gradient is None after one backward pass.

    Other right fixes: Return the projection of the merged heads, or apply it where the attention
    is called.
    """

    id = "out-proj-missing"
    bug_class = "projection"
    stage = "attention"
    difficulty = "hard"
    visibility = "invisible"
    provenance = ("Kyubyong/transformer#117",)
    hints = (
        "Loss and sample tell nothing here; the parameters do.",
        "Which parameters get no gradient?",
        "A layer of the attention is made and never called.",
    )
    killed_by = frozenset({"forward", "moves"})
    forms = (
        Form(
            "idle",
            within(line(assigned(MERGED)), line(m.Return(LAYER_OF_NAME)))
            | within(line(assigned(MERGED)), PROJECTED),
            unprojected,
            correct=(
                "def forward(self, x):\n"
                "    y = self.attend(x)\n"
                "    y = y.transpose(1, 2).reshape(B, T, C)\n"
                "    return self.out(y)\n"
            ),
            buggy=(
                "def forward(self, x):\n"
                "    y = self.attend(x)\n"
                "    return y.transpose(1, 2).reshape(B, T, C)\n"
            ),
        ),
    )
    untouched = ("def forward(self, x):\n    y = x.mean(1)\n    return self.out(y)\n",)
