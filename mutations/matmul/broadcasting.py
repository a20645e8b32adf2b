"""Gradients are not summed as they should be over the axes that were broadcast."""

import libcst as cst
import libcst.matchers as m

from bugforge.mutation import Form, Mutation, Rewritten

from .parts import (
    BACKWARD,
    BOTH_SHAPED,
    EXTRA,
    OTHERS,
    SUM_KEPT,
    SUM_LEADING,
    SUMMING,
)

LEADING = m.Call(
    func=m.Name("tuple"), args=[m.Arg(m.Call(func=m.Name("range"), args=[m.Arg(m.Name())]))]
)
"""The first axes: tuple(range(extra))."""

STRETCHED = m.CompIf(
    test=m.Comparison(
        left=m.Name(),
        comparisons=[
            m.ComparisonTarget(
                operator=m.LessThan(), comparator=m.Call(func=m.Attribute(attr=m.Name("size")))
            )
        ],
    )
)
"""Which axes were stretched: those for which size < grad.size(axis)."""


def averaged(total: cst.Call) -> Rewritten:
    """Take the mean."""
    assert isinstance(total.func, cst.Attribute)
    return total.with_changes(func=total.func.with_changes(attr=cst.Name("mean")))


def dropped(total: cst.Call) -> Rewritten:
    """Let the axes go that are summed."""
    first = total.args[0].with_changes(comma=cst.MaybeSentinel.DEFAULT)
    return total.with_changes(args=[first])


def from_behind(axes: cst.Call) -> Rewritten:
    """Take as many axes from the end."""
    counted = axes.args[0].value
    assert isinstance(counted, cst.Call)
    assert isinstance(counted.args[0].value, cst.Name)
    last = cst.parse_expression(f"tuple(range(-{counted.args[0].value.value}, 0))")
    assert isinstance(last, cst.Call)
    return axes.with_changes(args=last.args)


def turned_about(condition: cst.CompIf) -> Rewritten:
    """Look for axes that are longer than those of the gradient."""
    compared = condition.test
    assert isinstance(compared, cst.Comparison)
    target = compared.comparisons[0]
    greater = target.with_changes(operator=cst.GreaterThan())
    return condition.with_changes(test=compared.with_changes(comparisons=[greater]))


def _unsummed(given: cst.Return, index: int) -> Rewritten:
    both = given.value
    assert isinstance(both, cst.Tuple)
    elements = list(both.elements)
    shaped = elements[index].value
    assert isinstance(shaped, cst.Call)
    elements[index] = elements[index].with_changes(value=shaped.args[0].value)
    return given.with_changes(value=both.with_changes(elements=elements))


def first_unsummed(given: cst.Return) -> Rewritten:
    """Give the first gradient as it is."""
    return _unsummed(given, 0)


def second_unsummed(given: cst.Return) -> Rewritten:
    """Give the second gradient as it is."""
    return _unsummed(given, 1)


class NotSummed(Mutation):
    """One gradient is not summed over the axes that were broadcast.

    What it does: The plain backward gives a gradient of the shape of the product's batch.

    Why it is wrong: An operand that is broadcast takes part in every product of the batch. Its
    gradient is the sum over them, and has its shape.

    How it shows: Inside a Function not at all: torch sums to the shape of the operand by itself.
    Called by hand, the gradient has more axes, or longer ones, than its operand.

    How to find it: Compare the shapes of the gradients with those of the operands, for operands of
    unlike batches.

    Other right fixes: grad.sum_to_size(shape), or sums over the axes one by one.
    """

    id = "mm-no-broadcast-sum"
    bug_class = "matmul-broadcast"
    stage = "autograd"
    difficulty = "medium"
    visibility = "invisible"
    provenance = (
        "deeplearning4j/nd4j#2424",
        "apache/tvm#2465",
        "HomericIntelligence/Odyssey#2080",
        "pytorch/pytorch#65244",
    )
    hints = (
        "Going back through the Function gives what it should. Call the backward by hand.",
        "Multiply a batch by a single matrix. What shape has the gradient of each?",
        "One of two gradients is given as it comes.",
    )
    killed_by = frozenset({"backward-shapes"})
    forms = (
        Form(
            "of-a",
            BOTH_SHAPED,
            first_unsummed,
            correct=BACKWARD,
            buggy=BACKWARD.replace("sum_to_shape(grad_a, a.shape)", "grad_a"),
        ),
        Form(
            "of-b",
            BOTH_SHAPED,
            second_unsummed,
            correct=BACKWARD,
            buggy=BACKWARD.replace("sum_to_shape(grad_b, b.shape)", "grad_b"),
        ),
    )
    untouched = OTHERS


