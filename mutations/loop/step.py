"""The training step lacks a line."""

import libcst.matchers as m

from bugforge.mutation import Form, Mutation

from .parts import (
    BACKWARD_LINE,
    CLIP_LINE,
    CORRECT,
    FORWARD_LINE,
    OTHERS,
    STEP_LINE,
    ZERO_GRAD_LINE,
    example,
    without,
    without_backward,
)


class MissingStep(Mutation):
    """The optimizer never takes its step.

    What it does: Gradients are computed and nobody uses them.

    Why it is wrong: backward only fills in gradients; it is the optimizer's step that changes the
    parameters.

    How it shows: The loss does not fall. It only wavers from batch to batch.

    How to find it: Compare the parameters before and after a step, and print a gradient: the one
    is the same, the other is there.

    Other right fixes: optimizer.step() anywhere between backward and the next zero_grad.
    """

    id = "missing-step"
    bug_class = "training-step"
    stage = "loop"
    difficulty = "easy"
    visibility = "flat"
    provenance = ("timoschick/pet#36", "report")
    hints = (
        "Nothing is learned at all.",
        "Are there gradients? Do the weights move?",
        "Name the four things that a training step does after the forward pass.",
    )
    killed_by = frozenset({"steps-taken"})
    hides = frozenset({"eval-average-wrong", "eval-on-train-split", "train-val-overlap"})
    forms = (
        Form(
            "removed",
            m.IndentedBlock(),
            without(lambda update: update.step, needed=True),
            correct=CORRECT,
            buggy=example(FORWARD_LINE, ZERO_GRAD_LINE, BACKWARD_LINE, CLIP_LINE),
        ),
    )
    untouched = OTHERS


class MissingBackward(Mutation):
    """The gradients are never computed.

    What it does: The loss is there and backward is not called on it.

    Why it is wrong: Without backward every gradient is None, and the optimizer passes over
    parameters that have none.

    How it shows: The loss does not fall. It only wavers from batch to batch.

    How to find it: Print the gradient of any parameter right before the optimizer's step.

    Other right fixes: loss.backward() between zero_grad and the clipping, or torch.autograd.grad
    with the results put in place by hand.
    """

    id = "missing-backward"
    bug_class = "training-step"
    stage = "loop"
    difficulty = "easy"
    visibility = "flat"
    provenance = ("Goingqs/PyramidBox#7", "report")
    hints = (
        "Nothing is learned at all.",
        "Print a gradient right before it is used.",
        "Who computes what the optimizer needs?",
    )
    killed_by = frozenset({"gradient", "gradient-flow", "moves"})
    forms = (
        Form(
            "removed",
            m.IndentedBlock(),
            without_backward,
            correct=CORRECT,
            buggy=example(FORWARD_LINE, ZERO_GRAD_LINE, CLIP_LINE, STEP_LINE),
        ),
    )
    untouched = OTHERS


class MissingZeroGrad(Mutation):
    """Gradients of earlier steps are never cleared.

    What it does: backward adds each batch's gradients to those of all batches before.

    Why it is wrong: A step should follow the batch at hand. The growing sum points where the
    weights stood long ago.

    How it shows: Little: Adam divides the size away and clipping bounds it, so that the loss
    still comes down, by another path.

    How to find it: Print the norm of the gradients before clipping: it must not grow from step to
    step.

    Other right fixes: zero_grad of the optimizer or of the model, before backward or after the
    step.
    """

    id = "missing-zero-grad"
    bug_class = "training-step"
    stage = "loop"
    difficulty = "hard"
    visibility = "invisible"
    provenance = ("facebookresearch/nwm#16", "pytorch/pytorch#47175")
    hints = (
        "It learns, though not by the steps that it should take.",
        "Print the norm of the gradients at each step, before they are clipped.",
        "What is in a gradient before backward adds to it?",
    )
    killed_by = frozenset({"fresh-gradient", "update"})
    forms = (
        Form(
            "removed",
            m.IndentedBlock(),
            without(lambda update: update.zero_grad),
            correct=CORRECT,
            buggy=example(FORWARD_LINE, BACKWARD_LINE, CLIP_LINE, STEP_LINE),
        ),
    )
    untouched = OTHERS
