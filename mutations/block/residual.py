"""The stream that runs through the blocks is broken."""

import libcst.matchers as m

from bugforge.mutation import Form, Mutation

from .parts import CORRECT, FIRST, POST_NORM, SECOND, rewritten


class ResidDropped(Mutation):
    """A sublayer replaces the stream instead of adding to it.

    What it does: What leaves attention, or the MLP, is only what it computed, and nothing of what
    came in.

    Why it is wrong: A block should refine its input. Without the sum, what earlier layers have
    written is lost wherever the sublayer does not pass it on, and gradients lose their short way
    down.

    How it shows: In a model of two blocks hardly: for the attention the loss ends a little
    higher, for the MLP not even that. Deep models stall.

    How to find it: Set all weights of a sublayer to zero: the block must still let its input
    through.

    Other right fixes: Add the sublayer's result to its input, in one line or in two.
    """

    id = "resid-dropped"
    bug_class = "typo"
    stage = "block"
    difficulty = "hard"
    visibility = "invisible"
    provenance = ("lucidrains/audiolm-pytorch#150", "znxlwm/UGATIT-pytorch#32")
    hints = (
        "It works, and not in the way it was meant to.",
        "Silence one sublayer after the other by zero weights and see what comes through.",
        "Does every sublayer refine its input, or does one replace it?",
    )
    killed_by = frozenset({"forward"})
    forms = (
        Form(
            "attention",
            m.ClassDef(),
            rewritten("{x} = {layer}({norm}({x}))"),
            correct=CORRECT,
            buggy=CORRECT.replace(FIRST, "        x = self.mix(self.norm_a(x))\n"),
        ),
        Form(
            "attention-named",
            m.ClassDef(),
            rewritten(
                "{new} = {layer}({norm}({x}))",
                second=("{x} = {new} + {layer}({norm}({new}))",),
            ),
            correct=CORRECT,
            buggy=CORRECT.replace(
                FIRST + SECOND,
                "        h = self.mix(self.norm_a(x))\n"
                "        x = h + self.think(self.norm_b(h))\n",
            ),
        ),
        Form(
            "mlp",
            m.ClassDef(),
            rewritten(second=("{x} = {layer}({norm}({x}))",)),
            correct=CORRECT,
            buggy=CORRECT.replace(SECOND, "        x = self.think(self.norm_b(x))\n"),
        ),
    )
    untouched = (POST_NORM,)


class ResidMultiplied(Mutation):
    """The stream is multiplied by what a sublayer gives.

    What it does: A times sign stands where the residual sum was meant.

    Why it is wrong: A sublayer gives small numbers at first, so the product all but wipes out the
    stream, and where it gives 0 nothing comes through at all.

    How it shows: Hardly in a small model, whose norms blow the stream up again: the loss ends
    where it should and the sample is right.

    How to find it: Set the weights of the sublayer to zero: its input must come through unchanged.

    Other right fixes: A sum, also in place.
    """

    id = "resid-multiplied"
    bug_class = "typo"
    stage = "block"
    difficulty = "hard"
    visibility = "invisible"
    provenance = ("ChristophReich1996/MaxViT#8",)
    hints = (
        "The norms hide what happens to the stream.",
        "Print the size of the stream behind each sublayer.",
        "Look at the signs in the block.",
    )
    killed_by = frozenset({"forward"})
    forms = (
        Form(
            "attention",
            m.ClassDef(),
            rewritten("{x} = {x} * {layer}({norm}({x}))"),
            correct=CORRECT,
            buggy=CORRECT.replace("x + self.mix", "x * self.mix"),
        ),
        Form(
            "mlp",
            m.ClassDef(),
            rewritten(second=("{x} = {x} * {layer}({norm}({x}))",)),
            correct=CORRECT,
            buggy=CORRECT.replace("x + self.think", "x * self.think"),
        ),
    )
    untouched = (POST_NORM,)


