"""Ways to write a matrix product with gradients of its own."""

import ast

from bugforge.rewrite import Renaming, Reordering, Restructuring, way

GRADIENTS = "grad_a = grad @ b.mT\ngrad_b = a.mT @ grad\n"
ASKED = (
    "wants_a, wants_b = ctx.needs_input_grad\n"
    "return grad_a if wants_a else None, grad_b if wants_b else None\n"
)
SUMMING = """\
extra = grad.dim() - len(shape)
if extra > 0:
    grad = grad.sum(dim=tuple(range(extra)))
stretched = tuple(axis for axis, size in enumerate(shape) if size < grad.size(axis))
if stretched:
    grad = grad.sum(dim=stretched, keepdim=True)
return grad
"""
SAVING = """\
class MatMul(torch.autograd.Function):
    @staticmethod
    def forward(ctx, a, b):
        ctx.save_for_backward(a, b)
        return a @ b
"""
SET_UP = """\
class MatMul(torch.autograd.Function):
    @staticmethod
    def forward(a, b):
        return a @ b

    @staticmethod
    def setup_context(ctx, inputs, _output):
        ctx.save_for_backward(*inputs)
"""


class MatMulTranspose(Restructuring):
    """How the axes of a matrix are exchanged in its gradients."""

    id = "matmul-transpose"
    subjects = ("matmul",)
    ways = (
        way("transpose", ("any_x.mT", "any_x.transpose(-2, -1)")),
        way("swapaxes", ("any_x.mT", "any_x.swapaxes(-1, -2)")),
    )


class MatMulGradients(Restructuring):
    """How the gradients of a product are written."""

    id = "matmul-gradients"
    subjects = ("matmul",)
    ways = (
        way(
            "einsum",
            ("any_g @ any_b.mT", 'torch.einsum("...mn,...kn->...mk", any_g, any_b)'),
            ("any_a.mT @ any_g", 'torch.einsum("...mk,...mn->...kn", any_a, any_g)'),
            example=(
                "def back(grad, a, b):\n    return grad @ b.mT, a.mT @ grad\n",
                (
                    "def back(grad, a, b):\n"
                    '    return torch.einsum("...mn,...kn->...mk", grad, b), '
                    'torch.einsum("...mk,...mn->...kn", a, grad)\n'
                ),
            ),
            holder=ast.FunctionDef,
            exact=False,
        ),
        way(
            "functions",
            ("any_g @ any_b.mT", "torch.matmul(any_g, any_b.mT)"),
            ("any_a.mT @ any_g", "torch.matmul(any_a.mT, any_g)"),
            example=(
                "def back(grad, a, b):\n    return grad @ b.mT, a.mT @ grad\n",
                (
                    "def back(grad, a, b):\n"
                    "    return torch.matmul(grad, b.mT), torch.matmul(a.mT, grad)\n"
                ),
            ),
            holder=ast.FunctionDef,
        ),
        way(
            "turned-whole",
            ("any_a.mT @ any_g", "(any_g.mT @ any_a).transpose(-2, -1)"),
            exact=False,
            decoy="(G^T A)^T is A^T G: the right operand's gradient, made turned and turned back.",
        ),
    )


class MatMulSumming(Restructuring):
    """How a gradient is summed over the axes that were broadcast."""

    id = "matmul-summing"
    subjects = ("matmul",)
    ways = (
        way(
            "sum-to-size",
            (SUMMING, "return grad.sum_to_size(shape)\n"),
            exact=False,
        ),
        way(
            "axis-by-axis",
            (
                SUMMING,
                (
                    "while grad.dim() > len(shape):\n"
                    "    grad = grad.sum(dim=0)\n"
                    "for axis, size in enumerate(shape):\n"
                    "    if size == 1:\n"
                    "        grad = grad.sum(dim=axis, keepdim=True)\n"
                    "return grad\n"
                ),
            ),
            exact=False,
            decoy=("An axis of length 1 that was not stretched is summed, too: a sum of one."),
        ),
        way(
            "ones-first",
            (
                SUMMING,
                (
                    "extra = grad.dim() - len(shape)\n"
                    "ones = [axis for axis, size in enumerate(shape, start=extra) if size == 1]\n"
                    "axes = [*range(extra), *ones]\n"
                    "return grad.sum(dim=axes, keepdim=True).reshape(shape) if axes else grad\n"
                ),
            ),
            exact=False,
        ),
    )


