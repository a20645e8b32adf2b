"""Shapes around an optimizer."""

import libcst as cst
import libcst.matchers as m

from ..patterns import find

MADE = m.Call(
    func=m.Attribute(value=m.Attribute(attr=m.Name("optim"))),
    args=[m.Arg(), m.ZeroOrMore()],
)
"""An optimizer of torch's: torch.optim.AdamW(parameters, ...)."""


def on_one_line(call: cst.Call) -> cst.Call:
    """Write a call's arguments one behind the other."""
    between = cst.Comma(whitespace_after=cst.SimpleWhitespace(" "))
    last = len(call.args) - 1
    args = [
        arg.with_changes(
            comma=cst.MaybeSentinel.DEFAULT if i == last else between,
            whitespace_after_arg=cst.SimpleWhitespace(""),
        )
        for i, arg in enumerate(call.args)
    ]
    return call.with_changes(args=args, whitespace_before_args=cst.SimpleWhitespace(""))


def groups_of(optimizer: str) -> m.Attribute:
    """Match the parameter groups of an optimizer."""
    return m.Attribute(value=m.Name(optimizer), attr=m.Name("param_groups"))


WARM = m.Return(
    m.BinaryOperation(
        left=m.BinaryOperation(operator=m.Multiply()), operator=m.Divide(), right=m.Attribute()
    )
)
"""A rate on its way up: return rate * (step + 1) / steps."""

AROUND_COSINE = m.BinaryOperation(
    operator=m.Add(), right=m.Call(func=m.Attribute(attr=m.Name("cos")))
)
"""A rate on its way down, in part: 1 + math.cos(x)."""

LR = m.SubscriptElement(m.Index(m.SimpleString(m.MatchRegex(r"""["']lr["']"""))))
EACH_GROUP = m.For(
    target=m.Name(),
    iter=m.Attribute(value=m.Name(), attr=m.Name("param_groups")),
    body=m.IndentedBlock(
        [m.SimpleStatementLine([m.Assign([m.AssignTarget(m.Subscript(m.Name(), [LR]))])])]
    ),
)
"""for group in optimizer.param_groups: group["lr"] = ..."""

SCHEDULE = """def rate(step, config):
    if step < config.warmup:
        return config.lr * (step + 1) / config.warmup
    done = (step - config.warmup) / max(1, config.steps - config.warmup)
    return config.lr * 0.5 * (1 + math.cos(math.pi * done))
"""
"""An example to mutate."""

LOOP = """def train(config, opt):
    for step in range(config.steps):
        for group in opt.param_groups:
            group["lr"] = rate(step, config)
        learn(opt)
"""
"""An example to mutate."""

STEPS_OF_CONFIG = m.Call(func=m.Name("range"), args=[m.Arg(m.Attribute())])
"""range(config.steps)"""


def asks_for_rates(loop: cst.For) -> list[cst.Call]:
    """List what a loop over the steps of a configuration asks about its step, where it sets
    something for every group of an optimizer.
    """
    step = loop.target
    groups = find(loop.body, m.Attribute(attr=m.Name("param_groups")))
    if not isinstance(step, cst.Name) or not groups or not m.matches(loop.iter, STEPS_OF_CONFIG):
        return []
    asked = m.Call(func=m.Name(), args=[m.Arg(m.Name(step.value)), m.ZeroOrMore()])
    return [cst.ensure_type(call, cst.Call) for call in find(loop.body, asked)]
