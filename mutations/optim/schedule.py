"""The schedule gives rates that it should not give."""

import libcst as cst
import libcst.matchers as m

from bugforge.mutation import Form, Mutation, Rewritten

from ..patterns import find, swap
from .parts import AROUND_COSINE, SCHEDULE, WARM

COUNTED = m.BinaryOperation(left=m.Name(), operator=m.Add(), right=m.Integer("1"))
RISING = m.Return(
    m.BinaryOperation(
        left=m.BinaryOperation(operator=m.Multiply(), right=COUNTED),
        operator=m.Divide(),
        right=m.Attribute(),
    )
)
"""return rate * (step + 1) / steps"""

WARMING = m.If(
    test=m.Comparison(left=m.Name(), comparisons=[m.ComparisonTarget(m.LessThan())]),
    body=m.IndentedBlock([m.SimpleStatementLine([RISING])]),
    orelse=None,
)
"""if step < steps: return rate * (step + 1) / steps"""

WARM_LINE = "        return config.lr * (step + 1) / config.warmup\n"
OTHERS = (
    "def middle(box, config):\n    return box.left * (box.n + 1) / config.width\n",
    (
        "def share(row, rows):\n"
        "    if row < rows.count:\n"
        "        return rows.height * row / rows.count\n"
        "    return rows.height\n"
    ),
    "def wave(x):\n    return 1 - math.cos(x)\n",
)


def at_full_rate(rising: cst.Return) -> cst.Return:
    """Give the whole rate at once."""
    return rising.with_changes(value=_whole(rising))


def unwarmed(_: cst.If) -> Rewritten:
    """Remove the branch that warms up."""
    return cst.RemoveFromParent()


def multiplied(rising: cst.Return) -> cst.Return:
    """Multiply by the length of the warm-up instead of dividing."""
    value = cst.ensure_type(rising.value, cst.BinaryOperation)
    return rising.with_changes(value=value.with_changes(operator=cst.Multiply()))


def one_divided(rising: cst.Return) -> cst.Return:
    """Divide the one that is added to the step, and not the step."""
    value = cst.ensure_type(rising.value, cst.BinaryOperation)
    times = cst.ensure_type(value.left, cst.BinaryOperation)
    counted = cst.ensure_type(times.right, cst.BinaryOperation)
    divided = counted.with_changes(right=value.with_changes(left=counted.right))
    return rising.with_changes(value=times.with_changes(right=divided))


def rising_again(function: cst.FunctionDef) -> Rewritten:
    """Take the cosine away from one instead of adding it."""
    around = find(function, AROUND_COSINE)
    if not find(function, WARM) or len(around) != 1:
        return None
    sum_ = cst.ensure_type(around[0], cst.BinaryOperation)
    return swap(function, sum_, sum_.with_changes(operator=cst.Subtract()))


def _whole(rising: cst.Return) -> cst.BaseExpression:
    value = cst.ensure_type(rising.value, cst.BinaryOperation)
    return cst.ensure_type(value.left, cst.BinaryOperation).left


class WarmupMissing(Mutation):
    """The learning rate does not warm up.

    What it does: The first step already has the whole rate, or nearly: the schedule gives it
    where it should give a share, or goes without a warm-up.

    Why it is wrong: At first Adam has seen too few gradients to know their size, and nothing is
    where it should be; so steps of the whole rate go far, and anywhere. A large model may never
    come back from there.

    How it shows: Not in a model so small, which comes back at once.

    How to find it: Print the rate in the optimizer's groups at the first steps.

    Other right fixes: Any warm-up over the steps of the configuration, by hand or by a scheduler,
    along a line or not, from nothing or from a share.
    """

    id = "warmup-missing"
    bug_class = "training-step"
    stage = "optim"
    difficulty = "hard"
    visibility = "invisible"
    provenance = ("facebookresearch/ParlAI#4242", "facebookresearch/ParlAI#4384")
    hints = (
        "Nothing in the curve shows it; in a large model it would.",
        "How far does the very first step go?",
        "Print the rate at each of the first steps, and compare with the configuration.",
    )
    killed_by = frozenset({"schedule"})
    forms = (
        Form(
            "whole",
            RISING,
            at_full_rate,
            correct=SCHEDULE,
            buggy=SCHEDULE.replace(WARM_LINE, "        return config.lr\n"),
            inside=AROUND_COSINE,
        ),
        Form(
            "no-branch",
            WARMING,
            unwarmed,
            correct=SCHEDULE,
            buggy=SCHEDULE.replace("    if step < config.warmup:\n" + WARM_LINE, ""),
            inside=AROUND_COSINE,
        ),
    )
    untouched = OTHERS


class LrWrongMagnitude(Mutation):
    """The learning rate is many times too large while it warms up.

    What it does: The warm-up multiplies by its length instead of dividing by it, or divides only
    the one that it adds to the step.

    Why it is wrong: Steps that are many times too long carry the weights to where gradients say
    nothing any more, and from there no later step finds back.

    How it shows: The loss stays high, or leaps far above that of guessing in the first steps.

    How to find it: Print the rate in the optimizer's groups at every step, and hold the greatest
    against the configuration.

    Other right fixes: Any schedule that rises to the rate of the configuration and falls again; by
    hand or by a scheduler.
    """

    id = "lr-wrong-magnitude"
    bug_class = "training-step"
    stage = "optim"
    difficulty = "medium"
    visibility = "plateau"
    provenance = ("facebookresearch/ParlAI#4242",)
    hints = (
        "It moves, and not to where it should.",
        "The gradients are right. How far does a step go along them?",
        "Print the rate at every step, and hold the greatest against the configuration.",
    )
    killed_by = frozenset({"schedule"})
    forms = (
        Form(
            "multiplied",
            RISING,
            multiplied,
            correct=SCHEDULE,
            buggy=SCHEDULE.replace("1) / config", "1) * config"),
            inside=AROUND_COSINE,
        ),
        Form(
            "one-divided",
            RISING,
            one_divided,
            correct=SCHEDULE,
            buggy=SCHEDULE.replace("1) / config.warmup", "1 / config.warmup)"),
            inside=AROUND_COSINE,
        ),
    )
    untouched = OTHERS


class LrDecayInverted(Mutation):
    """The learning rate falls to nothing behind the warm-up, and rises to the end.

    What it does: The cosine of the decay is taken away from one instead of being added to it.

    Why it is wrong: The decay begins where it should end. The last steps are the longest ones, and
    the weights tremble around the goal when training stops.

    How it shows: The loss stands still early, and is restless at the end; the sample has letters
    wrong as often as not.

    How to find it: Print the rate in the optimizer's groups right behind the warm-up and at the
    last step.

    Other right fixes: Any decay that begins at the rate of the configuration and ends low; along a
    cosine, a line, or otherwise; by hand or by a scheduler.
    """

    id = "lr-decay-inverted"
    bug_class = "training-step"
    stage = "optim"
    difficulty = "hard"
    visibility = "decode"
    provenance = ("facebookresearch/ParlAI#4242",)
    hints = (
        "It never comes to rest.",
        "When are the steps short, and when are they long?",
        "Print the rate right behind the warm-up, and at the last step.",
    )
    killed_by = frozenset({"schedule"})
    forms = (
        Form(
            "subtracted",
            m.FunctionDef(),
            rising_again,
            correct=SCHEDULE,
            buggy=SCHEDULE.replace("1 + math", "1 - math"),
        ),
    )
    untouched = OTHERS
