"""The table of positions is never trained."""

import libcst.matchers as m

from bugforge.mutation import Form, Mutation

from .table import CORRECT, LOOK_ALIKE, remade
from .table_init import AGAIN, buggy


class PeZerosFrozen(Mutation):
    """The table of positions is constant and never trained.

    What it does: All positions get the same fixed vector, zeros or ones, and no gradient may
    change it.

    Why it is wrong: Adding the same vector everywhere says nothing about position. Zeros would be
    a fine beginning, if they were learned.

    How it shows: Hardly: through the causal mask a small model guesses where it is, and the
    sample is right.

    How to find it: Ask every parameter for requires_grad, or feed a row of equal tokens: all of
    its logits are the same.

    Other right fixes: Small random numbers or zeros, trained.
    """

    id = "pe-zeros-frozen"
    bug_class = "positions"
    stage = "embedding"
    difficulty = "hard"
    visibility = "invisible"
    provenance = ("measured",)
    hints = (
        "Nothing is broken; something is missing.",
        "Give the model the same token everywhere and compare the rows of logits.",
        "Which tensors does the optimizer never move?",
    )
    killed_by = frozenset({"gradient-flow", "moves", "trainable"})
    forms = (
        Form(
            "zeros",
            m.ClassDef(),
            remade("{name} = {parameter}({library}.zeros({shape}), requires_grad=False)"),
            correct=CORRECT,
            buggy=buggy(
                "self.table = nn.Parameter(torch.zeros(length, width), requires_grad=False)"
            ),
        ),
        Form(
            "ones",
            m.ClassDef(),
            remade("{name} = {parameter}({library}.ones({shape}), requires_grad=False)"),
            correct=CORRECT,
            buggy=buggy(
                "self.table = nn.Parameter(torch.ones(length, width), requires_grad=False)"
            ),
        ),
    )
    untouched = (LOOK_ALIKE, AGAIN)


class PeFrozenRandom(Mutation):
    """The table of positions keeps the random numbers it was born with.

    What it does: The table is a buffer, or a parameter without a gradient, so that training
    leaves it alone.

    Why it is wrong: Learned positions were asked for. Random ones can be told apart, but they
    can't become what the model needs.

    How it shows: The loss ends a little higher and the sample is right.

    How to find it: Compare all tensors before and after a training step.

    Other right fixes: A parameter that requires a gradient and that the optimizer is given.
    """

    id = "pe-frozen-random"
    bug_class = "positions"
    stage = "embedding"
    difficulty = "hard"
    visibility = "invisible"
    provenance = ("MSA-LMC/S2D#21",)
    hints = (
        "All goes well, only not quite as well as it should.",
        "Which tensors are the same before and after training?",
        "Being part of a model is one thing, being learned is another.",
    )
    killed_by = frozenset({"gradient-flow", "moves", "trainable"})
    forms = (
        Form(
            "no-gradient",
            m.ClassDef(),
            remade("{name} = {parameter}({scaled}, requires_grad=False)"),
            correct=CORRECT,
            buggy=buggy(
                "self.table = nn.Parameter(0.02 * torch.randn(length, width), requires_grad=False)"
            ),
        ),
        Form(
            "buffer",
            m.ClassDef(),
            remade('self.register_buffer("{attribute}", {scaled})'),
            correct=CORRECT,
            buggy=buggy('self.register_buffer("table", 0.02 * torch.randn(length, width))'),
            killed_by=frozenset({"parameters"}),
        ),
    )
    untouched = (LOOK_ALIKE, AGAIN)
