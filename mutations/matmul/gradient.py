"""The backward of a product works out other gradients."""

import libcst as cst
import libcst.matchers as m

from bugforge.mutation import Form, Mutation, Rewritten

from ..patterns import render
from .parts import (
    ASKED,
    BACKWARD,
    BOTH_IF_ASKED,
    FUNCTION,
    OF_A,
    OF_B,
    OTHERS,
    transposed,
)

BOTH = "return grad_a if wants_a else None, grad_b if wants_b else None"


def b_as_it_is(product: cst.BinaryOperation) -> Rewritten:
    """Multiply by the right operand as it is."""
    return product.with_changes(right=transposed(product.right))


def a_as_it_is(product: cst.BinaryOperation) -> Rewritten:
    """Multiply the left operand as it is."""
    return product.with_changes(left=transposed(product.left))


def all_axes(product: cst.BinaryOperation) -> Rewritten:
    """Reverse all axes of the right operand."""
    whole = cst.Attribute(value=transposed(product.right), attr=cst.Name("T"))
    return product.with_changes(right=whole)


def first_axes(product: cst.BinaryOperation) -> Rewritten:
    """Exchange the first two axes of the left operand."""
    turned = cst.parse_expression(f"{render(transposed(product.left))}.transpose(0, 1)")
    return product.with_changes(left=turned)


def ones_for_a(product: cst.BinaryOperation) -> Rewritten:
    """Take ones for the gradient that is multiplied from the left."""
    ones = cst.parse_expression(f"torch.ones_like({render(product.left)})")
    return product.with_changes(left=ones)


def ones_for_b(product: cst.BinaryOperation) -> Rewritten:
    """Take ones for the gradient that is multiplied from the right."""
    ones = cst.parse_expression(f"torch.ones_like({render(product.right)})")
    return product.with_changes(right=ones)


def _returned(statement: cst.Return) -> list[cst.Element]:
    assert isinstance(statement.value, cst.Tuple)
    return [element for element in statement.value.elements if isinstance(element, cst.Element)]


def _given(
    statement: cst.Return, first: cst.BaseExpression, second: cst.BaseExpression
) -> cst.Return:
    one, other = _returned(statement)
    elements = [one.with_changes(value=first), other.with_changes(value=second)]
    assert isinstance(statement.value, cst.Tuple)
    return statement.with_changes(value=statement.value.with_changes(elements=elements))


def exchanged(statement: cst.Return) -> Rewritten:
    """Return the second gradient first."""
    one, other = _returned(statement)
    return _given(statement, other.value, one.value)


def first_turned_about(statement: cst.Return) -> Rewritten:
    """Return nothing for the left operand where it asks for a gradient."""
    one, other = _returned(statement)
    return _given(statement, _turned_about(one), other.value)


def second_turned_about(statement: cst.Return) -> Rewritten:
    """Return nothing for the right operand where it asks for a gradient."""
    one, other = _returned(statement)
    return _given(statement, one.value, _turned_about(other))


def _turned_about(element: cst.Element) -> cst.IfExp:
    asked = element.value
    assert isinstance(asked, cst.IfExp)
    return asked.with_changes(body=asked.orelse, orelse=asked.body)


def flags_exchanged(assignment: cst.Assign) -> Rewritten:
    """Take the flag of one operand for that of the other."""
    names = assignment.targets[0].target
    assert isinstance(names, cst.Tuple)
    one, other = names.elements
    elements = [one.with_changes(value=other.value), other.with_changes(value=one.value)]
    target = assignment.targets[0].with_changes(target=names.with_changes(elements=elements))
    return assignment.with_changes(targets=[target])


