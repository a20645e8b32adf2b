"""The lines of the training step come in the wrong order."""

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
    putting,
)


class StepBeforeBackward(Mutation):
    """The optimizer steps before the gradients are there.

    What it does: Gradients are cleared, the optimizer steps with none, and only then are they
    computed, to be cleared again the next time.

    Why it is wrong: At the moment of the step no parameter has a gradient, so none is moved.

    How it shows: The loss does not fall. It only wavers from batch to batch.

    How to find it: Print a gradient right before the step: it is None, although backward is
    called.

    Other right fixes: Step behind backward and the clipping.
    """

    id = "step-before-backward"
    bug_class = "training-step"
    stage = "loop"
    difficulty = "easy"
    visibility = "flat"
    provenance = ("measured",)
    hints = (
        "Nothing is learned at all.",
        "All parts of a training step are called.",
        "What does the optimizer find at the moment when it steps?",
    )
    killed_by = frozenset({"gradient", "gradient-flow", "moves"})
    forms = (
        Form(
            "cleared",
            m.IndentedBlock(),
            putting(lambda update: update.step, before=lambda update: update.backward),
            correct=CORRECT,
            buggy=example(FORWARD_LINE, ZERO_GRAD_LINE, STEP_LINE, BACKWARD_LINE, CLIP_LINE),
        ),
    )
    untouched = OTHERS


class StepInsideGraph(Mutation):
    """The optimizer steps between the forward and the backward pass.

    What it does: The loss of this batch is computed, then the weights are moved by the gradients
    of the last one, and then backward goes through the old graph.

    Why it is wrong: backward needs the weights that the forward pass used, and they have been
    changed in place.

    How it shows: The first step passes, as no gradient is there yet; the second stops and says
    that a variable was modified by an in-place operation.

    How to find it: Ask what writes into parameters between the two passes. Only an optimizer
    does.

    Other right fixes: Step behind backward and the clipping.
    """

    id = "step-inside-graph"
    bug_class = "training-step"
    stage = "loop"
    difficulty = "easy"
    visibility = "crash"
    provenance = ("measured",)
    hints = (
        "Read the message: something was changed that was still needed.",
        "Which line writes into the weights?",
        "In which order do forward, backward and step come?",
    )
    killed_by = frozenset({"runs"})
    forms = (
        Form(
            "behind-forward",
            m.IndentedBlock(),
            putting(lambda update: update.step, before=lambda update: update.zero_grad),
            correct=CORRECT,
            buggy=example(FORWARD_LINE, STEP_LINE, ZERO_GRAD_LINE, BACKWARD_LINE, CLIP_LINE),
        ),
    )
    untouched = OTHERS


class StepStaleGradients(Mutation):
    """The optimizer steps with the gradients of the batch before.

    What it does: Each training step begins with the optimizer's step, so that gradients wait for
    one batch until they are used, and the last ones never are.

    Why it is wrong: A gradient says where to go from where it was computed. The first step does
    nothing, and each later one uses the learning rate of the next.

    How it shows: Not at all: one step late is hardly worse.

    How to find it: After a single training step the parameters must have moved, and they have
    not.

    Other right fixes: Step behind backward and the clipping.
    """

    id = "step-stale-gradients"
    bug_class = "training-step"
    stage = "loop"
    difficulty = "hard"
    visibility = "invisible"
    provenance = ("measured",)
    hints = (
        "The curve cannot show it; a single step can.",
        "Call the training step once and compare the weights.",
        "Whose gradients does the optimizer use?",
    )
    killed_by = frozenset({"objective"})
    hides = frozenset({"shift-wrong-axis", "xy-misaligned"})
    forms = (
        Form(
            "first",
            m.IndentedBlock(),
            putting(lambda update: update.step, before=lambda update: update.forward),
            correct=CORRECT,
            buggy=example(STEP_LINE, FORWARD_LINE, ZERO_GRAD_LINE, BACKWARD_LINE, CLIP_LINE),
        ),
    )
    untouched = OTHERS


class ZeroGradAfterBackward(Mutation):
    """The gradients are cleared before they are used.

    What it does: zero_grad stands between backward and the optimizer's step.

    Why it is wrong: The optimizer finds no gradients, as they have just been thrown away.

    How it shows: The loss does not fall. It only wavers from batch to batch.

    How to find it: Print a gradient right before the step: it is None or zero.

    Other right fixes: zero_grad before backward, or behind the step.
    """

    id = "zero-grad-after-backward"
    bug_class = "training-step"
    stage = "loop"
    difficulty = "easy"
    visibility = "flat"
    provenance = ("Tony-Y/pytorch_warmup#12",)
    hints = (
        "Nothing is learned at all.",
        "All parts of a training step are there; look at what each one leaves behind.",
        "When are gradients made, when used, and when cleared?",
    )
    killed_by = frozenset({"gradient", "gradient-flow", "moves"})
    forms = (
        Form(
            "behind-backward",
            m.IndentedBlock(),
            putting(
                lambda update: update.zero_grad,
                before=lambda update: update.backward + 1,
                also_scaled=True,
            ),
            correct=CORRECT,
            buggy=example(FORWARD_LINE, BACKWARD_LINE, ZERO_GRAD_LINE, CLIP_LINE, STEP_LINE),
        ),
        Form(
            "before-step",
            m.IndentedBlock(),
            putting(
                lambda update: update.zero_grad, before=lambda update: update.step, also_scaled=True
            ),
            correct=CORRECT,
            buggy=example(FORWARD_LINE, BACKWARD_LINE, CLIP_LINE, ZERO_GRAD_LINE, STEP_LINE),
        ),
    )
    untouched = OTHERS
