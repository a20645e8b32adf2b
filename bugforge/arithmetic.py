"""Arithmetic as text: what an answer is worked out by, and what a learner may answer with."""

import ast
import math
import operator
from collections.abc import Callable, Mapping

BINARY: dict[type[ast.operator], Callable[[float, float], float]] = {
    ast.Add: operator.add,
    ast.Sub: operator.sub,
    ast.Mult: operator.mul,
    ast.Div: operator.truediv,
    ast.FloorDiv: operator.floordiv,
    ast.Pow: operator.pow,
}
UNARY: dict[type[ast.unaryop], Callable[[float], float]] = {
    ast.UAdd: operator.pos,
    ast.USub: operator.neg,
}
FUNCTIONS: dict[str, Callable[[float], float]] = {
    "ceil": math.ceil,
    "exp": math.exp,
    "ln": math.log,
    "log": math.log,
    "log2": math.log2,
    "sqrt": math.sqrt,
}
"""Of one number. `log` is the natural one, as in Python."""


def worked_out(text: str, values: Mapping[str, float]) -> float:
    """Work out an expression over some values: numbers, + - * / // **, brackets and FUNCTIONS.

    All is done in floating point, so that no expression takes long. Raises ValueError where it is
    none of this, or has no value.
    """
    try:
        value = _value(ast.parse(text.strip(), mode="eval").body, values)
    except (ArithmeticError, MemoryError, RecursionError, SyntaxError, TypeError) as error:
        message = f"{text!r} has no value"
        raise ValueError(message) from error
    if not math.isfinite(value):
        message = f"{text!r} has no finite value"
        raise ValueError(message)
    return value


def _value(node: ast.expr, values: Mapping[str, float]) -> float:
    match node:
        case ast.Constant(value=int() | float() as number):
            return float(number)
        case ast.Name(id=name) if name in values:
            return float(values[name])
        case ast.BinOp(left=left, op=op, right=right) if type(op) in BINARY:
            return float(BINARY[type(op)](_value(left, values), _value(right, values)))
        case ast.UnaryOp(op=op, operand=operand) if type(op) in UNARY:
            return UNARY[type(op)](_value(operand, values))
        case ast.Call(func=ast.Name(id=name), args=[argument], keywords=[]) if name in FUNCTIONS:
            return float(FUNCTIONS[name](_value(argument, values)))
    message = "only arithmetic can be worked out"
    raise ValueError(message)
