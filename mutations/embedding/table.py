"""The learned table of positions, known by how it is used."""

from collections.abc import Callable
from dataclasses import dataclass

import libcst as cst
import libcst.matchers as m

from bugforge.mutation import Rewritten

from ..patterns import (
    LAYER_OF_NAME,
    OWN,
    find,
    fits,
    line,
    render,
    swap,
    with_lines,
)

LENGTH = (
    m.Call(func=m.Attribute(attr=m.Name("size")), args=[m.Arg(m.Integer("1"))])
    | m.Subscript(
        value=m.Attribute(attr=m.Name("shape")),
        slice=[m.SubscriptElement(m.Index(m.Integer("1")))],
    )
    | m.Name()
)
"""The number of positions in the input: idx.size(1), idx.shape[1] or a name for it."""

ROWS = m.Subscript(
    value=OWN,
    slice=[m.SubscriptElement(m.Slice(lower=None, upper=LENGTH, step=None))],
)
"""The first rows of a table: self.pos_emb[: idx.size(1)]."""

PLACED = m.BinaryOperation(left=LAYER_OF_NAME, operator=m.Add(), right=ROWS)
"""Tokens with their positions added: self.tok_emb(idx) + self.pos_emb[: idx.size(1)]."""

DRAWN = m.Call(func=m.Attribute(attr=m.Name("randn")), args=[m.Arg(), m.Arg()])

INITIALISED = m.Assign(
    targets=[m.AssignTarget(OWN)],
    value=m.Call(
        func=m.Attribute(attr=m.Name("Parameter")) | m.Name("Parameter"),
        args=[
            m.Arg(
                m.BinaryOperation(left=m.Float(), operator=m.Multiply(), right=DRAWN)
                | m.BinaryOperation(left=DRAWN, operator=m.Multiply(), right=m.Float())
            )
        ],
    ),
)
"""A table of small random numbers: self.pos_emb = nn.Parameter(0.02 * torch.randn(T, C))."""

CORRECT = """class GPT(nn.Module):
    def __init__(self, length, width):
        self.table = nn.Parameter(0.02 * torch.randn(length, width))

    def forward(self, idx):
        return self.tokens(idx) + self.table[: idx.size(1)]
"""
"""An example to mutate."""

LOOK_ALIKE = """class Classifier(nn.Module):
    def __init__(self, classes, width):
        self.table = nn.Parameter(0.02 * torch.randn(classes, width))

    def forward(self, x):
        return self.body(x) @ self.table.T
"""
"""A parameter that is drawn likewise and is no table of positions."""

SUMS = (
    "def forward(self, x, y):\n    return self.left(x) + self.right(y)\n",
    "def forward(self, x):\n    return x + self.bias[: x.size(1)]\n",
)
"""Sums that look a little like tokens and positions."""


@dataclass(frozen=True)
class Table:
    """Where the table is made, in the words of the program.

    line: the statement. name: the table, such as `self.pos_emb`; attribute: that without self.
    parameter: `nn.Parameter`. shape: both sizes. width: the second of them. scaled: the draw
    with its factor. library: what `randn` belongs to.
    """

    line: cst.SimpleStatementLine
    name: str
    attribute: str
    parameter: str
    shape: str
    width: str
    scaled: str
    library: str


def table(definition: cst.ClassDef) -> Table | None:
    """Find where a class makes the table whose rows it adds to its tokens."""
    added = {
        render(place.right.value)
        for place in find(definition, PLACED)
        if isinstance(place, cst.BinaryOperation) and isinstance(place.right, cst.Subscript)
    }
    for statement in find(definition, line(INITIALISED)):
        assert isinstance(statement, cst.SimpleStatementLine)
        assign, draw = statement.body[0], find(statement, DRAWN)[0]
        assert isinstance(assign, cst.Assign)
        assert isinstance(assign.value, cst.Call)
        assert isinstance(draw, cst.Call)
        assert isinstance(draw.func, cst.Attribute)
        name = render(assign.targets[0].target)
        if name in added:
            return Table(
                line=statement,
                name=name,
                attribute=name.removeprefix("self."),
                parameter=render(assign.value.func),
                shape=", ".join(render(arg.value) for arg in draw.args),
                width=render(draw.args[1].value),
                scaled=render(assign.value.args[0].value),
                library=render(draw.func.value),
            )
    return None


def remade(*statements: str) -> Callable[[cst.ClassDef], Rewritten]:
    """Make a mutation that makes the table by other statements.

    They are templates over the fields of `Table`; where they call something, its arguments get
    lines of their own if the whole would be too long.
    """

    def mutate(definition: cst.ClassDef) -> Rewritten:
        found = table(definition)
        if found is None:
            return None
        texts = [statement.format(**vars(found)) for statement in statements]
        mutant = _with_statements(definition, found.line, texts)
        if fits(mutant):
            return mutant
        return _with_statements(definition, found.line, [wrapped(text) for text in texts])

    return mutate


def wrapped(statement: str) -> str:
    """Put each argument of the outermost call on a line of its own."""
    call = find(cst.parse_statement(statement), m.Call())[0]
    assert isinstance(call, cst.Call)
    args = (arg.with_changes(comma=cst.MaybeSentinel.DEFAULT) for arg in call.args)
    head, _, _ = statement.partition("(")
    return "".join((f"{head}(\n", *(f"    {render(arg)},\n" for arg in args), ")"))


def _with_statements(
    definition: cst.ClassDef, old: cst.SimpleStatementLine, texts: list[str]
) -> cst.ClassDef:
    new = [cst.parse_statement(text) for text in texts]
    new[0] = new[0].with_changes(leading_lines=old.leading_lines)
    for block in find(definition, m.IndentedBlock()):
        assert isinstance(block, cst.IndentedBlock)
        for i, other in enumerate(block.body):
            if other is old:
                return swap(definition, block, with_lines(block, i, i + 1, new))
    return definition
