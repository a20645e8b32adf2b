"""The scores are scaled at the wrong place, the wrong way or not at all."""

import libcst as cst
import libcst.matchers as m

from bugforge.mutation import Form, Mutation, Rewritten

from ..patterns import (
    SOFTMAX,
    assigned,
    find,
    line,
    render,
    root,
    swap,
    uses,
)
from .parts import ROOT, SCALED, SOFTMAXING
from .scale import UNSCALED

SCALING = line(assigned(SCALED))
"""The line att = (q @ k.T) / math.sqrt(d)."""


def multiplied(scaling: cst.BinaryOperation) -> Rewritten:
    """Multiply where the scores are divided."""
    if isinstance(scaling.right, cst.BinaryOperation):
        return scaling.with_changes(right=scaling.right.right)
    return scaling.with_changes(operator=cst.Multiply())


def unscaled(module: cst.Module) -> Rewritten:
    """Drop the division, and the import that nothing else needs."""
    scalings = find(module, SCALED)
    if len(scalings) != 1:
        return None
    scaling = scalings[0]
    assert isinstance(scaling, cst.BinaryOperation)
    scores = scaling.left.with_changes(lpar=scaling.lpar, rpar=scaling.rpar)
    mutant = swap(module, scaling, scores)
    library = root(find(scaling.right, ROOT)[0])
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
    sign = "/" if isinstance(scaling.operator, cst.Divide) else "*"
    late = cst.parse_expression(f"{render(normalising)} {sign} {render(scaling.right)}")
    return swap(swap(block, scaling, scores), normalising, late)


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
