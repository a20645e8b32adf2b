"""The scores are scaled by the wrong number, at the wrong place, or not at all."""

from collections.abc import Callable

import libcst as cst
import libcst.matchers as m

from bugforge.mutation import Form, Mutation, Rewritten

from ..patterns import (
    MINUS_ONE,
    SOFTMAX,
    assigned,
    find,
    line,
    render,
    root,
    swap,
    uses,
)
from .parts import SCALED, SOFTMAXING, roles

SCALING = line(assigned(SCALED))
"""The line att = (q @ k.T) / math.sqrt(d)."""

LAST_SIZE = m.Call(func=m.Attribute(attr=m.Name("size")), args=[m.Arg(MINUS_ONE)])
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


def multiplied(scaling: cst.BinaryOperation) -> Rewritten:
    """Multiply where the scores are divided."""
    return scaling.with_changes(operator=cst.Multiply())


def unscaled(module: cst.Module) -> Rewritten:
    """Drop the division, and the import that nothing else needs."""
    scalings = find(module, SCALED)
    if len(scalings) != 1:
        return None
    scaling = scalings[0]
    assert isinstance(scaling, cst.BinaryOperation)
    assert isinstance(scaling.right, cst.Call)
    scores = scaling.left.with_changes(lpar=scaling.lpar, rpar=scaling.rpar)
    mutant = swap(module, scaling, scores)
    library = root(scaling.right)
    imports = find(mutant, line(m.Import(names=[m.ImportAlias(m.Name(library), asname=None)])))
    if not imports or uses(mutant, library) > len(imports):
        return mutant
    return without_import(mutant, imports[0])


def without_import(module: cst.Module, statement: cst.CSTNode) -> cst.Module:
    """Remove an import; the blank line before it stays, before what comes next."""
    at = next(i for i, other in enumerate(module.body) if other is statement)
    body = list(module.body)
    removed = body.pop(at)
    assert isinstance(removed, cst.SimpleStatementLine)
    following = body[at] if at < len(body) else None
    if isinstance(following, cst.SimpleStatementLine) and not following.leading_lines:
        body[at] = following.with_changes(leading_lines=removed.leading_lines)
    return module.with_changes(body=body)


def scaled_late(block: cst.IndentedBlock) -> Rewritten:
    """Move the division from the scores to the weights."""
    scaling_line = next((own for own in block.body if m.matches(own, SCALING)), None)
    softmax_line = next((own for own in block.body if m.matches(own, SOFTMAXING)), None)
    if scaling_line is None or softmax_line is None:
        return None
    scaling, normalising = find(scaling_line, SCALED)[0], find(softmax_line, SOFTMAX)[0]
    assert isinstance(scaling, cst.BinaryOperation)
    scores = scaling.left.with_changes(lpar=scaling.lpar, rpar=scaling.rpar)
    late = cst.parse_expression(f"{render(normalising)} / {render(scaling.right)}")
    return swap(swap(block, scaling, scores), normalising, late)


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


class ScaleMultiplied(Mutation):
    """The scores are multiplied by the root of the head's size.

    What it does: A times sign stands where a division was meant.

    Why it is wrong: The scores grow instead of shrinking, so that the softmax becomes sharp
    before the model has learned where to look.

    How it shows: Hardly: fresh weights are small and the rest is learned around.

    How to find it: Compare the spread of the scores with that of one query times one key.

    Other right fixes: Divide by the root, or multiply by head_size ** -0.5.
    """

    id = "scale-multiplied"
    bug_class = "typo"
    stage = "attention"
    difficulty = "hard"
    visibility = "invisible"
    provenance = ("esceptico/perceiver-io#9",)
    hints = (
        "The curves look fine; the scores don't.",
        "How large are the scores when queries and keys have spread 1?",
        "Look at the sign between the scores and the root.",
    )
    killed_by = frozenset({"forward"})
    forms = (
        Form(
            "times",
            SCALED,
            multiplied,
            correct="att = (q @ k.mT) / math.sqrt(d)\n",
            buggy="att = (q @ k.mT) * math.sqrt(d)\n",
        ),
    )
    untouched = ("scale = 1.0 / math.sqrt(d)\n", "kernel = (x @ y) / math.sqrt(d)\n")


class ScaleMissing(Mutation):
    """The scores are not scaled.

    What it does: Queries times keys go into the mask and the softmax as they are.

    Why it is wrong: A score is a sum over the entries of a head, so it spreads with the root of
    their number. Undivided, wide heads make the softmax saturate and its gradients vanish.

    How it shows: Not at all in a model this narrow, whose loss may even be a little lower.

    How to find it: Compare a score with one computed by hand.

    Other right fixes: Divide the scores or the queries by the root of the head's size.
    """

    id = "scale-missing"
    bug_class = "typo"
    stage = "attention"
    difficulty = "hard"
    visibility = "invisible"
    provenance = ("delzac/cntkx#10", "ethen8181/machine-learning#13")
    hints = (
        "What a narrow model forgives, a wide one would not.",
        "Write down the formula of attention and check it off, factor by factor.",
        "Something belongs between the product of queries and keys and the mask.",
    )
    killed_by = frozenset({"forward"})
    forms = (
        Form(
            "dropped",
            m.Module(),
            unscaled,
            correct='"""Scores."""\n\nimport math\nimport os\n\natt = (q @ k.mT) / math.sqrt(d)\n',
            buggy='"""Scores."""\n\nimport os\n\natt = q @ k.mT\n',
        ),
    )
    untouched = ("scale = 1.0 / math.sqrt(d)\n", "kernel = (x @ y) / math.sqrt(d)\n")


class ScaleAfterSoftmax(Mutation):
    """The scaling is applied behind the softmax.

    What it does: The weights are divided by the root of the head's size, and the scores are not.

    Why it is wrong: The softmax sees scores that are too spread, and the weights of a query no
    longer add up to 1.

    How it shows: Invisibly: the values can grow to make up for it.

    How to find it: Add up one row of the attention weights.

    Other right fixes: Divide the scores, or the queries, before the softmax.
    """

    id = "scale-after-softmax"
    bug_class = "typo"
    stage = "attention"
    difficulty = "hard"
    visibility = "invisible"
    provenance = ("FrancescoSaverioZuppichini/ViT#6",)
    hints = (
        "Loss and sample will not help you here.",
        "Check what the attention weights of one position add up to.",
        "The right number is used in the wrong place.",
    )
    killed_by = frozenset({"forward"})
    forms = (
        Form(
            "weights",
            m.IndentedBlock(),
            scaled_late,
            correct=(
                "def attend(q, k, v):\n"
                "    att = (q @ k.mT) / math.sqrt(k.size(-1))\n"
                "    att = att.softmax(-1)\n"
                "    return att @ v\n"
            ),
            buggy=(
                "def attend(q, k, v):\n"
                "    att = q @ k.mT\n"
                "    att = att.softmax(-1) / math.sqrt(k.size(-1))\n"
                "    return att @ v\n"
            ),
        ),
    )
    untouched = (UNSCALED, "def probs(x):\n    x = x.softmax(-1)\n    return x\n")
