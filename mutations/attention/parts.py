"""The parts of an attention layer, known by what they do and not by their names."""

from dataclasses import dataclass

import libcst as cst
import libcst.matchers as m

from ..patterns import (
    LAYER_OF_NAME,
    LINEAR,
    MATMUL,
    MINUS_INF,
    OWN,
    SCORES,
    SOFTMAX,
    TRANSPOSED,
    assigned,
    find,
    line,
    own_layer,
    root,
)

LOWEST = MINUS_INF | m.Attribute(
    value=m.Call(func=m.Attribute(attr=m.Name("finfo"))), attr=m.Name("min")
)
"""Minus infinity, or the lowest number that a type has."""

FILL = m.Call(
    func=m.Attribute(attr=m.Name("masked_fill") | m.Name("masked_fill_")),
    args=[m.Arg(), m.Arg(LOWEST)],
)
"""The causal mask at work: hidden scores are filled with minus infinity."""

FILL_ANEW = m.Call(
    func=m.Attribute(value=m.Name(), attr=m.Name("masked_fill")),
    args=[m.Arg(), m.Arg(LOWEST)],
)
"""The same on a plain name, giving a new tensor."""

MASKING = line(assigned(FILL_ANEW))
"""The line att = att.masked_fill(..., -inf)."""

SOFTMAXING = line(assigned(SOFTMAX))
"""The line att = softmax(att)."""

ROOT = m.Call(func=m.Attribute(attr=m.Name("sqrt")))

SCALED = m.BinaryOperation(left=SCORES, operator=m.Divide(), right=ROOT) | m.BinaryOperation(
    left=SCORES,
    operator=m.Multiply(),
    right=m.BinaryOperation(m.Integer("1") | m.Float("1.0"), m.Divide(), ROOT),
)
"""Scores divided by the root of something: / math.sqrt(d), or * (1.0 / math.sqrt(d))."""

HEADS_EXCHANGED = m.Call(
    func=m.Attribute(attr=m.Name("transpose")),
    args=[m.Arg(m.Integer("1")), m.Arg(m.Integer("2"))],
) | m.Call(
    func=m.Attribute(attr=m.Name("permute")),
    args=[m.Arg(m.Integer(axis)) for axis in "0213"],
)
"""Heads and positions exchanged."""

MERGED = m.Call(
    func=m.Attribute(
        value=m.Call(func=m.Attribute(value=HEADS_EXCHANGED, attr=m.Name("contiguous")), args=[]),
        attr=m.Name("view"),
    ),
    args=[m.Arg(), m.Arg(), m.Arg()],
) | m.Call(
    func=m.Attribute(value=HEADS_EXCHANGED, attr=m.Name("reshape")),
    args=[m.Arg(), m.Arg(), m.Arg()],
)
"""The heads put side by side again: y.transpose(1, 2).contiguous().view(B, T, C)."""


NAMES_MULTIPLIED = m.BinaryOperation(m.Name(), m.MatrixMultiply(), TRANSPOSED) | m.Call(
    func=MATMUL, args=[m.Arg(m.Name()), m.Arg(TRANSPOSED)]
)
"""Scores of two names: q @ k.mT."""

WEIGHTED = m.BinaryOperation(operator=m.MatrixMultiply(), right=m.Name()) | m.Call(
    func=MATMUL, args=[m.Arg(), m.Arg(m.Name())]
)
"""The weights times the values: att @ v."""


OWN_OF_PART = m.Call(func=OWN, args=[m.Arg(m.Subscript(value=m.Name()))])
"""A part of something, handed on to a method: self.split_heads(parts[1])."""


@dataclass(frozen=True)
class Roles:
    """The names that play query, key and value in an attention function."""

    query: str
    key: str
    value: str
    scores: cst.CSTNode


def roles(function: cst.FunctionDef) -> Roles | None:
    """Tell query and key by their places in the scores, the value by what the weights meet."""
    scores = find(function, NAMES_MULTIPLIED)
    weighted = find(function, WEIGHTED)
    if len(scores) != 1 or len(weighted) != 1 or not find(function, SOFTMAX):
        return None
    query, key = factors(scores[0])
    return Roles(root(query), root(key), root(factors(weighted[0])[1]), scores[0])


def factors(product: cst.CSTNode) -> tuple[cst.BaseExpression, cst.BaseExpression]:
    """Give what a matrix product multiplies: a @ b, or torch.matmul(a, b)."""
    if isinstance(product, cst.BinaryOperation):
        return product.left, product.right
    assert isinstance(product, cst.Call)
    return product.args[0].value, product.args[1].value


def maker(function: cst.FunctionDef, name: str) -> cst.Attribute | cst.Subscript | None:
    """Give the layer that makes the tensor of that name, self.key of k = self.key(x); or the part
    of what one layer makes for all, parts[1] of k = self.split_heads(parts[1]).
    """
    for call in made(function, name, LAYER_OF_NAME):
        assert isinstance(call.func, cst.Attribute)
        return call.func
    for call in made(function, name, OWN_OF_PART):
        part = call.args[0].value
        assert isinstance(part, cst.Subscript)
        if made(function, root(part), LAYER_OF_NAME):
            return part
    return None


def made(function: cst.FunctionDef, name: str, shape: m.Call) -> list[cst.Call]:
    """Give the calls of a shape in what is assigned to a name."""
    return [
        call
        for assignment in find(function, m.Assign(targets=[m.AssignTarget(m.Name(name))]))
        for call in find(assignment, shape)
        if isinstance(call, cst.Call)
    ]


def output_projection(definition: cst.ClassDef) -> cst.Call | None:
    """Give the Linear of the layer that is called on what the heads, or the only head, give."""
    for assignment in find(definition, assigned(MERGED | WEIGHTED)):
        assert isinstance(assignment, cst.Assign)
        merged = root(assignment.targets[0].target)
        for call in find(definition, m.Call(func=OWN, args=[m.Arg(m.Name(merged))])):
            assert isinstance(call, cst.Call)
            made = own_layer(definition, call.func, LINEAR)
            if made is not None:
                return made
    return None
