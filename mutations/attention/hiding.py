"""The lines that hide scores and make shares of them, however they are written."""

from dataclasses import dataclass
from itertools import pairwise
from typing import cast

import libcst as cst
import libcst.matchers as m

from ..patterns import MINUS_INF, SOFTMAX, assigned, find, line, root, softmaxed, target
from .parts import LOWEST


def hiding(value: m.BaseMatcherNode) -> m.BaseMatcherNode:
    """Match what gives scores anew, with a value of that shape where they are hidden."""
    written = m.Arg(cast("m.BaseExpression", value))
    return m.Call(
        func=m.Attribute(value=m.Name(), attr=m.Name("masked_fill")), args=[m.Arg(), written]
    ) | m.Call(func=m.Attribute(attr=m.Name("where")), args=[m.Arg(), m.Arg(m.Name()), written])


HIDING = hiding(LOWEST)
"""Scores hidden: att.masked_fill(~mask, -inf), or torch.where(mask, att, -inf)."""

SHUTTING_OUT = hiding(MINUS_INF)
"""Scores hidden so that a softmax over nothing else is NaN."""


@dataclass(frozen=True)
class Shares:
    """Two lines of a block: one hides scores, and the next makes shares of them.

    at: where the first stands. fill, softmax: the calls in them.
    """

    at: int
    hiding: cst.SimpleStatementLine
    sharing: cst.SimpleStatementLine
    fill: cst.Call
    softmax: cst.Call


def shares(block: cst.IndentedBlock, shape: m.BaseMatcherNode) -> Shares | None:
    """Find where scores are hidden in that shape and given to the softmax, under one name."""
    for at, (one, other) in enumerate(pairwise(block.body)):
        fill, softmax = hidden(one, shape), renewed(other, SOFTMAX)
        if fill is not None and softmax is not None:
            assert isinstance(one, cst.SimpleStatementLine)
            assert isinstance(other, cst.SimpleStatementLine)
            if target(one) == root(softmaxed(softmax)) == target(other):
                return Shares(at, one, other, fill, softmax)
    return None


def hidden(statement: cst.CSTNode, shape: m.BaseMatcherNode) -> cst.Call | None:
    """Give the call of that shape which hides scores in a line that keeps their name."""
    fill = renewed(statement, shape)
    if fill is None:
        return None
    by_choice = m.matches(fill, m.Call(func=m.Attribute(attr=m.Name("where"))))
    scores = fill.args[1].value if by_choice else fill
    return fill if root(scores) == target(statement) else None


def renewed(statement: cst.CSTNode, shape: m.BaseMatcherNode) -> cst.Call | None:
    """Give the call of that shape whose result a line assigns to a plain name."""
    if not m.matches(statement, line(assigned(shape))):
        return None
    call = find(statement, shape)[0]
    assert isinstance(call, cst.Call)
    return call
