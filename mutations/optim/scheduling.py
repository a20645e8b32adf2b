"""The schedule is right, and does not reach the optimizer as it should."""

from collections.abc import Callable

import libcst as cst
import libcst.matchers as m

from bugforge.mutation import Form, Mutation, Rewritten

from ..patterns import render, root, swap
from .parts import EACH_GROUP, LOOP, asks_for_rates

BATCH_SIZE = m.AnnAssign(target=m.Name("batch_size"))
"""A field of a configuration."""

CONFIG = "class Config:\n    batch_size: int = 8\n\n\n"
COUNTING = "def count(config, rows):\n    for i in range(config.rows):\n        show(i, rows)\n"


def to_defaults(loop: cst.For) -> Rewritten:
    """Set what an optimizer gives to groups that are yet to come."""
    defaults = cst.Attribute(cst.Name(root(loop.iter)), cst.Name("defaults"))
    line = _line(loop)
    changed = _setting(line, lambda target: target.with_changes(value=defaults))
    return None if changed is None else changed.with_changes(leading_lines=loop.leading_lines)


def as_initial(loop: cst.For) -> Rewritten:
    """Set the rate that a group is said to have begun with."""
    key = cst.SubscriptElement(cst.Index(cst.SimpleString('"initial_lr"')))
    line = _line(loop)
    changed = _setting(line, lambda target: target.with_changes(slice=[key]))
    return None if changed is None else swap(loop, line, changed)


def _line(loop: cst.For) -> cst.SimpleStatementLine:
    return cst.ensure_type(loop.body.body[0], cst.SimpleStatementLine)


def _setting(
    line: cst.SimpleStatementLine, change: Callable[[cst.Subscript], cst.Subscript]
) -> cst.SimpleStatementLine | None:
    target = cst.ensure_type(line.body[0], cst.Assign).targets[0].target
    subscript = cst.ensure_type(target, cst.Subscript)
    return swap(line, subscript, change(subscript))


def counted(operator: str) -> Callable[[cst.For], Rewritten]:
    """Make a mutation that asks for the rate of a step in another unit.

    operator: between the step and the number of rows in a batch.
    """

    def mutate(loop: cst.For) -> Rewritten:
        for call in asks_for_rates(loop):
            steps = cst.ensure_type(loop.iter, cst.Call).args[0].value
            config = cst.ensure_type(steps, cst.Attribute).value
            step = call.args[0].value
            asked = f"{render(step)} {operator} {render(config)}.batch_size"
            return swap(loop, step, cst.parse_expression(asked))
        return None

    return mutate


class SchedulerNeverApplied(Mutation):
    """The schedule is computed and the optimizer never follows it.

    What it does: At each step the scheduled rate is written to a place where the optimizer does
    not look: its defaults, or the rate that a group is said to have begun with.

    Why it is wrong: A step goes as far as its group's `lr` says. The rate neither warms up, nor
    does it decay, so that the last steps go on trembling around the goal.

    How it shows: The loss is restless to the end, and the sample has letters wrong as often as
    not.

    How to find it: Print the rate in the optimizer's groups at the first step and at the last.

    Other right fixes: Set `lr` of each group at each step, or hand the schedule to one of torch's
    schedulers and step it behind each step of the optimizer.
    """

    id = "scheduler-never-applied"
    bug_class = "training-step"
    stage = "optim"
    difficulty = "hard"
    visibility = "decode"
    provenance = ("facebookresearch/ParlAI#4384",)
    hints = (
        "It never comes to rest.",
        "Which rate does the optimizer use, at the first step and at the last?",
        "Is what the schedule gives put where the optimizer reads it?",
    )
    killed_by = frozenset({"schedule"})
    forms = (
        Form(
            "defaults",
            EACH_GROUP,
            to_defaults,
            correct=LOOP,
            buggy="""def train(config, opt):
    for step in range(config.steps):
        opt.defaults["lr"] = rate(step, config)
        learn(opt)
""",
        ),
        Form(
            "initial",
            EACH_GROUP,
            as_initial,
            correct=LOOP,
            buggy=LOOP.replace('"lr"', '"initial_lr"'),
        ),
    )
    untouched = (
        'def show(opt):\n    for group in opt.param_groups:\n        print(group["lr"])\n',
        (
            "def still(opt):\n"
            "    for group in opt.param_groups:\n"
            '        group["weight_decay"] = 0.0\n'
        ),
    )


class SchedWrongUnit(Mutation):
    """The schedule counts steps, and is told of rows or of something like epochs.

    What it does: The step is multiplied by the size of a batch before the schedule is asked for
    its rate, or divided by it.

    Why it is wrong: The lengths of the warm-up and of the whole training are counted in steps. In
    another unit both are over at once, and the cosine goes on beyond its end, up and down; or they
    never end, and the rate is still warming up at the last step.

    How it shows: The loss comes down late or unevenly, and the sample has letters wrong as often
    as not.

    How to find it: Print the rate in the optimizer's groups at every step. Where is it greatest?

    Other right fixes: Count everything in steps; or everything in rows, the warm-up and the
    training, too.
    """

    id = "sched-wrong-unit"
    bug_class = "training-step"
    stage = "optim"
    difficulty = "medium"
    visibility = "decode"
    provenance = ("espnet/espnet#3319", "ScrollPrize/villa#1495")
    hints = (
        "The pace is not what the configuration says.",
        "Print the rate at every step: when is it greatest, and how does it end?",
        "In which unit is the schedule asked, and in which are its lengths?",
    )
    killed_by = frozenset({"schedule"})
    forms = (
        Form(
            "rows",
            m.For(),
            counted("*"),
            correct=CONFIG + LOOP,
            buggy=CONFIG + LOOP.replace("rate(step", "rate(step * config.batch_size"),
            beside=BATCH_SIZE,
        ),
        Form(
            "epochs",
            m.For(),
            counted("//"),
            correct=CONFIG + LOOP,
            buggy=CONFIG + LOOP.replace("rate(step", "rate(step // config.batch_size"),
            beside=BATCH_SIZE,
        ),
    )
    untouched = (LOOP, CONFIG + COUNTING)
