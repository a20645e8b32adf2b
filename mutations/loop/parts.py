"""The lines of a training step, known by what they call."""

from collections.abc import Callable
from dataclasses import dataclass

import libcst as cst
import libcst.matchers as m

from bugforge.mutation import Rewritten

from ..patterns import find, line, moved, root, swap, uses, with_lines

Place = Callable[["Update"], int]


def calling(method: str) -> m.SimpleStatementLine:
    """Match a line that calls this method of something named, and does nothing else."""
    return line(m.Expr(m.Call(func=m.Attribute(value=m.Name(), attr=m.Name(method)))))


ZERO_GRAD = calling("zero_grad")
BACKWARD = calling("backward")
STEP = calling("step")
ANY_CLIP = m.Call(func=m.Attribute(attr=m.Name(m.MatchRegex(r"clip_grad_\w+"))))
CLIP = line(m.Expr(ANY_CLIP))

ANY_BACKWARD = line(m.Expr(m.Call(func=m.Attribute(attr=m.Name("backward")))))
ANY_STEP = line(m.Expr(m.Call(func=m.Attribute(attr=m.Name("step")))))
GATHERING = m.For(body=m.IndentedBlock(body=[m.ZeroOrMore(), ANY_BACKWARD, m.ZeroOrMore()]))
"""A loop that accumulates gradients, of a loss that may be scaled."""

CORRECT = """def learn(model, opt, x, y):
    loss = model(x, y)
    opt.zero_grad()
    loss.backward()
    nn.utils.clip_grad_norm_(model.parameters(), 1.0)
    opt.step()
    return loss.item()
"""
"""An example to mutate."""

FORWARD_LINE = "    loss = model(x, y)\n"
ZERO_GRAD_LINE = "    opt.zero_grad()\n"
BACKWARD_LINE = "    loss.backward()\n"
CLIP_LINE = "    nn.utils.clip_grad_norm_(model.parameters(), 1.0)\n"
STEP_LINE = "    opt.step()\n"

OTHERS = (
    "def play(env, policy):\n    action = policy(env.state)\n    env.step(action)\n",
    "def probe(model, x):\n    score = model(x).sum()\n    score.backward()\n    return x.grad\n",
)
"""Code that calls the same methods for something else."""


def example(*lines: str) -> str:
    """Write the example with its lines in another order, or with fewer."""
    return "".join(("def learn(model, opt, x, y):\n", *lines, "    return loss.item()\n"))


@dataclass(frozen=True)
class Update:
    """Where the lines of a training step stand in their block; clip is None where none is.

    Where gradients are accumulated, forward and backward are both the loop that does it.
    """

    forward: int
    zero_grad: int
    backward: int
    clip: int | None
    step: int


def update(block: cst.IndentedBlock, *, cleared_anywhere: bool = False) -> Update | None:
    """Find one whole training step: forward, zero_grad, backward, clip, step, in this order.

    cleared_anywhere: whether zero_grad may also come first, or last.
    """
    zero_grad, clip = (_where(block, shape) for shape in (ZERO_GRAD, CLIP))
    backward = _where(block, BACKWARD) or _loops(block, BACKWARD)
    if len(zero_grad) != 1 or len(backward) != 1 or len(clip) > 1:
        return None
    optimizer = _receiver(block.body[zero_grad[0]])
    loss = _receiver(find(block.body[backward[0]], BACKWARD)[0])
    stepping = _where(block, STEP)
    own = [i for i in stepping if _receiver(block.body[i]) == optimizer]
    steps = own or stepping  # it may be the model that is cleared
    last = backward[0] + isinstance(block.body[backward[0]], cst.For)
    forwards = [i for i in range(last) if loss in _targets(block.body[i])]
    if len(steps) != 1 or not forwards:
        return None
    order = [forwards[-1], *zero_grad, backward[0], *clip, steps[0]]
    orders = [order]
    if cleared_anywhere:
        rest = [place for place in order if place != zero_grad[0]]
        orders += [[*zero_grad, *rest], [*rest, *zero_grad]]
    if not any(order == sorted(order) for order in orders):
        return None
    return Update(forwards[-1], zero_grad[0], backward[0], clip[0] if clip else None, steps[0])