class TransposeWrong(Mutation):
    """An operand is not transposed in the backward.

    What it does: The gradient of one operand is a product with the other as it stands.

    Why it is wrong: dL/dA = G B^T and dL/dB = A^T G: the sums run over the index that both
    have, and without the transpose they run over another.

    How it shows: Rectangles stop with shapes that do not fit. Squares go through, with gradients
    that are wrong.

    How to find it: torch.autograd.gradcheck on squares as well as on rectangles.

    Other right fixes: einsum with the indices written out.
    """

    id = "mm-transpose-wrong"
    bug_class = "matmul-gradient"
    stage = "autograd"
    difficulty = "easy"
    visibility = "crash"
    provenance = ("HomericIntelligence/Odyssey#2136",)
    hints = (
        "Squares go through. Do rectangles?",
        "Write down the shapes of the gradient, of both operands and of both results.",
        "One of two transposes is missing.",
    )
    killed_by = frozenset({"runs"})
    forms = (
        Form(
            "of-a",
            OF_A,
            b_as_it_is,
            correct=BACKWARD,
            buggy=BACKWARD.replace("grad @ b.mT", "grad @ b"),
            inside=OF_B,
        ),
        Form(
            "of-b",
            OF_B,
            a_as_it_is,
            correct=BACKWARD,
            buggy=BACKWARD.replace("a.mT @ grad", "a @ grad"),
            inside=OF_A,
        ),
    )
    untouched = OTHERS


class AllAxesTransposed(Mutation):
    """In a batch, other axes are exchanged than those of the matrices.

    What it does: An operand is transposed by .T, which reverses all axes, or by its first two axes.

    Why it is wrong: Of a matrix that is its transpose. Of a batch (B, M, K) it is none: the axis of
    the batch is among those that change places.

    How it shows: Matrices are right. Batches stop with sizes that do not fit, unless all axes are
    equally long.

    How to find it: gradcheck with a batch, too, and with no two axes of one length.

    Other right fixes: .mT, transpose(-2, -1), swapaxes(-1, -2), or einsum.
    """

    id = "mm-dot-t-batched"
    bug_class = "matmul-gradient"
    stage = "autograd"
    difficulty = "easy"
    visibility = "crash"
    provenance = ("pytorch/pytorch.github.io#2135",)
    hints = (
        "Matrices go through. Do batches of them?",
        "Print the shape of what is transposed, before and after.",
        "Which axes does it exchange where there are three?",
    )
    killed_by = frozenset({"runs"})
    forms = (
        Form(
            "all-axes",
            OF_A,
            all_axes,
            correct=BACKWARD,
            buggy=BACKWARD.replace("b.mT", "b.T"),
            inside=OF_B,
        ),
        Form(
            "first-axes",
            OF_B,
            first_axes,
            correct=BACKWARD,
            buggy=BACKWARD.replace("a.mT", "a.transpose(0, 1)"),
            inside=OF_A,
        ),
    )
    untouched = OTHERS


class UpstreamIgnored(Mutation):
    """The gradient that comes in is taken for ones.

    What it does: One operand's gradient is worked out from ones in place of the gradient of the
    product.

    Why it is wrong: Ones are the gradient of a sum. Behind any other loss each element of the
    product has a gradient of its own, and the chain rule multiplies by it.

    How it shows: All tests whose loss is out.sum() pass. Behind a mean or a square, gradients are
    wrong.

    How to find it: Go back from a gradient that is drawn; gradcheck does.

    Other right fixes: None: the gradient that comes in has to be a factor.
    """

    id = "mm-ignores-upstream"
    bug_class = "matmul-gradient"
    stage = "autograd"
    difficulty = "medium"
    visibility = "invisible"
    provenance = ("pytorch/pytorch#21961", "chainer/chainer#1175", "pytorch/pytorch#11750")
    hints = (
        "With out.sum() as the loss all is right.",
        "What comes out if what comes in is twice as large?",
        "Something takes the place of the gradient that is handed in.",
    )
    killed_by = frozenset({"backward", "product-gradients", "gradcheck"})
    forms = (
        Form(
            "of-a",
            OF_A,
            ones_for_a,
            correct=BACKWARD,
            buggy=BACKWARD.replace("grad @ b.mT", "torch.ones_like(grad) @ b.mT"),
            inside=OF_B,
        ),
        Form(
            "of-b",
            OF_B,
            ones_for_b,
            correct=BACKWARD,
            buggy=BACKWARD.replace("a.mT @ grad", "a.mT @ torch.ones_like(grad)"),
            inside=OF_A,
        ),
    )
    untouched = OTHERS