class BroadcastMean(Mutation):
    """Gradients are averaged over the axes that were broadcast.

    What it does: A mean stands where the gradients of all products of a batch should be added up.

    Why it is wrong: Each product adds its share to the loss, and so to the gradient. With a mean
    the gradient is too small by the length of the axis.

    How it shows: Shapes fit. A weight that is shared by a batch is moved too little, the less the
    larger the batch.

    How to find it: gradcheck with operands of unlike batches.

    Other right fixes: A sum, over the axes in one go or one by one; grad.sum_to_size(shape).
    """

    id = "mm-broadcast-mean"
    bug_class = "matmul-broadcast"
    stage = "autograd"
    difficulty = "medium"
    visibility = "invisible"
    provenance = ("measured",)
    hints = (
        "Without broadcasting all is right.",
        "Multiply a batch of two equal matrices by one. What is the gradient of that one?",
        "What is done with the gradients of all products of the batch?",
    )
    killed_by = frozenset({"backward", "product-gradients", "gradcheck"})
    forms = (
        Form(
            "leading",
            SUM_LEADING,
            averaged,
            correct=SUMMING,
            buggy=SUMMING.replace("sum(dim=tuple", "mean(dim=tuple"),
            inside=EXTRA,
        ),
        Form(
            "stretched",
            SUM_KEPT,
            averaged,
            correct=SUMMING,
            buggy=SUMMING.replace("sum(dim=stretched", "mean(dim=stretched"),
            inside=EXTRA,
        ),
    )
    untouched = OTHERS


class OnesNotSummed(Mutation):
    """Axes of length 1 that were stretched are never summed.

    What it does: The comparison that looks for stretched axes is the wrong way about, and finds
    none.

    Why it is wrong: An axis of length 1 is broadcast like one that is missing: its gradient is the
    sum along it.

    How it shows: Inside a Function not at all: torch sums by itself. Called by hand, the gradient
    of an operand with such an axis is as long as the batch.

    How to find it: Call the backward by hand with shapes such as (6, 3, 5) and (1, 5, 2).

    Other right fixes: Summing over every axis of length 1, since one that was not stretched is its
    own sum; grad.sum_to_size(shape).
    """

    id = "mm-ones-not-summed"
    bug_class = "matmul-broadcast"
    stage = "autograd"
    difficulty = "hard"
    visibility = "invisible"
    provenance = ("measured",)
    hints = (
        "Going back through the Function gives what it should. Call the backward by hand.",
        "An axis may be missing, or of length 1. Try both.",
        "Which of two lengths is the larger one where an axis was stretched?",
    )
    killed_by = frozenset({"backward-shapes"})
    forms = (
        Form(
            "turned-about",
            STRETCHED,
            turned_about,
            correct=SUMMING,
            buggy=SUMMING.replace("size < grad", "size > grad"),
            inside=EXTRA,
        ),
    )
    untouched = OTHERS


class OnesDropped(Mutation):
    """An axis of length 1 is gone from the gradient.

    What it does: The sum over stretched axes does not keep them.

    Why it is wrong: The operand has such an axis, and its gradient must have it too.

    How it shows: It stops: the gradient has a shape that does not fit its operand.

    How to find it: Compare shapes for operands such as (6, 3, 5) and (1, 5, 2).

    Other right fixes: keepdim=True, or unsqueeze behind the sum; grad.sum_to_size(shape).
    """

    id = "mm-ones-dropped"
    bug_class = "matmul-broadcast"
    stage = "autograd"
    difficulty = "easy"
    visibility = "crash"
    provenance = ("measured",)
    hints = (
        "An axis may be missing, or of length 1. Try both.",
        "How many axes has the gradient of an operand of shape (1, 5, 2)?",
        "What becomes of an axis that is summed?",
    )
    killed_by = frozenset({"runs", "backward-shapes"})
    forms = (
        Form(
            "not-kept",
            SUM_KEPT,
            dropped,
            correct=SUMMING,
            buggy=SUMMING.replace("stretched, keepdim=True", "stretched"),
            inside=EXTRA,
        ),
    )
    untouched = OTHERS


class AxesFromBehind(Mutation):
    """The axes that are summed are the last ones, and not the first.

    What it does: Of a gradient with more axes than its operand as many are summed, from the end.

    Why it is wrong: Shapes are broadcast from the end on, so that what an operand lacks are its
    first axes. The last two are those of the matrix.

    How it shows: It stops where an operand has fewer axes than the other: what is left of its
    gradient has another shape.

    How to find it: Compare shapes for operands such as (6, 3, 5) and (5, 2).

    Other right fixes: tuple(range(extra)), or a sum over axis 0 as long as there are too many.
    """

    id = "mm-axes-from-behind"
    bug_class = "matmul-broadcast"
    stage = "autograd"
    difficulty = "medium"
    visibility = "crash"
    provenance = ("measured",)
    hints = (
        "With as many axes on both sides all is right.",
        "Which axes does an operand lack that has fewer than the other?",
        "Shapes are lined up at one end. At which?",
    )
    killed_by = frozenset({"runs", "backward-shapes"})
    forms = (
        Form(
            "behind",
            LEADING,
            from_behind,
            correct=SUMMING,
            buggy=SUMMING.replace("range(extra)", "range(-extra, 0)"),
            inside=EXTRA,
        ),
    )
    untouched = OTHERS
