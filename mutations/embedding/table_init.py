"""The table of positions starts out at the wrong size, or is never filled."""

import libcst.matchers as m

from bugforge.mutation import Form, Mutation

from .table import CORRECT, LOOK_ALIKE, remade

MADE = "self.table = nn.Parameter(0.02 * torch.randn(length, width))"
AGAIN = CORRECT.replace("0.02 *", "0.01 *").replace("self.table[: idx", "self.other[: idx")


def buggy(*lines: str) -> str:
    """Write the example with other lines where the table is made."""
    return CORRECT.replace(MADE, "\n        ".join(lines))


class PeInitHugeStd(Mutation):
    """The table of positions starts out far too large.

    What it does: Its entries are drawn with a spread of 1 or more, next to token embeddings with
    a spread of 0.02.

    Why it is wrong: The two are added and then normalised, so what is left of the token is a
    fiftieth: every position looks the same whatever stands there.

    How it shows: The loss comes down late and ends well above where it should, or stalls near the
    frequencies of single characters when the table is very large or the text is long. A single
    short text may be learned by heart all the same.

    How to find it: Before training, change a token and see how little its own logits move, or
    print the spread of both tables.

    Other right fixes: A spread of about that of the tokens, 0.02 or 0.01, drawn in any way; zeros
    that are trained; a fixed table of sines made as small.
    """

    id = "pe-init-huge-std"
    bug_class = "positions"
    stage = "embedding"
    difficulty = "medium"
    visibility = "plateau"
    provenance = ("pytorch/pytorch#3121", "report")
    hints = (
        "It gets stuck, as if it could not read what it is given.",
        "Which moves fresh logits more, another token or another position?",
        "Print the spread of every embedding before the first step.",
    )
    killed_by = frozenset({"position-scale", "token-heard"})
    forms = (
        Form(
            "unscaled",
            m.ClassDef(),
            remade("{name} = {parameter}({library}.randn({shape}))"),
            correct=CORRECT,
            buggy=buggy("self.table = nn.Parameter(torch.randn(length, width))"),
        ),
        Form(
            "misplaced-point",
            m.ClassDef(),
            remade("{name} = {parameter}(2.0 * {library}.randn({shape}))"),
            correct=CORRECT,
            buggy=buggy("self.table = nn.Parameter(2.0 * torch.randn(length, width))"),
        ),
        Form(
            "default-normal",
            m.ClassDef(),
            remade(
                "{name} = {parameter}({library}.empty({shape}))",
                "nn.init.normal_({name})",
            ),
            correct=CORRECT,
            buggy=buggy(
                "self.table = nn.Parameter(torch.empty(length, width))",
                "nn.init.normal_(self.table)",
            ),
        ),
        Form(
            "root-of-width",
            m.ClassDef(),
            remade("{name} = {parameter}({width}**0.5 * {library}.randn({shape}))"),
            correct=CORRECT,
            buggy=buggy("self.table = nn.Parameter(width**0.5 * torch.randn(length, width))"),
        ),
    )
    untouched = (LOOK_ALIKE, AGAIN)


class PeInitTooLarge(Mutation):
    """The table of positions starts out several times too large.

    What it does: Its entries are drawn with a spread around 0.2 or 0.3, where the tokens have
    0.02.

    Why it is wrong: The sum is normalised, and positions drown the tokens until training has
    worn the table down.

    How it shows: The loss comes down later than it should and ends a little higher. On a longer
    text a short run would end far too early; on a short one the sample is right.

    How to find it: Print the spread of both tables at the start; they should be about equal.

    Other right fixes: Any initialisation with a spread near that of the tokens, zeros included as
    long as they are trained.
    """

    id = "pe-init-too-large"
    bug_class = "positions"
    stage = "embedding"
    difficulty = "hard"
    visibility = "invisible"
    provenance = ("measured",)
    hints = (
        "It learns, and later than it should.",
        "Compare what is added together in size.",
        "Print the spread of both embeddings before the first step.",
    )
    killed_by = frozenset({"position-scale", "token-heard"})
    forms = (
        Form(
            "factor",
            m.ClassDef(),
            remade("{name} = {parameter}(0.2 * {library}.randn({shape}))"),
            correct=CORRECT,
            buggy=buggy("self.table = nn.Parameter(0.2 * torch.randn(length, width))"),
        ),
        Form(
            "uniform",
            m.ClassDef(),
            remade("{name} = {parameter}({library}.rand({shape}))"),
            correct=CORRECT,
            buggy=buggy("self.table = nn.Parameter(torch.rand(length, width))"),
        ),
    )
    untouched = (LOOK_ALIKE, AGAIN)


class PeInitEmpty(Mutation):
    """The table of positions is never initialised.

    What it does: It is made by torch.empty, and nothing is written into it.

    Why it is wrong: torch.empty gives memory as it was left: zeros with luck, else anything, NaN
    included.

    How it shows: Differently on every machine and run: right today, by memory that happened to
    be zero, and NaN or a loss that stalls tomorrow.

    How to find it: Let torch fill fresh memory with NaN, by use_deterministic_algorithms, and
    build the model.

    Other right fixes: Small random numbers, or zeros, as long as the table is trained.
    """

    id = "pe-init-empty"
    bug_class = "positions"
    stage = "embedding"
    difficulty = "medium"
    visibility = "invisible"
    provenance = ("allenai/longformer#115",)
    hints = (
        "What it does today it may not do tomorrow.",
        "Build the model twice and compare all of its parameters at the start.",
        "One tensor is made and never filled.",
    )
    killed_by = frozenset({"init-finite"})
    hides = frozenset({"seed-not-set"})
    forms = (
        Form(
            "empty",
            m.ClassDef(),
            remade("{name} = {parameter}({library}.empty({shape}))"),
            correct=CORRECT,
            buggy=buggy("self.table = nn.Parameter(torch.empty(length, width))"),
        ),
    )
    untouched = (LOOK_ALIKE, AGAIN)


class PeInitResultDropped(Mutation):
    """The initialisation of the positions fills a copy.

    What it does: The table is made empty, and a clone of it is filled with small random numbers.

    Why it is wrong: A clone has its own memory; the table keeps whatever its memory held.

    How it shows: As with a table that was never initialised: by luck not at all, else as NaN or
    as a loss that stalls.

    How to find it: Print the table after the model is built, with fresh memory filled with NaN.

    Other right fixes: Fill the table itself, or make it from random numbers at once.
    """

    id = "pe-init-result-dropped"
    bug_class = "positions"
    stage = "embedding"
    difficulty = "hard"
    visibility = "invisible"
    provenance = ("huggingface/transformers#143",)
    hints = (
        "The intention is plain and right; check the outcome.",
        "Look at the parameters of a model that has just been built.",
        "Which tensor do the random numbers end up in?",
    )
    killed_by = frozenset({"init-finite"})
    hides = frozenset({"seed-not-set"})
    forms = (
        Form(
            "clone",
            m.ClassDef(),
            remade(
                "{name} = {parameter}({library}.empty({shape}))",
                "nn.init.normal_({name}.clone(), std=0.02)",
            ),
            correct=CORRECT,
            buggy=buggy(
                "self.table = nn.Parameter(torch.empty(length, width))",
                "nn.init.normal_(self.table.clone(), std=0.02)",
            ),
        ),
    )
    untouched = (LOOK_ALIKE, AGAIN)
