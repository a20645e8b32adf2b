"""Shapes of code that several mutations look for, as matchers and small makers of nodes."""

import re
from collections.abc import Iterator, Sequence
from typing import TypeVar, cast

import libcst as cst
import libcst.matchers as m

from bugforge.mutation import descendants, exchanged, having

Node = TypeVar("Node", bound=cst.CSTNode)

LINE_LENGTH = 100

MINUS_INF = (
    m.Call(
        func=m.Name("float"),
        args=[m.Arg(m.SimpleString("'-inf'") | m.SimpleString('"-inf"'))],
    )
    | m.UnaryOperation(operator=m.Minus(), expression=m.Attribute(attr=m.Name("inf")))
    | m.UnaryOperation(operator=m.Minus(), expression=m.Call(func=m.Name("float")))
)
"""Minus infinity, as programs write it: float("-inf"), -math.inf, -float("inf")."""

TRANSPOSED = m.Call(func=m.Attribute(attr=m.Name("transpose"))) | m.Attribute(
    attr=m.Name("mT") | m.Name("T")
)
"""A tensor with two axes exchanged."""

MATMUL = m.Attribute(attr=m.Name("matmul"))

SCORES = (
    m.BinaryOperation(operator=m.MatrixMultiply(), right=TRANSPOSED)
    | m.Call(func=MATMUL, args=[m.Arg(), m.Arg(TRANSPOSED)])
    | m.Call(
        func=m.Attribute(attr=m.Name("einsum")),
        args=[
            m.Arg(m.SimpleString(m.MatchRegex(r"""["'](\w*)(\w),(\w*)\2->(?!\w*\2)\w+["']"""))),
            m.Arg(),
            m.Arg(),
        ],
    )
)
"""Attention scores: the queries times the transposed keys, or the sum over what both end in."""

SOFTMAX = m.Call(func=m.Attribute(attr=m.Name("softmax")))
"""A softmax, as a function or as a method."""

CROSS_ENTROPY = m.Call(
    func=m.Attribute(attr=m.Name("cross_entropy")), args=[m.Arg(), m.Arg(), m.ZeroOrMore()]
)
"""A cross-entropy of logits and targets."""

OWN = m.Attribute(value=m.Name("self") | m.Attribute(value=m.Name("self")))
"""Something that belongs to the module: self.something, or self.parts.something."""

LAYER_OF_NAME = m.Call(func=OWN, args=[m.Arg(m.Name(), keyword=None)])
"""A layer at work on a plain name: self.layer(x)."""

LINEAR = m.Call(
    func=m.Attribute(attr=m.Name("Linear")) | m.Name("Linear"),
    args=[m.Arg(), m.Arg(), m.ZeroOrMore()],
)
"""A linear layer of a given width in and out."""

MINUS_ONE = m.UnaryOperation(operator=m.Minus(), expression=m.Integer("1"))

ALL = m.SubscriptElement(m.Slice(lower=None, upper=None, step=None))
"""An axis taken whole: the first colon of x[:, 1:]."""


def assigned(value: m.BaseMatcherNode) -> m.Assign:
    """Match a value that is assigned to one plain name."""
    return m.Assign(targets=[m.AssignTarget(m.Name())], value=cast("m.BaseExpression", value))


def line(statement: m.BaseMatcherNode) -> m.SimpleStatementLine:
    """Match a line that holds this one statement."""
    return m.SimpleStatementLine(body=[cast("m.BaseSmallStatement", statement)])


def within(*lines: m.SimpleStatementLine) -> m.IndentedBlock:
    """Match a block in which these lines stand one right behind the other."""
    return m.IndentedBlock(body=[m.ZeroOrMore(), *lines, m.ZeroOrMore()])


def render(node: cst.CSTNode) -> str:
    """Write a node as text."""
    return cst.Module([]).code_for_node(node)


def same(one: cst.CSTNode, other: cst.CSTNode) -> bool:
    """Whether two nodes are the same code."""
    return one.deep_equals(other)


def find(node: cst.CSTNode, shape: m.BaseMatcherNode) -> list[cst.CSTNode]:
    """All nodes of that shape inside, the outer before the inner."""
    return list(having(descendants(node), shape))


def root(node: cst.CSTNode) -> str:
    """Name the variable that a chain such as x[0].y(z) begins with; empty where there is none."""
    while not isinstance(node, cst.Name):
        if isinstance(node, cst.Attribute | cst.Subscript):
            node = node.value
        elif isinstance(node, cst.Call):
            node = node.func
        else:
            return ""
    return node.value


