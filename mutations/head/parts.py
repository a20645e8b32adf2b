"""The way from the stream to the logits, known by the loss."""

from dataclasses import dataclass
from itertools import pairwise

import libcst as cst
import libcst.matchers as m

from ..patterns import (
    CROSS_ENTROPY,
    LAYER_OF_NAME,
    OWN,
    assigned,
    find,
    line,
    root,
)

READING = m.Call(func=OWN, args=[m.Arg(m.Name() | LAYER_OF_NAME, keyword=None)])
"""A layer that reads a name or another layer: self.head(x), self.head(self.norm(x))."""

NORMED_ANEW = line(assigned(LAYER_OF_NAME))
"""A line in which a layer reads a name: x = self.norm(x)."""

MADE_NORM = m.Call(
    func=m.Attribute(attr=m.Name(m.MatchRegex(r".*Norm"))) | m.Name(m.MatchRegex(r".*Norm"))
)

TIE = line(
    m.Assign(
        [m.AssignTarget(m.Attribute(OWN, m.Name("weight")))], m.Attribute(OWN, m.Name("weight"))
    )
)
"""self.head.weight = self.embedding.weight"""

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
    """Give the call whose result a class gives to the cross-entropy as logits."""
    for function in find(definition, m.FunctionDef()):
        for loss in find(function, CROSS_ENTROPY):
            assert isinstance(loss, cst.Call)
            logits = root(loss.args[0].value)
            for assign in find(function, assigned(READING)):
                assert isinstance(assign, cst.Assign)
                assert isinstance(assign.value, cst.Call)
                if root(assign.targets[0].target) == logits:
                    return assign.value
    return None


@dataclass(frozen=True)
class Norm:
    """The layer whose result the head reads.

    lines, at: the block of lines and the index at which it has a line of its own, if it has one.
    """

    call: cst.Call
    lines: cst.IndentedBlock | None = None
    at: int = 0


def norm(definition: cst.ClassDef) -> Norm | None:
    """Find the layer before the head: in the head's line, or a norm in the one before."""
    call = head(definition)
    if call is None:
        return None
    read = call.args[0].value
    if isinstance(read, cst.Call):
        return Norm(read)
    for lines in find(definition, m.IndentedBlock()):
        assert isinstance(lines, cst.IndentedBlock)
        for at, (before, statement) in enumerate(pairwise(lines.body)):
            if call in find(statement, READING) and m.matches(before, NORMED_ANEW):
                assign = cst.ensure_type(find(before, m.Assign())[0], cst.Assign)
                layer = cst.ensure_type(assign.value, cst.Call)
                names = (assign.targets[0].target, layer.args[0].value, read)
                if len({root(name) for name in names}) == 1 and _makes_norm(definition, layer):
                    return Norm(layer, lines, at)
    return None


def _makes_norm(definition: cst.ClassDef, layer: cst.Call) -> bool:
    """Whether a class makes that layer as a norm, by itself or in a ModuleDict."""
    name = m.Name(cst.ensure_type(layer.func, cst.Attribute).attr.value)
    own = m.Assign(targets=[m.AssignTarget(m.Attribute(attr=name))], value=MADE_NORM)
    return bool(find(definition, own | m.Arg(keyword=name, value=MADE_NORM)))