def scaled(block: cst.IndentedBlock) -> Update | None:
    """Find a training step of scaled gradients, which `update` does not know: zero_grad, a loop
    that accumulates, a clipping that may be in question, a scaler's step; or zero_grad last.
    """
    loops, steps = _where(block, GATHERING), _where(block, ANY_STEP)
    zero_grad = _where(block, ZERO_GRAD)
    clips = [i for i, statement in enumerate(block.body) if find(statement, ANY_CLIP)]
    if not len(loops) == len(steps) == len(zero_grad) == 1 or len(clips) > 1:
        return None
    order = [*loops, *clips, *steps]
    if order != sorted(order) or loops[0] < zero_grad[0] < steps[0]:
        return None
    if update(block, cleared_anywhere=True):
        return None
    return Update(loops[0], zero_grad[0], loops[0], clips[0] if clips else None, steps[0])


def without(place: Place, *, needed: bool = False) -> Callable[[cst.IndentedBlock], Rewritten]:
    """Make a mutation that removes one line of a training step.

    needed: whether what the line calls must be used elsewhere in the block, lest it be left idle.
    """

    def mutate(block: cst.IndentedBlock) -> Rewritten:
        found = update(block, cleared_anywhere=True) or scaled(block)
        if found is None or isinstance(block.body[place(found)], cst.For):
            return None
        removed = block.body[place(found)]
        left = with_lines(block, place(found), place(found) + 1, [])
        return None if needed and not uses(left, _receiver(removed)) else left

    return mutate


def without_backward(block: cst.IndentedBlock) -> Rewritten:
    """Remove the backward of a training step, be it of a scaled loss in a loop."""
    found = scaled(block)
    if found is None:
        return without(lambda update: update.backward)(block)
    loop = cst.ensure_type(block.body[found.backward], cst.For)
    inner = cst.ensure_type(loop.body, cst.IndentedBlock)
    at = _where(inner, ANY_BACKWARD)[0]
    return swap(block, inner, with_lines(inner, at, at + 1, []))


def putting(
    line_: Place, before: Place, *, also_scaled: bool = False
) -> Callable[[cst.IndentedBlock], Rewritten]:
    """Make a mutation that moves one line of a training step in front of another place.

    also_scaled: whether the step may be one of scaled gradients.
    """

    def mutate(block: cst.IndentedBlock) -> Rewritten:
        found = update(block) or (scaled(block) if also_scaled else None)
        if found is None or isinstance(block.body[line_(found)], cst.For):
            return None
        return moved(block, line_(found), before(found))

    return mutate


def putting_clip(before: Place) -> Callable[[cst.IndentedBlock], Rewritten]:
    """Make a mutation that moves the clipping, where there is one."""

    def mutate(block: cst.IndentedBlock) -> Rewritten:
        found = update(block, cleared_anywhere=True) or scaled(block)
        if found is None or found.clip is None:
            return None
        return moved(block, found.clip, before(found))

    return mutate


def _where(block: cst.IndentedBlock, shape: m.BaseMatcherNode) -> list[int]:
    return [i for i, statement in enumerate(block.body) if m.matches(statement, shape)]


def _loops(block: cst.IndentedBlock, shape: m.BaseMatcherNode) -> list[int]:
    return [i for i, s in enumerate(block.body) if isinstance(s, cst.For) and find(s, shape)]


def _receiver(statement: cst.CSTNode) -> str:
    return root(find(statement, m.Call())[0])


def _targets(statement: cst.CSTNode) -> set[str]:
    return {
        name.value
        for target in find(statement, m.AssignTarget())
        for name in find(target, m.Name())
        if isinstance(name, cst.Name)
    }
