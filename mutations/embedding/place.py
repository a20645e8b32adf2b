"""The place where positions are added to tokens: rows of a table, or counted and looked up."""

from collections.abc import Callable
from dataclasses import dataclass

import libcst as cst
import libcst.matchers as m

from bugforge.mutation import Rewritten, descendants

from ..patterns import (
    LAYER_OF_NAME,
    assigned,
    find,
    line,
    render,
    root,
    swap,
    uses,
    with_lines,
)
from .table import LENGTH, PLACED

LOOKED_UP = m.BinaryOperation(left=LAYER_OF_NAME, operator=m.Add(), right=LAYER_OF_NAME)
"""Tokens with counted positions added: self.tok_emb(idx) + self.pos_emb(positions)."""

COUNT = m.Call(
    func=m.Attribute(attr=m.Name("arange")),
    args=[m.Arg(LENGTH, keyword=None), m.ZeroOrMore(m.Arg(keyword=m.Name()))],
)
"""Positions, counted: torch.arange(idx.size(1), device=idx.device)."""

CORRECT = "def forward(self, idx):\n    return self.tokens(idx) + self.table[: idx.size(1)]\n"
"""An example to mutate."""


@dataclass(frozen=True)
class Place:
    """Where a block of lines adds positions to tokens.

    at: the index of the line. total: the sum. counted: the call that counts positions which are
    looked up; None where rows are cut.
    """

    lines: cst.IndentedBlock
    at: int
    total: cst.BinaryOperation
    counted: cst.Call | None

    def words(self) -> dict[str, str]:
        """Give what templates are filled with, in the words of the program.

        tokens: what is embedded. table: what holds the positions. length: how many there are.
        rows: how many rows the batch has, written alike. Where positions are counted, library is
        what counts (`torch`), and options what that is given besides, with a comma before it.
        """
        tokens = render(cst.ensure_type(self.total.left, cst.Call).args[0].value)
        if self.counted is None:
            cut = cst.ensure_type(self.total.right, cst.Subscript)
            table, length = cut.value, find(find(cut, m.Slice())[0], LENGTH)[0]
        else:
            table = cst.ensure_type(self.total.right, cst.Call).func
            length = self.counted.args[0].value
        options = self.counted.args[1:] if self.counted else []
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
        counting = [i for i, own in enumerate(self.lines.body) if self.counted in find(own, COUNT)]
        lines = self.with_total(new)
        for index in counting:
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
                return Place(lines, at, total, None)
            counted = _counted(lines, at, total) if m.matches(total, LOOKED_UP) else None
            if counted:
                return Place(lines, at, total, counted)
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


def _counted(lines: cst.IndentedBlock, at: int, total: cst.BinaryOperation) -> cst.Call | None:
    """Give the call that counts the positions in a sum, which nothing else may need."""
    name = root(cst.ensure_type(total.right, cst.Call).args[0].value)
    for statement in lines.body[:at]:
        if m.matches(statement, line(assigned(COUNT))):
            assign = cst.ensure_type(find(statement, m.Assign())[0], cst.Assign)
            if root(assign.targets[0].target) == name and uses(lines, name) == 1:
                return cst.ensure_type(assign.value, cst.Call)
    return None
