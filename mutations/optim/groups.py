"""Groups of parameters are treated as they should not be."""

import libcst as cst
import libcst.matchers as m

from bugforge.mutation import Form, Mutation, Rewritten

from ..patterns import find, same
from .parts import EACH_GROUP

DECAY = m.DictElement(m.SimpleString(m.MatchRegex(r"""["']weight_decay["']""")))
GROUP = m.Dict([m.ZeroOrMore(), DECAY, m.ZeroOrMore()])
GROUPS = m.List([m.Element(GROUP), m.Element(GROUP)])
"""Two groups of parameters, each with a weight decay of its own."""

CORRECT = """groups = [
    {"params": large, "weight_decay": decay},
    {"params": small, "weight_decay": 0.0},
]
"""
OTHERS = (
    'groups = [{"params": large, "lr": rate}, {"params": small, "lr": 0.0}]\n',
    'groups = [{"params": all_, "weight_decay": decay}]\n',
)
RATED = """def train(opt, n):
    groups = [{"params": a, "weight_decay": 0.1}, {"params": b, "weight_decay": 0.0}]
    for step in range(n):
        for group in opt.param_groups:
            group["lr"] = rate(step)
        learn(opt)
"""


def _decays(groups: cst.List) -> tuple[cst.BaseExpression, cst.BaseExpression]:
    one, other = (
        cst.ensure_type(find(element, DECAY)[0], cst.DictElement).value
        for element in groups.elements
    )
    return one, other


def _with_decays(groups: cst.List, one: cst.BaseExpression, other: cst.BaseExpression) -> cst.List:
    decays = zip(_decays(groups), (one, other), strict=True)
    return groups.with_changes(
        elements=[
            element.with_changes(value=element.value.deep_replace(old, new.deep_clone()))
            for element, (old, new) in zip(groups.elements, decays, strict=True)
        ]
    )


def all_decayed(groups: cst.List) -> Rewritten:
    """Give the group without decay that of the other."""
    one, other = _decays(groups)
    if not m.matches(other, m.Float("0.0") | m.Integer("0")) or same(one, other):
        return None
    return _with_decays(groups, one, one)


def exchanged_decays(groups: cst.List) -> Rewritten:
    """Give each group the other's decay."""
    one, other = _decays(groups)
    return None if same(one, other) else _with_decays(groups, other, one)


def first_group(loop: cst.For) -> Rewritten:
    """Set the rate of the first group only."""
    line = cst.ensure_type(loop.body.body[0], cst.SimpleStatementLine)
    assign = cst.ensure_type(line.body[0], cst.Assign)
    target = cst.ensure_type(assign.targets[0].target, cst.Subscript)
    if not m.matches(target.value, m.Name(cst.ensure_type(loop.target, cst.Name).value)):
        return None
    first = cst.Subscript(loop.iter, [cst.SubscriptElement(cst.Index(cst.Integer("0")))])
    changed = assign.with_changes(
        targets=[assign.targets[0].with_changes(target=target.with_changes(value=first))]
    )
    return line.with_changes(body=[changed], leading_lines=loop.leading_lines)


class WdOnNormBias(Mutation):
    """Biases and norms decay like everything else.

    What it does: The group that is to be left alone has the weight decay of the other.

    Why it is wrong: Decay draws a weight towards zero, which for a norm's weight means to switch
    its channel off, and for a bias means nothing good either.

    How it shows: Not in loss and sample.

    How to find it: Print the decay of every group of the optimizer, and whose parameters it holds.

    Other right fixes: A weight decay of zero for all parameters of one dimension.
    """

    id = "wd-on-norm-bias"
    bug_class = "training-step"
    stage = "optim"
    difficulty = "hard"
    visibility = "invisible"
    provenance = ("Lightning-AI/lit-llama#254", "huggingface/transformers#4360")
    hints = (
        "Nothing shows it, but the optimizer knows.",
        "Print what the optimizer holds for every group.",
        "What is the difference between the groups meant to be?",
    )
    killed_by = frozenset({"update"})
    forms = (
        Form(
            "both",
            GROUPS,
            all_decayed,
            correct=CORRECT,
            buggy=CORRECT.replace('"weight_decay": 0.0', '"weight_decay": decay'),
        ),
    )
    untouched = OTHERS


class WdGroupsSwapped(Mutation):
    """Biases and norms decay, and nothing else does.

    What it does: The two groups of parameters have each other's weight decay.

    Why it is wrong: What decay is for, the large matrices, is left alone, and what it harms decays.

    How it shows: Not in loss and sample.

    How to find it: Print the decay of every group of the optimizer, and whose parameters it holds.

    Other right fixes: Exchange the decays, or the parameters.
    """

    id = "wd-groups-swapped"
    bug_class = "training-step"
    stage = "optim"
    difficulty = "hard"
    visibility = "invisible"
    provenance = ("measured",)
    hints = (
        "Nothing shows it, but the optimizer knows.",
        "Print what the optimizer holds for every group.",
        "Which of the groups was meant to decay?",
    )
    killed_by = frozenset({"update"})
    forms = (
        Form(
            "exchanged",
            GROUPS,
            exchanged_decays,
            correct=CORRECT,
            buggy=CORRECT.replace('"weight_decay": decay', '"weight_decay": 0')
            .replace('"weight_decay": 0.0', '"weight_decay": decay')
            .replace('"weight_decay": 0}', '"weight_decay": 0.0}'),
        ),
    )
    untouched = OTHERS


class LrFirstGroupOnly(Mutation):
    """Only the first group of parameters follows the schedule.

    What it does: The rate is set for one group; the others keep the one that they were made with.

    Why it is wrong: Those parameters neither warm up nor come to rest.

    How it shows: Not in loss and sample.

    How to find it: Print the rates of all groups at the first step and at the last.

    Other right fixes: Set the rate of each group, in a loop or by a scheduler.
    """

    id = "lr-first-group-only"
    bug_class = "training-step"
    stage = "optim"
    difficulty = "hard"
    visibility = "invisible"
    provenance = ("measured",)
    hints = (
        "Nothing shows it, but the optimizer knows.",
        "Print what the optimizer holds for every group, early and late.",
        "How many groups does the schedule reach?",
    )
    killed_by = frozenset({"one-rate"})
    forms = (
        Form(
            "first",
            EACH_GROUP,
            first_group,
            correct=RATED,
            buggy=RATED.replace("        for group in opt.param_groups:\n", "").replace(
                '            group["lr"]', '        opt.param_groups[0]["lr"]'
            ),
            beside=GROUPS,
        ),
    )
    untouched = (RATED.replace('{"params": b, "weight_decay": 0.0}', ""),)
