"""A norm stands in the wrong place of a block, or takes more together than one position."""

import libcst as cst
import libcst.matchers as m

from bugforge.mutation import Form, Mutation, Rewritten

from ..patterns import OWN, render, with_argument
from .parts import CORRECT, FIRST, NORM, POST_NORM, SECOND, rewritten

OF_WIDTH = m.Assign(
    targets=[m.AssignTarget(OWN)],
    value=m.Call(
        func=NORM.func,
        args=[m.Arg(m.Attribute(value=m.Name(), attr=m.Name("n_embd")), keyword=None)],
    ),
)
"""A norm made for the width of a configuration: self.norm = nn.LayerNorm(config.n_embd)."""

MADE = "self.norm = nn.LayerNorm(config.n_embd)\n"


def over_time(assign: cst.Assign) -> Rewritten:
    """Make the norm for windows of the context's length and the width."""
    made = cst.ensure_type(assign.value, cst.Call)
    width = cst.ensure_type(made.args[0].value, cst.Attribute)
    window = f"[{render(width.value)}.block_size, {render(width)}]"
    return assign.with_changes(value=with_argument(made, 0, window))


class LnOnOutput(Mutation):
    """What a sublayer gives is normalised, and not what it reads.

    What it does: The sublayer reads the stream as it is, and its norm stands around its result,
    which is then added.

    Why it is wrong: The norm is there so that a sublayer reads numbers of a known size whatever
    the stream has grown to. Here it forces every sublayer to add as much as any other, from the
    first step on.

    How it shows: Where it is the attention's norm, the loss comes down late; in the end it is
    nearly right, and so is the sample. Where it is the MLP's, nothing shows.

    How to find it: Multiply the input of the sublayer by ten: its output must not change. Set the
    sublayer's weights to zero: nothing may be added.

    Other right fixes: The norm in the sublayer's argument, or at the beginning of the sublayer
    itself.
    """

    id = "ln-on-output"
    bug_class = "typo"
    stage = "block"
    difficulty = "hard"
    visibility = "invisible"
    provenance = ("measured",)
    hints = (
        "All parts of the block are there and all are used.",
        "How large is what a fresh sublayer adds, next to the stream?",
        "What does each norm of the block read?",
    )
    killed_by = frozenset({"forward"})
    forms = (
        Form(
            "attention",
            m.ClassDef(),
            rewritten("{x} = {x} + {norm}({layer}({x}))"),
            correct=CORRECT,
            buggy=CORRECT.replace("self.mix(self.norm_a(x))", "self.norm_a(self.mix(x))"),
        ),
        Form(
            "mlp",
            m.ClassDef(),
            rewritten(second=("{x} = {x} + {norm}({layer}({x}))",)),
            correct=CORRECT,
            buggy=CORRECT.replace("self.think(self.norm_b(x))", "self.norm_b(self.think(x))"),
        ),
        Form(
            "both",
            m.ClassDef(),
            rewritten(
                "{x} = {x} + {norm}({layer}({x}))", second=("{x} = {x} + {norm}({layer}({x}))",)
            ),
            correct=CORRECT,
            buggy=CORRECT.replace("self.mix(self.norm_a(x))", "self.norm_a(self.mix(x))").replace(
                "self.think(self.norm_b(x))", "self.norm_b(self.think(x))"
            ),
        ),
    )
    untouched = (POST_NORM,)


class LnPostInsteadOfPre(Mutation):
    """The norm comes behind the sum instead of before the sublayer.

    What it does: The sublayer reads the stream as it is, and the sum of both is normalised.

    Why it is wrong: That is the post-norm block of the first transformers, and a pre-norm block
    was asked for. With the norm in the stream, nothing runs from the embeddings to the head
    unchanged, and deep models need a careful warm-up.

    How it shows: Hardly: with the attention's norm the loss comes down a little later. A model
    of two blocks ends where it should, with the right sample.

    How to find it: Set the sublayers' weights to zero: a pre-norm block gives back its input,
    this one a normalised input.

    Other right fixes: Norms inside the sublayers' arguments; the last norm before the head stays.
    """

    id = "ln-post-instead-of-pre"
    bug_class = "typo"
    stage = "block"
    difficulty = "hard"
    visibility = "invisible"
    provenance = ("measured",)
    hints = (
        "There are transformers like this one; it is not what was asked for.",
        "What does a block give back when its sublayers are silent?",
        "Compare the places of the norms with what PROBLEM.md says of the design.",
    )
    killed_by = frozenset({"forward"})
    forms = (
        Form(
            "attention",
            m.ClassDef(),
            rewritten("{x} = {norm}({x} + {layer}({x}))"),
            correct=CORRECT,
            buggy=CORRECT.replace(FIRST, "        x = self.norm_a(x + self.mix(x))\n"),
        ),
        Form(
            "mlp",
            m.ClassDef(),
            rewritten(second=("{x} = {norm}({x} + {layer}({x}))",)),
            correct=CORRECT,
            buggy=CORRECT.replace(SECOND, "        x = self.norm_b(x + self.think(x))\n"),
        ),
    )
    untouched = (POST_NORM,)


class LnWrongAxes(Mutation):
    """A norm takes all positions of a window together.

    What it does: The LayerNorm is made for the shape (block_size, n_embd), so that it takes mean
    and spread over time and width at once.

    Why it is wrong: Every position then depends on all others, later ones too, by the two numbers
    that they are normalised with. And the norm has a scale and a shift for each place of a window,
    so that no shorter window fits.

    How it shows: Training runs, as all of its windows are full; the sample stops at once over a
    shape, as its prompt is shorter.

    How to find it: Run a window that is shorter than block_size, and read the sizes in the message;
    or print the shapes of all parameters.

    Other right fixes: A norm of the last axis alone, nn.LayerNorm(n_embd).
    """

    id = "ln-wrong-axes"
    bug_class = "projection"
    stage = "block"
    difficulty = "easy"
    visibility = "crash"
    provenance = ("reczoo/FuxiCTR#23",)
    hints = (
        "Does it run at every length?",
        "Print the shapes of the parameters, block by block.",
        "Which axes does each norm take together?",
    )
    killed_by = frozenset({"runs"})
    forms = (
        Form(
            "time-and-width",
            OF_WIDTH,
            over_time,
            correct=MADE,
            buggy="self.norm = nn.LayerNorm([config.block_size, config.n_embd])\n",
        ),
    )
    untouched = (
        POST_NORM,
        "self.out = nn.Linear(config.n_embd, 4)\n",
        "self.norm = nn.LayerNorm([config.block_size, config.n_embd])\n",
    )
