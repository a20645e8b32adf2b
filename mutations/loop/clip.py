"""Gradients are clipped when it is of no use."""

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
    putting_clip,
)


class ClipAfterStep(Mutation):
    """The gradients are clipped after the step.

    What it does: The optimizer uses gradients of any size, and then they are made smaller.

    Why it is wrong: Clipping protects a step from a gradient that is too large, so it must come
    before that step.

    How it shows: Not until a batch gives a very large gradient.

    How to find it: Set the bound to 0.01 and compare the weights after a step or two with those
    without a bound: they are the same.

    Other right fixes: Clip between backward and the step.
    """

    id = "clip-after-step"
    bug_class = "training-step"
    stage = "loop"
    difficulty = "hard"
    visibility = "invisible"
    provenance = ("measured",)
    hints = (
        "It goes well as long as nothing goes badly.",
        "Change a setting of the training that should matter, and see whether it does.",
        "What is a gradient good for once the step is done?",
    )
    killed_by = frozenset({"gradient-flow"})
    forms = (
        Form(
            "behind",
            m.IndentedBlock(),
            putting_clip(before=lambda update: update.step + 1),
            correct=CORRECT,
            buggy=example(FORWARD_LINE, ZERO_GRAD_LINE, BACKWARD_LINE, STEP_LINE, CLIP_LINE),
        ),
    )
    untouched = (*OTHERS, CORRECT.replace(CLIP_LINE, ""))


class ClipBeforeBackward(Mutation):
    """The gradients are clipped before they are computed.

    What it does: Clipping runs while all gradients are cleared; backward fills them afterwards.

    Why it is wrong: There is nothing to clip at that time, and what comes afterwards goes into the
    step unbounded.

    How it shows: Not until a batch gives a very large gradient.

    How to find it: Print the norm that the clipping returns: it is always 0.

    Other right fixes: Clip between backward and the step.
    """

    id = "clip-before-backward"
    bug_class = "training-step"
    stage = "loop"
    difficulty = "hard"
    visibility = "invisible"
    provenance = ("measured",)
    hints = (
        "It goes well as long as nothing goes badly.",
        "Look at what the clipping returns.",
        "When is there something to clip?",
    )
    killed_by = frozenset({"gradient-flow"})
    forms = (
        Form(
            "before",
            m.IndentedBlock(),
            putting_clip(before=lambda update: update.backward),
            correct=CORRECT,
            buggy=example(FORWARD_LINE, ZERO_GRAD_LINE, CLIP_LINE, BACKWARD_LINE, STEP_LINE),
        ),
    )
    untouched = (*OTHERS, CORRECT.replace(CLIP_LINE, ""))
