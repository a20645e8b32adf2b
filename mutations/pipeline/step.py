"""Bugs of a training step."""

from bugforge.mutation import Mutation

from .exchange import exchange


class GradientsKept(Mutation):
    """Gradients are never cleared.

    What it does: Each step adds its gradients to all earlier ones.

    Why it is wrong: A step then follows what was steep long ago; and what is kept so is in no
    checkpoint.

    How it shows: Learning slows down or gets worse after a good beginning.

    How to find it: Compare the gradients of a second step with those of a fresh model with the
    same weights.

    Other right fixes: `zero_grad` anywhere outside the stretch from backward to step.
    """

    id = "row-gradients-kept"
    bug_class = "step"
    stage = "loop"
    difficulty = "easy"
    visibility = "plateau"
    provenance = ("facebookresearch/nwm#16",)
    hints = (
        "Does a step know of nothing but its own batch?",
        "Look at the gradients of the second step.",
        "What must happen once for each step, and does not?",
    )
    killed_by = frozenset({"resumed", "row-updates"})
    hides = frozenset({"row-generator-not-saved", "row-optimizer-not-saved"})
    forms = (
        exchange(
            "never cleared",
            "any_o.zero_grad()",
            "",
            around="def step(optimizer, o):\n    ...\n    optimizer.step()\n",
        ),
    )
    untouched = ("reset(o)\n",)


class ClippedScaled(Mutation):
    """Gradients are clipped while they are scaled.

    What it does: In half precision they are clipped before the scale is taken off.

    Why it is wrong: Their norm is then as many times too large as the loss was scaled, so that all
    are cut down to next to nothing.

    How it shows: In float32 nothing shows. In half precision training hardly moves, or moves by
    Adam's own smallest steps.

    How to find it: Compare the gradients at the optimizer in both precisions.

    Other right fixes: `unscale_` before clipping, or no clipping of scaled ones.
    """

    id = "row-clipped-while-scaled"
    bug_class = "step"
    stage = "loop"
    difficulty = "hard"
    visibility = "invisible"
    provenance = ("milesial/Pytorch-UNet#468",)
    hints = (
        "Does a step in half precision do what one in full does?",
        "Print the norm of the gradients before they are clipped, in half precision.",
        "What has to be taken off before a norm means anything?",
    )
    killed_by = frozenset({"half-gradients"})
    forms = (
        exchange(
            "not unscaled",
            "any_s.unscale_(any_o)",
            "",
            around="def step(scaler, s, o):\n    ...\n    scaler.step(o)\n",
        ),
    )
    untouched = ("unscale(s)\n",)
