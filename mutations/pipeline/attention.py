"""Bugs of attention in a classifier of rows, and of the blocks around it."""

from bugforge.mutation import Mutation

from .exchange import exchange


class SeesNext(Mutation):
    """Attention sees one token too many.

    What it does: The mask reaches one place to the right of the diagonal.

    Why it is wrong: Each place is asked to predict the next token, and it reads that token; a
    row's last place reads the padding behind it.

    How it shows: The loss of next tokens falls far below what can be predicted, and rows are
    classified otherwise in longer batches.

    How to find it: Change a token and look which logits before it move: none may.

    Other right fixes: Any mask that is lower triangular, with as many columns more as tokens came
    before.
    """

    id = "row-mask-sees-next"
    bug_class = "row-attention"
    stage = "attention"
    difficulty = "medium"
    visibility = "leak"
    provenance = ("report",)
    hints = (
        "Is anything known that cannot be known yet?",
        "Change one token, and see which logits before it move.",
        "Look at the diagonal of the mask.",
    )
    killed_by = frozenset({"later-unread", "padding-unread"})
    forms = (
        exchange(
            "past the diagonal",
            "any_m.tril(any_n)",
            "any_m.tril(any_n + 1)",
        ),
    )
    untouched = ("visible = ones.triu(1)\n",)


class FilledWithZero(Mutation):
    """What is hidden gets a score of zero.

    What it does: Scores of later tokens are set to 0 and not to minus infinity.

    Why it is wrong: The exponential of 0 is 1: what should be hidden has as much weight as a score
    of zero.

    How it shows: Every place reads later ones a little, padding too; the loss of next tokens is
    too low.

    How to find it: Print a row of the weights: behind the diagonal they must be 0.

    Other right fixes: Minus infinity, or the least number of the scores' own type.
    """

    id = "row-mask-fill-zero"
    bug_class = "row-attention"
    stage = "attention"
    difficulty = "medium"
    visibility = "leak"
    provenance = ("report",)
    hints = (
        "Is anything known that cannot be known yet?",
        "Look at the weights of a single row of attention.",
        "Which score has a weight of nothing?",
    )
    killed_by = frozenset({"later-unread", "padding-unread"})
    forms = (
        exchange(
            "zero",
            'any_s.masked_fill(any_m, float("-inf"))',
            "any_s.masked_fill(any_m, 0.0)",
        ),
    )
    untouched = ("s = s.masked_fill(m, -1e4)\n",)


class NormInside(Mutation):
    """The norm stands before the sum.

    What it does: The stream is normalised before a part adds to it, and the sum is not.

    Why it is wrong: The design is post-norm: the stream is normalised after each part has added to
    it. So it grows with depth, and weights of others mean something else here.

    How it shows: It trains, somewhat worse; a checkpoint of a right program gives other logits.

    How to find it: Compare with PROBLEM.md line by line, or load given weights and compare logits.

    Other right fixes: `norm(x + part(x))` in any form.
    """

    id = "row-norm-inside"
    bug_class = "row-attention"
    stage = "block"
    difficulty = "hard"
    visibility = "plateau"
    provenance = ("report",)
    hints = (
        "Does a checkpoint of another program mean the same here?",
        "Follow the stream through one block, and say what is normalised when.",
        "Does the norm stand around the sum?",
    )
    killed_by = frozenset({"row-logits"})
    forms = (
        exchange(
            "attention",
            "any_n(any_x + any_f(any_x, any_p))",
            "any_n(any_x) + any_f(any_x, any_p)",
        ),
        exchange(
            "mlp",
            "any_n(any_x + any_f(any_x))",
            "any_n(any_x) + any_f(any_x)",
        ),
    )
    untouched = ("y = norm(x + part(z))\n",)


class HeadsViewed(Mutation):
    """Heads are joined by a view.

    What it does: After the axes are exchanged, the tensor is viewed in another shape.

    Why it is wrong: An exchange of axes leaves the numbers where they were in memory, and a view
    cannot put them in order.

    How it shows: RuntimeError at the first pass: view size is not compatible with input tensor's
    size and stride.

    How to find it: Read the error: it names the mend.

    Other right fixes: `reshape`, or `contiguous()` before the view.
    """

    id = "row-heads-viewed"
    bug_class = "row-attention"
    stage = "attention"
    difficulty = "easy"
    visibility = "crash"
    provenance = ("report",)
    hints = (
        "Does it run at all?",
        "Read the last line of the error.",
        "Which call needs numbers that lie in order?",
    )
    killed_by = frozenset({"runs"})
    forms = (
        exchange(
            "view",
            "any_y.transpose(1, 2).reshape(any_b, any_t, any_c)",
            "any_y.transpose(1, 2).view(any_b, any_t, any_c)",
        ),
    )
    untouched = ("y = y.reshape(b, t, c)\n",)
