"""The lines of a training step, known by what they call."""

from collections.abc import Callable
from dataclasses import dataclass

import libcst as cst
import libcst.matchers as m

from bugforge.mutation import Rewritten

from ..patterns import find, line, moved, root, swap, with_lines

Place = Callable[["Update"], int]


def calling(method: str) -> m.SimpleStatementLine:
    """Match a line that calls this method of something named, and does nothing else."""
    return line(m.Expr(m.Call(func=m.Attribute(value=m.Name(), attr=m.Name(method)))))


ZERO_GRAD = calling("zero_grad")
BACKWARD = calling("backward")
STEP = calling("step")
CLIP = line(m.Expr(m.Call(func=m.Attribute(attr=m.Name(m.MatchRegex(r"clip_grad_\w+"))))))

ANY_BACKWARD = line(m.Expr(m.Call(func=m.Attribute(attr=m.Name("backward")))))
ANY_STEP = line(m.Expr(m.Call(func=m.Attribute(attr=m.Name("step")))))
ANY_CLIP = m.Call(func=m.Attribute(attr=m.Name(m.MatchRegex(r"clip_grad_\w+"))))
GATHERING = m.For(body=m.IndentedBlock(body=[m.ZeroOrMore(), ANY_BACKWARD, m.ZeroOrMore()]))
"""A loop that adds up the gradients of several batches for one step."""

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
    """Where the lines of a training step stand in their block; clip is None where none is."""

    forward: int
    zero_grad: int
    backward: int
    clip: int | None
    step: int


def update(block: cst.IndentedBlock, *, cleared_anywhere: bool = False) -> Update | None:
    """Find one whole training step: forward, zero_grad, backward, clip, step, in this order.

    cleared_anywhere: whether zero_grad may also come first, or last.
    """
    zero_grad, backward, clip = (_where(block, shape) for shape in (ZERO_GRAD, BACKWARD, CLIP))
    if len(zero_grad) != 1 or len(backward) != 1 or len(clip) > 1:
        return None
    optimizer, loss = (_receiver(block.body[i]) for i in (zero_grad[0], backward[0]))
    stepping = _where(block, STEP)
    own = [i for i in stepping if _receiver(block.body[i]) == optimizer]
    steps = own or stepping  # it may be the model that is cleared
    forwards = [i for i in range(backward[0]) if loss in _targets(block.body[i])]
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


def gathered(block: cst.IndentedBlock) -> Update | None:
    """Find a training step that is taken behind a loop over several batches: zero_grad, the loop,
    clip, step, or zero_grad last. The loop stands for forward and backward.
    """
    loops, steps = _where(block, GATHERING), _where(block, ANY_STEP)
    zero_grad = _where(block, ZERO_GRAD)
    clips = [i for i, statement in enumerate(block.body) if find(statement, ANY_CLIP)]
    if not len(loops) == len(steps) == len(zero_grad) == 1 or len(clips) > 1:
        return None
    order = [*loops, *clips, *steps]
    if order != sorted(order) or loops[0] < zero_grad[0] < steps[0]:
        return None
    return Update(loops[0], zero_grad[0], loops[0], clips[0] if clips else None, steps[0])


def without(place: Place) -> Callable[[cst.IndentedBlock], Rewritten]:
    """Make a mutation that removes one line of a training step."""

    def mutate(block: cst.IndentedBlock) -> Rewritten:
        found = update(block, cleared_anywhere=True) or gathered(block)
        return None if found is None else with_lines(block, place(found), place(found) + 1, [])

    return mutate


def without_backward(block: cst.IndentedBlock) -> Rewritten:
    """Remove the backward of a training step, be it in a loop over several batches."""
    if update(block, cleared_anywhere=True) is None and gathered(block) is not None:
        inner = find(find(block, GATHERING)[0], m.IndentedBlock())[0]
        assert isinstance(inner, cst.IndentedBlock)
        at = _where(inner, ANY_BACKWARD)[0]
        return swap(block, inner, with_lines(inner, at, at + 1, []))
    return without(lambda update: update.backward)(block)


def putting(
    line_: Place, before: Place, *, of_several: bool = False
) -> Callable[[cst.IndentedBlock], Rewritten]:
    """Make a mutation that moves one line of a training step in front of another place.

    of_several: also of one that is taken behind a loop over several batches.
    """

    def mutate(block: cst.IndentedBlock) -> Rewritten:
        found = update(block) or (gathered(block) if of_several else None)
        return None if found is None else moved(block, line_(found), before(found))

    return mutate


def putting_clip(before: Place) -> Callable[[cst.IndentedBlock], Rewritten]:
    """Make a mutation that moves the clipping, where there is one."""

    def mutate(block: cst.IndentedBlock) -> Rewritten:
        found = update(block, cleared_anywhere=True) or gathered(block)
        if found is None or found.clip is None:
            return None
        return moved(block, found.clip, before(found))

    return mutate


def _where(block: cst.IndentedBlock, shape: m.BaseMatcherNode) -> list[int]:
    return [i for i, statement in enumerate(block.body) if m.matches(statement, shape)]


def _receiver(statement: cst.CSTNode) -> str:
    return root(find(statement, m.Call())[0])


def _targets(statement: cst.CSTNode) -> set[str]:
    return {
        name.value
        for target in find(statement, m.AssignTarget())
        for name in find(target, m.Name())
        if isinstance(name, cst.Name)
    }
