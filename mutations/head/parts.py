"""The way from the stream to the logits, known by the loss."""

import libcst as cst
import libcst.matchers as m

from ..patterns import (
    CROSS_ENTROPY,
    LAYER_OF_NAME,
    OWN,
    assigned,
    find,
    root,
)

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
    """Give the call whose result a class gives to the cross-entropy as logits."""
    for function in find(definition, m.FunctionDef()):
        for loss in find(function, CROSS_ENTROPY):
            assert isinstance(loss, cst.Call)
            logits = root(loss.args[0].value)
            for assign in find(function, assigned(WITH_LAYER)):
                assert isinstance(assign, cst.Assign)
                assert isinstance(assign.value, cst.Call)
                if root(assign.targets[0].target) == logits:
                    return assign.value
    return None
