"""The learned table of positions, known by how it is used."""

from collections.abc import Callable
from dataclasses import dataclass

import libcst as cst
import libcst.matchers as m

from bugforge.mutation import Rewritten

from ..patterns import (
    LAYER_OF_NAME,
    OWN,
    assigned,
    find,
    fits,
    line,
    render,
    root,
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

NUMBERS = m.Call(func=m.Attribute(attr=m.Name("arange")))
COUNTED = assigned(NUMBERS)
"""The positions by number: pos = torch.arange(0, t)."""

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


def place_of(function: cst.FunctionDef) -> cst.BinaryOperation | None:
    """Find where a function adds positions to tokens: rows of a table to what a layer makes of
    the tokens, or what another makes of the positions by number.
    """
    for place in find(function, PLACED):
        assert isinstance(place, cst.BinaryOperation)
        return place
    looked_up = [name for name, call in _layers(function).items() if _counts(function, call)]
    for place in find(function, m.BinaryOperation(operator=m.Add())):
        assert isinstance(place, cst.BinaryOperation)
        left, right = place.left, place.right
        is_layer = m.matches(left, LAYER_OF_NAME) or root(left) in _layers(function)
        if is_layer and _counts(function, left) is None:
            if isinstance(right, cst.Name) and right.value in looked_up:
                return place
            if m.matches(right, LAYER_OF_NAME) and _counts(function, right) is not None:
                return place
    return None


def counted(function: cst.FunctionDef) -> cst.Call | None:
    """Give the call that numbers the positions which a function looks up in a table."""
    place = place_of(function)
    if place is None or m.matches(place, PLACED):
        return None
    right = place.right
    return _counts(function, _layers(function).get(root(right), right))


def _layers(function: cst.FunctionDef) -> dict[str, cst.CSTNode]:
    """Give what a function calls what a layer makes of a name, by that name."""
    return {
        root(assign.targets[0].target): assign.value
        for assign in find(
            function, assigned(m.Call(func=OWN, args=[m.Arg(m.Name() | NUMBERS, keyword=None)]))
        )
        if isinstance(assign, cst.Assign)
    }


def _counts(function: cst.FunctionDef, call: cst.CSTNode) -> cst.Call | None:
    """Give the arange that a layer's call reads, there or by its name."""
    inline = find(call, NUMBERS)
    for counting in inline or [
        find(assign, NUMBERS)[0]
        for assign in find(function, COUNTED)
        if isinstance(assign, cst.Assign)
        and isinstance(call, cst.Call)
        and root(assign.targets[0].target) == root(call.args[0].value)
    ]:
        assert isinstance(counting, cst.Call)
        return counting
    return None


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
