"""The place where positions are added to tokens: rows of a table, or counted and looked up."""

from collections.abc import Callable
from dataclasses import dataclass

import libcst as cst
import libcst.matchers as m

from bugforge.mutation import Rewritten, descendants

from ..patterns import (
    LAYER_OF_NAME,
    OWN,
    assigned,
    find,
    line,
    render,
    root,
    swap,
    target,
    uses,
    with_lines,
)
from .table import LENGTH, PLACED

COUNT = m.Call(
    func=m.Attribute(attr=m.Name("arange")),
    args=[
        m.ZeroOrOne(m.Arg(m.Integer("0"), keyword=None)),
        m.Arg(LENGTH, keyword=None),
        m.ZeroOrMore(m.Arg(keyword=m.Name())),
    ],
)
"""Positions, counted: torch.arange(idx.size(1), device=idx.device)."""

LOOKUP = m.Call(func=OWN, args=[m.Arg(m.Name() | COUNT, keyword=None)])
"""Rows of a table, by their numbers: self.pos_emb(positions)."""

LOOKED_UP = m.BinaryOperation(
    left=LAYER_OF_NAME | m.Name(), operator=m.Add(), right=LOOKUP | m.Name()
)
"""Tokens with counted positions added: self.tok_emb(idx) + self.pos_emb(positions), where either
may have a name.
"""

CORRECT = "def forward(self, idx):\n    return self.tokens(idx) + self.table[: idx.size(1)]\n"
"""An example to mutate."""


@dataclass(frozen=True)
class Place:
    """Where a block of lines adds positions to tokens.

    at: the index of the line. total: the sum. tokens, positions: what is added, also where the sum
    names it only. counted: the call that counts positions which are looked up; None where rows are
    cut.
    """

    lines: cst.IndentedBlock
    at: int
    total: cst.BinaryOperation
    tokens: cst.Call
    positions: cst.Call | cst.Subscript
    counted: cst.Call | None = None

    def words(self) -> dict[str, str]:
        """Give what templates are filled with, in the words of the program.

        tokens: what is embedded. table: what holds the positions. length: how many there are.
        rows: how many rows the batch has, written alike. Where positions are counted, library is
        what counts (`torch`), and options what that is given besides, with a comma before it.
        """
        tokens = render(self.tokens.args[0].value)
        counts = self.counted.args if self.counted else []
        options = [
            arg.with_changes(comma=cst.MaybeSentinel.DEFAULT)
            for arg in counts
            if arg.keyword is not None
        ]
        if isinstance(self.positions, cst.Subscript):
            table = self.positions.value
            length = find(find(self.positions, m.Slice())[0], LENGTH)[0]
        else:
            table, length = self.positions.func, counts[len(counts) - len(options) - 1].value
        axis = find(length, m.Integer())
        return {
            "tokens": tokens,
            "table": render(table),
            "length": render(length),
            "rows": render(swap(length, axis[0], cst.Integer("0")))
            if axis
            else f"{tokens}.size(0)",
            "library": root(self.counted) if self.counted else "",
            "options": "".join(f", {render(option)}" for option in options),
        }

    def adding(self, template: str) -> cst.BaseExpression:
        """Give a sum of the tokens and something else."""
        words = self.words()
        added = template.format(**words)
        if words["length"].isidentifier():  # formatters set a plain bound closer
            added = added.replace(" :]", ":]")
        return self.total.with_changes(right=cst.parse_expression(added))

    def counting(self, counted: cst.Call, template: str) -> cst.IndentedBlock:
        """Give the lines with positions counted otherwise."""
        new = cst.parse_expression(template.format(**self.words()))
        return swap(self.lines, counted, new)

    def with_total(self, new: cst.BaseExpression) -> cst.IndentedBlock:
        """Give the lines with something else in place of the sum."""
        return swap(self.lines, self.total, new)

    def uncounted(self, new: cst.BaseExpression) -> cst.IndentedBlock:
        """Give the lines with a sum that needs no counted positions, and without these."""
        idle = [
            i
            for i, own in enumerate(self.lines.body[: self.at])
            if self.counted in find(own, COUNT) or self.positions in find(own, LOOKUP)
        ]
        lines = self.with_total(new)
        for index in reversed(idle):
            lines = with_lines(lines, index, index + 1, [])
        return lines


def place(lines: cst.IndentedBlock) -> Place | None:
    """Find where a block adds positions to tokens, in one of its own lines."""
    for at, statement in enumerate(lines.body):
        if not isinstance(statement, cst.SimpleStatementLine):
            continue
        for total in descendants(statement):
            if not isinstance(total, cst.BinaryOperation):
                continue
            if m.matches(total, PLACED):
                tokens = cst.ensure_type(total.left, cst.Call)
                return Place(lines, at, total, tokens, cst.ensure_type(total.right, cst.Subscript))
            found = _looked_up(lines, at, total) if m.matches(total, LOOKED_UP) else None
            if found:
                return found
    return None


def placed(cut: str, counted: str = "") -> Callable[[cst.IndentedBlock], Rewritten]:
    """Make a mutation that adds other positions.

    cut: a template of what is added in place of rows of a table. counted: a template of what
    counts, where positions are looked up; without one, that is no site.
    """

    def mutate(lines: cst.IndentedBlock) -> Rewritten:
        found = place(lines)
        if found is None:
            return None
        if found.counted is None:
            return found.with_total(found.adding(cut))
        return found.counting(found.counted, counted) if counted else None

    return mutate


def _looked_up(lines: cst.IndentedBlock, at: int, total: cst.BinaryOperation) -> Place | None:
    """Give the place where positions that are counted are added; nothing else may need them."""
    tokens, positions = (_named(lines, at, side, LOOKUP) for side in (total.left, total.right))
    if tokens is None or positions is None:
        return None
    counted = _named(lines, at, positions.args[0].value, COUNT)
    if counted is None or _named(lines, at, tokens.args[0].value, COUNT):
        return None
    return Place(lines, at, total, tokens, positions, counted)


def _named(
    lines: cst.IndentedBlock, at: int, value: cst.BaseExpression, shape: m.Call
) -> cst.Call | None:
    """Give the call of that shape that a value is, or that it names and is alone to need."""
    if isinstance(value, cst.Call):
        return value if m.matches(value, shape) else None
    name = root(value)
    for statement in lines.body[:at]:
        if m.matches(statement, line(assigned(shape))) and target(statement) == name:
            assign = cst.ensure_type(find(statement, m.Assign())[0], cst.Assign)
            return cst.ensure_type(assign.value, cst.Call) if uses(lines, name) == 1 else None
    return None
