"""A sublayer reads the stream through the wrong norm, or through none."""

import libcst.matchers as m

from bugforge.mutation import Form, Mutation

from .parts import CORRECT, POST_NORM, rewritten


class LnShared(Mutation):
    """Both sublayers read the stream through the same norm.

    What it does: One LayerNorm is used twice, and the other never.

    Why it is wrong: Each sublayer has a scale and a shift of its own to learn; here one serves two
    masters and the other stays as it was made.

    How it shows: Not at all: fresh norms are equal, so even the first losses are those of a
    correct program.

    How to find it: Give the norms weights that differ and compare the outputs, or list the
    parameters without a gradient.

    Other right fixes: A norm for each sublayer; which of the two is used where does not matter,
    unless weights are loaded.
    """

    id = "ln-shared"
    bug_class = "typo"
    stage = "block"
    difficulty = "hard"
    visibility = "invisible"
    provenance = ("allenai/OLMo#222",)
    hints = (
        "No curve will ever show this one.",
        "Which parameters get no gradient?",
        "Two layers of the block have names that are easily confused.",
    )
    killed_by = frozenset({"forward", "moves"})
    forms = (
        Form(
            "first-twice",
            m.ClassDef(),
            rewritten(second=("{x} = {x} + {layer}({other_norm}({x}))",)),
            correct=CORRECT,
            buggy=CORRECT.replace("self.think(self.norm_b(x))", "self.think(self.norm_a(x))"),
        ),
        Form(
            "second-twice",
            m.ClassDef(),
            rewritten("{x} = {x} + {layer}({other_norm}({x}))"),
            correct=CORRECT,
            buggy=CORRECT.replace("self.mix(self.norm_a(x))", "self.mix(self.norm_b(x))"),
        ),
    )
    untouched = (POST_NORM,)


class LnDropped(Mutation):
    """A sublayer reads the stream without its norm.

    What it does: Attention or MLP gets the stream as it is; the norm before it is never called.

    Why it is wrong: The stream's size is not under control: at first it is tiny, later it grows,
    and the sublayer must follow.

    How it shows: The loss ends a little higher, and the sample is nearly always right.

    How to find it: Multiply the input of the sublayer by ten: its output must not change.

    Other right fixes: Call the norm in the sublayer's argument, or at the beginning of the
    sublayer itself.
    """

    id = "ln-dropped"
    bug_class = "typo"
    stage = "block"
    difficulty = "hard"
    visibility = "invisible"
    provenance = ("measured",)
    hints = (
        "It learns well, and not quite as well as it could.",
        "List the parameters whose gradient is None.",
        "Does every sublayer read the stream in the same way?",
    )
    killed_by = frozenset({"forward", "moves"})
    forms = (
        Form(
            "attention",
            m.ClassDef(),
            rewritten("{x} = {x} + {layer}({x})"),
            correct=CORRECT,
            buggy=CORRECT.replace("self.mix(self.norm_a(x))", "self.mix(x)"),
        ),
        Form(
            "mlp",
            m.ClassDef(),
            rewritten(second=("{x} = {x} + {layer}({x})",)),
            correct=CORRECT,
            buggy=CORRECT.replace("self.think(self.norm_b(x))", "self.think(x)"),
        ),
    )
    untouched = (POST_NORM,)
