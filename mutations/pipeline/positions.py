"""Bugs of positions in a classifier of rows."""

from bugforge.mutation import Mutation

from .exchange import exchange


class Multiplied(Mutation):
    """Positions scale tokens.

    What it does: The two tables are multiplied, and not added.

    Why it is wrong: Both begin near zero, so that their product is next to nothing; and the design
    adds them.

    How it shows: It learns much more slowly, or not at all.

    How to find it: Load given weights and compare logits; or read what goes into the first block.

    Other right fixes: A sum of both.
    """

    id = "row-positions-multiplied"
    bug_class = "row-positions"
    stage = "embedding"
    difficulty = "medium"
    visibility = "plateau"
    provenance = ("report",)
    hints = (
        "Which value was written last can only be told by places: are they told?",
        "Look at what goes into the first block.",
        "What joins the two tables?",
    )
    killed_by = frozenset({"row-logits"})
    forms = (
        exchange(
            "product",
            "any_d(any_f(any_x) + any_g(any_p))",
            "any_d(any_f(any_x) * any_g(any_p))",
        ),
    )
    untouched = ("y = f(x) + g(p)\n",)


class OffByOne(Mutation):
    """Places count from one.

    What it does: The first token of a row has the position 1.

    Why it is wrong: A model that is trained so may do well, but a checkpoint means another
    position; and rows of full length run out of the table.

    How it shows: Training looks as ever. Logits under given weights are others.

    How to find it: Print the positions of a row of two tokens.

    Other right fixes: Positions from 0, or from the number of tokens that came before.
    """

    id = "row-positions-off-by-one"
    bug_class = "row-positions"
    stage = "embedding"
    difficulty = "hard"
    visibility = "invisible"
    provenance = ("measured",)
    hints = (
        "Does a checkpoint of another program mean the same here?",
        "Print which positions a short row has.",
        "With what does counting begin?",
    )
    killed_by = frozenset({"row-logits"})
    forms = (
        exchange(
            "arange",
            "torch.arange(any_a, any_a + any_t)",
            "torch.arange(any_a + 1, any_a + any_t + 1)",
        ),
    )
    untouched = ("p = torch.arange(n)\n",)