class MatMulAsked(Restructuring):
    """What the backward gives for an operand that asks for no gradient."""

    id = "matmul-asked"
    subjects = ("matmul",)
    ways = (
        way(
            "both",
            (ASKED, "return grad_a, grad_b\n"),
            decoy="A gradient that nobody asks for is dropped; None only saves its work.",
        ),
        way(
            "by-number",
            (
                ASKED,
                (
                    "if not ctx.needs_input_grad[0]:\n"
                    "    grad_a = None\n"
                    "if not ctx.needs_input_grad[1]:\n"
                    "    grad_b = None\n"
                    "return grad_a, grad_b\n"
                ),
            ),
        ),
    )


class MatMulSaving(Restructuring):
    """Where it is said what is saved for the backward."""

    id = "matmul-saving"
    subjects = ("matmul",)
    ways = (
        way(
            "set-up",
            (
                (
                    "@staticmethod\n"
                    "def forward(ctx, a, b):\n"
                    "    ctx.save_for_backward(a, b)\n"
                    "    return any_product\n"
                ),
                (
                    "def forward(a, b):\n"
                    "    return any_product\n\n"
                    "@staticmethod\n"
                    "def setup_context(ctx, inputs, _output):\n"
                    "    ctx.save_for_backward(*inputs)\n"
                ),
            ),
            example=(SAVING, SET_UP),
        ),
        way(
            "product-first",
            (
                "ctx.save_for_backward(a, b)\nreturn any_product\n",
                "product = any_product\nctx.save_for_backward(a, b)\nreturn product\n",
            ),
        ),
    )


class MatMulOrder(Reordering):
    """Which part of the product comes first."""

    id = "order-matmul"
    subjects = ("matmul",)
    of = ""
    orders = (
        ("sum_to_shape", "matmul_backward", "MatMul", "matmul"),
        ("MatMul", "matmul", "matmul_backward", "sum_to_shape"),
        ("matmul_backward", "sum_to_shape", "MatMul", "matmul"),
        ("MatMul", "matmul_backward", "sum_to_shape", "matmul"),
    )


class SummingName(Renaming):
    """What brings a gradient to the shape of its operand is called."""

    id = "names-summing"
    subjects = ("matmul",)
    of = "definition"
    names = (
        ("sum_to_shape",),
        ("unbroadcast",),
        ("reduce_to",),
        ("sum_over_batch",),
        ("collapse",),
    )


class GradientNames(Renaming):
    """What the gradients of both operands are called."""

    id = "names-gradients"
    subjects = ("matmul",)
    of = "local"
    names = (
        ("grad_a", "grad_b"),
        ("da", "db"),
        ("a_grad", "b_grad"),
        ("for_a", "for_b"),
        ("left", "right"),
    )


class AskedNames(Renaming):
    """What it is called that operands ask for gradients."""

    id = "names-asked"
    subjects = ("matmul",)
    of = "local"
    names = (
        ("wants_a", "wants_b"),
        ("need_a", "need_b"),
        ("a_asks", "b_asks"),
        ("with_a", "with_b"),
    )


class AxesNames(Renaming):
    """What the axes that were broadcast are called."""

    id = "names-axes"
    subjects = ("matmul",)
    of = "local"
    names = (
        ("extra", "stretched"),
        ("leading", "ones"),
        ("added", "expanded"),
        ("more", "unit"),
    )
