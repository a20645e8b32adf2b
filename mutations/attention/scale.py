"""The scores are scaled by the wrong number."""

from collections.abc import Callable

import libcst as cst
import libcst.matchers as m

from bugforge.mutation import Form, Mutation, Rewritten

from ..patterns import (
    MINUS_ONE,
    find,
    render,
    root,
    swap,
)
from .parts import roles

LAST_SIZE = m.Call(func=m.Attribute(attr=m.Name("size")), args=[m.Arg(MINUS_ONE)]) | m.Subscript(
    m.Attribute(attr=m.Name("shape")), slice=[m.SubscriptElement(m.Index(MINUS_ONE))]
)
ROOT_OF_SIZE = m.Call(func=m.Attribute(attr=m.Name("sqrt")), args=[m.Arg(LAST_SIZE)])
"""The root of a last axis: math.sqrt(k.size(-1))."""

WIDTH = m.Assign(
    targets=[m.AssignTarget(m.Tuple(elements=[m.Element(m.Name())] * 3))],
    value=m.Attribute(attr=m.Name("shape")) | m.Call(func=m.Attribute(attr=m.Name("size"))),
)
"""The three sizes of the input: B, T, C = x.shape."""

HEAD = "def forward(self, x):\n    B, T, C = x.shape\n"
TAIL = "    return att.softmax(-1) @ v\n"
CORRECT = f"{HEAD}    att = (q @ k.mT) / math.sqrt(k.size(-1))\n{TAIL}"
UNSCALED = f"{HEAD}    att = q @ k.mT\n{TAIL}"
DISTANCE = (
    "def distance(x, y):\n"
    "    B, T, C = x.shape\n"
    "    return (x - y).norm(dim=-1) / math.sqrt(x.size(-1))\n"
)


def scaled_by(template: str) -> Callable[[cst.FunctionDef], Rewritten]:
    """Make a mutation that takes the root of another size of the scores' operands or input."""

    def mutate(function: cst.FunctionDef) -> Rewritten:
        found = roles(function)
        roots = find(function, ROOT_OF_SIZE)
        shapes = find(function, WIDTH)
        if found is None or len(roots) != 1 or len(shapes) != 1:
            return None
        call, shape = roots[0], shapes[0]
        assert isinstance(call, cst.Call)
        assert isinstance(shape, cst.Assign)
        of = root(call.args[0].value)
        if of not in {found.query, found.key}:
            return None
        width = find(shape.targets[0].target, m.Name())[-1]
        text = template.format(head=of, width=render(width), input=root(shape.value))
        return swap(function, call.args[0].value, cst.parse_expression(text))

    return mutate


class ScaleSqrtDmodel(Mutation):
    """The scores are divided by the root of the model's width instead of the head's.

    What it does: With several heads the scores are divided by sqrt(n_embd), which is sqrt(n_head)
    times too much.

    Why it is wrong: A score is a sum over the entries of one head. Its spread grows with the
    root of the head's size, and that is what the division should undo.

    How it shows: Neither the loss nor the sample shows it in a small model: attention begins
    flatter than it should and learns to make up for it.

    How to find it: Compute the scores of random queries and keys by hand and compare, with more
    than one head.

    Other right fixes: Divide by sqrt(head_size) in any way of writing, on the scores or on the
    queries, or leave it to scaled_dot_product_attention.
    """

    id = "scale-sqrt-dmodel"
    bug_class = "typo"
    stage = "attention"
    difficulty = "hard"
    visibility = "invisible"
    provenance = ("coreylowman/dfdx#171", "lucidrains/vit-pytorch#65")
    hints = (
        "The model learns around it, so watch numbers and not curves.",
        "Compute one attention score by hand.",
        "Over how many products does one score add up?",
    )
    killed_by = frozenset({"forward"})
    forms = (
        Form(
            "name",
            m.FunctionDef(),
            scaled_by("{width}"),
            correct=CORRECT,
            buggy=f"{HEAD}    att = (q @ k.mT) / math.sqrt(C)\n{TAIL}",
        ),
        Form(
            "size",
            m.FunctionDef(),
            scaled_by("{input}.size(-1)"),
            correct=CORRECT,
            buggy=f"{HEAD}    att = (q @ k.mT) / math.sqrt(x.size(-1))\n{TAIL}",
        ),
    )
    untouched = (UNSCALED, DISTANCE)


class ScaleWrongDim(Mutation):
    """The scores are divided by the root of an axis that is not the head's size.

    What it does: Of a tensor (B, nh, T, hs) the root of the number of heads or of positions is
    taken.

    Why it is wrong: The spread of the scores comes from the size of a head. The number of heads
    has nothing to do with it, and the number of positions makes every score depend on how long
    the input is.

    How it shows: Almost never: a small model adapts.

    How to find it: Compute a score by hand in a model whose axes all have different sizes.

    Other right fixes: Any division of the scores, or of the queries, by the root of the head's
    size.
    """

    id = "scale-wrong-dim"
    bug_class = "typo"
    stage = "attention"
    difficulty = "hard"
    visibility = "invisible"
    provenance = ("measured",)
    hints = (
        "Choose sizes that all differ, so that no axis can pass for another.",
        "Print the number that the scores are divided by.",
        "Which axis of the keys is it the root of?",
    )
    killed_by = frozenset({"forward"})
    forms = (
        Form(
            "heads",
            m.FunctionDef(),
            scaled_by("{head}.size(1)"),
            correct=CORRECT,
            buggy=f"{HEAD}    att = (q @ k.mT) / math.sqrt(k.size(1))\n{TAIL}",
        ),
        Form(
            "time",
            m.FunctionDef(),
            scaled_by("{head}.size(-2)"),
            correct=CORRECT,
            buggy=f"{HEAD}    att = (q @ k.mT) / math.sqrt(k.size(-2))\n{TAIL}",
            killed_by=frozenset({"forward", "prefix-consistency"}),
        ),
    )
    untouched = (UNSCALED, DISTANCE)
