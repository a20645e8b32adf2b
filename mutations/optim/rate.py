"""The learning rate is zero, or goes the wrong way."""

import libcst as cst
import libcst.matchers as m

from bugforge.mutation import Form, Mutation, Rewritten

from ..patterns import find, fits, swap, uses
from .parts import AROUND_COSINE, LOOP, MADE, SCHEDULE, WARM, asks_for_rates

HALF = m.BinaryOperation(
    left=m.BinaryOperation(operator=m.Multiply(), right=m.Float("0.5")),
    operator=m.Multiply(),
    right=AROUND_COSINE,
)
HALVED = m.BinaryOperation(
    left=m.BinaryOperation(operator=m.Multiply(), right=AROUND_COSINE),
    operator=m.Divide(),
    right=m.Integer("2"),
)
"""A rate on its way down: rate * 0.5 * (1 + math.cos(x)), or rate * (1 + math.cos(x)) / 2."""

OPTIMIZER = """def build(model, rate):
    return torch.optim.AdamW(model.parameters(), lr=rate)
"""


def floored(function: cst.FunctionDef) -> Rewritten:
    """Divide a rate without a remainder, both where it rises and where it falls."""
    rising = find(function, WARM)
    falling = [*find(function, HALF), *find(function, HALVED)]
    if len(rising) != 1 or len(falling) != 1:
        return None
    warm, half = rising[0], falling[0]
    assert isinstance(warm, cst.Return)
    assert isinstance(warm.value, cst.BinaryOperation)
    assert isinstance(half, cst.BinaryOperation)
    function = swap(function, warm.value, warm.value.with_changes(operator=cst.FloorDivide()))
    if m.matches(half, HALVED):
        return swap(function, half, half.with_changes(operator=cst.FloorDivide()))
    times = half.left
    assert isinstance(times, cst.BinaryOperation)
    two = times.with_changes(operator=cst.FloorDivide(), right=cst.Integer("2"))
    return swap(function, times, two)


def at_its_end(loop: cst.For) -> Rewritten:
    """Ask for the rate of the last step instead of that of the step at hand."""
    asking = asks_for_rates(loop)
    step = cst.ensure_type(loop.target, cst.Name).value if asking else ""
    if not asking or uses(loop.body, step) != 1:
        return None
    last = cst.ensure_type(loop.iter, cst.Call).args[0].value
    asked = swap(loop, asking[0].args[0].value, last)
    return asked.with_changes(target=cst.Name("_"))


def negated(backward: cst.Call) -> Rewritten:
    """Compute the gradient of minus the loss."""
    assert isinstance(backward.func, cst.Attribute)
    loss = cst.UnaryOperation(
        cst.Minus(), backward.func.value, lpar=[cst.LeftParen()], rpar=[cst.RightParen()]
    )
    return backward.with_changes(func=backward.func.with_changes(value=loss))


def maximized(function: cst.FunctionDef) -> Rewritten:
    """Tell an optimizer to climb."""
    for call in find(function, MADE):
        assert isinstance(call, cst.Call)
        *others, last = call.args
        equal = cst.AssignEqual(cst.SimpleWhitespace(""), cst.SimpleWhitespace(""))
        behind = cst.Comma(whitespace_after=cst.SimpleWhitespace(" "))
        climb = cst.Arg(cst.Name("True"), keyword=cst.Name("maximize"), equal=equal)
        # What stands behind the last argument, a line's end perhaps, goes on standing there.
        args = [
            *others,
            last.with_changes(comma=behind, whitespace_after_arg=cst.SimpleWhitespace("")),
            climb.with_changes(comma=last.comma, whitespace_after_arg=last.whitespace_after_arg),
        ]
        climbing = swap(function, call, call.with_changes(args=args))
        return climbing if fits(climbing) else None
    return None


class LrStuckAtZero(Mutation):
    """The learning rate is zero at every step.

    What it does: The schedule divides without a remainder, so that every rate below 1 becomes 0;
    or it is asked for the rate of the last step, which is 0, at each.

    Why it is wrong: A step of length 0 moves nothing, however good its direction.

    How it shows: The loss does not fall. It only wavers from batch to batch.

    How to find it: Print the rate in the optimizer's groups at every step.

    Other right fixes: Any schedule that rises from near 0 to the rate of the configuration and
    falls again; by hand or by a scheduler.
    """

    id = "lr-stuck-at-zero"
    bug_class = "training-step"
    stage = "optim"
    difficulty = "easy"
    visibility = "flat"
    provenance = ("measured",)
    hints = (
        "Nothing is learned at all.",
        "The gradients are right and the optimizer steps. How far?",
        "Print the rate at every step.",
    )
    killed_by = frozenset({"schedule", "training-moves"})
    forms = (
        Form(
            "floored",
            m.FunctionDef(),
            floored,
            correct=SCHEDULE,
            buggy="""def rate(step, config):
    if step < config.warmup:
        return config.lr * (step + 1) // config.warmup
    done = (step - config.warmup) / max(1, config.steps - config.warmup)
    return config.lr // 2 * (1 + math.cos(math.pi * done))
""",
        ),
        Form(
            "at-its-end",
            m.For(),
            at_its_end,
            correct=LOOP,
            buggy="""def train(config, opt):
    for _ in range(config.steps):
        for group in opt.param_groups:
            group["lr"] = rate(config.steps, config)
        learn(opt)
""",
        ),
    )
    untouched = (
        "def middle(box, config):\n    return box.left * (box.n + 1) / config.width\n",
        ("def count(config, rows):\n    for i in range(config.rows):\n        show(i, rows)\n"),
    )


class LrSign(Mutation):
    """The weights climb the loss instead of descending it.

    What it does: The optimizer is told to maximize, or is handed the gradient of minus the loss.

    Why it is wrong: Each step makes the right token less likely than it was.

    How it shows: The loss rises from the first steps on, far above that of guessing.

    How to find it: The loss of one batch must fall when one small step is taken on that batch.

    Other right fixes: Minimize the loss, or maximize minus the loss, but not one of each.
    """

    id = "lr-sign"
    bug_class = "training-step"
    stage = "optim"
    difficulty = "easy"
    visibility = "flat"
    provenance = ("nothinglo/Deep-Photo-Enhancer#57",)
    hints = (
        "Look at where the curve goes.",
        "Compare the loss of one batch before and after a step on that same batch.",
        "In which direction is a step to go?",
    )
    killed_by = frozenset({"update"})
    forms = (
        Form(
            "maximize",
            m.FunctionDef(),
            maximized,
            correct=OPTIMIZER,
            buggy=OPTIMIZER.replace("lr=rate", "lr=rate, maximize=True"),
        ),
        Form(
            "minus-loss",
            m.Call(func=m.Attribute(value=m.Name(), attr=m.Name("backward")), args=[]),
            negated,
            correct="def learn(opt, loss):\n    loss.backward()\n    opt.step()\n",
            buggy="def learn(opt, loss):\n    (-loss).backward()\n    opt.step()\n",
            inside=m.Call(func=m.Attribute(attr=m.Name("step"))),
            killed_by=frozenset({"gradient", "gradient-flow"}),
        ),
    )
    untouched = (
        "def probe(score, x):\n    score.backward()\n    return x.grad\n",
        "def fit(points):\n    return scipy.optimize.minimize(points)\n",
    )
