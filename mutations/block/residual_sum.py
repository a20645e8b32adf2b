"""The sublayers of a block join, or read, something else than the stream."""

import libcst.matchers as m

from bugforge.mutation import Form, Mutation

from .parts import CORRECT, FIRST, POST_NORM, SECOND, rewritten


class ResidBothDropped(Mutation):
    """Both sublayers replace the stream instead of adding to it.

    What it does: The block gives back what the MLP made of what attention made, and adds nothing
    to anything.

    Why it is wrong: No input comes through a block as it was. The token itself is lost unless
    every layer learns to pass it on, and gradients must take the same long way.

    How it shows: The loss comes down slowly and ends several times too high; the sample falls
    apart after a few words.

    How to find it: Set all weights of the sublayers to zero: the blocks must still let their input
    through.

    Other right fixes: Add each sublayer's result to what it read before the norm.
    """

    id = "resid-both-dropped"
    bug_class = "typo"
    stage = "block"
    difficulty = "medium"
    visibility = "plateau"
    provenance = ("measured",)
    hints = (
        "It hardly knows which token it has just read.",
        "Silence the sublayers by zero weights and see what comes through.",
        "What has each sublayer's result to do with what the sublayer was given?",
    )
    killed_by = frozenset({"forward"})
    forms = (
        Form(
            "both",
            m.ClassDef(),
            rewritten("{x} = {layer}({norm}({x}))", second=("{x} = {layer}({norm}({x}))",)),
            correct=CORRECT,
            buggy=CORRECT.replace("x + ", ""),
        ),
    )
    untouched = (POST_NORM,)


class ResidWrongTensor(Mutation):
    """A sublayer's result is added to itself instead of to the stream.

    What it does: The result takes the name of the stream before the sum, which then adds it to
    itself.

    Why it is wrong: The stream is the memory of all layers. Once overwritten it is gone, and twice
    the sublayer's result is no more than the sublayer's result.

    How it shows: Where it is the attention's result, the loss comes down late and ends a little
    higher, and the sample is right. Where it is the MLP's, nothing shows.

    How to find it: Set the weights of the sublayer to zero: the block must give back its input.
    Then follow which name stands for which tensor, line by line.

    Other right fixes: Give the sublayer's result a name of its own, or add it in one line.
    """

    id = "resid-wrong-tensor"
    bug_class = "typo"
    stage = "block"
    difficulty = "hard"
    visibility = "invisible"
    provenance = ("kyegomez/BitNet#32", "facebookresearch/multimodal#305")
    hints = (
        "There is a sum behind each sublayer. Of what?",
        "Silence one sublayer after the other by zero weights and see what comes through.",
        "Which tensor does each name in the block stand for, line by line?",
    )
    killed_by = frozenset({"forward"})
    forms = (
        Form(
            "attention-doubled",
            m.ClassDef(),
            rewritten("{x} = {layer}({norm}({x}))", "{x} = {x} + {x}"),
            correct=CORRECT,
            buggy=CORRECT.replace(
                FIRST, "        x = self.mix(self.norm_a(x))\n        x = x + x\n"
            ),
        ),
        Form(
            "mlp-doubled",
            m.ClassDef(),
            rewritten(second=("{x} = {layer}({norm}({x}))", "{x} = {x} + {x}")),
            correct=CORRECT,
            buggy=CORRECT.replace(
                SECOND, "        x = self.think(self.norm_b(x))\n        x = x + x\n"
            ),
        ),
    )
    untouched = (POST_NORM,)


class MlpWrongInput(Mutation):
    """The MLP reads another tensor than the stream that it adds to.

    What it does: The MLP is given what attention alone computed, or the block's input from before
    attention; its result joins the right sum.

    Why it is wrong: The MLP is meant to work on all that is known so far. Here it lacks either
    what the earlier layers wrote or what attention has just gathered.

    How it shows: Not in loss or sample: in a small model one block makes up for the other.

    How to find it: Watch what the MLP's norm is given, by a hook or a print, and compare it with
    the stream behind attention.

    Other right fixes: Use one name for the stream throughout the block, or give the MLP the one
    that holds the sum.
    """

    id = "mlp-wrong-input"
    bug_class = "typo"
    stage = "block"
    difficulty = "hard"
    visibility = "invisible"
    provenance = ("measured",)
    hints = (
        "Every sum is right.",
        "Print what enters each sublayer beside what it is added to.",
        "Two variables of the block hold nearly the same. Which one is the stream?",
    )
    killed_by = frozenset({"forward"})
    forms = (
        Form(
            "attention-read",
            m.ClassDef(),
            rewritten(
                "{new} = {layer}({norm}({x}))",
                "{x} = {x} + {new}",
                second=("{x} = {x} + {layer}({norm}({new}))",),
            ),
            correct=CORRECT,
            buggy=CORRECT.replace(
                FIRST + SECOND,
                "        h = self.mix(self.norm_a(x))\n"
                "        x = x + h\n"
                "        x = x + self.think(self.norm_b(h))\n",
            ),
        ),
        Form(
            "input-read",
            m.ClassDef(),
            rewritten(
                "{new} = {x} + {layer}({norm}({x}))",
                second=("{x} = {new} + {layer}({norm}({x}))",),
            ),
            correct=CORRECT,
            buggy=CORRECT.replace(
                FIRST + SECOND,
                "        h = x + self.mix(self.norm_a(x))\n"
                "        x = h + self.think(self.norm_b(x))\n",
            ),
        ),
    )
    untouched = (POST_NORM,)
