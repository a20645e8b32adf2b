"""The loss over all positions of all rows, and other expressions in its place."""

from collections.abc import Callable
from dataclasses import dataclass

import libcst as cst
import libcst.matchers as m

from bugforge.mutation import Rewritten, exchanged

from ..patterns import find, render, swap, with_lines

FLAT = m.Call(
    func=m.Attribute(value=m.Name(), attr=m.Name("flatten") | m.Name("reshape") | m.Name("view"))
)
"""A tensor whose rows and positions become one axis."""

TURNED = m.Call(
    func=m.Attribute(value=m.Name(), attr=m.Name("transpose") | m.Name("permute")),
    args=[m.Arg(), m.Arg(), m.ZeroOrMore()],
)
"""Logits with the classes on the second axis."""

OVER_ALL = m.Call(
    func=m.Attribute(attr=m.Name("cross_entropy")), args=[m.Arg(FLAT), m.Arg(FLAT)]
) | m.Call(func=m.Attribute(attr=m.Name("cross_entropy")), args=[m.Arg(TURNED), m.Arg(m.Name())])
"""A cross-entropy of every position of every row, by default the mean."""

CORRECT = (
    "def score(logits, targets):\n"
    "    loss = F.cross_entropy(logits.flatten(0, 1), targets.flatten())\n"
    "    return loss\n"
)
TURNED_CORRECT = CORRECT.replace("flatten(0, 1)", "transpose(1, 2)").replace(".flatten()", "")
"""Examples to mutate."""

OTHERS = (
    "def score(scores, labels):\n    return F.cross_entropy(scores, labels)\n",
    "def score(images, wanted):\n    return F.mse_loss(images.flatten(), wanted.flatten())\n",
    (
        "def score(logits, targets):\n"
        '    return F.cross_entropy(logits.flatten(0, 1), targets.flatten(), reduction="none")\n'
    ),
    (
        "def score(logits, idx):\n"
        "    return F.cross_entropy(logits[:, :-1].flatten(0, 1), idx[:, 1:].flatten())\n"
    ),
)
"""Losses of classes, of numbers, of each place by itself, and one that shifts."""


@dataclass(frozen=True)
class Loss:
    """A cross-entropy of every position, with the names of its logits and targets.

    laid_out: logits as they are given to it. wanted: the targets likewise.
    """

    call: cst.Call
    laid_out: cst.BaseExpression
    wanted: cst.BaseExpression
    logits: cst.Name
    targets: cst.Name

    @property
    def is_turned(self) -> bool:
        """Whether the classes stand on the second axis."""
        return m.matches(self.laid_out, TURNED)

    def of(self, logits: str, targets: str) -> cst.Call:
        """Give a cross-entropy of other expressions for logits and targets."""
        first, second = self.call.args
        return self.call.with_changes(
            args=[
                first.with_changes(value=cst.parse_expression(logits)),
                second.with_changes(value=cst.parse_expression(targets)),
            ]
        )

    def made_of(self, logits: str = "", targets: str = "") -> cst.Call:
        """Give the cross-entropy with other tensors laid out as logits and targets are."""
        return self.of(
            _laid_out(self.laid_out, logits or self.logits.value),
            _laid_out(self.wanted, targets or self.targets.value),
        )

    def told(self, option: str) -> cst.Call:
        """Give the cross-entropy with one more argument."""
        call = cst.parse_expression(f"f(x, {option})")
        assert isinstance(call, cst.Call)
        first, second = self.call.args
        comma = call.args[0].comma
        return self.call.with_changes(args=[first, second.with_changes(comma=comma), call.args[1]])


def loss_of(function: cst.FunctionDef) -> Loss | None:
    """Find the one cross-entropy of every position in a function."""
    calls = find(function, OVER_ALL)
    if len(calls) != 1:
        return None
    call = calls[0]
    assert isinstance(call, cst.Call)
    laid_out, wanted = (arg.value for arg in call.args)
    return Loss(call, laid_out, wanted, _tensor(laid_out), _tensor(wanted))


def rescored(rescore: Callable[[Loss], cst.Call]) -> Callable[[cst.FunctionDef], Rewritten]:
    """Make a mutation of the loss from a function of it."""

    def mutate(function: cst.FunctionDef) -> Rewritten:
        loss = loss_of(function)
        if loss is None:
            return None
        new = rescore(loss)
        return swap(function, loss.call, new)

    return mutate


def in_two_steps(
    name: str, first: Callable[[Loss], cst.Call], second: Callable[[Loss], cst.BaseExpression]
) -> Callable[[cst.FunctionDef], Rewritten]:
    """Make a mutation that names something, on a line before the loss, and makes the loss of it."""

    def mutate(function: cst.FunctionDef) -> Rewritten:
        loss = loss_of(function)
        if loss is None or find(function, m.Name(name)):
            return None
        value = first(loss)
        line = cst.SimpleStatementLine([cst.Assign([cst.AssignTarget(cst.Name(name))], value)])
        return swap(_preceded(function, loss.call, line), loss.call, second(loss))

    return mutate


def _preceded(
    function: cst.FunctionDef, part: cst.CSTNode, line: cst.SimpleStatementLine
) -> cst.FunctionDef:
    """Put a line before the one that holds a part of a function."""
    block, index = next(
        (block, index)
        for block in reversed(find(function, m.IndentedBlock()))
        if isinstance(block, cst.IndentedBlock)
        for index, statement in enumerate(block.body)
        if any(found is part for found in find(statement, m.Call()))
    )
    return swap(function, block, with_lines(block, index, index, [line]))


def _tensor(laid_out: cst.BaseExpression) -> cst.Name:
    """Give the name of a tensor that is laid out in some way, or as it is."""
    if isinstance(laid_out, cst.Name):
        return laid_out
    assert isinstance(laid_out, cst.Call)
    assert isinstance(laid_out.func, cst.Attribute)
    assert isinstance(laid_out.func.value, cst.Name)
    return laid_out.func.value


def _laid_out(layout: cst.BaseExpression, tensor: str) -> str:
    """Lay out a tensor as another one is."""
    return render(exchanged(layout, _tensor(layout), cst.parse_expression(tensor)))