class ResidFromNormed(Mutation):
    """A sublayer's result is added to the normalised input.

    What it does: The stream itself is normalised before the sum, so that the residual carries the
    output of the LayerNorm.

    Why it is wrong: Only the sublayer should read a normalised copy. The stream must stay as it
    is, else each block rescales all that the earlier ones have written.

    How it shows: The loss ends a little higher than it should at most, and the sample is nearly
    always right.

    How to find it: Set the sublayer's weights to zero: the block must give back its input, and
    gives back a normalised one.

    Other right fixes: Add to the input as it came, with the norm inside the sublayer's argument
    or in a variable of its own.
    """

    id = "resid-from-normed"
    bug_class = "typo"
    stage = "block"
    difficulty = "hard"
    visibility = "invisible"
    provenance = ("tracel-ai/burn#1056", "allenai/OLMo#680")
    hints = (
        "A little worse than it should be, no more.",
        "What does a block give back when its sublayers are silent?",
        "Which version of its input does a sublayer's result join?",
    )
    killed_by = frozenset({"forward"})
    forms = (
        Form(
            "attention",
            m.ClassDef(),
            rewritten("{x} = {norm}({x})", "{x} = {x} + {layer}({x})"),
            correct=CORRECT,
            buggy=CORRECT.replace(
                FIRST, "        x = self.norm_a(x)\n        x = x + self.mix(x)\n"
            ),
        ),
        Form(
            "mlp",
            m.ClassDef(),
            rewritten(second=("{x} = {norm}({x})", "{x} = {x} + {layer}({x})")),
            correct=CORRECT,
            buggy=CORRECT.replace(
                SECOND, "        x = self.norm_b(x)\n        x = x + self.think(x)\n"
            ),
        ),
        Form(
            "inline",
            m.ClassDef(),
            rewritten("{x} = {norm}({x}) + {layer}({norm}({x}))"),
            correct=CORRECT,
            buggy=CORRECT.replace("x = x + self.mix", "x = self.norm_a(x) + self.mix"),
        ),
    )
    untouched = (POST_NORM,)


class ResidStaleInput(Mutation):
    """The MLP's result is added to the block's input instead of to the attention's output.

    What it does: The MLP reads the stream with the attention in it, and its result joins the
    stream from before.

    Why it is wrong: What attention has gathered is gone behind the block, except for what the MLP
    made of it.

    How it shows: Not in loss or sample.

    How to find it: Set the weights of the MLP to zero: what attention adds must still be there
    behind the block.

    Other right fixes: Add the MLP's result to the variable that holds the sum with the attention.
    """

    id = "resid-stale-input"
    bug_class = "typo"
    stage = "block"
    difficulty = "hard"
    visibility = "invisible"
    provenance = ("strutive07/transformer-tensorflow2.0#14", "JanSchm/CapMarket#8")
    hints = (
        "Everything is computed; not everything arrives.",
        "Silence the MLP and see what leaves the block.",
        "Two variables of the block hold a stream. Which one goes on?",
    )
    killed_by = frozenset({"forward"})
    forms = (
        Form(
            "input",
            m.ClassDef(),
            rewritten(
                "{new} = {x} + {layer}({norm}({x}))",
                second=("{x} = {x} + {layer}({norm}({new}))",),
            ),
            correct=CORRECT,
            buggy=CORRECT.replace(
                FIRST + SECOND,
                "        h = x + self.mix(self.norm_a(x))\n"
                "        x = x + self.think(self.norm_b(h))\n",
            ),
        ),
    )
    untouched = (POST_NORM,)


class AttnOutputDiscarded(Mutation):
    """What attention gives is computed and thrown away.

    What it does: The attention is called, and its result is neither added nor kept.

    Why it is wrong: Attention is the only place where positions exchange anything. Without it the
    model knows the present token, its position and nothing else.

    How it shows: The loss stalls where pairs of letters leave it, and the sample is made of
    plausible pairs. A text learned from its start alone would come out right all the same.

    How to find it: Change an early token: the later logits don't move at all.

    Other right fixes: Add the attention's result to the stream before the MLP.
    """

    id = "attn-output-discarded"
    bug_class = "typo"
    stage = "block"
    difficulty = "medium"
    visibility = "plateau"
    provenance = ("lucidrains/audiolm-pytorch#265", "lucidrains/audiolm-pytorch#268")
    hints = (
        "It writes like someone who remembers one letter.",
        "Change the first token of an input and watch the last logits.",
        "A call in the block changes nothing and keeps nothing.",
    )
    killed_by = frozenset({"forward", "moves", "order", "sees-past"})
    hides = frozenset(
        {
            "mask-fill-zero",
            "mask-fill-tiny",
            "mask-fill-not-low-enough",
            "mask-fill-plus-inf",
            "mask-after-softmax",
            "mask-multiplicative",
            "mask-inf-times-zero",
            "mask-bool-added",
            "mask-missing",
            "mask-result-not-assigned",
            "mask-polarity-inverted",
            "mask-wrong-corner",
            "mask-transposed",
            "mask-future-by-one",
            "mask-strict",
            "softmax-over-queries",
            "softmax-over-heads",
            "out-proj-missing",
            "heads-merge-no-transpose",
            "heads-merge-wrong-permute",
            "heads-split-no-transpose",
            "detach-attention",
            "nograd-attention",
            "mask-neginf-after-softmax",
            "mask-only-in-eval",
            "softmax-over-batch",
        }
    )
    forms = (
        Form(
            "bare-call",
            m.ClassDef(),
            rewritten("{layer}({norm}({x}))"),
            correct=CORRECT,
            buggy=CORRECT.replace(FIRST, "        self.mix(self.norm_a(x))\n"),
        ),
    )
    untouched = (POST_NORM,)