def uses(node: cst.CSTNode, name: str) -> int:
    """Count how often a name is read inside; attributes and keywords of that name don't count."""
    not_names = {
        id(part)
        for found in find(node, m.Attribute() | m.Arg() | m.AssignTarget() | m.Param())
        for part in (
            getattr(found, "attr", None),
            getattr(found, "keyword", None),
            getattr(found, "target", None),
            getattr(found, "name", None),
        )
    }
    return sum(id(found) not in not_names for found in find(node, m.Name(name)))


def target(statement: cst.CSTNode) -> str:
    """Name what a line assigns to."""
    assign = find(statement, m.AssignTarget())[0]
    assert isinstance(assign, cst.AssignTarget)
    return root(assign.target)


def softmaxed(softmax: cst.Call) -> cst.BaseExpression:
    """Give what a softmax reads: x of F.softmax(x, dim=-1) and of x.softmax(-1)."""
    first = softmax.args[0]
    if first.keyword is None and not m.matches(first.value, m.UnaryOperation() | m.Integer()):
        return first.value
    assert isinstance(softmax.func, cst.Attribute)
    return softmax.func.value


def swap(node: Node, old: cst.CSTNode, new: cst.CSTNode) -> Node:
    """Return the node with a part of it exchanged; the other parts stay the very same nodes."""
    replaced = exchanged(node, old, new)
    assert isinstance(replaced, type(node))
    return replaced


def with_argument(call: cst.Call, position: int, value: str) -> cst.Call:
    """Return the call with another expression as its argument at `position`."""
    args = list(call.args)
    args[position] = args[position].with_changes(value=cst.parse_expression(value))
    return call.with_changes(args=args)


def with_lines(
    block: cst.IndentedBlock, start: int, end: int, lines: Sequence[cst.BaseStatement]
) -> cst.IndentedBlock:
    """Return the block with other lines in place of those from `start` to before `end`."""
    return block.with_changes(body=[*block.body[:start], *lines, *block.body[end:]])


def moved(block: cst.IndentedBlock, source: int, target: int) -> cst.IndentedBlock:
    """Return the block with the line at index `source` put before the one at index `target`."""
    lines = [*block.body[:target], block.body[source], *block.body[target:]]
    del lines[source + (source >= target)]
    return block.with_changes(body=lines)


def index_of(block: cst.IndentedBlock, shape: m.BaseMatcherNode) -> int:
    """Give the index of the first line in the block that has the shape."""
    return next(i for i, statement in enumerate(block.body) if m.matches(statement, shape))


def retold(statement: cst.SimpleStatementLine, shape: str) -> cst.SimpleStatementLine:
    """Return the line with its comment, if it has one, saying no more than a shape.

    A line with another shape than its comment said would give the bug away.
    """
    if statement.trailing_whitespace.comment is None:
        return statement
    return statement.with_deep_changes(statement.trailing_whitespace.comment, value=f"# {shape}")


def told_shape(statement: cst.SimpleStatementLine) -> str:
    """Read the shape that the line's comment begins with; empty where it tells none."""
    comment = statement.trailing_whitespace.comment
    found = re.match(r"# (\([^()]*\))", comment.value) if comment else None
    return found[1] if found else ""


def fits(definition: cst.ClassDef | cst.FunctionDef) -> bool:
    """Whether no line of a class, or of a function of a module's, is too long."""
    return all(len(row) <= LINE_LENGTH for row in cst.Module([definition]).code.splitlines())


def own_layer(definition: cst.ClassDef, layer: cst.CSTNode, shape: m.Call) -> cst.Call | None:
    """Give the call of that shape with which a class makes its layer: self.layer = Linear(...)."""
    for assignment in find(definition, m.Assign(targets=[m.AssignTarget(OWN)], value=shape)):
        assert isinstance(assignment, cst.Assign)
        assert isinstance(assignment.value, cst.Call)
        if same(assignment.targets[0].target, layer):
            return assignment.value
    return None


def without_idle(code: Node, name: str) -> Node:
    """Take out the lines that give a value to a name, if nothing reads it any more."""
    while not uses(code, name):
        idle = next(_idle(code, name), None)
        if idle is None:
            break
        block, lines = idle
        code = swap(code, block, block.with_changes(body=lines))
    return code


def _idle(
    code: cst.CSTNode, name: str
) -> Iterator[tuple[cst.IndentedBlock, list[cst.BaseStatement]]]:
    giving = line(m.Assign(targets=[m.AssignTarget(m.Name(name))]))
    for block in find(code, m.IndentedBlock()):
        assert isinstance(block, cst.IndentedBlock)
        lines = [statement for statement in block.body if not m.matches(statement, giving)]
        if len(lines) < len(block.body):
            yield block, lines
