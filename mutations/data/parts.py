"""How windows are cut into inputs and targets, known by where they are cut."""

from collections.abc import Callable, Sequence
from itertools import pairwise

import libcst as cst
import libcst.matchers as m

from bugforge.mutation import Rewritten

from ..patterns import ALL, MINUS_ONE, assigned, find, line, same, swap, within

FRONT = m.Subscript(
    slice=[
        ALL,
        m.SubscriptElement(m.Slice(lower=None, upper=MINUS_ONE, step=None)),
        m.ZeroOrMore(ALL),
    ]
)
BACK = m.Subscript(
    slice=[
        ALL,
        m.SubscriptElement(m.Slice(lower=m.Integer("1"), upper=None, step=None)),
        m.ZeroOrMore(ALL),
    ]
)
SHIFTED = m.Tuple(elements=[m.Element(FRONT), m.Element(BACK)])
"""What to predict from and what to predict: windows[:, :-1], windows[:, 1:]."""

FIRST, SECOND = line(assigned(FRONT)), line(assigned(BACK))
"""The same on two lines."""

WINDOW = m.Subscript(
    value=m.Name(),
    slice=[m.SubscriptElement(m.Slice(lower=m.Name(), upper=m.BinaryOperation(), step=None))],
)
WINDOW_LATER = m.Subscript(
    value=m.Name(),
    slice=[
        m.SubscriptElement(
            m.Slice(
                lower=m.BinaryOperation(m.Name(), m.Add(), m.Integer("1")),
                upper=m.BinaryOperation(),
                step=None,
            )
        )
    ],
)
WINDOWS = within(
    line(assigned(m.Call(args=[m.Arg(m.ListComp()), m.ZeroOrMore()]))),
    line(assigned(m.Call(args=[m.Arg(m.ListComp()), m.ZeroOrMore()]))),
)
"""Windows cut one by one: x = stack([data[i : i + n] for i in ix]), and y likewise from i + 1."""

CORRECT = "def draw(windows):\n    return windows[:, :-1], windows[:, 1:]\n"
OTHERS = (
    "def split(windows):\n    return windows[:, :1], windows[:, 1:]\n",
    "def crop(windows):\n    return windows[:-1], windows[1:]\n",
    "def steps(x):\n    return x[:, 1:] - x[:, :-1]\n",
    "def pair(x, y):\n    a = x[:, :-1]\n    b = y[:, 1:]\n    return a, b\n",
)

Reside = Callable[[cst.Subscript], cst.BaseExpression]
"""Makes an expression of the inputs."""


def with_inputs(remake: Reside) -> Callable[[cst.FunctionDef], Rewritten]:
    """Make a mutation that cuts a window into other inputs."""
    return _with_side(0, remake)


def with_targets(remake: Reside) -> Callable[[cst.FunctionDef], Rewritten]:
    """Make a mutation that makes other targets, of the inputs."""
    return _with_side(1, remake)


def _with_side(side: int, remake: Reside) -> Callable[[cst.FunctionDef], Rewritten]:
    def mutate(function: cst.FunctionDef) -> Rewritten:
        found = sides(function)
        return None if found is None else swap(function, found[side], remake(found[0]))

    return mutate


def sides(function: cst.FunctionDef) -> tuple[cst.Subscript, cst.Subscript] | None:
    """Find the one pair of inputs and targets that a function cuts, in one line or in two."""
    holders: list[Sequence[cst.CSTNode]] = [
        pair.elements for pair in find(function, SHIFTED) if isinstance(pair, cst.Tuple)
    ]
    for block in find(function, m.IndentedBlock()):
        assert isinstance(block, cst.IndentedBlock)
        holders += [
            pair for pair in pairwise(block.body) if all(map(m.matches, pair, (FIRST, SECOND)))
        ]
    if len(holders) != 1:
        return None
    one, other = holders[0]
    front, back = find(one, FRONT)[0], find(other, BACK)[0]
    assert isinstance(front, cst.Subscript)
    assert isinstance(back, cst.Subscript)
    return (front, back) if same(front.value, back.value) else None
