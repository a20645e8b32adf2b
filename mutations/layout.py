"""Expressions put in place of others so that lines stay within bounds."""

from collections.abc import Iterable
from typing import TypeVar

import libcst as cst

from .patterns import LINE_LENGTH, render, swap

Definition = TypeVar("Definition", cst.FunctionDef, cst.ClassDef)

INDENT = 4


def fitted(
    definition: Definition, old: cst.CSTNode, ways: Iterable[cst.CSTNode]
) -> Definition | None:
    """Exchange a part of a definition for the first of its ways that makes no line too long."""
    changed = (swap(definition, old, way) for way in ways)
    return next((written for written in changed if _narrow(written)), None)


def broken(call: cst.Call) -> cst.Call:
    """Write each argument of a call on a line of its own; where it has none, those of the call
    whose result it asks for something.
    """
    func = call.func
    if not call.args and isinstance(func, cst.Attribute) and isinstance(func.value, cst.Call):
        return call.with_changes(func=func.with_changes(value=broken(func.value)))
    arguments = (render(arg.with_changes(comma=cst.MaybeSentinel.DEFAULT)) for arg in call.args)
    lines = "".join(f"{' ' * INDENT}{argument},\n" for argument in arguments)
    new = cst.parse_expression(f"{render(func)}(\n{lines})")
    assert isinstance(new, cst.Call)
    return new


def _narrow(definition: cst.FunctionDef | cst.ClassDef) -> bool:
    """Whether no line of a definition is too long, within a class if it is a method."""
    parameters = definition.params.params if isinstance(definition, cst.FunctionDef) else ()
    around = INDENT if parameters and parameters[0].name.value == "self" else 0
    return all(len(row) <= LINE_LENGTH - around for row in render(definition).splitlines())
