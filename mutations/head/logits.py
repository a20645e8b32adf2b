"""The head has the wrong shape."""

from collections.abc import Callable

import libcst as cst
import libcst.matchers as m

from bugforge.mutation import Form, Mutation, Rewritten

from ..patterns import LINEAR, find, own_layer, swap
from .parts import CORRECT, LOOK_ALIKE, TIE, head

Remake = Callable[[cst.Call], cst.Call]


def remade(remake: Remake) -> Callable[[cst.ClassDef], Rewritten]:
    """Make a mutation of the head's Linear from a function of it."""

    def mutate(definition: cst.ClassDef) -> Rewritten:
        if find(definition, TIE):
            return None  # what the layer is made with is given up for the table
        call = head(definition)
        made = own_layer(definition, call.func, LINEAR) if call else None
        return None if made is None else swap(definition, made, remake(made))

    return mutate


def as_wide_as_the_stream(made: cst.Call) -> cst.Call:
    """Give the layer as many outputs as inputs."""
    first, second, *rest = made.args
    return made.with_changes(args=[first, second.with_changes(value=first.value), *rest])


def turned(made: cst.Call) -> cst.Call:
    """Exchange inputs and outputs."""
    first, second, *rest = made.args
    return made.with_changes(
        args=[
            first.with_changes(value=second.value),
            second.with_changes(value=first.value),
            *rest,
        ]
    )


class LmHeadWrongShape(Mutation):
    """The head has as many outputs as the stream is wide.

    What it does: The last Linear maps the width to the width again, where the size of the
    vocabulary was meant.

    Why it is wrong: Each output stands for a token. With more outputs than tokens some stand for
    none, and with fewer some tokens can never be written.

    How it shows: The first loss is ln of the width, not ln of the vocabulary. Then it learns as
    if nothing were wrong, as long as the width is the larger of the two.

    How to find it: Print the shape of the logits.

    Other right fixes: Linear(n_embd, vocab_size), with or without a bias.
    """

    id = "lm-head-wrong-shape"
    bug_class = "projection"
    stage = "head"
    difficulty = "hard"
    visibility = "invisible"
    provenance = ("report",)
    hints = (
        "Compare the first loss with the one that pure guessing gives.",
        "Print shapes along the forward pass, to the very end.",
        "What does each output of the last layer stand for?",
    )
    killed_by = frozenset({"init-loss", "parameters", "runs", "shape"})
    forms = (
        Form(
            "width",
            m.ClassDef(),
            remade(as_wide_as_the_stream),
            correct=CORRECT,
            buggy=CORRECT.replace("nn.Linear(width, vocab,", "nn.Linear(width, width,"),
        ),
    )
    untouched = (LOOK_ALIKE,)


class LmHeadDimsSwapped(Mutation):
    """The head's dimensions are exchanged.

    What it does: The last Linear is made for vocab_size inputs and n_embd outputs.

    Why it is wrong: What reaches it is n_embd wide, and what should leave it has one number for
    each token.

    How it shows: The first forward pass stops at a matrix product whose shapes don't fit.

    How to find it: The message names the shapes of both factors. Look for the layer whose weight
    has the second.

    Other right fixes: Linear(n_embd, vocab_size), with or without a bias.
    """

    id = "lm-head-dims-swapped"
    bug_class = "projection"
    stage = "head"
    difficulty = "easy"
    visibility = "crash"
    provenance = ("report",)
    hints = (
        "Run it; torch says which shapes don't fit.",
        "Which layer has a weight of that shape?",
        "A Linear takes its inputs first and its outputs second.",
    )
    killed_by = frozenset({"runs"})
    forms = (
        Form(
            "exchanged",
            m.ClassDef(),
            remade(turned),
            correct=CORRECT,
            buggy=CORRECT.replace("nn.Linear(width, vocab,", "nn.Linear(vocab, width,"),
        ),
    )
    untouched = (LOOK_ALIKE,)
