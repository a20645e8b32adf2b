"""Shapes around an optimizer."""

import libcst as cst
import libcst.matchers as m

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