class GradientsExchanged(Mutation):
    """The two gradients come in the wrong order.

    What it does: The backward returns the gradient of the right operand first.

    Why it is wrong: What comes first is taken for the gradient of what forward takes first.

    How it shows: Rectangles stop: a gradient has the shape of the other operand. Squares go
    through, and each operand is moved by what is meant for the other.

    How to find it: gradcheck on squares; or give the operands gradients of their own by hand.

    Other right fixes: Any order of work, as long as what is returned comes in that of forward.
    """

    id = "mm-results-swapped"
    bug_class = "matmul-gradient"
    stage = "autograd"
    difficulty = "easy"
    visibility = "crash"
    provenance = ("measured",)
    hints = (
        "Squares go through. Do rectangles?",
        "Of which operand is the first gradient that is returned?",
        "backward returns as many gradients as forward takes tensors, and in that order.",
    )
    killed_by = frozenset({"runs"})
    forms = (
        Form(
            "exchanged",
            BOTH_IF_ASKED,
            exchanged,
            correct=FUNCTION,
            buggy=FUNCTION.replace(
                BOTH, "return grad_b if wants_b else None, grad_a if wants_a else None"
            ),
        ),
    )
    untouched = OTHERS


class GradientNone(Mutation):
    """An operand that asks for its gradient gets none.

    What it does: The choice between a gradient and None is the wrong way about for one operand.

    Why it is wrong: None stands for a gradient of zero. What is learned with it never moves, and
    nothing complains.

    How it shows: One of the two operands has no gradient behind a backward.

    How to find it: Look at both operands' grad behind one step.

    Other right fixes: Returning both gradients always.
    """

    id = "mm-none-grad"
    bug_class = "matmul-gradient"
    stage = "autograd"
    difficulty = "easy"
    visibility = "invisible"
    provenance = ("measured",)
    hints = (
        "One operand never moves.",
        "Print what both operands have for a gradient behind a backward.",
        "When is None returned?",
    )
    killed_by = frozenset({"product-gradients", "gradcheck"})
    forms = (
        Form(
            "first",
            BOTH_IF_ASKED,
            first_turned_about,
            correct=FUNCTION,
            buggy=FUNCTION.replace("grad_a if wants_a else None", "None if wants_a else grad_a"),
        ),
        Form(
            "second",
            BOTH_IF_ASKED,
            second_turned_about,
            correct=FUNCTION,
            buggy=FUNCTION.replace("grad_b if wants_b else None", "None if wants_b else grad_b"),
        ),
    )
    untouched = OTHERS


class FlagsExchanged(Mutation):
    """Which operand asks for a gradient is mixed up.

    What it does: The flags of needs_input_grad are taken in the wrong order.

    Why it is wrong: Where both operands ask, or neither, it makes no difference. Where one
    alone does, it gets nothing, and the other a gradient that nobody wants.

    How it shows: Between two parameters all is right. Between an input and a weight, the weight is
    never moved.

    How to find it: Let one operand alone require a gradient, then the other.

    Other right fixes: ctx.needs_input_grad[0] and [1] where they are needed; or no flags at all.
    """

    id = "mm-needs-swapped"
    bug_class = "matmul-gradient"
    stage = "autograd"
    difficulty = "hard"
    visibility = "invisible"
    provenance = ("measured",)
    hints = (
        "gradcheck with two operands that both ask for a gradient finds nothing.",
        "Let one operand alone ask for its gradient.",
        "Whose flag comes first in needs_input_grad?",
    )
    killed_by = frozenset({"product-gradients"})
    forms = (
        Form(
            "exchanged",
            m.Assign(
                targets=[m.AssignTarget(m.Tuple([m.Element(m.Name()), m.Element(m.Name())]))],
                value=ASKED,
            ),
            flags_exchanged,
            correct=FUNCTION,
            buggy=FUNCTION.replace("wants_a, wants_b =", "wants_b, wants_a ="),
        ),
    )
    untouched = OTHERS
