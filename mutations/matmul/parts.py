"""Shapes of code that kinds of a matrix product look for, and the code of their examples."""

import libcst as cst
import libcst.matchers as m

from ..patterns import TRANSPOSED

TURNED = TRANSPOSED | m.Call(func=m.Attribute(attr=m.Name("swapaxes")))
"""A matrix whose axes are exchanged."""

OF_A = m.BinaryOperation(left=m.Name(), operator=m.MatrixMultiply(), right=TURNED)
"""The gradient of the left operand: grad @ b.mT."""

OF_B = m.BinaryOperation(left=TURNED, operator=m.MatrixMultiply(), right=m.Name())
"""The gradient of the right operand: a.mT @ grad."""

EXTRA = m.BinaryOperation(
    left=m.Call(func=m.Attribute(attr=m.Name("dim") | m.Name("ndim")), args=[]),
    operator=m.Subtract(),
    right=m.Call(func=m.Name("len"), args=[m.Arg(m.Name())]),
)
"""How many axes a gradient has beside those of its operand: grad.dim() - len(shape)."""

SUM_KEPT = m.Call(
    func=m.Attribute(attr=m.Name("sum")),
    args=[m.Arg(keyword=m.Name("dim")), m.Arg(m.Name("True"), keyword=m.Name("keepdim"))],
)
"""A sum over axes that stay: grad.sum(dim=stretched, keepdim=True)."""

SUM_LEADING = m.Call(
    func=m.Attribute(attr=m.Name("sum")),
    args=[m.Arg(m.Call(func=m.Name("tuple")), keyword=m.Name("dim"))],
)
"""A sum over the first axes: grad.sum(dim=tuple(range(extra)))."""

SHAPED = m.Call(func=m.Name(), args=[m.Arg(m.Name()), m.Arg(m.Attribute(attr=m.Name("shape")))])
"""A gradient brought to the shape of its operand: sum_to_shape(grad_a, a.shape)."""

BOTH_SHAPED = m.Return(m.Tuple([m.Element(SHAPED), m.Element(SHAPED)]))

ASKED = m.Attribute(attr=m.Name("needs_input_grad"))

IF_ASKED = m.IfExp(test=m.Name(), body=m.Name(), orelse=m.Name("None"))
"""A gradient, if it is asked for: grad_a if wants_a else None."""

BOTH_IF_ASKED = m.Return(m.Tuple([m.Element(IF_ASKED), m.Element(IF_ASKED)]))

SAVED = m.Call(
    func=m.Attribute(attr=m.Name("save_for_backward")), args=[m.Arg(m.Name()), m.Arg(m.Name())]
)
"""Two tensors are saved: ctx.save_for_backward(a, b)."""

LOADED = m.Attribute(attr=m.Name("saved_tensors"))

FIRST = m.Subscript(
    slice=[m.SubscriptElement(m.Slice(lower=None, upper=m.Name()))],
)
BEHIND = m.Subscript(slice=[m.SubscriptElement(m.Slice(lower=m.Name(), upper=None))])
BEFORE = m.Subscript(
    slice=[
        m.SubscriptElement(
            m.Slice(lower=None, upper=m.UnaryOperation(operator=m.Minus(), expression=m.Name()))
        )
    ]
)
STEP = m.Call(
    func=m.Attribute(attr=m.Name("cat")),
    args=[
        m.Arg(
            m.List(
                [
                    m.Element(FIRST),
                    m.Element(m.BinaryOperation(left=BEHIND, operator=m.Add(), right=BEFORE)),
                ]
            )
        )
    ],
)
"""A step of a scan: torch.cat([state[:offset], state[offset:] + state[:-offset]])."""

LAST_OR_ALL = m.IfExp(
    test=m.Name(), body=m.Subscript(value=m.Name()), orelse=m.Call(func=m.Attribute())
)
"""The last state, or what was there to begin with: states[-1] if states else tiles.clone()."""

SUMMING = """def sum_to_shape(grad, shape):
    extra = grad.dim() - len(shape)
    if extra > 0:
        grad = grad.sum(dim=tuple(range(extra)))
    stretched = tuple(axis for axis, size in enumerate(shape) if size < grad.size(axis))
    if stretched:
        grad = grad.sum(dim=stretched, keepdim=True)
    return grad
"""

BACKWARD = """def matmul_backward(grad, a, b):
    grad_a = grad @ b.mT
    grad_b = a.mT @ grad
    return sum_to_shape(grad_a, a.shape), sum_to_shape(grad_b, b.shape)
"""

FUNCTION = """class MatMul(torch.autograd.Function):
    @staticmethod
    def forward(ctx, a, b):
        ctx.save_for_backward(a, b)
        return a @ b

    @staticmethod
    def backward(ctx, grad):
        a, b = ctx.saved_tensors
        grad_a, grad_b = matmul_backward(grad, a, b)
        wants_a, wants_b = ctx.needs_input_grad
        return grad_a if wants_a else None, grad_b if wants_b else None
"""

STEPS = """def scan_steps(tiles):
    states = []
    state, offset = tiles, 1
    while offset < len(tiles):
        state = torch.cat([state[:offset], state[offset:] + state[:-offset]])
        states.append(state)
        offset *= 2
    return states
"""

SUMS = """def prefix_sums(tiles):
    states = scan_steps(tiles)
    return states[-1] if states else tiles.clone()
"""

PARTS = """def partial_products(a, b, tile):
    products = []
    for start in range(0, a.size(-1), tile):
        end = start + tile
        products.append(matmul(a[..., start:end], b[..., start:end, :]))
    return torch.stack(products)
"""

TILED = """def tiled_matmul(a, b, tile):
    sums = prefix_sums(partial_products(a, b, tile))
    return sums[-1]
"""

OTHERS = (
    "def scores(q, k):\n    weights = q @ k.mT\n    return weights.softmax(dim=-1)\n",
    "def loss(errors):\n    return errors.sum(dim=tuple(range(1, errors.dim())), keepdim=True)\n",
    "def shifted(x, offset):\n    return torch.cat([x[:offset], x[offset:]])\n",
    "def grown(size, most):\n    while size < most:\n        size *= 2\n    return size\n",
)


def transposed(node: cst.BaseExpression) -> cst.BaseExpression:
    """Give what a transpose is of: b of b.mT and of b.transpose(-2, -1)."""
    if isinstance(node, cst.Call):
        node = node.func
    assert isinstance(node, cst.Attribute)
    return node.value
