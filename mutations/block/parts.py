"""The sublayers of a block: x = x + self.attn(self.ln_1(x)), and the same for the MLP."""

from collections.abc import Callable
from dataclasses import dataclass
from itertools import pairwise

import libcst as cst
import libcst.matchers as m

from bugforge.mutation import Rewritten

from ..patterns import LAYER_OF_NAME, OWN, assigned, find, line, own_layer, render, swap, with_lines

NORM = m.Call(
    func=m.Attribute(attr=m.Name(m.MatchRegex(r".*Norm"))) | m.Name(m.MatchRegex(r".*Norm"))
)
"""A normalising layer, as it is made."""

NORMED = m.Call(func=OWN, args=[m.Arg(LAYER_OF_NAME, keyword=None)])

SUM = m.BinaryOperation(left=m.Name(), operator=m.Add(), right=NORMED) | m.BinaryOperation(
    left=NORMED, operator=m.Add(), right=m.Name()
)

ADDING = line(assigned(SUM)) | line(m.Return(SUM))
"""The line x = x + self.layer(self.norm(x)), or its sum returned, either way round."""

CORRECT = """class Block(nn.Module):
    def __init__(self, width):
        self.norm_a = nn.LayerNorm(width)
        self.mix = Attention(width)
        self.norm_b = nn.LayerNorm(width)
        self.think = MLP(width)

    def forward(self, x):
        x = x + self.mix(self.norm_a(x))
        x = x + self.think(self.norm_b(x))
        return x
"""
"""An example to mutate."""

FIRST = "        x = x + self.mix(self.norm_a(x))\n"
SECOND = "        x = x + self.think(self.norm_b(x))\n"

POST_NORM = """class Block(nn.Module):
    def __init__(self, width):
        self.norm = nn.LayerNorm(width)
        self.mix = Attention(width)
        self.drop = nn.Dropout(0.1)

    def forward(self, x):
        x = x + self.drop(self.mix(x))
        x = x + self.drop(self.mix(x))
        return self.norm(x)
"""
"""A block of another build, which looks alike."""


@dataclass(frozen=True)
class Sublayer:
    """One line of a block, in the words of the program.

    returned: whether its sum is returned. behind: whether the stream is what the sum ends with.
    """

    line: cst.SimpleStatementLine
    x: str
    layer: str
    norm: str
    returned: bool
    behind: bool


@dataclass(frozen=True)
class Pair:
    """Attention and MLP, one behind the other, at the index `start` of a block of lines."""

    lines: cst.IndentedBlock
    start: int
    sublayers: tuple[Sublayer, Sublayer]


def pair(definition: cst.ClassDef) -> Pair | None:
    """Find the two sublayers of a class, each with a norm of its own."""
    for lines in find(definition, m.IndentedBlock()):
        assert isinstance(lines, cst.IndentedBlock)
        found = [_sublayer(definition, statement) for statement in lines.body]
        for start, (one, other) in enumerate(pairwise(found)):
            if one and other and one.x == other.x and one.norm != other.norm:
                return Pair(lines, start, (one, other))
    return None


def rewritten(*first: str, second: tuple[str, ...] = ()) -> Callable[[cst.ClassDef], Rewritten]:
    """Make a mutation that writes other lines for the first sublayer, the second or both.

    The lines are templates over x, layer, norm, other_norm and `new`, a name not yet in use; no
    templates leave a sublayer as it is. What a template assigns to x is returned where the
    program returns it, and what it adds stands the way round that it had.
    """

    def mutate(definition: cst.ClassDef) -> Rewritten:
        found = pair(definition)
        if found is None:
            return None
        one, other = found.sublayers
        new = next(name for name in ("h", "y", "z", "out") if not find(found.lines, m.Name(name)))
        lines = [
            *_lines(one, first, other_norm=other.norm, new=new),
            *_lines(other, second, other_norm=one.norm, new=new),
        ]
        block = with_lines(found.lines, found.start, found.start + 2, lines)
        return swap(definition, found.lines, block)

    return mutate


def _lines(sublayer: Sublayer, templates: tuple[str, ...], **words: str) -> list[cst.BaseStatement]:
    if not templates:
        return [sublayer.line]
    texts = [template.format(**vars(sublayer), **words) for template in templates]
    if sublayer.returned:
        texts[-1] = f"return {texts[-1].removeprefix(f'{sublayer.x} = ')}"
    statements: list[cst.BaseStatement] = [cst.parse_statement(text) for text in texts]
    if sublayer.behind:
        statements = [_turned(statement) for statement in statements]
    statements[0] = statements[0].with_changes(leading_lines=sublayer.line.leading_lines)
    return statements


def _turned(statement: cst.BaseStatement) -> cst.BaseStatement:
    """Exchange what the first sum or product of a statement is made of."""
    for found in find(statement, m.BinaryOperation(operator=m.Add() | m.Multiply())):
        assert isinstance(found, cst.BinaryOperation)
        return swap(statement, found, found.with_changes(left=found.right, right=found.left))
    return statement


def _sublayer(definition: cst.ClassDef, statement: cst.CSTNode) -> Sublayer | None:
    if not m.matches(statement, ADDING):
        return None
    assert isinstance(statement, cst.SimpleStatementLine)
    small, total = statement.body[0], find(statement, SUM)[0]
    assert isinstance(total, cst.BinaryOperation)
    behind = isinstance(total.right, cst.Name)
    stream, layer = (total.right, total.left) if behind else (total.left, total.right)
    assert isinstance(layer, cst.Call)
    norm = layer.args[0].value
    assert isinstance(norm, cst.Call)
    targets = [small.targets[0].target] if isinstance(small, cst.Assign) else []
    names = {render(name) for name in (*targets, stream, norm.args[0].value)}
    if len(names) != 1 or own_layer(definition, norm.func, NORM) is None:
        return None
    return Sublayer(
        line=statement,
        x=names.pop(),
        layer=render(layer.func),
        norm=render(norm.func),
        returned=not targets,
        behind=behind,
    )
