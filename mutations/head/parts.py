"""The way from the stream to the logits, known by the loss."""

from itertools import pairwise

import libcst as cst
import libcst.matchers as m

from bugforge.mutation import descendants

from ..patterns import (
    CROSS_ENTROPY,
    LAYER_OF_NAME,
    OWN,
    assigned,
    find,
    line,
    root,
)

PLAIN = line(assigned(LAYER_OF_NAME))
"""A layer on a line of its own: x = self.norm(x)."""

WITH_LAYER = m.Call(func=OWN, args=[m.Arg(LAYER_OF_NAME)])
"""A layer behind another: self.head(self.norm(x))."""

CORRECT = """class LM(nn.Module):
    def __init__(self, vocab, width):
        self.norm = nn.LayerNorm(width)
        self.out = nn.Linear(width, vocab, bias=False)

    def forward(self, x, targets):
        logits = self.out(self.norm(x))
        return F.cross_entropy(logits.flatten(0, 1), targets.flatten())
"""
LOOK_ALIKE = """class Block(nn.Module):
    def __init__(self, width):
        self.norm = nn.LayerNorm(width)
        self.out = nn.Linear(width, 4 * width, bias=False)

    def forward(self, x):
        hidden = self.out(self.norm(x))
        return F.gelu(hidden)
"""


def head(definition: cst.ClassDef) -> cst.Call | None:
    """Give the call whose result a class gives to the cross-entropy as logits: of the head on the
    layer before it, or on a name.
    """
    for function in find(definition, m.FunctionDef()):
        for loss in find(function, CROSS_ENTROPY):
            assert isinstance(loss, cst.Call)
            logits = root(loss.args[0].value)
            for assign in find(function, assigned(WITH_LAYER | LAYER_OF_NAME)):
                assert isinstance(assign, cst.Assign)
                assert isinstance(assign.value, cst.Call)
                if root(assign.targets[0].target) == logits:
                    return assign.value
    return None


def line_before(definition: cst.ClassDef, call: cst.Call) -> cst.SimpleStatementLine | None:
    """Give the line right before the statement that holds the head, where it puts a norm that the
    class makes on what the head reads: x = self.norm(x).
    """
    for block in find(definition, m.IndentedBlock()):
        assert isinstance(block, cst.IndentedBlock)
        for norming, reading in pairwise(block.body):
            if not m.matches(norming, PLAIN) or not any(n is call for n in descendants(reading)):
                continue
            assert isinstance(norming, cst.SimpleStatementLine)
            assign, layer = norming.body[0], find(norming, LAYER_OF_NAME)[0]
            assert isinstance(assign, cst.Assign)
            assert isinstance(layer, cst.Call)
            assert isinstance(layer.func, cst.Attribute)
            names = {root(part) for part in (assign.targets[0].target, layer.args[0].value)}
            if names == {root(call.args[0].value)} and _makes_norm(definition, layer.func.attr):
                return norming
    return None


def _makes_norm(definition: cst.ClassDef, name: cst.Name) -> bool:
    """Whether a class makes a normalising layer of that name, by itself or in a ModuleDict."""
    made = m.Call(
        func=m.Attribute(attr=m.Name(m.MatchRegex(r".*Norm"))) | m.Name(m.MatchRegex(r".*Norm"))
    )
    own = m.Assign(targets=[m.AssignTarget(m.Attribute(attr=m.Name(name.value)))], value=made)
    return bool(find(definition, own | m.Arg(keyword=m.Name(name.value), value=made)))
